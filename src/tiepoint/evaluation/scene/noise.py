"""Seeded noise for textures, the same on every machine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float32]


def value_noise(rng: np.random.Generator, shape: tuple[int, int], cell: tuple[float, float]) -> Map:
    """Return smooth noise from 0 to 1, (h, w) float32, whose bumps are ``cell`` (rows, columns) wide."""
    (r, fr), (c, fc) = (_lattice(n, size) for n, size in zip(shape, cell, strict=True))
    grid = rng.random((int(r[-1]) + 2, int(c[-1]) + 2), np.float32)
    rows = grid[r] + (grid[r + 1] - grid[r]) * fr[:, None]
    left = rows[:, c]
    return np.asarray(left + (rows[:, c + 1] - left) * fc, np.float32)


def fractal_noise(
    rng: np.random.Generator, shape: tuple[int, int], cell: tuple[float, float], octaves: int = 4
) -> Map:
    """Return octaves of value noise, each half as wide and strong as the last; 0 to 1, (h, w) float32."""
    total = np.zeros(shape, np.float32)
    weight = 0.5
    for octave in range(octaves):
        scale = 0.5**octave
        total += np.float32(weight) * value_noise(rng, shape, (cell[0] * scale, cell[1] * scale))
        weight *= 0.5
    return total / np.float32(1 - weight * 2)


def _lattice(n: int, cell: float) -> tuple[NDArray[np.intp], Map]:
    position = np.arange(n) / max(cell, 1.0)
    index = position.astype(np.intp)
    fraction = position - index
    return index, (fraction * fraction * (3 - 2 * fraction)).astype(np.float32)
