"""How much of what could be matched was matched rightly."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tiepoint.errors import DataError
from tiepoint.evaluation.metrics.homography import inverse, on_photo, oriented, warp
from tiepoint.evaluation.metrics.inputs import Index, above_zero, errors_of, index_pairs, points
from tiepoint.evaluation.metrics.nearest import nearest_within
from tiepoint.types._arrays import checked_size


def matching_score(
    xy0: ArrayLike,
    xy1: ArrayLike,
    pairs: ArrayLike,
    H_1_from_0: ArrayLike,
    image_size0: tuple[int, int],
    image_size1: tuple[int, int],
    *,
    max_error: float = 3.0,
) -> float:
    """Return the share of keypoints in the shared region that ended up in a right match.

    SuperPoint's definition (DeTone et al. 2018, appendix), after Mikolajczyk et al. (2005): keypoints
    with a right match over keypoints that both photos show, taken from photo 0 to photo 1 (error in
    photo 1), from photo 1 to photo 0 (error in photo 0), and averaged. A keypoint counts once, however
    many matches it has. The paper matches nearest neighbours in each direction; here both directions
    judge the same matches. Mikolajczyk et al. divide by the smaller number and judge by region overlap.

    Parameters
    ----------
    xy0, xy1 : array_like, (N, 2), (K, 2)
        All keypoints, not only the matched ones, pixels; the paper takes the 1000 strongest.
    pairs : array_like, (M, 2) of integers
        The matches, as indices into ``xy0`` and ``xy1``.
    H_1_from_0 : array_like, (3, 3)
        The true homography, which takes (x, y, 1) of photo 0 to photo 1.
    image_size0, image_size1 : (int, int)
        Width and height.
    max_error : float
        Pixels; 3 as in the paper. An error equal to it is right.

    Returns
    -------
    float
        0 to 1; a photo without keypoints in the shared region adds 0.

    Raises
    ------
    DataError
        If an array is of the wrong shape or not finite, an index has no keypoint, or the homography is
        not invertible.
    OptionError
        If ``max_error`` is not above 0.

    Examples
    --------
    >>> xy0 = [[10, 10], [30, 10], [50, 10], [70, 10]]
    >>> xy1 = [[10, 12], [30, 30]]
    >>> matching_score(xy0, xy1, [[0, 0], [1, 1]], [[1, 0, 0], [0, 1, 0], [0, 0, 1]], (80, 60), (80, 60))
    0.375
    """
    size0, size1 = checked_size("image_size0", image_size0), checked_size("image_size1", image_size1)
    limit = above_zero("max_error", max_error)
    h = oriented("H_1_from_0", H_1_from_0)
    points0, points1 = points("xy0", xy0), points("xy1", xy1)
    i, j = index_pairs("pairs", pairs, len(points0), len(points1)).T
    shares = []
    for own, other, start, end, h_other, own_size, other_size in (
        (points0, points1, i, j, h, size0, size1),
        (points1, points0, j, i, inverse(h), size1, size0),
    ):
        warped = warp(h_other, own)
        shared = on_photo(own, own_size) & on_photo(warped, other_size)
        apart = warped[start] - other[end]
        matched = np.zeros(len(own), bool)
        matched[start[np.hypot(apart[:, 0], apart[:, 1]) <= limit]] = True
        shares.append((matched & shared).sum() / max(shared.sum(), 1))
    return float(np.mean(shares))


def possible_matches(
    xy0: ArrayLike, xy1: ArrayLike, H_1_from_0: ArrayLike, *, max_error: float = 3.0
) -> Index:
    """Return the keypoints that show the same point: what a perfect matcher would find.

    Two keypoints belong together if each is the other's nearest once photo 0's are mapped to photo 1,
    and they are at most ``max_error`` apart there: the ground truth of SuperGlue (Sarlin et al. 2020)
    for homographies, with distances taken in photo 1 only.

    Parameters
    ----------
    xy0, xy1 : array_like, (N, 2), (K, 2)
        All keypoints, pixels.
    H_1_from_0 : array_like, (3, 3)
        The true homography, which takes (x, y, 1) of photo 0 to photo 1.
    max_error : float
        Pixels of photo 1.

    Returns
    -------
    ndarray, (P, 2) of integers
        Indices into ``xy0`` and ``xy1``, in the order of ``xy0``; one to one.

    Raises
    ------
    DataError
        If an array is of the wrong shape or not finite, or the homography is not invertible.
    OptionError
        If ``max_error`` is not above 0.

    Examples
    --------
    >>> possible_matches([[10, 10], [11, 10], [50, 50]], [[11, 11], [80, 20]],
    ...                  [[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    array([[1, 0]])
    """
    limit = above_zero("max_error", max_error)
    warped = warp(oriented("H_1_from_0", H_1_from_0), points("xy0", xy0))
    points1 = points("xy1", xy1)
    forth, _ = nearest_within(warped, points1, limit)
    back, _ = nearest_within(points1, warped, limit)
    i = np.flatnonzero(forth >= 0)
    i = i[back[forth[i]] == i]
    return np.column_stack([i, forth[i]])


def recall(pairs: ArrayLike, errors: ArrayLike, possible: ArrayLike, *, max_error: float = 3.0) -> float:
    """Return the share of the possible matches that were found.

    Mikolajczyk and Schmid (2005): right matches over correspondences that exist. Counted by keypoints
    of photo 0: those that have a true partner and were matched to within ``max_error``. The partner need
    not be the very one that ``possible`` names, for a detector may put two keypoints on one place (SIFT
    does so where it sees two orientations), and either is right. Right matches of keypoints without a
    partner of their own do not count, so that recall is never above 1.

    Parameters
    ----------
    pairs : array_like, (M, 2) of integers
        The matches, as indices into the keypoints.
    errors : array_like, (M,)
        Of these matches, as from :func:`matching_errors`.
    possible : array_like, (P, 2) of integers
        As from :func:`possible_matches`.
    max_error : float
        Pixels; take the same for ``possible``.

    Returns
    -------
    float
        0 to 1; 0 where nothing is possible.

    Raises
    ------
    DataError
        If an array is of the wrong shape, or ``pairs`` and ``errors`` are not of one length.
    OptionError
        If ``max_error`` is not above 0.

    Examples
    --------
    >>> recall([[0, 0], [1, 5]], [0.4, 80.0], possible=[[0, 0], [1, 1], [2, 2], [3, 3]])
    0.25
    """
    limit = above_zero("max_error", max_error)
    given, sizes = index_pairs("pairs", pairs), errors_of("errors", errors)
    if len(given) != len(sizes):
        raise DataError(f"{len(given)} pairs need as many errors, not {len(sizes)}")
    wanted = np.unique(index_pairs("possible", possible)[:, 0])
    found = np.intersect1d(given[sizes <= limit, 0], wanted)
    return len(found) / max(len(wanted), 1)
