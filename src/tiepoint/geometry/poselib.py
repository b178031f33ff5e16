"""PoseLib behind the estimators."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import MissingError
from tiepoint.geometry.degenerate import Points
from tiepoint.geometry.estimate import Estimate, Estimator
from tiepoint.options import option

INSTALL = "pip install 'poselib>=2.0.4,<2.1'"


@dataclass(frozen=True, kw_only=True)
class PoseLib(Estimator):
    """RANSAC with local optimisation, and a robust refinement on the inliers at the end, by PoseLib.

    Models are ranked by their truncated squared errors (MSAC). The inliers are those before the refinement,
    of a pose the ones in front of both cameras. A homography that mirrors is not found: PoseLib passes
    over samples that change their orientation.

    References
    ----------
    Larsson and contributors, "PoseLib: minimal solvers for camera pose estimation", 2020.

    Examples
    --------
    >>> from tiepoint.geometry.poselib import PoseLib
    >>> PoseLib(seed=1).settings()["max_iterations"]
    100000
    """

    name: ClassVar[str] = "poselib"
    summary: ClassVar[str] = "local optimisation, robust refinement; the most precise"
    source: ClassVar[str] = "Larsson et al., PoseLib, 2020"

    max_iterations: int = option(100_000, "largest number of samples", at_least=1)
    min_iterations: int = option(1000, "samples that are drawn in any case", at_least=0)
    refine: bool = option(True, "refine the best model once more on its inliers, at the end")

    @classmethod
    def missing(cls) -> str | None:
        """Say how to install PoseLib; None if it is there."""
        return INSTALL if find_spec("poselib") is None else None

    def homography(self, xy0: Points, xy1: Points, max_error: float) -> Estimate:
        """Estimate a homography with PoseLib."""
        poselib = _import()
        options = self._options(poselib, max_reproj_error=max_error)
        matrix, info = poselib.estimate_homography(xy0, xy1, options, self._bundle())
        if not _found(info, matrix):
            return Estimate.nothing(len(xy0), "no homography agrees with four of the matches or more")
        return Estimate(matrix=matrix, inliers=_inliers(info), iterations=info["iterations"])

    def fundamental(self, xy0: Points, xy1: Points, max_error: float) -> Estimate:
        """Estimate a fundamental matrix with PoseLib."""
        poselib = _import()
        options = self._options(poselib, max_epipolar_error=max_error)
        matrix, info = poselib.estimate_fundamental(xy0, xy1, options, self._bundle())
        if not _found(info, matrix):
            return Estimate.nothing(
                len(xy0), "no fundamental matrix agrees with seven of the matches or more"
            )
        return Estimate(matrix=matrix, inliers=_inliers(info), iterations=info["iterations"])

    def relative_pose(
        self, xy0: Points, xy1: Points, camera0: Points, camera1: Points, max_error: float
    ) -> Estimate:
        """Estimate a relative pose with PoseLib."""
        poselib = _import()
        options = self._options(poselib, max_epipolar_error=max_error)
        cameras = _pinhole(camera0), _pinhole(camera1)
        pose, info = poselib.estimate_relative_pose(xy0, xy1, *cameras, options, self._bundle())
        if not _found(info, pose.Rt):
            return Estimate.nothing(len(xy0), "no relative pose agrees with five of the matches or more")
        return Estimate.of_pose(pose.R, pose.t, inliers=_inliers(info), iterations=info["iterations"])

    def _bundle(self) -> dict[str, Any]:
        return {} if self.refine else {"max_iterations": 0}

    def _options(self, poselib: Any, **max_error: float) -> dict[str, Any]:
        options = {
            "success_prob": self.confidence,
            "max_iterations": self.max_iterations,
            "min_iterations": self.min_iterations,
            "seed": self.seed,
            **max_error,
        }
        # PoseLib passes over a name that it does not know, and would run with its own threshold.
        unknown = set(options) - set(poselib.RansacOptions())
        if unknown:
            raise MissingError(
                f"PoseLib {poselib.__version__} has no option {', '.join(sorted(unknown))}; "
                f"get one that has: {INSTALL}"
            )
        return options


def _import() -> Any:
    try:
        import poselib
    except ModuleNotFoundError as error:
        raise MissingError(
            f"PoseLib is not installed; get it with: {INSTALL}; or take the estimator magsac"
        ) from error
    except (ImportError, RuntimeError) as error:  # its compiled part cannot be loaded
        raise MissingError(f"PoseLib is installed but cannot be loaded: {error}") from error
    return poselib


def _pinhole(camera: Points) -> dict[str, Any]:
    """Return PoseLib's camera; its pixels are those of the points, wherever these have their origin."""
    params = [camera[0, 0], camera[1, 1], camera[0, 2], camera[1, 2]]
    return {"model": "PINHOLE", "width": -1, "height": -1, "params": params}


def _found(info: dict[str, Any], model: Points) -> bool:
    # Where no sample gave a model, PoseLib refines and counts inliers on memory that was never set:
    # on whatever the last call left there. Then alone the score is that which it began with.
    scored = info["model_score"] < sys.float_info.max
    return bool(scored and info["num_inliers"] > 0 and np.isfinite(model).all())


def _inliers(info: dict[str, Any]) -> NDArray[np.bool_]:
    return np.array(info["inliers"], np.bool_)
