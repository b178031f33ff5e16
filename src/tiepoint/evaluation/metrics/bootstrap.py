"""How far a figure would move with other pairs of the same kind."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from tiepoint.errors import DataError
from tiepoint.evaluation.metrics.inputs import Float, above_zero, numbers
from tiepoint.types._arrays import checked_count


def mean(values: Float) -> float:
    """Return the mean over pairs."""
    return float(values.mean())


def bootstrap_interval(
    values_per_pair: ArrayLike,
    statistic: Callable[[Float], float] = mean,
    *,
    level: float = 0.95,
    rounds: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the interval in which a statistic lies for most resamplings of the pairs.

    The percentile bootstrap (Efron 1979; Efron and Tibshirani 1993, chapter 13): as many pairs as there
    are, drawn with replacement, ``rounds`` times over; the ends are values of the statistic that came up.
    Pairs of one sequence are alike, so that the true uncertainty is rather larger. To compare two methods
    on the same pairs, give their difference for each pair.

    Parameters
    ----------
    values_per_pair : array_like, (N,) or (N, ...)
        One value, or one row, for each pair; infinite for a failure.
    statistic : callable
        Takes the resampled values, of the same shape, and returns one number. Default: the mean.
    level : float
        Share of the resamplings inside, between 0 and 1.
    rounds : int
        How many; with 1000 the ends of a 95 % interval have 25 values beyond them.
    seed : int
        The same seed gives the same interval.

    Returns
    -------
    low, high : float

    Raises
    ------
    DataError
        If there is no pair, a value is NaN, or the statistic is NaN.
    OptionError
        If an option is out of its range.

    Examples
    --------
    >>> bootstrap_interval([0.5, 0.5, 0.5])
    (0.5, 0.5)
    >>> errors = [0.4, 0.9, 1.7, 2.2, 8.0, float("inf")]
    >>> low, high = bootstrap_interval(errors, lambda e: float((e <= 3).mean()))
    >>> 0 < low < 4 / 6 < high <= 1
    True
    """
    values = numbers("values_per_pair", values_per_pair)
    share = above_zero("level", level, below=1.0)
    count = checked_count("rounds", rounds, least=1)
    if values.ndim == 0 or not len(values) or np.isnan(values).any():
        raise DataError("values_per_pair must hold a value for each of at least one pair, and no NaN")
    rng = np.random.default_rng(checked_count("seed", seed))
    results = np.empty(count)
    for k in range(count):
        results[k] = statistic(values[rng.integers(0, len(values), len(values))])
    if np.isnan(results).any():
        raise DataError("the statistic is NaN for some resampling of the pairs")
    # No interpolation: it would make NaN of infinite values.
    results.sort()
    tail = math.floor(round((1 - share) / 2 * count, 9))
    return float(results[tail]), float(results[count - 1 - tail])
