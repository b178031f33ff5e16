"""Matches to geometry: robust estimators behind one small interface."""

from __future__ import annotations

from tiepoint.geometry.estimate import (
    ESTIMATORS,
    Estimate,
    Estimator,
    estimate_homography,
    estimate_relative_pose,
    get_estimator,
)

__all__ = [
    "ESTIMATORS",
    "Estimate",
    "Estimator",
    "estimate_homography",
    "estimate_relative_pose",
    "get_estimator",
]
