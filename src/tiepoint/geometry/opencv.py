"""OpenCV behind the estimators: plain RANSAC, and MAGSAC++."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import MissingError
from tiepoint.geometry.degenerate import Points
from tiepoint.geometry.estimate import Estimate, Estimator, focal_length, rays
from tiepoint.options import option

INSTALL = "pip install opencv-python-headless"
Find = Callable[[Any, Points, Points, float], tuple[Any, Any]]


@dataclass(frozen=True, kw_only=True)
class _OpenCV(Estimator):
    """What both have in common: how their results are taken, and how their failures are worded."""

    @classmethod
    def missing(cls) -> str | None:
        """Say how to install OpenCV; None if it is there."""
        return INSTALL if find_spec("cv2") is None else None

    def homography(self, xy0: Points, xy1: Points, max_error: float) -> Estimate:
        """Estimate a homography with OpenCV."""
        nothing = "no homography agrees with four of the matches or more"
        return self._estimate(self._find_homography, xy0, xy1, max_error, nothing)

    def fundamental(self, xy0: Points, xy1: Points, max_error: float) -> Estimate:
        """Estimate a fundamental matrix with OpenCV."""
        nothing = "no fundamental matrix agrees with seven of the matches or more"
        return self._estimate(self._find_fundamental, xy0, xy1, max_error, nothing)

    def affine(self, xy0: Points, xy1: Points, max_error: float) -> Estimate:
        """Estimate an affinity with OpenCV."""
        nothing = "no affinity agrees with three of the matches or more"
        return self._estimate(self._find_affine, xy0, xy1, max_error, nothing)

    def similarity(self, xy0: Points, xy1: Points, max_error: float) -> Estimate:
        """Estimate a similarity with OpenCV, which for this has nothing but plain RANSAC."""
        nothing = "no similarity agrees with two of the matches or more"
        return self._estimate(self._find_similarity, xy0, xy1, max_error, nothing)

    def relative_pose(
        self, xy0: Points, xy1: Points, camera0: Points, camera1: Points, max_error: float
    ) -> Estimate:
        """Estimate an essential matrix with OpenCV, and take it apart."""
        cv2 = _import()
        order = self._order(len(xy0))
        xy0, xy1 = xy0[order], xy1[order]
        try:
            matrix, mask = self._find_essential(cv2, xy0, xy1, camera0, camera1, max_error)
            if matrix is None or not np.isfinite(matrix).all():
                return Estimate.nothing(len(xy0), "no relative pose agrees with five of the matches or more")
            flat0, flat1 = _flat_rays(xy0, camera0), _flat_rays(xy1, camera1)
            # From five matches OpenCV gives all solutions, one below the other.
            poses = [_in_front(cv2, e, flat0, flat1, mask) for e in np.split(matrix, len(matrix) // 3)]
        except cv2.error as error:
            return _gave_up(len(xy0), error)
        rotation, translation, ahead = max(poses, key=lambda pose: np.count_nonzero(pose[2]))
        return Estimate.of_pose(rotation, translation, inliers=_in_order(ahead, order))

    def _estimate(self, find: Find, xy0: Points, xy1: Points, max_error: float, nothing: str) -> Estimate:
        """Call OpenCV for a matrix; ``nothing`` says that there is none."""
        cv2 = _import()
        order = self._order(len(xy0))
        try:
            matrix, mask = find(cv2, xy0[order], xy1[order], max_error)
        except cv2.error as error:
            return _gave_up(len(xy0), error)
        if matrix is None or not np.isfinite(matrix).all():
            return Estimate.nothing(len(xy0), nothing)
        # Two rows are an affinity; of seven matches there are up to three fundamental matrices, one below the
        # other.
        matrix = np.vstack([matrix, [0, 0, 1]]) if len(matrix) == 2 else matrix[:3]
        return Estimate(matrix=matrix, inliers=_in_order(mask, order))

    def _order(self, m: int) -> NDArray[np.intp]:
        """Return the order in which OpenCV gets to see the matches."""
        return np.arange(m)

    def _find_homography(self, cv2: Any, xy0: Points, xy1: Points, max_error: float) -> tuple[Any, Any]:
        """Return OpenCV's matrix, None if there is none, and its mask of inliers."""
        raise NotImplementedError

    def _find_fundamental(self, cv2: Any, xy0: Points, xy1: Points, max_error: float) -> tuple[Any, Any]:
        raise NotImplementedError

    def _find_affine(self, cv2: Any, xy0: Points, xy1: Points, max_error: float) -> tuple[Any, Any]:
        raise NotImplementedError

    def _find_similarity(self, cv2: Any, xy0: Points, xy1: Points, max_error: float) -> tuple[Any, Any]:
        found: tuple[Any, Any] = cv2.estimateAffinePartial2D(
            xy0,
            xy1,
            None,
            cv2.RANSAC,
            ransacReprojThreshold=max_error,
            maxIters=self.max_iterations,
            confidence=self.confidence,
        )
        return found

    def _find_essential(
        self, cv2: Any, xy0: Points, xy1: Points, camera0: Points, camera1: Points, max_error: float
    ) -> tuple[Any, Any]:
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Ransac(_OpenCV):
    """Plain RANSAC by OpenCV: models are ranked by their number of inliers.

    A homography is refined by least squares on its inliers, a relative pose is that of the best sample.
    The inliers are those of the best sample (of a homography, in newer versions of OpenCV, of the refined
    one), of a pose the ones in front of both cameras.

    OpenCV draws the samples of every call from the same sequence; another ``seed`` than 0 shuffles the
    matches before.

    References
    ----------
    Fischler, Bolles, "Random sample consensus", CACM 1981.

    Examples
    --------
    >>> from tiepoint.geometry.opencv import Ransac
    >>> Ransac(seed=1).settings()
    {'confidence': 0.9999, 'max_iterations': 10000, 'seed': 1}
    """

    name: ClassVar[str] = "opencv"
    summary: ClassVar[str] = "plain RANSAC; what most programs use"
    source: ClassVar[str] = "Fischler and Bolles, CACM 1981"

    def _order(self, m: int) -> NDArray[np.intp]:
        return np.random.default_rng(self.seed).permutation(m) if self.seed else np.arange(m)

    def _find_homography(self, cv2: Any, xy0: Points, xy1: Points, max_error: float) -> tuple[Any, Any]:
        found: tuple[Any, Any] = cv2.findHomography(
            xy0, xy1, cv2.RANSAC, max_error, maxIters=self.max_iterations, confidence=self.confidence
        )
        return found

    def _find_fundamental(self, cv2: Any, xy0: Points, xy1: Points, max_error: float) -> tuple[Any, Any]:
        found: tuple[Any, Any] = cv2.findFundamentalMat(
            xy0, xy1, cv2.FM_RANSAC, max_error, self.confidence, self.max_iterations
        )
        return found

    def _find_affine(self, cv2: Any, xy0: Points, xy1: Points, max_error: float) -> tuple[Any, Any]:
        found: tuple[Any, Any] = cv2.estimateAffine2D(
            xy0,
            xy1,
            None,
            cv2.RANSAC,
            ransacReprojThreshold=max_error,
            maxIters=self.max_iterations,
            confidence=self.confidence,
        )
        return found

    def _find_essential(
        self, cv2: Any, xy0: Points, xy1: Points, camera0: Points, camera1: Points, max_error: float
    ) -> tuple[Any, Any]:
        found: tuple[Any, Any] = cv2.findEssentialMat(
            _flat_rays(xy0, camera0),
            _flat_rays(xy1, camera1),
            np.eye(3),
            method=cv2.RANSAC,
            prob=self.confidence,
            threshold=max_error / focal_length(camera0, camera1),
            maxIters=self.max_iterations,
        )
        return found


