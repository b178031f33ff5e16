"""How much of a photo points spread over."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tiepoint import core

Floats = NDArray[np.float64]

_FEW = 64
_ROUNDING = 1e-12
# Directions over half a circle, (8, 2); with their opposites, over all of it.
_DIRECTIONS = np.array([[math.cos(k * math.pi / 8), math.sin(k * math.pi / 8)] for k in range(8)])


def median(values: Floats) -> float:
    """Return what np.median does of values, (N,) and N above 0, at a fraction of its cost.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.geometry.spread import median
    >>> median(np.array([4.0, 1, 2, 9]))
    3.0
    """
    half = len(values) // 2
    upper = np.partition(values, half)
    if len(values) % 2:
        return float(upper[half])
    return float((upper[:half].max() + upper[half]) / 2)


def coverage(xy: NDArray[np.floating], size: tuple[int, int]) -> float:
    """Return the share of a photo that lies inside the convex hull of nine in ten points.

    The tenth that is farthest from the middle is left out: a few wrong matches would stretch the hull over
    all of the photo.

    Parameters
    ----------
    xy : ndarray, (N, 2)
        In pixels.
    size : (int, int)
        Width and height of the photo.

    Returns
    -------
    float
        0 to 1; 0 for less than three points.

    References
    ----------
    The hull: Andrew, "Another efficient algorithm for convex hulls in two dimensions", IPL 1979.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.geometry.spread import coverage
    >>> square = [[0, 0], [50, 0], [50, 50], [0, 50], [20, 20]]
    >>> coverage(np.array(square), (100, 100)), coverage(np.array([*square, *square, [99, 0]]), (100, 100))
    (0.25, 0.25)
    """
    compiled = core.kernel("spread_area") if xy.dtype == np.float32 else None
    area = _area(xy) if compiled is None else compiled(xy)
    return float(min(1.0, area / (size[0] * size[1])))


def _area(xy: NDArray[np.floating]) -> float:
    """Return the area of the hull of nine in ten points, as src/core/geometry/spread.cpp does."""
    n = len(xy)
    if n < 3:
        return 0.0
    columns = xy.T.astype(np.float64, order="C")  # each in one piece, which is several times as fast
    dx, dy = (column - median(column) for column in columns)
    near = _least(dx * dx + dy * dy, n - n // 10)
    corners = _corners(columns.compress(near, axis=1))
    return 0.5 * abs(sum(x0 * y1 - y0 * x1 for (x0, y0), (x1, y1) in pairwise([*corners, corners[0]])))


def _least(values: Floats, count: int) -> NDArray[np.bool_]:
    """Tell which are so many of the least values, (N,) bool; of equals the first."""
    largest = np.partition(values, count - 1)[count - 1]
    least = np.asarray(values <= largest)
    if np.count_nonzero(least) > count:
        least = np.asarray(values < largest)
        equal = np.flatnonzero(values == largest)
        least[equal[: count - np.count_nonzero(least)]] = True
    return least


def convex_hull(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the corners of the convex hull, (K, 2), in order around it.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.geometry.spread import convex_hull
    >>> convex_hull(np.array([[0.0, 0], [4, 0], [1, 1], [0, 4]])).tolist()
    [[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]]
    """
    return np.array(_corners(xy.T.copy())).reshape(-1, 2)


def _corners(columns: Floats) -> list[list[float]]:
    """Return the corners of the hull of points, (2, N), as lists."""
    columns = _outer(columns)
    points: list[list[float]] = columns.T[np.lexsort(columns[::-1])].tolist()
    if not points or points[0] == points[-1]:  # all at one place
        return points[:1]
    return _half_hull(points)[:-1] + _half_hull(points[::-1])[:-1]


def _outer(columns: Floats) -> Floats:
    """Drop most of what is inside of points, (2, N): within the polygon of the extremes along directions."""
    if columns.shape[1] < _FEW:
        return columns
    along = _DIRECTIONS @ columns
    extremes = np.concatenate([along.argmax(axis=1), along.argmin(axis=1)]).tolist()
    around = list(dict.fromkeys(extremes))  # what is the extreme of several directions: once
    corners = columns[:, around]
    edges = columns[:, [*around[1:], around[0]]] - corners
    normals = np.stack([-edges[1], edges[0]])
    # What lies on an edge is kept, even if rounding puts it on the inner side.
    limits = (normals * corners).sum(axis=0) + _ROUNDING * np.abs(normals).max() * np.abs(corners).max()
    inside = (normals.T @ columns > limits[:, None]).all(axis=0)
    return columns.compress(~inside, axis=1)


def _half_hull(points: list[list[float]]) -> list[list[float]]:
    hull: list[list[float]] = []
    for x, y in points:
        while len(hull) > 1:
            (x0, y0), (x1, y1) = hull[-2:]
            if (x1 - x0) * (y - y0) > (y1 - y0) * (x - x0):
                break
            hull.pop()
        hull.append([x, y])
    return hull
