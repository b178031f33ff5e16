"""XFeat's graph with random tensors, against a network in plain loops: nothing folded, nothing merged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tiepoint.extractors.xfeat.graph import build
from tiepoint.networks.graph import Tensors

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

Array = NDArray[np.float64]
# Channels out and in and the kernel's side, of the layers with a batch norm and a ReLU.
LAYERS = {
    "block1": ((4, 1, 3), (8, 4, 3), (8, 8, 3), (24, 8, 3)),
    "block2": ((24, 24, 3), (24, 24, 3)),
    "block3": ((64, 24, 3), (64, 64, 3), (64, 64, 1)),
    "block4": ((64, 64, 3), (64, 64, 3), (64, 64, 3)),
    "block5": ((128, 64, 3), (128, 128, 3), (128, 128, 3), (64, 128, 1)),
    "block_fusion": ((64, 64, 3), (64, 64, 3)),
    "heatmap_head": ((64, 64, 1), (64, 64, 1)),
    "keypoint_head": ((64, 64, 1), (64, 64, 1), (64, 64, 1)),
}
PLAIN = {
    "skip1.1": (24, 1),
    "block_fusion.2": (64, 64),
    "heatmap_head.2": (1, 64),
    "keypoint_head.3": (65, 64),
}


def random_tensors(rng: np.random.Generator) -> Tensors:
    tensors: dict[str, NDArray[Any]] = {}
    for block, layers in LAYERS.items():
        for i, (n_out, n_in, side) in enumerate(layers):
            kernel = rng.standard_normal((n_out, n_in, side, side)) * (2 / (n_in * side * side)) ** 0.5
            tensors[f"{block}.{i}.layer.0.weight"] = kernel.astype(np.float32)
            tensors[f"{block}.{i}.layer.1.running_mean"] = rng.normal(0, 0.1, n_out).astype(np.float32)
            tensors[f"{block}.{i}.layer.1.running_var"] = rng.uniform(0.5, 1.5, n_out).astype(np.float32)
    for name, (n_out, n_in) in PLAIN.items():
        tensors[f"{name}.weight"] = (rng.standard_normal((n_out, n_in, 1, 1)) / n_in**0.5).astype(np.float32)
        tensors[f"{name}.bias"] = rng.normal(0, 0.1, n_out).astype(np.float32)
    return tensors


class Slow:
    """The network as the paper draws it, in double precision."""

    def __init__(self, tensors: Tensors) -> None:
        self.tensors = tensors

    def convolved(self, x: Array, kernel: Any, stride: int, pad: int) -> Array:
        padded = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
        side = kernel.shape[2]
        height, width = ((n + 2 * pad - side) // stride + 1 for n in x.shape[1:])
        result = np.zeros((len(kernel), height, width))
        for row in range(height):
            for column in range(width):
                top, left = row * stride, column * stride
                window = padded[:, top : top + side, left : left + side]
                result[:, row, column] = np.tensordot(kernel.astype(np.float64), window, 3)
        return result

    def layer(self, x: Array, name: str, stride: int = 1) -> Array:
        kernel = self.tensors[f"{name}.layer.0.weight"]
        y = self.convolved(x, kernel, stride, kernel.shape[2] // 2)
        mean = self.tensors[f"{name}.layer.1.running_mean"][:, None, None]
        variance = self.tensors[f"{name}.layer.1.running_var"][:, None, None]
        return np.maximum((y - mean) / np.sqrt(variance + 1e-5), 0)

    def plain(self, x: Array, name: str) -> Array:
        y = self.convolved(x, self.tensors[f"{name}.weight"], 1, 0)
        return np.asarray(y + self.tensors[f"{name}.bias"][:, None, None])

    def block(self, x: Array, name: str, strides: str) -> Array:
        for i, stride in enumerate(strides):
            x = self.layer(x, f"{name}.{i}", int(stride))
        return x

    def __call__(self, photo: Array) -> tuple[Array, Array, Array]:
        x = ((photo - photo.mean()) / np.sqrt(photo.var() + 1e-5))[None]
        height, width = photo.shape
        means = x.reshape(1, height // 4, 4, width // 4, 4).mean(axis=(2, 4))
        x2 = self.block(self.block(x, "block1", "1212") + self.plain(means, "skip1.1"), "block2", "11")
        x3 = self.block(x2, "block3", "211")
        x4 = self.block(x3, "block4", "211")
        x5 = self.block(x4, "block5", "2111")
        fused = x3 + enlarged(x4, 2) + enlarged(x5, 4)
        fused = self.plain(self.block(fused, "block_fusion", "11"), "block_fusion.2")
        reliability = self.plain(self.block(fused, "heatmap_head", "11"), "heatmap_head.2")
        cells = np.zeros((64, height // 8, width // 8))
        for channel in range(64):
            cells[channel] = x[0, channel // 8 :: 8, channel % 8 :: 8]
        logits = np.exp(self.plain(self.block(cells, "keypoint_head", "111"), "keypoint_head.3"))
        return fused, 1 / (1 + np.exp(-reliability)), logits / logits.sum(axis=0)


def enlarged(x: Array, factor: int) -> Array:
    """Enlarge between the centres of pixels; beyond the outermost centres nothing changes."""
    for axis in (1, 2):
        n = x.shape[axis]
        place = np.clip((np.arange(n * factor) + 0.5) / factor - 0.5, 0, n - 1)
        first = np.minimum(place.astype(int), max(0, n - 2))
        part = (place - first).reshape([-1 if i == axis else 1 for i in range(3)])
        second = np.minimum(first + 1, n - 1)
        x = np.take(x, first, axis) * (1 - part) + np.take(x, second, axis) * part
    return x


@pytest.mark.parametrize("size", [(32, 32), (64, 96)])
def test_the_graph_is_the_network(size: tuple[int, int], rng: np.random.Generator) -> None:
    tensors = random_tensors(rng)
    session = onnxruntime.InferenceSession(build(tensors), providers=["CPUExecutionProvider"])
    photo = rng.random(size)
    found = session.run(
        ["descriptors", "reliability", "heat"], {"photo": photo[None, None].astype(np.float32)}
    )
    fused, reliability, heat = Slow(tensors)(photo)
    height, width = size[0] // 8, size[1] // 8
    assert found[0].shape == (1, height, width, 64)
    assert found[2].shape == (1, height, width, 65)
    assert found[0][0] == pytest.approx(fused.transpose(1, 2, 0), abs=2e-4)
    assert found[1][0] == pytest.approx(reliability, abs=1e-5)
    assert found[2][0] == pytest.approx(heat.transpose(1, 2, 0), abs=1e-5)
