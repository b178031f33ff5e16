"""What happens to a photo's pixels where they stay in place: blur, light, shadows, noise, JPEG."""

from __future__ import annotations

import io
import math
from typing import Literal

import numpy as np
import PIL.Image
import PIL.ImageFilter

from tiepoint.evaluation.tune.views import Pixels

Shadow = Literal["smooth", "one-sided"]

_COARSE = 5  # bumps of a smooth shadow along a side
_PENUMBRA = 0.03  # width of a one-sided shadow's edge, over the diagonal


def blurred(pixels: Pixels, sigma: float) -> Pixels:
    """Blur by a Gaussian of ``sigma`` pixels (three box filters in its place, which are symmetric)."""
    return np.asarray(PIL.Image.fromarray(pixels).filter(PIL.ImageFilter.GaussianBlur(sigma)))


def relit(pixels: Pixels, *, gain: float = 1.0, gamma: float = 1.0, contrast: float = 1.0) -> Pixels:
    """Change the light: gamma, then gain, then contrast about middle gray; what leaves 0 to 255 is lost."""
    level = np.linspace(0, 1, 256)
    level = (level**gamma * gain - 0.5) * contrast + 0.5
    table = np.rint(np.clip(level, 0, 1) * 255).astype(np.uint8)
    return np.asarray(table[pixels])


def shaded(pixels: Pixels, depth: float, kind: Shadow, rng: np.random.Generator) -> Pixels:
    """Darken parts of a photo by up to ``depth``, 0 to 1: softly here and there, or all on one side."""
    height, width = pixels.shape[:2]
    if kind == "smooth":
        coarse = PIL.Image.fromarray(rng.random((_COARSE, _COARSE), np.float32))
        dark = np.asarray(coarse.resize((width, height), PIL.Image.Resampling.BICUBIC))
    else:
        angle = rng.uniform(0, 2 * math.pi)
        place = rng.uniform(0.35, 0.65, 2) * (width, height)
        x, y = np.arange(width, dtype=np.float32) - place[0], np.arange(height, dtype=np.float32) - place[1]
        distance = x * math.cos(angle) + (y * math.sin(angle))[:, None]
        dark = distance / (_PENUMBRA * math.hypot(width, height)) + 0.5
    dark = np.clip(dark, 0, 1)
    factor = 1 - np.float32(depth) * dark * dark * (3 - 2 * dark)
    return _bytes(pixels * (factor if pixels.ndim == 2 else factor[:, :, None]))


def noisy(pixels: Pixels, sigma: float, rng: np.random.Generator) -> Pixels:
    """Add noise of ``sigma`` gray levels at middle gray: half read from the chip, half from the light."""
    level = np.linspace(0, 2, 256, dtype=np.float32)
    strength = np.float32(sigma) * np.sqrt((1 + level) / 2)
    return _bytes(pixels + strength[pixels] * rng.standard_normal(pixels.shape, np.float32))


def compressed(pixels: Pixels, quality: int) -> Pixels:
    """Write as JPEG of this quality, 1 to 95, and read again."""
    stream = io.BytesIO()
    PIL.Image.fromarray(pixels).save(stream, format="JPEG", quality=quality)
    with PIL.Image.open(stream) as picture:
        return np.asarray(picture)


def _bytes(values: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Pixels:
    return np.rint(np.clip(values, 0, 255)).astype(np.uint8)
