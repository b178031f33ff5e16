"""How far matches are from the epipolar lines, where only the cameras are known and no depth."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tiepoint.errors import DataError
from tiepoint.evaluation.metrics.inputs import Float, direction, finite, matrix, point_pairs


def epipolar_errors(xy0: ArrayLike, xy1: ArrayLike, F_1_from_0: ArrayLike) -> Float:
    """Return the symmetric epipolar distance of each match.

    The mean of two distances: of the point in photo 1 from the line of its partner, and of the point in
    photo 0 from the line of its own; glue-factory's ``sym_epipolar_distance`` without the square, on
    pixels. A match along the line has no error however wrong it is: this bounds the error from below.

    Parameters
    ----------
    xy0, xy1 : array_like, (M, 2)
        The two ends of each match, pixels.
    F_1_from_0 : array_like, (3, 3)
        The true fundamental matrix: ``(x1, y1, 1) @ F @ (x0, y0, 1)`` is 0 for two views of one point.

    Returns
    -------
    ndarray, (M,) float64
        Pixels, a mean over both photos; infinite where a line is at infinity. The epipole itself lies on
        every line.

    Raises
    ------
    DataError
        If an array is of the wrong shape or not finite.

    Examples
    --------
    >>> sideways = [[0, 0, 0], [0, 0, -1], [0, 1, 0]]  # lines are rows
    >>> epipolar_errors([[10, 10], [10, 10]], [[30, 10], [30, 14]], sideways)
    array([0., 4.])
    """
    ends0, ends1 = point_pairs(xy0, xy1)
    f = matrix("F_1_from_0", F_1_from_0)
    lines1 = ends0 @ f[:, :2].T + f[:, 2]
    lines0 = ends1 @ f[:2] + f[2]
    residual = np.abs(np.sum(lines1[:, :2] * ends1, axis=1) + lines1[:, 2])
    return (_distance(residual, lines0) + _distance(residual, lines1)) / 2


def fundamental_from_pose(R: ArrayLike, t: ArrayLike, K0: ArrayLike, K1: ArrayLike) -> Float:
    """Return the fundamental matrix of two calibrated cameras.

    Hartley and Zisserman, "Multiple View Geometry" (2003), section 9.6: ``inv(K1).T @ [t]x @ R @ inv(K0)``.

    Parameters
    ----------
    R, t : array_like, (3, 3), (3,)
        Camera 1 from camera 0: ``x1 = R @ x0 + t``; the length of ``t`` only scales the result.
    K0, K1 : array_like, (3, 3)
        Focal length and principal point in pixels.

    Returns
    -------
    ndarray, (3, 3) float64
        F_1_from_0: ``(x1, y1, 1) @ F @ (x0, y0, 1)`` is 0 for two views of one point.

    Raises
    ------
    DataError
        If an array is of the wrong shape or not finite, ``t`` is zero, or a camera is not invertible.

    Examples
    --------
    >>> import numpy as np
    >>> fundamental_from_pose(np.eye(3), [1, 0, 0], np.eye(3), np.eye(3)) @ [0, 7, 1]  # the line y = 7
    array([ 0., -1.,  7.])
    """
    rotation, shift = matrix("R", R), direction("t", t)
    if not shift.any():
        raise DataError("t is zero: two photos from one place have no fundamental matrix")
    x, y, z = shift
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    inverse = []
    for name, value in (("K0", K0), ("K1", K1)):
        camera = matrix(name, value)
        if np.linalg.matrix_rank(camera) < 3:
            raise DataError(f"{name} must be invertible, but is not a camera")
        inverse.append(np.linalg.inv(camera))
    return finite("F_1_from_0", inverse[1].T @ cross @ rotation @ inverse[0])


def _distance(residual: Float, lines: Float) -> Float:
    length = np.hypot(lines[:, 0], lines[:, 1])
    undefined = np.where(residual == 0, 0.0, np.inf)
    return np.divide(residual, length, out=undefined, where=length > 0)
