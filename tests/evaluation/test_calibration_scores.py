"""Scores of probabilities against double loops and sums by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.geometry.two_views import Array
from tiepoint.evaluation.calibration import Bin, expected_calibration_error, reliability, roc_auc


def counted(p: Array, labels: Array, weights: Array) -> float:
    """Every true one against every false one."""
    won = total = 0.0
    for i in np.flatnonzero(labels):
        for j in np.flatnonzero(~labels):
            total += weights[i] * weights[j]
            won += weights[i] * weights[j] * (1.0 if p[i] > p[j] else 0.5 if p[i] == p[j] else 0.0)
    return won / total


@pytest.mark.parametrize("digits", [0, 1, 8])  # ties: very many, many, none
def test_auc_is_that_of_a_double_loop(digits: int, rng: np.random.Generator) -> None:
    for n in (2, 5, 80):
        p = np.round(rng.random(n), digits)
        labels = rng.random(n) < 0.4
        labels[:2] = True, False
        weights = rng.uniform(0.1, 3, n)
        assert roc_auc(p, labels) == pytest.approx(counted(p, labels, np.ones(n)))
        assert roc_auc(p, labels, weights) == pytest.approx(counted(p, labels, weights))
        assert roc_auc(1 - p, labels, weights) == pytest.approx(1 - counted(p, labels, weights))


def test_auc_of_the_extremes() -> None:
    p = np.array([0.1, 0.2, 0.8, 0.9])
    labels = np.array([False, False, True, True])
    assert roc_auc(p, labels) == 1
    assert roc_auc(p, ~labels) == 0
    assert roc_auc(np.full(4, 0.3), labels) == 0.5


P = np.array([0.0, 0.05, 0.1, 0.19, 0.95, 1.0])
LABELS = np.array([False, True, False, False, True, True])


def test_reliability_by_hand() -> None:
    low, next_, high = reliability(P, LABELS)
    assert low == pytest.approx(Bin(0, 0.1, 2, 0.025, 0.5))
    assert next_ == pytest.approx(Bin(0.1, 0.2, 2, 0.145, 0))
    # 1 belongs to the last range.
    assert high == pytest.approx(Bin(0.9, 1, 2, 0.975, 1))
    [all_] = reliability(P, LABELS, bins=1)
    assert all_ == pytest.approx(Bin(0, 1, 6, P.mean(), 0.5))


def test_weights_are_so_many_pairs() -> None:
    weights = np.array([1, 3, 1, 2, 1, 1])
    rows = np.repeat(np.arange(6), weights)
    assert np.array(reliability(P, LABELS, weights.astype(float))) == pytest.approx(
        np.array(reliability(P[rows], LABELS[rows]))
    )
    assert expected_calibration_error(P, LABELS, weights / 7) == pytest.approx(
        expected_calibration_error(P[rows], LABELS[rows])
    )


def test_calibration_error_by_hand() -> None:
    # |0.025 - 0.5| and |0.145 - 0| and |0.975 - 1|, a third each.
    assert expected_calibration_error(P, LABELS) == pytest.approx((0.475 + 0.145 + 0.025) / 3)


def test_true_probabilities_are_calibrated(rng: np.random.Generator) -> None:
    p = rng.random(100_000)
    labels = rng.random(100_000) < p
    assert expected_calibration_error(p, labels) < 0.01
    # Twice as sure of everything is not.
    sure = np.clip(2 * p - 0.5, 0, 1)
    assert expected_calibration_error(sure, labels) > 0.1
    # The order stays: as good at parting, to a hair.
    assert roc_auc(p, labels) == pytest.approx(5 / 6, abs=0.01)


def test_empty_ranges_are_left_out() -> None:
    assert len(reliability(np.array([0.5]), np.array([True]))) == 1
    assert len(reliability(np.array([0.5, 0.9]), np.array([True, True]), np.array([1.0, 0]))) == 1
