"""Networks in PyTorch: what is missing, strict weights, and settings of the process that are put back."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import tiepoint as tp
from tests.networks.seeded import seeded, texture
from tiepoint import weights
from tiepoint.extractors import get_extractor
from tiepoint.networks import pytorch
from tiepoint.networks.pytorch import TorchNetwork


def test_missing_is_one_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "missing", lambda *names: f"tiepoint weights fetch {' '.join(names)}")
    monkeypatch.setattr(pytorch, "find_spec", lambda _name: object())
    assert pytorch.missing("disk") == "tiepoint weights fetch disk"
    monkeypatch.setattr(pytorch, "find_spec", lambda name: None if name == "kornia" else object())
    assert pytorch.missing("disk") == "pip install 'tiepoint[torch]' && tiepoint weights fetch disk"
    monkeypatch.setattr(weights, "missing", lambda *_names: None)
    assert pytorch.missing("disk") == "pip install 'tiepoint[torch]'"
    with pytest.raises(
        tp.MissingError, match=r"aliked needs PyTorch.*pip install 'tiepoint\[torch\]'.*rootsift"
    ):
        tp.extract(np.zeros((50, 50), np.uint8), "aliked")
    with pytest.raises(tp.MissingError, match=r"lightglue needs PyTorch.*nearest"):
        tp.match(np.eye(50, dtype=np.uint8), np.eye(50, dtype=np.uint8), extractor="orb", matcher="lightglue")
    with pytest.raises(tp.MissingError, match=r"loftr needs PyTorch.*nearest"):
        tp.match(np.eye(50, dtype=np.uint8), np.eye(50, dtype=np.uint8), matcher="loftr")


@pytest.fixture
def linear(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, np.ndarray[Any, Any]]]:
    """The tensors of a layer from 2 to 3 numbers, to be changed before it is made."""
    pytest.importorskip("torch")
    tensors = {"layer.weight": np.ones((3, 2), np.float32), "layer.bias": np.zeros(3, np.float32)}
    monkeypatch.setattr(weights, "load", lambda _name: tensors)
    pytorch._made.cache_clear()
    yield tensors
    pytorch._made.cache_clear()


def _layer() -> TorchNetwork:
    def build() -> Any:
        from torch import nn

        return nn.Sequential(nn.Linear(2, 3))

    def renamed(name: str) -> str | None:
        return None if name == "unused" else name.replace("layer", "0")

    return TorchNetwork(weights="disk", build=build, renamed=renamed)


def test_weights_are_filled_in_by_name(linear: dict[str, np.ndarray[Any, Any]]) -> None:
    import torch

    linear["unused"] = np.zeros(5, np.float32)
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    network = _layer().ready()
    assert torch.equal(torch.rand(3), expected), (
        "building a network must not take the caller's random numbers"
    )
    assert torch.equal(network(torch.tensor([[2.0, 5.0]])), torch.full((1, 3), 7.0))
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


@pytest.mark.parametrize("fault", ["missing", "unknown", "shape"])
def test_weights_that_do_not_fit_are_refused(linear: dict[str, np.ndarray[Any, Any]], fault: str) -> None:
    if fault == "missing":
        del linear["layer.bias"]
    elif fault == "unknown":
        linear["layer.scale"] = np.zeros(3, np.float32)
    else:
        linear["layer.bias"] = np.zeros(4, np.float32)
    with pytest.raises(
        tp.MissingError, match=r"the weights disk .* 1 tensors .* such as 0\.(bias|scale); .*kornia=="
    ):
        _layer().ready()


def test_running_leaves_the_settings_of_the_process() -> None:
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    wanted = before + 1
    tp.set_threads(wanted)
    try:
        with pytorch.running("no memory"):
            assert torch.get_num_threads() == wanted
            assert torch.is_inference_mode_enabled()
    finally:
        tp.set_threads(None)
    assert torch.get_num_threads() == before
    assert not torch.is_inference_mode_enabled()


def test_running_out_of_memory_is_a_sentence() -> None:
    torch = pytest.importorskip("torch")
    with (
        pytest.raises(tp.DataError, match="too large for this machine"),
        pytorch.running("too large for this machine"),
    ):
        torch.empty(1 << 60)
    with pytest.raises(RuntimeError, match="size"), pytorch.running("too large for this machine"):
        torch.zeros(2) + torch.zeros(3)


def test_threads_share_a_network(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    pytest.importorskip("torch")
    from kornia.feature.aliked import ALIKED

    photo = tp.Image(pixels=texture(rng, 64, 96))
    aliked = get_extractor("aliked", max_keypoints=50)
    seeded(monkeypatch, aliked_n16=ALIKED)
    with ThreadPoolExecutor(4) as pool:
        alone = aliked.extract(photo)
        together = list(pool.map(aliked.extract, [photo] * 8))
    assert len(alone) == 50
    for features in together:
        assert np.array_equal(features.xy, alone.xy)
        assert np.array_equal(features.descriptors, alone.descriptors)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_does_not_wait_for_threads_that_are_gone() -> None:
    pytest.importorskip("torch")
    script = """
        import os, sys, warnings
        import torch
        import tiepoint.networks.pytorch as pytorch
        from torch.nn.functional import conv2d

        def work():
            with pytorch.running("no memory") as torch:
                conv2d(torch.ones(1, 8, 200, 200), torch.ones(8, 8, 3, 3))
                return torch.get_num_threads()

        torch.set_num_threads(2)
        work()
        warnings.simplefilter("ignore")
        child = os.fork()
        if not child:
            os._exit(work() != 1)
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    environment = {**os.environ, "TIEPOINT_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], env=environment, timeout=120, check=False
    )
    assert done.returncode == 0
