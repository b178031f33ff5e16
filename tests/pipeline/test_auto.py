"""Which methods are tried, in what order: with stand-ins for the learned ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

import tiepoint as tp
import tiepoint.verdict
from tiepoint.evaluation import RenderedPair
from tiepoint.extractors import EXTRACTORS
from tiepoint.extractors.opencv.sift import Sift
from tiepoint.options import option
from tiepoint.pipeline import auto
from tiepoint.pipeline.moves import Move
from tiepoint.pipeline.stages import Attempt, Stages
from tiepoint.types import MatchResult
from tiepoint.verdict import Family


@dataclass(frozen=True, kw_only=True)
class Upright(Sift):
    """Does not survive a turned photo, as learned features do not."""

    name: ClassVar[str] = "upright"
    upright: bool = option(True, "no orientations")


@dataclass(frozen=True, kw_only=True)
class Absent(Upright):
    name: ClassVar[str] = "absent"

    @classmethod
    def missing(cls) -> str | None:
        return "tiepoint weights fetch absent"


def families(monkeypatch: pytest.MonkeyPatch, **yes_from: int) -> None:
    """Have a yes from so many inliers on, by the sources between underscores."""
    made = tuple(
        Family(
            name=name,
            sources=tuple(name.split("_")),
            intercept=-20 * float(np.log2(1 + count)) + 2.3,
            weights={"inliers": 20.0},
            yes=0.9,
            no=0.001,
        )
        for name, count in yes_from.items()
    )
    monkeypatch.setattr(tiepoint.verdict, "families", lambda: made)


@pytest.fixture(autouse=True)
def _stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {"upright": f"{__name__}:Upright", "absent": f"{__name__}:Absent"}
    monkeypatch.setattr(EXTRACTORS, "_table", {**EXTRACTORS._table, **table})
    monkeypatch.setattr(auto, "LEARNED", ("upright", "orb"))


def photos(scene: RenderedPair, turns: int = 0) -> tuple[tp.Image, np.ndarray]:
    return scene.image0, np.ascontiguousarray(np.rot90(np.asarray(scene.image1), turns))


def test_a_clear_yes_is_the_end(scene: RenderedPair, monkeypatch: pytest.MonkeyPatch) -> None:
    families(monkeypatch, rootsift=30)
    result = tp.match(*photos(scene))
    assert result.log == ()
    assert [method["extractor"] for method in result.methods] == ["rootsift"]
    assert result.features0 is not None


def test_without_verification_the_first_method_is_the_last(scene: RenderedPair) -> None:
    result = tp.match(*photos(scene), verify=False, max_keypoints=100)
    assert [method["extractor"] for method in result.methods] == ["rootsift"]
    assert result.methods[0]["settings"]["max_keypoints"] == 100


def test_matches_are_joined_until_the_answer_is_yes(
    scene: RenderedPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    families(monkeypatch, rootsift=5000, rootsift_upright=30)
    result = tp.match(*photos(scene))
    assert result.verdict is not None
    assert result.verdict.answer == "yes"
    assert [method["extractor"] for method in result.methods] == ["rootsift", "upright"]
    assert {str(source) for source in result.matches.source} == {"rootsift", "upright"}
    counts = dict(result.matches.funnel)
    alone = [tp.match(*photos(scene), extractor=name).matches for name in ("rootsift", "upright")]
    assert [counts["rootsift"], counts["upright"]] == [len(matches) for matches in alone]
    assert counts["union"] == len(result.matches) > max(map(len, alone))
    assert counts["keypoints 0"] > 300
    assert len(result.log) == 2
    assert result.log[0].startswith("rootsift: same scene: no")
    assert result.log[1].startswith("and upright with nearest: same scene: yes")
    assert result.geometry is not None
    matches = result.geometry.matches[result.geometry.inliers]
    assert scene.correct(matches.xy0, matches.xy1).mean() > 0.9


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_photo_is_turned_back_for_features_that_need_it(
    turns: int, scene: RenderedPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    families(monkeypatch, rootsift=5000, upright=30, rootsift_upright=30)
    # RootSIFT would find it by itself, and the union with it.
    result = tp.match(*photos(scene, turns), matcher=tp.matchers.NearestNeighbour(ratio=0.05))
    assert result.verdict is not None
    assert result.verdict.answer == "yes"
    assert result.log[-1].startswith(f"and upright with nearest, photo 1 turned clockwise by {90 * turns} ")
    back = {1: [[0, -1, 399], [1, 0, 0]], 2: [[-1, 0, 399], [0, -1, 299]], 3: [[0, 1, 0], [-1, 0, 299]]}
    assert result.geometry is not None
    matches = result.geometry.matches[result.geometry.inliers]
    xy1 = matches.xy1 @ np.array(back[turns])[:, :2].T + np.array(back[turns])[:, 2]
    assert scene.correct(matches.xy0, xy1).mean() > 0.9


@pytest.mark.parametrize("likely", [True, False])
def test_a_likely_turn_is_kept_for_the_next_method(
    likely: bool, scene: RenderedPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    families(monkeypatch, rootsift=5000, upright=30, rootsift_upright=30)
    turned = tp.match(*photos(scene, 2), matcher=tp.matchers.NearestNeighbour(ratio=0.05))
    agree = np.count_nonzero(turned.geometry.inliers) if turned.geometry else 0
    # Of so many or a few more, less than a yes, but likely; of many more, neither.
    needed = round(1.04 * agree) if likely else 5000
    given = {"upright": needed, "rootsift_upright": needed, "rootsift_upright_orb": 30}
    families(monkeypatch, rootsift=5000, **given)
    result = tp.match(*photos(scene, 2), matcher=tp.matchers.NearestNeighbour(ratio=0.05))
    how = ", photo 1 turned clockwise by 180 degrees:" if likely else ":"
    assert result.log[-1].startswith(f"and orb with nearest{how}")
    assert result.verdict is not None
    assert result.verdict.answer == "yes"


def test_what_is_missing_is_named_once_at_the_end(
    scene: RenderedPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    families(monkeypatch, rootsift=5000, rootsift_absent=30)
    monkeypatch.setattr(auto, "LEARNED", ("absent",))
    result = tp.match(*photos(scene))
    assert result.log[-1] == (
        "learned features find more in hard pairs; get them with: tiepoint weights fetch absent"
    )
    assert [method["extractor"] for method in result.methods] == ["rootsift"]


def test_a_method_without_a_fitted_union_is_left_out(
    scene: RenderedPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    families(monkeypatch, rootsift=5000, rootsift_orb=30)
    result = tp.match(*photos(scene))
    assert [method["extractor"] for method in result.methods] == ["rootsift", "orb"]


def test_photos_without_a_feature(flat: tp.Image, monkeypatch: pytest.MonkeyPatch) -> None:
    families(monkeypatch, rootsift=30, rootsift_upright=30, rootsift_upright_orb=30)
    result = tp.match(flat, flat)
    assert len(result.matches) == 0
    assert result.verdict is not None
    assert result.verdict.answer == "unsure"
    assert "photo 0 has no features: nothing in it stands out for rootsift" in result.log


def test_a_method_that_finds_no_match_changes_nothing(
    scene: RenderedPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    families(monkeypatch, rootsift=5000, rootsift_upright=30)
    alone = tp.match(*photos(scene), extractor="rootsift")
    nothing = MatchResult(
        image0=scene.image0,
        image1=scene.image1,
        candidates=alone.candidates[:0],
        matches=alone.matches[:0],
    )
    tried = Stages.tried

    def finds_nothing(stages: Stages, attempt: Attempt, move: Move | None = None) -> MatchResult:
        return nothing if attempt.extractor.name == "upright" else tried(stages, attempt, move)

    monkeypatch.setattr(Stages, "tried", finds_nothing)
    result = tp.match(*photos(scene))
    assert result.features0 is not None
    assert result.matches.pairs is not None
    assert result.verdict == alone.verdict
    assert any(line.startswith("and upright") for line in result.log)


def test_a_method_that_fails_takes_nothing_away(scene: RenderedPair, monkeypatch: pytest.MonkeyPatch) -> None:
    families(monkeypatch, rootsift=5000, rootsift_upright=30, rootsift_orb=5000)

    def spoiled(_self: Upright, _image: tp.Image) -> tp.Features:
        raise tp.ReadError("the weights of upright are not what was published")

    monkeypatch.setattr(Upright, "extract", spoiled)
    result = tp.match(*photos(scene))
    assert (
        "upright with nearest could not be run: the weights of upright are not what was published"
        in result.log
    )
    assert [method["extractor"] for method in result.methods] == ["rootsift", "orb"]


def test_a_no_of_the_union_is_taken_back_where_the_first_method_left_it_open(
    scene: RenderedPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    families(monkeypatch, rootsift=5000, rootsift_upright=5000)
    monkeypatch.setattr(auto, "LEARNED", ("upright",))
    assert answer(tp.match(*photos(scene))) == "no"
    tried = Stages.tried

    def left_open(stages: Stages, attempt: Attempt, move: Move | None = None) -> MatchResult:
        result = tried(stages, attempt, move)
        if attempt.extractor.name != "rootsift" or result.verdict is None:
            return result
        return replace(result, verdict=replace(result.verdict, answer="unsure"))

    monkeypatch.setattr(Stages, "tried", left_open)
    result = tp.match(*photos(scene))
    assert answer(result) == "unsure"
    assert result.verdict is not None
    assert result.verdict.reasons[0] == "rootsift alone leaves it open"


def answer(result: MatchResult) -> str | None:
    return None if result.verdict is None else result.verdict.answer
