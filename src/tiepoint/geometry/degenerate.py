"""Matches that determine no model, whichever estimator looks at them: why, in words, or None."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

# Of max_error: matches that leave a model open by less than this leave it to their errors.
_PART_OF_MAX_ERROR = 0.05
# Errors alone put points twice as far from a turn, which leaves two dimensions of four, as from a pose.
_TIMES_THE_ERRORS, _OF_POSE = 2.5, 5
# Least singular value that counts, beside the largest; rounding to float32 stays below a tenth of it.
_LEAST_SINGULAR_VALUE = 1e-4


def too_few(xy0: Points, xy1: Points, least: int, model: str, who: str = "matches") -> str | None:
    """Say that there are fewer matches, or fewer different ones, than a minimal sample takes."""
    m = len(xy0)
    if m < least:
        return f"{m} {who} and no more; {model} needs {least}"
    for number, points in enumerate((xy0, xy1)):
        different = _different(points, least)
        if different < least:
            return f"the {m} {who} meet in {different} points of photo {number}; {model} needs {least}"
    different = _different(np.hstack([xy0, xy1]), least)
    if different < least:
        return f"the {m} {who} are copies of {different}; {model} needs {least} different ones"
    return None


def in_line(xy0: Points, xy1: Points, max_error: float, who: str = "matches") -> str | None:
    """Say that in one of the photos all points lie on one line, which leaves every model open."""
    for number, points in enumerate((xy0, xy1)):
        x, y = points.T.copy()  # each in one piece, which is several times as fast
        x, y = x - x.mean(), y - y.mean()
        # Half the angle of the direction along, a quarter turn off: the one across.
        angle = (math.atan2(2 * float(x @ y), float(x @ x) - float(y @ y)) + math.pi) / 2
        across = math.cos(angle) * x + math.sin(angle) * y
        if max(across.max(), -across.min()) <= _PART_OF_MAX_ERROR * max_error:
            return f"the {len(points)} {who} lie on one line in photo {number}"
    return None


def four_apart(xy0: Points, xy1: Points, max_error: float) -> bool:
    """Tell whether the outermost four matches of photo 0 are in general position, in both photos.

    Then nothing is degenerate that four matches can save, and the long checks are not needed.
    """
    x, y = xy0.T.copy()
    along, across = x + y, x - y
    corners = [along.argmin(), across.argmin(), along.argmax(), across.argmax()]
    least = 20 * max_error * max_error
    for points in (xy0, xy1):
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = points[corners].tolist()
        areas = (
            (bx - ax) * (cy - ay) - (by - ay) * (cx - ax),
            (cx - bx) * (dy - by) - (cy - by) * (dx - bx),
            (dx - cx) * (ay - cy) - (dy - cy) * (ax - cx),
            (ax - dx) * (by - dy) - (ay - dy) * (bx - dx),
        )
        if min(map(abs, areas)) < least:
            return False
    return True


def homography_left_open(xy0: Points, xy1: Points) -> str | None:
    """Say that more than one homography fits: no four matches are in general position.

    Both sets of points must be off a line, see :func:`in_line`.
    """
    (x, y), (u, v) = _white(xy0).T, _white(xy1).T
    one, zero = np.ones_like(x), np.zeros_like(x)
    equations = np.vstack(
        [
            np.stack([x, y, one, zero, zero, zero, -u * x, -u * y, -u], axis=1),
            np.stack([zero, zero, zero, x, y, one, -v * x, -v * y, -v], axis=1),
        ]
    )
    # Nine unknowns up to scale: all but the smallest value must stand out.
    values = np.linalg.eigvalsh(equations.T @ equations)
    if values[1] <= _LEAST_SINGULAR_VALUE**2 * values[-1]:
        return f"the {len(x)} matches that agree lie on one line, but for one"
    return None


def only_turned(rays0: Points, rays1: Points, max_angle: float, residuals: Points) -> str | None:
    """Say that a rotation alone explains the matches, which leaves the direction of movement open.

    It does where they are hardly farther from it than their own errors carry them. Those the relative pose
    shows: it leaves one of the two dimensions that a rotation leaves.

    Parameters
    ----------
    rays0, rays1 : ndarray, (M, 3) float64
        Directions in the frame of each camera.
    max_angle : float
        What ``max_error`` is as an angle, in radians.
    residuals : ndarray, (M,) float64
        Sampson distances of the relative pose, in radians.
    """
    rays0, rays1 = (rays / np.linalg.norm(rays, axis=1, keepdims=True) for rays in (rays0, rays1))
    u, _, vt = np.linalg.svd(rays1.T @ rays0)
    turn = u @ np.diag([1, 1, np.linalg.det(u @ vt)]) @ vt
    apart = np.linalg.norm(rays1 - rays0 @ turn.T, axis=1)
    free = max(1, len(apart) - _OF_POSE)
    by_errors = _TIMES_THE_ERRORS * math.sqrt(float(residuals @ residuals) / free)
    if apart.max() <= _PART_OF_MAX_ERROR * max_angle or math.sqrt(np.mean(apart**2)) <= by_errors:
        return "turning alone explains the matches, so the direction of movement is open"
    return None


def _white(points: Points) -> Points:
    """Return points with mean 0, spread 1 and no correlation."""
    centred = points - points.mean(axis=0)
    values, directions = np.linalg.eigh(centred.T @ centred / len(points))
    return np.asarray(centred @ directions / np.sqrt(values))


def _different(points: Points, enough: int) -> int:
    """Count different rows, up to ``enough``, which are mostly the first."""
    seen: set[tuple[float, ...]] = set()
    for row in points:
        seen.add(tuple(row))
        if len(seen) == enough:
            break
    return len(seen)
