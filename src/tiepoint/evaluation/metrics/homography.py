"""Points and photos under a homography: where a point goes, whether it is in front, who is shared."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tiepoint.errors import DataError
from tiepoint.evaluation.metrics.inputs import Float, matrix

# A horizon this many pixels away crosses no photo: the homography is as good as affine.
_FAR = 1e6


def oriented(name: str, value: ArrayLike) -> Float:
    """Return a homography with the sign that makes its third coordinate positive for what is in front.

    A homography has no scale, so neither has the sign of its third coordinate. A plane that both
    cameras see from its front is never mirrored, which fixes it: the determinant is positive. Only
    an affine map, which sends nothing behind the camera, may mirror.
    """
    h = matrix(name, value)
    if np.linalg.matrix_rank(h) < 3:
        raise DataError(f"{name} must be invertible, but maps the photo onto a line or a point")
    affine = np.hypot(h[2, 0], h[2, 1]) * _FAR <= abs(h[2, 2])
    sign = h[2, 2] if affine else np.linalg.det(h / np.abs(h).max())
    return h if sign > 0 else np.negative(h)


def inverse(h: Float) -> Float:
    """Return the oriented homography of the way back, which has the same sign."""
    return np.linalg.inv(h).astype(np.float64, copy=False)


def warp(h: Float, xy: Float) -> Float:
    """Map points (N, 2) by an oriented homography; infinite where they go to infinity or behind."""
    mapped = xy @ h[:, :2].T + h[:, 2]
    front = mapped[:, 2:] > 0
    with np.errstate(over="ignore"):
        quotient = mapped[:, :2] / np.where(front, mapped[:, 2:], 1.0)
    return np.where(front, quotient, np.inf)


def local_affine(h: Float, xy: Float) -> Float:
    """Return the derivative of the map at points in front, (N, 2, 2): row of photo 1, column of photo 0."""
    depth = (xy @ h[2, :2] + h[2, 2])[:, None, None]
    derivative: Float = (h[:2, :2] - warp(h, xy)[:, :, None] * h[2, :2]) / depth
    return derivative


def on_photo(xy: Float, image_size: tuple[int, int], margin: Float | float = 0.0) -> NDArray[np.bool_]:
    """Tell which points lie on the photo, up to the outer edge of its pixels, (N,) bool.

    ``margin``, (N, 2) or one number, is how far a region reaches from its point along x and y.
    """
    inside: NDArray[np.bool_] = (xy - margin >= -0.5) & (xy + margin <= np.array(image_size) - 0.5)
    return inside[:, 0] & inside[:, 1]
