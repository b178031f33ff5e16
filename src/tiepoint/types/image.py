"""A photo: its pixels, where it came from, and what its EXIF block tells."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tiepoint.errors import DataError
from tiepoint.types._arrays import Noun, checked, read_only

# OpenCV's RGB2GRAY: the weights of ITU-R BT.601 in 15 bits, rounded to nearest.
_RED, _GREEN, _BLUE, _HALF, _SHIFT = 9798, 19235, 3735, 1 << 14, 15
_STRIP_VALUES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Exif:
    """What the photo's EXIF block says; a fact that is missing or unreadable is None.

    Attributes
    ----------
    focal_length : float | None
        Focal length in millimetres, of the lens itself.
    focal_length_35mm : float | None
        The same as seen on a 36 x 24 mm film, in millimetres.
    camera_make, camera_model : str | None
        As the camera wrote them, without padding.
    time : datetime | None
        When the photo was taken; with a time zone only where the camera wrote one.
    latitude, longitude : float | None
        Degrees, WGS 84; north and east are positive. Both or neither.
    altitude : float | None
        Metres above sea level.
    orientation : int
        The EXIF orientation that was applied on reading, 1 (none) to 8.

    Raises
    ------
    DataError
        If a fact is of another type, or not finite.
    """

    focal_length: float | None = None
    focal_length_35mm: float | None = None
    camera_make: str | None = None
    camera_model: str | None = None
    time: datetime | None = None
    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None
    orientation: int = 1

    def __post_init__(self) -> None:
        for name in ("focal_length", "focal_length_35mm", "latitude", "longitude", "altitude"):
            value = getattr(self, name)
            if value is not None and not (
                isinstance(value, int | float) and abs(value) <= sys.float_info.max
            ):
                raise DataError(f"{name} must be a finite number or None, not {value!r}")
        for name, kind in (("camera_make", str), ("camera_model", str), ("time", datetime)):
            value = getattr(self, name)
            if value is not None and not isinstance(value, kind):
                raise DataError(f"{name} must be a {kind.__name__} or None, not {value!r}")
        if self.orientation not in range(1, 9):
            raise DataError(f"orientation must be 1 to 8, not {self.orientation!r}")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Image(Noun):
    """An upright photo.

    Attributes
    ----------
    pixels : ndarray, (H, W, 3) RGB or (H, W) gray, uint8 or uint16
        Read-only view. Pixel (0, 0) is the top-left one; its *centre* has the coordinate (0, 0).
    path : str | None
        The file that it was read from, as it was named; a path object is kept as its text.
    exif : Exif | None
        None where the file has no EXIF block.

    Raises
    ------
    DataError
        If ``pixels`` has another shape or dtype, or no pixel at all.

    Examples
    --------
    >>> import numpy as np
    >>> import tiepoint as tp
    >>> tp.Image(pixels=np.zeros((480, 640, 3), np.uint8))
    Image(640x480 RGB uint8)
    """

    pixels: NDArray[Any]
    path: str | None = None
    exif: Exif | None = None

    def __post_init__(self) -> None:
        ndim = getattr(self.pixels, "ndim", 3)
        shape = (None, None) if ndim == 2 else (None, None, 3)
        self._set("pixels", checked("pixels", self.pixels, shape=shape, dtype=(np.uint8, np.uint16)))
        if self.pixels.size == 0:
            raise DataError(f"a photo needs at least one pixel, but this one is {self.width}x{self.height}")
        if self.path is not None:
            try:
                self._set("path", os.fsdecode(self.path))
            except TypeError:
                raise DataError(f"path must be a path or None, not {type(self.path).__name__}") from None
        if self.exif is not None and not isinstance(self.exif, Exif):
            raise DataError(f"exif must be an Exif or None, not {type(self.exif).__name__}")

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.pixels.shape[0])

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.width, self.height

    @cached_property
    def pixels8(self) -> NDArray[np.uint8]:
        """The pixels in 8 bits, (H, W, 3) or (H, W) uint8; 16 bits are stretched, see :func:`to_8_bit`."""
        return self.pixels if self.pixels.dtype == np.uint8 else read_only(to_8_bit(self.pixels))

    @cached_property
    def gray(self) -> NDArray[np.uint8]:
        """Gray in 8 bits, (H, W) uint8, to the bit as OpenCV's RGB2GRAY makes it; computed once."""
        pixels = self.pixels8
        return pixels if pixels.ndim == 2 else read_only(rgb_to_gray(pixels))

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.pixels, dtype=dtype, copy=copy)

    def __repr__(self) -> str:
        colour = "gray" if self.pixels.ndim == 2 else "RGB"
        path = "" if self.path is None else f", {self.path!r}"
        return f"Image({self.width}x{self.height} {colour} {self.pixels.dtype.name}{path})"

    def _repr_html_(self) -> str:
        from tiepoint.plotting.notebook import image_html

        return image_html(self)


def rgb_to_gray(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn (H, W, 3) uint8 RGB into (H, W) uint8 gray as OpenCV does: BT.601 weights in 15 bits."""
    gray = np.empty(rgb.shape[:2], np.uint8)
    for rows in _strips(rgb):
        strip = rgb[rows].astype(np.uint32)
        total = _RED * strip[..., 0] + _GREEN * strip[..., 1] + _BLUE * strip[..., 2]
        gray[rows] = (total + _HALF) >> _SHIFT
    return gray


def to_8_bit(pixels: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Bring 16-bit pixels to 8 bits: linear from the 0.1th to the 99.9th percentile of all values.

    Thermal, satellite and medical pictures use a few hundred of the 65536 levels, so that dividing
    by 256 would leave nothing to detect; hot and dead pixels are why it is not the minimum and
    maximum. All channels share one scale, so colours keep their balance. A picture of a single
    value comes out black.
    """
    histogram = np.zeros(1 << 16, np.int64)
    for rows in _strips(pixels):
        histogram += np.bincount(pixels[rows].ravel(), minlength=1 << 16)
    cumulated = np.cumsum(histogram)
    low = int(np.searchsorted(cumulated, 0.001 * cumulated[-1], side="right"))
    high = int(np.searchsorted(cumulated, 0.999 * cumulated[-1], side="left"))
    if high <= low:  # fewer than 0.1 percent differ: nothing to protect from outliers
        low, high = int(pixels.min()), int(pixels.max())
    levels = (np.arange(1 << 16) - low) * (255.0 / max(1, high - low))
    table = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    narrow = np.empty(pixels.shape, np.uint8)
    for rows in _strips(pixels):
        narrow[rows] = table[pixels[rows]]
    return narrow


def _strips(pixels: NDArray[Any]) -> Iterator[slice]:
    """Yield strips of rows, about a million values each: NumPy widens what it computes on 4 to 8 times."""
    height = pixels.shape[0]
    rows = max(1, _STRIP_VALUES // (pixels.size // height))
    for top in range(0, height, rows):
        yield slice(top, top + rows)
