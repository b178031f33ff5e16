"""Which model: a homography, a fundamental matrix, or none."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiepoint.geometry.chance import MOST_FALSE_ALARMS, Facts, beyond_chance, share_by_chance
from tiepoint.geometry.estimate import LARGEST_POSITION, checked_points
from tiepoint.geometry.fit import Fit, count_least, fit_checked, sizes_of
from tiepoint.types import Matches

Cameras = tuple[NDArray[np.float64], NDArray[np.float64]]

# A scene has depth if epipolar lines win matches off the plane: enough of them, in shares of those on it, at
# this many times max_error. Near the plane there are more, of lens distortion and of photos not quite flat.
_OFF_PLANE = ((1.0, 0.15), (3.0, 0.05))
# Epipolar lines can be laid through some wrong matches, since the homography leaves the epipole open.
_FEWEST_OFF_PLANE, _TIMES_CHANCE = 6, 3.0
_FEW_ON_PLANE = 0.2
# Largest ratio of singular values of a turn between known cameras; 1 but for errors.
_MOST_STRETCHED = 1.1


class Choice(NamedTuple):
    """A fit, perhaps of nothing, and what kind of view it says this is."""

    fit: Fit
    configuration: str | None


def choose(matches: Matches, max_error: float, cameras: Cameras | None, facts: Facts | None = None) -> Choice:
    """Fit a homography and a fundamental (or, with cameras, an essential) matrix, and decide between them.

    A homography is enough where the other model wins no more matches off the plane than its lines would catch
    by chance: it says more, since it takes points to points. Neither is taken if as many random matches
    would be expected to agree as well.

    References
    ----------
    The configurations are those of COLMAP: Schönberger, Frahm, "Structure-from-motion revisited", CVPR 2016.
    """
    flat = fit_matches("homography", matches, max_error, None)
    deep = fit_matches("fundamental" if cameras is None else "essential", matches, max_error, cameras)
    facts = facts or Facts(matches)

    def unlikely(found: Fit) -> bool:
        return bool(found) and beyond_chance(found, matches, max_error, facts) < MOST_FALSE_ALARMS

    flat_alone, deep_alone = unlikely(flat), unlikely(deep)
    # Lines fit a mirrored plane, too, and a plane that is not mirrored fits a few of its matches.
    if not flat_alone or flat.count < _FEW_ON_PLANE * deep.count:
        mirrored = fit_matches("homography", matches, max_error, None, mirrored=True)
        if mirrored.count > flat.count and unlikely(mirrored):
            flat, flat_alone = mirrored, True
    if deep_alone and (not flat_alone or _has_depth(flat, deep, matches, max_error)):
        return Choice(deep, "general")
    if flat_alone:
        return Choice(flat, _seen(flat, cameras))
    # Of two models in doubt only the plane can be proven yet, by the matches that it predicts. To look for
    # them takes time; in photos of different scenes hardly ever do as many as a sample turn and grow along.
    if flat and _count_along(flat, facts) >= count_least("homography"):
        return Choice(flat, _seen(flat, cameras))
    return Choice(deep or flat, None)


def _count_along(flat: Fit, facts: Facts) -> int:
    """Count the inliers that turn and grow as the plane does; none where keypoints have no angle."""
    share = facts.motion.agreement(flat.inliers, flat.matrix, facts.different)
    return 0 if share is None else round(share * np.count_nonzero(flat.inliers & facts.different))


def fit_matches(
    model: str, matches: Matches, max_error: float, cameras: Cameras | None, *, mirrored: bool = False
) -> Fit:
    """Fit one model to matches, the more distinct ones first."""
    camera0, camera1 = (None, None) if cameras is None or model != "essential" else cameras
    ratio = matches.ratio
    quality = matches.distance if ratio is None else ratio
    xy0, xy1 = matches.xy0.astype(np.float64), matches.xy1.astype(np.float64)
    if max(*matches.image_size0, *matches.image_size1) > LARGEST_POSITION:
        checked_points(xy0, xy1)
    return fit_checked(
        model,
        xy0,
        xy1,
        max_error,
        camera0=camera0,
        camera1=camera1,
        quality=quality,
        mirrored=mirrored,
        sizes=sizes_of(matches.size0, matches.size1, len(matches)),
    )


def _has_depth(flat: Fit, deep: Fit, matches: Matches, max_error: float) -> bool:
    assert flat.residuals is not None
    band = share_by_chance(deep.model, max_error, matches)
    on_plane = np.count_nonzero(flat.inliers)
    for times, share in _OFF_PLANE:
        off_plane = flat.residuals > times * max_error
        by_chance = _FEWEST_OFF_PLANE + _TIMES_CHANCE * band * np.count_nonzero(off_plane)
        if np.count_nonzero(off_plane & deep.inliers) >= max(by_chance, share * on_plane):
            return True
    return False


def _seen(flat: Fit, cameras: Cameras | None) -> str:
    assert flat.matrix is not None
    if cameras is None:
        return "planar or panoramic"
    camera0, camera1 = cameras
    of_rays = np.linalg.inv(camera1) @ flat.matrix @ camera0
    values = np.linalg.svd(of_rays, compute_uv=False)
    return "panoramic" if values[0] <= _MOST_STRETCHED * values[-1] else "planar"
