"""Which sets of matches leave a model open, and which only look like it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.geometry.two_views import CAMERA0, H_1_FROM_0, Array, turn, warp
from tiepoint.geometry.degenerate import (
    four_apart,
    homography_left_open,
    in_line,
    only_turned,
    too_few,
)

GRID = np.array([[x, y] for x in range(0, 500, 100) for y in range(0, 300, 100)], float)


@pytest.mark.parametrize("direction", [(1, 0), (0, 1), (3, 2), (-1, 1)])
def test_a_line_in_any_direction(direction: tuple[int, int], rng: np.random.Generator) -> None:
    line = np.outer(rng.uniform(0, 300, 40), direction) + 400
    other = rng.uniform(0, 600, (40, 2))
    for rounded in (line, line.astype(np.float32).astype(float)):
        assert in_line(rounded, other, 2) == "the 40 matches lie on one line in photo 0"
        assert in_line(other, rounded, 2) == "the 40 matches lie on one line in photo 1"
    bent = line + rng.normal(0, 1, line.shape)
    assert in_line(bent, other, 2) is None


@pytest.mark.parametrize("off", [0, 1, 2])
def test_all_but_so_many_on_a_line(off: int) -> None:
    line = np.column_stack([np.linspace(0, 600, 50), np.linspace(100, 250, 50)])
    points = np.vstack([line, np.array([[300.0, 20], [100, 400]])[:off]])
    for xy0 in (points, points.astype(np.float32).astype(float)):
        xy1 = warp(H_1_FROM_0, xy0).astype(np.float32).astype(float)
        if off == 0:
            assert in_line(xy0, xy1, 2)
        else:
            open_ = homography_left_open(xy0, xy1)
            assert (open_ is not None) == (off == 1)


@pytest.mark.parametrize("height", [300.0, 10.0, 1.0])
def test_a_narrow_strip_determines_a_homography(height: float, rng: np.random.Generator) -> None:
    strip = rng.uniform([0, 0], [800, height], (60, 2))
    assert in_line(strip, strip, 2) is None
    assert homography_left_open(strip, warp(H_1_FROM_0, strip)) is None


def test_four_corners_determine_a_homography() -> None:
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]])
    assert too_few(square, square, 4, "a homography") is None
    assert in_line(square, 2 * square, 2) is None
    assert homography_left_open(square, 2 * square) is None


def test_what_is_counted() -> None:
    assert too_few(GRID, GRID[::-1], 4, "it") is None
    assert too_few(GRID[:2], GRID[:2], 4, "it") == "2 matches and no more; it needs 4"
    three = np.repeat(GRID[:3], 5, axis=0)
    assert too_few(GRID, three, 4, "it") == "the 15 matches meet in 3 points of photo 1; it needs 4"
    paired = np.repeat(GRID[:4], 2, axis=0)
    assert too_few(paired, paired, 5, "it") == "the 8 matches meet in 4 points of photo 0; it needs 5"


def rays(xy: Array) -> Array:
    return np.linalg.solve(CAMERA0, np.vstack([xy.T, np.ones(len(xy))])).T


def test_turning_and_moving(rng: np.random.Generator) -> None:
    rotation = turn(np.array([0.3, 1, -0.2]), 25)
    seen = rays(rng.uniform(0, 900, (100, 2)))
    no_errors = np.zeros(100)
    assert only_turned(seen, seen @ rotation.T, 1 / 910, no_errors) is not None
    moved = seen * rng.uniform(2, 5, (100, 1)) + [0.1, 0, 0]
    assert only_turned(seen, moved @ rotation.T, 1 / 910, no_errors) is None
    # With errors of half a pixel in all four coordinates, a pose is left with one such error each.
    errors = np.full(100, 0.5 / 910)
    inexact = seen @ rotation.T + rng.normal(0, 0.5 * np.sqrt(2) / 910, (100, 3)) * [1, 1, 0]
    assert only_turned(seen, inexact, 1 / 910, errors) is not None
    assert only_turned(seen, moved @ rotation.T, 1 / 910, errors) is None


def test_four_apart_saves_the_long_checks(rng: np.random.Generator) -> None:
    square = np.array([[0.0, 0], [100, 0], [100, 80], [0, 80]])
    assert four_apart(square, square[::-1].copy(), 2.0)
    line = np.linspace(0, 100, 30)[:, None] * [1.0, 0.4]
    for points in (line, np.vstack([line, [0.0, 90]]), np.zeros((9, 2)), square / 50):
        assert not four_apart(points, rng.uniform(0, 500, points.shape), 2.0)
        assert not four_apart(rng.uniform(0, 500, points.shape), points, 2.0)
