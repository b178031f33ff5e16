"""From matches to a model: a robust estimate, refined on all that agree."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import DataError, OptionError
from tiepoint.geometry.degenerate import four_apart, homography_left_open, in_line, only_turned, too_few
from tiepoint.geometry.estimate import (
    Estimate,
    Estimator,
    checked_camera,
    checked_max_error,
    checked_points,
    focal_length,
    rays,
)
from tiepoint.geometry.order import best_first
from tiepoint.geometry.refine import cross, importance, refined, refined_pose
from tiepoint.geometry.residuals import PLANAR, sampson
from tiepoint.geometry.sampling import Indices, estimator_for, made, samples, some_of
from tiepoint.geometry.spread import median

Floats = NDArray[np.float64]

_LEAST = {"homography": 4, "fundamental": 7, "essential": 5, "affine": 3, "similarity": 2}
CALLED = {
    "homography": "a homography",
    "fundamental": "a fundamental matrix",
    "essential": "a relative pose",
    "affine": "an affinity",
    "similarity": "a similarity",
}
_AGREE = "matches that agree"
_MIRRORED = np.array([-1.0, 1])
_NOBODY = np.zeros(0, np.bool_)

_MANY = 1000  # of more matches, some show which model is right
_CONVINCING = 0.15  # of all matches; else all are tried
_FEW, _WIDER = 30, 3.0
_ON_LINES = 0.5  # of max_error, for samples: near some line there are many wrong matches
_NOISE_OF_MEDIAN, _ENOUGH_TO_TELL_NOISE = 3 * 1.4826, 20


@dataclass(frozen=True, kw_only=True, eq=False)
class Fit:
    """A model and the matches that agree with it; true if one was found.

    Attributes
    ----------
    model : str
        "homography", "fundamental", "essential", "affine" or "similarity".
    matrix : ndarray, (3, 3) float64 | None
        In pixels: ``H_1_from_0``, with ``matrix[2, 2] == 1`` (norm 1, where the origin goes to infinity); or
        ``F_1_from_0`` with norm 1, for an essential matrix too.
    inliers : ndarray, (M,) bool
        The matches within ``max_error``, of a relative pose only those in front of both cameras.
    residuals : ndarray, (M,) float64 | None
        Sampson distances in pixels, see :func:`tiepoint.geometry.residuals.sampson`.
    R, t : ndarray, (3, 3) and (3,) float64 | None
        ``cam1_from_cam0`` of the model "essential", t of length 1.
    reason : str | None
        Why nothing was found.
    estimator : str
        What drew the samples.
    """

    model: str
    matrix: Floats | None = None
    inliers: NDArray[np.bool_]
    residuals: Floats | None = None
    R: Floats | None = None
    t: Floats | None = None
    reason: str | None = None
    estimator: str

    @property
    def count(self) -> int:
        """How many of the matches agree."""
        return int(np.count_nonzero(self.inliers))

    def __bool__(self) -> bool:
        return self.matrix is not None


def count_least(model: str) -> int:
    """Return how many matches a minimal sample of a model has.

    Examples
    --------
    >>> from tiepoint.geometry.fit import count_least
    >>> count_least("essential")
    5
    """
    return _LEAST[_checked_model(model)]


def fit(
    model: str,
    xy0: NDArray[Any],
    xy1: NDArray[Any],
    max_error: float,
    *,
    camera0: NDArray[Any] | None = None,
    camera1: NDArray[Any] | None = None,
    quality: NDArray[Any] | None = None,
    estimator: str | Estimator | None = None,
    seed: int = 0,
    mirrored: bool = False,
    scale0: NDArray[Any] | None = None,
    scale1: NDArray[Any] | None = None,
    share: float | None = None,
    fewest: int = 0,
) -> Fit:
    """Find the model that most of the matches agree on, and refine it on all of these.

    Parameters
    ----------
    model : {"homography", "fundamental", "essential", "affine", "similarity"}
    xy0, xy1 : ndarray, (M, 2)
        Matching positions in pixels.
    max_error : float
        Largest Sampson distance of an inlier, in pixels.
    camera0, camera1 : ndarray, (3, 3) float64 | None
        Intrinsic matrices, for the model "essential".
    quality : ndarray, (M,) | None
        Smaller is better, the ratio for one: models are looked for among the better matches.
    estimator : str or Estimator, optional
        By default "poselib" for a homography and an essential matrix, "magsac" for what PoseLib does not
        estimate (affinities, similarities) or only slowly (fundamental matrices), and where PoseLib is not
        installed.
    seed : int
        Of the random samples: the same matches and seed always give the same result.
    mirrored : bool
        Look for a homography, an affinity or a similarity that mirrors instead of one that does not.
    scale0, scale1 : ndarray, (M,), optional
        Sizes of the keypoints in pixels: where coarse ones prove to be placed worse, they count less in the
        refinement of a homography.
    share : float, optional
        Least share of the matches that matters, 0 to 1: what fewer agree on is not looked for, which spares
        nearly all of the time where nothing is to be found.
    fewest : int
        Least number of inliers that matters: fewer are nothing.

    Returns
    -------
    Fit
        False with its ``reason`` if there is none.

    Raises
    ------
    DataError
        If the arrays do not fit each other, or hold NaN, or a camera is none.
    OptionError
        If an option is unknown or out of range.
    MissingError
        If the estimator's library is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.geometry.fit import fit
    >>> rng = np.random.default_rng(0)
    >>> xy0 = rng.uniform(0, 600, (100, 2))
    >>> xy1 = 2 * xy0 + [5, 7]
    >>> xy1[:40] = rng.uniform(0, 600, (40, 2))
    >>> found = fit("homography", xy0, xy1, 2.0)
    >>> bool(found), int(found.inliers.sum())
    (True, 60)
    """
    _checked_model(model)
    xy0, xy1 = checked_points(xy0, xy1)
    limit = checked_max_error(max_error)
    if quality is not None and np.shape(quality) != (len(xy0),):
        raise DataError(f"quality must be ({len(xy0)},), one for each match, not {np.shape(quality)}")
    if model == "essential":
        if camera0 is None or camera1 is None:
            raise OptionError(
                "an essential matrix needs both cameras; without them take the model fundamental"
            )
        camera0, camera1 = checked_camera("camera0", camera0), checked_camera("camera1", camera1)
    if mirrored and model not in PLANAR:
        raise OptionError(f"only {', '.join(PLANAR)} can mirror, not {model}")
    return fit_checked(
        model,
        xy0,
        xy1,
        limit,
        camera0=camera0,
        camera1=camera1,
        quality=None if quality is None else np.asarray(quality),
        estimator=estimator,
        seed=seed,
        mirrored=mirrored,
        sizes=sizes_of(scale0, scale1, len(xy0)),
        share=share,
        fewest=fewest,
    )


def fit_checked(
    model: str,
    xy0: Floats,
    xy1: Floats,
    limit: float,
    *,
    camera0: Floats | None = None,
    camera1: Floats | None = None,
    quality: NDArray[Any] | None = None,
    estimator: str | Estimator | None = None,
    seed: int = 0,
    mirrored: bool = False,
    sizes: Floats | None = None,
    share: float | None = None,
    fewest: int = 0,
) -> Fit:
    """Do what :func:`fit` does with what was checked before, such as the places of Matches, as float64.

    ``limit`` is its ``max_error``, ``sizes`` are the geometric means of its ``scale0`` and ``scale1``.
    """
    drawn = estimator_for(model, estimator, seed, quality is not None)
    reason = _open_at_first(model, xy0, xy1, limit)
    if reason:
        return _nothing(model, len(xy0), reason, drawn.name)

    def attempt(drawn: Estimator, those: Indices, error: float) -> Fit:
        error = error if model in PLANAR else _ON_LINES * error
        some0, some1 = xy0.take(those, axis=0), xy1.take(those, axis=0)
        if mirrored:
            some1 *= _MIRRORED
        found = _estimated(drawn, model, some0, some1, error, camera0, camera1)
        if found.matrix is None:
            return _nothing(model, len(xy0), str(found.reason), drawn.name)
        matrix = np.diag([*_MIRRORED, 1]) @ found.matrix if mirrored else found.matrix
        first = Fit(model=model, matrix=matrix, inliers=_NOBODY, R=found.R, t=found.t, estimator=drawn.name)
        return _refit(first, xy0, xy1, limit, camera0, camera1, sizes, fewest)

    everyone = np.arange(len(xy0)) if quality is None else best_first(quality)
    if share is not None:
        few = made("magsac", seed=seed, max_iterations=samples(share, _LEAST[model]))
        return attempt(few, some_of(everyone, seed, quality is not None), limit)
    if len(everyone) > _MANY:
        quick = estimator_for(model, estimator, seed, quality is not None, quick=True)
        some = some_of(everyone, seed, quality is not None)
        best = attempt(quick, some, limit)
        if _count(best, limit) >= _CONVINCING * len(everyone):
            return best
        best = _better(best, attempt(drawn, everyone, limit), limit)
    else:
        best = attempt(drawn, everyone, limit)
    if _count(best, limit) < _FEW and model in PLANAR:
        # So few leave it open by several pixels: only a wider limit shows which of them fit together.
        best = _better(best, attempt(drawn, everyone, _WIDER * limit), _WIDER * limit)
    return best


def refit(
    found: Fit,
    xy0: NDArray[Any],
    xy1: NDArray[Any],
    max_error: float,
    camera0: NDArray[Any] | None = None,
    camera1: NDArray[Any] | None = None,
    *,
    scale0: NDArray[Any] | None = None,
    scale1: NDArray[Any] | None = None,
) -> Fit:
    """Refine a model that was found on other matches, say on more of them.

    Parameters
    ----------
    found : Fit
        It must have found something.
    xy0, xy1, max_error, camera0, camera1, scale0, scale1
        As in :func:`fit`.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.geometry.fit import fit, refit
    >>> xy0 = np.random.default_rng(0).uniform(0, 600, (100, 2))
    >>> found = fit("affine", xy0[:10], xy0[:10] + 3, 2.0)
    >>> int(refit(found, xy0, xy0 + 3, 2.0).inliers.sum())
    100
    """
    if found.matrix is None:
        raise OptionError(f"there is no model to refine: {found.reason}")
    xy0, xy1 = checked_points(xy0, xy1)
    sizes = sizes_of(scale0, scale1, len(xy0))
    return _refit(found, xy0, xy1, checked_max_error(max_error), camera0, camera1, sizes)


def again(found: Fit, xy0: NDArray[Any], xy1: NDArray[Any], max_error: float) -> Fit:
    """Return a fit as it is, with the residuals and inliers of other matches; not of a relative pose."""
    residuals = _residuals(found, *checked_points(xy0, xy1))
    return replace(found, residuals=residuals, inliers=residuals <= max_error)


def _refit(
    found: Fit,
    xy0: Floats,
    xy1: Floats,
    limit: float,
    camera0: Floats | None,
    camera1: Floats | None,
    sizes: Floats | None,
    fewest: int = 0,
) -> Fit:
    model, cameras = found.model, (camera0, camera1)
    first = _refined(found, xy0, xy1, limit, cameras=cameras)
    residuals = _residuals(first, xy0, xy1)
    if model == "homography" and sizes is not None:
        factors = importance(residuals, sizes, limit)
        if factors is not None:
            first = _refined(first, xy0, xy1, limit, factors)
            residuals = _residuals(first, xy0, xy1)
    elif model not in PLANAR:
        # Many wrong matches are near some line, so what counts is drawn closer, to three times the noise.
        near = residuals[residuals <= limit]
        if len(near) >= _ENOUGH_TO_TELL_NOISE:
            closer = max(_NOISE_OF_MEDIAN * median(near), 0.1 * limit)
            if closer < limit:
                first = _refined(first, xy0, xy1, closer, cameras=cameras)
                residuals = _residuals(first, xy0, xy1)
    inliers = close = residuals <= limit
    if first.R is not None and first.t is not None and camera0 is not None and camera1 is not None:
        inliers = close & in_front(first.R, first.t, rays(xy0, camera0), rays(xy1, camera1))
    if fewest and np.count_nonzero(inliers) < fewest:
        reason: str | None = f"{np.count_nonzero(inliers)} {_AGREE} and no more; {fewest} are looked for"
    else:
        rows = np.flatnonzero(inliers)
        agree = xy0.take(rows, axis=0), xy1.take(rows, axis=0)
        reason = _open_in_the_end(model, *agree, limit, *cameras, residuals.take(rows))
        if reason and close is not inliers and close.any():
            # Where the camera only turned, which matches are in front of it is left to their errors.
            rows = np.flatnonzero(close)
            agree = xy0.take(rows, axis=0), xy1.take(rows, axis=0)
            turned = _only_turned(*agree, limit, *cameras, residuals.take(rows))
            reason = turned or reason
    if reason:
        return _nothing(model, len(xy0), reason, found.estimator)
    return replace(first, inliers=inliers, residuals=residuals)


def _refined(
    found: Fit,
    xy0: Floats,
    xy1: Floats,
    limit: float,
    factors: Floats | None = None,
    cameras: tuple[Floats | None, Floats | None] = (None, None),
) -> Fit:
    """Return the fit with its model refined, and scaled."""
    matrix, (camera0, camera1) = np.asarray(found.matrix), cameras
    if found.R is None or found.t is None:
        return replace(
            found, matrix=_scaled(found.model, refined(found.model, matrix, xy0, xy1, limit, factors))
        )
    if camera0 is None or camera1 is None:
        raise OptionError("to refine a relative pose takes both cameras")
    rotation, translation = refined_pose(found.R, found.t, xy0, xy1, camera0, camera1, limit)
    essential = cross(translation) @ rotation
    matrix = np.linalg.inv(camera1).T @ essential @ np.linalg.inv(camera0)
    return replace(found, matrix=_scaled(found.model, matrix), R=rotation, t=translation)


def _residuals(found: Fit, xy0: Floats, xy1: Floats) -> Floats:
    return sampson(found.model, np.asarray(found.matrix), xy0, xy1)


def _open_at_first(model: str, xy0: Floats, xy1: Floats, limit: float) -> str | None:
    """Say why these matches determine no model, before one is looked for."""
    apart = len(xy0) >= _LEAST[model] and four_apart(xy0, xy1, limit)
    reason = None if apart and model in PLANAR else too_few(xy0, xy1, _LEAST[model], CALLED[model])
    if reason is None and not apart and model != "similarity":
        reason = in_line(xy0, xy1, limit)
    return reason


def _open_in_the_end(
    model: str,
    xy0: Floats,
    xy1: Floats,
    limit: float,
    camera0: Floats | None,
    camera1: Floats | None,
    residuals: Floats,
) -> str | None:
    """Say why these matches, which agree on a model, agree on others too."""
    apart = len(xy0) >= _LEAST[model] and four_apart(xy0, xy1, limit)
    if apart and model in PLANAR:
        return None
    reason = too_few(xy0, xy1, _LEAST[model], CALLED[model], _AGREE)
    if reason is None and not apart and model != "similarity":
        reason = in_line(xy0, xy1, limit, _AGREE)
    if reason is None and model == "homography":
        reason = homography_left_open(xy0, xy1)
    return reason or _only_turned(xy0, xy1, limit, camera0, camera1, residuals)


def _only_turned(
    xy0: Floats,
    xy1: Floats,
    limit: float,
    camera0: Floats | None,
    camera1: Floats | None,
    residuals: Floats,
) -> str | None:
    """Say that these matches leave a relative pose open; None of the other models."""
    if camera0 is None or camera1 is None:
        return None
    focal = focal_length(camera0, camera1)
    return only_turned(rays(xy0, camera0), rays(xy1, camera1), limit / focal, residuals / focal)


def _count(found: Fit, within: float) -> int:
    return 0 if found.residuals is None else int(np.count_nonzero(found.residuals <= within))


def _better(a: Fit, b: Fit, within: float) -> Fit:
    """Return the fit that more matches are near; the first of equals."""
    if not a and not b:
        return a
    return b if _count(b, within) > _count(a, within) else a


def in_front(rotation: Floats, translation: Floats, rays0: Floats, rays1: Floats) -> NDArray[np.bool_]:
    """Tell which pairs of rays (M, 3) meet in front of both cameras, as far as they meet."""
    turned = rays0 @ rotation.T
    aa, bb = (turned**2).sum(axis=1), (rays1**2).sum(axis=1)
    ab = (turned * rays1).sum(axis=1)
    at, bt = turned @ translation, rays1 @ translation
    # Depths along both rays where they are nearest to each other, times a number that is not negative.
    return np.asarray((ab * bt - bb * at > 0) & (aa * bt - ab * at > 0))


def sizes_of(scale0: NDArray[Any] | None, scale1: NDArray[Any] | None, m: int) -> Floats | None:
    """Return the size of each match, (M,): the geometric mean of its keypoints'; or None."""
    if scale0 is None or scale1 is None:
        return None
    for name, scale in (("scale0", scale0), ("scale1", scale1)):
        if np.shape(scale) != (m,):
            raise DataError(f"{name} must be ({m},), one for each match, not {np.shape(scale)}")
    return np.asarray(np.sqrt(np.multiply(scale0, scale1, dtype=np.float64)))


def _nothing(model: str, m: int, reason: str, estimator: str) -> Fit:
    return Fit(model=model, inliers=np.zeros(m, np.bool_), reason=reason, estimator=estimator)


def _checked_model(model: str) -> str:
    if model not in _LEAST:
        raise OptionError(f"model must be one of {', '.join(_LEAST)}, not {model!r}")
    return model


def _estimated(
    chosen: Estimator,
    model: str,
    xy0: Floats,
    xy1: Floats,
    limit: float,
    camera0: Floats | None,
    camera1: Floats | None,
) -> Estimate:
    if model != "essential":
        found: Estimate = getattr(chosen, model)(xy0, xy1, limit)
        return found
    assert camera0 is not None
    assert camera1 is not None
    return chosen.relative_pose(xy0, xy1, camera0, camera1, limit)


def _scaled(model: str, matrix: Floats) -> Floats:
    corner = matrix[2, 2] if model in PLANAR else 0.0
    scale = corner if abs(corner) > 1e-12 * np.abs(matrix).max() else np.linalg.norm(matrix)
    return np.asarray(matrix / scale)
