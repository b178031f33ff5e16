"""Networks: converted once, kept in the cache, run from threads and forked processes."""

from __future__ import annotations

import multiprocessing
import os
import sys
import types
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiepoint as tp
import tiepoint.weights as weights_room
from tiepoint import core
from tiepoint.networks import Graph, Network, network, runtime_version
from tiepoint.networks.graph import Tensors

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")


class Builder:
    """Makes y = factor * x of the tensor "factor", and counts how often."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, tensors: Tensors) -> bytes:
        self.count += 1
        graph = Graph("times")
        graph.output("y", graph.add("Mul", graph.input("x", (None,)), graph.constant(tensors["factor"])))
        return graph.to_bytes()


@pytest.fixture
def builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Builder]:
    """Weights that are one number, and a cache of their own."""
    monkeypatch.setenv("TIEPOINT_CACHE", str(tmp_path))
    monkeypatch.setattr(weights_room, "load", lambda _: {"factor": np.array(3, np.float32)})
    monkeypatch.setattr(weights_room, "missing", lambda *_: None)
    monkeypatch.setattr(weights_room, "provenance", lambda _: {"sha256": "ab" * 32})
    monkeypatch.setattr(network, "_sessions", {})
    yield Builder()
    core.set_threads(None)


def times(build: Builder, version: int = 1) -> Network:
    return Network(name="times", weights="xfeat", build=build, version=version)


X = np.arange(4, dtype=np.float32)


def again(made: Network, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Run as a new process would."""
    monkeypatch.setattr(network, "_sessions", {})
    values: list[float] = made.run(x=X)["y"].tolist()
    return values


def test_a_network_is_converted_once(builder: Builder, monkeypatch: pytest.MonkeyPatch) -> None:
    made = times(builder)
    assert made.missing() is None
    assert made.run(x=X)["y"].tolist() == [0, 3, 6, 9]
    assert again(made, monkeypatch) == [0, 3, 6, 9]
    assert builder.count == 1
    assert again(times(builder, version=2), monkeypatch) == [0, 3, 6, 9]
    assert builder.count == 2


@pytest.mark.parametrize("damage", ["cut", "empty", "changed", "another"])
def test_a_broken_file_in_the_cache_is_made_anew(
    damage: str, builder: Builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = times(builder)
    made.run(x=X)
    (path,) = (tmp_path / "networks").iterdir()
    data = path.read_bytes()
    path.write_bytes(
        {
            "cut": data[:-7],
            "empty": b"",
            "changed": data[:-20] + bytes([data[-20] ^ 1]) + data[-19:],
            "another": Builder()({"factor": np.array(5, np.float32)}),  # a fine model without its checksum
        }[damage]
    )
    assert again(made, monkeypatch) == [0, 3, 6, 9]
    assert path.read_bytes() == data


def test_a_cache_that_cannot_be_written_is_done_without(
    builder: Builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "networks").write_text("in the way")
    assert again(times(builder), monkeypatch) == [0, 3, 6, 9]


def test_a_cache_that_can_be_nowhere_is_done_without(
    builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(_: Any = None) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("TIEPOINT_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
    assert again(times(builder), monkeypatch) == [0, 3, 6, 9]


def test_the_version_is_that_of_the_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Installed as onnxruntime-gpu there is no distribution of the name onnxruntime."""
    monkeypatch.setitem(sys.modules, "onnxruntime", types.SimpleNamespace(__version__="1.99.0"))
    assert runtime_version() == "1.99.0"


def test_a_runtime_that_cannot_be_loaded_is_a_sentence(
    builder: Builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "onnxruntime.py").write_text("raise ImportError('libcudart.so.12: cannot open it')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    made = times(builder)
    assert made.missing() is None
    for call in (runtime_version, made.provenance, lambda: made.run(x=X)):
        with pytest.raises(tp.MissingError, match=r"cannot be loaded \(libcudart.so.12: cannot open it\); "):
            call()


def test_what_is_missing_is_told(builder: Builder, monkeypatch: pytest.MonkeyPatch) -> None:
    made = times(builder)
    monkeypatch.setattr(weights_room, "missing", lambda *_: "tiepoint weights fetch xfeat")
    assert made.missing() == "tiepoint weights fetch xfeat"
    monkeypatch.setattr(network, "find_spec", lambda name: None if name == "onnx" else object())
    assert made.missing() == "pip install 'tiepoint[learned]'"
    with pytest.raises(tp.MissingError, match=r"runs in ONNX Runtime.*: pip install 'tiepoint\[learned\]'"):
        made.run(x=X)


def test_the_number_of_threads_is_tiepoints(builder: Builder) -> None:
    made = times(builder)
    for threads in (1, 3, 1):
        core.set_threads(threads)
        assert made.run(x=X)["y"].tolist() == [0, 3, 6, 9]
    assert sorted(threads for _, threads, _ in network._sessions) == [1, 3]
    assert builder.count == 1


def test_many_threads_share_one_session(builder: Builder) -> None:
    made = times(builder)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda i: made.run(x=X + i)["y"].tolist(), range(64)))
    assert results == [(3 * (X + i)).tolist() for i in range(64)]
    assert len(network._sessions) == 1


def in_child(made: Network, answers: Any) -> None:
    answers.put(made.run(x=X)["y"].tolist())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_a_forked_process_makes_a_session_of_its_own(builder: Builder) -> None:
    core.set_threads(2)
    made = times(builder)
    made.run(x=X)
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    with network._making, warnings.catch_warnings():  # as if another thread were making a session
        warnings.simplefilter("ignore", DeprecationWarning)  # fork beside threads, since Python 3.12
        child = context.Process(target=in_child, args=(made, answers))
        child.start()
    assert answers.get(timeout=60) == [0, 3, 6, 9]
    child.join(timeout=60)
    assert child.exitcode == 0


def test_an_input_need_not_be_contiguous(builder: Builder) -> None:
    assert times(builder).run(x=X[::-1])["y"].tolist() == [9, 6, 3, 0]


def test_a_large_run_gives_its_memory_back(builder: Builder) -> None:
    large = np.ones(network._LARGE // 4 + 1, np.float32)
    assert network._run_options({"x": large}) is not None
    assert network._run_options({"x": large[:-1]}) is None
    assert times(builder).run(x=large)["y"].max() == 3
