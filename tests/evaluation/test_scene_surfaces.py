"""The ray caster, held against one ray and one patch at a time."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tiepoint.evaluation.scene.camera import PinholeCamera, look_at
from tiepoint.evaluation.scene.surfaces import RayCaster, Surface

Float = NDArray[np.float64]


@pytest.fixture
def camera() -> PinholeCamera:
    return look_at(position=(1, -9, 2), target=(0, 0, 1), focal=60, width=80, height=60, roll=7)


def random_surfaces(rng: np.random.Generator, count: int) -> list[Surface]:
    surfaces = []
    for k in range(count):
        cutout = rng.random((5, 7)) < 0.5 if k % 3 == 0 else None
        surfaces.append(
            Surface(
                origin=rng.uniform(-4, 4, 3),
                u=rng.uniform(-3, 3, 3),
                up=rng.uniform(-3, 3, 3),
                taper=(1.0, 0.0, 0.4)[k % 3],
                cutout=cutout,
            )
        )
    return surfaces


def slow_cast(surfaces: list[Surface], camera: PinholeCamera, x: float, y: float) -> tuple[float, int]:
    """Return z-depth and patch of the first hit: a 3x3 system for each, and the definition of a patch."""
    direction = camera.pose.R.T @ np.linalg.solve(camera.K, [x, y, 1.0])
    best, which = np.inf, -1
    for index, surface in enumerate(surfaces):
        system = np.stack([direction, -surface.u, -surface.up], axis=1)
        depth, s, v = np.linalg.solve(system, surface.origin - camera.centre)
        half = 0.5 * (1 - (1 - surface.taper) * v)
        if not (0 < depth < best and 0 <= v <= 1 and abs(s - 0.5) <= half):
            continue
        if surface.cutout is not None:
            rows, columns = surface.cutout.shape
            if not surface.cutout[min(int((1 - v) * rows), rows - 1), min(int(s * columns), columns - 1)]:
                continue
        best, which = float(depth), index
    return best, which


def test_points_meet_what_they_should(camera: PinholeCamera, rng: np.random.Generator) -> None:
    surfaces = random_surfaces(rng, 30)
    xy = rng.uniform([-5, -5], [85, 65], (600, 2))
    hits = RayCaster.of(surfaces, camera).points(xy)
    slow = [slow_cast(surfaces, camera, x, y) for x, y in xy]
    np.testing.assert_array_equal(hits.patch, [patch for _, patch in slow])
    np.testing.assert_allclose(hits.depth, [depth for depth, _ in slow], rtol=1e-9)
    assert 0.2 < (hits.patch >= 0).mean() < 1
    assert len(set(hits.patch)) > 10


def test_a_grid_meets_what_points_meet(camera: PinholeCamera, rng: np.random.Generator) -> None:
    caster = RayCaster.of(random_surfaces(rng, 30), camera)
    x, y = np.arange(80, dtype=np.float64), np.arange(60, dtype=np.float64)
    grid = caster.grid(x, y)
    points = caster.points(np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2))
    np.testing.assert_array_equal(grid.patch.ravel(), points.patch)
    np.testing.assert_allclose(grid.depth.ravel(), points.depth, rtol=1e-12)
    np.testing.assert_allclose(grid.s.ravel(), points.s, rtol=1e-9, atol=1e-12)


def test_single_precision_is_enough_to_look_at(camera: PinholeCamera, rng: np.random.Generator) -> None:
    caster = RayCaster.of(random_surfaces(rng, 30), camera)
    x, y = np.arange(80, dtype=np.float64), np.arange(60, dtype=np.float64)
    fine, coarse = caster.grid(x, y), caster.grid(x.astype(np.float32), y.astype(np.float32))
    assert coarse.inverse_depth.dtype == np.float32
    same = fine.patch == coarse.patch
    assert same.mean() > 0.995
    np.testing.assert_allclose(coarse.inverse_depth[same], fine.inverse_depth[same], rtol=1e-3, atol=1e-6)


def test_a_patch_seen_edge_on_or_from_behind_it_is_nothing(camera: PinholeCamera) -> None:
    forward = camera.pose.R[2]
    edge_on = Surface(origin=camera.centre + forward, u=forward, up=camera.pose.R[0])
    behind = Surface(origin=camera.centre - 2 * forward, u=camera.pose.R[0], up=camera.pose.R[1])
    xy = np.array([[39.5, 29.5], [10.0, 10.0]])
    assert (RayCaster.of([edge_on, behind], camera).points(xy).patch == -1).all()


def test_a_floor_that_passes_under_the_camera_is_seen_before_it() -> None:
    floor = Surface(origin=np.array([-50.0, -50, 0]), u=np.array([100.0, 0, 0]), up=np.array([0, 100.0, 0]))
    level = look_at(position=(0, 0, 2), target=(0, 10, 2), focal=60, width=80, height=60)
    depth = RayCaster.of([floor], level).points(np.array([[39.5, 59.5], [39.5, 10.0]])).depth
    np.testing.assert_allclose(depth, [2 * 60 / 30, np.inf])  # height * focal / rows below the horizon


def test_look_at_has_its_target_in_the_middle(camera: PinholeCamera) -> None:
    rotation = camera.pose.R
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)
    xy, depth = camera.project(np.array([[0.0, 0.0, 1.0]]))
    np.testing.assert_allclose(xy, [[39.5, 29.5]], atol=1e-9)
    assert depth[0] == pytest.approx(np.sqrt(1 + 81 + 1))
    np.testing.assert_allclose(camera.centre, [1, -9, 2], atol=1e-12)


def test_up_is_up_and_right_is_right() -> None:
    camera = look_at(position=(0, -10, 0), target=(0, 0, 0), focal=100, width=101, height=101)
    xy, _ = camera.project(np.array([[1.0, 0, 0], [0, 0, 1.0]]))
    np.testing.assert_allclose(xy, [[60, 50], [50, 40]], atol=1e-9)


def test_behind_the_camera_is_no_pixel() -> None:
    camera = look_at(position=(0, -10, 0), target=(0, 0, 0), focal=100, width=101, height=101)
    xy, depth = camera.project(np.array([[0.0, -11.0, 0.0]]))
    assert np.isnan(xy).all()
    assert depth[0] < 0
