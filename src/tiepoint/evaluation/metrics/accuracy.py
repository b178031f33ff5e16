"""Errors of many pairs in a few numbers: the share that is correct, and the area under the curve."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tiepoint.errors import DataError
from tiepoint.evaluation.metrics.inputs import Float, errors_of, thresholds_of


def correctness(errors: ArrayLike, thresholds: ArrayLike = (1, 3, 5)) -> Float:
    """Return the share of pairs whose error is at most each threshold.

    SuperPoint's homography correctness (DeTone et al. 2018) when given corner errors; also known as
    mean homography accuracy, MHA.

    Parameters
    ----------
    errors : array_like, (N,)
        One for each pair; infinite for a failure.
    thresholds : array_like, (T,)
        In the unit of the errors; 1, 3 and 5 px as in the paper.

    Returns
    -------
    ndarray, (T,) float64
        0 to 1.

    Raises
    ------
    DataError
        If there is no pair, or an error is negative or NaN.
    OptionError
        If a threshold is not above 0.

    Examples
    --------
    >>> correctness([0.5, 2.0, 3.0, float("inf")])
    array([0.25, 0.75, 0.75])
    """
    sizes, limits = _of_pairs(errors), thresholds_of(thresholds)
    share: Float = np.mean(sizes <= limits[:, None], axis=1)
    return share


def auc(errors: ArrayLike, thresholds: ArrayLike = (1, 3, 5)) -> Float:
    """Return the area under the curve of recall over error, up to each threshold, divided by it.

    The AUC of SuperGlue (Sarlin et al. 2020) and glue-factory: errors are sorted, the k-th of N gives
    the point (error, k / N), a first point is (0, 0), the last value holds up to the threshold, and
    the area is that of the trapezoids. glue-factory rounds to four digits; here nothing is rounded.

    Parameters
    ----------
    errors : array_like, (N,)
        One for each pair; infinite for a failure.
    thresholds : array_like, (T,)
        In the unit of the errors; glue-factory takes 1, 3, 5 px for homographies, 5, 10, 20 degrees
        for poses.

    Returns
    -------
    ndarray, (T,) float64
        0 to 1.

    Raises
    ------
    DataError
        If there is no pair, or an error is negative or NaN.
    OptionError
        If a threshold is not above 0.

    Examples
    --------
    >>> auc([2.0, float("inf")], [4.0])  # a triangle 2 x 0.5 and a rectangle 2 x 0.5, over 4
    array([0.375])
    """
    sizes, limits = np.sort(_of_pairs(errors)), thresholds_of(thresholds)
    error = np.concatenate([[0.0], sizes])
    recall = np.arange(len(error)) / len(sizes)
    areas = np.empty(len(limits))
    for k, limit in enumerate(limits):
        below = np.searchsorted(error, limit)
        areas[k] = np.trapezoid(np.append(recall[:below], recall[below - 1]), np.append(error[:below], limit))
    return areas / limits


def _of_pairs(errors: ArrayLike) -> Float:
    sizes = errors_of("errors", errors)
    if not len(sizes):
        raise DataError("errors must hold one error for each pair, but there is no pair")
    return sizes
