"""More matches, looked for where a model says that they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.geometry.consistency import gradient_along
from tiepoint.geometry.fit import Fit, again, refit
from tiepoint.geometry.residuals import EPIPOLAR, depth, sampson
from tiepoint.types import Features

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Found = tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]

_PAIRS = 1 << 20  # looked at in one go
_BYTES = 1 << 25  # of descriptors gathered in one go
_RIVALS = 2.0  # times the radius: how far from a point candidates compete
_ROUNDS = 5
_TURN, _GROWTH = 45.0, 2.0  # degrees, and a factor: how far keypoints may disagree with a homography


def guided_pairs(
    model: str,
    matrix: NDArray[np.float64],
    features0: Features,
    features1: Features,
    radius: float,
    *,
    ratio: float,
) -> Found:
    """Match features again, each only with those of the other photo that the model allows.

    A match is the nearest descriptor both ways among candidates: what a fundamental or essential matrix
    allows are those near a line; what the others allow are those within twice the radius of a point
    that also grow and turn about as the model says, of which only those within the radius itself are
    returned. So a keypoint whose true partner was not found is not matched with whatever else is nearest.

    Parameters
    ----------
    model, matrix
        As in :func:`tiepoint.geometry.residuals.sampson`.
    features0, features1 : Features
        With descriptors of the same kind.
    radius : float
        Largest Sampson distance of a match, in pixels.
    ratio : float
        A match must be nearer than this times the second nearest candidate at another place, farther than
        ``2 * radius`` from it in photo 1: neighbours at nearly the same place are no rivals.

    Returns
    -------
    pairs : ndarray, (K, 2) int32
        Rows of features0 and features1, in order of the first.
    distance, second_distance : ndarray, (K,) float32
        To the nearest and the second nearest candidate; the second is infinite if there is no other.

    Examples
    --------
    >>> import numpy as np
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.geometry.guided import guided_pairs
    >>> scene = render_demo()
    >>> features = tp.extract(scene.image0, "orb")
    >>> pairs, distance, _ = guided_pairs("similarity", np.eye(3), features, features, 1.0, ratio=0.9)
    >>> bool((pairs[:, 0] == pairs[:, 1]).all()), float(distance.max())
    (True, 0.0)
    """
    n0, n1 = len(features0), len(features1)
    xy0, xy1 = features0.xy.astype(np.float64), features1.xy.astype(np.float64)
    distance_of = _DISTANCE[features0.metric]
    nearest0, nearest1 = np.full(n0, -1, np.intp), np.full(n1, -1, np.intp)
    distance0, second0, distance1 = (np.full(n, np.inf, np.float32) for n in (n0, n0, n1))
    within = radius if model in EPIPOLAR else _RIVALS * radius
    for i, j in _candidates(model, matrix, features0, features1, within):
        distance = _in_blocks(distance_of, features0.descriptors, features1.descriptors, i, j)
        best = _first_best(i, j, distance)
        nearest0[i[best]], distance0[i[best]] = j[best], distance[best]
        elsewhere = ((xy1[j] - xy1[nearest0[i]]) ** 2).sum(axis=1) > (2 * radius) ** 2
        np.minimum.at(second0, i[elsewhere], distance[elsewhere])
        best = _first_best(j, i, distance)
        best = best[
            distance[best] < distance1[j[best]]
        ]  # of equals the first: later pieces are of later rows
        nearest1[j[best]], distance1[j[best]] = i[best], distance[best]
    rows = np.flatnonzero(nearest0 >= 0)
    rows = rows[nearest1[nearest0[rows]] == rows]
    rows = rows[sampson(model, matrix, xy0[rows], xy1[nearest0[rows]]) <= radius]
    rows = rows[distance0[rows] < ratio * second0[rows]]
    return np.stack([rows, nearest0[rows]], axis=1).astype(np.int32), distance0[rows], second0[rows]


def grow(
    found: Fit,
    xy0: NDArray[Any],
    xy1: NDArray[Any],
    features0: Features,
    features1: Features,
    max_error: float,
    *,
    ratio: float,
    scale0: NDArray[Any] | None = None,
    scale1: NDArray[Any] | None = None,
) -> Fit:
    """Refine a homography, an affinity or a similarity on further matches, which it finds; and again.

    A model of few matches is right where these are and off by more the farther away; each round reaches
    farther. Rounds end when they win nothing.

    Parameters
    ----------
    found : Fit
        That was found.
    xy0, xy1 : ndarray, (M, 2)
        The matches that it was found on.
    features0, features1 : Features
    max_error : float
        In pixels.
    ratio : float
        As in :func:`guided_pairs`.
    scale0, scale1 : ndarray, (M,), optional
        Sizes of the keypoints of the matches.

    Returns
    -------
    Fit
        The model, with the inliers and residuals of ``xy0`` and ``xy1``.
    """
    known = scale0 is not None and scale1 is not None
    most = -1
    for _ in range(_ROUNDS):
        assert found.matrix is not None
        pairs, _, _ = guided_pairs(found.model, found.matrix, features0, features1, max_error, ratio=ratio)
        new = features0[pairs[:, 0]], features1[pairs[:, 1]]
        sizes = (scale0, scale1) if known else (np.ones(len(xy0)), np.ones(len(xy0)))
        both = np.vstack(
            [
                np.column_stack([xy0, xy1, *sizes]),
                np.column_stack([new[0].xy, new[1].xy, new[0].size, new[1].size]),
            ]
        )
        _, once = np.unique(both[:, :4], axis=0, return_index=True)  # what is there twice counts once
        both = both[np.sort(once)]
        scales = {"scale0": both[:, 4], "scale1": both[:, 5]} if known else {}
        grown = refit(found, both[:, :2], both[:, 2:4], max_error, **scales)
        count = grown.count
        if not grown or count <= most:
            break
        found, most = grown, count
    return again(found, xy0, xy1, max_error)


def _first_best(groups: Indices, others: Indices, distance: NDArray[np.float32]) -> Indices:
    """Return for each group the position of its smallest distance; of equals that of the lowest other."""
    order = np.lexsort((others, distance, groups))
    ordered = groups[order]
    return np.asarray(order[np.flatnonzero(np.diff(ordered, prepend=-1))])


def _candidates(
    model: str, matrix: Floats, features0: Features, features1: Features, radius: float
) -> Iterator[tuple[Indices, Indices]]:
    """Give the pairs of keypoints that the model allows, all of some keypoints of photo 0 at a time."""
    if not (len(features0) and len(features1)):
        return
    xy0, xy1 = features0.xy.astype(np.float64), features1.xy.astype(np.float64)
    if model in EPIPOLAR:
        yield from _near_lines(matrix, xy0, xy1, radius)
        return
    for i, j in _near_points(matrix, xy0, xy1, radius):
        near = sampson(model, matrix, xy0[i], xy1[j]) <= radius
        i, j = i[near], j[near]
        alike = _alike(matrix, features0, features1, i, j)
        yield i[alike], j[alike]


def _near_points(
    matrix: Floats, xy0: Floats, xy1: Floats, radius: float
) -> Iterator[tuple[Indices, Indices]]:
    """Give the pairs in a box around each transferred point that no candidate lies outside of."""
    w = depth(matrix, xy0)
    side = np.sign(np.sign(w).sum()) or 1.0
    ahead = np.flatnonzero(w * side > 0)
    jacobian, xy = _jacobian(matrix, xy0[ahead])
    # The errors in photo 1 if both points are off by the radius; a little more, for it is the first order.
    reach = 1.1 * radius * np.sqrt(1 + (jacobian**2).sum(axis=2)) + 0.01
    # Rows of boxes, and in each the points from left to right: one sorted key.
    height = max(1.0, 2 * float(np.median(reach[:, 1])))
    top, left = xy1[:, 1].min(), xy1[:, 0].min()
    width = np.ptp(xy1[:, 0]) + 1.0
    row1 = np.floor((xy1[:, 1] - top) / height)
    key = row1 * 2 * width + (xy1[:, 0] - left)
    order = np.argsort(key, kind="stable")
    key = key[order]
    x = xy[:, 0] - left
    in_photo = (x + reach[:, 0] >= 0) & (x - reach[:, 0] <= width)
    first = np.floor((xy[:, 1] - reach[:, 1] - top) / height)
    last = np.floor((xy[:, 1] + reach[:, 1] - top) / height)
    first, last = np.maximum(first, 0), np.minimum(last, row1.max())
    rows = np.where(in_photo, np.maximum(last - first + 1, 0), 0).astype(np.intp)
    who, step = _expanded(rows)
    base = (first[who] + step) * 2 * width
    start = np.searchsorted(key, base + np.maximum(x[who] - reach[who, 0], 0), "left")
    end = np.searchsorted(key, base + np.minimum(x[who] + reach[who, 0], width), "right")
    counts = end - start
    of_each = np.bincount(who, counts, len(ahead))
    for begin, finish in _cuts(np.cumsum(of_each), _PAIRS):
        part = slice(*np.searchsorted(who, [begin, finish]))
        run, step = _expanded(counts[part])
        yield ahead[who[part][run]], order[start[part][run] + step]


def _near_lines(matrix: Floats, xy0: Floats, xy1: Floats, radius: float) -> Iterator[tuple[Indices, Indices]]:
    """Give the pairs near each other's epipolar lines; all are looked at."""
    # In floats, around the centre of each photo, and settled in double precision.
    centre0, centre1 = xy0.mean(axis=0), xy1.mean(axis=0)
    shift0, shift1 = np.eye(3), np.eye(3)
    shift0[:2, 2], shift1[:2, 2] = centre0, centre1
    f = shift1.T @ matrix @ shift0
    f = f / np.linalg.norm(f)
    x0 = np.column_stack([xy0 - centre0, np.ones(len(xy0))])
    x1 = np.column_stack([xy1 - centre1, np.ones(len(xy1))])
    lines1, lines0 = x0 @ f.T, x1 @ f
    # |x1 . l1| <= radius * sqrt(|l1|^2 + |l0|^2), divided by |l1| + |l0|.
    slope1, slope0 = (lines1[:, :2] ** 2).sum(axis=1), (lines0[:, :2] ** 2).sum(axis=1)
    scale = np.sqrt(slope1.mean()) or 1.0
    left, right = (lines1 / scale).astype(np.float32), np.ascontiguousarray((x1.T).astype(np.float32))
    bound0, bound1 = (((1.01 * radius / scale) ** 2 * slope).astype(np.float32) for slope in (slope1, slope0))
    height = max(1, (1 << 17) // len(xy1))
    for top in range(0, len(xy0), height):
        part = slice(top, top + height)
        error = left[part] @ right
        error *= error
        error -= bound1
        i, j = np.divmod(np.flatnonzero(error <= bound0[part, None]), len(xy1))
        i += top
        near = sampson("fundamental", matrix, xy0[i], xy1[j]) <= radius
        yield i[near], j[near]


def _alike(
    matrix: Floats, features0: Features, features1: Features, i: Indices, j: Indices
) -> NDArray[np.bool_]:
    """Tell which keypoints grow and turn about as the model does around them."""
    jacobian, _ = _jacobian(matrix, features0.xy.astype(np.float64))
    alike = np.ones(len(i), np.bool_)
    growth = np.sqrt(np.abs(np.linalg.det(jacobian)))
    expected = features0.size[i] * growth[i]
    size1 = features1.size[j]
    known = (expected > 0) & (size1 > 0)
    alike &= ~known | ((size1 < expected * _GROWTH) & (expected < size1 * _GROWTH))
    if features0.angle is not None and features1.angle is not None:
        radians = np.radians(features0.angle.astype(np.float64))
        (a, b), (c, d) = np.moveaxis(jacobian, 0, -1)
        across, down = gradient_along(a, b, c, d, np.cos(radians), np.sin(radians))
        turned = np.degrees(np.arctan2(down, across))
        off = np.abs((features1.angle[j] - turned[i] + 180) % 360 - 180)
        alike &= off <= _TURN
    return alike


def _jacobian(matrix: Floats, xy0: Floats) -> tuple[Floats, Floats]:
    """Return the derivative of the transfer at each point, (N, 2, 2), and the points' places, (N, 2)."""
    mapped = xy0 @ matrix[:, :2].T + matrix[:, 2]
    w = np.where(mapped[:, 2] == 0, np.finfo(np.float64).tiny, mapped[:, 2])
    xy = mapped[:, :2] / w[:, None]
    return (matrix[:2, :2] - xy[:, :, None] * matrix[2, :2]) / w[:, None, None], xy


def _expanded(counts: NDArray[np.intp]) -> tuple[Indices, Indices]:
    """Return for counts (2, 0, 3): whose each is, 0 0 2 2 2, and which of his, 0 1 0 1 2."""
    who = np.repeat(np.arange(len(counts)), counts)
    return who, np.arange(len(who)) - np.repeat(np.cumsum(counts) - counts, counts)


def _cuts(total: Floats, most: int) -> Iterator[tuple[int, int]]:
    """Give ranges whose share of a cumulative sum is at most ``most``, or that are one long."""
    begin = 0
    while begin < len(total):
        before = int(total[begin - 1]) if begin else 0
        end = max(begin + 1, int(np.searchsorted(total, before + most, "right")))
        yield begin, end
        begin = end


def _in_blocks(
    metric: Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]],
    descriptors0: NDArray[Any],
    descriptors1: NDArray[Any],
    i: Indices,
    j: Indices,
) -> NDArray[np.float32]:
    """Return the distance of each pair of descriptors."""
    distance = np.empty(len(i), np.float32)
    length = max(1, _BYTES // (4 * max(1, descriptors0.shape[1])))
    for top in range(0, len(i), length):
        part = slice(top, top + length)
        distance[part] = metric(descriptors0[i[part]], descriptors1[j[part]])
    return distance


def _l2(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    difference = a.astype(np.float32) - b.astype(np.float32)
    return np.asarray(np.sqrt(np.einsum("nd,nd->n", difference, difference)))


def _hamming(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.bitwise_count(a ^ b).sum(axis=1, dtype=np.int64))


def _cosine(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    a, b = a.astype(np.float32), b.astype(np.float32)
    lengths = np.sqrt(np.einsum("nd,nd->n", a, a) * np.einsum("nd,nd->n", b, b))
    cosine = np.einsum("nd,nd->n", a, b) / np.where(lengths > 0, lengths, 1)
    return np.asarray(np.clip(1 - cosine, 0, 2))


_DISTANCE = {"l2": _l2, "hamming": _hamming, "cosine": _cosine}
