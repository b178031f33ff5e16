"""The field's metrics, as pure functions over arrays; each names its paper and where it differs.

Positions are in pixels, (0, 0) is the centre of the top-left pixel. What is counted for one pair of
photos is averaged over pairs by the caller, and nothing is rounded on the way.
"""

from tiepoint.evaluation.metrics.accuracy import auc, correctness
from tiepoint.evaluation.metrics.bootstrap import bootstrap_interval
from tiepoint.evaluation.metrics.correspondences import matching_score, possible_matches, recall
from tiepoint.evaluation.metrics.distinctiveness import Distinctiveness, distinctiveness
from tiepoint.evaluation.metrics.epipolar import epipolar_errors, fundamental_from_pose
from tiepoint.evaluation.metrics.geometry import corner_error, pose_auc, relative_pose_error
from tiepoint.evaluation.metrics.keypoints import localisation_error, repeatability
from tiepoint.evaluation.metrics.matches import matching_errors, mean_matching_accuracy, precision
from tiepoint.evaluation.metrics.regions import region_repeatability

__all__ = [
    "Distinctiveness",
    "auc",
    "bootstrap_interval",
    "corner_error",
    "correctness",
    "distinctiveness",
    "epipolar_errors",
    "fundamental_from_pose",
    "localisation_error",
    "matching_errors",
    "matching_score",
    "mean_matching_accuracy",
    "pose_auc",
    "possible_matches",
    "precision",
    "recall",
    "region_repeatability",
    "relative_pose_error",
    "repeatability",
]
