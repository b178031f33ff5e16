"""The convex hull and its area against OpenCV's."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.geometry.two_views import Array
from tiepoint.geometry.spread import convex_hull, coverage

pytestmark = pytest.mark.usefixtures("with_and_without_core")


def area_of_most(xy: Array) -> float:
    """The hull's area, once a tenth of the points is taken away: those farthest from the middle one."""
    middle = np.array([np.median(xy[:, 0]), np.median(xy[:, 1])])
    left = sorted(range(len(xy)), key=lambda k: float(np.sum((xy[k] - middle).astype(float) ** 2)))
    kept = xy[left[: len(xy) - len(xy) // 10]]
    return float(cv2.contourArea(cv2.convexHull(kept.astype(np.float32))))


@pytest.mark.parametrize("n", [3, 4, 5, 10, 63, 64, 65, 300, 5000])
@pytest.mark.parametrize("grid", [False, True])
def test_it_is_the_hull_of_opencv(n: int, grid: bool, rng: np.random.Generator) -> None:
    for _ in range(5):
        xy = rng.uniform(0, 100, (n, 2)).astype(np.float32)
        if grid:  # duplicates, and many on each edge
            xy = np.rint(xy / 20)
        theirs = cv2.convexHull(xy.astype(np.float32))[:, 0]
        hull = convex_hull(xy.astype(np.float64))
        if cv2.contourArea(theirs) > 0:
            assert sorted(map(tuple, hull.tolist())) == sorted(map(tuple, theirs.astype(float).tolist()))
        assert coverage(xy, (100, 100)) == pytest.approx(area_of_most(xy) / 1e4, rel=1e-5)


def test_corners_go_around(rng: np.random.Generator) -> None:
    hull = convex_hull(rng.normal(size=(200, 2)))
    ahead = np.roll(hull, -1, axis=0) - hull
    onward = np.roll(ahead, -1, axis=0)
    turns = ahead[:, 0] * onward[:, 1] - ahead[:, 1] * onward[:, 0]
    assert (turns > 0).all()
    # Every other way around would pass it more than once.
    angles = np.unwrap(np.arctan2(ahead[:, 1], ahead[:, 0]))
    assert angles[-1] - angles[0] < 2 * np.pi


@pytest.mark.parametrize("n", [1, 2, 63, 64, 500])
def test_one_place_is_one_corner(n: int) -> None:
    xy = np.full((n, 2), 7.5)
    assert convex_hull(xy).tolist() == [[7.5, 7.5]]
    assert coverage(xy, (10, 10)) == 0


@pytest.mark.parametrize("n", [2, 10, 100])
@pytest.mark.parametrize("direction", [(1, 0), (0, 1), (2, 3), (1, -1)])
def test_a_line_covers_nothing(n: int, direction: tuple[int, int], rng: np.random.Generator) -> None:
    along = np.concatenate([[0, 50], rng.integers(0, 51, n - 2)])
    xy = np.outer(along, direction).astype(float)
    assert coverage(xy, (200, 200)) == 0
    assert sorted(convex_hull(xy).tolist()) == sorted([[0, 0], [50 * d for d in direction]])


def test_nothing_covers_nothing() -> None:
    none: Array = np.empty((0, 2), np.float32)
    assert convex_hull(none).shape == (0, 2)
    assert coverage(none, (640, 480)) == 0


def test_points_past_the_edge_cover_no_more_than_all() -> None:
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float32)
    assert coverage(corners, (1, 1)) == 1
    assert coverage(np.array([[0, 0], [30, 0], [0, 20]], np.float32), (60, 40)) == pytest.approx(1 / 8)
