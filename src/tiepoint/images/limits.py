"""What a file may claim, and how the modules of this package say no.

Pillow has limits of its own, but they are settings of the whole process: raising one for one photo
raises it for every thread. The sizes are therefore checked here, before a decoder is called.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_PIXELS = 178_000_000
"""The most pixels of a photo, unless the caller says otherwise."""

_BYTES_PER_PIXEL = 3


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

    def check_size(self, width: int, height: int, *, verb: str = "its header claims") -> None:
        """Refuse a size that no photo has, or that is over the limit."""
        if width <= 0 or height <= 0:
            raise RefusedError(f"{verb} {width}x{height} pixels, which is no picture")
        pixels = width * height
        if pixels > self.max_pixels:
            stated, limit = in_words(pixels), in_words(self.max_pixels)
            if stated == limit:  # over it by less than such words show
                stated, limit = f"{pixels:,} pixels", f"{self.max_pixels:,} pixels"
            raise RefusedError(
                f"{verb} {width}x{height} pixels ({stated}), more than the limit of {limit}; "
                "if it is to be trusted, raise max_pixels"
            )

    def check_unpacked(self, size: int, *, slowness: int = 1) -> None:
        """Refuse what takes seconds to unpack, only to turn out to be damaged: a megabyte can hold gigabytes.

        Three bytes for each pixel of the limit may be unpacked, whatever the pixels are made of. A lower
        ``max_pixels`` than usual does not lower this.

        Parameters
        ----------
        size : int
            Bytes, when unpacked.
        slowness : int
            How many times longer than zlib the unpacking takes: so many times less is allowed.
        """
        most = _BYTES_PER_PIXEL * max(self.max_pixels, MAX_PIXELS) // slowness
        if size > most:
            needed = -(-size * slowness // _BYTES_PER_PIXEL)
            raise RefusedError(
                f"its picture unpacks to {size / 1e6:,.0f} MB, more than the limit of {most / 1e6:,.0f} MB "
                f"for one packed like this; if it is to be trusted, raise max_pixels to {needed}"
            )

    def check_rest(self, there: int, whole: int, rows: int) -> None:
        """Refuse a picture that is cut short, unless that is allowed and a sensible part of it is there.

        Sensible is a row and a hundredth of the picture: a file of a few bytes can claim any size, and a
        black picture is of no use to anybody. ``there`` and ``whole`` are bytes or values.
        """
        enough = there * rows >= whole and there * 100 >= whole
        if not (enough and self.allow_truncated):
            raise self.cut_short(rescue=enough)

    def cut_short(self, *, rescue: bool) -> RefusedError:
        """Return the refusal of a file that ends too early; ``rescue``: a part of it could be read."""
        if rescue:
            return RefusedError(
                "the file is cut short; get a whole copy, or read what is there with allow_truncated=True"
            )
        return RefusedError("the file is cut short, and no part of its picture can be read; get a whole copy")


def in_words(pixels: int) -> str:
    """Return a number of pixels as a person says it."""
    if pixels < 1_000_000:
        return f"{pixels:,} pixels"
    return f"{pixels / 1e6:,.1f}".removesuffix(".0") + " megapixels"
