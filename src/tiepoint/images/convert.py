"""From a decoded picture to the pixels of an Image: (H, W) gray or (H, W, 3) RGB, uint8 or uint16.

The rules:

====================  =====================================================================
in the file           in the Image
====================  =====================================================================
8-bit gray, RGB       as they are
1 bit                 gray, 0 and 255
palette               RGB; gray where every colour of the palette is a gray
alpha, transparency   blended over middle gray (128, or 32768 in 16 bits): what lies under a
                      transparent pixel is arbitrary, and white or black would draw an edge
                      of full contrast around it
CMYK, YCbCr, LAB,     RGB as Pillow converts it, colour profiles unused
HSV
16 bits               uint16, gray and RGB
32-bit integers       uint16 as they are where all lie in 0..65535, else linear from the
                      smallest (0) to the largest (65535)
float                 uint16, linear from the smallest finite value (0) to the largest (65535);
                      NaN and -inf become 0, +inf becomes 65535; one value only: all 0;
                      no finite value at all: refused
====================  =====================================================================
"""

from __future__ import annotations

from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from tiepoint.images.limits import RefusedError

Pixels = NDArray[Any]
Key = int | tuple[int, ...]

_STRIP_PIXELS = 1 << 18  # what a strip needs while it is worked on stays in the cache


def to_pixels(picture: PIL.Image.Image, *, transparent: Key | None = None) -> Pixels:
    """Return the pixels of a loaded Pillow image by the rules above.

    Parameters
    ----------
    picture : PIL.Image.Image
        Loaded, of any mode.
    transparent : int | tuple[int, ...] | None
        The one gray or RGB value that stands for transparent.
    """
    mode = picture.mode
    if mode in ("P", "PA"):
        return _from_palette(picture)
    if mode.startswith("I;16"):
        pixels = np.asarray(picture).astype(np.uint16, copy=False)
    elif mode in ("I", "F"):
        return to_16_bit(np.asarray(picture))
    elif mode == "1":
        pixels = np.asarray(picture.convert("L"))
    elif mode in ("L", "RGB"):
        pixels = np.asarray(picture)
    elif mode == "RGBX":
        pixels = np.asarray(picture)[..., :3]
    elif mode in ("LA", "RGBA"):
        return _over_gray_in_strips(picture)
    elif mode in ("La", "RGBa"):
        return _over_gray_in_strips(picture.convert(mode[:-1] + "A"))
    elif mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        pixels = np.asarray(picture.convert("RGB"))
    else:
        raise RefusedError(f"its pixels are of the kind {mode}, which is not read; save it as RGB")
    return pixels if transparent is None else without(pixels, transparent)


def over_gray(pixels: Pixels, *, premultiplied: bool = False) -> Pixels:
    """Blend (H, W, 2) or (H, W, 4), uint8 or uint16, whose last channel is alpha, over middle gray."""
    height, width, channels = pixels.shape
    out = np.empty((height, width, channels - 1), pixels.dtype)
    rows = max(1, _STRIP_PIXELS // max(1, width))
    for top in range(0, height, rows):
        part = slice(top, top + rows)
        _blend(pixels[part, :, :-1], pixels[part, :, -1:], out[part], premultiplied=premultiplied)
    return out[..., 0] if channels == 2 else out


def _blend(colour: Pixels, alpha: Pixels, out: Pixels, *, premultiplied: bool) -> None:
    bits = 8 * colour.dtype.itemsize
    full = (1 << bits) - 1
    ground = (full + 1) // 2
    least, most = int(alpha.min()), int(alpha.max())
    if least == full:
        out[...] = colour
    elif most == 0:
        out[...] = ground
    else:
        # full * full + full // 2 fits twice the bits of a pixel.
        wide = np.dtype(f"u{colour.dtype.itemsize * 2}")
        a = alpha.astype(wide)
        total = np.minimum(colour, a) * wide.type(full) if premultiplied else colour * a
        total += (full - a) * wide.type(ground)
        total += wide.type(full // 2)
        # A division by 2^n - 1, exact for every number that can come here, many times as fast as one.
        total += (total >> bits) + wide.type(1)
        total >>= bits
        out[...] = total


def _over_gray_in_strips(picture: PIL.Image.Image) -> Pixels:
    """Blend without a second copy of the whole picture, which is four bytes a pixel."""
    width, height = picture.size
    shape = (height, width) if picture.mode == "LA" else (height, width, 3)
    out = np.empty(shape, np.uint8)
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        out[top:bottom] = over_gray(np.asarray(picture.crop((0, top, width, bottom))))
    return out


def without(pixels: Pixels, transparent: Key) -> Pixels:
    """Put middle gray where the pixel has the one value that stands for transparent."""
    key = np.array(transparent)
    if key.ndim and (pixels.ndim != 3 or key.shape != pixels.shape[2:]):
        return pixels
    hit = (pixels == key).all(axis=-1) if pixels.ndim == 3 else pixels == key
    if not hit.any():
        return pixels
    out = pixels.copy()
    out[hit] = (int(np.iinfo(pixels.dtype).max) + 1) // 2
    return out


def to_16_bit(values: Pixels) -> NDArray[np.uint16]:
    """Bring integers or floats, (H, W) or (H, W, 3), to uint16 by the rules above."""
    if values.dtype.kind in "iu":
        low, high = float(values.min()), float(values.max())
        if low >= 0 and high <= 65535:
            return values.astype(np.uint16)
        finite = None
    else:
        finite = np.isfinite(values)
        if not finite.any():
            raise RefusedError("it holds no finite value, only NaN and infinity")
        low = float(values.min(where=finite, initial=np.inf))
        high = float(values.max(where=finite, initial=-np.inf))
    span = high - low
    # Halved, so that from the lowest to the highest float is still a number.
    half = span if np.isfinite(span) else high / 2 - low / 2
    unit = 1.0 if np.isfinite(span) else 0.5
    out = np.zeros(values.shape, np.uint16)
    rows = max(1, _STRIP_PIXELS // max(1, values.shape[1]))
    for top in range(0, len(values), rows):
        part = slice(top, top + rows)
        strip = values[part].astype(np.float64)
        if finite is not None:
            strip = np.where(finite[part], strip, low)
        if half > 0:
            out[part] = np.rint((strip * unit - low * unit) / half * 65535)
        if finite is not None:
            out[part][values[part] == np.inf] = 65535
    return out


def _from_palette(picture: PIL.Image.Image) -> Pixels:
    if picture.has_transparency_data:
        return _over_gray_in_strips(picture.convert("RGBA"))
    colours = np.array(picture.getpalette("RGB") or [0, 0, 0]).reshape(-1, 3)
    pixels = np.asarray(picture.convert("RGB"))
    gray = bool((colours == colours[:, :1]).all())
    return np.ascontiguousarray(pixels[..., 0]) if gray else pixels
