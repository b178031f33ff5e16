"""An even spread of keypoints over the photo."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_MOST_CELLS = 1 << 24  # a byte each; on larger photos the narrowest squares are a little wider


def spread_evenly(
    xy: NDArray[np.float32],
    score: NDArray[np.float32],
    n: int,
    image_size: tuple[int, int],
    *,
    tolerance: float = 0.1,
) -> NDArray[np.intp]:
    """Choose ``n`` keypoints that are strong and far from each other.

    Adaptive non-maximal suppression by square covering: of all suppression widths, the one is
    searched by bisection for which, taking the strongest first and suppressing a square around each
    taken one, about ``n`` are left.

    Parameters
    ----------
    xy : ndarray, (N, 2) float32
        Positions in pixels.
    score : ndarray, (N,) float32
        Larger is stronger.
    n : int
        How many to choose.
    image_size : (int, int)
        Width and height of the photo in pixels.
    tolerance : float
        The search ends when at least ``n`` and at most ``(1 + tolerance) n`` are left; the weakest
        of them are then dropped.

    Returns
    -------
    ndarray, (min(n, N),) intp
        Indices, strongest first.

    References
    ----------
    Bailo et al., "Efficient adaptive non-maximal suppression algorithms for homogeneous spatial
    keypoint distribution", Pattern Recognition Letters 2018; the idea: Brown, Szeliski, Winder,
    "Multi-image matching using multi-scale oriented patches", CVPR 2005.

    Examples
    --------
    >>> import numpy as np
    >>> xy = np.array([[10, 10], [11, 10], [90, 90]], np.float32)
    >>> spread_evenly(xy, np.array([3, 2, 1], np.float32), 2, (100, 100)).tolist()
    [0, 2]
    """
    order = np.argsort(-score, kind="stable")
    if len(order) <= n:
        return order
    width, height = image_size
    ordered = xy[order]
    # Between these widths (in pixels) lies the answer: at `high` one square covers the photo, at
    # `low` even squares packed without a gap could not hold fewer than n points.
    low, high = 0.0, float(max(width, height))
    best = np.empty(0, np.intp)
    while high - low > 1:
        middle = (low + high) / 2
        kept = _covered(ordered, middle, width, height)
        if len(kept) >= n:
            low, best = middle, kept
            if len(kept) <= (1 + tolerance) * n:
                break
        else:
            high = middle
            best = kept if len(best) < len(kept) else best
    # Where too many share a place, no width leaves n: the strongest of the others make up the number.
    others = np.setdiff1d(np.arange(len(order)), best)
    chosen = np.sort(np.concatenate([best[:n], others[: max(0, n - len(best))]]))
    return np.asarray(order[chosen], np.intp)


def _covered(xy: NDArray[np.float32], width: float, photo_w: int, photo_h: int) -> NDArray[np.intp]:
    """Take points in order; each suppresses those within ``width`` pixels in x and y, by cells."""
    cell = max(width / 2, 0.5, (photo_w * photo_h / _MOST_CELLS) ** 0.5)
    columns = np.floor((xy[:, 0] + 1) / cell).astype(np.intp) + 2
    rows = np.floor((xy[:, 1] + 1) / cell).astype(np.intp) + 2
    free = np.ones((int((photo_h + 1) / cell) + 5, int((photo_w + 1) / cell) + 5), bool)
    kept = []
    for i, (row, column) in enumerate(zip(rows.tolist(), columns.tolist(), strict=True)):
        if free[row, column]:
            kept.append(i)
            free[row - 2 : row + 3, column - 2 : column + 3] = False
    return np.array(kept, np.intp)
