"""BMP, the bitmaps of Windows and OS/2."""

from __future__ import annotations

import io
import struct

from PIL.BmpImagePlugin import BmpImageFile

from tiepoint.images.convert import to_pixels
from tiepoint.images.limits import Limits, RefusedError
from tiepoint.images.pillow import Decoded, Endless, loaded, opened

_HEADERS = (12, 40, 52, 56, 64, 108, 124)
_RLE = (1, 2)
# Pillow unpacks run lengths pixel by pixel in Python. They are 4 or 8 bits deep, and of the time when
# screens were small.
_MAX_RLE_PIXELS = 16_000_000


def decode(data: bytes, limits: Limits) -> Decoded:
    """Decode a BMP.

    Run lengths that overrun their row are cut off there, as Pillow does (OpenCV refuses them); those
    that stop before the last row are damage. With ``allow_truncated`` the missing rows of an uncompressed
    one are black too; rows are stored from the bottom up, so they are the upper ones.
    """
    if len(data) < 26:
        raise limits.cut_short(rescue=False)
    (offset, header) = struct.unpack_from("<LL", data, 10)
    if header not in _HEADERS:
        raise RefusedError("this BMP file is damaged, or no BMP at all: its header is of no known kind")
    compression = 0
    if header == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
    else:
        if len(data) < 14 + header:
            raise limits.cut_short(rescue=False)
        width, height, _, bits, compression = struct.unpack_from("<llHHL", data, 18)
    limits.check_size(width, abs(height))
    if compression in _RLE and width * abs(height) > _MAX_RLE_PIXELS:
        raise RefusedError(f"a run-length coded BMP of {width}x{abs(height)} pixels is not read")
    needed = offset + (width * bits + 31) // 32 * 4 * (abs(height) - 1) + (width * bits + 7) // 8
    short = compression not in _RLE and needed > len(data)
    if short:
        limits.check_rest(max(0, len(data) - offset), needed - offset, abs(height))
    stream = Endless(data) if short else io.BytesIO(data)
    with opened(BmpImageFile, stream, limits) as picture:
        return Decoded(pixels=to_pixels(loaded(picture)))
