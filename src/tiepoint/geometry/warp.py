"""One photo as if it had been taken from where the other was: resampled onto the other's frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from tiepoint.errors import DataError
from tiepoint.types import Image
from tiepoint.types._arrays import checked, checked_size

# What is worked on at a time fits the cache, and memory stays bounded for the largest photos.
_STRIP_PIXELS = 1 << 18
_GRID = 33


def warp(
    image1: Image | NDArray[Any], H_1_from_0: NDArray[np.float64], size0: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Resample photo 1 onto the frame of photo 0.

    Bilinear; where photo 1 has several pixels for one of photo 0, blocks of them are averaged first, or
    fine patterns would turn into coarse ones. (Pillow's ``transform`` is no faster, cuts fractions off, and
    its bicubic sharpens.)

    Parameters
    ----------
    image1 : Image or ndarray
        Photo 1; an array is RGB (H, W, 3) or gray (H, W), uint8 or uint16.
    H_1_from_0 : ndarray, (3, 3)
        Takes a point ``[x, y, 1]`` of photo 0 to ``w * [x, y, 1]`` of photo 1. What it gives a ``w`` of 0
        or less is behind the horizon and not covered; :func:`facing` finds the sign.
    size0 : (int, int)
        Width and height of photo 0 in pixels.

    Returns
    -------
    pixels : ndarray, (H, W, 3) uint8
        RGB, as large as photo 0; black where photo 1 does not reach.
    covered : ndarray, (H, W) bool
        Where it does.

    Raises
    ------
    DataError
        If the matrix has another shape or is not finite, or the size is none.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.geometry import warp
    >>> photo = np.arange(12, dtype=np.uint8).reshape(3, 4)
    >>> one_to_the_left = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 1]])
    >>> pixels, covered = warp(photo, one_to_the_left, (4, 3))
    >>> pixels[0, :, 0].tolist(), covered[0].tolist()
    ([1, 2, 3, 0], [True, True, True, False])
    """
    photo = image1 if isinstance(image1, Image) else Image(pixels=image1)
    width, height = checked_size("size0", size0)
    H_1_from_0 = _checked_homography(H_1_from_0)
    block = _block(H_1_from_0, photo.size, (width, height))
    source = PIL.Image.fromarray(photo.pixels8).convert("RGB")
    if block > 1:
        source = source.reduce(block)

    pixels = np.zeros((height, width, 3), np.uint8)
    covered = np.empty((height, width), np.bool_)
    packed = np.asarray(source.convert("RGBX")).view(np.uint32)[..., 0]
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        part = slice(top, min(top + rows, height))
        u, v, w = _transformed(H_1_from_0, np.arange(width), np.arange(top, part.stop)[:, None])
        inside = covered[part] = _inside(u, v, w, photo.size)
        # From pixels to blocks of them: corners are where they were, centres are not.
        x, y = (((c[inside] / w[inside]) + 0.5) / block - 0.5 for c in (u, v))
        pixels[part][inside] = _sampled(packed, x, y)
    return pixels, covered


def facing(H_1_from_0: NDArray[np.float64], xy0: NDArray[Any]) -> NDArray[np.float64]:
    """Return the homography with the sign that puts points in front of the horizon.

    A homography is the same up to a factor, and so up to its sign; which side of the horizon is the one
    that the cameras saw, only points can tell.

    Parameters
    ----------
    H_1_from_0 : ndarray, (3, 3)
    xy0 : ndarray, (N, 2)
        Points of photo 0 that photo 1 shows, such as the inliers; most of them get a ``w`` above 0.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.geometry.warp import facing
    >>> facing(-np.eye(3), np.array([[3.0, 4.0]])).diagonal().tolist()
    [1.0, 1.0, 1.0]
    """
    matrix = np.asarray(H_1_from_0, np.float64)
    w = np.asarray(xy0, np.float64) @ matrix[2, :2] + matrix[2, 2]
    return -matrix if np.count_nonzero(w < 0) > np.count_nonzero(w > 0) else matrix


def _checked_homography(matrix: object) -> NDArray[np.float64]:
    try:
        array = np.array(matrix, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"H_1_from_0 must be (3, 3) numbers: {error}") from error
    checked("H_1_from_0", array, shape=(3, 3), dtype=np.float64)
    # Squares and cubes of its numbers are to be numbers, too.
    scaled: NDArray[np.float64] = array / (np.abs(array).max() or 1.0)
    return scaled


def _transformed(
    H_1_from_0: NDArray[np.float64], x: NDArray[Any], y: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    u, v, w = (row[0] * x + row[1] * y + row[2] for row in H_1_from_0)
    return u, v, w


def _inside(
    u: NDArray[np.float64], v: NDArray[np.float64], w: NDArray[np.float64], size: tuple[int, int]
) -> NDArray[np.bool_]:
    """Tell which points are before the horizon and on a photo, from corner to corner."""
    width, height = size
    on_it: NDArray[np.bool_] = (
        (w > 0) & (u >= -0.5 * w) & (u < (width - 0.5) * w) & (v >= -0.5 * w) & (v < (height - 0.5) * w)
    )
    return on_it


def _sampled(packed: NDArray[np.uint32], x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Interpolate between four pixels, of four bytes each; what is past the edge is as the edge."""
    height, width = packed.shape
    left, above = np.floor(x), np.floor(y)
    dx, dy = ((a - b).astype(np.float32)[:, None] for a, b in ((x, left), (y, above)))
    columns = [np.clip(left + k, 0, width - 1).astype(np.intp) for k in (0, 1)]
    rows = [np.clip(above + k, 0, height - 1).astype(np.intp) * width for k in (0, 1)]

    def row(k: int) -> NDArray[np.float32]:
        here, there = (
            packed.take(rows[k] + column).view(np.uint8).reshape(-1, 4)[:, :3].astype(np.float32)
            for column in columns
        )
        mixed: NDArray[np.float32] = here + dx * (there - here)
        return mixed

    upper = row(0)
    upper += dy * (row(1) - upper)
    return (upper + np.float32(0.5)).astype(np.uint8)


def _block(H_1_from_0: NDArray[np.float64], size1: tuple[int, int], size0: tuple[int, int]) -> int:
    """Return how many pixels of photo 1, in a row, typically fall on one of photo 0; at least 1."""
    x, y = np.meshgrid(*(np.linspace(0, side - 1, _GRID) for side in size0))
    u, v, w = _transformed(H_1_from_0, x, y)
    seen = _inside(u, v, w, size1)
    if not seen.any():
        return 1
    area = abs(np.linalg.det(H_1_from_0)) / w[seen] ** 3
    return max(1, int(np.sqrt(np.median(area))))
