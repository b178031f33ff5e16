"""How far a match is from a model: the Sampson distance in pixels, of every model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiepoint import core

Floats = NDArray[np.float64]

PLANAR = ("homography", "affine", "similarity")  # they take a point to a point
EPIPOLAR = ("fundamental", "essential")  # they take a point to a line


def sampson(model: str, matrix: Floats, xy0: Floats, xy1: Floats) -> Floats:
    """Return how far the two points of each match have to move, together, to obey a model; to first order.

    For an affinity, a similarity and every small error it is the distance that maximum likelihood minimises
    where both photos are equally precise.

    Parameters
    ----------
    model : {"homography", "affine", "similarity", "fundamental", "essential"}
    matrix : ndarray, (3, 3) float64
        In pixels, in any scale: ``H_1_from_0``, or ``F_1_from_0`` of the last two.
    xy0, xy1 : ndarray, (M, 2) float64

    Returns
    -------
    residuals : ndarray, (M,) float64
        In pixels; infinite where a point of photo 0 lies behind the horizon of a homography, that is on the
        other side of it than the matches that fit.

    References
    ----------
    Chum, Pajdla, Sturm, "The geometric error for homographies", CVIU 2005. Hartley, Zisserman, "Multiple
    View Geometry in Computer Vision", 2nd edition, equation 11.9.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.geometry.residuals import sampson
    >>> moved = np.array([[1.0, 0, 5], [0, 1, 0], [0, 0, 1]])
    >>> sampson("homography", moved, np.zeros((1, 2)), np.array([[5.0, 2]]))  # half of it in each photo
    array([1.41421356])
    """
    epipolar = model in EPIPOLAR
    compiled = core.kernel("epipolar_residuals" if epipolar else "transfer_residuals")
    if compiled is not None:
        return np.asarray(compiled(matrix, xy0, xy1))
    return _to_epipolar_lines(matrix, xy0, xy1) if epipolar else _to_transfer(matrix, xy0, xy1)


def depth(matrix: Floats, xy0: Floats) -> Floats:
    """Return the third coordinate of transferred points, (M,): its sign is the side of the horizon."""
    return np.asarray(xy0 @ matrix[2, :2] + matrix[2, 2])


def _to_epipolar_lines(matrix: Floats, xy0: Floats, xy1: Floats) -> Floats:
    lines1 = matrix[:, :2] @ xy0.T + matrix[:, 2:]
    lines0 = matrix[:2, :2].T @ xy1.T + matrix[2:, :2].T
    error = lines1[0] * xy1[:, 0] + lines1[1] * xy1[:, 1] + lines1[2]
    slope = (lines1[:2] ** 2).sum(axis=0) + (lines0**2).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.abs(error) / np.sqrt(slope)
    return np.asarray(np.where(slope > 0, distance, 0.0))  # at both epipoles every line passes


def _to_transfer(matrix: Floats, xy0: Floats, xy1: Floats) -> Floats:
    (x, y), (u, v) = xy0.T.copy(), xy1.T.copy()  # each in one piece, which is several times as fast
    w = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2]
    e = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] - u * w
    f = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] - v * w
    # Their derivatives by x and y; those by u and v are -w and 0.
    ex, ey = matrix[0, 0] - u * matrix[2, 0], matrix[0, 1] - u * matrix[2, 1]
    fx, fy = matrix[1, 0] - v * matrix[2, 0], matrix[1, 1] - v * matrix[2, 1]
    ww = w * w
    a, b, c = ex * ex + ey * ey + ww, ex * fx + ey * fy, fx * fx + fy * fy + ww
    with np.errstate(divide="ignore", invalid="ignore"):
        squared = (c * e * e - 2 * b * e * f + a * f * f) / (a * c - b * b)
    squared = np.where(squared >= 0, squared, np.where(squared < 0, 0.0, np.inf))  # NaN: on the horizon
    distance = np.sqrt(squared)
    if w.min(initial=np.inf) < 0 < w.max(initial=-np.inf):
        side = np.sign((np.sign(w) / (1 + squared)).sum())
        distance[w * side <= 0] = np.inf
    return np.asarray(distance)
