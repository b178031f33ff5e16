"""The nearest-neighbour kernel against the definition, written with loops, and against OpenCV."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tiepoint.matchers import match_descriptors, neighbours
from tiepoint.matchers.neighbours import nearest_both_ways, nearest_both_ways_numpy
from tiepoint.types import METRICS, Metric

Find = Callable[[NDArray[Any], NDArray[Any], Metric], tuple[neighbours.Nearest, neighbours.Nearest]]


@pytest.fixture(params=["core", "numpy"])
def find(request: pytest.FixtureRequest) -> Find:
    """Both ways to the neighbours; without the core the first leads to NumPy as well."""
    return nearest_both_ways if request.param == "core" else nearest_both_ways_numpy


def distance(a: NDArray[Any], b: NDArray[Any], metric: Metric) -> float:
    if metric == "hamming":
        return sum((int(x) ^ int(y)).bit_count() for x, y in zip(a, b, strict=True))
    x, y = a.astype(np.float64), b.astype(np.float64)
    if metric == "l2":
        return math.dist(x, y)
    return 1 - float(x @ y) / (float(np.linalg.norm(x)) * float(np.linalg.norm(y)))


def by_definition(
    a: NDArray[Any], b: NDArray[Any], metric: Metric
) -> tuple[list[int], list[float], list[float]]:
    index, best, second = [], [], []
    for row in a:
        d = [distance(row, other, metric) for other in b]
        i = min(range(len(d)), key=d.__getitem__)
        index.append(i)
        best.append(d[i])
        second.append(min(d[:i] + d[i + 1 :], default=math.inf))
    return index, best, second


def descriptors(rng: np.random.Generator, n: int, dim: int, metric: Metric, dtype: str) -> NDArray[Any]:
    if metric == "hamming" or dtype == "uint8":
        return rng.integers(0, 256, (n, dim), dtype=np.uint8)
    return rng.normal(size=(n, dim)).astype(np.float32)


@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 2), (7, 1), (5, 33), (33, 5), (40, 40)])
@pytest.mark.parametrize("dim", [1, 7, 32, 61, 128])
@pytest.mark.parametrize(
    ("metric", "dtype"),
    [("hamming", "uint8"), ("l2", "uint8"), ("l2", "float32"), ("cosine", "float32"), ("cosine", "uint8")],
)
def test_as_defined(
    n: int,
    m: int,
    dim: int,
    metric: Metric,
    dtype: str,
    rng: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
    find: Find,
) -> None:
    # Small tiles, so that their borders are met.
    monkeypatch.setattr(neighbours, "_TILE_ROWS", 16)
    monkeypatch.setattr(neighbours, "_TILE_COLUMNS", 8)
    a, b = descriptors(rng, n, dim, metric, dtype), descriptors(rng, m, dim, metric, dtype)
    if metric == "cosine" and dtype == "uint8":
        # No zero vectors: their cosine is a matter of definition, tested below.
        a, b = np.maximum(a, 1), np.maximum(b, 1)
    for found, expected in zip(
        find(a, b, metric),
        (by_definition(a, b, metric), by_definition(b, a, metric)),
        strict=True,
    ):
        exact = dtype == "uint8" and metric != "cosine"
        best, second = (np.array(values, np.float32) for values in expected[1:])
        tolerance = 0 if exact else 1e-6
        np.testing.assert_allclose(found.distance, best, atol=tolerance, rtol=tolerance)
        np.testing.assert_allclose(found.second_distance, second, atol=tolerance, rtol=tolerance)
        if dim > 1:  # in one dimension ties abound, which rounding may turn
            assert found.index.tolist() == expected[0]


@pytest.mark.parametrize("metric", METRICS)
def test_ties_go_to_the_lowest_index_across_tiles(
    metric: Metric, monkeypatch: pytest.MonkeyPatch, find: Find
) -> None:
    monkeypatch.setattr(neighbours, "_TILE_ROWS", 3)
    monkeypatch.setattr(neighbours, "_TILE_COLUMNS", 4)
    same = np.full((11, 8), 7, np.uint8)
    from0, from1 = find(same, same, metric)
    assert from0.index.tolist() == [0] * 11
    assert from1.index.tolist() == [0] * 11
    np.testing.assert_allclose(from0.distance, 0, atol=1e-7)
    np.testing.assert_allclose(from0.second_distance, 0, atol=1e-7)


def test_a_zero_vector_is_at_cosine_distance_one(find: Find) -> None:
    a = np.array([[0, 0], [1, 0]], np.float32)
    from0, _ = find(a, np.array([[2, 0]], np.float32), "cosine")
    assert from0.distance.tolist() == [1, 0]


def test_large_dimensions_stay_exact(rng: np.random.Generator, find: Find) -> None:
    # 2000 dimensions of uint8: squared distances beyond 2^24, which float32 cannot count.
    a, b = (rng.integers(0, 256, (6, 2000), dtype=np.uint8) for _ in range(2))
    from0, _ = find(a, b, "l2")
    squared = ((a[:, None].astype(np.int64) - b[None]) ** 2).sum(axis=2)
    assert from0.distance.tolist() == np.float32(np.sqrt(squared.min(axis=1))).tolist()


def test_memory_is_not_the_product() -> None:
    """More rows than BFMatcher takes (262,143), and no N x M matrix, which would be 280 GB here."""
    import tracemalloc

    rng = np.random.default_rng(1)
    many = rng.integers(0, 256, (270_000, 8), dtype=np.uint8)
    few = np.ascontiguousarray(many[[5, 269_999, 100_000]])
    tracemalloc.start()
    pairs, distances, _ = match_descriptors(many, few, "hamming")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert distances.max() == 0
    assert pairs[:, 1].tolist() == [0, 2, 1]
    assert peak < 300 << 20


@pytest.mark.parametrize("name", ["orb", "sift"])
def test_as_bfmatcher_on_features_of_a_photo(name: str, scene: Any) -> None:
    import tiepoint as tp

    f0, f1 = (tp.extract(image, name) for image in (scene.image0, scene.image1))
    norm = cv2.NORM_HAMMING if name == "orb" else cv2.NORM_L2
    crossed = cv2.BFMatcher(norm, crossCheck=True).match(f0.descriptors, f1.descriptors)
    pairs, distances, _ = match_descriptors(f0.descriptors, f1.descriptors, f0.metric)
    expected = [(m.queryIdx, m.trainIdx, m.distance) for m in crossed]
    assert [(i, j, d) for (i, j), d in zip(pairs.tolist(), distances.tolist(), strict=True)] == expected

    two = cv2.BFMatcher(norm).knnMatch(f0.descriptors, f1.descriptors, k=2)
    good = [(m.queryIdx, m.trainIdx) for m, n in two if m.distance < 0.75 * n.distance]
    pairs, _, _ = match_descriptors(f0.descriptors, f1.descriptors, f0.metric, cross_check=False, ratio=0.75)
    assert [tuple(pair) for pair in pairs.tolist()] == good


def test_as_bfmatcher_on_float_descriptors(rng: np.random.Generator) -> None:
    a = rng.normal(size=(300, 64)).astype(np.float32)
    b = (a[rng.permutation(300)] + rng.normal(0, 0.1, (300, 64))).astype(np.float32)
    expected = [(m.queryIdx, m.trainIdx) for m in cv2.BFMatcher(cv2.NORM_L2, crossCheck=True).match(a, b)]
    pairs, distances, _ = match_descriptors(a, b, "l2")
    assert [tuple(pair) for pair in pairs.tolist()] == expected
    theirs = [m.distance for m in cv2.BFMatcher(cv2.NORM_L2, crossCheck=True).match(a, b)]
    np.testing.assert_allclose(distances, theirs, rtol=1e-5)


@pytest.mark.parametrize("metric", ["l2", "cosine"])
def test_equal_float_descriptors_are_at_equal_distances(
    metric: Metric, rng: np.random.Generator, find: Find
) -> None:
    """The expansion |a|^2 + |b|^2 - 2 a.b loses digits; equal rows must tie all the same."""
    a = rng.normal(size=(200, 64)).astype(np.float32)
    b = np.repeat(a + rng.normal(0, 1e-4, a.shape).astype(np.float32), 3, axis=0)
    from0, _ = find(a, b, metric)
    assert (from0.index % 3 == 0).all()
    assert from0.distance.tolist() == from0.second_distance.tolist()
    itself, _ = find(a, a, metric)
    assert itself.index.tolist() == list(range(200))
    assert itself.distance.max() == 0
