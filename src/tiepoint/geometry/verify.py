"""Matches to the geometry that they agree on."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import DataError, OptionError
from tiepoint.geometry.cameras import assumed_camera
from tiepoint.geometry.chance import MOST_FALSE_ALARMS, Facts, beyond_chance
from tiepoint.geometry.choice import Cameras, choose, fit_matches
from tiepoint.geometry.estimate import checked_camera, checked_max_error
from tiepoint.geometry.fit import CALLED, Fit, refit
from tiepoint.geometry.guided import grow
from tiepoint.geometry.residuals import PLANAR
from tiepoint.geometry.rivals import repeated, rival
from tiepoint.geometry.spread import coverage
from tiepoint.geometry.support import Won, win
from tiepoint.geometry.watermark import watermark
from tiepoint.options import nearest
from tiepoint.types import MODELS, Features, Geometry, Matches
from tiepoint.types.matches import PER_MATCH, check_pairs

# Keypoints are placed to about half a pixel; the wide end of a large photo's scales is placed worse.
_PIXELS, _OF_DIAGONAL = 2.0, 1 / 1000
_MOST_MOVED = 1.0  # pixels: a match may have been placed anew, but is still of its keypoint
# Ratio of guided matching: next to a point there are few others, along a line many.
_RATIO_AT_POINT, _RATIO_ON_LINE = 0.9, 0.8


def verify(
    matches: Matches,
    *,
    model: str = "auto",
    max_error: float | None = None,
    camera0: NDArray[Any] | None = None,
    camera1: NDArray[Any] | None = None,
    features0: Features | None = None,
    features1: Features | None = None,
) -> Geometry:
    """Find the geometry that the matches agree on.

    Parameters
    ----------
    matches : Matches
    model : str
        "homography" (a plane, or a camera that only turned), "fundamental" (any scene), "essential" (the
        same with known cameras: gives the relative pose), "affine" or "similarity" (pictures of something
        flat, seen from the front or from far away). "auto" decides between homography and fundamental,
        and finds nothing where chance could explain either.
    max_error : float, optional
        Largest Sampson distance of an inlier in pixels; by default 2, and a thousandth of the diagonal in
        larger photos.
    camera0, camera1 : ndarray, (3, 3), optional
        ``[[fx, 0, cx], [0, fy, cy], [0, 0, 1]]`` in pixels, for "essential"; by default the focal length is
        1.2 times the longer side, as COLMAP assumes, and ``notes`` say so.
    features0, features1 : Features, optional
        What the matches were made from. With them a second pass looks for more matches near the model, and
        look-alikes within each photo are counted; not where a learned matcher has made the matches.

    Returns
    -------
    Geometry
        False with its ``reason`` where nothing was found. The same matches and options always give the same
        result.

    Raises
    ------
    OptionError
        If an option is unknown or out of range.
    DataError
        If a camera is none, or features are not those of the matches.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> scene = render_demo()
    >>> result = tp.match(scene.image0, scene.image1, verify=False)
    >>> geometry = tp.verify(result.matches, model="homography")
    >>> geometry.model, geometry.count > 30
    ('homography', True)
    """
    if model not in (*MODELS, "auto"):
        raise OptionError(f"there is no model {model!r}; {nearest(model, [*MODELS, 'auto'])}")
    limit = default_max_error(matches) if max_error is None else _checked_limit(max_error, matches)
    cameras, notes = _cameras(matches, model, camera0, camera1)
    features = _features(matches, features0, features1)

    printed = watermark(matches) if model == "auto" else None
    if printed is not None:
        count = np.count_nonzero(printed)
        notes.append(f"{count} matches at the border stand still, as those of a watermark do: left out")
        matches = matches[~printed]
    facts = Facts(matches)
    if model == "auto":
        found, configuration = choose(matches, limit, cameras, facts)
    else:
        found, configuration = fit_matches(model, matches, limit, cameras), None
    alarms = beyond_chance(found, matches, limit, facts) if found else None
    reason = found.reason
    doubtful = alarms is not None and alarms >= MOST_FALSE_ALARMS
    grown, won = found, None
    # Lines catch too much by chance to save a model in doubt; a plane may yet be proven.
    if found and features is not None and (not doubtful or found.model in PLANAR):
        grown, won = _grown(found, matches, features, limit)
    if doubtful and not (won is not None and won.beyond_doubt):
        reason = (
            f"{found.count} of {len(matches)} matches agree on {CALLED[found.model]}, "
            "no more than chance would give"
        )
    if reason is not None:
        if printed is not None:
            reason = f"only a watermark matches: {reason}"
        return Geometry(
            model=model,
            matches=matches,
            inliers=np.zeros(len(matches), np.bool_),
            max_error=limit,
            reason=reason,
            configuration=None if printed is None else "watermark",
            log_false_alarms=alarms,
            notes=tuple(notes),
        )
    guided, predicted, by_chance = 0, None, None
    if won is not None:
        predicted, by_chance = len(won.matches), won.by_chance
        if won.worth:
            joined = _joined(matches, won.matches)
            sizes = {"scale0": joined.size0, "scale1": joined.size1}
            known = cameras if cameras is not None and found.R is not None else (None, None)
            better = refit(grown, joined.xy0, joined.xy1, limit, *known, **sizes)
            if better.count > found.count:
                found, matches, guided = better, joined, len(won.matches)
    return _geometry(
        found,
        matches,
        limit,
        facts,
        features,
        guided=guided,
        configuration=configuration,
        predicted=predicted,
        guided_by_chance=by_chance,
        log_false_alarms=alarms,
        notes=tuple(notes),
    )


def _grown(
    found: Fit, matches: Matches, features: tuple[Features, Features], limit: float
) -> tuple[Fit, Won]:
    """Look for more matches near a model; of a plane, first let it grow over the photo."""
    if found.model not in PLANAR:
        return found, win(found, matches, *features, limit, _RATIO_ON_LINE)
    grown = grow(
        found,
        matches.xy0,
        matches.xy1,
        *features,
        limit,
        ratio=_RATIO_AT_POINT,
        scale0=matches.size0,
        scale1=matches.size1,
    )
    return grown, win(grown, matches, *features, limit, _RATIO_AT_POINT)


def default_max_error(matches: Matches) -> float:
    """Return the largest residual of an inlier in pixels, where nobody has said: 2, more in large photos.

    Of two sizes the smaller counts.

    Keypoints are placed to a part of a pixel, but those of the coarse scales, which large photos have more
    of, to a part of theirs.
    """
    diagonal = min(math.hypot(*matches.image_size0), math.hypot(*matches.image_size1))
    return max(_PIXELS, _OF_DIAGONAL * diagonal)


def _checked_limit(max_error: object, matches: Matches) -> float:
    limit = checked_max_error(max_error)
    diagonal = min(math.hypot(*matches.image_size0), math.hypot(*matches.image_size1))
    if limit > diagonal:
        raise OptionError(
            f"max_error must be less than a photo is across, which is {diagonal:.0f} pixels, not {limit:g}"
        )
    return limit


def _geometry(
    found: Fit,
    matches: Matches,
    max_error: float,
    facts: Facts,
    features: tuple[Features, Features] | None,
    **known: Any,
) -> Geometry:
    """Put together what was found, what is known, and what else speaks for and against it."""
    assert found.matrix is not None
    assert found.residuals is not None
    inliers = found.inliers
    planar = found.matrix if found.model in PLANAR else None
    mirrored = planar is not None and bool(np.linalg.det(planar) < 0)
    if mirrored:
        known["notes"] = (*known["notes"], "one photo shows the other's mirror image")
    own = facts.matches  # without the guided ones, which are the last of all
    agree = inliers[: len(own)]
    rows = np.flatnonzero(agree)
    looked = matches.distance is not None
    return Geometry(
        model=found.model,
        matrix=found.matrix,
        R=found.R,
        t=found.t,
        matches=matches,
        inliers=inliers,
        residuals=np.minimum(found.residuals, np.finfo(np.float32).max).astype(np.float32),
        max_error=max_error,
        mirrored=mirrored,
        agreement=facts.motion.agreement(agree, planar),
        rival=rival(found, own, agree, max_error, facts),
        repeated=repeated(own, agree, *features) if features and looked else None,
        coverage=(
            coverage(own.xy0.take(rows, axis=0), own.image_size0),
            coverage(own.xy1.take(rows, axis=0), own.image_size1),
        ),
        **known,
    )


def _joined(matches: Matches, won: Matches) -> Matches:
    """Append the matches that were won; what one of the two does not know is dropped."""
    values: dict[str, Any] = {}
    for name in PER_MATCH:
        parts = getattr(matches, name), getattr(won, name)
        values[name] = None if parts[0] is None or parts[1] is None else np.concatenate(parts)
    return replace(matches, **values)


def _cameras(
    matches: Matches, model: str, camera0: NDArray[Any] | None, camera1: NDArray[Any] | None
) -> tuple[Cameras | None, list[str]]:
    """Return the cameras to use, and what to say of them."""
    given = [
        None if camera is None else checked_camera(f"camera{number}", camera)
        for number, camera in enumerate((camera0, camera1))
    ]
    if model == "auto" and (camera0 is None) != (camera1 is None):
        return None, ["of the two cameras one is known: it is not used"]
    if model not in ("essential", "auto") or (model == "auto" and camera0 is None):
        return None, []
    notes = []
    sizes = matches.image_size0, matches.image_size1
    cameras = []
    for number, (camera, size) in enumerate(zip(given, sizes, strict=True)):
        if camera is None:
            camera = assumed_camera(size)
            notes.append(
                f"the camera of photo {number} is not known: "
                f"a focal length of {camera[0, 0]:.0f} pixels is assumed"
            )
        cameras.append(camera)
    return (cameras[0], cameras[1]), notes


def _features(
    matches: Matches, features0: Features | None, features1: Features | None
) -> tuple[Features, Features] | None:
    """Return both features, or None where they are of no use.

    A learned matcher, which gives scores, has looked at all of them at once: near a true model it leaves
    nothing to be found.
    """
    if features0 is None or features1 is None or matches.pairs is None or matches.score is not None:
        return None
    check_pairs(matches.pairs, features0, features1)
    kinds = [(one.extractor, one.metric, one.descriptors.shape[1]) for one in (features0, features1)]
    if kinds[0] != kinds[1]:
        one, other = ("{} ({}, {} numbers)".format(*kind) for kind in kinds)
        raise DataError(f"features of {one} do not go with features of {other}; extract both photos alike")
    for number, features in enumerate((features0, features1)):
        xy, size = (getattr(matches, f"{name}{number}") for name in ("xy", "image_size"))
        own = features.xy[matches.pairs[:, number]]
        if size != features.image_size or np.abs(own - xy).max(initial=0) > _MOST_MOVED:
            raise DataError(
                f"the keypoints of features{number} are not where these matches are; "
                "were they made from other features?"
            )
    return features0, features1
