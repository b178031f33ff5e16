"""The truth of the rendered pair, held against the algebra of two pinhole cameras."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from tiepoint.errors import DataError
from tiepoint.evaluation import RenderedPair

Float = NDArray[np.float64]

# Planes of the scene, as a point and two directions in metres, and the piece of each to look at.
FRONT = (np.zeros(3), np.array([1.0, 0, 0]), np.array([0, 0, 1.0]), (-5.0, 5.0), (9.0, 14.0))
SQUARE = (np.array([0, 0, 0.02]), np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), (-6.0, 6.0), (-18.0, -6.0))
TOWER = (np.array([0, -1.2, 0]), np.array([1.0, 0, 0]), np.array([0, 0, 1.0]), (6.2, 12.0), (8.0, 20.0))
BEHIND_TREE = (*TOWER[:3], (6.2, 12.8), (4.0, 8.0))
PLANES = pytest.mark.parametrize("plane", [FRONT, SQUARE, TOWER], ids=["front", "square", "tower"])

Plane = tuple[Float, Float, Float, tuple[float, float], tuple[float, float]]


def swapped(pair: RenderedPair) -> RenderedPair:
    """Return the pair with photo 0 and photo 1 exchanged."""
    return replace(
        pair, image0=pair.image1, image1=pair.image0, K0=pair.K1, K1=pair.K0, depth0=pair.depth1,
        depth1=pair.depth0, cam0_from_world=pair.cam1_from_world, cam1_from_world=pair.cam0_from_world,
    )  # fmt: skip


def view_from_plane(k: Float, pose: tuple[Float, Float], plane: Plane) -> Float:
    """Return the homography from plane coordinates to pixels of one view."""
    rotation, t = pose
    point, a, b = plane[:3]
    return k @ np.stack([rotation @ a, rotation @ b, rotation @ point + t], axis=1)


def apply(matrix: Float, xy: Float) -> Float:
    q = np.column_stack([xy, np.ones(len(xy))]) @ matrix.T
    return np.asarray(q[:, :2] / q[:, 2:], np.float64)


def plane_pixels(pair: RenderedPair, plane: Plane, count: int, rng: np.random.Generator) -> Float:
    """Return where random points of a plane's piece are in photo 0, (count, 2)."""
    (a0, a1), (b0, b1) = plane[3:]
    on_plane = np.column_stack([rng.uniform(a0, a1, count), rng.uniform(b0, b1, count)])
    return apply(view_from_plane(pair.K0, pair.cam0_from_world, plane), on_plane)


def random_pixels(pair: RenderedPair, count: int, rng: np.random.Generator) -> Float:
    return np.asarray(rng.uniform([-0.5, -0.5], np.array(pair.image0.size) - 0.5, (count, 2)), np.float64)


@PLANES
def test_a_plane_is_transferred_by_its_homography(
    scene: RenderedPair, plane: Plane, rng: np.random.Generator
) -> None:
    xy0 = plane_pixels(scene, plane, 400, rng)
    H_1_from_0 = view_from_plane(scene.K1, scene.cam1_from_world, plane) @ np.linalg.inv(
        view_from_plane(scene.K0, scene.cam0_from_world, plane)
    )
    xy1, visible = scene.transfer(xy0)
    np.testing.assert_allclose(xy1[visible], apply(H_1_from_0, xy0[visible]), atol=1e-6)
    assert visible.mean() > 0.4


def test_the_front_is_seen_whole(scene: RenderedPair, rng: np.random.Generator) -> None:
    _, visible = scene.transfer(plane_pixels(scene, FRONT, 400, rng))
    assert visible.all()


def test_there_and_back_is_where_one_came_from(scene: RenderedPair, rng: np.random.Generator) -> None:
    xy0 = random_pixels(scene, 5000, rng)
    xy1, visible = scene.transfer(xy0)
    back, seen = swapped(scene).transfer(xy1[visible])
    # A point that is in a photo by a rounding error may be out of it by one.
    assert seen.mean() > 0.999
    np.testing.assert_allclose(back[seen], xy0[visible][seen], atol=1e-6)
    assert 0.4 < visible.mean() < 0.95


def test_depth_says_the_same_as_the_ray(scene: RenderedPair) -> None:
    rows, columns = np.nonzero(np.isfinite(scene.depth0))
    rows, columns = rows[::37], columns[::37]
    xy0 = np.column_stack([columns, rows]).astype(np.float64)
    rotation, t = scene.cam0_from_world
    in_camera = np.column_stack([xy0, np.ones(len(xy0))]) @ np.linalg.inv(scene.K0).T
    world = (in_camera * scene.depth0[rows, columns, None] - t) @ rotation
    rotation1, t1 = scene.cam1_from_world
    q = (world @ rotation1.T + t1) @ scene.K1.T
    xy1, _ = scene.transfer(xy0)
    np.testing.assert_allclose(xy1, q[:, :2] / q[:, 2:], atol=1e-6)


