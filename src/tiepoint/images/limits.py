"""What a file may claim, and how the modules of this package say no.

Pillow has limits of its own, but they are settings of the whole process: raising one for one photo
raises it for every thread. The sizes are therefore checked here, before a decoder is called.
"""

from __future__ import annotations

from dataclasses import dataclass


class RefusedError(Exception):
    """Why these bytes are not read; the door puts the name of the photo in front of it."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How far one call of :func:`tiepoint.read_image` goes."""

    max_pixels: int
    allow_truncated: bool = False

    @property
    def max_bytes(self) -> int:
        """The longest file that is taken into memory: eight bytes a pixel, and room for metadata."""
        return 8 * self.max_pixels + (64 << 20)

    def check_size(self, width: int, height: int) -> None:
        """Refuse a size that no photo has, or that is over the limit."""
        if width <= 0 or height <= 0:
            raise RefusedError(f"its header claims {width}x{height} pixels, which is no picture")
        pixels = width * height
        if pixels > self.max_pixels:
            raise RefusedError(
                f"its header claims {width}x{height} pixels ({pixels / 1e6:,.0f} megapixels), more than "
                f"the limit of {self.max_pixels / 1e6:,g}; if it is to be trusted, raise max_pixels"
            )

    def cut_short(self, *, rescue: bool) -> RefusedError:
        """Return the refusal of a file that ends too early; ``rescue``: a part of it could be read."""
        if rescue:
            return RefusedError(
                "the file is cut short; get a whole copy, or read what is there with allow_truncated=True"
            )
        return RefusedError("the file is cut short, and no part of its picture can be read; get a whole copy")
