"""The one interface of robust estimation: matches in, a homography or a relative pose out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import DataError, OptionError
from tiepoint.geometry.degenerate import (
    Points,
    homography_left_open,
    in_line,
    only_turned,
    too_few,
)
from tiepoint.geometry.residuals import sampson
from tiepoint.options import Method, option
from tiepoint.registry import Registry
from tiepoint.types._arrays import Noun, checked, checked_or_none

_OF_HOMOGRAPHY, _OF_POSE = 4, 5  # matches in a minimal sample
_AGREE = "matches that agree"
LARGEST_POSITION = 1e7  # in pixels; beyond it squares and cubes lose all precision


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Estimate(Noun):
    """What an estimator found; it counts as true if it found something.

    Attributes
    ----------
    matrix : ndarray, (3, 3) float64 | None
        The homography ``H_1_from_0``, scaled to ``matrix[2, 2] == 1`` (or to norm 1, where the origin
        of photo 0 goes to infinity); or the essential matrix ``[t] R``: rays satisfy
        ``ray1 @ matrix @ ray0 == 0``.
    R, t : ndarray, (3, 3) and (3,) float64 | None
        ``cam1_from_cam0`` of a relative pose: a point X in the frame of camera 0 is ``R @ X + t`` in that
        of camera 1. Photos do not tell how far apart they were taken: t has length 1.
    inliers : ndarray, (M,) bool
        The matches within ``max_error``, as the estimator counted them.
    iterations : int | None
        Samples drawn; None where the estimator does not tell.
    reason : str | None
        Why nothing was found.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.geometry import estimate_homography
    >>> estimate_homography(np.eye(3, 2), np.eye(3, 2))
    Estimate(nothing: 3 matches and no more; a homography needs 4)
    """

    matrix: NDArray[np.float64] | None = None
    R: NDArray[np.float64] | None = None
    t: NDArray[np.float64] | None = None
    inliers: NDArray[np.bool_]
    iterations: int | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        for name, shape in (("matrix", (3, 3)), ("R", (3, 3)), ("t", (3,))):
            self._set(name, checked_or_none(name, getattr(self, name), shape=shape, dtype=np.float64))
        self._set("inliers", checked("inliers", self.inliers, shape=(None,), dtype=np.bool_))
        if (self.matrix is None) != bool(self.reason):
            raise DataError("an Estimate has either a matrix or a reason why there is none")

    @classmethod
    def nothing(cls, m: int, reason: str, iterations: int | None = None) -> Self:
        """Return that nothing was found in ``m`` matches, and why.

        Examples
        --------
        >>> from tiepoint.geometry import Estimate
        >>> bool(Estimate.nothing(7, "they contradict each other"))
        False
        """
        return cls(inliers=np.zeros(m, np.bool_), iterations=iterations, reason=reason)

    @classmethod
    def of_pose(
        cls,
        rotation: Points,
        translation: Points,
        *,
        inliers: NDArray[np.bool_],
        iterations: int | None = None,
    ) -> Self:
        """Build from a relative pose, (3, 3) and (3,); the translation may be of any length but 0.

        Examples
        --------
        >>> import numpy as np
        >>> from tiepoint.geometry import Estimate
        >>> Estimate.of_pose(np.eye(3), np.array([2.0, 0, 0]), inliers=np.ones(6, bool)).matrix
        array([[ 0.,  0.,  0.],
               [ 0.,  0., -1.],
               [ 0.,  1.,  0.]])
        """
        t = np.ravel(translation) / np.linalg.norm(translation)
        essential = np.cross(t, rotation, axisb=0, axisc=0)
        return cls(matrix=essential, R=rotation, t=t, inliers=inliers, iterations=iterations)

    def __bool__(self) -> bool:
        return self.matrix is not None

    def __repr__(self) -> str:
        if self.matrix is None:
            return f"Estimate(nothing: {self.reason})"
        model = "homography" if self.R is None else "relative pose"
        return f"Estimate({model}, {np.count_nonzero(self.inliers)} of {len(self.inliers)} matches agree)"


@dataclass(frozen=True, kw_only=True)
class Estimator(Method):
    """Base of the estimators: draw small samples, fit, count who agrees, keep the best.

    A subclass gets points that were checked: (M, 2) float64, finite, enough of them and not in one line.
    It returns what it found, in any scale, or :meth:`Estimate.nothing`; it keeps no state, neither in
    itself nor in its library, so that the same matches always give the same result.

    Examples
    --------
    >>> from tiepoint.geometry import ESTIMATORS
    >>> [listed.name for listed in ESTIMATORS.listing()]
    ['poselib', 'opencv', 'magsac']
    """

    confidence: float = option(
        0.9999,
        "stop once a better model has been missed with a probability of at most 1 minus this",
        above=0,
        at_most=0.999999,
    )
    max_iterations: int = option(10_000, "largest number of samples", at_least=1)
    seed: int = option(0, "of the random samples", at_least=0)

    def homography(self, xy0: Points, xy1: Points, max_error: float) -> Estimate:
        """Estimate ``H_1_from_0``; see :func:`estimate_homography`."""
        raise NotImplementedError

    def relative_pose(
        self, xy0: Points, xy1: Points, camera0: Points, camera1: Points, max_error: float
    ) -> Estimate:
        """Estimate ``cam1_from_cam0``; see :func:`estimate_relative_pose`."""
        raise NotImplementedError

    def fundamental(self, xy0: Points, xy1: Points, max_error: float) -> Estimate:
        """Estimate ``F_1_from_0`` in pixels; ``max_error`` is a Sampson distance."""
        raise self._cannot("a fundamental matrix", xy0, xy1, max_error)

    def affine(self, xy0: Points, xy1: Points, max_error: float) -> Estimate:
        """Estimate the affinity ``H_1_from_0``; ``max_error`` is a distance in photo 1."""
        raise self._cannot("an affinity", xy0, xy1, max_error)

    def similarity(self, xy0: Points, xy1: Points, max_error: float) -> Estimate:
        """Estimate the similarity ``H_1_from_0``, which does not mirror; in the same way."""
        raise self._cannot("a similarity", xy0, xy1, max_error)

    def _cannot(self, what: str, *_: object) -> OptionError:
        return OptionError(f"the estimator {self.name} does not estimate {what}; magsac does")


ESTIMATORS = Registry(
    "estimator",
    Estimator,
    {
        "poselib": "tiepoint.geometry.poselib:PoseLib",
        "opencv": "tiepoint.geometry.opencv:Ransac",
        "magsac": "tiepoint.geometry.opencv:Magsac",
    },
    group="tiepoint.estimators",
)


def get_estimator(estimator: str | Estimator = "poselib", **options: Any) -> Estimator:
    """Return an estimator: by its name and options, or the object that was given.

    Examples
    --------
    >>> from tiepoint.geometry import get_estimator
    >>> get_estimator("magsac", seed=3).seed
    3
    """
    return ESTIMATORS.get(estimator, options)


def estimate_homography(
    xy0: NDArray[Any],
    xy1: NDArray[Any],
    *,
    estimator: str | Estimator = "poselib",
    max_error: float = 2.0,
    **options: Any,
) -> Estimate:
    """Estimate the homography that most of the matches agree on.

    Parameters
    ----------
    xy0, xy1 : ndarray, (M, 2)
        Matching positions in photo 0 and photo 1, in pixels.
    estimator : str or Estimator
        "poselib" (the most precise), "opencv" (plain RANSAC) or "magsac".
    max_error : float
        In pixels of photo 1: how far ``H_1_from_0`` may take a point of photo 0 from its match. No
        estimator looks at the error in photo 0. 2 suits PoseLib; plain RANSAC, which does not weigh its
        inliers, does better with 3; MAGSAC++ hardly minds.
    **options
        Options of the named estimator: ``confidence``, ``max_iterations``, ``seed``.

    Returns
    -------
    Estimate
        False with its ``reason`` if there is none: too few matches, points in one line, or chaos. The
        same matches and options always give the same result.

    Raises
    ------
    DataError
        If the arrays do not fit each other, or hold NaN.
    OptionError
        If a name or an option is unknown or out of range.
    MissingError
        If the estimator's library is not installed.

    References
    ----------
    Hartley, Zisserman, "Multiple View Geometry in Computer Vision", 2nd edition, chapter 4.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.geometry import estimate_homography
    >>> rng = np.random.default_rng(0)
    >>> xy0 = rng.uniform(0, 600, (100, 2))
    >>> xy1 = 2 * xy0 + [5, 7]
    >>> xy1[:40] = rng.uniform(0, 600, (40, 2))
    >>> found = estimate_homography(xy0, xy1)
    >>> found
    Estimate(homography, 60 of 100 matches agree)
    >>> (np.abs(found.matrix - [[2, 0, 5], [0, 2, 7], [0, 0, 1]]) < 1e-6).all()
    np.True_
    """
    chosen = get_estimator(estimator, **options)
    xy0, xy1 = checked_points(xy0, xy1)
    limit = checked_max_error(max_error)
    reason = too_few(xy0, xy1, _OF_HOMOGRAPHY, "a homography") or in_line(xy0, xy1, limit)
    if reason:
        return Estimate.nothing(len(xy0), reason)
    found = chosen.homography(xy0, xy1, limit)
    if found.matrix is None:
        return found
    agree = xy0[found.inliers], xy1[found.inliers]
    reason = (
        too_few(*agree, _OF_HOMOGRAPHY, "a homography", _AGREE)
        or in_line(*agree, limit, _AGREE)
        or homography_left_open(*agree)
    )
    if reason:
        return Estimate.nothing(len(xy0), reason, found.iterations)
    return Estimate(matrix=_scaled(found.matrix), inliers=found.inliers, iterations=found.iterations)


def estimate_relative_pose(
    xy0: NDArray[Any],
    xy1: NDArray[Any],
    camera0: NDArray[Any],
    camera1: NDArray[Any],
    *,
    estimator: str | Estimator = "poselib",
    max_error: float = 1.0,
    **options: Any,
) -> Estimate:
    """Estimate how camera 1 stood to camera 0, from matches and the two intrinsic matrices.

    Parameters
    ----------
    xy0, xy1 : ndarray, (M, 2)
        Matching positions in photo 0 and photo 1, in pixels, without lens distortion.
    camera0, camera1 : ndarray, (3, 3)
        ``[[fx, 0, cx], [0, fy, cy], [0, 0, 1]]``, in the same pixels: those of tiepoint, where (0, 0) is
        the centre of the first. For a camera of COLMAP take half a pixel off cx and cy.
    estimator : str or Estimator
        "poselib" (the most precise), "opencv" (plain RANSAC) or "magsac".
    max_error : float
        In pixels: the largest Sampson distance, which for small errors is how far both points together
        have to move to meet the epipolar geometry. It is measured between rays, in units of the focal
        length; for two different ones, of their harmonic mean.
    **options
        Options of the named estimator: ``confidence``, ``max_iterations``, ``seed``.

    Returns
    -------
    Estimate
        False with its ``reason`` if there is none: too few matches, points in one line, photos between
        which the camera only turned, or chaos. The same matches and options always give the same result.

    Raises
    ------
    DataError
        If the arrays do not fit each other, or hold NaN, or a camera is none.
    OptionError
        If a name or an option is unknown or out of range.
    MissingError
        If the estimator's library is not installed.

    References
    ----------
    Nistér, "An efficient solution to the five-point relative pose problem", PAMI 2004.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.geometry import estimate_relative_pose
    >>> points = np.random.default_rng(0).uniform([-2, -2, 4], [2, 2, 8], (50, 3))
    >>> camera = np.array([[700, 0, 320], [0, 700, 240], [0, 0, 1]])
    >>> project = lambda X: (X @ camera.T)[:, :2] / X[:, 2:]
    >>> found = estimate_relative_pose(project(points), project(points + [1, 0, 0]), camera, camera)
    >>> found
    Estimate(relative pose, 50 of 50 matches agree)
    >>> np.abs(found.t - [1, 0, 0]).max() < 1e-6
    np.True_
    """
    chosen = get_estimator(estimator, **options)
    xy0, xy1 = checked_points(xy0, xy1)
    camera0, camera1 = checked_camera("camera0", camera0), checked_camera("camera1", camera1)
    limit = checked_max_error(max_error)
    reason = too_few(xy0, xy1, _OF_POSE, "a relative pose") or in_line(xy0, xy1, limit)
    if reason:
        return Estimate.nothing(len(xy0), reason)
    found = chosen.relative_pose(xy0, xy1, camera0, camera1, limit)
    if not found:
        return found
    agree = xy0[found.inliers], xy1[found.inliers]
    angle = limit / focal_length(camera0, camera1)
    seen0, seen1 = rays(agree[0], camera0), rays(agree[1], camera1)
    errors = sampson("essential", np.asarray(found.matrix), seen0[:, :2], seen1[:, :2])
    reason = (
        too_few(*agree, _OF_POSE, "a relative pose", _AGREE)
        or in_line(*agree, limit, _AGREE)
        or only_turned(seen0, seen1, angle, errors)
    )
    return Estimate.nothing(len(xy0), reason, found.iterations) if reason else found


def rays(xy: Points, camera: Points) -> Points:
    """Return the directions (M, 3) in which a camera sees points, with third coordinate 1."""
    flat = (xy - camera[:2, 2]) / np.diag(camera)[:2]
    return np.column_stack([flat, np.ones(len(flat))])


def focal_length(camera0: Points, camera1: Points) -> float:
    """Return the length in pixels for which ``max_error`` is the mean of what it is in both cameras."""
    return 2 / sum(2 / float(camera[0, 0] + camera[1, 1]) for camera in (camera0, camera1))


def _scaled(matrix: Points) -> Points:
    corner = matrix[2, 2]
    scale = corner if abs(corner) > 1e-12 * np.abs(matrix).max() else np.linalg.norm(matrix)
    return np.asarray(matrix / scale)


def checked_points(xy0: object, xy1: object) -> tuple[Points, Points]:
    """Return positions, (M, 2) each, as float64, or say what is wrong with them."""
    first = _floats("xy0", xy0, (None, 2))
    pair = first, _floats("xy1", xy1, (len(first), 2))
    for name, points in zip(("xy0", "xy1"), pair, strict=True):
        if len(points) and np.abs(points).max() > LARGEST_POSITION:
            raise DataError(
                f"{name} must hold positions in pixels, but goes up to {np.abs(points).max():.1e}; "
                "look for what made them"
            )
    return pair


def checked_camera(name: str, camera: object) -> Points:
    """Return an intrinsic matrix as float64, or say why it is none."""
    matrix = _floats(name, camera, (3, 3))
    focal = np.diag(matrix)[:2]
    pinhole = np.array([[focal[0], 0, matrix[0, 2]], [0, focal[1], matrix[1, 2]], [0, 0, 1]])
    if not (np.array_equal(matrix, pinhole) and (focal > 0).all()):
        raise DataError(
            f"{name} must be [[fx, 0, cx], [0, fy, cy], [0, 0, 1]] with fx and fy above 0, "
            f"not {matrix.tolist()}"
        )
    return matrix


def _floats(name: str, array: object, shape: tuple[int | None, ...]) -> Points:
    if isinstance(array, np.ndarray) and array.dtype.kind in "iuf":
        array = array.astype(np.float64, order="C")
    return checked(name, array, shape=shape, dtype=np.float64)


def checked_max_error(max_error: object) -> float:
    """Return a number of pixels above 0, or say that it is none."""
    number = math.nan if isinstance(max_error, bool) or not isinstance(max_error, Real) else float(max_error)
    if not (math.isfinite(number) and number > 0):
        raise OptionError(f"max_error must be a number of pixels above 0, not {max_error!r}")
    return number