def test_the_tree_hides_what_is_behind_it(scene: RenderedPair, rng: np.random.Generator) -> None:
    xy0 = plane_pixels(scene, BEHIND_TREE, 2000, rng)
    xy1, visible = scene.transfer(xy0)
    assert np.isfinite(xy1).all(), "the truth knows where hidden points are"
    hidden = ~visible
    assert 0.01 < hidden.mean() < 0.5

    column, row = np.rint(xy1[hidden]).astype(int).T
    # The ray ends on a leaf; the centre of its own pixel may pass beside that leaf, not those of all around.
    around = [scene.depth1[row + dy, column + dx] for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    _, wall = view_depth(scene, xy0[hidden], TOWER)
    assert (np.min(around, axis=0) < wall - 1).mean() > 0.97


def view_depth(pair: RenderedPair, xy0: Float, plane: Plane) -> tuple[Float, Float]:
    """Return plane coordinates and the z-depth in camera 1 of what photo 0 shows at ``xy0``."""
    plane_from_view = np.asarray(
        np.linalg.inv(view_from_plane(pair.K0, pair.cam0_from_world, plane)), np.float64
    )
    on_plane = apply(plane_from_view, xy0)
    world = plane[0] + on_plane[:, :1] * plane[1] + on_plane[:, 1:] * plane[2]
    rotation, t = pair.cam1_from_world
    return on_plane, np.asarray((world @ rotation.T + t)[:, 2], np.float64)


def test_what_is_visible_is_at_the_depth_of_photo_1(scene: RenderedPair, rng: np.random.Generator) -> None:
    xy0 = plane_pixels(scene, TOWER, 2000, rng)
    xy1, visible = scene.transfer(xy0)
    on_plane, depth = view_depth(scene, xy0, TOWER)
    # Away from the wall's edges; other things are in front of it in photo 0 here and there.
    column, row = np.rint(xy1[visible]).astype(int).T
    error = np.abs(scene.depth1[row, column] - depth[visible])
    inside = (on_plane[visible, 0] > 6.5) & (on_plane[visible, 0] < 12.5)
    assert np.mean(error[inside] < 0.1) > 0.9


def test_sky_is_nowhere(scene: RenderedPair) -> None:
    rows, columns = np.nonzero(np.isinf(scene.depth0))
    xy1, visible = scene.transfer(np.column_stack([columns, rows]))
    assert len(rows) > 0.15 * scene.depth0.size
    assert not visible.any()
    assert np.isnan(xy1).all()


def test_off_the_photo_is_not_visible(scene: RenderedPair, rng: np.random.Generator) -> None:
    width, height = scene.image0.size
    outside = np.array([[-0.6, height - 40.0], [width - 0.4, height - 40.0], [50.0, height - 0.4]])
    _, visible = scene.transfer(outside)
    assert not visible.any()
    xy1, visible = scene.transfer(random_pixels(scene, 5000, rng))
    left = (xy1[:, 0] < -0.5) | (xy1[:, 0] > width - 0.5) | (xy1[:, 1] > height - 0.5)
    assert left.any()
    assert not visible[left].any()


@PLANES
def test_the_photos_show_the_same_there(scene: RenderedPair, plane: Plane, rng: np.random.Generator) -> None:
    xy0 = plane_pixels(scene, plane, 1500, rng)
    xy1, visible = scene.transfer(xy0)
    xy0, xy1 = xy0[visible], xy1[visible]
    assert len(xy0) > 500
    before = sample(scene.image0.gray, xy0)
    agreement = {
        shift: np.corrcoef(before, sample(scene.image1.gray, xy1 + shift))[0, 1] for shift in (0.0, 4.0)
    }
    assert agreement[0.0] > 0.75
    assert agreement[4.0] < agreement[0.0] - 0.2


def sample(gray: NDArray[np.uint8], xy: Float) -> Float:
    x, y = np.clip(xy.T, 0, np.array(gray.shape)[::-1, None] - 1.001)
    column, row = x.astype(int), y.astype(int)
    fx, fy = x - column, y - row
    g = gray.astype(np.float64)
    upper = g[row, column] * (1 - fx) + g[row, column + 1] * fx
    lower = g[row + 1, column] * (1 - fx) + g[row + 1, column + 1] * fx
    return np.asarray(upper * (1 - fy) + lower * fy, np.float64)


def test_correct_counts_pixels_and_asks_whether_it_is_seen(
    scene: RenderedPair, rng: np.random.Generator
) -> None:
    xy0 = plane_pixels(scene, FRONT, 50, rng)
    xy1, _ = scene.transfer(xy0)
    assert scene.correct(xy0, xy1 + np.array([0, 2.99])).all()
    assert not scene.correct(xy0, xy1 + np.array([0, 3.01])).any()
    assert scene.correct(xy0, xy1 + np.array([3.0, 4.0]), max_error=5.001).all()

    xy0 = plane_pixels(scene, BEHIND_TREE, 1000, rng)
    xy1, visible = scene.transfer(xy0)
    assert not visible.all()
    np.testing.assert_array_equal(scene.correct(xy0, xy1), visible)


def test_no_points_are_no_points(scene: RenderedPair) -> None:
    xy1, visible = scene.transfer(np.empty((0, 2)))
    assert xy1.shape == (0, 2)
    assert visible.shape == (0,)
    assert scene.correct(np.empty((0, 2)), np.empty((0, 2))).shape == (0,)


@pytest.mark.parametrize(
    ("xy0", "message"),
    [
        (np.zeros((3, 3)), r"xy0 must be positions of shape \(N, 2\), not \(3, 3\)"),
        (np.zeros(2), r"not \(2,\)"),
        (np.full((1, 2), np.nan), "xy0 must be finite"),
        (np.full((1, 2), np.inf), "xy0 must be finite"),
    ],
)
def test_bad_positions_are_refused(scene: RenderedPair, xy0: Float, message: str) -> None:
    with pytest.raises(DataError, match=message):
        scene.transfer(xy0)


def test_pairs_must_be_pairs(scene: RenderedPair) -> None:
    with pytest.raises(DataError, match="there are 2 and 1"):
        scene.correct(np.zeros((2, 2)), np.zeros((1, 2)))


def test_a_pair_pickles(scene: RenderedPair, rng: np.random.Generator) -> None:
    again = pickle.loads(pickle.dumps(scene))
    xy0 = random_pixels(scene, 100, rng)
    np.testing.assert_array_equal(again.transfer(xy0)[0], scene.transfer(xy0)[0])
    np.testing.assert_array_equal(again.image1.pixels, scene.image1.pixels)
