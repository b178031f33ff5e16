"""How right an estimated homography or an estimated pose is."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tiepoint.errors import DataError
from tiepoint.evaluation.metrics.accuracy import auc
from tiepoint.evaluation.metrics.inputs import Float, direction, errors_of, matrix, numbers
from tiepoint.types._arrays import checked_size


def corner_error(H_estimated: ArrayLike | None, H_true: ArrayLike, image_size0: tuple[int, int]) -> float:
    """Return the mean distance between the corners of photo 0 as mapped by the estimate and by the truth.

    glue-factory's ``homography_corner_error``: the corners are (0, 0), (w, 0), (w, h) and (0, h), and the
    quotients are taken as they come, also behind the camera. SuperPoint's code takes w - 1 and h - 1.

    Parameters
    ----------
    H_estimated : array_like, (3, 3) | None
        From photo 0 to photo 1. None, or one that is not finite: no homography was found.
    H_true : array_like, (3, 3)
        From photo 0 to photo 1.
    image_size0 : (int, int)
        Width and height of photo 0. The published figures resize the photos to a short side of 480.

    Returns
    -------
    float
        Pixels of photo 1; infinite for a failure, or where the estimate maps a corner to infinity.

    Raises
    ------
    DataError
        If a matrix is not (3, 3), or the truth is not finite or maps a corner to infinity.

    Examples
    --------
    >>> import numpy as np
    >>> shifted = [[1, 0, 3], [0, 1, 4], [0, 0, 1]]
    >>> corner_error(shifted, np.eye(3), (640, 480)), corner_error(None, np.eye(3), (640, 480))
    (5.0, inf)
    """
    width, height = checked_size("image_size0", image_size0)
    corners = np.array([[0, 0, 1], [width, 0, 1], [width, height, 1], [0, height, 1]], np.float64)
    true = corners @ matrix("H_true", H_true).T
    if (true[:, 2] == 0).any():
        raise DataError("H_true must map the corners of the photo to points, but sends one to infinity")
    if H_estimated is None:
        return np.inf
    estimate = numbers("H_estimated", H_estimated)
    if estimate.shape != (3, 3):
        raise DataError(f"H_estimated must be of shape (3, 3), not {estimate.shape}")
    with np.errstate(all="ignore"):  # what is not finite is a failure
        mapped = corners @ estimate.T
        apart = mapped[:, :2] / mapped[:, 2:] - true[:, :2] / true[:, 2:]
        error = float(np.hypot(apart[:, 0], apart[:, 1]).mean())
    return error if np.isfinite(error) else np.inf


def relative_pose_error(
    R: ArrayLike | None, t: ArrayLike | None, R_true: ArrayLike, t_true: ArrayLike
) -> tuple[float, float]:
    """Return the angles between an estimated and the true relative pose.

    As SuperGlue and glue-factory have it: the angle of the rotation between the two rotations, and the
    angle between the two translations, of which only the direction can be known. The angle of the
    translation is folded to 0 to 90 degrees: an essential matrix does not tell t from -t, and the
    published figures give the estimate the better of the two.

    Parameters
    ----------
    R : array_like, (3, 3) | None
        Rotation, camera 1 from camera 0. None: no pose was found.
    t : array_like, (3,) | None
        Translation, camera 1 from camera 0, of any length.
    R_true, t_true : array_like, (3, 3), (3,)
        The truth.

    Returns
    -------
    rotation : float
        Degrees, 0 to 180; infinite if no pose was found.
    translation : float
        Degrees, 0 to 90; infinite if no pose was found, or ``t`` is zero.

    Raises
    ------
    DataError
        If an array is of the wrong shape or not finite, or ``t_true`` is zero and has no direction.

    Examples
    --------
    >>> import numpy as np
    >>> quarter = [[0, -1, 0], [1, 0, 0], [0, 0, 1]]
    >>> relative_pose_error(quarter, [-2, 0, 0], np.eye(3), [1, 0, 0])
    (90.0, 0.0)
    """
    rotation_true, shift_true = matrix("R_true", R_true), direction("t_true", t_true)
    if not shift_true.any():
        raise DataError("t_true is zero: between two photos from one place there is no direction to compare")
    if R is None or t is None:
        return np.inf, np.inf
    # From sine and cosine, so that small angles keep their digits; an arc cosine loses half of them.
    between = matrix("R", R).T @ rotation_true
    axis = [between[2, 1] - between[1, 2], between[0, 2] - between[2, 0], between[1, 0] - between[0, 1]]
    rotation = np.arctan2(np.linalg.norm(axis), np.trace(between) - 1)
    shift = direction("t", t)
    if not shift.any():
        return float(np.rad2deg(rotation)), np.inf
    unit, unit_true = (v / np.abs(v).max() for v in (shift, shift_true))
    translation = np.arctan2(np.linalg.norm(np.cross(unit, unit_true)), abs(unit @ unit_true))
    return float(np.rad2deg(rotation)), float(np.rad2deg(translation))


def pose_auc(rotation: ArrayLike, translation: ArrayLike, thresholds: ArrayLike = (5, 10, 20)) -> Float:
    """Return the :func:`auc` of the larger of both angles of each pair.

    Parameters
    ----------
    rotation, translation : array_like, (N,)
        Degrees, one of each for each pair, as from :func:`relative_pose_error`.
    thresholds : array_like, (T,)
        Degrees; 5, 10 and 20 as in SuperGlue (Sarlin et al. 2020).

    Returns
    -------
    ndarray, (T,) float64
        0 to 1.

    Raises
    ------
    DataError
        If there is no pair, the arrays are not of one length, or an angle is negative or NaN.
    OptionError
        If a threshold is not above 0.

    Examples
    --------
    >>> pose_auc([1.0, 0.0], [0.0, float("inf")], [2.0])
    array([0.375])
    """
    angles = errors_of("rotation", rotation), errors_of("translation", translation)
    if len(angles[0]) != len(angles[1]):
        raise DataError(
            f"rotation and translation must be of one length, not {len(angles[0])} and {len(angles[1])}"
        )
    return auc(np.maximum(*angles), thresholds)
