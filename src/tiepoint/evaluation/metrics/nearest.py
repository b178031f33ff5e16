"""Which points lie near which, in memory that does not grow with their product."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tiepoint.evaluation.metrics.inputs import Float, Index

# Pairs looked at together: some 20 MB of intermediates, whatever the number of points.
_TOGETHER = 1 << 18
# Pixels added to the strip that is searched, so that rounding leaves nobody out.
_SLACK = 1e-6


def pairs_within(xy: Float, others: Float, radius: Float | float) -> Iterator[tuple[Index, Index, Float]]:
    """Yield all pairs of a point and another one that is at most a radius away.

    The others are sorted by x once; each point then meets those in its strip only. All pairs of a
    point come in the same block, and points come in their order.

    Parameters
    ----------
    xy : ndarray, (N, 2) float64
        A point at infinity is near to nobody.
    others : ndarray, (M, 2) float64
    radius : ndarray, (N,) float64, or float
        One for each point, or one for all.

    Yields
    ------
    rows, columns : ndarray, (P,)
        Indices into ``xy`` and ``others``.
    distance : ndarray, (P,) float64
    """
    order = np.argsort(others[:, 0], kind="stable")
    x = others[order, 0]
    reach = np.broadcast_to(radius, len(xy))
    first = np.searchsorted(x, xy[:, 0] - reach - _SLACK, "left")
    count = np.searchsorted(x, xy[:, 0] + reach + _SLACK, "right") - first
    count[~np.isfinite(xy).all(axis=1)] = 0
    ends = np.cumsum(count)
    start = 0
    while start < len(xy):
        before = ends[start] - count[start]
        stop = max(start + 1, int(np.searchsorted(ends, before + _TOGETHER, "right")))
        rows = np.repeat(np.arange(start, stop), count[start:stop])
        step = np.arange(len(rows)) - (ends - count)[rows] + before
        columns = order[first[rows] + step]
        apart = xy[rows] - others[columns]
        distance = np.hypot(apart[:, 0], apart[:, 1])
        near = distance <= reach[rows]
        yield rows[near], columns[near], distance[near]
        start = stop


def nearest_within(xy: Float, others: Float, radius: float) -> tuple[Index, Float]:
    """Return the nearest other of each point, if it is at most a radius away; ties go to the lowest index.

    Returns
    -------
    index : ndarray, (N,)
        Into ``others``; -1 where none is within the radius.
    distance : ndarray, (N,) float64
        Infinite where none is.
    """
    index, distance = np.full(len(xy), -1, np.intp), np.full(len(xy), np.inf)
    for rows, columns, apart in pairs_within(xy, others, radius):
        if not len(rows):
            continue
        starts = np.flatnonzero(np.diff(rows, prepend=-1))
        least = np.minimum.reduceat(apart, starts)
        lengths = np.diff(starts, append=len(rows))
        tied = np.where(apart == np.repeat(least, lengths), columns, len(others))
        distance[rows[starts]] = least
        index[rows[starts]] = np.minimum.reduceat(tied, starts)
    return index, distance
