"""PoseLib behind the interface: what it would do on its own, and where it has to be watched."""

from __future__ import annotations

import sys

import numpy as np
import poselib
import pytest

import tiepoint as tp
from tests.geometry.two_views import CAMERA0, CAMERA1, H_1_FROM_0, planar, spatial, there, warp
from tiepoint.geometry import ESTIMATORS, estimate_homography, estimate_relative_pose


def test_as_poselib_itself(rng: np.random.Generator) -> None:
    xy0, xy1 = planar(rng, noise=1)
    found = estimate_homography(xy0, xy1, max_error=3, seed=7)
    matrix, info = poselib.estimate_homography(xy0, xy1, {"max_reproj_error": 3, "seed": 7}, {})
    np.testing.assert_allclose(there(found.matrix), matrix / matrix[2, 2], rtol=1e-12)
    assert found.inliers.tolist() == info["inliers"]
    assert found.iterations == info["iterations"]


def test_pose_as_poselib_itself(rng: np.random.Generator) -> None:
    xy0, xy1 = spatial(rng)
    found = estimate_relative_pose(xy0, xy1, CAMERA0, CAMERA1, max_error=0.7)
    cameras = [
        {"model": "PINHOLE", "width": 900, "height": 900, "params": [k[0, 0], k[1, 1], k[0, 2], k[1, 2]]}
        for k in (CAMERA0, CAMERA1)
    ]
    pose, info = poselib.estimate_relative_pose(xy0, xy1, *cameras, {"max_epipolar_error": 0.7}, {})
    assert np.array_equal(there(found.R), pose.R)
    np.testing.assert_allclose(there(found.t), pose.t / np.linalg.norm(pose.t), rtol=1e-12)
    assert found.inliers.tolist() == info["inliers"]


def test_what_the_last_call_left_in_memory_is_no_result(rng: np.random.Generator) -> None:
    """Of a mirrored plane no sample gives a model; PoseLib then reports on memory it never set."""
    xy0 = rng.uniform(0, 600, (200, 2))
    mirrored = warp(H_1_FROM_0, xy0 * [-1, 1] + [600, 0])
    for _ in range(20):
        assert estimate_homography(xy0, warp(H_1_FROM_0, xy0))
        found = estimate_homography(xy0, mirrored, max_iterations=1000)
        assert found.reason == "no homography agrees with four of the matches or more"


def test_missing_is_said_with_the_command(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    monkeypatch.setitem(sys.modules, "poselib", None)
    assert ESTIMATORS.load("poselib").missing() == "pip install 'poselib>=2.0.4,<2.1'"
    with pytest.raises(tp.MissingError, match=r"PoseLib is not installed; .* or take the estimator magsac"):
        estimate_homography(*planar(rng))


def test_a_version_with_other_options_is_refused(
    monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    """PoseLib passes over names it does not know: the threshold would be its own, in silence."""
    known = {name: value for name, value in poselib.RansacOptions().items() if name != "max_reproj_error"}
    monkeypatch.setattr(poselib, "RansacOptions", lambda: known)
    with pytest.raises(
        tp.MissingError, match="has no option max_reproj_error; get one that has: pip install"
    ):
        estimate_homography(*planar(rng))
