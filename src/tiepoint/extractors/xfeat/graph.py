"""The network of XFeat, written down from the paper's figure and the shapes of its tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.networks import Graph, Network
from tiepoint.networks.graph import Tensors

Kernel = NDArray[np.float64]

CELL = 8
"""Pixels from one descriptor of the coarse map to the next."""
DIVISOR = 32
"""Sides of the photo have to be multiples of this: the coarsest map has one value for so many pixels."""

_EPSILON = 1e-5  # of the normalisations


def build(tensors: Tensors) -> bytes:
    """Return the network as an .onnx file.

    Input: ``photo`` (1, 1, H, W) float32, gray. Outputs, for h = H / 8 and w = W / 8:
    ``descriptors`` (1, h, w, 64), not of unit length; ``reliability`` (1, 1, h, w), 0 to 1;
    ``heat`` (1, h, w, 65), the probability that the keypoint of a cell is at each of its 64
    pixels, row by row, and that it has none.
    """
    graph = Graph("xfeat")
    net = _Layers(graph, tensors)
    photo = graph.add(
        "InstanceNormalization",
        graph.input("photo", (1, 1, None, None)),
        graph.constant(np.ones(1, np.float32)),
        graph.constant(np.zeros(1, np.float32)),
        epsilon=_EPSILON,
    )
    fine = graph.add("Add", net.entrance(photo), net.shortcut(photo))
    eighth = net.chain(fine, "block2.0", "block2.1", "block3.0:2", "block3.1", "block3.2")
    sixteenth = net.chain(eighth, "block4.0:2", "block4.1", "block4.2")
    coarse = net.chain(sixteenth, "block5.0:2", "block5.1", "block5.2", "block5.3")
    fused = graph.add("Add", graph.add("Add", eighth, net.enlarged(sixteenth, 2)), net.enlarged(coarse, 4))
    fused = net.plain(net.chain(fused, "block_fusion.0", "block_fusion.1"), "block_fusion.2")
    reliability = net.plain(net.chain(fused, "heatmap_head.0", "heatmap_head.1"), "heatmap_head.2")
    heat = net.chain(net.cells(photo, "keypoint_head.0"), "keypoint_head.1", "keypoint_head.2")
    heat = net.plain(heat, "keypoint_head.3")
    graph.output("descriptors", graph.add("Transpose", fused, perm=[0, 2, 3, 1]))
    graph.output("reliability", graph.add("Sigmoid", reliability))
    # The softmax runs along memory; over the channels as they come it takes ten times as long.
    graph.output("heat", graph.add("Softmax", graph.add("Transpose", heat, perm=[0, 2, 3, 1]), axis=3))
    return graph.to_bytes()


class _Layers:
    """The kinds of layers that XFeat has, each a few nodes of the graph."""

    def __init__(self, graph: Graph, tensors: Tensors) -> None:
        self._graph = graph
        self._tensors = tensors

    def chain(self, value: str, *names: str) -> str:
        """Add layers in a row; "block3.0:2" has stride 2."""
        for word in names:
            name, _, stride = word.partition(":")
            kernel, bias = self._folded(name)
            value = self._relu(
                self._conv(value, kernel, bias, stride=int(stride or 1), pad=kernel.shape[2] // 2)
            )
        return value

    def plain(self, value: str, name: str) -> str:
        """Add a 1x1 convolution with nothing after it."""
        return self._conv(value, self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"])

    def entrance(self, photo: str) -> str:
        """Add block 1, from the photo to 24 channels at a quarter of its size.

        Its first layer has 4 channels at full size. ONNX Runtime computes 8, 32 bytes a pixel; taken for one
        of 16 channels at half the size, four pixels waste nothing.
        """
        kernel, bias = self._folded("block1.0")
        value = self._relu(self._conv(photo, _four_phases_out(kernel), np.tile(bias, 4), stride=2, pad=1))
        kernel, bias = self._folded("block1.1")
        value = self._relu(self._conv(value, _four_phases_in(kernel), bias, pad=(1, 1, 0, 0)))
        return self.chain(value, "block1.2", "block1.3:2")

    def shortcut(self, photo: str) -> str:
        """Add the mean of 4x4 pixels and the 1x1 convolution of it, as one convolution."""
        kernel = self._tensors["skip1.1.weight"] / 16
        return self._conv(photo, np.tile(kernel, (1, 1, 4, 4)), self._tensors["skip1.1.bias"], stride=4)

    def cells(self, photo: str, name: str) -> str:
        """Add a layer whose 64 input channels are the pixels of a cell, as a convolution of the photo."""
        kernel, bias = self._folded(name)
        kernel = kernel.reshape(len(kernel), 1, CELL, CELL)
        return self._relu(self._conv(photo, kernel, bias, stride=CELL))

    def enlarged(self, value: str, factor: int) -> str:
        """Add a bilinear enlargement."""
        scales = self._graph.constant(np.array([1, 1, factor, factor], np.float32))
        return self._graph.add(
            "Resize", value, "", scales, mode="linear", coordinate_transformation_mode="half_pixel"
        )

    def _folded(self, name: str) -> tuple[Kernel, Kernel]:
        """Return the kernel and the bias of a convolution and the batch normalisation after it."""
        mean, variance = (
            self._tensors[f"{name}.layer.1.running_{what}"].astype(np.float64) for what in ("mean", "var")
        )
        scale = 1 / np.sqrt(variance + _EPSILON)
        kernel = self._tensors[f"{name}.layer.0.weight"] * scale[:, None, None, None]
        return kernel, -mean * scale

    def _conv(
        self,
        value: str,
        kernel: NDArray[Any],
        bias: NDArray[Any],
        *,
        stride: int = 1,
        pad: int | tuple[int, int, int, int] = 0,
    ) -> str:
        return self._graph.add(
            "Conv",
            value,
            self._graph.constant(kernel.astype(np.float32)),
            self._graph.constant(bias.astype(np.float32)),
            kernel_shape=list(kernel.shape[2:]),
            strides=[stride, stride],
            pads=[pad] * 4 if isinstance(pad, int) else list(pad),
        )

    def _relu(self, value: str) -> str:
        return self._graph.add("Relu", value)


def _four_phases_out(kernel: Kernel) -> Kernel:
    """Return a 4x4 kernel of stride 2 whose output channels are those of a 3x3 one at four pixels."""
    n = len(kernel)
    phases = np.zeros((4 * n, kernel.shape[1], 4, 4))
    for phase in range(4):
        down, right = divmod(phase, 2)
        phases[n * phase : n * (phase + 1), :, down : down + 3, right : right + 3] = kernel
    return phases


def _four_phases_in(kernel: Kernel) -> Kernel:
    """Return a 2x2 kernel over four pixels' channels that does what a 3x3 one of stride 2 does."""
    n = kernel.shape[1]
    phases = np.zeros((len(kernel), 4 * n, 2, 2))
    for y in range(3):
        for x in range(3):
            # Of a pair of rows (or columns) the kernel begins at the second one of the pair before.
            (row, down), (column, right) = divmod(y + 1, 2), divmod(x + 1, 2)
            phase = 2 * down + right
            phases[:, n * phase : n * (phase + 1), row, column] = kernel[:, :, y, x]
    return phases


NETWORK = Network(name="xfeat", weights="xfeat", build=build, version=1)
