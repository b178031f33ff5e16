"""Matches, keypoints and features of two photos whose geometry is known."""

from __future__ import annotations

from typing import Any

import numpy as np

import tiepoint as tp
from tests.geometry.two_views import Array, turn, warp

SIZE = (800, 600)
CAMERA = np.array([[700.0, 0, 399.5], [0, 700, 299.5], [0, 0, 1]])
H_TRUE = np.array([[0.9, 0.12, 20], [-0.06, 0.85, 60], [1e-4, 5e-5, 1]])  # stays inside the photo
R_TRUE = turn(np.array([0.2, 1, 0.1]), 6)
T_TRUE = np.array([-0.8, 0.1, 0.3]) / np.linalg.norm([-0.8, 0.1, 0.3])


def anywhere(rng: np.random.Generator, m: int, size: tuple[int, int] = SIZE) -> Array:
    return rng.uniform([0, 0], np.array(size) - 1, (m, 2))


def flat(
    rng: np.random.Generator, m: int, wrong: int = 0, *, H_1_from_0: Array = H_TRUE, noise: float = 0.3
) -> tuple[Array, Array]:
    """Matches of a plane, the first of them wrong."""
    xy0 = anywhere(rng, m)
    xy1 = warp(H_1_from_0, xy0) + rng.normal(0, noise, (m, 2))
    xy1[:wrong] = anywhere(rng, wrong)
    return xy0, xy1


def deep(
    rng: np.random.Generator, m: int, wrong: int = 0, *, t: Array = T_TRUE, noise: float = 0.3
) -> tuple[Array, Array]:
    """Matches of points in space seen by CAMERA twice, the first of them wrong; t = 0: it only turned."""
    points = np.zeros((0, 3))
    while len(points) < m:
        rays = np.column_stack([anywhere(rng, 4 * m), np.ones(4 * m)]) @ np.linalg.inv(CAMERA).T
        some = rays * rng.uniform(3, 12, (4 * m, 1))
        seen = project(some @ R_TRUE.T + t)
        points = np.vstack([points, some[((seen > 2) & (seen < np.array(SIZE) - 3)).all(axis=1)]])
    points = points[:m]
    xy0, xy1 = project(points), project(points @ R_TRUE.T + t)
    xy0, xy1 = (xy + rng.normal(0, noise, xy.shape) for xy in (xy0, xy1))
    xy1[:wrong] = anywhere(rng, wrong)
    return xy0, xy1


def project(points: Array) -> Array:
    return warp(CAMERA, points[:, :2] / points[:, 2:])


def as_matches(xy0: Array, xy1: Array, **known: Any) -> tp.Matches:
    parts: dict[str, Any] = {"source": "hand", "image_size0": SIZE, "image_size1": SIZE, **known}
    return tp.Matches(xy0=np.asarray(xy0, np.float32), xy1=np.asarray(xy1, np.float32), **parts)


def turned_along(
    rng: np.random.Generator, xy0: Array, H_1_from_0: Array, wrong: int = 0, *, off: float = 5.0
) -> dict[str, Any]:
    """Angles and sizes that a homography carries along, found by small steps; the first of them are wrong.

    An angle is that of a gradient: at right angles to a line of equal brightness, to the brighter side.
    """
    m = len(xy0)
    angle0, size0 = rng.uniform(0, 360, m), rng.uniform(3, 12, m)
    step = 1e-3 * np.stack([np.cos(np.radians(angle0)), np.sin(np.radians(angle0))], axis=1)
    across = step[:, ::-1] * [-1, 1]
    moved, moved_across = (warp(H_1_from_0, xy0 + d) - warp(H_1_from_0, xy0) for d in (step, across))
    uphill = moved_across[:, ::-1] * [1, -1]
    uphill *= np.sign((uphill * moved).sum(axis=1))[:, None]
    angle1 = np.degrees(np.arctan2(uphill[:, 1], uphill[:, 0])) + rng.normal(0, off, m)
    area = np.abs(moved[:, 0] * moved_across[:, 1] - moved[:, 1] * moved_across[:, 0]) / 1e-6
    size1 = size0 * np.sqrt(area)
    angle1[:wrong] = rng.uniform(0, 360, wrong)
    size1[:wrong] = rng.uniform(3, 12, wrong)
    values = {"angle0": angle0, "angle1": angle1 % 360, "size0": size0, "size1": size1}
    return {name: value.astype(np.float32) for name, value in values.items()}


def unit(rng: np.random.Generator, n: int, length: int = 32) -> Array:
    """Random directions: descriptors that are all distinct."""
    rows = rng.normal(size=(n, length))
    return np.asarray((rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32))


def as_features(xy: Array, descriptors: Array, **known: Any) -> tp.Features:
    parts: dict[str, Any] = {
        "size": np.full(len(xy), 6, np.float32),
        "metric": "l2",
        "image_size": SIZE,
        "extractor": "hand",
        **known,
    }
    return tp.Features(xy=np.asarray(xy, np.float32), descriptors=descriptors, **parts)


def two_features(
    rng: np.random.Generator, xy0: Array, xy1: Array, *, off: float = 0.02, **known: Any
) -> tuple[tp.Features, tp.Features]:
    """Features of which row k of photo 0 is row k of photo 1; infinitely unlike ones where off is large."""
    descriptors = unit(rng, len(xy0))
    again = descriptors + rng.normal(0, off, descriptors.shape).astype(np.float32)
    mine: list[dict[str, Any]] = [{}, {}]
    for name, value in known.items():
        mine[int(name[-1])][name[:-1]] = value
    return as_features(xy0, descriptors, **mine[0]), as_features(xy1, again, **mine[1])


def matched(features0: tp.Features, features1: tp.Features, rows: Array) -> tp.Matches:
    """Matches of some rows with the same rows."""
    a, b = features0.descriptors[rows], features1.descriptors[rows]
    pairs = np.stack([rows, rows], axis=1).astype(np.int32)
    distance = np.linalg.norm(a.astype(float) - b, axis=1).astype(np.float32)
    return tp.Matches.between(features0, features1, pairs, distance=distance, source="hand")