@dataclass(frozen=True, kw_only=True)
class Magsac(_OpenCV):
    """MAGSAC++ by OpenCV (USAC_MAGSAC): models are ranked over a range of thresholds instead of at one.

    Matches beyond ``max_error`` have a say in the model too, the less the larger their error is, up to a
    limit of OpenCV's own; ``max_error`` decides which are inliers, and with their number how long to go on.
    The inliers are those of the final model, of a pose the ones in front of both cameras.

    References
    ----------
    Barath, Noskova, Ivashechkin, Matas, "MAGSAC++, a fast, reliable and accurate robust estimator",
    CVPR 2020.

    Examples
    --------
    >>> from tiepoint.geometry.opencv import Magsac
    >>> Magsac(confidence=0.999).confidence
    0.999
    """

    name: ClassVar[str] = "magsac"
    summary: ClassVar[str] = "ranks over a range of thresholds; by OpenCV"
    source: ClassVar[str] = "Barath et al., CVPR 2020"

    progressive: bool = option(False, "the matches come best first: draw from the first ones first (PROSAC)")

    def _find_homography(self, cv2: Any, xy0: Points, xy1: Points, max_error: float) -> tuple[Any, Any]:
        found: tuple[Any, Any] = cv2.findHomography(xy0, xy1, self._params(cv2, max_error, (75, 15)))
        return found

    def _find_fundamental(self, cv2: Any, xy0: Points, xy1: Points, max_error: float) -> tuple[Any, Any]:
        found: tuple[Any, Any] = cv2.findFundamentalMat(xy0, xy1, self._params(cv2, max_error, (50, 10)))
        return found

    def _find_affine(self, cv2: Any, xy0: Points, xy1: Points, max_error: float) -> tuple[Any, Any]:
        found: tuple[Any, Any] = cv2.estimateAffine2D(xy0, xy1, self._params(cv2, max_error, (50, 10)))
        return found

    def _find_essential(
        self, cv2: Any, xy0: Points, xy1: Points, camera0: Points, camera1: Points, max_error: float
    ) -> tuple[Any, Any]:
        # That limit is in pixels, so the points are, too; over normalised ones it would let in everything.
        # OpenCV divides the threshold by the mean focal length, which is undone here.
        mean = (camera0[0, 0] + camera0[1, 1] + camera1[0, 0] + camera1[1, 1]) / 4
        threshold = max_error / focal_length(camera0, camera1) * mean
        params = self._params(cv2, threshold, (50, 10))
        found: tuple[Any, Any] = cv2.findEssentialMat(xy0, xy1, camera0, camera1, None, None, params)
        return found

    def _params(self, cv2: Any, threshold: float, local_optimisation: tuple[int, int]) -> Any:
        """Return what the flag USAC_MAGSAC stands for, with a seed, which the flag does not take."""
        params = cv2.UsacParams()
        params.sampler = cv2.SAMPLING_PROSAC if self.progressive else cv2.SAMPLING_UNIFORM
        params.score = cv2.SCORE_METHOD_MAGSAC
        params.loMethod = cv2.LOCAL_OPTIM_SIGMA
        params.loSampleSize, params.loIterations = local_optimisation
        params.threshold = threshold
        params.confidence = self.confidence
        params.maxIterations = self.max_iterations
        params.randomGeneratorState = self.seed
        return params


