"""Logistic regression, and how well its probabilities hold on scenes that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_ROUNDS, _SETTLED = 100, 1e-9


@dataclass(frozen=True, eq=False)
class Logistic:
    """A probability 1 / (1 + exp(-(intercept + weights . x))).

    Attributes
    ----------
    intercept : float
    weights : ndarray, (D,) float64
        Of the features as they come, not scaled.
    """

    intercept: float
    weights: Floats

    def __call__(self, features: Floats) -> Floats:
        """Return the probability of each row of (N, D) features, (N,)."""
        return _sigmoid(self.intercept + features @ self.weights)


def fit_logistic(
    features: Floats,
    labels: NDArray[np.bool_],
    weights: Floats,
    *,
    penalty: float = 1.0,
    signs: Sequence[int] = (),
) -> Logistic:
    """Fit by iteratively reweighted least squares, with a ridge penalty on features brought to one scale.

    Parameters
    ----------
    features : ndarray, (N, D) float64
    labels : ndarray, (N,) bool
    weights : ndarray, (N,) float64
        How much each row counts.
    penalty : float
        On the sum of the squared weights, after scaling each feature to a standard deviation of 1.
    signs : sequence of int, optional
        For each feature +1 or -1, if its weight may only be of that sign, and 0 if it may be of any. A
        feature that would go the wrong way is left out.

    References
    ----------
    McCullagh, Nelder, "Generalized linear models", 2nd edition, 1989.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.evaluation.calibration import fit_logistic
    >>> x = np.array([[0.0], [1], [2], [3]])
    >>> model = fit_logistic(x, np.array([False, True, False, True]), np.ones(4), penalty=0.01)
    >>> bool(model.weights[0] > 0), round(float(model(np.array([[1.5]]))[0]), 2)
    (True, 0.5)
    """
    weights = weights / weights.mean()
    scale = features.std(axis=0)
    kept = scale > 1e-12 * np.abs(features.mean(axis=0))  # the deviation of a constant is but rounding
    while True:
        chosen = np.flatnonzero(kept)
        beta = _solved(features[:, chosen] / scale[chosen], labels, weights, penalty)
        wrong = [
            (abs(beta[k + 1]), j)
            for k, j in enumerate(chosen.tolist())
            if signs and signs[j] * beta[k + 1] < 0
        ]
        if not wrong:
            break
        kept[max(wrong)[1]] = False
    full = np.zeros(features.shape[1])
    full[chosen] = beta[1:] / scale[chosen]
    return Logistic(float(beta[0]), full)


def _solved(features: Floats, labels: NDArray[np.bool_], weights: Floats, penalty: float) -> Floats:
    x = np.column_stack([np.ones(len(features)), features])
    ridge = np.diag([1e-9] + [penalty] * features.shape[1])
    beta = np.zeros(x.shape[1])
    for _ in range(_ROUNDS):
        p = _sigmoid(x @ beta)
        slope = x.T @ (weights * (labels - p)) - ridge @ beta
        curve = (x.T * (weights * np.maximum(p * (1 - p), 1e-9))) @ x + ridge
        step = np.linalg.solve(curve, slope)
        beta = beta + step * min(1.0, 5.0 / max(1e-300, float(np.abs(step).max())))
        if np.abs(step).max() < _SETTLED:
            break
    return beta


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)))
