"""The photo as XFeat takes it: the mean of its channels, at a size that its maps divide."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tiepoint.extractors.xfeat.graph import DIVISOR

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

_STRIP_VALUES = 1 << 18


def divisible(width: float, height: float) -> tuple[int, int]:
    """Return the largest size that the network takes and that is not larger; at least 32 x 32."""
    return (
        max(DIVISOR, int(width) // DIVISOR * DIVISOR),
        max(DIVISOR, int(height) // DIVISOR * DIVISOR),
    )


def brightness(pixels: Bytes) -> Floats:
    """Return the mean of the channels, (H, W) float32 from 0 to 1."""
    values = np.empty((pixels.shape[0], pixels.shape[1]), np.float32)
    for rows in _strips(len(values), values.shape[1]):
        values[rows] = _summed(pixels[rows])
    values /= np.float32(255 * (1 if pixels.ndim == 2 else pixels.shape[2]))
    return values


def interpolated(values: Floats, size: tuple[int, int], step: tuple[float, float] | None = None) -> Floats:
    """Interpolate between the four nearest pixels, without smoothing.

    Parameters
    ----------
    values : ndarray, (H, W) float32
    size : (int, int)
        Width and height of the result.
    step : (float, float) | None
        How far the results are apart in x and y, in pixels of ``values``; None: that which fills ``size``.
    """
    height, width = values.shape
    x_step, y_step = step or (width / size[0], height / size[1])
    left, right, x_part = _between(size[0], width, x_step)
    above, below, y_part = _between(size[1], height, y_step)
    result = np.empty((size[1], size[0]), np.float32)
    for rows in _strips(size[1], width):
        lines = values[above[rows]]
        lines += (values[below[rows]] - lines) * y_part[rows, None]
        result[rows] = lines[:, left] + (lines[:, right] - lines[:, left]) * x_part
    return result


def _summed(pixels: Bytes) -> NDArray[np.uint16]:
    """Return the sum of the channels; NumPy's own takes ten times as long."""
    if pixels.ndim == 2:
        return pixels.astype(np.uint16)
    total = pixels[..., 0].astype(np.uint16)
    for channel in range(1, pixels.shape[2]):
        total += pixels[..., channel]
    return total


def _between(n: int, n_old: int, step: float) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """Return the two pixels that each result lies between, and how far it is on the way to the second."""
    place = np.maximum((np.arange(n) + 0.5) * step - 0.5, 0)
    first = np.minimum(place.astype(np.intp), n_old - 1)
    return first, np.minimum(first + 1, n_old - 1), (place - first).astype(np.float32)


def _strips(n: int, values_a_row: int) -> Iterator[slice]:
    step = max(1, _STRIP_VALUES // values_a_row)
    for top in range(0, n, step):
        yield slice(top, min(top + step, n))
