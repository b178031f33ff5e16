"""What a page says about itself: what moves it, and what its lines mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiepoint.types import Geometry

_MOVE = "Wheel or two fingers: zoom. Drag: move. "
_PAIR_KEYS = (
    "On the photos, with the keyboard: + and - zoom, 0 shows the whole photos, arrows move, N and P go from "
    "match to match, F flickers, A and B choose the photo that keys move, Escape unselects."
)
PHOTO_HELP = (
    f"{_MOVE}Click on a keypoint to see its patch. On the photo, with the keyboard: + and - zoom, 0 shows "
    "the whole photo, arrows move, N and P go from keypoint to keypoint, Escape unselects."
)
# By so many degrees things are turned before it is hard to see that they are the same.
_TURNED = 30


def pair_help(geometry: Geometry | None) -> str:
    """Return the help of a pair's page: what its geometry draws, and how far one photo is turned."""
    parts = [f"{_MOVE}Click on a match: both sides go to it, and both patches are shown. "]
    if geometry is not None and geometry.matrix is not None:
        if geometry.planar:
            parts.append(
                "The white cross in the other photo is where the geometry sees the point, the yellow frame "
                "is the border of the other photo. "
            )
        else:
            parts.append(
                "The yellow line in the other photo is where the geometry says that the point lies, the "
                "white ring is where the matches around it have gone: a guess. "
            )
        agree = geometry.matches[geometry.inliers]
        turn = rotation(agree.xy0, agree.xy1, mirrored=geometry.mirrored)
        if abs(turn) > _TURNED:
            parts.append(
                f"Photo B is turned by about {turn:.0f}\N{DEGREE SIGN} against photo A, and photos are never "
                "turned on the screen: compare the patches"
                f"{', or press F' if geometry.planar else ''}. "
            )
    return "".join([*parts, _PAIR_KEYS])


def rotation(xy0: NDArray[np.float32], xy1: NDArray[np.float32], *, mirrored: bool = False) -> float:
    """Return by how many degrees points are turned, clockwise as seen, if all are moved by one similarity.

    Parameters
    ----------
    xy0, xy1 : ndarray, (N, 2)
        In both photos; 0 is the answer where there are none.
    mirrored : bool
        Whether photo 0 is seen in a mirror first.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.plotting.pages.view.help import rotation
    >>> xy0 = np.array([[10, 10], [50, 10], [10, 40]], np.float32)
    >>> round(rotation(xy0, np.stack([60 - xy0[:, 1], xy0[:, 0]], axis=1)))
    90
    """
    if not len(xy0):
        return 0.0
    here, there = (xy.astype(np.float64) @ (1, 1j) for xy in (xy0, xy1))
    if mirrored:
        here = -here.conj()
    return float(np.degrees(np.angle(((here - here.mean()).conj() * (there - there.mean())).sum())))
