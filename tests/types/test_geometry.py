from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import tiepoint as tp

POINTS = np.array([[1, 2], [3, 4], [5, 6]], np.float32)
MATCHES = tp.Matches(xy0=POINTS, xy1=POINTS, source="by hand", image_size0=(40, 30), image_size1=(40, 30))


def geometry(**changes: Any) -> tp.Geometry:
    parts: dict[str, Any] = {
        "model": "homography",
        "matrix": np.eye(3),
        "matches": MATCHES,
        "inliers": np.array([True, False, True]),
        "residuals": np.zeros(3, np.float32),
        "max_error": 2,
    }
    return tp.Geometry(**{**parts, **changes})


def test_it_is_true_where_something_was_found() -> None:
    found = geometry(coverage=[1, 0.5], notes=["a note"], guided=np.int64(1), repeated=np.float32(0.5))
    assert found
    assert (found.count, found.planar, found.coverage, found.notes) == (2, True, (1, 0.5), ("a note",))
    assert (type(found.guided), type(found.repeated), type(found.max_error)) == (int, float, float)
    assert repr(found) == "Geometry(homography, 2 of 3 matches agree)"
    nothing = geometry(matrix=None, residuals=None, reason="too few", inliers=np.zeros(3, bool))
    assert not nothing
    assert not nothing.planar
    assert repr(nothing) == "Geometry(nothing: too few)"
    assert not geometry(model="fundamental").planar


def test_it_pickles() -> None:
    again = pickle.loads(pickle.dumps(geometry()))
    assert np.array_equal(again.matrix, np.eye(3))
    assert again.inliers.tolist() == [True, False, True]


@pytest.mark.parametrize(("changes", "words"), [
    ({"model": "plane"}, "model must be one of"), ({"model": ["homography"]}, "model must be one of"),
    ({"configuration": "odd"}, "configuration must be one of"),
    ({"matrix": np.eye(2)}, r"matrix must be \(3, 3\) float64"),
    ({"matrix": None}, "either a matrix and residuals, or a reason"),
    ({"reason": "why"}, "either a matrix and residuals, or a reason"),
    ({"matrix": None, "residuals": None, "reason": "why"}, "no match is an inlier"),
    ({"inliers": np.ones(2, bool)}, "inliers must be"), ({"R": np.eye(3)}, "R and t go together"),
    ({"max_error": 0}, "max_error must be"), ({"max_error": "2"}, "max_error must be"),
    ({"guided": 4}, "guided must be a count"), ({"guided": -1}, "guided must be a count"),
    ({"rival": 1.5}, "rival must be a count"), ({"rival": None}, "rival must be a count"),
    ({"coverage": (0.5,)}, "coverage must be two shares"), ({"coverage": 0.5}, "coverage must be two shares"),
    ({"coverage": (0.5, 1.5)}, "must be from 0 to 1"), ({"coverage": (0.5, None)}, "must be from 0 to 1"),
    ({"repeated": "all"}, "must be from 0 to 1"), ({"agreement": -0.1}, "must be from 0 to 1"),
    ({"guided_by_chance": -1}, "guided_by_chance must be"), ({"predicted": -1}, "predicted must be a count"),
    ({"log_false_alarms": float("-inf")}, "log_false_alarms must be"),
    ({"log_false_alarms": "few"}, "log_false_alarms must be"), ({"mirrored": 1}, "mirrored must be"),
    ({"model": np.zeros(2)}, "model must be"), ({"configuration": np.zeros(2)}, "configuration must be"),
    ({"reason": np.zeros(2)}, "reason must be"),
    ({"notes": "one"}, "notes must be"), ({"notes": (1,)}, "notes must be"),
    ({"matrix": None, "residuals": None, "inliers": np.zeros(3, bool), "reason": 5}, "reason must be"),
])  # fmt: skip
def test_parts_that_do_not_fit_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(tp.DataError, match=words):
        geometry(**changes)
