"""How many matches agree on a model by chance alone."""

from __future__ import annotations

import math
from bisect import bisect_left
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from tiepoint.geometry.consistency import Motion
from tiepoint.geometry.fit import Fit, count_least
from tiepoint.geometry.order import first_of_equals
from tiepoint.geometry.residuals import PLANAR, sampson
from tiepoint.geometry.spread import median
from tiepoint.types import Matches

# Logarithm to base 10: a model is found if chance would do as well in less than one pair of photos.
MOST_FALSE_ALARMS = 0.0
# Share of random matches that turn and grow alike: a sixth of the circle times half of the usual sizes.
_LEAST_ALIKE = 0.1
_PLACE = 4.0  # pixels: farther apart are two places, however much a model may be off
_FINEST = 0.01  # pixels: a place is not known to less; so the largest position fits into 32 bits
_RANDOM, _COUNTED = 4000, 12  # random matches, and how many have to agree to say how many do


class Facts:
    """What is true of matches whatever the model, each worked out once, when it is first asked for."""

    def __init__(self, matches: Matches) -> None:
        self.matches = matches
        self.motion = Motion(matches)

    @cached_property
    def different(self) -> NDArray[np.bool_]:
        """Which matches are the first between their two places, (M,) bool.

        A keypoint may be there with several orientations: matches between the same places are one.
        """
        return first_of_equals(self.matches.xy0, self.matches.xy1)


def beyond_chance(found: Fit, matches: Matches, max_error: float, facts: Facts | None = None) -> float:
    """Return the logarithm to base 10 of how many models as good random matches would give.

    Only those inliers count whose keypoints turn and grow along; that they do is evidence too, the stronger
    the fewer of the other matches do so.

    Parameters
    ----------
    found : Fit
        With a model.
    matches : Matches
    max_error : float
        In pixels.
    facts : Facts, optional
        Of the matches, where others have asked before.
    """
    facts = facts or Facts(matches)
    return _log_alarms(found, facts, max_error, facts.different, exactly=True)


def more_than_chance(
    found: Fit, matches: Matches, max_error: float, among: NDArray[np.bool_], facts: Facts | None = None
) -> bool:
    """Tell whether :func:`beyond_chance` were below 0 if there were only some of the matches, (M,) bool."""
    facts = facts or Facts(matches)
    return _log_alarms(found, facts, max_error, facts.different & among, exactly=False) < MOST_FALSE_ALARMS


def _log_alarms(
    found: Fit, facts: Facts, max_error: float, everyone: NDArray[np.bool_], *, exactly: bool
) -> float:
    """Return what :func:`beyond_chance` does of the matches of ``everyone``; else at least its sign."""
    assert found.matrix is not None
    matches = facts.matches
    planar = found.matrix if found.model in PLANAR else None
    inliers = found.inliers & everyone
    rows = np.flatnonzero(inliers)
    total = int(np.count_nonzero(everyone))
    # Of matches that share a place, all agree if one does.
    side = min(max_error, _PLACE)
    agree = min(_count_places(xy.take(rows, axis=0), side) for xy in (matches.xy0, matches.xy1))
    growth = 1.0
    if planar is not None:
        growth = typical_growth(planar, matches.xy0.take(rows, axis=0).astype(np.float64))
    chance = share_by_chance(found.model, max_error, matches, growth)
    chance = max(chance, _share_of_random(found.model, found.matrix, matches, max_error, everyone))
    share = facts.motion.agreement(found.inliers, planar, everyone)
    if share is None:
        return log_false_alarms(found.model, agree, total, chance)
    count = round(agree * share)
    alarms = log_false_alarms(found.model, count, total, chance)
    if count <= count_least(found.model):  # nothing was put to the test
        return alarms
    if alarms < MOST_FALSE_ALARMS and not exactly:  # what follows makes it less
        return alarms
    others = facts.motion.count_along(inliers, everyone & ~inliers)
    alike = max(_LEAST_ALIKE, (others + 1) / (total - len(rows) + 2))
    # An epipolar model does not say how much: the first inlier does.
    told = count if planar is not None else count - 1
    return alarms + told * math.log10(alike)


