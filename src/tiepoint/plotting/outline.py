"""The border of one photo as it runs through the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.plotting.scene import Pen
from tiepoint.plotting.style import MATCH_LINE, OUTLINE, RIM, RIM_RATIO

Size = tuple[int, int]


def border(
    H_1_from_0: NDArray[np.float64], xy0: NDArray[Any], size0: Size, size1: Size
) -> NDArray[np.float64]:
    """Return the parts of photo 0's border that are seen in photo 1.

    Parameters
    ----------
    H_1_from_0 : ndarray, (3, 3)
    xy0 : ndarray, (N, 2)
        Points of photo 0 that photo 1 shows: they tell which side of the horizon is the one that is seen.
    size0, size1 : (int, int)
        Width and height of the photos.

    Returns
    -------
    ndarray, (K, 2, 2) float64
        Both ends of each part, in pixels of photo 1; clipped to it, and at the horizon.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.plotting.outline import border
    >>> half_as_large = np.diag([0.5, 0.5, 1])
    >>> border(half_as_large, np.zeros((1, 2)), (9, 9), (9, 3)).tolist()
    [[[-0.25, -0.25], [4.25, -0.25]], [[4.25, -0.25], [4.25, 2.5]], [[-0.25, 2.5], [-0.25, -0.25]]]
    """
    w = xy0.astype(np.float64) @ H_1_from_0[2, :2] + H_1_from_0[2, 2]
    sign = -1.0 if np.count_nonzero(w < 0) > np.count_nonzero(w > 0) else 1.0
    right, bottom = size0[0] - 0.5, size0[1] - 0.5
    corners = np.array([[-0.5, -0.5, 1], [right, -0.5, 1], [right, bottom, 1], [-0.5, bottom, 1]])
    ends = corners @ (sign * H_1_from_0).T
    # Before the horizon and inside of photo 1 no product with [u, v, w] is negative.
    inward = np.array(
        [[0, 0, 1], [1, 0, 0.5], [-1, 0, size1[0] - 0.5], [0, 1, 0.5], [0, -1, size1[1] - 0.5]], np.float64
    )
    parts = []
    for start, end in zip(ends, np.roll(ends, -1, axis=0), strict=True):
        first, last = _kept(inward @ start, inward @ end)
        if first < last:
            both = np.array([start + share * (end - start) for share in (first, last)])
            parts.append(both[:, :2] / both[:, 2:])
    return np.array(parts).reshape(-1, 2, 2)


def _kept(start: NDArray[np.float64], end: NDArray[np.float64]) -> tuple[float, float]:
    """Return from where to where, of 0 to 1, none of the values between two ends is negative."""
    first, last = 0.0, 1.0
    for a, b in zip(start.tolist(), end.tolist(), strict=True):
        if a < 0 and b < 0:
            return 1.0, 0.0
        if a < 0:
            first = max(first, a / (a - b))
        elif b < 0:
            last = min(last, a / (a - b))
    return first, last


def mark_border(pen: Pen, photo: int, parts: NDArray[np.float64]) -> None:
    """Draw parts of a border on a photo, each line on a dark rim.

    Parameters
    ----------
    pen : Pen
        Where to draw.
    photo : int
        0 or 1, whose pixels the parts are in.
    parts : ndarray, (K, 2, 2) float64
        As :func:`border` returns them.
    """
    from matplotlib.collections import LineCollection

    if not len(parts):
        return
    ends = [pen.sheet.place(photo, part.astype(np.float32)) for part in parts]
    line = pen.points(MATCH_LINE)
    for colour, width, order in ((RIM, RIM_RATIO * line, 2.3), (OUTLINE, line, 2.4)):
        lines = LineCollection(ends, colors=colour, linewidths=width, zorder=order, antialiaseds=True,
                               capstyle="projecting")  # fmt: skip
        pen.ax.add_collection(lines, autolim=False)
