from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import jsonschema
import numpy as np
import pytest

import tiepoint as tp
from tests.arrays import same
from tiepoint.formats import align_document, match_document, schema

POINTS = np.array([[1, 2], [3, 4], [5, 6]], np.float32)
PHOTO = tp.Image(pixels=np.zeros((30, 40), np.uint8), path="a.jpg")


def geometry(**changes: Any) -> tp.Geometry:
    matches = tp.Matches(
        xy0=POINTS, xy1=POINTS + 1, source="by hand", image_size0=(40, 30), image_size1=(40, 30)
    )
    parts: dict[str, Any] = {
        "model": "homography",
        "matrix": np.array([[2, 0, 10], [0, 4, -6], [0, 0, 1.0]]),
        "matches": matches,
        "inliers": np.array([True, False, True]),
        "residuals": np.array([0.1, 9, 0.3], np.float32),
        "max_error": 2,
        "configuration": "planar or panoramic",
        "guided": 1,
        "coverage": (0.25, 0.5),
        "notes": ("a note",),
    }
    return tp.Geometry(**{**parts, **changes})


def result(found: tp.Geometry | None, verdict: tp.Verdict | None = None) -> tp.MatchResult:
    none = geometry().matches[:0]
    return tp.MatchResult(
        image0=PHOTO, image1=PHOTO, candidates=none, matches=none, geometry=found, verdict=verdict
    )


def valid(document: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(document, allow_nan=False))
    jsonschema.Draft202012Validator(schema(document["kind"])).validate(plain)
    return plain


YES = tp.Verdict(answer="yes", probability=0.97, reasons=("one", "two"))


def test_geometry_and_verdict_are_in_the_document() -> None:
    document = valid(match_document(result(geometry(), YES), arrays=True))
    found = document["geometry"]
    assert found["matrix"] == [[2, 0, 10], [0, 4, -6], [0, 0, 1]]
    assert (found["matches"], found["inliers"], found["guided"]) == (3, 2, 1)
    assert found["R"] is found["t"] is found["reason"] is found["agreement"] is None
    assert found["coverage"] == [0.25, 0.5]
    assert found["arrays"]["inliers"] == [True, False, True]
    assert found["arrays"]["residuals"] == [0.1, 9, 0.3]
    assert found["arrays"]["pairs"] is None
    assert same(np.array(found["arrays"]["xy1"], np.float32), POINTS + 1)
    assert document["verdict"] == {"answer": "yes", "probability": 0.97, "reasons": ["one", "two"]}


def test_every_field_of_a_geometry_is_in_its_document() -> None:
    whole = geometry(
        predicted=3, guided_by_chance=0.5, log_false_alarms=-4.5, agreement=1, repeated=0.5, rival=2
    )
    document = valid(match_document(result(whole), arrays=True))["geometry"]
    names = {f.name for f in fields(tp.Geometry)} - {"matches", "inliers", "residuals"}
    assert names <= set(document)
    assert (document["log_false_alarms"], document["predicted"], document["rival"]) == (-4.5, 3, 2)


def test_what_was_not_asked_for_is_null() -> None:
    document = valid(match_document(result(None)))
    assert document["geometry"] is document["verdict"] is None
    assert "arrays" not in valid(match_document(result(geometry())))["geometry"]


def test_a_pose_and_nothing_found_are_valid_too() -> None:
    pose = geometry(model="essential", R=np.eye(3), t=np.array([1.0, 0, 0]))
    assert valid(match_document(result(pose)))["geometry"]["t"] == [1, 0, 0]
    nothing = geometry(
        matrix=None, residuals=None, inliers=np.zeros(3, bool), reason="why", guided=0, configuration=None
    )
    unsure = tp.Verdict(answer="unsure", probability=None, reasons=("why",))
    document = valid(match_document(result(nothing, unsure), arrays=True))
    assert document["geometry"]["reason"] == "why"
    assert document["geometry"]["arrays"]["residuals"] is None
    assert document["verdict"]["probability"] is None


def test_a_transform_goes_both_ways() -> None:
    document = valid(align_document(result(geometry(), YES)))
    there, back = (np.array(document[name]) for name in ("H_1_from_0", "H_0_from_1"))
    assert np.allclose(there @ back / (there @ back)[2, 2], np.eye(3))
    assert back[2, 2] == 1
    assert document["median_residual"] == pytest.approx(0.2)
    assert [photo["width"] for photo in document["photos"]] == [40, 40]
    far = geometry(matrix=np.array([[0, 0, 1.0], [0, 1, 0], [1, 0, 0]]))
    assert np.linalg.norm(valid(align_document(result(far)))["H_0_from_1"]) == pytest.approx(1)


def test_what_takes_no_point_to_a_point_is_refused() -> None:
    for noun in (result(geometry(model="fundamental")), result(None)):
        with pytest.raises(tp.DataError, match=r"takes points to points|has no geometry"):
            align_document(noun)
    nothing = replace(geometry(), matrix=None, residuals=None, inliers=np.zeros(3, bool), reason="why")
    with pytest.raises(tp.DataError, match="takes points to points"):
        align_document(result(nothing))
