from __future__ import annotations

from typing import Any

import pytest

import tiepoint as tp
from tests.arrays import same
from tiepoint.evaluation import RenderedPair
from tiepoint.matchers import NearestNeighbour, View, get_matcher, match_descriptors


@pytest.fixture(scope="module")
def pair(scene: RenderedPair) -> tuple[tp.Features, tp.Features]:
    return tp.extract(scene.image0, "sift"), tp.extract(scene.image1, "sift")


def test_funnel_and_candidates(pair: tuple[tp.Features, tp.Features]) -> None:
    f0, f1 = pair
    matcher = NearestNeighbour(ratio=0.8, max_distance=200)
    candidates, matches = matcher.match_with_candidates(View(features=f0), View(features=f1))
    assert len(candidates) == len(f0)
    funnel = dict(matches.funnel)
    assert list(funnel) == ["keypoints 0", "keypoints 1", "nearest", "mutual", "ratio", "distance"]
    counts = list(funnel.values())[2:]
    assert counts == sorted(counts, reverse=True)
    assert funnel["distance"] == len(matches) > 20
    stages: tuple[tuple[str, dict[str, Any]], ...] = (
        ("mutual", {}),
        ("ratio", {"ratio": 0.8}),
        ("distance", {"ratio": 0.8, "max_distance": 200}),
    )
    for stage, options in stages:
        assert funnel[stage] == len(match_descriptors(f0.descriptors, f1.descriptors, "l2", **options)[0])


def test_matches_carry_their_keypoints(pair: tuple[tp.Features, tp.Features]) -> None:
    f0, f1 = pair
    matches = tp.match_features(f0, f1, ratio=0.8)
    assert matches.pairs is not None
    i, j = matches.pairs.T
    assert same(matches.xy0, f0.xy[i])
    assert same(matches.xy1, f1.xy[j])
    assert f0.angle is not None
    assert same(matches.angle0, f0.angle[i])
    assert same(matches.size1, f1.size[j])
    assert set(matches.source) == {"sift"}


def test_thresholds_can_be_applied_again(pair: tuple[tp.Features, tp.Features]) -> None:
    late = tp.match_features(*pair).where(ratio=0.75, max_distance=180)
    early = tp.match_features(*pair, ratio=0.75, max_distance=180)
    assert same(late.pairs, early.pairs)
    assert late.funnel == early.funnel


def test_ratio_both_is_a_stage_of_its_own(pair: tuple[tp.Features, tp.Features]) -> None:
    matches = tp.match_features(*pair, ratio=0.8, ratio_both=True)
    plain = match_descriptors(pair[0].descriptors, pair[1].descriptors, "l2", ratio=0.8, ratio_both=True)
    assert same(matches.pairs, plain[0])
    assert [stage for stage, _ in matches.funnel][3:] == ["mutual", "ratio", "ratio back"]


def test_the_ratio_test_makes_matches_right(
    scene: RenderedPair, pair: tuple[tp.Features, tp.Features]
) -> None:
    raw, kept = tp.match_features(*pair), tp.match_features(*pair, ratio=0.8)
    share_raw = scene.correct(raw.xy0, raw.xy1).mean()
    share_kept = scene.correct(kept.xy0, kept.xy1).mean()
    assert share_kept > 0.85 > share_raw


def test_different_extractors_are_not_compared(
    scene: RenderedPair, pair: tuple[tp.Features, tp.Features]
) -> None:
    root = tp.extract(scene.image1, "rootsift")
    with pytest.raises(tp.DataError, match=r"sift \(l2\) cannot be matched with features of rootsift"):
        tp.match_features(pair[0], root)
    with pytest.raises(tp.DataError, match="extract both photos with the same extractor"):
        tp.match_features(pair[0], tp.extract(scene.image1, "orb"))


def test_nothing_to_match_is_a_value(pair: tuple[tp.Features, tp.Features]) -> None:
    nothing = tp.match_features(pair[0], pair[1][:0], ratio=0.8, max_distance=3)
    assert len(nothing) == 0
    assert nothing.funnel[0] == ("keypoints 0", len(pair[0]))


def test_wrong_matchers_and_options_are_told() -> None:
    with pytest.raises(tp.OptionError, match="there is no matcher 'flann'"):
        get_matcher("flann")
    with pytest.raises(tp.OptionError, match="no option 'rato'; did you mean 'ratio"):
        get_matcher(rato=0.8)
    with pytest.raises(
        tp.OptionError, match="matcher is given by its name or as an object of Matcher, not float"
    ):
        get_matcher(0.8)  # type: ignore[arg-type]
    with pytest.raises(tp.OptionError, match="ratio_both needs a ratio"):
        NearestNeighbour(ratio_both=True)
    with pytest.raises(tp.OptionError, match=r"into the matcher itself: NearestNeighbour\(ratio"):
        get_matcher(NearestNeighbour(), ratio=0.8)


def test_a_view_extracts_when_first_asked_and_once(scene: RenderedPair) -> None:
    calls = []

    def extract() -> tp.Features:
        calls.append(1)
        return tp.extract(scene.image0, "orb")

    view = View(image=scene.image0, features=extract)
    assert view.extracted is None
    assert view.features is view.features
    assert len(calls) == 1
    with pytest.raises(tp.DataError, match="looks at the photos themselves"):
        _ = View(features=view.features).image
