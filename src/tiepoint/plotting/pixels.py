"""The artist that puts pixels on a Figure as they are; imports matplotlib, so import it late."""

from __future__ import annotations

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase
from numpy.typing import NDArray


class Pixels(Artist):
    """Pixels (H, W, 4) uint8 RGBA with their top left corner at a whole pixel of the Figure.

    ``imshow`` resamples even at scale 1, and ``figimage`` checks for NaN; on a picture 3000 pixels wide the
    one takes two seconds and the other one, this takes none.
    """

    zorder = -1.0  # below the Axes

    def __init__(self, rgba: NDArray[np.uint8], left: int, top: int) -> None:
        super().__init__()
        self._rgba = np.ascontiguousarray(rgba[::-1])  # renderers take the bottom row first
        self._corner = left, top

    def draw(self, renderer: RendererBase) -> None:
        """Copy the pixels; ``renderer`` counts from the bottom, PDF and SVG in points."""
        scale = 1 / renderer.get_image_magnification()
        left, top = self._corner
        bottom = self.figure.bbox.height - (top + self._rgba.shape[0]) * scale
        gc = renderer.new_gc()
        renderer.draw_image(gc, left * scale, bottom, self._rgba)
        gc.restore()
