"""Matching over plain arrays: nearest neighbours, and the filters in any combination."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tiepoint.core as core
from tiepoint.errors import DataError, OptionError
from tiepoint.matchers.neighbours import Nearest, Packed, nearest_both_ways
from tiepoint.types import METRICS, Metric
from tiepoint.types.matches import check_thresholds, passes_distance, passes_ratio

Found = tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]


def match_descriptors(
    descriptors0: NDArray[Any],
    descriptors1: NDArray[Any],
    metric: Metric,
    *,
    cross_check: bool = True,
    ratio: float | None = None,
    max_distance: float | None = None,
    ratio_both: bool = False,
    threads: int | None = None,
) -> Found:
    """Match two sets of descriptors by exact nearest neighbour.

    Parameters
    ----------
    descriptors0 : ndarray, (N, D) uint8 or float32
    descriptors1 : ndarray, (M, D) of the same dtype
    metric : {"hamming", "l2", "cosine"}
        With "hamming" the descriptors are uint8, eight bits a byte.
    cross_check : bool
        Keep (i, j) only if i is also the nearest to j. On by default: it costs nothing and takes
        out half of the wrong matches.
    ratio : float | None
        Keep a match only if it is nearer than ``ratio`` times the second nearest (Lowe 2004 uses 0.8).
    max_distance : float | None
        Keep a distance of at most this: Euclidean, bits, or 1 - cosine.
    ratio_both : bool
        The ratio must also hold from j's view of set 0, which implies the cross-check.
    threads : int | None
        By default those of `tiepoint.set_threads`, else of TIEPOINT_THREADS, else the CPUs this
        process may use. The result is the same for any number; small sets are matched on one.

    Returns
    -------
    pairs : ndarray, (K, 2) int32
        Rows of set 0 and of set 1, in order of the first.
    distance, second_distance : ndarray, (K,) float32
        To the nearest and the second nearest; the second is infinite if set 1 has one row.

    Raises
    ------
    DataError
        If the arrays do not fit each other or the metric, or hold NaN.
    OptionError
        If an option is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.matchers import match_descriptors
    >>> a = np.array([[0, 0], [9, 9]], np.float32)
    >>> b = np.array([[9, 8], [0, 1], [5, 5]], np.float32)
    >>> pairs, distance, _ = match_descriptors(a, b, "l2")
    >>> pairs.tolist(), distance.tolist()
    ([[0, 1], [1, 0]], [1.0, 1.0])
    """
    check_descriptors(descriptors0, descriptors1, metric)
    check_thresholds(ratio, max_distance, ratio_both=ratio_both)
    n_threads = core.threads(threads)
    if len(descriptors0) == 0 or len(descriptors1) == 0:
        return _nothing()
    from0, from1 = nearest_both_ways(descriptors0, descriptors1, metric, n_threads, second_back=ratio_both)
    return _filtered(
        from0, from1, cross_check=cross_check, ratio=ratio, max_distance=max_distance, ratio_both=ratio_both
    )


def match_one_to_many(
    descriptors0: NDArray[Any],
    others: Iterable[NDArray[Any]],
    metric: Metric,
    *,
    cross_check: bool = True,
    ratio: float | None = None,
    max_distance: float | None = None,
    ratio_both: bool = False,
    threads: int | None = None,
) -> Iterator[Found]:
    """Match one set of descriptors against many, laying it out for the kernel only once.

    Parameters
    ----------
    descriptors0 : ndarray, (N, D) uint8 or float32
    others : iterable of ndarray, (M, D) of the same dtype
        Taken one at a time, when its result is asked for.
    metric, cross_check, ratio, max_distance, ratio_both, threads
        As of `match_descriptors`.

    Yields
    ------
    pairs, distance, second_distance
        For each of ``others``, as from `match_descriptors`.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.matchers import match_one_to_many
    >>> a = np.array([[0, 0], [9, 9]], np.float32)
    >>> [pairs.tolist() for pairs, _, _ in match_one_to_many(a, [a[:1], a[::-1]], "l2")]
    [[[0, 0]], [[0, 1], [1, 0]]]
    """
    check_thresholds(ratio, max_distance, ratio_both=ratio_both)
    n_threads = core.threads(threads)
    packed: Packed | None = None
    for descriptors1 in others:
        check_descriptors(descriptors0, descriptors1, metric)
        if len(descriptors0) == 0 or len(descriptors1) == 0:
            yield _nothing()
            continue
        if packed is None:
            packed = Packed(descriptors0, metric, n_threads)
        from0, from1 = packed.nearest_both_ways(descriptors1)
        yield _filtered(
            from0,
            from1,
            cross_check=cross_check,
            ratio=ratio,
            max_distance=max_distance,
            ratio_both=ratio_both,
        )


def _nothing() -> Found:
    return np.empty((0, 2), np.int32), np.empty(0, np.float32), np.empty(0, np.float32)


def _filtered(
    from0: Nearest,
    from1: Nearest,
    *,
    cross_check: bool,
    ratio: float | None,
    max_distance: float | None,
    ratio_both: bool,
) -> Found:
    keep = np.ones(len(from0.index), bool)
    for _, passed in filters(
        from0, from1, cross_check=cross_check, ratio=ratio, max_distance=max_distance, ratio_both=ratio_both
    ):
        keep &= passed
    return all_pairs(from0)[keep], from0.distance[keep], from0.second_distance[keep]


def filters(
    from0: Nearest,
    from1: Nearest,
    *,
    cross_check: bool,
    ratio: float | None,
    max_distance: float | None,
    ratio_both: bool,
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield the filters that are asked for: the stage's name, and which rows of set 0 pass, (N,) bool."""
    mutual = from1.index[from0.index] == np.arange(len(from0.index))
    if cross_check:
        yield "mutual", mutual
    if ratio is not None:
        yield "ratio", passes_ratio(from0.distance, from0.second_distance, ratio)
        if ratio_both:
            back = passes_ratio(from1.distance, from1.second_distance, ratio)
            yield "ratio back", mutual & back[from0.index]
    if max_distance is not None:
        yield "distance", passes_distance(from0.distance, max_distance)


