"""Matches of something printed onto both photos: a logo, a time stamp, a frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiepoint.geometry.spread import coverage
from tiepoint.types import Matches

_MOST_MOVED = 1.5  # pixels
_BORDER = 0.2  # of the width and of the height
_MOST_COVERED = 0.12
_MOST_INSIDE = 0.1
_FEWEST = 4


def watermark(matches: Matches) -> NDArray[np.bool_] | None:
    """Return which matches are of a watermark, (M,) bool; None if there is none.

    Such matches stand at the same place, counted from one of the corners, in both photos, and near the
    border. Two photos that stand still altogether have matches in the middle too: that is no watermark.

    References
    ----------
    The idea: Schönberger, Frahm, "Structure-from-motion revisited", CVPR 2016.

    Examples
    --------
    >>> import numpy as np
    >>> import tiepoint as tp
    >>> from tiepoint.geometry.watermark import watermark
    >>> stamp = np.array([[500, 460], [520, 460], [540, 462], [560, 470], [580, 462]], np.float32)
    >>> matches = tp.Matches(xy0=stamp, xy1=stamp + np.float32([160, 120]), source="hand",
    ...                      image_size0=(640, 480), image_size1=(800, 600))
    >>> watermark(matches)
    array([ True,  True,  True,  True,  True])
    """
    size0, size1 = np.array(matches.image_size0), np.array(matches.image_size1)
    moved = matches.xy1 - matches.xy0
    found = None
    for corner in ((0, 0), (1, 0), (0, 1), (1, 1)):
        still = np.abs(moved - (size1 - size0) * corner).max(axis=1, initial=0) <= _MOST_MOVED
        if _is_printed(matches.xy0[still], matches.image_size0):
            found = still if found is None else found | still
    return found


def _is_printed(xy: NDArray[np.float32], size: tuple[int, int]) -> bool:
    if len(np.unique(np.rint(xy), axis=0)) < _FEWEST:
        return False
    inside = ((xy > np.array(size) * _BORDER) & (xy < np.array(size) * (1 - _BORDER))).all(axis=1)
    return float(inside.mean()) <= _MOST_INSIDE and coverage(xy, size) <= _MOST_COVERED
