"""Calibration of the verdict: pairs of known truth, a logistic model, and how well it keeps its word."""

from tiepoint.evaluation.calibration.fitting import SIGNS, balanced, fitted, held_out, labels, predicted
from tiepoint.evaluation.calibration.logistic import Logistic, fit_logistic
from tiepoint.evaluation.calibration.methods import Methods, attempts
from tiepoint.evaluation.calibration.photos import LabelledPair, LabelledPhoto, labelled_photos, real_pairs
from tiepoint.evaluation.calibration.scores import (
    Bin,
    expected_calibration_error,
    reliability,
    roc_auc,
)
from tiepoint.evaluation.calibration.trials import Trial, trials
from tiepoint.evaluation.calibration.truth import confirmed

__all__ = [
    "SIGNS",
    "Bin",
    "LabelledPair",
    "LabelledPhoto",
    "Logistic",
    "Methods",
    "Trial",
    "attempts",
    "balanced",
    "confirmed",
    "expected_calibration_error",
    "fit_logistic",
    "fitted",
    "held_out",
    "labelled_photos",
    "labels",
    "predicted",
    "real_pairs",
    "reliability",
    "roc_auc",
    "trials",
]