def _import() -> Any:
    try:
        import cv2
    except ModuleNotFoundError as error:
        raise MissingError(
            f"OpenCV is not installed; get it with: {INSTALL}; or take the estimator poselib"
        ) from error
    except ImportError as error:
        raise MissingError(f"OpenCV is installed but cannot be loaded: {error}") from error
    return cv2


def _gave_up(m: int, error: Any) -> Estimate:
    said = " ".join(str(error.err or error).split())
    return Estimate.nothing(m, f"OpenCV gave up on these matches: {said}")


def _in_front(
    cv2: Any, essential: Points, flat0: Points, flat1: Points, mask: NDArray[np.uint8]
) -> tuple[Points, Points, NDArray[np.uint8]]:
    """Return the pose with most points in front of both cameras, and which of the inliers these are."""
    _, rotation, translation, ahead, _ = cv2.recoverPose(
        essential,
        flat0,
        flat1,
        np.eye(3),
        distanceThresh=1e9,  # in steps between the cameras: nothing is too far away
        mask=mask.copy(),
    )
    return rotation, translation, ahead


def _flat_rays(xy: Points, camera: Points) -> Points:
    return rays(xy, camera)[:, :2].copy()


def _in_order(mask: NDArray[np.uint8], order: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return OpenCV's mask as truth values, in the order in which the matches came."""
    inliers = np.zeros(len(order), np.bool_)
    inliers[order] = mask.ravel() != 0
    return inliers
