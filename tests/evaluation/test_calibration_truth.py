"""Geometries held against three kinds of truth."""

from __future__ import annotations

import numpy as np
import pytest

import tiepoint as tp
from tests.geometry.known_matches import CAMERA, H_TRUE, R_TRUE, T_TRUE, as_matches, deep, flat
from tests.geometry.two_views import Array
from tiepoint.evaluation.calibration import confirmed
from tiepoint.evaluation.calibration.truth import fundamental
from tiepoint.evaluation.datasets import HomographyTruth, PoseTruth

MOVED = np.array([[1.0, 0, 30], [0, 1, 0], [0, 0, 1]])
PLANE, POSE = HomographyTruth(H_1_from_0=H_TRUE), PoseTruth(K0=CAMERA, K1=CAMERA, R=R_TRUE, t=3 * T_TRUE)


def by_hand(xy0: Array, xy1: Array) -> Array:
    return np.hstack([xy0, xy1])


@pytest.mark.parametrize("model", ["auto", "homography", "fundamental"])
def test_a_true_plane(model: str, rng: np.random.Generator) -> None:
    xy0, xy1 = flat(rng, 150, 50)
    geometry = tp.verify(as_matches(xy0, xy1), model=model)
    assert geometry
    # A fundamental matrix may be any that holds the plane: its inliers say that it is right.
    assert confirmed(geometry, PLANE) is True
    assert confirmed(geometry, HomographyTruth(H_1_from_0=MOVED @ H_TRUE)) is False
    assert confirmed(geometry, by_hand(xy0[50:], xy1[50:])) is True


@pytest.mark.parametrize("model", ["auto", "essential", "fundamental"])
def test_a_true_pose(model: str, rng: np.random.Generator) -> None:
    xy0, xy1 = deep(rng, 150, 50)
    matches = as_matches(xy0, xy1)
    geometry = tp.verify(matches, model=model, camera0=CAMERA, camera1=CAMERA)
    assert confirmed(geometry, POSE) is True
    # The scene turned by 10 degrees about the line of sight of camera 1.
    roll = np.array([[np.cos(0.17), -np.sin(0.17), 0], [np.sin(0.17), np.cos(0.17), 0], [0, 0, 1]])
    assert confirmed(geometry, PoseTruth(K0=CAMERA, K1=CAMERA, R=roll @ R_TRUE, t=roll @ T_TRUE)) is False
    assert confirmed(geometry, by_hand(xy0[50:], xy1[50:])) is True
    assert confirmed(geometry, by_hand(xy0[50:], rng.permutation(xy1[50:]))) is False


def test_a_plane_and_a_pose_by_hand(rng: np.random.Generator) -> None:
    geometry = tp.verify(as_matches(*flat(rng, 80)), model="homography")
    xy0, xy1 = flat(rng, 21, noise=0)
    some_off = xy1.copy()
    some_off[:10] += 100  # the median stands
    assert confirmed(geometry, by_hand(xy0, some_off)) is True
    some_off[:11] += 100
    assert confirmed(geometry, by_hand(xy0, some_off)) is False
    # Both points may move: of 6 pixels in photo 1 about 4.5 remain.
    assert confirmed(geometry, by_hand(xy0, xy1 + np.array([0, 6]))) is True
    assert confirmed(geometry, by_hand(xy0, xy1 + np.array([0, 9]))) is False


def test_where_nothing_is_known_nothing_is_said(rng: np.random.Generator) -> None:
    nothing = tp.verify(as_matches(*flat(rng, 2)))
    assert confirmed(nothing, None) is None
    assert confirmed(tp.verify(as_matches(*flat(rng, 50))), None) is None
    for truth in (PLANE, POSE, np.zeros((5, 4))):
        assert confirmed(nothing, truth) is False


def test_the_fundamental_matrix_of_a_pose(rng: np.random.Generator) -> None:
    xy0, xy1 = (np.column_stack([xy, np.ones(50)]) for xy in deep(rng, 50, noise=0))
    F = fundamental(POSE)
    lines = xy0 @ F.T
    off = np.abs((lines * xy1).sum(axis=1)) / np.linalg.norm(lines[:, :2], axis=1)
    assert off.max() < 1e-9
    values = np.linalg.svd(F, compute_uv=False)
    assert values[2] < 1e-12 * values[0]
