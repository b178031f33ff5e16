"""Turning and growing keypoints against what a homography does to small steps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

import tiepoint as tp
from tests.geometry.known_matches import H_TRUE, anywhere, as_matches, flat, turned_along
from tests.geometry.two_views import Array, warp
from tiepoint.geometry.consistency import agreement, along, largest_group, turn_and_growth

pytestmark = pytest.mark.usefixtures("with_and_without_core")

MIRROR = np.array([[-1.0, 0, 799], [0, 1, 0], [0, 0, 1]])
NOTHING = np.empty((0, 2))


@pytest.mark.parametrize("H_1_from_0", [H_TRUE, MIRROR, np.diag([0.25, 0.25, 1]), MIRROR @ H_TRUE])
def test_right_keypoints_agree_with_their_homography(H_1_from_0: Array, rng: np.random.Generator) -> None:
    xy0, xy1 = flat(rng, 300, 100, H_1_from_0=H_1_from_0)
    matches = as_matches(xy0, xy1, **turned_along(rng, xy0, H_1_from_0, 100))
    right = np.arange(300) >= 100
    assert agreement(matches, right, H_1_from_0) == 1
    wrong = agreement(matches, ~right, H_1_from_0)
    assert wrong is not None
    assert wrong < 0.25  # 60 of 360 degrees, and most but not all growths are within 0.7 octaves
    everyone = agreement(matches, np.ones(300, bool), H_1_from_0)
    assert everyone == pytest.approx((200 + 100 * wrong) / 300)
    # Any scale and sign of the matrix is the same homography.
    assert agreement(matches, right, -3 * H_1_from_0) == 1


def test_the_limits_are_30_degrees_and_0_7_octaves() -> None:
    turns = np.array([0, 29, -29, 31, -31, 180, 359, 331], np.float32)
    xy = np.stack([np.arange(8) * 50, np.arange(8) ** 2], axis=1)
    matches = as_matches(
        xy, xy, angle0=np.full(8, 350, np.float32), angle1=(350 + turns) % 360,
        size0=np.full(8, 4, np.float32), size1=np.full(8, 4, np.float32),
    )  # fmt: skip
    everyone = np.ones(8, bool)
    assert agreement(matches, everyone, np.eye(3)) == 5 / 8
    grown = replace(
        matches,
        angle1=matches.angle0,
        size1=4 * np.exp2(np.array([0, 0.69, -0.69, 0.71, -0.71, 3, -3, 0], np.float32)),
    )
    assert agreement(grown, everyone, np.eye(3)) == 4 / 8
    twice = np.diag([2.0, 2, 1])
    assert agreement(grown, everyone, twice) == 2 / 8  # 0.69 and 0.71 octaves are within 0.7 of one


def test_an_angle_is_that_of_a_gradient() -> None:
    # Squeezed to a quarter from left to right, lines that lean by 45 degrees nearly stand.
    squeezed = np.diag([0.25, 1, 1])
    xy = np.array([[40.0, 20], [80, 50], [120, 20]])
    known = {
        "size0": np.full(3, 4, np.float32),
        "size1": np.full(3, 2, np.float32),
        "angle0": np.array([45, 135, 315], np.float32),
    }
    standing = np.degrees(np.arctan2([1, 1, -1], [4, -4, 4])).astype(np.float32)
    lying = np.degrees(np.arctan2([4, 4, -4], [1, -1, 1])).astype(np.float32)
    for after, share in ((standing, 1), (lying, 0), (standing + 180, 0)):
        matches = as_matches(xy, warp(squeezed, xy), angle1=after % 360, **known)
        assert agreement(matches, np.ones(3, bool), squeezed) == share


def test_keypoints_of_sift_turn_as_a_slanted_view_says(rng: np.random.Generator) -> None:
    noise = rng.uniform(0, 1, (3, 800, 1200)).astype(np.float32)
    layers = [cv2.GaussianBlur(layer, (0, 0), 2 << k) for k, layer in enumerate(noise)]
    cloth = sum(cv2.normalize(layer, None, 0, 1, cv2.NORM_MINMAX) for layer in layers)
    cloth = cv2.normalize(cloth, None, 0, 255, cv2.NORM_MINMAX)
    slanted = np.array([[0.5, 0.25, 5], [0, 1, 0], [0, 0, 1]])
    seen = cv2.warpPerspective(cv2.GaussianBlur(cloth, (0, 0), 1, sigmaY=0.1), slanted, (820, 800))
    photos = (photo.astype(np.uint8) for photo in (cloth, seen))
    matches = tp.match(*photos, extractor="sift", verify=False).matches
    near = np.linalg.norm(warp(slanted, matches.xy0.astype(float)) - matches.xy1, axis=1) < 2
    assert np.count_nonzero(near) >= 15
    assert agreement(matches, near, slanted) == 1
    assert matches.angle0 is not None
    assert matches.angle1 is not None
    angle0, angle1 = np.radians(matches.angle0[near]), np.radians(matches.angle1[near])
    seen_at = np.stack([np.cos(angle0), np.sin(angle0)])
    gradients, steps = np.linalg.inv(slanted[:2, :2]).T @ seen_at, slanted[:2, :2] @ seen_at
    off = [np.median(np.abs(np.sin(np.arctan2(way[1], way[0]) - angle1))) for way in (gradients, steps)]
    assert off[0] < 0.1 < 0.2 < off[1], off


def counted(turn: list[float], growth: list[float]) -> int:
    """The largest group, by two loops."""
    return max(
        sum(
            abs((a - b + 180) % 360 - 180) <= 30 and abs(c - d) <= 0.7
            for b, d in zip(turn, growth, strict=True)
        )
        for a, c in zip(turn, growth, strict=True)
    )


@pytest.mark.parametrize("m", [1, 2, 3, 50, 400])
def test_the_largest_group_is_that_of_two_loops(m: int, rng: np.random.Generator) -> None:
    xy0, xy1 = flat(rng, m)
    matches = as_matches(xy0, xy1, **turned_along(rng, xy0, H_TRUE, m // 2, off=20))
    seen = turn_and_growth(matches)
    assert seen is not None
    assert largest_group(matches) == counted(*(values.tolist() for values in seen))
    if m > 1:
        share = agreement(matches, np.ones(m, bool), None)
        assert share == (counted(*(values.tolist() for values in seen)) - 1) / (m - 1)


def test_of_many_some_stand_for_all(rng: np.random.Generator) -> None:
    xy0, xy1 = flat(rng, 5000)
    matches = as_matches(xy0, xy1, **turned_along(rng, xy0, H_TRUE, 2500))
    assert 2500 <= largest_group(matches) < 2500 * 1.25


def test_others_that_go_along(rng: np.random.Generator) -> None:
    xy0, xy1 = flat(rng, 200)
    matches = as_matches(xy0, xy1, **turned_along(rng, xy0, np.eye(3), 100))
    inliers = np.arange(200) >= 150
    went = along(matches, inliers, matches[~inliers])
    assert went[100:].all()
    assert went[:100].mean() < 0.3
    assert along(matches, np.zeros(200, bool), matches).all()  # nothing to go by
    assert along(matches, inliers, as_matches(xy0, xy1)).all()


def test_unknown_angles_say_nothing(rng: np.random.Generator) -> None:
    xy = anywhere(rng, 20)
    bare = as_matches(xy, xy)
    known = as_matches(xy, xy, **turned_along(rng, xy, np.eye(3)))
    everyone = np.ones(20, bool)
    assert turn_and_growth(bare) is None
    assert agreement(bare, everyone, np.eye(3)) is None
    assert largest_group(bare) == 0
    for name in ("angle0", "angle1", "size0", "size1"):
        unknown: dict[str, Any] = {name: None}
        assert agreement(replace(known, **unknown), everyone, None) is None
    # A size of 0 grows by no number of octaves.
    assert turn_and_growth(replace(known, size0=np.zeros(20, np.float32))) is None
    assert agreement(known, np.arange(20) < 1, None) is None
    none = as_matches(
        NOTHING, NOTHING, **{name: np.empty(0, np.float32) for name in ("angle0", "angle1", "size0", "size1")}
    )
    assert largest_group(none) == 0
    assert agreement(none, np.zeros(0, bool), None) is None


def test_a_point_on_the_horizon_makes_no_noise(rng: np.random.Generator) -> None:
    xy = np.array([[100.0, 50], [200, 80], [300, 90]])
    H = np.array([[1.0, 0, 0], [0, 1, 0], [0.01, 0, -1]])  # the first goes to infinity
    matches = as_matches(xy, xy, **turned_along(rng, xy, np.eye(3)))
    share = agreement(matches, np.ones(3, bool), H)
    assert share is not None
    assert 0 <= share <= 1
