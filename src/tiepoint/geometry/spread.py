"""How much of a photo points spread over."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


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
    points = np.asarray(xy, np.float64)
    if len(points) < 3:
        return 0.0
    apart = ((points - np.median(points, axis=0)) ** 2).sum(axis=1)
    left_out = len(points) // 10
    hull = convex_hull(points[np.argsort(apart, kind="stable")[: len(points) - left_out]])
    x, y = hull.T
    area = 0.5 * abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))
    return float(min(1.0, area / (size[0] * size[1])))


def convex_hull(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the corners of the convex hull, (K, 2), in order around it.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.geometry.spread import convex_hull
    >>> convex_hull(np.array([[0.0, 0], [4, 0], [1, 1], [0, 4]])).tolist()
    [[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]]
    """
    points = _outer(xy)
    points = points[np.lexsort((points[:, 1], points[:, 0]))].tolist()
    if not points or points[0] == points[-1]:  # all at one place
        return np.array(points[:1]).reshape(-1, 2)
    return np.array(_half_hull(points)[:-1] + _half_hull(points[::-1])[:-1])


def _outer(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Drop most of what is inside: points within the quadrilateral of the extremes along the diagonals."""
    if len(xy) < 64:
        return xy
    x, y = xy.T
    corners = xy[[np.argmin(x + y), np.argmax(x - y), np.argmax(x + y), np.argmin(x - y)]]
    edges = np.roll(corners, -1, axis=0) - corners
    apart = xy[:, None] - corners
    inside = (edges[:, 0] * apart[..., 1] - edges[:, 1] * apart[..., 0] > 0).all(axis=1)
    return xy[~inside]


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
