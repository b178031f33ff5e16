"""Where the heat map has its peaks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tiepoint.extractors.xfeat.graph import CELL

Floats = NDArray[np.float32]

_RADIUS = 2  # of the square in which a peak is the highest
_STRIP_VALUES = 1 << 17  # of the heat map, which then stays in a core's cache


def peaks(cells: Floats, threshold: float) -> tuple[NDArray[np.intp], Floats]:
    """Find the pixels that are as hot as any in the 5x5 square around them.

    Parameters
    ----------
    cells : ndarray, (h, w, 65) float32
        For each cell the probabilities of its 8x8 pixels, row by row, and of no keypoint.
    threshold : float
        A peak is hotter than this; at least 0.

    Returns
    -------
    xy : ndarray, (N, 2) intp
        Column and row in pixels, row by row.
    heat : ndarray, (N,) float32
    """
    places, values = [np.empty((0, 2), np.intp)], [np.empty(0, np.float32)]
    for top, heat, margin in _strips(cells):
        hot = (heat > threshold) & (heat == _highest_around(heat))
        found = np.flatnonzero(hot[margin])  # on two axes nonzero takes three times as long
        row, column = np.divmod(found, heat.shape[1])
        places.append(np.column_stack([column, row + top]))
        values.append(heat[margin].ravel()[found])
    return np.concatenate(places), np.concatenate(values)


def heat_map(cells: Floats) -> Floats:
    """Return the heat of pixels, (8h, 8w) float32, from that of cells, (h, w, 65)."""
    height, width, _ = cells.shape
    pixels = cells[:, :, : CELL * CELL].reshape(height, width, CELL, CELL)
    return pixels.transpose(0, 2, 1, 3).reshape(height * CELL, width * CELL)


def _strips(cells: Floats) -> Iterator[tuple[int, Floats, slice]]:
    """Give strips of the heat map: their first row, their heat with some around, which rows of it are own."""
    height, width, _ = cells.shape
    step = max(1, _STRIP_VALUES // (width * CELL * CELL))
    for first in range(0, height, step):
        last = min(first + step, height)
        above = 1 if first else 0  # a row of cells, of which _RADIUS rows of pixels count
        heat = heat_map(cells[first - above : last + 1])
        yield first * CELL, heat, slice(above * CELL, (above + last - first) * CELL)


def _highest_around(heat: Floats) -> Floats:
    """Return the highest value in the square around each; outside there is nothing."""
    height, width = heat.shape
    padded = np.zeros((height + 2 * _RADIUS, width + 2 * _RADIUS), np.float32)
    padded[_RADIUS:-_RADIUS, _RADIUS:-_RADIUS] = heat
    return _highest_of_five(_highest_of_five(padded).T).T


def _highest_of_five(values: Floats) -> Floats:
    """Return the highest of five rows that follow each other."""
    two = np.maximum(values[:-1], values[1:])
    four = np.maximum(two[:-2], two[2:])
    return np.maximum(four[:-1], values[4:])
