"""OpenCV behind the interface: the flags it stands for, the state it leaves, the failures it words."""

from __future__ import annotations

import sys
from typing import Any

import cv2
import numpy as np
import pytest

import tiepoint as tp
from tests.geometry.two_views import CAMERA0, CAMERA1, H_1_FROM_0, planar, spatial, there, warp
from tiepoint.geometry import ESTIMATORS, estimate_homography, estimate_relative_pose

BOTH = {"opencv": cv2.RANSAC, "magsac": cv2.USAC_MAGSAC}


@pytest.mark.parametrize("name", BOTH)
def test_as_opencv_itself(name: str, rng: np.random.Generator) -> None:
    xy0, xy1 = planar(rng, noise=1)
    found = estimate_homography(xy0, xy1, estimator=name, max_error=3)
    matrix, mask = cv2.findHomography(xy0, xy1, BOTH[name], 3.0, maxIters=10_000, confidence=0.9999)
    assert np.array_equal(there(found.matrix), matrix / matrix[2, 2])
    assert found.inliers.tolist() == mask.ravel().astype(bool).tolist()
    assert found.iterations is None


@pytest.mark.parametrize("name", BOTH)
def test_pose_as_opencv_itself(name: str, rng: np.random.Generator) -> None:
    """With one camera, where the kinds of mean focal length agree."""
    camera = np.array([[700.0, 0, 320], [0, 700, 240], [0, 0, 1]])
    points = rng.uniform([-2, -2, 4], [2, 2, 8], (300, 3))
    xy0 = warp(camera, points[:, :2] / points[:, 2:]) + rng.normal(0, 0.3, (300, 2))
    points += [0.7, 0, 0.1]
    xy1 = warp(camera, points[:, :2] / points[:, 2:]) + rng.normal(0, 0.3, (300, 2))
    found = estimate_relative_pose(xy0, xy1, camera, camera, estimator=name, max_error=0.8)
    essential, mask = cv2.findEssentialMat(
        xy0, xy1, camera, method=BOTH[name], prob=0.9999, threshold=0.8, maxIters=10_000
    )
    _, rotation, translation, _ = cv2.recoverPose(essential, xy0, xy1, camera, mask=mask.copy())
    np.testing.assert_allclose(there(found.R), rotation, atol=1e-5)
    np.testing.assert_allclose(there(found.t), translation.ravel(), atol=1e-5)
    assert np.mean(found.inliers == mask.ravel().astype(bool)) > 0.99


@pytest.mark.parametrize("name", BOTH)
def test_the_global_randomness_has_no_say_and_is_left_alone(name: str, rng: np.random.Generator) -> None:
    plane, space = planar(rng, noise=1.5), spatial(rng, noise=1)
    results = []
    for seed in (1, 2):
        cv2.setRNGSeed(seed)
        untouched = cv2.randu(np.zeros((1, 4)), 0, 1).tolist()
        cv2.setRNGSeed(seed)
        homography = estimate_homography(*plane, estimator=name, seed=3)
        pose = estimate_relative_pose(*space, CAMERA0, CAMERA1, estimator=name, seed=3)
        assert cv2.randu(np.zeros((1, 4)), 0, 1).tolist() == untouched
        results.append((homography, pose))
    for a, b in zip(*results, strict=True):
        assert np.array_equal(a.matrix, b.matrix)
        assert np.array_equal(a.inliers, b.inliers)


def test_inliers_of_shuffled_matches_are_in_their_order(rng: np.random.Generator) -> None:
    xy0, xy1 = planar(rng)
    for seed in (0, 1, 2):
        inliers = estimate_homography(xy0, xy1, estimator="opencv", max_error=3, seed=seed).inliers
        assert inliers[150:].mean() > 0.95
        assert inliers[:150].mean() < 0.1
    xy0, xy1 = spatial(rng)
    inliers = estimate_relative_pose(xy0, xy1, CAMERA0, CAMERA1, estimator="opencv", seed=1).inliers
    assert inliers[120:].mean() > 0.8
    assert inliers[:120].mean() < 0.1


def test_who_finds_a_mirrored_plane(rng: np.random.Generator) -> None:
    xy0 = rng.uniform(0, 600, (200, 2))
    mirrored = warp(H_1_FROM_0, xy0 * [-1, 1] + [600, 0])
    found = {name: bool(estimate_homography(xy0, mirrored, estimator=name)) for name in ESTIMATORS.names()}
    assert found == {"poselib": False, "opencv": True, "magsac": False}


@pytest.mark.parametrize("name", BOTH)
def test_failures_of_opencv_are_reasons(
    name: str, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        cv2.resize(np.zeros((0, 0)), (1, 1))

    monkeypatch.setattr(cv2, "findHomography", fail)
    monkeypatch.setattr(cv2, "findEssentialMat", fail)
    plane, space = planar(rng), spatial(rng)
    for found in (
        estimate_homography(*plane, estimator=name),
        estimate_relative_pose(*space, CAMERA0, CAMERA1, estimator=name),
    ):
        assert found.reason is not None
        assert found.reason.startswith("OpenCV gave up on these matches: ")
        assert "\n" not in found.reason


def test_missing_is_said_with_the_command(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert ESTIMATORS.load("magsac").missing() == "pip install opencv-python-headless"
    with pytest.raises(tp.MissingError, match=r"OpenCV is not installed; .* or take the estimator poselib"):
        estimate_homography(*planar(rng), estimator="magsac")
