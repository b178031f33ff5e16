"""Guided matching against the definition in plain loops, and what a grown model gains."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.geometry.known_matches import turned_along
from tests.geometry.two_views import CAMERA0, CAMERA1, H_1_FROM_0, R_1_FROM_0, T_1_FROM_0, Array, there, warp
from tiepoint.geometry import guided
from tiepoint.geometry.fit import fit
from tiepoint.geometry.guided import grow, guided_pairs
from tiepoint.geometry.refine import cross
from tiepoint.geometry.residuals import sampson
from tiepoint.types import Features

F_1_FROM_0 = np.linalg.inv(CAMERA1).T @ cross(T_1_FROM_0) @ R_1_FROM_0 @ np.linalg.inv(CAMERA0)
KINDS = [("hamming", np.uint8), ("l2", np.uint8), ("l2", np.float32), ("cosine", np.float32)]


def features(xy: Array, descriptors: Array, metric: Any = "l2", **more: Any) -> Features:
    size = more.pop("size", np.zeros(len(xy)))  # not known
    return Features(
        xy=xy.astype(np.float32),
        size=size.astype(np.float32),
        descriptors=descriptors,
        metric=metric,
        image_size=(2000, 2000),
        extractor="test",
        **{name: value.astype(np.float32) for name, value in more.items()},
    )


def descriptors(rng: np.random.Generator, n: int, dtype: Any) -> Array:
    return rng.integers(0, 256, (n, 16)).astype(dtype)


def two_photos(
    rng: np.random.Generator, matrix: Array, metric: Any = "l2", dtype: Any = np.float32, n: int = 150
) -> tuple[Features, Features]:
    """Keypoints of which the first third correspond, with equal descriptors but for noise."""
    xy0, xy1 = rng.uniform(50, 750, (n, 2)), rng.uniform(50, 450, (n + 20, 2))
    d0, d1 = descriptors(rng, n, dtype), descriptors(rng, n + 20, dtype)
    third = n // 3
    xy1[:third] = np.clip(warp(matrix, xy0[:third]) + rng.normal(0, 0.7, (third, 2)), 0, 1999)
    d1[:third] = d0[:third]
    d1[:third, 0] = 7
    order = rng.permutation(len(xy1))
    return features(xy0, d0, metric), features(xy1[order], d1[order], metric)


def distance(metric: str, a: Array, b: Array) -> float:
    if metric == "hamming":
        return float(np.unpackbits(np.bitwise_xor(a, b)).sum())
    a, b = a.astype(float), b.astype(float)
    if metric == "l2":
        return float(np.linalg.norm(a - b))
    return float(1 - a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def in_loops(
    model: str, matrix: Array, features0: Features, features1: Features, radius: float, ratio: float
) -> dict[tuple[int, int], tuple[float, float]]:
    xy0, xy1 = features0.xy.astype(float), features1.xy.astype(float)
    reach = radius if model == "fundamental" else guided._RIVALS * radius
    allowed = {}
    for i in range(len(xy0)):
        for j in range(len(xy1)):
            if sampson(model, matrix, xy0[i : i + 1], xy1[j : j + 1])[0] <= reach:
                allowed[i, j] = distance(features0.metric, features0.descriptors[i], features1.descriptors[j])
    found = {}
    for (i, j), d in allowed.items():
        of_i = {other: e for (k, other), e in allowed.items() if k == i}
        of_j = {other: e for (other, k), e in allowed.items() if k == j}
        if j != min(of_i, key=lambda k: (of_i[k], k)) or i != min(of_j, key=lambda k: (of_j[k], k)):
            continue
        apart = [e for k, e in of_i.items() if np.linalg.norm(xy1[k] - xy1[j]) > 2 * radius]
        second = min(apart, default=np.inf)
        if d < ratio * second and sampson(model, matrix, xy0[i : i + 1], xy1[j : j + 1])[0] <= radius:
            found[i, j] = d, second
    return found


@pytest.mark.parametrize(("metric", "dtype"), KINDS)
@pytest.mark.parametrize(("model", "matrix"), [("homography", H_1_FROM_0), ("fundamental", F_1_FROM_0)])
@pytest.mark.parametrize("radius", [2.0, 15.0])
def test_as_in_plain_loops(
    model: str, matrix: Array, metric: str, dtype: Any, radius: float, rng: np.random.Generator
) -> None:
    photos = two_photos(rng, H_1_FROM_0, metric, dtype)
    expected = in_loops(model, matrix, *photos, radius, 0.9)
    pairs, first, second = guided_pairs(model, matrix, *photos, radius, ratio=0.9)
    assert [tuple(pair) for pair in pairs.tolist()] == sorted(expected)
    assert len(pairs) > 10
    values = [expected[pair] for pair in sorted(expected)]
    np.testing.assert_allclose(first, [value[0] for value in values], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(second, [value[1] for value in values], rtol=1e-5, atol=1e-6)
    assert pairs.dtype == np.int32
    assert first.dtype == second.dtype == np.float32


@pytest.mark.parametrize(("model", "matrix"), [("homography", H_1_FROM_0), ("fundamental", F_1_FROM_0)])
def test_in_small_pieces_as_in_one(
    model: str, matrix: Array, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    photos = two_photos(rng, H_1_FROM_0)
    whole = guided_pairs(model, matrix, *photos, 5.0, ratio=0.95)
    monkeypatch.setattr(guided, "_PAIRS", 7)
    monkeypatch.setattr(guided, "_BYTES", 100)
    for one, other in zip(whole, guided_pairs(model, matrix, *photos, 5.0, ratio=0.95), strict=True):
        assert np.array_equal(one, other)


def test_of_two_at_one_place_the_nearer_is_no_rival_of_the_other(rng: np.random.Generator) -> None:
    """Two orientations of one corner; a look-alike elsewhere is a rival."""
    d = descriptors(rng, 1, np.float32)
    photo0 = features(np.array([[100.0, 100]]), d)
    twice = features(np.array([[100.0, 100], [100.5, 100]]), np.vstack([d, d + 1]))
    assert guided_pairs("homography", np.eye(3), photo0, twice, 2.0, ratio=0.8)[0].tolist() == [[0, 0]]
    assert guided_pairs("homography", np.eye(3), photo0, twice, 2.0, ratio=0.8)[2].tolist() == [np.inf]
    apart = features(np.array([[100.0, 100], [105, 100]]), np.vstack([d, d]))
    assert len(guided_pairs("homography", np.eye(3), photo0, apart, 2.0, ratio=0.8)[0]) == 0


@pytest.mark.parametrize("turned", [0.0, 170.0])
@pytest.mark.parametrize("grown", [1.0, 5.0])
def test_what_grows_or_turns_otherwise_is_left_out(
    turned: float, grown: float, rng: np.random.Generator
) -> None:
    h = np.array([[0.0, -2, 500], [2, 0, 10], [0, 0, 1]])  # a quarter turn clockwise, twice as large
    xy0, d = rng.uniform(50, 240, (30, 2)), descriptors(rng, 30, np.float32)
    size, angle = rng.uniform(5, 20, 30), rng.uniform(0, 360, 30)
    photo0 = features(xy0, d, size=size, angle=angle)
    photo1 = features(warp(h, xy0), d, size=2 * size * grown, angle=(angle + 90 + turned) % 360)
    pairs = guided_pairs("similarity", h, photo0, photo1, 2.0, ratio=0.9)[0]
    assert len(pairs) == (30 if turned == 0 and grown == 1 else 0)


def test_on_a_slanted_plane_keypoints_turn_as_gradients(rng: np.random.Generator) -> None:
    slanted = np.array([[0.3, 0, 20], [0, 1, 10], [0, 0, 1]])
    xy0, d = rng.uniform(50, 740, (30, 2)), descriptors(rng, 30, np.float32)
    known = turned_along(rng, xy0, slanted)
    photo0, photo1 = (
        features(xy, d, size=known[f"size{k}"], angle=known[f"angle{k}"])
        for k, xy in enumerate((xy0, warp(slanted, xy0)))
    )
    assert len(guided_pairs("homography", slanted, photo0, photo1, 2.0, ratio=0.9)[0]) == 30


@pytest.mark.parametrize(("model", "matrix"), [("homography", H_1_FROM_0), ("fundamental", F_1_FROM_0)])
def test_no_keypoints_no_pairs(model: str, matrix: Array, rng: np.random.Generator) -> None:
    photo, _ = two_photos(rng, H_1_FROM_0)
    none = photo[:0]
    for both in ((none, photo), (photo, none), (none, none)):
        pairs, first, second = guided_pairs(model, matrix, *both, 2.0, ratio=0.9)
        assert pairs.shape == (0, 2)
        assert first.shape == second.shape == (0,)
    far = np.array([[1.0, 0, 1e6], [0, 1, 0], [0, 0, 1]])
    assert guided_pairs("affine", far, photo, photo, 2.0, ratio=0.9)[0].shape == (0, 2)


def test_behind_the_horizon_nothing_is_looked_for(rng: np.random.Generator) -> None:
    h = np.array([[1, 0, 0], [0, 1, 0], [-0.01, 0, 8]])  # the horizon is x = 800
    xy0 = np.vstack([rng.uniform([0, 0], [700, 600], (60, 2)), rng.uniform([900, 0], [1000, 600], (20, 2))])
    d = descriptors(rng, 80, np.float32)
    xy1 = warp(h, xy0)
    seen = (xy1 > 0).all(axis=1) & (xy1 < 1999).all(axis=1)
    pairs = guided_pairs(
        "homography", h, features(xy0[seen], d[seen]), features(xy1[seen], d[seen]), 2.0, ratio=0.9
    )[0]
    assert pairs[:, 0].max() < 60


def test_a_model_of_one_corner_grows_over_the_photo(rng: np.random.Generator) -> None:
    xy0 = rng.uniform(20, 700, (800, 2))
    d = descriptors(rng, 800, np.float32)
    photo0 = features(xy0, d)
    photo1 = features(warp(H_1_FROM_0, xy0) + rng.normal(0, 0.5, xy0.shape), d)
    corner = np.flatnonzero((xy0 < 250).all(axis=1))[:25]
    some0, some1 = photo0.xy[corner].astype(float), photo1.xy[corner].astype(float)
    found = fit("homography", some0, some1, 2.0)
    grown = grow(found, some0, some1, photo0, photo1, 2.0, ratio=0.9)
    off = [np.abs(warp(there(f.matrix), xy0) - warp(H_1_FROM_0, xy0)).max() for f in (found, grown)]
    assert off[1] < 0.5 < 3 < off[0]
    assert grown.inliers.shape == (25,)
    again = grow(found, some0, some1, photo0, photo1, 2.0, ratio=0.9)
    assert np.array_equal(there(grown.matrix), there(again.matrix))
