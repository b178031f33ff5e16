"""The answer to a geometry: its evidence by hand, its probability by the formula, its reasons in words."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiepoint as tp
import tiepoint.verdict
from tests.geometry.known_matches import as_matches, flat, matched, turned_along, two_features
from tiepoint.evaluation.calibration import SIGNS, confirmed, real_pairs
from tiepoint.verdict import (
    _ALWAYS_ALIKE,
    COEFFICIENTS,
    EVIDENCE,
    MOST_IN_DOUBT,
    Family,
    doubts,
    evidence,
    families,
    judge,
)

WEIGHTS = {
    "beyond chance": 0.1, "inliers": 0.8, "predicted": 0.3, "agreement": 1.0, "coverage": 0.4,
    "alike": 0.2, "look-alikes": -1.0, "rival": -2.0,
}  # fmt: skip
HAND = Family(name="points", sources=("hand",), intercept=-9.0, weights=WEIGHTS, yes=0.9, no=0.1)


RICH = (("keypoints 0", 900), ("keypoints 1", 800))


def given(*fitted: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiepoint.verdict, "families", lambda: fitted)


def found(count: int = 40, total: int = 60, **changes: Any) -> tp.Geometry:
    """A homography on which so many of so many matches agree, by a pixel each."""
    xy = np.random.default_rng(5).uniform(0, 599, (total, 2))
    parts: dict[str, Any] = {
        "model": "homography", "matrix": np.eye(3), "matches": as_matches(xy, xy, funnel=RICH),
        "inliers": np.arange(total) < count,
        "residuals": np.where(np.arange(total) < count, 1, 9).astype(np.float32),
        "max_error": 2, "configuration": "planar or panoramic", "log_false_alarms": -20.0, "predicted": 30,
        "guided_by_chance": 2.0, "agreement": 0.9, "coverage": (0.4, 0.3), "repeated": 0.1, "rival": 3,
    }  # fmt: skip
    return tp.Geometry(**{**parts, **changes})


def nothing(m: int = 10, **changes: Any) -> tp.Geometry:
    xy = np.random.default_rng(6).uniform(0, 599, (m, 2))
    parts: dict[str, Any] = {
        "model": "auto", "matches": as_matches(xy, xy, funnel=RICH), "inliers": np.zeros(m, bool),
        "max_error": 2, "reason": "by chance",
    }  # fmt: skip
    return tp.Geometry(**{**parts, **changes})


def test_evidence_by_hand() -> None:
    values = evidence(found())
    assert tuple(values) == EVIDENCE
    assert values == pytest.approx({
        "beyond chance": 20, "alike": 0, "inliers": math.log2(41), "share": 2 / 3, "confidence": 0,
        "second method": 0, "predicted": math.log2(31 / 3), "agreement": 0.9, "coverage": math.log2(401),
        "look-alikes": 0.1, "rival": 3 / 40,
    })  # fmt: skip


def test_evidence_of_learned_and_of_several_methods() -> None:
    geometry = found()
    # Of the 40 that agree, 25 are by one method and 15 by the other; the other 20 do not count.
    source = np.array(["a"] * 25 + ["b"] * 35)
    score = np.linspace(0, 1, 60).astype(np.float32)
    values = evidence(replace(geometry, matches=replace(geometry.matches, source=source, score=score)))
    assert values["second method"] == pytest.approx(4)
    assert values["confidence"] == pytest.approx(score[:40].mean())


def test_matches_that_were_won_are_no_inliers_of_their_own() -> None:
    geometry = found(count=60, guided=25)
    assert evidence(geometry)["inliers"] == math.log2(36)


def test_extremes_are_kept_in_bounds() -> None:
    assert evidence(found(log_false_alarms=-900.0))["beyond chance"] == 30
    assert evidence(nothing(log_false_alarms=40.0))["beyond chance"] == 0


def test_what_is_not_known_is_0() -> None:
    bare: dict[str, Any] = dict.fromkeys(
        ("log_false_alarms", "predicted", "guided_by_chance", "agreement", "repeated")
    )
    values = evidence(found(**bare))
    assert all(
        values[name] == 0 for name in ("beyond chance", "predicted", "agreement", "look-alikes", "alike")
    )
    assert set(evidence(nothing()).values()) == {0.0}
    assert set(evidence(nothing(0)).values()) == {0.0}


def test_alike_counts_distinct_matches_only(rng: np.random.Generator) -> None:
    xy0, xy1 = flat(rng, 40)
    matches = as_matches(
        xy0, xy1, **turned_along(rng, xy0, np.eye(3)), distance=np.full(40, 7, np.float32),
        second_distance=np.where(np.arange(40) < 25, 10, 8).astype(np.float32),
    )  # fmt: skip
    geometry = nothing(40, matches=matches)
    assert evidence(geometry)["alike"] == math.log2(25 / _ALWAYS_ALIKE)
    assert evidence(replace(geometry, matches=replace(matches, second_distance=None)))["alike"] == math.log2(
        40 / _ALWAYS_ALIKE
    )


def test_a_probability_is_that_of_the_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    given(HAND, monkeypatch=monkeypatch)
    for geometry in (found(), found(7), nothing()):
        values = evidence(geometry)
        total = HAND.intercept + math.fsum(WEIGHTS[name] * values[name] for name in WEIGHTS)
        verdict = judge(geometry)
        assert verdict.probability == pytest.approx(1 / (1 + math.exp(-total)))
        assert verdict.reasons


@pytest.mark.parametrize(
    ("intercept", "answer"), [(-1e9, "no"), (-9, "yes"), (1e9, "yes"), (-12.5, "unsure")]
)
def test_answers_follow_the_probability(
    intercept: float, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(replace(HAND, intercept=intercept), monkeypatch=monkeypatch)
    verdict = judge(found())
    assert verdict.answer == answer
    assert verdict.probability is not None
    assert 0 <= verdict.probability <= 1


def test_without_a_geometry_there_is_no_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    given(replace(HAND, intercept=50), monkeypatch=monkeypatch)
    verdict = judge(nothing())
    assert verdict.answer == "unsure"
    assert verdict.reasons == ("no geometry was found: by chance",)


@pytest.mark.parametrize("source", ["disk", "", np.array(["hand"] * 30 + ["disk"] * 30)])
def test_an_extractor_that_nothing_was_fitted_on(source: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    given(HAND, replace(HAND, sources=("hand", "sift")), monkeypatch=monkeypatch)
    geometry = found()
    verdict = judge(replace(geometry, matches=replace(geometry.matches, source=source)))
    assert (verdict.answer, verdict.probability) == ("unsure", None)
    assert len(verdict.reasons) > 1
    mixed = np.where(np.arange(60) < 30, "hand", "sift")
    assert judge(replace(geometry, matches=replace(geometry.matches, source=mixed))).probability is not None


def test_where_there_is_no_match_the_caller_has_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    given(HAND, monkeypatch=monkeypatch)
    unknown = judge(nothing(0))
    assert (unknown.answer, unknown.probability) == ("unsure", None)
    assert unknown.reasons[0] == "there is not a single match to judge by"
    told = judge(nothing(0), extractor="hand")
    assert told.answer == "no"
    assert told.probability is not None
    # Matches say themselves what made them.
    assert judge(nothing(3), extractor="disk").probability is not None


def test_nothing_fitted_at_all_is_unsure(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch=monkeypatch)
    assert judge(found()).probability is None


@pytest.mark.parametrize(("name", "values"), [
    ("inliers", [4, 8, 15, 30, 60]),
    ("log_false_alarms", [0.0, -3.0, -9.0, -40.0]), ("predicted", [2, 8, 50]),
    ("guided_by_chance", [25.0, 9.0, 0.0]), ("agreement", [0.1, 0.6, 1.0]), ("repeated", [1.0, 0.5, 0.0]),
    ("rival", [40, 20, 0]), ("coverage", [(0.04, 0.0), (0.3, 0.1), (1.0, 0.9)]),
])  # fmt: skip
def test_more_for_it_is_never_less_probable(
    name: str, values: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    given(HAND, monkeypatch=monkeypatch)
    changes = [{"inliers": np.arange(60) < value} if name == "inliers" else {name: value} for value in values]
    probabilities = [judge(found(**change)).probability for change in changes]
    assert probabilities == sorted(p for p in probabilities if p is not None)
    assert len(set(probabilities)) == len(values)


@pytest.mark.parametrize(("changes", "words"), [
    ({"rival": 30}, "ambiguous"),
    ({"predicted": 0, "guided_by_chance": 9.0}, "fewer matches than looking elsewhere"),
    ({"coverage": (0.01, 0.02)}, "which leaves the rest open"),
])  # fmt: skip
def test_in_doubt_it_is_a_coin_toss_at_the_most(
    changes: Mapping[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(replace(HAND, intercept=50), monkeypatch=monkeypatch)
    assert judge(found()).answer == "yes"
    assert doubts(evidence(found())) == ()
    verdict = judge(found(**changes))
    assert verdict.probability == MOST_IN_DOUBT
    assert verdict.answer == "unsure"
    assert words in verdict.reasons[0]


def test_a_geometry_of_guided_matches_alone_is_judged() -> None:
    geometry = found()
    assert judge(replace(geometry, guided=len(geometry.matches))).answer in ("no", "unsure")


def test_guided_matches_do_not_make_it_another_method(monkeypatch: pytest.MonkeyPatch) -> None:
    given(replace(HAND, sources=("hand+network",)), monkeypatch=monkeypatch)
    geometry = found()
    source = np.where(np.arange(60) < 50, "hand+network", "hand")
    mixed = replace(geometry, matches=replace(geometry.matches, source=source))
    assert judge(mixed).probability is None
    assert judge(replace(mixed, guided=10)).probability is not None


CONFIGURATIONS = ["general", "planar or panoramic", "planar", "panoramic", None]


@pytest.mark.parametrize("model", ["homography", "fundamental", "essential", "affine", "similarity"])
@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_reasons_are_sentences_for_everything(model: str, configuration: str | None) -> None:
    for changes in (
        {},
        {"predicted": None},
        {"agreement": None},
        {"coverage": (0.0, 0.0)},
        {"repeated": 1.0},
    ):
        verdict = judge(found(model=model, configuration=configuration, **changes))
        assert verdict.reasons
        assert all(len(reason) > 10 and "None" not in reason for reason in verdict.reasons)


def test_reasons_count_what_was_matched() -> None:
    said = judge(found(repeated=0.5)).reasons
    assert any(reason.startswith("40 of 60 matches agree") for reason in said)
    assert any("90% of them turn" in reason for reason in said)
    assert any("40% of the first photo and 30% of the second" in reason for reason in said)
    assert any("50% of them have a look-alike" in reason for reason in said)


def test_verify_and_judge_go_together(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    given(HAND, monkeypatch=monkeypatch)
    features = two_features(rng, *flat(rng, 200))
    matches = matched(*features, np.arange(100))
    assert judge(tp.verify(matches, features0=features[0], features1=features[1])).answer == "yes"
    lost = replace(matches, xy1=rng.permutation(matches.xy1), funnel=RICH)
    assert judge(tp.verify(lost)).answer == "no"


def test_a_photo_with_hardly_a_keypoint_is_no_reason_for_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    given(HAND, monkeypatch=monkeypatch)
    geometry = nothing()
    for funnel, seen in (((("keypoints 0", 900), ("keypoints 1", 12)), 12), ((), 0)):
        verdict = judge(replace(geometry, matches=replace(geometry.matches, funnel=funnel)))
        assert verdict.answer == "unsure"
        assert verdict.reasons[0] == f"a photo with {seen} keypoints says too little for a no"


def test_a_method_is_judged_by_its_own_family_before_that_of_a_union(monkeypatch: pytest.MonkeyPatch) -> None:
    union, alone = (
        replace(HAND, name="union", sources=("a", "b")),
        replace(HAND, name="alone", sources=("b",)),
    )
    given(union, alone, monkeypatch=monkeypatch)
    found_for = {names: tiepoint.verdict.family_of(names.split()) for names in ("b", "a b", "a", "a d")}
    assert found_for == {"b": alone, "a b": union, "a": None, "a d": None}


def test_the_file_beside_the_module_is_sound() -> None:
    document = json.loads(files("tiepoint").joinpath(COEFFICIENTS).read_text(encoding="utf-8"))
    assert [one.name for one in families()] == list(document["families"])
    assert len({frozenset(one.sources) for one in families()}) == len(families())
    for one in families():
        assert set(one.weights) <= set(EVIDENCE) == set(SIGNS)
        assert all(weight * SIGNS[name] >= 0 for name, weight in one.weights.items())
        assert 0 <= one.no < 0.5 < one.yes < 1
        # Nothing at all is no yes.
        assert one.probability(dict.fromkeys(EVIDENCE, 0.0)) < one.yes


fitted = pytest.mark.skipif(not families(), reason="no coefficients have been fitted yet")
SURE = ["uttower", "stata_center", "lightglue_dsc", "xfeat_frame", "london_bridge", "montmartre"]
HARD = ["kn_church", "sacre_coeur", "toronto", "wxbs_berlin", "indoor_gcs"]


@fitted
@pytest.mark.parametrize(("name", "allowed"), [
    *((name, {"yes"}) for name in SURE), *((name, {"yes", "unsure"}) for name in HARD),
    ("negative_chartres_notredame", {"no", "unsure"}),
])  # fmt: skip
def test_real_photos(name: str, allowed: set[str], data: Path) -> None:
    first, second = sorted(path for path in (data / "pairs" / name).iterdir() if path.stem in "12")
    verdict = tp.match(first, second).verdict
    assert verdict is not None
    assert verdict.answer in allowed, verdict


@fitted
def test_what_people_contradict_is_never_a_yes(data: Path) -> None:
    pairs = [pair for pair in real_pairs(data) if isinstance(pair.truth, np.ndarray)]
    assert len(pairs) == 20
    for pair in pairs:
        result = tp.match(pair.photo0.path, pair.photo1.path)
        assert result.geometry is not None
        assert result.verdict is not None
        if result.verdict.answer == "yes":
            assert confirmed(result.geometry, pair.truth), pair.name
