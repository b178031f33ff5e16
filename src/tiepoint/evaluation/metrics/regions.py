"""Whether a detector finds the same regions again: their place and their size."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tiepoint.errors import DataError
from tiepoint.evaluation.metrics.homography import inverse, local_affine, on_photo, oriented, warp
from tiepoint.evaluation.metrics.inputs import Float, Index, above_zero, one_each, points
from tiepoint.evaluation.metrics.nearest import pairs_within
from tiepoint.types._arrays import checked_size

# Mikolajczyk et al. bring each region of photo 0 to this radius, in pixels.
_RADIUS = 30.0
# Their code compares no regions whose centres are further apart than this many radii.
_REACH = 4.0
_LINES = 128
_TOGETHER = 1024  # overlaps computed at once: 1 MB for each intermediate


class _Regions(NamedTuple):
    """Circles of one photo, and the ellipses that they are in the other one."""

    xy: Float
    radius: Float
    warped: Float
    """Centres in the other photo, (N, 2)."""
    shape: Float
    """(N, 2, 2): takes the unit circle to the ellipse around its centre."""


def region_repeatability(
    xy0: ArrayLike,
    size0: ArrayLike,
    xy1: ArrayLike,
    size1: ArrayLike,
    H_1_from_0: ArrayLike,
    image_size0: tuple[int, int],
    image_size1: tuple[int, int],
    *,
    max_overlap_error: float = 0.4,
) -> float:
    """Return the share of regions that were found again in the other photo, at the right size too.

    The definition of Mikolajczyk et al., "A comparison of affine region detectors" (IJCV 2005), as
    their published code has it, for regions that are circles of the keypoints' size:

    - regions that do not lie wholly on both photos are left out;
    - a region of photo 1 is mapped to photo 0 by the derivative of the homography at its centre, which
      makes it an ellipse;
    - both are enlarged about their own centres so that the region of photo 0 gets a radius of 30 px,
      for large regions would overlap more easily; the centres stay where they are, so that the
      tolerance in position is one of pixels (11.86 px for equal circles), the same for all sizes;
      centres more than 4 (original) radii apart are not compared;
    - the overlap error is 1 - intersection / union; pairs below ``max_overlap_error`` are taken from the
      best on, each region once; ties (to 1e-9) go to the lowest index;
    - their number is divided by the smaller of the two numbers of regions.

    Differences: the areas are integrated over 128 lines (overlaps above 0.4 are right to 1e-4) where
    the original counts the points of a 50 x 50 grid; the photo reaches to the outer edge of its pixels.

    Parameters
    ----------
    xy0, xy1 : array_like, (N, 2), (M, 2)
        Keypoints, pixels, (0, 0) at the centre of the top-left pixel.
    size0, size1 : array_like, (N,), (M,)
        Diameters of the regions in pixels, as in Features; above 0.
    H_1_from_0 : array_like, (3, 3)
        The true homography, which takes (x, y, 1) of photo 0 to photo 1.
    image_size0, image_size1 : (int, int)
        Width and height.
    max_overlap_error : float
        Between 0 and 1; 0.4 as in most figures of the paper.

    Returns
    -------
    float
        0 to 1; 0 where no region lies on both photos.

    Raises
    ------
    DataError
        If an array is of the wrong shape or not finite, a size is not above 0, or the homography is not
        invertible.
    OptionError
        If ``max_overlap_error`` is not between 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> xy = np.array([[30.0, 30.0], [70.0, 30.0]])
    >>> same_place_other_size = region_repeatability(
    ...     xy, [10, 10], xy, [11, 20], np.eye(3), (100, 60), (100, 60))
    >>> same_place_other_size
    0.5
    """
    photo0, photo1 = checked_size("image_size0", image_size0), checked_size("image_size1", image_size1)
    limit = above_zero("max_overlap_error", max_overlap_error, below=1.0)
    h = oriented("H_1_from_0", H_1_from_0)
    regions0 = _shared("0", xy0, size0, h, photo0, photo1)
    regions1 = _shared("1", xy1, size1, inverse(h), photo1, photo0)
    fewer = min(len(regions0.xy), len(regions1.xy))
    return _count(regions0, regions1, limit) / fewer if fewer else 0.0


def _shared(
    photo: str, xy: ArrayLike, size: ArrayLike, h: Float, own: tuple[int, int], other: tuple[int, int]
) -> _Regions:
    """Return the regions that lie wholly on both photos."""
    centres = points(f"xy{photo}", xy)
    radius = one_each(f"size{photo}", size, len(centres), "keypoints") / 2
    if (radius <= 0).any():
        raise DataError(f"size{photo} must be above 0, but one is {2 * radius.min():g}")
    warped = warp(h, centres)
    kept = np.isfinite(warped).all(axis=1) & on_photo(centres, own, radius[:, None])
    centres, radius, warped = centres[kept], radius[kept], warped[kept]
    shape = local_affine(h, centres) * radius[:, None, None]
    reach = np.linalg.norm(shape, axis=2)  # half of the ellipse's bounding box
    kept = on_photo(warped, other, reach)
    return _Regions(centres[kept], radius[kept], warped[kept], shape[kept])


def _count(regions0: _Regions, regions1: _Regions, limit: float) -> int:
    """Return how many regions correspond, one to one, the best overlaps first."""
    reach = _REACH * regions0.radius
    if limit <= 0.5:
        # The half of an ellipse that lies beyond its centre meets no more of the circle than the cap cut
        # off there, which bounds the overlap: centres further apart than this cannot pass.
        reach = np.minimum(reach, _RADIUS * limit / (1 - limit))
    area1 = np.abs(np.linalg.det(regions1.shape))
    found: list[tuple[Index, Index, Float]] = []
    for rows, columns, _ in pairs_within(regions0.xy, regions1.warped, reach):
        # The overlap is at most the ratio of the areas.
        ratio = area1[columns] / regions0.radius[rows] ** 2
        similar = np.minimum(ratio, 1 / ratio) > 1 - limit
        i, j = rows[similar], columns[similar]
        offset = (regions1.warped[j] - regions0.xy[i]) / _RADIUS
        error = 1 - overlap_with_circle(offset, regions1.shape[j] / regions0.radius[i, None, None])
        good = error < limit
        found.append((i[good], j[good], error[good]))
    i, j, error = (np.concatenate(parts) for parts in zip(*found, strict=True))
    taken0, taken1 = np.zeros(len(regions0.xy), bool), np.zeros(len(regions1.xy), bool)
    number = 0
    # Where one region holds another, the overlap is that of their areas wherever in it the other lies: such
    # ties must not be left to rounding.
    for k in np.lexsort((j, i, np.round(error, 9))):
        if not (taken0[i[k]] or taken1[j[k]]):
            taken0[i[k]] = taken1[j[k]] = True
            number += 1
    return number


def overlap_with_circle(offset: Float, shape: Float) -> Float:
    """Return intersection over union of ellipses with the unit circle around the origin.

    The intersection is summed up over 128 lines through the ellipse's centre: each has a piece in the
    circle and a piece in the ellipse, and what counts is the piece in both. For overlaps from 0.4 up,
    which are the ones to be told apart, the error is below 1e-4.

    Parameters
    ----------
    offset : ndarray, (N, 2) float64
        Centres of the ellipses.
    shape : ndarray, (N, 2, 2) float64
        Takes the unit circle to the ellipse around its centre.

    Returns
    -------
    ndarray, (N,) float64
        0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> half_as_wide = np.diag([0.5, 1.0])
    >>> overlap_with_circle(np.zeros((1, 2)), half_as_wide[None]).round(4)
    array([0.5])
    """
    angle = np.pi * np.arange(_LINES) / _LINES
    along = np.stack([np.cos(angle), np.sin(angle)])
    overlap = np.empty(len(offset))
    for start in range(0, len(offset), _TOGETHER):
        part = slice(start, start + _TOGETHER)
        middle = -(offset[part] @ along)  # of the piece in the circle, as seen from the ellipse's centre
        apart = np.sum(offset[part] ** 2, axis=1)[:, None]
        half = np.sqrt(np.maximum(1 - apart + middle**2, 0))  # 0 where the line misses the circle
        x, y = np.moveaxis(np.linalg.inv(shape[part]) @ along, 1, 0)
        rim = 1 / np.sqrt(x**2 + y**2)
        high, low = np.minimum(middle + half, rim), np.maximum(middle - half, -rim)
        # A piece from 0 to t of a line that turns sweeps t^2 / 2; below 0 it sweeps the other way round.
        swept = np.maximum(high * np.abs(high) - low * np.abs(low), 0)
        both = swept.mean(axis=1) / 2  # in units of the circle's area
        either = 1 + np.abs(np.linalg.det(shape[part])) - both
        overlap[part] = both / either
    return overlap
