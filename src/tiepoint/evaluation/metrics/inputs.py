"""Checks of what the metrics are given: one sentence where an array or an option does not fit."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tiepoint.errors import DataError, OptionError

Float = NDArray[np.float64]
Index = NDArray[np.intp]


def points(name: str, value: ArrayLike) -> Float:
    """Return positions as (N, 2) float64; no point at all may be an empty list."""
    array = numbers(name, value)
    if array.shape == (0,):
        array = array.reshape(0, 2)
    if array.ndim != 2 or array.shape[1] != 2:
        raise DataError(f"{name} must be positions of shape (N, 2), not {array.shape}")
    return finite(name, array)


def point_pairs(xy0: ArrayLike, xy1: ArrayLike) -> tuple[Float, Float]:
    """Return the two ends of matches, both (M, 2) float64."""
    ends = points("xy0", xy0), points("xy1", xy1)
    if len(ends[0]) != len(ends[1]):
        raise DataError(f"xy0 and xy1 must be of one length, not {len(ends[0])} and {len(ends[1])}")
    return ends


def one_each(name: str, value: ArrayLike, count: int, of: str) -> Float:
    """Return ``count`` finite numbers, one for each of something."""
    array = finite(name, numbers(name, value))
    if array.shape != (count,):
        raise DataError(f"{name} must hold one number for each of the {count} {of}, not shape {array.shape}")
    return array


def errors_of(name: str, value: ArrayLike) -> Float:
    """Return errors as (N,) float64 from 0 up; infinity stands for a failure."""
    array = numbers(name, value)
    if array.ndim != 1:
        raise DataError(f"{name} must be of shape (N,), not {array.shape}")
    if np.isnan(array).any() or (array < 0).any():
        raise DataError(f"{name} must be from 0 up or infinite, but holds NaN or a negative number")
    return array


def index_pairs(name: str, value: ArrayLike, count0: int | None = None, count1: int | None = None) -> Index:
    """Return pairs of indices as (M, 2), below the counts where these are given."""
    try:
        array = np.asarray(value)
    except ValueError:  # rows of different lengths
        array = np.empty((0, 0))
    if array.size == 0 and array.shape in ((0,), (0, 2)):
        return np.empty((0, 2), np.intp)
    if array.ndim != 2 or array.shape[1] != 2 or array.dtype.kind not in "iu":
        raise DataError(
            f"{name} must be pairs of indices of shape (M, 2), not {array.dtype.name} {array.shape}"
        )
    for column, count in ((0, count0), (1, count1)):
        used = array[:, column]
        if used.min() < 0 or (count is not None and used.max() >= count):
            limit = "" if count is None else f" to {count - 1}"
            raise DataError(
                f"{name} must hold indices from 0{limit} of the keypoints of photo {column}, "
                f"but holds {used.min()} to {used.max()}"
            )
    return array.astype(np.intp)


def matrix(name: str, value: ArrayLike) -> Float:
    """Return a (3, 3) float64."""
    array = numbers(name, value)
    if array.shape != (3, 3):
        raise DataError(f"{name} must be of shape (3, 3), not {array.shape}")
    return finite(name, array)


def direction(name: str, value: ArrayLike) -> Float:
    """Return a (3,) float64; a column or a row of three is taken for one."""
    array = numbers(name, value)
    if array.shape not in ((3,), (3, 1), (1, 3)):
        raise DataError(f"{name} must be of shape (3,), not {array.shape}")
    return finite(name, array.reshape(3))


def numbers(name: str, value: ArrayLike) -> Float:
    """Return real numbers as float64, of any shape."""
    try:
        array = np.asarray(value)
    except ValueError:  # rows of different lengths
        array = np.empty(0, object)
    if array.dtype.kind not in "iuf":
        raise DataError(f"{name} must hold numbers, not {array.dtype.name}")
    return array.astype(np.float64)


def finite(name: str, array: Float) -> Float:
    """Return the array if it is finite throughout."""
    if not np.isfinite(array).all():
        raise DataError(f"{name} must be finite, but holds NaN or infinity")
    return array


def thresholds_of(value: ArrayLike) -> Float:
    """Return thresholds as (T,) float64, all above 0 and finite; one number is a list of one."""
    array = np.atleast_1d(numbers("thresholds", value))
    if array.ndim != 1 or not (np.isfinite(array).all() and (array > 0).all()):
        raise OptionError(f"thresholds must be finite numbers above 0, not {value!r}")
    return array


def above_zero(name: str, value: object, *, below: float = math.inf) -> float:
    """Return a number above 0 and below a bound."""
    fits = isinstance(value, Real) and not isinstance(value, bool)
    number: Any = value if fits else math.nan
    if not 0 < float(number) < below:
        bound = "finite" if math.isinf(below) else f"below {below:g}"
        raise OptionError(f"{name} must be a number above 0 and {bound}, not {value!r}")
    return float(number)
