from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import tiepoint as tp
from tiepoint.types.matches import check_thresholds

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
    # 0.6 * 25 in float32 is a hair above 15; in Python it is 15.0.
    assert f32(15) < f32(0.6) * f32(25)
    assert not 15.0 < 0.6 * 25.0
    made = matches(1, distance=np.array([15], f32), second_distance=np.array([25], f32))
    assert len(made.where(ratio=0.6)) == 0


@pytest.mark.parametrize(
    ("thresholds", "words"),
    [
        ({"ratio": 80}, "ratio must be above 0 and at most 1, not 80"),
        ({"ratio": 0}, "ratio must be above 0"),
        ({"ratio": float("nan")}, "ratio must be above 0"),
        ({"ratio": "0.8"}, "ratio must be above 0 and at most 1, not '0.8'"),
        ({"ratio": True}, "ratio must be above 0"),
        ({"max_distance": -5}, "max_distance must be at least 0, not -5"),
        ({"max_distance": float("nan")}, "max_distance must be at least 0"),
        ({"max_distance": "40"}, "max_distance must be at least 0"),
        ({"max_distance": True}, "max_distance must be at least 0"),
        ({"max_distance": [40]}, "max_distance must be at least 0"),
    ],
)
def test_thresholds_that_make_no_sense_are_refused(thresholds: dict[str, Any], words: str) -> None:
    with pytest.raises(tp.OptionError, match=words):
        matches().where(**thresholds)


def test_thresholds_may_be_numpy_numbers_and_beyond_all_distances() -> None:
    assert len(matches().where(ratio=np.float32(0.8), max_distance=np.int64(3))) == 2  # type: ignore[arg-type]
    for far in (1e300, np.inf):
        assert len(matches().where(max_distance=far)) == 4


def test_ratio_both_needs_a_ratio() -> None:
    check_thresholds(0.8, None, ratio_both=True)
    with pytest.raises(tp.OptionError, match="needs a ratio"):
        check_thresholds(None, 3, ratio_both=True)


def test_filtered_counts_what_it_keeps() -> None:
    kept = matches().filtered("left", np.array([True, False, True, False]))
    assert kept.funnel == (("nearest", 4), ("left", 2))
    assert kept.distance.tolist() == [3, 2]  # type: ignore[union-attr]
    with pytest.raises(tp.DataError, match="these 4 matches cannot be indexed"):
        matches().filtered("left", np.ones(3, bool))


@pytest.mark.parametrize("n", [2.5, -1, None])
def test_how_many_must_be_a_whole_number(n: Any) -> None:
    with pytest.raises(tp.OptionError, match="n must be a whole number from 0 up, not"):
        matches().strongest(n)


def features(n: int, angle: bool = True) -> tp.Features:
    return tp.Features(
        xy=np.arange(2 * n, dtype=f32).reshape(n, 2),
        size=np.arange(n, dtype=f32),
        angle=np.arange(n, dtype=f32) if angle else None,
        descriptors=np.zeros((n, 4), np.uint8),
        metric="l2",
        image_size=(64, 48),
        extractor="sift",
    )


def test_between_takes_positions_sizes_and_angles_from_the_features() -> None:
    pairs = np.array([[3, 1], [0, 2]], np.int32)
    made = tp.Matches.between(
        features(5), features(3, angle=False), pairs, distance=np.array([7, 8], f32), source="x"
    )
    assert made.xy0.tolist() == [[6, 7], [0, 1]]
    assert made.xy1.tolist() == [[2, 3], [4, 5]]
    assert made.size0.tolist() == [3, 0]  # type: ignore[union-attr]
    assert made.size1.tolist() == [1, 2]  # type: ignore[union-attr]
    assert made.angle0.tolist() == [3, 0]  # type: ignore[union-attr]
    assert made.angle1 is None
    assert made.second_distance is None
    assert made.pairs.tolist() == pairs.tolist()  # type: ignore[union-attr]
    assert made.source.tolist() == ["x", "x"]  # type: ignore[union-attr]
    assert (made.image_size0, made.funnel) == ((64, 48), ())


@pytest.mark.parametrize("pair", [(5, 0), (0, 3), (-1, 0), (0, -1)])
def test_between_refuses_pairs_outside_of_the_features(pair: tuple[int, int]) -> None:
    photo = 0 if pair[0] in (5, -1) else 1
    with pytest.raises(tp.DataError, match=rf"outside of the \d features of photo {photo}; were they made"):
        tp.Matches.between(features(5), features(3), np.array([pair], np.int32), source="x")
    with pytest.raises(tp.DataError, match="outside of the 0 features"):
        tp.Matches.between(features(0), features(0), np.array([pair], np.int32), source="x")


def test_between_refuses_other_arrays() -> None:
    with pytest.raises(tp.DataError, match=r"pairs must be \(N, 2\) int32"):
        tp.Matches.between(features(5), features(3), np.zeros((1, 3), np.int32), source="x")


@pytest.mark.parametrize("funnel", ["abc", [1], [("a", 2.5)], [("a", float("inf"))], 5])
def test_a_funnel_is_stages_and_counts(funnel: Any) -> None:
    with pytest.raises(tp.DataError, match="funnel must be pairs of a stage and a count"):
        matches(funnel=funnel)


def test_union_keeps_each_tie_point_once() -> None:
    orb = matches(2, source="orb", size0=np.ones(2, f32), score=np.ones(2, f32))
    sift = matches(4, size0=np.full(4, 9, f32), score=np.ones(4, f32), angle0=np.ones(4, f32))
    joined = tp.Matches.union(orb, sift)
    assert joined.source.tolist() == ["orb", "orb", "sift", "sift"]  # type: ignore[union-attr]
    assert joined.size0.tolist() == [1, 1, 9, 9]  # type: ignore[union-attr]
    assert joined.angle0 is None
    assert joined.funnel == (("union", 4),)
    with pytest.raises(tp.DataError, match="same two photos"):
        tp.Matches.union(sift, matches(image_size1=(99, 99)))
    with pytest.raises(tp.DataError, match="at least one"):
        tp.Matches.union()


def test_union_drops_what_cannot_be_compared_also_under_one_name() -> None:
    # Two runs of SIFT with other options are both "sift": pair (0, 0) of the one is not that of the other.
    scored = matches(score=np.ones(4, f32))
    joined = tp.Matches.union(scored, scored[[1]])
    assert len(joined) == 4
    for name in ("pairs", "distance", "second_distance", "score"):
        assert getattr(joined, name) is None


def test_indexing_pickle_repr() -> None:
    made = matches()
    assert made[[2]].distance.tolist() == [2]  # type: ignore[union-attr]
    assert len(made[np.zeros(4, bool)]) == 0
    again = pickle.loads(pickle.dumps(made))
    assert again.source.tolist() == ["sift"] * 4
    assert again.funnel == made.funnel
    assert repr(made) == "Matches(4 by sift)"
    assert repr(made[[]]) == "Matches(0 by none)"
