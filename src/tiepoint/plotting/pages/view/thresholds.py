"""Which thresholds a result was made with: a result keeps what they left, not what they were."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiepoint.types import Matches, MatchResult
from tiepoint.types.matches import passes_distance, passes_ratio

# What people choose; of several thresholds that leave the same matches, the first of these is shown.
_USUAL = (0.8, 0.75, 0.7, 0.9, 0.85, 0.95, 0.6, 1.0)
_DIGITS = range(18)


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Where the sliders start.

    Attributes
    ----------
    mutual : bool
        Only what is nearest both ways.
    ratio, max_distance : float | None
        As in :meth:`tiepoint.Matches.where`.
    whole : bool
        Whether they leave those matches of the candidates that the result has. Not so where a filter was
        used that no slider stands for.
    """

    mutual: bool
    ratio: float | None
    max_distance: float | None
    whole: bool


def thresholds_of(
    result: MatchResult, mutual: NDArray[np.bool_] | None, kept: NDArray[np.bool_]
) -> Thresholds:
    """Return thresholds that leave, of the candidates, the matches of the result.

    The stages of the funnel say which filters there were, and their counts lie between two values of the
    candidates; any threshold between these two leaves the same.

    Parameters
    ----------
    result : MatchResult
    mutual : ndarray, (M,) bool | None
        Which candidates are the nearest both ways.
    kept : ndarray, (M,) bool
        Which candidates are among the matches.

    Examples
    --------
    >>> import numpy as np
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.matchers import NearestNeighbour
    >>> from tiepoint.plotting.pages.view.thresholds import thresholds_of
    >>> scene = render_demo()
    >>> matcher = NearestNeighbour(cross_check=False, ratio=0.75)
    >>> result = tp.match(scene.image0, scene.image1, extractor="orb", matcher=matcher)
    >>> kept = np.isin(result.candidates.pairs[:, 0], result.matches.pairs[:, 0])
    >>> thresholds_of(result, None, kept)
    Thresholds(mutual=False, ratio=0.75, max_distance=None, whole=True)
    """
    candidates = result.candidates
    stages = dict(result.matches.funnel)
    left = np.ones(len(candidates), np.bool_)
    use_mutual = mutual is not None and ("mutual" in stages or "ratio back" in stages)
    if mutual is not None and use_mutual:
        left &= mutual
    distance, second = candidates.distance, candidates.second_distance
    ratio = max_distance = None
    if "ratio" in stages and distance is not None and second is not None:
        ratio = _ratio(distance[left], second[left], stages["ratio"])
        left &= passes_ratio(distance, second, ratio)
    if "distance" in stages and distance is not None:
        max_distance = _distance(distance[left], int(np.count_nonzero(kept & left)))
        left &= passes_distance(distance, max_distance)
    return Thresholds(
        mutual=use_mutual, ratio=ratio, max_distance=max_distance, whole=bool((left == kept).all())
    )


def _ratio(distance: NDArray[np.float32], second: NDArray[np.float32], count: int) -> float:
    """Return the simplest ratio that leaves so many; where none does, the one that leaves more."""

    def left(ratio: float) -> int:
        return int(np.count_nonzero(passes_ratio(distance, second, ratio)))

    with np.errstate(divide="ignore", invalid="ignore"):
        limits = distance.astype(np.float64) / second.astype(np.float64)
    limits = np.sort(np.where(second == 0, np.inf, limits)).astype(np.float64)
    high = float(min(1.0, limits[count])) if count < len(limits) else 1.0
    return _first_that_leaves(count, left, high, upward=False)


def _distance(distance: NDArray[np.float32], count: int) -> float:
    """Return the simplest distance that leaves so many; where none does, the one that leaves more."""

    def left(most: float) -> int:
        return int(np.count_nonzero(passes_distance(distance, most)))

    low = float(np.sort(distance)[count - 1]) if count else 0.0
    return _first_that_leaves(count, left, low, upward=True)


def _first_that_leaves(count: int, left: Callable[[float], int], limit: float, *, upward: bool) -> float:
    usual: tuple[float, ...] = () if upward else _USUAL
    for value in (*usual, *_rounded(limit, upward=upward)):
        if value > 0 and left(value) == count:
            return value
    return limit


def _rounded(limit: float, *, upward: bool) -> Iterator[float]:
    """Yield the limit with ever more digits, rounded to the side that is asked for."""
    for digits in _DIGITS:
        scale = 10.0**digits
        whole = math.ceil(limit * scale) if upward else math.floor(limit * scale)
        yield round(whole / scale, digits)


def kept_of(candidates: Matches, matches: Matches) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Find the matches among the candidates.

    Returns
    -------
    kept : ndarray, (M,) bool
        Which candidates are among the matches.
    row : ndarray, (K,) intp
        The candidate that each match is; -1 where it is none.

    Examples
    --------
    >>> import numpy as np
    >>> import tiepoint as tp
    >>> from tiepoint.plotting.pages.view.thresholds import kept_of
    >>> xy = np.array([[1, 1], [2, 2], [3, 3]], np.float32)
    >>> candidates = tp.Matches(xy0=xy, xy1=xy, source="hand", image_size0=(9, 9), image_size1=(9, 9))
    >>> kept_of(candidates, candidates[[2, 0]])
    (array([ True, False,  True]), array([2, 0]))
    """
    known: dict[bytes, int] = {}
    for index, name in enumerate(_names(candidates, matches)):
        known.setdefault(name, index)
    row = np.array([known.get(name, -1) for name in _names(matches, candidates)], np.intp)
    kept = np.zeros(len(candidates), np.bool_)
    kept[row[row >= 0]] = True
    return kept, row


def _names(matches: Matches, others: Matches) -> Iterator[bytes]:
    """Yield what tells a match from others: its keypoints, or where these are not known its places."""
    if matches.pairs is not None and others.pairs is not None:
        what = np.ascontiguousarray(matches.pairs)
    else:
        what = np.hstack([matches.xy0, matches.xy1])
    return (line.tobytes() for line in what)
