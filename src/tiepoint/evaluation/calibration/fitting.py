"""Fit the verdict, and predict every pair by a fit that has seen neither of its scenes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tiepoint.evaluation.calibration.logistic import Logistic, fit_logistic
from tiepoint.evaluation.calibration.trials import Trial
from tiepoint.verdict import MOST_IN_DOUBT, doubts

Floats = NDArray[np.float64]

# What each piece of evidence may only do: speak for (+1) or against (-1) the same scene.
SIGNS = {
    "beyond chance": 1,
    "alike": 1,
    "inliers": 1,
    "share": 1,
    "confidence": 1,
    "second method": 1,
    "predicted": 1,
    "agreement": 1,
    "coverage": 1,
    "look-alikes": -1,
    "rival": -1,
}
_GROUPS = 10
# Of evidence that says the same twice, each gets a part of the weight, so that none decides alone.
_PENALTY = 0.001  # for each trial, so that their number does not matter


def labels(trials: Sequence[Trial]) -> NDArray[np.bool_]:
    """Return what is true of each, (N,)."""
    return np.array([trial.label for trial in trials])


def balanced(labels: NDArray[np.bool_]) -> Floats:
    """Return weights, (N,), by which true and false ones weigh the same together, and 1 in all."""
    true = max(1, int(np.count_nonzero(labels)))
    false = max(1, int(np.count_nonzero(~labels)))
    return np.where(labels, 0.5 / true, 0.5 / false)


def fitted(trials: Sequence[Trial], *, penalty: float = _PENALTY) -> Logistic:
    """Fit to trials; weights are in the order of :data:`SIGNS`.

    A changed copy in which nothing was found was changed too much: it is left out, since it says nothing of
    how two real photos look in which nothing is found. Only those that were turned stay: so are real ones.
    """
    trials = [one for one in trials if one.kind != "made" or one.found or one.turned]
    truth = labels(trials)
    return fit_logistic(
        _features(trials), truth, balanced(truth), penalty=penalty * len(trials), signs=tuple(SIGNS.values())
    )


def held_out(trials: Sequence[Trial], *, penalty: float = _PENALTY, capped: bool = True) -> Floats:
    """Return the probability of each trial, (N,), by a fit to those that share no group of scenes with it.

    Capped where there are doubts, as :func:`tiepoint.judge` does, unless told otherwise.

    The scenes are dealt out to ten groups; a pair of two scenes is predicted without both of their groups.
    """
    scenes = sorted({scene for trial in trials for scene in trial.scenes})
    dealt = np.random.default_rng(0).permutation(len(scenes)) % _GROUPS
    group = dict(zip(scenes, dealt.tolist(), strict=True))
    of_trial = np.array([sorted(group[scene] for scene in trial.scenes) for trial in trials])
    features = _features(trials)
    probabilities = np.empty(len(trials))
    for left_out in np.unique(of_trial, axis=0):
        test = (of_trial == left_out).all(axis=1)
        train = ~np.isin(of_trial, left_out).any(axis=1)
        model = fitted([trials[k] for k in np.flatnonzero(train).tolist()], penalty=penalty)
        probabilities[test] = model(features[test])
    return _capped(probabilities, trials) if capped else probabilities


def predicted(trials: Sequence[Trial]) -> Floats:
    """Return the probability of each trial, (N,), by the fit to all of them, capped likewise."""
    return _capped(fitted(trials)(_features(trials)), trials)


def _capped(probabilities: Floats, trials: Sequence[Trial]) -> Floats:
    in_doubt = np.array([bool(doubts(trial.evidence)) for trial in trials])
    return np.where(in_doubt, np.minimum(probabilities, MOST_IN_DOUBT), probabilities)


def _features(trials: Sequence[Trial]) -> Floats:
    return np.array([[trial.evidence.get(name, 0.0) for name in SIGNS] for trial in trials])
