"""Whether a detector finds the same points again, and how well it places them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tiepoint.evaluation.metrics.homography import inverse, on_photo, oriented, warp
from tiepoint.evaluation.metrics.inputs import Float, above_zero, points
from tiepoint.evaluation.metrics.nearest import nearest_within
from tiepoint.types._arrays import checked_count, checked_size


def repeatability(
    xy0: ArrayLike,
    xy1: ArrayLike,
    H_1_from_0: ArrayLike,
    image_size0: tuple[int, int],
    image_size1: tuple[int, int],
    *,
    top: int | None = None,
    max_error: float = 3.0,
) -> float:
    """Return the share of keypoints that were found again in the other photo.

    SuperPoint's definition (DeTone, Malisiewicz, Rabinovich 2018, appendix). Only keypoints in the
    region that both photos show count, and of these the first ``top``. One is repeated if the nearest
    keypoint of the other photo is at most ``max_error`` away; the repeated ones of both photos are
    divided by all of both. Distances are taken in photo 1, for both directions.

    The published code asks a point to warp to ``0 <= x < width`` of whole pixels; here the photo
    reaches to the outer edge of its pixels, and a point has to lie on its own photo too. Several
    keypoints may share one partner, so that a detector gains by crowding (Rey-Otero et al. 2014).

    Parameters
    ----------
    xy0, xy1 : array_like, (N, 2), (M, 2)
        Keypoints, pixels, (0, 0) at the centre of the top-left pixel; strongest first if ``top`` is given.
    H_1_from_0 : array_like, (3, 3)
        The true homography, which takes (x, y, 1) of photo 0 to photo 1.
    image_size0, image_size1 : (int, int)
        Width and height.
    top : int | None
        How many keypoints of the shared region count in each photo; the paper takes 300. None: all.
    max_error : float
        Pixels of photo 1; 3 as in the paper.

    Returns
    -------
    float
        0 to 1; 0 where no keypoint lies in the shared region.

    Raises
    ------
    DataError
        If an array is of the wrong shape or not finite, or the homography is not invertible.
    OptionError
        If an option is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> shift = [[1, 0, 10], [0, 1, 0], [0, 0, 1]]
    >>> xy0 = np.array([[20.0, 20.0], [50.0, 20.0], [99.0, 20.0]])  # the last leaves the photo
    >>> xy1 = np.array([[30.0, 22.0], [60.0, 29.0]])  # the first is 2 px off, the second 9 px
    >>> repeatability(xy0, xy1, shift, (100, 80), (100, 80))
    0.5
    """
    gaps = _gaps(xy0, xy1, H_1_from_0, image_size0, image_size1, top, max_error)
    return float(np.isfinite(gaps).mean()) if len(gaps) else 0.0


def localisation_error(
    xy0: ArrayLike,
    xy1: ArrayLike,
    H_1_from_0: ArrayLike,
    image_size0: tuple[int, int],
    image_size1: tuple[int, int],
    *,
    top: int | None = None,
    max_error: float = 3.0,
) -> float | None:
    """Return how far, on average, a repeated keypoint is from its nearest in the other photo.

    SuperPoint's definition (DeTone et al. 2018, appendix): the mean over the repeated keypoints of
    both photos, as :func:`repeatability` finds them, of the distance in photo 1. By definition it
    is at most ``max_error``; points thrown at random come to two thirds of it.

    Parameters
    ----------
    xy0, xy1, H_1_from_0, image_size0, image_size1, top, max_error
        As in :func:`repeatability`.

    Returns
    -------
    float | None
        Pixels of photo 1; None where no keypoint is repeated, for there is nothing to measure.

    Raises
    ------
    DataError, OptionError
        As :func:`repeatability`.

    Examples
    --------
    >>> import numpy as np
    >>> xy0 = np.array([[20.0, 20.0], [50.0, 20.0]])
    >>> xy1 = xy0 + [[0.0, 2.0], [0.0, 9.0]]  # the second is too far off to be a repeated one
    >>> localisation_error(xy0, xy1, np.eye(3), (100, 80), (100, 80))
    2.0
    """
    gaps = _gaps(xy0, xy1, H_1_from_0, image_size0, image_size1, top, max_error)
    repeated = gaps[np.isfinite(gaps)]
    return float(repeated.mean()) if len(repeated) else None


def _gaps(
    xy0: ArrayLike,
    xy1: ArrayLike,
    H_1_from_0: ArrayLike,
    image_size0: tuple[int, int],
    image_size1: tuple[int, int],
    top: int | None,
    max_error: float,
) -> Float:
    """Return how far each shared keypoint of both photos is from its nearest; infinite if not repeated."""
    size0, size1 = checked_size("image_size0", image_size0), checked_size("image_size1", image_size1)
    radius = above_zero("max_error", max_error)
    count = None if top is None else checked_count("top", top)
    h = oriented("H_1_from_0", H_1_from_0)
    points0, points1 = points("xy0", xy0), points("xy1", xy1)
    warped = warp(h, points0)
    back = warp(inverse(h), points1)
    warped = warped[on_photo(points0, size0) & on_photo(warped, size1)][:count]
    points1 = points1[on_photo(points1, size1) & on_photo(back, size0)][:count]
    from0 = nearest_within(warped, points1, radius)[1]
    from1 = nearest_within(points1, warped, radius)[1]
    return np.concatenate([from0, from1])
