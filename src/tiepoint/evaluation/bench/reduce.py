"""Photos brought to the size at which they are compared, and their truth with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.evaluation.datasets import HomographyTruth, PoseTruth, Truth
from tiepoint.types import Image


def reduced(
    image: Image, short_side: int | None, *, exact: bool = False
) -> tuple[Image, NDArray[np.float64]]:
    """Turn a photo gray, and reduce it to a shorter side of so many pixels, each the mean of what it covers.

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
    means = _area_means(_area_means(gray, size[1]).T, size[0]).T
    scale_x, scale_y = size[0] / width, size[1] / height
    matrix = np.diag([scale_x, scale_y, 1.0])
    if exact:
        matrix[:2, 2] = (scale_x - 1) / 2, (scale_y - 1) / 2
    return replace(image, pixels=np.rint(means).astype(np.uint8)), matrix


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


def _area_means(values: NDArray[Any], n: int) -> NDArray[np.float64]:
    """Divide the rows into n parts of equal height and return their means: differences of a running sum."""
    edges = np.arange(n + 1) * (len(values) / n)
    whole = np.minimum(edges.astype(np.intp), len(values) - 1)
    sums = np.zeros((len(values) + 1, *values.shape[1:]))
    np.cumsum(values, axis=0, out=sums[1:])
    at_edges = sums[whole] + (edges - whole)[:, None] * values[whole]
    return np.asarray(np.diff(at_edges, axis=0) * (n / len(values)))
