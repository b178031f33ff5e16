"""Whether a geometry that was found is the true one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiepoint.evaluation.calibration.photos import Truth
from tiepoint.evaluation.datasets import HomographyTruth, PoseTruth
from tiepoint.geometry.residuals import sampson
from tiepoint.types import Geometry

# Hand-made correspondences are good to a few pixels; so are, far from the inliers, models that are right.
MOST_OFF = 5.0
# A homography between two photos of a sequence is composed of two that are good to a pixel of the first
# photo, of which a zoom makes several.
MOST_OFF_HOMOGRAPHY = 10.0


def confirmed(geometry: Geometry, truth: Truth) -> bool | None:
    """Tell whether the truth confirms a geometry: None where there is no truth.

    Against a true homography or pose the inliers are held: how far it takes them from each other, or how far
    they are from their epipolar lines. Hand-made correspondences are held against the model: the median of
    their distances from it must be below 5 pixels.
    """
    if truth is None or not geometry:
        return None if truth is None else False
    assert geometry.matrix is not None
    inliers = geometry.inliers
    xy0, xy1 = (xy[inliers].astype(np.float64) for xy in (geometry.matches.xy0, geometry.matches.xy1))
    if isinstance(truth, HomographyTruth):
        off = sampson("homography", truth.H_1_from_0, xy0, xy1)
    elif isinstance(truth, PoseTruth):
        off = sampson("fundamental", fundamental(truth), xy0, xy1)
    else:
        off = sampson(geometry.model, geometry.matrix, truth[:, :2], truth[:, 2:])
    largest = MOST_OFF_HOMOGRAPHY if isinstance(truth, HomographyTruth) else MOST_OFF
    return bool(np.median(off) <= largest)


def fundamental(truth: PoseTruth) -> NDArray[np.float64]:
    """Return the true ``F_1_from_0`` in pixels."""
    x, y, z = truth.t
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.linalg.inv(truth.K1).T @ cross @ truth.R @ np.linalg.inv(truth.K0))
