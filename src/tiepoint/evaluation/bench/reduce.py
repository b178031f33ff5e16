"""Photos brought to the size at which they are compared, and their truth with them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tiepoint.evaluation.datasets import HomographyTruth, PoseTruth, Truth
from tiepoint.types import Image


def reduced(
    image: Image, short_side: int | None, *, exact: bool = False
) -> tuple[Image, NDArray[np.float64]]:
    """Turn a photo gray, and reduce it to a shorter side of so many pixels, each the mean of what it covers.

    To the bit as ``cv2.resize`` with INTER_AREA does it on x86.

    Parameters
    ----------
    image : Image
    short_side : int | None
        A photo that is smaller, or None, keeps its size.
    exact : bool
        A pixel goes where it went: what stays in place is the outer corner of the first one. Else (0, 0)
        goes to (0, 0), as in published evaluations (glue-factory for one), which is up to half a pixel off.

    Returns
    -------
    image : Image
    reduced_from_photo : ndarray, (3, 3) float64
        Takes a pixel of the photo to its place in the reduced one.

    Examples
    --------
    >>> import numpy as np
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation.bench import reduced
    >>> photo = tp.Image(pixels=np.zeros((600, 800), np.uint8))
    >>> small, matrix = reduced(photo, 300, exact=True)
    >>> small.size, (matrix @ [0.5, 0.5, 1]).tolist()
    ((400, 300), [0.0, 0.0, 1.0])
    """
    gray = _gray(image.pixels8)
    width, height = image.size
    if short_side is None or min(width, height) <= short_side:
        return replace(image, pixels=gray), np.eye(3)
    scale = short_side / min(width, height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    scale_x, scale_y = size[0] / width, size[1] / height
    matrix = np.diag([scale_x, scale_y, 1.0])
    if exact:
        matrix[:2, 2] = (scale_x - 1) / 2, (scale_y - 1) / 2
    return replace(image, pixels=resized_by_area(gray, size)), matrix


def _gray(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return gray as evaluations have it, which read PNG through OpenCV: cut off, where image.gray rounds."""
    if pixels.ndim == 2:
        return pixels
    red, green, blue = np.moveaxis(pixels.astype(np.uint32), 2, 0)
    return np.asarray((9797 * red + 19234 * green + 3737 * blue) >> 15, np.uint8)


def truth_reduced(truth: Truth, reduced0: NDArray[np.float64], reduced1: NDArray[np.float64]) -> Truth:
    """Carry a truth over to reduced photos.

    Parameters
    ----------
    truth : HomographyTruth | PoseTruth | LabelTruth
        In pixels of the photos.
    reduced0, reduced1 : ndarray, (3, 3)
        What `reduced` returned for each.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.evaluation.bench import truth_reduced
    >>> from tiepoint.evaluation.datasets import HomographyTruth
    >>> half = np.diag([0.5, 0.5, 1.0])
    >>> moved = HomographyTruth(H_1_from_0=np.array([[1.0, 0, 8], [0, 1, 0], [0, 0, 1]]))
    >>> truth_reduced(moved, half, half).H_1_from_0[0].tolist()
    [1.0, 0.0, 4.0]
    """
    if isinstance(truth, HomographyTruth):
        return HomographyTruth(H_1_from_0=reduced1 @ truth.H_1_from_0 @ np.linalg.inv(reduced0))
    if isinstance(truth, PoseTruth):
        return replace(truth, K0=reduced0 @ truth.K0, K1=reduced1 @ truth.K1)
    return truth


# As OpenCV's modules/imgproc/src/resize.cpp has it, step by step, because published evaluations use that. A
# mean that ends in one half is rounded up or down by the order of the sums and their precision, and one gray
# level decides whether a weak keypoint is found: other means would be as good, but not give their figures.


def resized_by_area(gray: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the mean of what each pixel covers, rounded; ``size`` is width and height."""
    height, width = gray.shape
    scales = _scale(width, size[0]), _scale(height, size[1])
    if all(abs(scale - round(scale)) < np.finfo(np.float64).eps for scale in scales):
        return _block_means(gray, size)
    pixels, weights = _shares(width, size[0])
    rows = np.zeros((height, size[0]), np.float32)
    for k in range(len(pixels)):
        rows += gray[:, pixels[k]] * weights[k]
    pixels, weights = _shares(height, size[1])
    means = np.zeros((size[1], size[0]), np.float32)
    for k in range(len(pixels)):
        means += rows[pixels[k]] * weights[k, :, None]
    return np.rint(means).astype(np.uint8)


def _block_means(gray: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the means of blocks of whole pixels; halves are rounded up in blocks of 2 x 2, else to even."""
    height, width = gray.shape
    across, down = width // size[0], height // size[1]
    sums = gray.reshape(size[1], down, size[0], across).sum(axis=(1, 3), dtype=np.int64)
    if (across, down) == (2, 2):
        return np.asarray((sums + 2) >> 2, np.uint8)
    share = np.float32(1) / np.float32(across * down)
    return np.asarray(np.rint(sums.astype(np.float32) * share), np.uint8)


def _scale(before: int, after: int) -> float:
    return 1 / (after / before)  # not before / after, which may differ in the last bit


def _shares(before: int, after: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return which pixels of a line each reduced one covers, and the share of it that is theirs.

    Returns
    -------
    pixels : ndarray, (K, after) intp
        From left to right, K the most that one covers; what lies outside of it has a share of zero.
    weights : ndarray, (K, after) float32
    """
    scale = _scale(before, after)
    start = np.arange(after) * scale
    end = start + scale
    covered = np.minimum(scale, before - start)
    last = np.minimum(np.floor(end), before - 1)  # the one that is cut at its right
    first = np.minimum(np.ceil(start), last)  # the first that is whole; the one before it is cut
    pixels = first - 1 + np.arange(math.ceil(scale) + 2)[:, None]
    inside = np.where(pixels < first, first - start, np.where(pixels < last, 1.0, end - last))
    inside[(inside <= 1e-3) | (pixels > last)] = 0
    weights = np.minimum(inside, np.minimum(1.0, covered)) / covered
    return np.clip(pixels, 0, before - 1).astype(np.intp), weights.astype(np.float32)
