"""Matches whose geometry is known."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# Shrinks to half, turns, and is strongly perspective: an error in photo 0 is another than in photo 1.
H_1_FROM_0 = np.array([[0.5, 0.1, 50], [-0.05, 0.45, 30], [2e-4, 3e-4, 1]])
CAMERA0 = np.array([[900.0, 0, 420], [0, 920, 310], [0, 0, 1]])
CAMERA1 = np.array([[500.0, 0, 300], [0, 500, 260], [0, 0, 1]])


def warp(matrix: Array, xy: Array) -> Array:
    u, v, w = matrix @ np.vstack([xy.T, np.ones(len(xy))])
    return np.stack([u / w, v / w], axis=1)


def planar(
    rng: np.random.Generator, m: int = 400, wrong: int = 150, noise: float = 0.5
) -> tuple[Array, Array]:
    """Matches of a plane, the first of them wrong."""
    xy0 = rng.uniform(0, 800, (m, 2))
    xy1 = warp(H_1_FROM_0, xy0) + rng.normal(0, noise, (m, 2))
    xy1[:wrong] = rng.uniform(0, 500, (wrong, 2))
    return xy0, xy1


def turn(axis: Array, degrees: float) -> Array:
    """Rotation about an axis, by Rodrigues' formula."""
    x, y, z = axis / np.linalg.norm(axis)
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.radians(degrees)
    return np.asarray(np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k)


R_1_FROM_0 = turn(np.array([0.2, 1, 0.1]), 15)
T_1_FROM_0 = np.array([-0.8, 0.1, 0.3]) / np.linalg.norm([-0.8, 0.1, 0.3])


def spatial(
    rng: np.random.Generator, m: int = 400, wrong: int = 120, noise: float = 0.3
) -> tuple[Array, Array]:
    """Matches of points in space seen by two different cameras, the first of them wrong."""
    points = rng.uniform([-2, -2, 4], [2, 2, 9], (m, 3))
    xy0 = warp(CAMERA0, points[:, :2] / points[:, 2:])
    moved = points @ R_1_FROM_0.T + T_1_FROM_0
    xy1 = warp(CAMERA1, moved[:, :2] / moved[:, 2:])
    xy0, xy1 = (xy + rng.normal(0, noise, xy.shape) for xy in (xy0, xy1))
    xy1[:wrong] = rng.uniform(0, 600, (wrong, 2))
    return xy0, xy1


def degrees_between(a: Array, b: Array) -> float:
    return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b)))


def there(array: Array | None) -> Array:
    """Return an array that has to be there."""
    assert array is not None
    return array
