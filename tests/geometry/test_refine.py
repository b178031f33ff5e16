"""The refinement against SciPy's least squares with the same loss, and where the answer is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import least_squares

from tests.geometry.two_views import (
    CAMERA0,
    CAMERA1,
    H_1_FROM_0,
    R_1_FROM_0,
    T_1_FROM_0,
    Array,
    degrees_between,
    planar,
    spatial,
    turn,
    warp,
)
from tiepoint.geometry.refine import cross, importance, refined, refined_pose, weights
from tiepoint.geometry.residuals import sampson

pytestmark = pytest.mark.usefixtures("with_and_without_core")

AFFINE = np.array([[0.9, 0.3, 20], [-0.1, 1.2, 5], [0, 0, 1]])
SIMILAR = np.array([[0.9, 0.3, 20], [-0.3, 0.9, 5], [0, 0, 1]])
MAX_ERROR = 2.0


def loss(model: str, matrix: Array, xy0: Array, xy1: Array) -> float:
    """Cauchy's, constant beyond the cut: what the weights are the derivative of."""
    squared = np.minimum(sampson(model, matrix, xy0, xy1) ** 2, (1.5 * MAX_ERROR) ** 2)
    return float(np.log1p(squared / (MAX_ERROR / 2) ** 2).sum())


def essential(rotation: Array, translation: Array) -> Array:
    return np.asarray(np.linalg.inv(CAMERA1).T @ cross(translation) @ rotation @ np.linalg.inv(CAMERA0))


def planes(rng: np.random.Generator, matrix: Array) -> tuple[Array, Array]:
    xy0 = rng.uniform(0, 600, (300, 2))
    xy1 = warp(matrix, xy0) + rng.normal(0, 0.5, xy0.shape)
    xy1[:100] = rng.uniform(0, 600, (100, 2))
    return xy0 + rng.normal(0, 0.5, xy0.shape), xy1


@pytest.mark.parametrize(
    ("model", "truth"),
    [("homography", H_1_FROM_0), ("affine", AFFINE), ("similarity", SIMILAR)],
)
def test_no_small_change_of_any_entry_is_better(model: str, truth: Array, rng: np.random.Generator) -> None:
    xy0, xy1 = planes(rng, truth)
    found = refined(model, truth, xy0, xy1, MAX_ERROR)
    least = loss(model, found, xy0, xy1)
    assert least < loss(model, truth, xy0, xy1)
    changes = {
        "homography": np.eye(9)[:8],
        "affine": np.eye(9)[:6],
        "similarity": np.array(
            [[1, 0, 0, 0, 1, 0, 0, 0, 0], [0, -1, 0, 1, 0, 0, 0, 0, 0], *np.eye(9)[[2, 5]]]
        ),
    }[model]
    size = np.array([1e-4, 1e-4, 0.05, 1e-4, 1e-4, 0.05, 1e-7, 1e-7, 1])
    for change in changes:
        for sign in (-1, 1):
            changed = found / found[2, 2] + sign * (change * size).reshape(3, 3)
            assert loss(model, changed, xy0, xy1) > least - 1e-3


def test_homography_as_scipy_finds_it(rng: np.random.Generator) -> None:
    xy0, xy1 = planes(rng, H_1_FROM_0)
    xy0, xy1 = xy0[100:], xy1[100:]  # without a cut, which SciPy does not know

    def residuals(entries: Array) -> Array:
        return sampson("homography", np.append(entries, 1).reshape(3, 3), xy0, xy1)

    start = H_1_FROM_0.ravel()[:8]
    best = least_squares(
        residuals, start, loss="cauchy", f_scale=MAX_ERROR / 2, x_scale=np.abs(start), xtol=1e-14, ftol=1e-14
    )
    ours = refined("homography", H_1_FROM_0, xy0, xy1, MAX_ERROR)
    theirs = np.append(best.x, 1).reshape(3, 3)
    assert np.abs(warp(ours, xy0) - warp(theirs, xy0)).max() < 0.05


def test_fundamental_matrix_and_pose(rng: np.random.Generator) -> None:
    xy0, xy1 = spatial(rng)
    truth = essential(R_1_FROM_0, T_1_FROM_0)
    rotation = turn(np.array([1.0, 2, 3]), 0.05) @ R_1_FROM_0
    translation = turn(np.array([3.0, -1, 2]), 0.3) @ T_1_FROM_0
    before = essential(rotation, translation)
    matrix = refined("fundamental", before, xy0, xy1, MAX_ERROR)
    assert loss("fundamental", matrix, xy0, xy1) < loss("fundamental", truth, xy0, xy1)
    assert np.linalg.svd(matrix / np.linalg.norm(matrix))[1][2] < 1e-12
    rotation, translation = refined_pose(rotation, translation, xy0, xy1, CAMERA0, CAMERA1, MAX_ERROR)
    found = essential(rotation, translation)
    assert (
        loss("essential", found, xy0, xy1)
        < loss("essential", truth, xy0, xy1)
        < loss("essential", before, xy0, xy1)
    )
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.norm(translation) == pytest.approx(1)
    assert degrees_between(translation, T_1_FROM_0) < 0.2


