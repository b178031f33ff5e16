"""Whether keypoints turn and grow from photo 0 to photo 1 as a model says."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiepoint.types import Matches

# How far an inlier may be off. A slanted view shears what a model takes for turned and grown, so it is not
# little; a random match has a chance of about one in ten.
MOST_TURN = 30.0  # degrees
MOST_GROWTH = 0.7  # octaves
_MOST_COMPARED = 400  # inliers that are compared with each other


def turn_and_growth(matches: Matches) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return how far keypoints turn, (M,) degrees, and grow, (M,) octaves; None where they have no angle.

    Examples
    --------
    >>> import numpy as np
    >>> import tiepoint as tp
    >>> from tiepoint.geometry.consistency import turn_and_growth
    >>> one = lambda value: np.array([value], np.float32)
    >>> point = np.array([[5, 5]], np.float32)
    >>> match = tp.Matches(xy0=point, xy1=point, size0=one(4), size1=one(8), angle0=one(350), angle1=one(20),
    ...                    source="hand", image_size0=(9, 9), image_size1=(9, 9))
    >>> [values.tolist() for values in turn_and_growth(match)]
    [[30.0], [1.0]]
    """
    values = matches.angle0, matches.angle1, matches.size0, matches.size1
    if any(value is None for value in values):
        return None
    angle0, angle1, size0, size1 = (np.asarray(value, np.float64) for value in values)
    if not (size0 > 0).all() or not (size1 > 0).all():
        return None
    return _half_turn(angle1 - angle0), np.log2(size1 / size0)


def agreement(
    matches: Matches, inliers: NDArray[np.bool_], H_1_from_0: NDArray[np.float64] | None
) -> float | None:
    """Return the share of the inliers whose keypoints turn and grow as expected.

    Parameters
    ----------
    matches : Matches
    inliers : ndarray, (M,) bool
    H_1_from_0 : ndarray, (3, 3) | None
        A homography or an affinity says for each point what to expect. Where there is none, most inliers
        have to turn and grow alike: the share is that of the largest group that does, without the inlier
        that it is gathered around.

    Returns
    -------
    float | None
        0 to 1; None where keypoints have no angle, or with less than two inliers.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.geometry.consistency import agreement
    >>> scene = render_demo()
    >>> geometry = tp.match(scene.image0, scene.image1).geometry
    >>> agreement(geometry.matches, geometry.inliers, None) > 0.7
    True
    """
    seen = turn_and_growth(matches)
    if seen is None or np.count_nonzero(inliers) < 2:
        return None
    turn, growth = (values[inliers] for values in seen)
    if H_1_from_0 is not None:
        # Known, since turn_and_growth gave something.
        angle0 = np.asarray(matches.angle0, np.float64)[inliers]
        expected = _carried(H_1_from_0, np.asarray(matches.xy0, np.float64)[inliers], angle0)
        return float(_alike(turn - expected[0], growth - expected[1]).mean())
    _, count = _gathered(turn, growth)
    return (count - 1) / (len(turn) - 1)


def along(matches: Matches, inliers: NDArray[np.bool_], others: Matches) -> NDArray[np.bool_]:
    """Tell which other matches turn and grow as most of the inliers do, (K,) bool."""
    seen, theirs = turn_and_growth(matches), turn_and_growth(others)
    if seen is None or theirs is None or not inliers.any():
        return np.ones(len(others), np.bool_)
    turn, growth = (values[inliers] for values in seen)
    centre, _ = _gathered(turn, growth)
    return _alike(theirs[0] - turn[centre], theirs[1] - growth[centre])


def largest_group(matches: Matches) -> int:
    """Return how many matches turn and grow alike, in the largest such group; 0 where they have no angle.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.geometry.consistency import largest_group
    >>> scene = render_demo()
    >>> matches = tp.match(scene.image0, scene.image1, verify=False).matches
    >>> largest_group(matches) > len(matches) / 2
    True
    """
    seen = turn_and_growth(matches)
    return 0 if seen is None or not len(matches) else _gathered(*seen)[1]


def _gathered(turn: NDArray[np.float64], growth: NDArray[np.float64]) -> tuple[int, int]:
    """Return the match around which most others turn and grow alike, and how many these are, with itself."""
    step = -(-len(turn) // _MOST_COMPARED)
    counts = _alike(turn[::step, None] - turn, growth[::step, None] - growth).sum(axis=1)
    return int(counts.argmax()) * step, int(counts.max())


def _alike(turn: NDArray[np.float64], growth: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray((np.abs(_half_turn(turn)) <= MOST_TURN) & (np.abs(growth) <= MOST_GROWTH))


def _carried(
    matrix: NDArray[np.float64], xy: NDArray[np.float64], angle: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return by how many degrees a direction at each point turns, and by how many octaves things grow."""
    x, y, w = matrix @ np.vstack([xy.T, np.ones(len(xy))])
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    with np.errstate(divide="ignore", invalid="ignore"):  # on the horizon nothing is as expected
        # The derivatives of x / w and y / w at the point.
        (a, b), (c, d) = (
            ((matrix[row, 0] - top / w * matrix[2, 0]) / w, (matrix[row, 1] - top / w * matrix[2, 1]) / w)
            for row, top in ((0, x), (1, y))
        )
        there = np.degrees(np.arctan2(c * cos + d * sin, a * cos + b * sin))
        growth = 0.5 * np.log2(np.abs(a * d - b * c))
    return there - angle, growth


def _half_turn(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bring angles to -180..180."""
    return np.asarray((degrees + 180.0) % 360.0 - 180.0)
