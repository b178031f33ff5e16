"""One method whose keypoints have no angle, on a turned photo."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import ArrayLike

import tiepoint as tp
import tiepoint.verdict
from tests.geometry.two_views import Array
from tiepoint.evaluation import RenderedPair
from tiepoint.evaluation.calibration import Methods
from tiepoint.extractors import EXTRACTORS
from tiepoint.extractors.opencv.sift import Sift
from tiepoint.options import option
from tiepoint.pipeline.moves import Move
from tiepoint.pipeline.stages import Attempt, Stages
from tiepoint.types import Features, Image
from tiepoint.verdict import Family


@dataclass(frozen=True, kw_only=True)
class Unaware(Sift):
    """Does not know how its keypoints are turned, as learned features do not."""

    name: ClassVar[str] = "unaware"
    upright: bool = option(True, "no orientations")

    def extract(self, image: Image, mask: ArrayLike | Image | None = None) -> Features:
        return replace(super().extract(image, mask), angle=None)


@pytest.fixture(autouse=True)
def _stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EXTRACTORS, "_table", {**EXTRACTORS._table, "unaware": f"{__name__}:Unaware"})
    plain = tuple(
        Family(name=name, sources=(name,), intercept=-12, weights={"inliers": 2.5}, yes=0.9, no=0.1)
        for name in ("unaware", "sift")
    )
    monkeypatch.setattr(tiepoint.verdict, "families", lambda: plain)


def turned(image: Image, quarters: int) -> tp.Image:
    return tp.Image(pixels=np.ascontiguousarray(np.rot90(np.asarray(image), quarters)))


def upright(xy: Array, quarters: int) -> Array:
    """Take places in the photo, 400 x 300, turned counter-clockwise back to the photo as it was."""
    back = {1: [[0, -1, 399], [1, 0, 0]], 2: [[-1, 0, 399], [0, -1, 299]], 3: [[0, 1, 0], [-1, 0, 299]]}
    return np.asarray(xy @ np.array(back[quarters])[:, :2].T + np.array(back[quarters])[:, 2])


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_photo_is_matched(quarters: int, scene: RenderedPair) -> None:
    result = tp.match(scene.image0, turned(scene.image1, quarters), extractor="unaware")
    assert result.verdict is not None
    assert result.geometry is not None
    assert result.features1 is not None
    assert result.verdict.answer == "yes"
    # It was turned counter-clockwise.
    [line] = result.log
    assert line.startswith(f"photo 1 was turned clockwise by {90 * quarters} degrees for unaware, ")
    matches = result.geometry.matches[result.geometry.inliers]
    assert scene.correct(matches.xy0, upright(matches.xy1, quarters)).mean() > 0.9
    # The features are those of the photo, not of the turned one.
    assert result.matches.pairs is not None
    assert np.array_equal(result.matches.xy1, result.features1.xy[result.matches.pairs[:, 1]])


def test_a_photo_as_it_is_is_not_turned(scene: RenderedPair) -> None:
    result = tp.match(scene.image0, scene.image1, extractor="unaware")
    assert result.verdict is not None
    assert (result.verdict.answer, result.log) == ("yes", ())


def test_what_no_turn_makes_a_yes_stays_as_it_is(scene: RenderedPair) -> None:
    result = tp.match(
        scene.image0, np.random.default_rng(0).integers(0, 256, (300, 400), np.uint8), extractor="unaware"
    )
    assert result.verdict is not None
    assert result.verdict.answer != "yes"
    assert not any("turned" in line for line in result.log)


def test_keypoints_with_angles_need_no_turns(scene: RenderedPair, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Image] = []
    extract = Sift.extract

    def counted(self: Sift, image: Image, mask: ArrayLike | Image | None = None) -> Features:
        asked.append(image)
        return extract(self, image, mask)

    monkeypatch.setattr(Sift, "extract", counted)
    noise = np.random.default_rng(0).integers(0, 256, (300, 400), np.uint8)
    tp.match(scene.image0, noise, extractor="sift")
    assert len(asked) == 3  # the second photo as it is, and its mirror image
    asked.clear()
    tp.match(scene.image0, noise, extractor="unaware")
    assert len(asked) == 6


def test_without_a_probability_nothing_else_is_tried(
    scene: RenderedPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiepoint.verdict, "families", lambda: ())
    asked: list[Move | None] = []
    tried = Stages.tried

    def counted(self: Stages, attempt: Attempt, move: Move | None = None) -> tp.MatchResult:
        asked.append(move)
        return tried(self, attempt, move)

    monkeypatch.setattr(Stages, "tried", counted)
    for name in ("sift", "unaware"):
        result = tp.match(scene.image0, turned(scene.image1, 1), extractor=name)
        assert result.verdict is not None
        assert (result.verdict.answer, result.verdict.probability) == ("unsure", None)
    assert asked == [None, None]


def test_a_trial_tries_turns_as_match_does(scene: RenderedPair) -> None:
    found = Methods("unaware").geometry("a pair", scene.image0, turned(scene.image1, 1))
    result = tp.match(scene.image0, turned(scene.image1, 1), extractor="unaware")
    assert result.geometry is not None
    assert np.array_equal(found.matches.xy1, result.geometry.matches.xy1)
    assert np.array_equal(found.inliers, result.geometry.inliers)
    assert found.matches.image_size1 == (300, 400)
