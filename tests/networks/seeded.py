"""Networks in PyTorch with seeded random weights, in place of the published ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tiepoint import weights

# Made once: each of these networks has millions of numbers.
_made: dict[str, Any] = {}


def seeded(monkeypatch: pytest.MonkeyPatch, **makers: Callable[[], Any]) -> dict[str, Any]:
    """Give random weights to names of the catalogue, and the modules that have them, which stay as they are.

    ``aliked_n16`` stands for the name "aliked-n16".
    """
    torch = pytest.importorskip("torch")
    modules = {}
    tensors: dict[str, dict[str, NDArray[Any]]] = {}
    for word, make in makers.items():
        name = word.replace("_", "-")
        if name not in _made:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)
                _made[name] = make().eval()
        modules[name] = module = _made[name]
        tensors[name] = {key: value.numpy() for key, value in module.state_dict().items()}
    known = {name: weights.provenance(name) for name in tensors}
    monkeypatch.setattr(weights, "load", lambda name: tensors[name])
    monkeypatch.setattr(weights, "path_of", lambda name: Path("seeded") / name if name in tensors else None)
    monkeypatch.setattr(weights, "missing", lambda *names: None if set(names) & set(tensors) else "fetch it")
    monkeypatch.setattr(weights, "provenance", lambda name: known[name])
    return modules


def texture(rng: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    """Return an RGB photo of coloured blocks of 4 pixels."""
    blocks = rng.integers(0, 256, (-(-height // 4), -(-width // 4), 3), dtype=np.uint8)
    return np.ascontiguousarray(blocks.repeat(4, 0).repeat(4, 1)[:height, :width])
