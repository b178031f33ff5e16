from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import tiepoint as tp

f32 = np.float32


def matches(m: int = 4, **changes: Any) -> tp.Matches:
    values: dict[str, Any] = {
        "xy0": np.arange(2 * m, dtype=f32).reshape(m, 2),
        "xy1": np.arange(2 * m, dtype=f32).reshape(m, 2) + 1,
        "pairs": np.stack([np.arange(m), np.arange(m)], axis=1).astype(np.int32),
        "distance": np.array([3, 1, 2, 4][:m], f32),
        "second_distance": np.array([4, 4, 2, 100][:m], f32),
        "source": "sift",
        "image_size0": (64, 48),
        "image_size1": (64, 48),
        "funnel": (("nearest", m),),
    }
    return tp.Matches(**{**values, **changes})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"xy1": np.zeros((3, 2), f32)}, "xy1 must be (4, 2) float32, not (3, 2) float32"),
        ({"xy0": np.full((4, 2), np.nan, f32)}, "xy0 must be finite"),
        ({"pairs": np.zeros((4, 2), np.int64)}, "pairs must be (4, 2) int32"),
        ({"pairs": np.full((4, 2), -1, np.int32)}, "pairs must be indices"),
        ({"distance": np.full(4, np.nan, f32)}, "distance must be finite"),
        ({"second_distance": np.full(4, np.nan, f32)}, "second_distance must hold distances"),
        ({"source": np.zeros(4)}, "source must be (4,) str"),
        ({"xy1": np.full((4, 2), 99, f32)}, "xy1 must lie on the photo"),
    ],
)
def test_wrong_arrays_are_refused_in_words(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(tp.DataError) as error:
        matches(**changes)
    assert words in str(error.value)


def test_ratio() -> None:
    made = matches(second_distance=np.array([4, np.inf, 2, 0], f32), distance=np.array([3, 1, 2, 0], f32))
    assert made.ratio is not None
    assert made.ratio.tolist() == [0.75, 0, 1, 1]
    assert matches(second_distance=None).ratio is None


def test_strongest_ranks_by_score_else_ratio_else_distance() -> None:
    assert matches().strongest(2).distance.tolist() == [4, 1]  # type: ignore[union-attr]
    assert matches(second_distance=None).strongest(2).distance.tolist() == [1, 2]  # type: ignore[union-attr]
    scored = matches(score=np.array([1, 9, 9, 2], f32))
    assert scored.strongest(3).xy0[:, 0].tolist() == [2, 4, 6]
    with pytest.raises(tp.DataError, match="neither score nor distance"):
        matches(distance=None, second_distance=None).strongest(1)


def test_where_applies_thresholds_again_and_counts() -> None:
    kept = matches().where(ratio=0.8, max_distance=3)
    assert kept.distance.tolist() == [3, 1]  # type: ignore[union-attr]
    assert kept.funnel == (("nearest", 4), ("ratio", 3), ("distance", 2))
    assert matches().where().funnel == (("nearest", 4),)
    with pytest.raises(tp.DataError, match="second distance"):
        matches(second_distance=None).where(ratio=0.8)
    with pytest.raises(tp.DataError, match="needs distances"):
        matches(distance=None).where(max_distance=1)


def test_ratio_is_taken_in_double_precision_as_in_python() -> None:
    # 0.7 * 10 in float32 is a hair above 7, in Python's double precision it is 7.
    kept = matches(1, distance=np.array([7], f32), second_distance=np.array([10], f32)).where(ratio=0.7)
    assert len(kept) == int(7.0 < 0.7 * 10.0)


def test_union_keeps_each_tie_point_once() -> None:
    orb = matches(2, source="orb")
    sift = matches(4)
    joined = tp.Matches.union(orb, sift)
    assert joined.source.tolist() == ["orb", "orb", "sift", "sift"]  # type: ignore[union-attr]
    assert joined.pairs is None
    assert joined.distance is None
    assert joined.funnel == (("union", 4),)
    same = tp.Matches.union(sift, sift[[1]])
    assert same.pairs is not None
    assert len(same) == 4
    with pytest.raises(tp.DataError, match="same two photos"):
        tp.Matches.union(sift, matches(image_size1=(99, 99)))
    with pytest.raises(tp.DataError, match="at least one"):
        tp.Matches.union()


def test_indexing_pickle_repr() -> None:
    made = matches()
    assert made[[2]].distance.tolist() == [2]  # type: ignore[union-attr]
    assert len(made[np.zeros(4, bool)]) == 0
    again = pickle.loads(pickle.dumps(made))
    assert again.source.tolist() == ["sift"] * 4
    assert again.funnel == made.funnel
    assert repr(made) == "Matches(4 by sift)"
    assert repr(made[[]]) == "Matches(0 by none)"
