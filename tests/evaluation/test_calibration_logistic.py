"""Logistic regression against slow descent in plain loops, and against cases that a hand can compute."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.geometry.two_views import Array
from tiepoint.evaluation.calibration import Logistic, fit_logistic


def descended(x: Array, y: Array, weights: Array, penalty: float, steps: int = 6000) -> list[float]:
    """Intercept and weights by gradient descent, one row at a time."""
    n, d = x.shape
    scale = [float(np.std(x[:, j])) for j in range(d)]
    mean = sum(weights) / n
    beta = [0.0] * (d + 1)
    for _ in range(steps):
        slope = [0.0] + [penalty * b for b in beta[1:]]
        for k in range(n):
            row = [1.0] + [x[k, j] / scale[j] for j in range(d)]
            p = 1 / (1 + math.exp(-sum(b * v for b, v in zip(beta, row, strict=True))))
            for j in range(d + 1):
                slope[j] += weights[k] / mean * (p - y[k]) * row[j]
        beta = [b - 0.05 * s for b, s in zip(beta, slope, strict=True)]
    return [beta[0], *(b / s for b, s in zip(beta[1:], scale, strict=True))]


@pytest.mark.parametrize("penalty", [0.3, 2.0])
def test_it_is_where_descent_ends(penalty: float, rng: np.random.Generator) -> None:
    x = rng.normal(0, [1, 4], (14, 2))
    y = x[:, 0] - 0.2 * x[:, 1] + rng.normal(size=14) > 0
    weights = rng.uniform(0.5, 2, 14)
    model = fit_logistic(x, y, weights, penalty=penalty)
    assert [model.intercept, *model.weights] == pytest.approx(descended(x, y, weights, penalty), abs=1e-3)


def test_shares_of_two_groups_are_the_probabilities() -> None:
    # One feature of two values, hardly any penalty: the fit says what share of each group is true.
    x = np.array([[0.0]] * 10 + [[3.0]] * 20)
    y = np.array([True] * 2 + [False] * 8 + [True] * 15 + [False] * 5)
    model = fit_logistic(x, y, np.ones(30), penalty=1e-9)
    assert model(np.array([[0.0], [3.0]])) == pytest.approx([0.2, 0.75], abs=1e-6)
    assert model.weights[0] == pytest.approx((math.log(3) - math.log(0.25)) / 3, abs=1e-5)


def test_a_weight_is_so_many_rows() -> None:
    x = np.array([[0.0], [1], [2], [3], [1.5]])
    y = np.array([False, True, False, True, True])
    weights = np.array([1.0, 3, 1, 2, 1])
    rows = np.repeat(np.arange(5), weights.astype(int))
    # The same spread on both sides, since features are scaled by the rows that there are.
    once = fit_logistic(x / x.std(), y, weights * 8 / 5, penalty=0.0)
    often = fit_logistic(x[rows] / x[rows].std(), y[rows], np.ones(8), penalty=0.0)
    at = np.linspace(0, 3, 5)[:, None]
    assert once(at / x.std()) == pytest.approx(often(at / x[rows].std()), abs=1e-4)
    # Only how they weigh beside each other counts.
    assert fit_logistic(x, y, 100 * weights).weights == pytest.approx(fit_logistic(x, y, weights).weights)


def test_units_do_not_count(rng: np.random.Generator) -> None:
    x = rng.normal(size=(60, 3))
    y = x.sum(axis=1) + rng.normal(size=60) > 0
    one, other = (fit_logistic(x * unit, y, np.ones(60)) for unit in (1.0, np.array([1000.0, 1, 1e-3])))
    assert one(x) == pytest.approx(other(x * [1000.0, 1, 1e-3]))


def test_what_goes_the_wrong_way_is_left_out(rng: np.random.Generator) -> None:
    x = rng.normal(size=(200, 3))
    y = 2 * x[:, 0] - 1.5 * x[:, 1] + 0.5 * rng.normal(size=200) > 0
    free = fit_logistic(x, y, np.ones(200))
    assert free.weights[0] > 0 > free.weights[1]
    signed = fit_logistic(x, y, np.ones(200), signs=(1, 1, 0))
    assert signed.weights[1] == 0
    assert signed.weights[0] > 0
    # As if it had never been there.
    without = fit_logistic(x[:, [0, 2]], y, np.ones(200))
    assert signed.weights[[0, 2]] == pytest.approx(without.weights)
    none = fit_logistic(x[:, :2], y, np.ones(200), signs=(-1, 1))
    assert none.weights.tolist() == [0, 0]
    assert none(x[:1, :2])[0] == pytest.approx(y.mean())


@pytest.mark.parametrize("constant", [7.0, 0.1])
def test_a_constant_says_nothing(constant: float, rng: np.random.Generator) -> None:
    x = np.column_stack([np.full(30, constant), rng.normal(size=30)])
    y = x[:, 1] > 0.2
    model = fit_logistic(x, y, np.ones(30))
    assert model.weights[0] == 0
    assert np.isfinite(model.weights).all()


@pytest.mark.parametrize("labels", [np.zeros(20, bool), np.ones(20, bool)])
def test_all_true_or_all_false_ends(labels: Array, rng: np.random.Generator) -> None:
    x = rng.normal(size=(20, 2))
    model = fit_logistic(x, labels, np.ones(20))
    assert np.abs(model(x) - labels).max() < 1e-3
    assert np.isfinite([model.intercept, *model.weights]).all()


def test_what_parts_cleanly_ends_at_a_finite_weight() -> None:
    x = np.r_[np.arange(10), np.arange(20, 30)].astype(float)[:, None]
    model = fit_logistic(x, x[:, 0] > 15, np.ones(20), penalty=1.0)
    assert 0 < model.weights[0] < 10
    assert model(np.array([[14.5]]))[0] == pytest.approx(0.5, abs=1e-6)


def test_far_out_there_is_no_overflow() -> None:
    model = Logistic(0.0, np.array([1.0]))
    assert model(np.array([[-1e9], [0], [1e9]])).tolist() == [0, 0.5, 1]
