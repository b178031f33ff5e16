"""The nearest and second nearest descriptor, both ways: the kernel of all matching.

It is in the compiled core (src/core/matching). What is here in NumPy is its reference, and takes its place
where the core is missing: a blocked matrix product, whose tiles of the distance matrix come and go. Besides
one tile, its memory is that of the descriptors as floats: four bytes for each bit of a binary descriptor,
four for each uint8, eight for each float.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

import tiepoint.core as core
from tiepoint.types import Metric

_TILE_ROWS, _TILE_COLUMNS = 1024, 4096


@dataclass(frozen=True, kw_only=True, eq=False)
class Nearest:
    """For each descriptor of one set, its nearest in the other.

    ``index`` (N,) int32, ``distance`` and ``second_distance`` (N,) float32; infinite where there is
    no second, and empty, (0,), if nobody asked for it. Ties go to the lowest index.
    """

    index: NDArray[np.int32]
    distance: NDArray[np.float32]
    second_distance: NDArray[np.float32]


def nearest_both_ways(
    descriptors0: NDArray[Any],
    descriptors1: NDArray[Any],
    metric: Metric,
    threads: int | None = None,
    *,
    second_back: bool = True,
) -> tuple[Nearest, Nearest]:
    """Find the two nearest neighbours of every row, in both directions, in one sweep.

    Parameters
    ----------
    descriptors0 : ndarray, (N, D) uint8 or float32
    descriptors1 : ndarray, (M, D) of the same dtype
        Both sets need at least one row.
    metric : {"hamming", "l2", "cosine"}
    threads : int | None
        See `tiepoint.core.set_threads`; the result is the same for any number. NumPy uses those of its BLAS.
    second_back : bool
        Whether the second nearest of ``descriptors1`` are wanted, which takes a little longer.

    Returns
    -------
    from0, from1 : Nearest
        Of every row of ``descriptors0`` in ``descriptors1``, and the other way. Distances are
        Hamming (bits), Euclidean, or 1 - cosine; exact for uint8.
    """
    n_threads = core.threads(threads)
    if not _is_for_core(descriptors0, metric):
        return nearest_both_ways_numpy(descriptors0, descriptors1, metric)
    found0, found1 = core.compiled.nearest(
        _for_core(descriptors0, metric), _for_core(descriptors1, metric), metric, n_threads, second_back
    )
    return _nearest(*found0), _nearest(*found1)


class Packed:
    """One set, laid out once to be matched with many others."""

    def __init__(self, descriptors: NDArray[Any], metric: Metric, threads: int | None = None) -> None:
        self._descriptors, self._metric, self._threads = descriptors, metric, core.threads(threads)
        self._packed = (
            core.compiled.Packed(_for_core(descriptors, metric), metric, self._threads)
            if _is_for_core(descriptors, metric)
            else None
        )

    def nearest_both_ways(self, descriptors: NDArray[Any]) -> tuple[Nearest, Nearest]:
        """Find the two nearest neighbours of the packed set's rows, and of the other's."""
        if self._packed is None:
            return nearest_both_ways_numpy(self._descriptors, descriptors, self._metric)
        found0, found1 = self._packed.nearest(_for_core(descriptors, self._metric), self._threads)
        return _nearest(*found0), _nearest(*found1)


def _is_for_core(descriptors: NDArray[Any], metric: Metric) -> bool:
    if core.level() == "numpy":
        core.note_missing()
        return False
    # Beyond, 32 bits do not hold a squared distance of bytes and a position.
    return not (
        metric == "l2"
        and descriptors.dtype == np.uint8
        and descriptors.shape[1] > core.compiled.MOST_BYTE_DIMENSIONS
    )


def _for_core(descriptors: NDArray[Any], metric: Metric) -> NDArray[Any]:
    dtype = np.float32 if metric == "cosine" else descriptors.dtype.newbyteorder("=")
    return np.ascontiguousarray(descriptors, dtype)


def _nearest(
    index: NDArray[np.int32], distance: NDArray[np.float32], second_distance: NDArray[np.float32]
) -> Nearest:
    return Nearest(index=index, distance=distance, second_distance=second_distance)


def nearest_both_ways_numpy(
    descriptors0: NDArray[Any], descriptors1: NDArray[Any], metric: Metric
) -> tuple[Nearest, Nearest]:
    """Do the same in NumPy."""
    prepare, finish = _METRICS[metric]
    rows, row_norms = prepare(descriptors0)
    columns, column_norms = prepare(descriptors1)
    from0, from1 = _Best(len(rows), rows.dtype), _Best(len(columns), rows.dtype)
    for top in range(0, len(rows), _TILE_ROWS):
        row_part = slice(top, top + _TILE_ROWS)
        for left in range(0, len(columns), _TILE_COLUMNS):
            column_part = slice(left, left + _TILE_COLUMNS)
            tile = rows[row_part] @ columns[column_part].T
            tile *= -2
            tile += row_norms[row_part, None]
            tile += column_norms[column_part]
            from1.update(column_part, tile.T, offset=top)
            from0.update(row_part, tile, offset=left)
    if rows.dtype == np.float64:
        from0.settle(rows, columns)
        from1.settle(columns, rows)
    return from0.nearest(finish), from1.nearest(finish)


class _Best:
    """Running best and second best of each row, over tiles that come in order of their columns."""

    def __init__(self, n: int, dtype: DTypeLike) -> None:
        self.index, self.second_index = np.zeros(n, np.int32), np.zeros(n, np.int32)
        self.best, self.second = np.full(n, np.inf, dtype), np.full(n, np.inf, dtype)

    def update(self, part: slice, tile: NDArray[Any], *, offset: int) -> None:
        everyone = np.arange(len(tile))
        index = tile.argmin(axis=1)  # the first of equals
        best = tile[everyone, index]
        tile[everyone, index] = np.inf
        second_index = tile.argmin(axis=1)
        second = tile[everyone, second_index]
        tile[everyone, index] = best
        # Strictly less, here and below: of equals the earlier tile has the lower index.
        nearer = best < self.best[part]
        rival = np.where(nearer, second, best)
        rival_index = np.where(nearer, second_index, index) + offset
        held = np.where(nearer, self.best[part], self.second[part])
        held_index = np.where(nearer, self.index[part], self.second_index[part])
        self.second[part] = np.minimum(rival, held)
        self.second_index[part] = np.where(rival < held, rival_index, held_index)
        self.index[part] = np.where(nearer, index + offset, self.index[part])
        self.best[part] = np.where(nearer, best, self.best[part])

    def settle(self, rows: NDArray[np.float64], columns: NDArray[np.float64]) -> None:
        """Replace the numbers of the expansion, which have lost digits, by direct ones.

        Where best and second are closer than its rounding, all columns are looked at again, so that
        equal descriptors are at equal distances and the lowest index wins.
        """
        norms = (rows * rows).sum(axis=1) + (columns * columns).sum(axis=1).max()
        unsure = np.flatnonzero(self.second - self.best <= 1e-12 * norms)
        difference = rows - columns[self.index]
        self.best = (difference * difference).sum(axis=1)
        difference = rows - columns[self.second_index]
        self.second = np.where(np.isinf(self.second), np.inf, (difference * difference).sum(axis=1))
        for i in unsure:
            difference = columns - rows[i]
            distances = (difference * difference).sum(axis=1)
            self.index[i] = distances.argmin()
            self.best[i] = distances[self.index[i]]
            distances[self.index[i]] = np.inf
            self.second[i] = distances.min()

    def nearest(self, finish: Callable[[NDArray[Any]], NDArray[Any]]) -> Nearest:
        with np.errstate(over="ignore"):  # beyond float32 a distance is infinite
            return Nearest(
                index=self.index,
                distance=finish(self.best).astype(np.float32),
                second_distance=finish(self.second).astype(np.float32),
            )


# A metric is two functions. The first brings descriptors into a form whose |a|^2 + |b|^2 - 2 a.b
# ranks them; the second turns that number into the distance.
_Prepared = tuple[NDArray[Any], NDArray[Any]]


def _prepare_l2(descriptors: NDArray[Any]) -> _Prepared:
    # Squared uint8 distances are whole numbers: float32 holds them exactly up to 2^24, that is for
    # 128 dimensions. Float descriptors lose digits in the subtraction and so take double precision.
    largest = 2 * 255**2 * descriptors.shape[1]
    exact_in_float32 = descriptors.dtype == np.uint8 and largest < 2**24
    values: NDArray[np.floating[Any]] = descriptors.astype(np.float32 if exact_in_float32 else np.float64)
    return values, (values * values).sum(axis=1)


def _finish_l2(squared: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.sqrt(np.maximum(squared, 0)))


def _prepare_hamming(descriptors: NDArray[Any]) -> _Prepared:
    bits = np.unpackbits(descriptors, axis=1).astype(np.float32)
    return bits, bits.sum(axis=1)


def _prepare_cosine(descriptors: NDArray[Any]) -> _Prepared:
    values = descriptors.astype(np.float64)
    norms = np.linalg.norm(values, axis=1, keepdims=True)
    # A zero vector has no direction: it gets one of its own, so that it is at distance 1 from all others.
    units = np.hstack([values / np.where(norms == 0, 1, norms), norms == 0])
    return units, np.ones(len(units))


def _finish_cosine(squared: NDArray[Any]) -> NDArray[Any]:
    return np.maximum(squared / 2, 0)


_METRICS: dict[Metric, tuple[Callable[[NDArray[Any]], _Prepared], Callable[[NDArray[Any]], NDArray[Any]]]] = {
    "l2": (_prepare_l2, _finish_l2),
    "hamming": (_prepare_hamming, lambda bits: bits),
    "cosine": (_prepare_cosine, _finish_cosine),
}
