"""How well the ratio of best to second-best distance tells right matches from wrong ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tiepoint.errors import DataError
from tiepoint.evaluation.metrics.inputs import Float, numbers

_STEPS = 101  # of a ratio: hundredths


@dataclass(frozen=True, kw_only=True, eq=False)
class Distinctiveness:
    """The ratios of right and of wrong matches, as two cumulative curves and the area between them.

    Attributes
    ----------
    ratio : ndarray, (101,) float64
        0 to 1 in hundredths: where the curves are given.
    right, wrong : ndarray, (101,) float64 | None
        Share of the right, of the wrong matches whose ratio is at most this; None where there is none.
    area : float | None
        Between the curves from 0 to 1, right above wrong is positive: 1 if each right match has ratio
        0 and each wrong one 1; 0 if the ratio tells nothing. None unless there are both kinds.

    Examples
    --------
    >>> curves = distinctiveness([0.2, 0.4, 0.9], [True, True, False])
    >>> curves.right[[10, 30, 50]], round(curves.area, 3)
    (array([0. , 0.5, 1. ]), 0.6)
    """

    ratio: Float
    right: Float | None
    wrong: Float | None
    area: float | None


def distinctiveness(ratio: ArrayLike, correct: ArrayLike) -> Distinctiveness:
    """Compare the ratios of right and of wrong matches.

    Lowe (2004, figure 11) shows the two distributions of this ratio to choose the threshold of his
    test. The area between their cumulative curves over 0 to 1 says in one number how much a ratio test
    can gain; it is the mean ratio of the wrong matches less that of the right ones, and is computed as
    such, without a grid. Give nearest neighbours that no ratio test has thinned out.

    Parameters
    ----------
    ratio : array_like, (M,)
        Distance to the nearest over distance to the second nearest, 0 to 1, as ``Matches.ratio``.
    correct : array_like, (M,) bool
        Which of the matches are right.

    Returns
    -------
    Distinctiveness

    Raises
    ------
    DataError
        If the arrays are not of one length, or a ratio is not between 0 and 1.

    Examples
    --------
    >>> distinctiveness([0.0, 0.0, 1.0], [True, True, False]).area
    1.0
    """
    ratios, right = numbers("ratio", ratio), np.asarray(correct)
    if right.size == 0:
        right = right.astype(bool)
    if ratios.ndim != 1 or right.shape != ratios.shape or right.dtype != np.bool_:
        raise DataError(
            "ratio and correct must be numbers and truth values of one length, "
            f"not shapes {ratios.shape} and {right.shape} {right.dtype.name}"
        )
    if not ((ratios >= 0) & (ratios <= 1)).all():
        raise DataError("ratio must be from 0 to 1, but holds NaN or a number outside")
    grid = np.linspace(0, 1, _STEPS)
    curves = [_cumulative(part, grid) for part in (ratios[right], ratios[~right])]
    both = right.any() and not right.all()
    area = float(ratios[~right].mean() - ratios[right].mean()) if both else None
    return Distinctiveness(ratio=grid, right=curves[0], wrong=curves[1], area=area)


def _cumulative(values: Float, grid: Float) -> Float | None:
    if not len(values):
        return None
    return np.searchsorted(np.sort(values), grid, "right") / len(values)
