from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from tiepoint.extractors.spread import spread_evenly


def cells_hit(xy: np.ndarray, size: tuple[int, int], n: int) -> int:
    cells = np.floor(xy / np.array(size) * n).astype(int)
    return len({tuple(cell) for cell in cells.tolist()})


def test_spread_covers_the_photo_where_the_strongest_crowd(rng: np.random.Generator) -> None:
    crowd = rng.normal((100, 100), 15, (3000, 2))
    thin = rng.uniform((0, 0), (799, 599), (1000, 2))
    xy = np.clip(np.vstack([crowd, thin]), 0, (799, 599)).astype(np.float32)
    score = np.concatenate([np.full(3000, 10.0), np.full(1000, 1.0)]).astype(np.float32)
    chosen = spread_evenly(xy, score, 300, (800, 600))
    strongest = np.argsort(-score, kind="stable")[:300]
    assert len(chosen) == 300
    assert len(set(chosen.tolist())) == 300
    assert cells_hit(xy[chosen], (800, 600), 10) > 95 > 10 > cells_hit(xy[strongest], (800, 600), 10)


def test_no_two_chosen_are_closer_than_those_left_out_would_allow(rng: np.random.Generator) -> None:
    xy = rng.uniform(0, 499, (2000, 2)).astype(np.float32)
    chosen = xy[spread_evenly(xy, rng.random(2000).astype(np.float32), 100, (500, 500))]
    gaps = np.abs(chosen[:, None] - chosen[None]).max(axis=2) + 1e9 * np.eye(100)
    # 100 squares of side w packed on 500 x 500 would be 50 apart; the greedy cover reaches a good half.
    assert gaps.min() > 20


def test_strongest_first_and_always_kept(rng: np.random.Generator) -> None:
    xy = rng.uniform(0, 99, (500, 2)).astype(np.float32)
    score = rng.random(500).astype(np.float32)
    chosen = spread_evenly(xy, score, 50, (100, 100))
    assert chosen[0] == score.argmax()
    assert (np.diff(score[chosen]) <= 0).all()


@pytest.mark.parametrize("n", [1, 2, 7, 499, 500, 900])
def test_exactly_n_or_all(rng: np.random.Generator, n: int) -> None:
    xy = rng.uniform(0, 99, (500, 2)).astype(np.float32)
    assert len(spread_evenly(xy, rng.random(500).astype(np.float32), n, (100, 100))) == min(n, 500)


def test_all_in_one_place_still_gives_n() -> None:
    xy = np.full((50, 2), 20, np.float32)
    assert len(spread_evenly(xy, np.ones(50, np.float32), 10, (100, 100))) == 10


def test_shared_places_on_a_large_photo_stay_cheap(rng: np.random.Generator) -> None:
    """SIFT gives a place twice where it has two orientations: no width leaves n, however narrow."""
    places = rng.uniform((0, 0), (5999, 3999), (400, 2)).astype(np.float32)
    xy = np.repeat(places, 3, axis=0)
    tracemalloc.start()
    chosen = spread_evenly(xy, rng.random(1200).astype(np.float32), 600, (6000, 4000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(set(chosen.tolist())) == 600
    assert len({tuple(place) for place in xy[chosen].tolist()}) > 380  # nearly every place is there once
    assert peak < 64 << 20
