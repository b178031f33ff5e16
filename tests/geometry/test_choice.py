"""Plane or depth: scenes whose kind is known, with wrong matches among them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.geometry.known_matches import CAMERA, H_TRUE, anywhere, as_matches, deep, flat
from tests.geometry.two_views import Array
from tiepoint.geometry.choice import choose

MIRROR = np.array([[-1.0, 0, 799], [0, 1, 0], [0, 0, 1]])
CAMERAS = (CAMERA, CAMERA)
STILL = np.zeros(3)
SEEDS = range(10)


@pytest.mark.parametrize("wrong", [0, 60, 120, 160])
def test_a_plane_is_a_homography(wrong: int, rng: np.random.Generator) -> None:
    matches = as_matches(*flat(rng, 200, wrong))
    for cameras, kind in ((None, "planar or panoramic"), (CAMERAS, "planar")):
        fit, configuration = choose(matches, 2.0, cameras)
        assert (fit.model, configuration) == ("homography", kind)
        assert fit.inliers[wrong:].all()


@pytest.mark.parametrize("wrong", [0, 60, 120, 150])
def test_depth_is_a_fundamental_matrix(wrong: int, rng: np.random.Generator) -> None:
    matches = as_matches(*deep(rng, 200, wrong))
    for cameras, model in ((None, "fundamental"), (CAMERAS, "essential")):
        fit, configuration = choose(matches, 2.0, cameras)
        assert (fit.model, configuration) == (model, "general")
        assert fit.inliers[wrong:].mean() > 0.97


@pytest.mark.parametrize("wrong", [0, 60, 120])
def test_a_camera_that_turned_is_a_homography(wrong: int, rng: np.random.Generator) -> None:
    matches = as_matches(*deep(rng, 200, wrong, t=STILL))
    assert choose(matches, 2.0, None).configuration == "planar or panoramic"
    fit, configuration = choose(matches, 2.0, CAMERAS)
    assert (fit.model, configuration) == ("homography", "panoramic")


@pytest.mark.parametrize("share", [0.2, 0.4])
def test_a_plane_with_things_before_it_has_depth(share: float, rng: np.random.Generator) -> None:
    # A wall far away, as if the camera only turned, and things nearer.
    far0, far1 = deep(rng, 200, t=STILL)
    near0, near1 = deep(rng, round(200 * share))
    fit, configuration = choose(as_matches(np.vstack([far0, near0]), np.vstack([far1, near1])), 2.0, None)
    assert (fit.model, configuration) == ("fundamental", "general")
    assert fit.inliers.mean() > 0.95


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("m", [10, 50, 300])
def test_random_matches_are_nothing_to_choose(m: int, seed: int) -> None:
    rng = np.random.default_rng([m, seed])
    assert choose(as_matches(anywhere(rng, m), anywhere(rng, m)), 2.0, None).configuration is None


def test_a_mirrored_plane_is_seen_as_one(rng: np.random.Generator) -> None:
    fit, configuration = choose(as_matches(*flat(rng, 200, 60, H_1_from_0=MIRROR @ H_TRUE)), 2.0, None)
    assert (fit.model, configuration) == ("homography", "planar or panoramic")
    assert fit.matrix is not None
    assert np.linalg.det(fit.matrix) < 0
    assert fit.count >= 139


@pytest.mark.parametrize(("m", "reason"), [
    (0, "0 matches and no more; a homography needs 4"), (3, "3 matches and no more; a homography needs 4"),
])  # fmt: skip
def test_the_least_that_is_missing_is_told(m: int, reason: str, rng: np.random.Generator) -> None:
    fit, configuration = choose(as_matches(*flat(rng, m)), 2.0, None)
    assert not fit
    assert (fit.reason, configuration) == (reason, None)


def test_the_best_attempt_is_given_where_chance_explains_it(rng: np.random.Generator) -> None:
    # Four always agree on a homography: there is one, but it says nothing.
    fit, configuration = choose(as_matches(*flat(rng, 4)), 2.0, None)
    assert (fit.model, fit.count, configuration) == ("homography", 4, None)


@pytest.mark.parametrize("off", [0.0, 0.02])
def test_cameras_that_are_a_little_off_still_tell_a_turn(off: float, rng: np.random.Generator) -> None:
    camera: Array = CAMERA * np.array([[1 + off], [1 + off], [1]]) + np.diag([0, 0, 0.0])
    camera[:2, 2] = CAMERA[:2, 2]
    matches = as_matches(*deep(rng, 200, t=STILL))
    assert choose(matches, 2.0, (camera, camera)).configuration == "panoramic"
