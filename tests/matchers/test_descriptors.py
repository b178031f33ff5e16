"""The filters, in every combination, against their definitions."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import tiepoint as tp
from tiepoint.matchers import match_descriptors
from tiepoint.matchers.neighbours import nearest_both_ways

COMBINATIONS = [
    (cross_check, ratio, max_distance, ratio_both)
    for cross_check, ratio, max_distance, ratio_both in itertools.product(
        [True, False], [None, 0.9], [None, 3.5], [True, False]
    )
    if not (ratio_both and ratio is None)  # refused, see below
]


@pytest.fixture
def sets(rng: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any]]:
    a = rng.normal(size=(120, 8)).astype(np.float32)
    b = np.vstack([a[:60] + rng.normal(0, 0.4, (60, 8)), rng.normal(size=(50, 8))]).astype(np.float32)
    return a, b


@pytest.mark.parametrize(("cross_check", "ratio", "max_distance", "ratio_both"), COMBINATIONS)
def test_filters_in_any_combination(
    cross_check: bool, ratio: float | None, max_distance: float | None, ratio_both: bool, sets: Any
) -> None:
    a, b = sets
    d = np.linalg.norm(a[:, None].astype(float) - b[None], axis=2)
    expected = []
    for i in range(len(a)):
        j = int(d[i].argmin())
        keep = not cross_check or d[:, j].argmin() == i
        if ratio is not None:
            keep &= d[i, j] < ratio * np.sort(d[i])[1]
            if ratio_both:
                keep &= d[:, j].argmin() == i and d[i, j] < ratio * np.sort(d[:, j])[1]
        if max_distance is not None:
            keep &= d[i, j] <= max_distance
        if keep:
            expected.append([i, j])
    pairs, distance, second = match_descriptors(
        a, b, "l2", cross_check=cross_check, ratio=ratio, max_distance=max_distance, ratio_both=ratio_both
    )
    assert pairs.tolist() == expected
    assert 0 < len(expected) <= len(a)
    np.testing.assert_allclose(distance, [d[i, j] for i, j in expected], rtol=1e-6)
    np.testing.assert_allclose(second, [np.sort(d[i])[1] for i, _ in expected], rtol=1e-6)
    assert pairs.dtype == np.int32
    assert distance.dtype == second.dtype == np.float32


def test_one_candidate_has_no_second() -> None:
    a, b = np.zeros((2, 4), np.uint8), np.ones((1, 4), np.uint8)
    pairs, _, second = match_descriptors(a, b, "l2", ratio=0.5)
    assert pairs.tolist() == [[0, 0]]
    assert second.tolist() == [np.inf]


@pytest.mark.parametrize(("n", "m"), [(0, 5), (5, 0), (0, 0)])
def test_empty_sets_give_empty_matches(n: int, m: int) -> None:
    pairs, distance, second = match_descriptors(
        np.empty((n, 32), np.uint8), np.empty((m, 32), np.uint8), "hamming", ratio=0.8
    )
    assert pairs.shape == (0, 2)
    assert distance.shape == second.shape == (0,)


u8, f32 = np.zeros((3, 4), np.uint8), np.zeros((3, 4), np.float32)


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        ((u8, f32, "l2"), {}, "4 x uint8 cannot be compared with descriptors of 4 x float32"),
        ((u8, u8[:, :3], "l2"), {}, "cannot be compared with descriptors of 3 x uint8"),
        ((f32, f32, "hamming"), {}, "descriptors0 must be uint8 for the metric hamming, not float32"),
        ((f32.astype(float), f32, "l2"), {}, "must be uint8 or float32 for the metric l2, not float64"),
        ((f32 + np.nan, f32, "l2"), {}, "descriptors0 must be finite"),
        ((u8[0], u8, "l2"), {}, r"descriptors0 must be an (N, D) array, not (4,)"),
        (([1], u8, "l2"), {}, r"descriptors0 must be an (N, D) array, not list"),
        ((u8, u8, "euclid"), {}, "metric must be one of hamming, l2, cosine"),
        ((u8, u8, "l2"), {"ratio": 0}, "ratio must be above 0 and at most 1, not 0"),
        ((u8, u8, "l2"), {"ratio": 1.5}, "ratio must be above 0 and at most 1"),
        ((u8, u8, "l2"), {"ratio": float("nan")}, "ratio must be above 0"),
        ((u8, u8, "l2"), {"max_distance": -1}, "max_distance must be at least 0"),
        ((u8, u8, "l2"), {"ratio_both": True}, "ratio_both needs a ratio"),
    ],
)
def test_wrong_input_is_refused_in_words(arguments: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(tp.TiepointError) as error:
        match_descriptors(*arguments, **options)
    assert words in str(error.value)


def test_both_directions_come_from_one_sweep(sets: Any) -> None:
    a, b = sets
    from0, from1 = nearest_both_ways(a, b, "l2")
    back1, back0 = nearest_both_ways(b, a, "l2")
    assert from0.index.tolist() == back0.index.tolist()
    assert from1.second_distance.tolist() == back1.second_distance.tolist()
