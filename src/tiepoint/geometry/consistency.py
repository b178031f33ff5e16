"""Whether keypoints turn and grow from photo 0 to photo 1 as a model says."""

from __future__ import annotations

import math
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiepoint import core
from tiepoint.types import Matches

Floats = NDArray[np.float64]

# How far an inlier may be off. A slanted view shears what a model takes for turned and grown, so it is not
# little; a random match has a chance of about one in ten.
MOST_TURN = 30.0  # degrees
MOST_GROWTH = 0.7  # octaves
_MOST_COMPARED = 400  # inliers that are compared with each other
_COS_OF_MOST_TURN = math.cos(math.radians(MOST_TURN))
_BITS_AT_ONCE = 64 * 64
_LOW_BITS = np.array([(1 << k) - 1 for k in range(65)], np.uint64)  # the k lowest of 64


class _Group(NamedTuple):
    """Matches that turn and grow alike: around which inlier, and how many, with itself."""

    centre: int
    size: int


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
    return Motion(matches).agreement(inliers, H_1_from_0)


class Motion:
    """How keypoints turn and grow; what is asked of it several times is worked out once.

    Parameters
    ----------
    matches : Matches

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.geometry.consistency import Motion
    >>> scene = render_demo()
    >>> geometry = tp.match(scene.image0, scene.image1).geometry
    >>> motion = Motion(geometry.matches)
    >>> motion.known, motion.agreement(geometry.inliers, None) > 0.7
    (True, True)
    """

    def __init__(self, matches: Matches) -> None:
        self.matches = matches
        # Of the last question, since it is often asked again.
        self._gathered: tuple[NDArray[np.bool_], _Group] | None = None
        self._carried: tuple[NDArray[np.bool_], Floats, NDArray[np.bool_]] | None = None

    @cached_property
    def _seen(self) -> tuple[Floats, Floats] | None:
        return turn_and_growth(self.matches)

    @property
    def known(self) -> bool:
        """Whether the keypoints have an angle and a size."""
        return self._seen is not None

    def agreement(
        self,
        inliers: NDArray[np.bool_],
        H_1_from_0: Floats | None,
        among: NDArray[np.bool_] | None = None,
    ) -> float | None:
        """Return :func:`agreement`, of those inliers that are among some of the matches."""
        counted = inliers if among is None else inliers & among
        m = int(np.count_nonzero(counted))
        if self._seen is None or m < 2:
            return None
        if H_1_from_0 is None:
            return (self._group(counted).size - 1) / (m - 1)
        carried = self._carried_along(inliers, H_1_from_0)
        if among is not None and len(carried) != m:
            carried = carried[among[inliers]]
        return int(np.count_nonzero(carried)) / m

    def count_along(self, inliers: NDArray[np.bool_], others: NDArray[np.bool_]) -> int:
        """Return how many other matches turn and grow as most of the inliers do, of which there are some."""
        assert self._seen is not None
        turn, growth = self._seen
        centre = np.flatnonzero(inliers)[self._group(inliers).centre]
        return int(np.count_nonzero(_alike(turn[others] - turn[centre], growth[others] - growth[centre])))

    def _group(self, inliers: NDArray[np.bool_]) -> _Group:
        assert self._seen is not None
        if self._gathered is None or not np.array_equal(self._gathered[0], inliers):
            rows = np.flatnonzero(inliers)
            self._gathered = inliers, _gathered(*(values.take(rows) for values in self._seen))
        return self._gathered[1]

    def _carried_along(self, inliers: NDArray[np.bool_], matrix: Floats) -> NDArray[np.bool_]:
        last = self._carried
        if last is None or not (np.array_equal(last[0], inliers) and np.array_equal(last[1], matrix)):
            last = self._carried = inliers, matrix, _carried_along(self.matches, inliers, matrix)
        return last[2]


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
    return 0 if seen is None or not len(matches) else _gathered(*seen).size


