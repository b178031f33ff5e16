"""Orders and copies against Python's own sort and sets."""

from __future__ import annotations

import numpy as np
import pytest

from tiepoint.geometry.order import best_first, first_of_equals


@pytest.mark.parametrize("m", [0, 1, 2, 3, 100, 3000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_least_is_first_and_equals_keep_their_order(
    m: int, dtype: type[np.floating], rng: np.random.Generator
) -> None:
    for values in (rng.normal(size=m), rng.integers(-3, 4, m), np.zeros(m) * rng.choice([-1, 1], m)):
        quality = values.astype(dtype)
        assert best_first(quality).tolist() == sorted(range(m), key=lambda k: float(quality[k]))


def test_extremes_have_their_place() -> None:
    tiny = np.finfo(np.float32).smallest_subnormal
    quality = np.array([np.inf, 1, -0.0, 0, tiny, -tiny, -np.inf, np.nan, -1], np.float32)
    assert best_first(quality).tolist() == [6, 8, 5, 2, 3, 4, 1, 0, 7]
    assert best_first(quality[quality == quality]).tolist() == [6, 7, 5, 2, 3, 4, 1, 0]


@pytest.mark.parametrize("m", [0, 1, 2, 3, 64, 65, 2000])
@pytest.mark.parametrize("places", [1, 3, 1000, 10**6])
def test_the_first_of_equals_is_that_of_a_set(m: int, places: int, rng: np.random.Generator) -> None:
    xy0, xy1 = (np.asarray(rng.integers(-places, places, (m, 2)) / 4, np.float32) for _ in range(2))
    twice = rng.integers(0, max(m, 1), m // 2)
    xy0[: len(twice)], xy1[: len(twice)] = xy0[twice], xy1[twice]
    seen: set[tuple[float, ...]] = set()
    expected = []
    for row in np.hstack([xy0, xy1]).tolist():  # 0 and -0 are equal here, too
        expected.append(tuple(row) not in seen)
        seen.add(tuple(row))
    assert first_of_equals(xy0, xy1).tolist() == expected


def test_minus_nothing_is_nothing() -> None:
    here = np.array([[0.0, 1], [-0.0, 1]], np.float32)
    assert first_of_equals(here, here).tolist() == [True, False]
