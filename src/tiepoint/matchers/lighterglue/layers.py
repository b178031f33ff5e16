"""The graph of LighterGlue's layers: descriptors that know of all others, in both photos.

Each of six layers looks around in the own photo (self-attention, which knows where keypoints are to each
other by rotary encoding) and then in the other (cross-attention). Written after Lindenberger, Sarlin,
Pollefeys, "LightGlue: local feature matching at light speed", ICCV 2023, section 3, and for the encoding Su
et al., "RoFormer", 2021; the width and the number of layers are those of the published tensors.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import DataError
from tiepoint.networks import Graph
from tiepoint.networks.graph import Tensors

LAYERS = 6
WIDTH = 96
DESCRIPTOR = 64
# ONNX Runtime's own operators: its attention never holds a table of all pairs.
_FUSED = "com.microsoft"
_EPSILON = 1e-5

Weights = NDArray[np.float64]


class _Side(NamedTuple):
    """One photo on its way through the graph."""

    tokens: str
    """(N, 96)"""
    cosine: str
    """(N, 48), of the rotary encoding; so is ``sine``."""
    sine: str
    rows: str
    """(N,), which of the keypoints that came are still here."""


def build_layers(tensors: Tensors) -> bytes:
    """Write the graph of the layers.

    Inputs: for each photo ``xy0`` (N, 2), in halves of the photo's longer side from its middle, and
    ``descriptors0`` (N, 64), N at least 1; ``least`` (1,), the smallest logit of matchability at which a
    keypoint stays after a layer, minus infinity to keep all. At least one of each photo stays.

    Outputs: for each photo ``tokens0`` (K, 96), whose products are the similarities that are to be
    assigned; ``matchability0`` (K,), logits; ``index0`` (K,) int64, which keypoints they belong to.
    """
    weights = _Source(tensors)
    graph = Graph("lighterglue")
    least = graph.input("least", (1,))
    sides = []
    for photo in "01":
        xy = graph.input(f"xy{photo}", (None, 2))
        descriptors = graph.input(f"descriptors{photo}", (None, DESCRIPTOR))
        turned = graph.add("MatMul", xy, _constant(graph, weights("posenc.Wr.weight", WIDTH // 2, 2).T))
        count = graph.add("Shape", xy, end=1)
        zero, one = graph.constant(np.int64(0)), graph.constant(np.int64(1))
        index = graph.add("Range", zero, graph.add("Squeeze", count), one)
        sides.append(
            _Side(
                _linear(graph, descriptors, *weights.linear("input_proj", WIDTH, DESCRIPTOR)),
                graph.add("Cos", turned),
                graph.add("Sin", turned),
                index,
            )
        )
    for layer in range(LAYERS):
        own = f"transformers.{layer}.self_attn"
        sides = [side._replace(tokens=_self_attention(graph, weights, own, side)) for side in sides]
        sides = _cross_attention(graph, weights, f"transformers.{layer}.cross_attn", *sides)
        if layer < LAYERS - 1:
            sides = [_pruned(graph, weights, layer, side, least) for side in sides]
    last = f"log_assignment.{LAYERS - 1}"
    projection, shift = weights.linear(f"{last}.final_proj", WIDTH, WIDTH)
    for photo, side in zip("01", sides, strict=True):
        # Each side brings the fourth root of the width, so that products are divided by the square root.
        graph.output(
            f"tokens{photo}", _linear(graph, side.tokens, projection / WIDTH**0.25, shift / WIDTH**0.25)
        )
        graph.output(f"matchability{photo}", _matchability(graph, weights, last, side.tokens))
        graph.output(f"index{photo}", side.rows, np.int64)
    return graph.to_bytes()


class _Source:
    """The published tensors: asked for by name and shape, in double precision, to be folded into others."""

    def __init__(self, tensors: Tensors) -> None:
        self._tensors = tensors

    def __call__(self, name: str, *shape: int) -> Weights:
        tensor = self._tensors.get(f"matcher.{name}")
        if tensor is None or tensor.shape != shape:
            found = "are not there" if tensor is None else f"have the shape {tensor.shape}"
            raise DataError(
                f"the weights of lighterglue should have {name} of the shape {shape}, but they {found}"
            )
        return np.asarray(tensor, np.float64)

    def linear(self, name: str, outputs: int, inputs: int) -> tuple[Weights, Weights]:
        """Return weights (outputs, inputs) and bias (outputs,)."""
        return self(f"{name}.weight", outputs, inputs), self(f"{name}.bias", outputs)


def _constant(graph: Graph, values: Weights) -> str:
    return graph.constant(values.astype(np.float32))


def _linear(graph: Graph, x: str, weights: Weights, bias: Weights) -> str:
    return graph.add("Gemm", x, _constant(graph, weights), _constant(graph, bias), transB=1)


def _batch_of_one(graph: Graph, x: str) -> str:
    return graph.add("Unsqueeze", x, graph.constant(np.array([0], np.int64)))


def _attention(graph: Graph, query: str, key: str, value: str) -> str:
    """Return for each row of ``query`` the mean of ``value``, by the softmax of its products with ``key``."""
    rows = [_batch_of_one(graph, x) for x in (query, key, value)]
    found = graph.add("MultiHeadAttention", *rows, domain=_FUSED, num_heads=1, scale=float(WIDTH**-0.5))
    return graph.add("Squeeze", found, graph.constant(np.array([0], np.int64)))


def _self_attention(graph: Graph, weights: _Source, name: str, side: _Side) -> str:
    """Let the tokens of one photo look at each other."""
    projection, shift = weights.linear(f"{name}.Wqkv", 3 * WIDTH, WIDTH)
    # Published with query, key and value of a dimension side by side; here one stands after the other.
    order = np.arange(3 * WIDTH).reshape(WIDTH, 3).T.ravel()
    joined = _linear(graph, side.tokens, projection[order], shift[order])
    query, key, value = graph.add_many("Split", joined, outputs=3, axis=1, num_outputs=3)
    query, key = (_rotated(graph, x, side) for x in (query, key))
    seen = _attention(graph, query, key, value)
    return _merged(graph, weights, name, "out_proj", side.tokens, seen)


def _rotated(graph: Graph, x: str, side: _Side) -> str:
    """Turn each pair of neighbouring dimensions by its angle, so that products tell relative positions."""
    start = graph.constant(np.array([0], np.int64))
    turned = graph.add(
        "RotaryEmbedding",
        _batch_of_one(graph, x),
        start,
        side.cosine,
        side.sine,
        domain=_FUSED,
        interleaved=1,
    )
    return graph.add("Squeeze", turned, start)


def _cross_attention(graph: Graph, weights: _Source, name: str, side0: _Side, side1: _Side) -> list[_Side]:
    """Let the tokens of each photo look at those of the other."""
    projection, shift = weights.linear(f"{name}.to_qk", WIDTH, WIDTH)
    value_projection, value_shift = weights.linear(f"{name}.to_v", WIDTH, WIDTH)
    projection = np.concatenate([projection, value_projection])
    shift = np.concatenate([shift, value_shift])
    keys, values = [], []
    for side in (side0, side1):
        joined = _linear(graph, side.tokens, projection, shift)
        key, value = graph.add_many("Split", joined, outputs=2, axis=1, num_outputs=2)
        keys.append(key)
        values.append(value)
    return [
        side._replace(
            tokens=_merged(
                graph,
                weights,
                name,
                "to_out",
                side.tokens,
                _attention(graph, keys[own], keys[1 - own], values[1 - own]),
            )
        )
        for own, side in enumerate((side0, side1))
    ]


def _merged(graph: Graph, weights: _Source, name: str, out: str, tokens: str, seen: str) -> str:
    """Add to the tokens what a small network makes of them and of what they saw."""
    projection, shift = weights.linear(f"{name}.{out}", WIDTH, WIDTH)
    first, first_shift = weights.linear(f"{name}.ffn.0", 2 * WIDTH, 2 * WIDTH)
    # Nothing stands between the output projection and this layer, so the two are one.
    of_tokens, of_seen = first[:, :WIDTH], first[:, WIDTH:]
    first = np.hstack([of_tokens, of_seen @ projection])
    first_shift = first_shift + of_seen @ shift
    hidden = _linear(graph, graph.add("Concat", tokens, seen, axis=1), first, first_shift)
    gain, bias = (weights(f"{name}.ffn.1.{of}", 2 * WIDTH) for of in ("weight", "bias"))
    hidden = graph.add(
        "LayerNormalization",
        hidden,
        _constant(graph, gain),
        _constant(graph, bias),
        axis=-1,
        epsilon=_EPSILON,
    )
    hidden = graph.add("Gelu", hidden)
    return graph.add(
        "Add", tokens, _linear(graph, hidden, *weights.linear(f"{name}.ffn.3", WIDTH, 2 * WIDTH))
    )


def _matchability(graph: Graph, weights: _Source, name: str, tokens: str) -> str:
    """Return the logit, (N,), of whether a keypoint has a partner at all."""
    logit = _linear(graph, tokens, *weights.linear(f"{name}.matchability", 1, WIDTH))
    return graph.add("Squeeze", logit, graph.constant(np.array([1], np.int64)))


def _pruned(graph: Graph, weights: _Source, layer: int, side: _Side, least: str) -> _Side:
    """Leave out keypoints that have no partner, except the likeliest."""
    logit = _matchability(graph, weights, f"log_assignment.{layer}", side.tokens)
    likeliest = graph.add("ReduceMax", logit, keepdims=1)
    keep = graph.add("GreaterOrEqual", logit, graph.add("Min", least, likeliest))
    return _Side(*(graph.add("Compress", x, keep, axis=0) for x in side))