def test_exact_matches_give_the_exact_model(rng: np.random.Generator) -> None:
    xy0 = rng.uniform(0, 600, (50, 2))
    for model, truth in (("homography", H_1_FROM_0), ("affine", AFFINE), ("similarity", SIMILAR)):
        near = truth.copy()
        near[0, 2] += 0.5
        found = refined(model, near, xy0, warp(truth, xy0), MAX_ERROR)
        assert np.abs(warp(found, xy0) - warp(truth, xy0)).max() < 1e-6


def test_a_mirror_image_stays_one(rng: np.random.Generator) -> None:
    mirrored = np.diag([-1.0, 1, 1]) @ SIMILAR
    xy0, xy1 = planes(rng, mirrored)
    found = refined("similarity", mirrored, xy0, xy1, MAX_ERROR)
    assert np.linalg.det(found) < 0
    assert np.abs(found - mirrored).max() < 0.3


@pytest.mark.parametrize("model", ["homography", "affine", "similarity", "fundamental"])
def test_too_few_near_leave_the_model_as_it_was(model: str, rng: np.random.Generator) -> None:
    truth = essential(R_1_FROM_0, T_1_FROM_0) if model == "fundamental" else AFFINE
    same: Any = refined(model, truth, rng.uniform(0, 9, (1, 2)), rng.uniform(5e3, 6e3, (1, 2)), MAX_ERROR)
    assert (same == truth).all()
    everywhere = np.zeros((20, 2)), np.zeros((20, 2))
    assert np.isfinite(refined(model, truth, *everywhere, 1e3)).all()


def test_weights_are_those_of_the_loss() -> None:
    r = np.linspace(0, 2.9, 50)
    derivative = (np.log1p((r + 1e-5) ** 2) - np.log1p((r - 1e-5) ** 2)) / 2e-5
    np.testing.assert_allclose(weights(r**2, MAX_ERROR) * 2 * r, derivative, atol=1e-8)
    assert weights(np.array([9.01, np.inf]), MAX_ERROR).tolist() == [0, 0]


def test_size_counts_only_where_errors_grow_with_it(rng: np.random.Generator) -> None:
    sizes = rng.uniform(30, 120, 300)
    off = np.abs(rng.normal(0, 0.01, 300)) * sizes
    factors = importance(off, sizes, MAX_ERROR)
    assert factors is not None
    np.testing.assert_allclose(factors * sizes**2, factors[0] * sizes[0] ** 2)
    assert importance(np.abs(rng.normal(0, 0.5, 300)), sizes, MAX_ERROR) is None
    assert importance(off[:20], sizes[:20], MAX_ERROR) is None
    assert importance(off, np.full(300, 31.0), MAX_ERROR) is None
    assert importance(off, np.zeros(300), MAX_ERROR) is None


def test_refined_from_planar_matches_of_one_point_is_finite(rng: np.random.Generator) -> None:
    xy0, xy1 = planar(rng, m=4, wrong=0, noise=0)
    assert np.isfinite(refined("homography", H_1_FROM_0, xy0, xy1, MAX_ERROR)).all()


@pytest.mark.parametrize("seed", range(60, 70))
def test_no_step_loses_the_matches_of_a_small_plane(seed: int) -> None:
    # Nearly all lie on a plane, which fits every epipole: the equations hardly say how far to go.
    rng = np.random.default_rng(seed)
    on_plane = np.column_stack([rng.uniform(-0.15, 0.15, (60, 2)), np.full(60, 6.0)])
    points = np.vstack([on_plane, np.column_stack([rng.uniform(-0.6, 0.6, (6, 2)), rng.uniform(5, 7, 6)])])
    moved = points @ R_1_FROM_0.T + T_1_FROM_0
    xy0, xy1 = (
        warp(camera, seen[:, :2] / seen[:, 2:]) + rng.normal(0, 0.7, (66, 2))
        for camera, seen in ((CAMERA0, points), (CAMERA1, moved))
    )
    through_plane = R_1_FROM_0 + np.outer(T_1_FROM_0, [0, 0, 1 / 6])
    epipole = np.append(rng.uniform(-30_000, 30_000, 2), 1)
    start = cross(epipole) @ CAMERA1 @ through_plane @ np.linalg.inv(CAMERA0)
    wrong = rng.uniform(-40, 40, (2, 20, 2))
    xy0, xy1 = np.vstack([xy0, xy0[:20] + wrong[0]]), np.vstack([xy1, xy1[:20] + wrong[1]])

    def near(matrix: Array) -> int:
        return int(np.count_nonzero(sampson("fundamental", matrix, xy0, xy1) <= MAX_ERROR))

    assert near(refined("fundamental", start, xy0, xy1, MAX_ERROR)) >= near(start)
