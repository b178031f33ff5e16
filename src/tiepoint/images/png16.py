"""Colour and alpha in 16 bits of a PNG, which Pillow has no mode for: strip by strip, unpacked once.

zlib unpacks, Pillow undoes the filters of each strip, which it is given as a PNG of its own. So all bits
are kept, and no more than a strip is in memory besides the pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL.PngImagePlugin import PngImageFile

from tiepoint.images.convert import Pixels, over_gray
from tiepoint.images.limits import Limits
from tiepoint.images.pillow import loaded, opened
from tiepoint.images.png_rows import Rows, png_bytes, strips


def decode_16(
    packed: bytes, size: tuple[int, int], colour: int, parts: list[Rows], limits: Limits
) -> tuple[Pixels, bool]:
    """Return the pixels, (H, W) or (H, W, 3) uint16, and whether all were there; missing rows are black.

    ``colour`` is the type of the PNG: 2 is RGB, 4 gray with alpha, 6 RGBA; alpha is blended over gray.
    """
    width, height = size
    missing = sum(part.rows for part in parts)
    shape = (height, width) if colour == 4 else (height, width, 3)
    out = np.zeros(shape, np.uint16)
    above = b""
    for part, first, raw in strips(packed, parts):
        rows = len(raw) // part.row_bytes
        missing -= rows
        if not rows:
            break
        if first == 0:
            above = bytes(part.row_bytes - 1)
        body = b"".join([b"\0", above, memoryview(raw)[: rows * part.row_bytes]])
        samples = _unfiltered(body, part.columns, rows + 1, colour, limits)[1:]
        above = samples[-1].astype(">u2").tobytes()
        top = part.top + first * part.step_y
        place = out[top :: part.step_y, part.left :: part.step_x][:rows]
        place[...] = samples if colour == 2 else over_gray(samples)
    return out, not missing


def _unfiltered(raw: bytes, columns: int, rows: int, colour: int, limits: Limits) -> NDArray[np.uint16]:
    """Undo the filters of whole rows; returns (rows, columns, channels).

    Gray with alpha in 16 bits has the four bytes a pixel of RGBA in 8 bits, so it is read as such. RGB and
    RGBA are read twice: as they are, which gives the upper bytes, and as if the lower byte came last.
    """
    if colour == 4:
        with opened(PngImageFile, png_bytes(columns, rows, 8, 6, raw), limits) as picture:
            both = np.ascontiguousarray(np.asarray(loaded(picture)))
        return both.view(">u2").astype(np.uint16)
    data = png_bytes(columns, rows, 16, colour, raw)
    halves: list[Pixels] = []
    for order in ("16B", "16L"):
        with opened(PngImageFile, data, limits) as picture:
            mode = "RGB" if colour == 2 else "RGBA"
            picture.tile = [tile._replace(args=f"{mode};{order}") for tile in picture.tile]
            halves.append(np.asarray(loaded(picture)))
    out: NDArray[np.uint16] = halves[0].astype(np.uint16)
    out <<= 8
    out |= halves[1]
    return out
