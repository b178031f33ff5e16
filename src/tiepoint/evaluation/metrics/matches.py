"""How right matches are: their errors, and which share of them is right."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tiepoint.evaluation.metrics.homography import oriented, warp
from tiepoint.evaluation.metrics.inputs import Float, above_zero, errors_of, point_pairs, thresholds_of


def matching_errors(xy0: ArrayLike, xy1: ArrayLike, H_1_from_0: ArrayLike) -> Float:
    """Return how far each match is from where the homography says it should be.

    The distance in photo 1 between the given and the mapped position, as in D2-Net (Dusmanu et al.
    2019). glue-factory instead takes the mean of the distances in both photos, which differs where
    the photos are of different scale.

    Parameters
    ----------
    xy0, xy1 : array_like, (M, 2)
        The two ends of each match, pixels.
    H_1_from_0 : array_like, (3, 3)
        The true homography, which takes (x, y, 1) of photo 0 to photo 1. Its sign is chosen so that it
        does not mirror; only an affine one may.

    Returns
    -------
    ndarray, (M,) float64
        Pixels of photo 1; infinite where the point is mapped to infinity or behind the camera.

    Raises
    ------
    DataError
        If an array is of the wrong shape or not finite, or the homography is not invertible.

    Examples
    --------
    >>> double = [[2, 0, 0], [0, 2, 0], [0, 0, 1]]
    >>> matching_errors([[10, 10], [20, 10]], [[20, 20], [43, 24]], double)
    array([0., 5.])
    """
    ends0, ends1 = point_pairs(xy0, xy1)
    apart = warp(oriented("H_1_from_0", H_1_from_0), ends0) - ends1
    return np.hypot(apart[:, 0], apart[:, 1])


def mean_matching_accuracy(errors: ArrayLike, thresholds: ArrayLike = tuple(range(1, 11))) -> Float:
    """Return the share of a pair's matches that are right, at each threshold.

    MMA as D2-Net reports it (Dusmanu et al. 2019): an error equal to the threshold is right, a pair
    without matches counts as 0, and the mean is taken over pairs, not over matches; that mean is
    the caller's. The definition goes back to Mikolajczyk and Schmid (2005), who call it precision.

    Parameters
    ----------
    errors : array_like, (M,)
        Of one pair, as from :func:`matching_errors`; infinite is wrong at any threshold.
    thresholds : array_like, (T,)
        Pixels; 1 to 10 as in D2-Net's figure.

    Returns
    -------
    ndarray, (T,) float64
        0 to 1; zeros where there is no match.

    Raises
    ------
    DataError
        If the errors are not (M,), negative or NaN.
    OptionError
        If a threshold is not above 0.

    Examples
    --------
    >>> mean_matching_accuracy([0.5, 1.0, 2.5, 40.0], [1, 2, 3])
    array([0.5 , 0.5 , 0.75])
    """
    sizes, limits = errors_of("errors", errors), thresholds_of(thresholds)
    right: Float = np.sum(sizes <= limits[:, None], axis=1) / max(len(sizes), 1)
    return right


def precision(errors: ArrayLike, *, max_error: float = 3.0) -> float:
    """Return the share of the matches that are right: :func:`mean_matching_accuracy` at one threshold.

    Mikolajczyk and Schmid (2005) plot recall over 1 - precision.

    Parameters
    ----------
    errors : array_like, (M,)
        Of one pair, as from :func:`matching_errors`.
    max_error : float
        Pixels. An error equal to it is right.

    Returns
    -------
    float
        0 to 1; 0 where there is no match.

    Raises
    ------
    DataError, OptionError
        As :func:`mean_matching_accuracy`.

    Examples
    --------
    >>> precision([0.5, 1.0, 2.5, 40.0])
    0.75
    """
    return float(mean_matching_accuracy(errors, above_zero("max_error", max_error))[0])