def all_pairs(from0: Nearest) -> NDArray[np.int32]:
    """Return every row with its nearest, (N, 2) int32."""
    return np.stack([np.arange(len(from0.index), dtype=np.int32), from0.index], axis=1)


def check_descriptors(descriptors0: NDArray[Any], descriptors1: NDArray[Any], metric: Metric) -> None:
    """Refuse sets that cannot be compared, in one sentence."""
    if metric not in METRICS:
        raise OptionError(f"metric must be one of {', '.join(METRICS)}, not {metric!r}")
    for name, array in (("descriptors0", descriptors0), ("descriptors1", descriptors1)):
        if not isinstance(array, np.ndarray) or array.ndim != 2:
            shape = getattr(array, "shape", type(array).__name__)
            raise DataError(f"{name} must be an (N, D) array, not {shape}")
        if array.dtype != np.uint8 and (array.dtype != np.float32 or metric == "hamming"):
            wanted = "uint8" if metric == "hamming" else "uint8 or float32"
            raise DataError(f"{name} must be {wanted} for the metric {metric}, not {array.dtype.name}")
        if array.dtype == np.float32 and not np.isfinite(array).all():
            raise DataError(f"{name} must be finite, but holds NaN or infinity")
        if len(array) and array.shape[1] == 0:
            raise DataError(f"{name} has {len(array)} rows without any number in them")
    if descriptors0.shape[1] != descriptors1.shape[1] or descriptors0.dtype != descriptors1.dtype:
        raise DataError(
            f"descriptors of {descriptors0.shape[1]} x {descriptors0.dtype.name} cannot be compared with "
            f"descriptors of {descriptors1.shape[1]} x {descriptors1.dtype.name}; "
            "use one extractor for both photos"
        )
