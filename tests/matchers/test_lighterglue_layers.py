"""The graph of LighterGlue's layers against the paper's equations, written down one token at a time."""

from __future__ import annotations

import math
from itertools import count
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import tiepoint as tp
from tiepoint.matchers.lighterglue.layers import DESCRIPTOR, LAYERS, WIDTH, build_layers
from tiepoint.networks import Network

Array = NDArray[Any]
Tensors = dict[str, NDArray[np.float32]]

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

_numbers = count()


def random_tensors(rng: np.random.Generator) -> Tensors:
    """Tensors of the published names and shapes, large enough that each of them matters."""
    shapes: dict[str, tuple[int, ...]] = {
        "input_proj.weight": (WIDTH, DESCRIPTOR),
        "input_proj.bias": (WIDTH,),
        "posenc.Wr.weight": (WIDTH // 2, 2),
    }
    for layer in range(LAYERS):
        own, cross = (f"transformers.{layer}.{kind}_attn" for kind in ("self", "cross"))
        assignment = f"log_assignment.{layer}"
        for name, outputs, inputs in (
            (f"{own}.Wqkv", 3 * WIDTH, WIDTH),
            (f"{own}.out_proj", WIDTH, WIDTH),
            (f"{cross}.to_qk", WIDTH, WIDTH),
            (f"{cross}.to_v", WIDTH, WIDTH),
            (f"{cross}.to_out", WIDTH, WIDTH),
            *((f"{block}.ffn.0", 2 * WIDTH, 2 * WIDTH) for block in (own, cross)),
            *((f"{block}.ffn.3", WIDTH, 2 * WIDTH) for block in (own, cross)),
            (f"{assignment}.final_proj", WIDTH, WIDTH),
            (f"{assignment}.matchability", 1, WIDTH),
        ):
            shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (outputs, inputs), (outputs,)
        for block in (own, cross):
            shapes[f"{block}.ffn.1.weight"] = shapes[f"{block}.ffn.1.bias"] = (2 * WIDTH,)
    tensors = {
        f"matcher.{name}": rng.normal(0, 1 / math.sqrt(shape[-1]) if len(shape) > 1 else 0.3, shape)
        for name, shape in shapes.items()
    }
    tensors["matcher.posenc.Wr.weight"] *= 3
    return {name: tensor.astype(np.float32) for name, tensor in tensors.items()}


class Reference:
    """LightGlue (Lindenberger et al., ICCV 2023), one token at a time, in double precision."""

    def __init__(self, tensors: Tensors) -> None:
        self._tensors = {
            name.removeprefix("matcher."): tensor.astype(np.float64) for name, tensor in tensors.items()
        }

    def __call__(
        self, photos: list[tuple[Array, Array]], least: float = -math.inf
    ) -> list[tuple[Array, Array, list[int]]]:
        tokens = [[self._linear("input_proj", d) for d in descriptors] for _, descriptors in photos]
        turns = [
            [np.exp(1j * (self._tensors["posenc.Wr.weight"] @ p)) for p in places] for places, _ in photos
        ]
        kept = [list(range(len(places))) for places, _ in photos]
        for layer in range(LAYERS):
            name = f"transformers.{layer}.self_attn"
            tokens = [self._seen_by_own(name, *photo) for photo in zip(tokens, turns, strict=True)]
            name = f"transformers.{layer}.cross_attn"
            tokens = [
                self._seen_by_other(name, tokens[0], tokens[1]),
                self._seen_by_other(name, tokens[1], tokens[0]),
            ]
            if layer < LAYERS - 1:
                for photo in (0, 1):
                    logits = [self._matchability(layer, token) for token in tokens[photo]]
                    stay = [k for k, z in enumerate(logits) if z >= min(least, max(logits))]
                    tokens[photo] = [tokens[photo][k] for k in stay]
                    turns[photo] = [turns[photo][k] for k in stay]
                    kept[photo] = [kept[photo][k] for k in stay]
        last = f"log_assignment.{LAYERS - 1}.final_proj"
        return [
            (
                np.array([self._linear(last, token) / WIDTH**0.25 for token in side]),
                np.array([self._matchability(LAYERS - 1, token) for token in side]),
                rows,
            )
            for side, rows in zip(tokens, kept, strict=True)
        ]

    def _linear(self, name: str, x: Array) -> Array:
        return np.asarray(self._tensors[f"{name}.weight"] @ x + self._tensors[f"{name}.bias"])

    def _matchability(self, layer: int, token: Array) -> float:
        return float(self._linear(f"log_assignment.{layer}.matchability", token)[0])

    def _seen_by_own(self, name: str, tokens: list[Array], turns: list[Array]) -> list[Array]:
        parts = [self._linear(f"{name}.Wqkv", token).reshape(WIDTH, 3) for token in tokens]
        # Two numbers of a query or key are a complex one, which the position turns.
        queries, keys = (
            [
                (part[0::2, which] + 1j * part[1::2, which]) * turn
                for part, turn in zip(parts, turns, strict=True)
            ]
            for which in (0, 1)
        )
        updated = []
        for token, query in zip(tokens, queries, strict=True):
            products = [float((query * key.conj()).real.sum()) for key in keys]
            seen = mean_by(products, [part[:, 2] for part in parts])
            updated.append(self._merged(name, token, self._linear(f"{name}.out_proj", seen)))
        return updated

    def _seen_by_other(self, name: str, tokens: list[Array], others: list[Array]) -> list[Array]:
        keys = [self._linear(f"{name}.to_qk", other) for other in others]
        values = [self._linear(f"{name}.to_v", other) for other in others]
        updated = []
        for token in tokens:
            query = self._linear(f"{name}.to_qk", token)
            seen = mean_by([float(query @ key) for key in keys], values)
            updated.append(self._merged(name, token, self._linear(f"{name}.to_out", seen)))
        return updated

    def _merged(self, name: str, token: Array, seen: Array) -> Array:
        hidden = self._linear(f"{name}.ffn.0", np.concatenate([token, seen]))
        hidden = (hidden - hidden.mean()) / math.sqrt(hidden.var() + 1e-5)
        hidden = hidden * self._tensors[f"{name}.ffn.1.weight"] + self._tensors[f"{name}.ffn.1.bias"]
        hidden = np.array([x * (1 + math.erf(x / math.sqrt(2))) / 2 for x in hidden])
        return np.asarray(token + self._linear(f"{name}.ffn.3", hidden))


def mean_by(products: list[float], values: list[Array]) -> Array:
    """The mean of values, each weighted by the softmax of its product."""
    powers = [math.exp((product - max(products)) / math.sqrt(WIDTH)) for product in products]
    return np.asarray(sum(p * v for p, v in zip(powers, values, strict=True)) / sum(powers))


def network_of(tensors: Tensors) -> Network:
    name = f"lighterglue of a test {next(_numbers)}"
    return Network(name=name, weights="", build=lambda _: build_layers(tensors), version=1)


def random_photo(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    descriptors = rng.normal(size=(n, DESCRIPTOR)).astype(np.float32)
    descriptors /= np.linalg.norm(descriptors, axis=1, keepdims=True)
    return rng.uniform(-1, 1, (n, 2)).astype(np.float32), descriptors


def run(
    network: Network, photos: list[tuple[Array, Array]], least: float = -math.inf
) -> list[tuple[Array, Array, list[int]]]:
    given = {
        f"{name}{k}": photo[place]
        for k, photo in enumerate(photos)
        for place, name in enumerate(("xy", "descriptors"))
    }
    found = network.run(**given, least=np.array([least], np.float32))
    return [(found[f"tokens{k}"], found[f"matchability{k}"], found[f"index{k}"].tolist()) for k in "01"]


@pytest.mark.parametrize("counts", [(7, 12), (12, 7), (1, 5), (5, 1), (1, 1), (70, 33)])
def test_equals_the_equations(rng: np.random.Generator, counts: tuple[int, int]) -> None:
    tensors = random_tensors(rng)
    photos = [random_photo(rng, n) for n in counts]
    for ours, theirs in zip(run(network_of(tensors), photos), Reference(tensors)(photos), strict=True):
        np.testing.assert_allclose(ours[0], theirs[0], rtol=0, atol=2e-4)
        np.testing.assert_allclose(ours[1], theirs[1], rtol=0, atol=2e-4)
        assert ours[2] == theirs[2]


def test_drops_keypoints_that_have_no_partner(rng: np.random.Generator) -> None:
    tensors = random_tensors(rng)
    for layer in range(LAYERS):
        tensors[f"matcher.log_assignment.{layer}.matchability.weight"] *= 0.3
        tensors[f"matcher.log_assignment.{layer}.matchability.bias"][:] = 0
    photos = [random_photo(rng, n) for n in (30, 20)]
    least = -0.3
    for ours, theirs in zip(
        run(network_of(tensors), photos, least), Reference(tensors)(photos, least), strict=True
    ):
        assert ours[2] == theirs[2]
        assert 1 < len(ours[2]) < 20
        np.testing.assert_allclose(ours[0], theirs[0], rtol=0, atol=2e-4)


def test_one_keypoint_always_stays(rng: np.random.Generator) -> None:
    photos = [random_photo(rng, n) for n in (9, 4)]
    for tokens, matchability, rows in run(network_of(random_tensors(rng)), photos, math.inf):
        assert len(rows) == len(tokens) == len(matchability) == 1
        assert np.isfinite(tokens).all()


def test_order_does_not_matter(rng: np.random.Generator) -> None:
    network = network_of(random_tensors(rng))
    xy, descriptors = random_photo(rng, 25)
    other = random_photo(rng, 31)
    order = rng.permutation(25)
    straight = run(network, [(xy, descriptors), other])
    mixed = run(network, [(xy[order], descriptors[order]), other])
    np.testing.assert_allclose(mixed[0][0], straight[0][0][order], rtol=0, atol=1e-4)
    np.testing.assert_allclose(mixed[1][0], straight[1][0], rtol=0, atol=1e-4)


def test_only_relative_positions_matter(rng: np.random.Generator) -> None:
    network = network_of(random_tensors(rng))
    (xy, descriptors), other = random_photo(rng, 25), random_photo(rng, 31)
    here = run(network, [(xy, descriptors), other])
    moved = run(network, [(xy + np.array([0.25, -0.5], np.float32), descriptors), other])
    np.testing.assert_allclose(moved[0][0], here[0][0], rtol=0, atol=5e-4)
    turned = run(network, [(-xy, descriptors), other])
    assert np.abs(turned[0][0] - here[0][0]).max() > 0.01


def test_wrong_tensors_are_named(rng: np.random.Generator) -> None:
    tensors = random_tensors(rng)
    tensors["matcher.input_proj.weight"] = tensors["matcher.input_proj.weight"].T
    with pytest.raises(tp.DataError, match=r"input_proj.weight of the shape \(96, 64\), but they have"):
        build_layers(tensors)
    del tensors["matcher.posenc.Wr.weight"]
    with pytest.raises(tp.DataError, match=r"posenc.Wr.weight of the shape \(48, 2\), but they are not"):
        build_layers(tensors)
