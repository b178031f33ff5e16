"""How many matches agree on a model by chance alone."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tiepoint.geometry.consistency import agreement, along
from tiepoint.geometry.fit import Fit, count_least
from tiepoint.geometry.residuals import PLANAR, sampson
from tiepoint.types import Matches

# Logarithm to base 10: a model is found if chance would do as well in less than one pair of photos.
MOST_FALSE_ALARMS = 0.0
# Share of random matches that turn and grow alike: a sixth of the circle times half of the usual sizes.
_LEAST_ALIKE = 0.1
_RANDOM, _COUNTED = 4000, 12  # random matches, and how many have to agree to say how many do


def beyond_chance(found: Fit, matches: Matches, max_error: float) -> float:
    """Return the logarithm to base 10 of how many models as good random matches would give.

    Only those inliers count whose keypoints turn and grow along; that they do is evidence too, the stronger
    the fewer of the other matches do so.
    """
    assert found.matrix is not None
    planar = found.matrix if found.model in PLANAR else None
    # A keypoint may be there with several orientations: matches between the same places are one.
    different = _different(matches)
    inliers = found.inliers
    if not different.all():
        matches, inliers = matches[different], inliers[different]
    total, agree = len(matches), int(np.count_nonzero(inliers))
    growth = 1.0
    if planar is not None:
        growth = typical_growth(planar, matches.xy0[inliers].astype(np.float64))
    chance = share_by_chance(found.model, max_error, matches, growth)
    chance = max(chance, _share_of_random(found.model, found.matrix, matches, max_error))
    share = agreement(matches, inliers, planar)
    if share is None:
        return log_false_alarms(found.model, agree, total, chance)
    count = round(agree * share)
    if count <= count_least(found.model):  # nothing was put to the test
        return log_false_alarms(found.model, count, total, chance)
    others = along(matches, inliers, matches[~inliers])
    alike = max(_LEAST_ALIKE, (np.count_nonzero(others) + 1) / (len(others) + 2))
    # An epipolar model does not say how much: the first inlier does.
    told = count if planar is not None else count - 1
    return log_false_alarms(found.model, count, total, chance) + told * math.log10(alike)


def _different(matches: Matches) -> NDArray[np.bool_]:
    """Tell for each match whether it is the first between its two places, (M,) bool."""
    # Both coordinates of a place as one number, which sorts quickly; + 0 since -0 has other bits.
    from0, to1 = (np.ascontiguousarray(xy + 0).view(np.uint64)[:, 0] for xy in (matches.xy0, matches.xy1))
    order = np.lexsort((to1, from0))
    new = np.ones(len(order), np.bool_)
    new[1:] = (np.diff(from0[order]) != 0) | (np.diff(to1[order]) != 0)
    first = np.empty(len(order), np.bool_)
    first[order] = new
    return first


def share_by_chance(model: str, max_error: float, matches: Matches, growth: float = 1.0) -> float:
    """Return the probability that a match between random places agrees with a model.

    A point model leaves a disk of photo 1, an epipolar one a band across it.

    Parameters
    ----------
    model : str
    max_error : float
        Sampson distance in pixels.
    matches : Matches
        Gives the sizes of the photos.
    growth : float
        How many times as large, in area, things are in photo 1; of a point model.

    Examples
    --------
    >>> import numpy as np
    >>> import tiepoint as tp
    >>> from tiepoint.geometry.chance import share_by_chance
    >>> none = np.empty((0, 2), np.float32)
    >>> photos = tp.Matches(xy0=none, xy1=none, source="", image_size0=(1000, 800), image_size1=(1000, 800))
    >>> round(share_by_chance("homography", 2.0, photos) * 1e6)
    31
    """
    width, height = matches.image_size1
    if model in PLANAR:
        # A Sampson distance d is one of d * sqrt(1 + growth) in photo 1, where photo 0 is kept as it is.
        free = math.pi * max_error**2 * (1 + growth)
    else:
        # As good a step in photo 0 is worth more of photo 1, where that is the larger: the band is wider.
        diagonal = math.hypot(width, height)
        larger = max(1.0, diagonal / math.hypot(*matches.image_size0))
        free = 2 * math.hypot(1, larger) * max_error * diagonal
    return min(1.0, free / (width * height))


def log_false_alarms(model: str, inliers: int, total: int, chance: float) -> float:
    """Return the logarithm to base 10 of how many such models random matches would be expected to give.

    Below 0 chance alone does not explain the model.

    References
    ----------
    Moisan, Stival, "A probabilistic criterion to detect rigid point matches between two images and estimate
    the fundamental matrix", IJCV 2004.

    Examples
    --------
    >>> from tiepoint.geometry.chance import log_false_alarms
    >>> log_false_alarms("homography", 8, 100, 1e-4) < 0 < log_false_alarms("homography", 5, 100, 1e-4)
    True
    """
    sample = count_least(model)
    if total <= sample:
        return 0.0
    inliers = max(inliers, sample)  # so many agree on some model in any case
    ways = _log_choose(total, inliers) + _log_choose(inliers, sample)
    nats = math.log(total - sample) + ways + (inliers - sample) * math.log(chance)
    return nats / math.log(10)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def typical_growth(matrix: NDArray[np.float64], xy0: NDArray[np.float64]) -> float:
    """Return how many times as large, in area, a homography makes things around points; the median."""
    w = xy0 @ matrix[2, :2] + matrix[2, 2]
    with np.errstate(divide="ignore"):
        return float(np.median(np.abs(np.linalg.det(matrix) / w**3)))


def _share_of_random(model: str, matrix: NDArray[np.float64], matches: Matches, max_error: float) -> float:
    """Return the share of random matches that agree, counted; 0 if they are too few to be counted.

    A homography whose horizon crosses photo 0 agrees with more of them than its growth says.
    """
    xy0, xy1 = (
        places * (np.array(size) - 1)
        for places, size in zip(_places(), (matches.image_size0, matches.image_size1), strict=True)
    )
    agree = np.count_nonzero(sampson(model, matrix, xy0, xy1) <= max_error)
    return agree / _RANDOM if agree >= _COUNTED else 0.0


@lru_cache
def _places() -> NDArray[np.float64]:
    """Return places in photo 0 and in photo 1, (2, N, 2), in shares of width and height."""
    return np.random.default_rng(0).uniform(size=(2, _RANDOM, 2))