def _gathered(turn: Floats, growth: Floats) -> _Group:
    """Return the match around which most others turn and grow alike; the first of equals."""
    step = -(-len(turn) // _MOST_COMPARED)
    compiled = core.kernel("counts_alike")
    if compiled is not None:
        counts = compiled(turn, growth, step, MOST_TURN, MOST_GROWTH)
    else:
        counts = _counts_alike(turn, growth, step)
    return _Group(int(counts.argmax()) * step, int(counts.max()))


def _counts_alike(turn: Floats, growth: Floats, step: int) -> NDArray[np.int64]:
    """Return for every so-many-th match how many turn and grow as it does, with itself.

    A set of matches is a row of bits, one for each in the order of their turns. Those that turn alike are
    one or two pieces of the row. Those that grow alike are what two sets differ by, each of them all that
    grow less than something. So what is compared is 64 matches in one step.
    """
    n = len(turn)
    by_turn, by_growth = np.argsort(turn), np.argsort(growth)
    turns, growths = turn[by_turn], growth[by_growth]
    centre, octave = turn[::step], growth[::step]
    # Of the turns: from one bound to another, and what is left of that beyond a half turn.
    turn_bounds = [
        np.searchsorted(turns, centre - MOST_TURN),
        np.searchsorted(turns, centre + MOST_TURN, "right"),
        np.searchsorted(turns, centre - 360.0 + MOST_TURN, "right"),
        np.searchsorted(turns, centre + 360.0 - MOST_TURN),
        np.full(len(centre), n),
    ]
    least, most = (
        np.searchsorted(growths, octave - MOST_GROWTH),
        np.searchsorted(growths, octave + MOST_GROWTH, "right"),
    )
    place = np.empty(n, np.intp)
    place[by_turn] = np.arange(n)
    place = place[by_growth]
    counts = np.zeros(len(centre), np.int64)
    for first in range(0, n, _BITS_AT_ONCE):
        words = -(-min(n - first, _BITS_AT_ONCE) // 64)
        inside = np.flatnonzero((place >= first) & (place < first + 64 * words))
        sets = np.zeros((n + 1, words), np.uint64)
        bit = place[inside] - first
        sets[inside + 1, bit >> 6] = np.uint64(1) << (bit & 63).astype(np.uint64)
        np.bitwise_or.accumulate(sets, axis=0, out=sets)
        alike = sets[most] ^ sets[least]
        starts = first + 64 * np.arange(words)
        turned = np.zeros_like(alike)
        for bound in turn_bounds:
            turned ^= _LOW_BITS[np.clip(bound[:, None] - starts, 0, 64)]
        counts += np.bitwise_count(alike & turned).sum(axis=1, dtype=np.int64)
    return counts


def _alike(turn: NDArray[np.float64], growth: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray((np.abs(_half_turn(turn)) <= MOST_TURN) & (np.abs(growth) <= MOST_GROWTH))


def _carried_along(matches: Matches, inliers: NDArray[np.bool_], matrix: Floats) -> NDArray[np.bool_]:
    """Tell which inliers turn and grow as the picture does at their place, (K,) bool."""
    rows = np.flatnonzero(inliers)
    xy0, angle0, angle1, size0, size1 = (
        getattr(matches, name).take(rows, axis=0) for name in ("xy0", "angle0", "angle1", "size0", "size1")
    )
    compiled = core.kernel("carried_along")
    if compiled is not None:
        along = compiled(matrix, xy0, angle0, angle1, size0, size1, MOST_TURN, MOST_GROWTH)
        return np.asarray(along.view(np.bool_))
    (x, y), (size0, size1) = xy0.T.astype(np.float64), np.array([size0, size1], np.float64)
    angle0, angle1 = np.radians(np.array([angle0, angle1], np.float64))
    u, v, w = (row[0] * x + row[1] * y + row[2] for row in matrix)
    with np.errstate(
        divide="ignore", invalid="ignore", over="ignore"
    ):  # on the horizon nothing is as expected
        u, v = u / w, v / w
        a, b = (matrix[0, 0] - u * matrix[2, 0]) / w, (matrix[0, 1] - u * matrix[2, 1]) / w
        c, d = (matrix[1, 0] - v * matrix[2, 0]) / w, (matrix[1, 1] - v * matrix[2, 1]) / w
        across, down = gradient_along(a, b, c, d, np.cos(angle0), np.sin(angle0))
        length = np.sqrt(across * across + down * down)
        turned = across * np.cos(angle1) + down * np.sin(angle1) >= _COS_OF_MOST_TURN * length
        # Areas, for which an octave counts twice.
        grown, expected = (size1 / size0) ** 2, np.abs(a * d - b * c)
    return np.asarray(
        turned & (grown <= expected * 4**MOST_GROWTH) & (grown * 4**MOST_GROWTH >= expected) & (expected > 0)
    )


def gradient_along(a: Floats, b: Floats, c: Floats, d: Floats, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return the direction that a gradient (x, y) has after a map with the derivative ``[[a, b], [c, d]]``.

    The angle of a keypoint is that of a gradient, at right angles to the lines of equal brightness. Where the
    photo is sheared it turns otherwise than a step does: by the inverse of the derivative, transposed.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.geometry.consistency import gradient_along
    >>> squeezed = [np.array(value) for value in (0.25, 0.0, 0.0, 1.0)]
    >>> [float(value) for value in gradient_along(*squeezed, np.array(0.25), np.array(1.0))]
    [0.25, 0.25]
    """
    facing = np.sign(a * d - b * c)
    return facing * (d * x - c * y), facing * (a * y - b * x)


def _half_turn(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bring angles to -180..180."""
    return np.asarray((degrees + 180.0) % 360.0 - 180.0)
