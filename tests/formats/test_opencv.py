from __future__ import annotations

import cv2
import numpy as np
import pytest

import tiepoint as tp
from tests.arrays import same
from tiepoint.evaluation import RenderedPair
from tiepoint.formats import from_dmatches, from_keypoints, to_dmatches, to_keypoints
from tiepoint.formats.opencv import keypoint_table


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


@pytest.mark.parametrize(
    ("angles", "expected"),
    [
        ((-180, 10, 180), [180, 10, 180]),  # as FREAK has them
        ((-1, 10, 0), [359, 10, 0]),
        ((-1e-9, 360, -90), [0, 0, 270]),
        ((-1, -1, -1), None),
        ((-1, -1, -2), [359, 359, 358]),
    ],
)
def test_angles_are_brought_to_one_turn_and_only_unknown_ones_left_out(
    angles: tuple[float, ...], expected: list[float] | None
) -> None:
    keypoints = [cv2.KeyPoint(1, 1, 5, angle, 0) for angle in angles]
    made = from_keypoints(
        keypoints, np.zeros((3, 4), np.uint8), metric="l2", image_size=(4, 3), extractor="mine"
    )
    assert (None if made.angle is None else made.angle.tolist()) == expected


def test_the_table_of_keypoints() -> None:
    table = keypoint_table([cv2.KeyPoint(3, 4, 7, -90, 0.5), cv2.KeyPoint(1, 2, 3, -1e-9, 0)])
    assert table.dtype == np.float32
    assert table.tolist() == [[3, 4, 7, 270, 0.5], [1, 2, 3, 0, 0]]
    assert keypoint_table(()).shape == (0, 5)


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
    with pytest.raises(tp.DataError, match="point outside of the 3 features of photo 0"):
        from_dmatches(dmatches, pair[0][:3], pair[1])


def test_what_a_dmatch_needs_is_not_made_up(pair: tuple[tp.Features, tp.Features]) -> None:
    matches = tp.match_features(*pair)
    with pytest.raises(tp.DataError, match="no indices"):
        to_dmatches(tp.Matches.union(matches))
    assert matches.pairs is not None
    with pytest.raises(tp.DataError, match="no distances"):
        to_dmatches(tp.Matches.between(*pair, matches.pairs, source="orb"))