def fewest_beyond_chance(model: str, total: int, max_error: float, matches: Matches) -> int:
    """Return how many of some matches have to agree on a model, at least, to be more than chance gives.

    That is, where everything else speaks for it: of fewer :func:`beyond_chance` is not below 0.

    Examples
    --------
    >>> import numpy as np
    >>> import tiepoint as tp
    >>> from tiepoint.geometry.chance import fewest_beyond_chance
    >>> none = np.empty((0, 2), np.float32)
    >>> photos = tp.Matches(xy0=none, xy1=none, source="", image_size0=(1000, 800), image_size1=(1000, 800))
    >>> fewest_beyond_chance("homography", 1000, 2.0, photos)
    8
    """
    rarest = share_by_chance(model, max_error, matches, growth=0.0)

    def more(count: int) -> bool:
        alarms = log_false_alarms(model, count, total, rarest) + count * math.log10(_LEAST_ALIKE)
        return alarms < MOST_FALSE_ALARMS

    # With their number the alarms rise at first, if at all, and then fall: once below 0 they stay there.
    least = most = count_least(model) + 1
    while most <= total and not more(most):
        most += most
    return bisect_left(range(total + 1), True, least, min(most, total + 1), key=more)


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


def _count_places(xy: NDArray[np.float32], apart: float) -> int:
    """Count the places of points, (M, 2), no two of them in one square of this side."""
    # Both coordinates as one number: to sort these takes half of the time of np.unique.
    side = np.float64(max(apart, _FINEST))
    square = np.sort(np.floor(xy / side).astype(np.int32).view(np.int64)[:, 0])
    return len(square) - int(np.count_nonzero(square[1:] == square[:-1]))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def typical_growth(matrix: NDArray[np.float64], xy0: NDArray[np.float64]) -> float:
    """Return how many times as large, in area, a homography makes things around points; the median."""
    w = xy0 @ matrix[2, :2] + matrix[2, 2]
    with np.errstate(divide="ignore"):
        return median(np.abs(np.linalg.det(matrix) / (w * w * w)))


def _share_of_random(
    model: str,
    matrix: NDArray[np.float64],
    matches: Matches,
    max_error: float,
    among: NDArray[np.bool_],
) -> float:
    """Return the share of random matches that agree, counted; 0 if they are too few to be counted.

    A homography whose horizon crosses photo 0 agrees with more matches of random places than its growth says;
    and with more of what was matched, joined anew, where many keypoints are matched to few places.
    """
    anywhere = _places(matches.image_size0, matches.image_size1)
    rows = np.flatnonzero(among)
    one, other = rows.take(_two_of(len(rows)))
    anew = matches.xy0.take(one, axis=0), matches.xy1.take(other, axis=0)
    counts = [
        np.count_nonzero(sampson(model, matrix, *(xy.astype(np.float64) for xy in places)) <= max_error)
        for places in (anywhere, anew)
    ]
    return max(counts) / _RANDOM if max(counts) >= _COUNTED else 0.0


@lru_cache(maxsize=8)
def _two_of(m: int) -> NDArray[np.intp]:
    """Return random pairs of two different matches, (2, N)."""
    rng = np.random.default_rng(0)
    one = rng.integers(m, size=_RANDOM)
    return np.stack([one, (one + rng.integers(1, max(2, m), size=_RANDOM)) % m])


@lru_cache(maxsize=8)
def _places(size0: tuple[int, int], size1: tuple[int, int]) -> NDArray[np.float64]:
    """Return random places in photo 0 and in photo 1, (2, N, 2)."""
    shares = np.random.default_rng(0).uniform(size=(2, _RANDOM, 2))
    return np.asarray(shares * (np.array([size0, size1])[:, None] - 1))
