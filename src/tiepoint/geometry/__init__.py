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
from tiepoint.geometry.verify import verify
from tiepoint.geometry.warp import facing, warp

__all__ = [
    "ESTIMATORS",
    "Estimate",
    "Estimator",
    "estimate_homography",
    "estimate_relative_pose",
    "facing",
    "get_estimator",
    "verify",
    "warp",
]
