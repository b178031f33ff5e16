"""Values of coarse maps at positions in the photo."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Indices = NDArray[np.intp]

_A = np.float32(-0.75)  # of the cubic convolution
_TINY = np.float32(1e-12)  # instead of a length of zero
_BLOCK = 256  # positions whose 16 descriptors stay in a core's cache


def in_cells(pixels: Indices, n_pixels: int, n_cells: int) -> Floats:
    """Return where pixels are among the cells, (N,) float32; cell 0 is at 0.

    XFeat takes the first pixel for the left edge of the first cell, and the last one for the right edge
    of the last. This is off by up to half a pixel, and the weights were trained with it.
    """
    grid = 2 * (pixels.astype(np.float32) / np.float32(n_pixels - 1)) - 1
    return np.asarray(((grid + 1) * np.float32(n_cells) - 1) / 2, np.float32)


def bilinear(values: Floats, x: Floats, y: Floats) -> Floats:
    """Interpolate a map, (h, w), at positions, (N,); outside it is zero."""
    places, weights = _around(values.shape, x, y, 0, _tent)
    return np.asarray(np.einsum("nk,nk->n", values.ravel()[places], weights), np.float32)


def bicubic_units(vectors: Floats, x: Floats, y: Floats) -> Floats:
    """Interpolate the directions of a map of vectors, (h, w, D), at positions, (N,), to length 1.

    Cubic convolution with a = -0.75 over the vectors scaled to length 1; outside they are zero.

    References
    ----------
    Keys, "Cubic convolution interpolation for digital image processing", IEEE Trans. ASSP 1981.
    """
    depth = vectors.shape[2]
    table = vectors.reshape(-1, depth)
    places, weights = _around(vectors.shape, x, y, 1, _cubic)
    weights *= (1 / np.maximum(_lengths(table), _TINY))[places]
    units = np.empty((len(x), depth), np.float32)
    for top in range(0, len(x), _BLOCK):
        part = slice(top, top + _BLOCK)
        near = np.take(table, places[part], axis=0, mode="clip")  # four times as fast as with "raise"
        np.matmul(weights[part, None], near, out=units[part, None])
    units /= np.maximum(_lengths(units), _TINY)[:, None]
    return units


def _lengths(vectors: Floats) -> Floats:
    return np.asarray(np.sqrt(np.einsum("nd,nd->n", vectors, vectors)))


def _around(
    shape: tuple[int, ...], x: Floats, y: Floats, before: int, weigh: Callable[[Floats], Floats]
) -> tuple[Indices, Floats]:
    """Return the cells around positions, numbered row by row, and their weights, (N, K) each."""
    columns, x_weights = _taps(x, shape[1], before, weigh)
    rows, y_weights = _taps(y, shape[0], before, weigh)
    places = (rows * shape[1])[:, :, None] + columns[:, None, :]
    weights = y_weights[:, :, None] * x_weights[:, None, :]
    count = places.shape[1] * places.shape[2]
    return places.reshape(-1, count), weights.reshape(-1, count)


def _taps(position: Floats, n: int, before: int, weigh: Callable[[Floats], Floats]) -> tuple[Indices, Floats]:
    """Return the cells around positions, and their weights; those outside weigh nothing."""
    first = np.floor(position)
    steps = np.arange(-before, before + 2)
    places = first.astype(np.intp)[:, None] + steps
    weights = weigh(np.abs((position - first)[:, None] - steps.astype(np.float32)))
    inside = (places >= 0) & (places < n)
    return np.clip(places, 0, n - 1), np.where(inside, weights, np.float32(0))


def _tent(distance: Floats) -> Floats:
    return 1 - distance


def _cubic(distance: Floats) -> Floats:
    near = ((_A + 2) * distance - (_A + 3)) * distance * distance + 1
    far = ((_A * distance - 5 * _A) * distance + 8 * _A) * distance - 4 * _A
    return np.where(distance <= 1, near, far)
