"""How good probabilities are: do they part, and do they keep what they promise."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def roc_auc(probabilities: Floats, labels: NDArray[np.bool_], weights: Floats | None = None) -> float:
    """Return how probable it is that a true pair gets a higher probability than a false one; ties count half.

    References
    ----------
    Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 2006.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.evaluation.calibration import roc_auc
    >>> roc_auc(np.array([0.1, 0.4, 0.4, 0.8]), np.array([False, False, True, True]))
    0.875
    """
    weights = np.ones(len(labels)) if weights is None else weights
    values, at = np.unique(probabilities, return_inverse=True)
    true = np.bincount(at, weights * labels, len(values))
    false = np.bincount(at, weights * ~labels, len(values))
    below = np.cumsum(false) - false
    return float((true * (below + false / 2)).sum() / (true.sum() * false.sum()))


class Bin(NamedTuple):
    """Of the pairs with a probability in one range: their weight, mean probability and share of true ones."""

    low: float
    high: float
    weight: float
    probability: float
    share: float


def reliability(
    probabilities: Floats, labels: NDArray[np.bool_], weights: Floats | None = None, *, bins: int = 10
) -> tuple[Bin, ...]:
    """Return what came true in each range of probabilities; empty ranges are left out.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.evaluation.calibration import reliability
    >>> [low] = reliability(np.array([0.12, 0.18]), np.array([False, True]))
    >>> low.share, round(low.probability, 2)
    (0.5, 0.15)
    """
    weights = np.ones(len(labels)) if weights is None else weights
    number = np.minimum((probabilities * bins).astype(int), bins - 1)
    found = []
    for k in range(bins):
        inside = number == k
        total = weights[inside].sum()
        if total > 0:
            mean, share = (float((weights * v)[inside].sum() / total) for v in (probabilities, labels))
            found.append(Bin(k / bins, (k + 1) / bins, float(total), mean, share))
    return tuple(found)


def expected_calibration_error(
    probabilities: Floats, labels: NDArray[np.bool_], weights: Floats | None = None, *, bins: int = 10
) -> float:
    """Return by how much probabilities and shares differ, the mean over the pairs.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks", ICML 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.evaluation.calibration import expected_calibration_error
    >>> expected_calibration_error(np.array([0.75, 0.75]), np.array([True, True]))
    0.25
    """
    parts = reliability(probabilities, labels, weights, bins=bins)
    total = sum(part.weight for part in parts)
    return sum(part.weight * abs(part.probability - part.share) for part in parts) / total
