from __future__ import annotations

import cv2
import pytest

import tiepoint as tp
from tests.arrays import same
from tiepoint.evaluation import RenderedPair
from tiepoint.formats import from_dmatches, from_keypoints, to_dmatches, to_keypoints


@pytest.fixture(scope="module")
def pair(scene: RenderedPair) -> tuple[tp.Features, tp.Features]:
    return tp.extract(scene.image0, "orb", max_keypoints=300), tp.extract(
        scene.image1, "orb", max_keypoints=300
    )


def test_keypoints_there_and_back(pair: tuple[tp.Features, tp.Features]) -> None:
    keypoints = to_keypoints(pair[0])
    assert isinstance(keypoints[0], cv2.KeyPoint)
    back = from_keypoints(
        keypoints, pair[0].descriptors, metric="hamming", image_size=(400, 300), extractor="orb"
    )
    for name in ("xy", "size", "angle", "score", "descriptors"):
        assert same(getattr(back, name), getattr(pair[0], name))


def test_opencv_can_draw_and_describe_them(
    scene: RenderedPair, pair: tuple[tp.Features, tp.Features]
) -> None:
    canvas = cv2.drawKeypoints(scene.image0.gray, to_keypoints(pair[0]), None)
    assert canvas.shape == (300, 400, 3)
    matches = tp.match_features(*pair)
    both = cv2.drawMatches(
        scene.image0.gray,
        to_keypoints(pair[0]),
        scene.image1.gray,
        to_keypoints(pair[1]),
        to_dmatches(matches),
        None,
    )
    assert both.shape == (300, 800, 3)


def test_unknown_angles_are_minus_one(scene: RenderedPair) -> None:
    upright = tp.extract(scene.image0, "sift", upright=True, max_keypoints=20)
    keypoints = to_keypoints(upright)
    assert {k.angle for k in keypoints} == {-1}
    assert (
        from_keypoints(
            keypoints, upright.descriptors, metric="l2", image_size=(400, 300), extractor="mine"
        ).angle
        is None
    )


def test_no_keypoints(pair: tuple[tp.Features, tp.Features]) -> None:
    nothing = from_keypoints((), None, metric="hamming", image_size=(4, 3), extractor="orb")
    assert len(nothing) == 0
    assert to_keypoints(nothing) == []
    with pytest.raises(tp.DataError, match="300 keypoints need descriptors"):
        from_keypoints(to_keypoints(pair[0]), None, metric="hamming", image_size=(400, 300), extractor="orb")


def test_dmatches_there_and_back(pair: tuple[tp.Features, tp.Features]) -> None:
    matches = tp.match_features(*pair)
    back = from_dmatches(to_dmatches(matches), *pair)
    assert same(back.pairs, matches.pairs)
    assert same(back.distance, matches.distance)
    assert same(back.xy1, matches.xy1)
    assert back.second_distance is None


def test_knn_matches_bring_the_second_distance(pair: tuple[tp.Features, tp.Features]) -> None:
    two = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(pair[0].descriptors, pair[1].descriptors, k=2)
    raw = from_dmatches(two, *pair)
    ours = tp.match_features(*pair, cross_check=False, ratio=0.8)
    assert same(raw.where(ratio=0.8).pairs, ours.pairs)
    assert len(from_dmatches([(), two[0]], *pair)) == 1


def test_matches_of_other_features_are_refused(pair: tuple[tp.Features, tp.Features]) -> None:
    dmatches = to_dmatches(tp.match_features(*pair))
    with pytest.raises(tp.DataError, match="point outside of the 3 and 300 features"):
        from_dmatches(dmatches, pair[0][:3], pair[1])
    unindexed = tp.Matches.union(tp.match_features(*pair), tp.match_features(*pair)[[0]])
    without = tp.Matches(
        xy0=unindexed.xy0, xy1=unindexed.xy1, source="x", image_size0=(400, 300), image_size1=(400, 300)
    )
    with pytest.raises(tp.DataError, match="no indices"):
        to_dmatches(without)
