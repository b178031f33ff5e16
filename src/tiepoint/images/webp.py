"""WebP; of an animated one the first frame."""

from __future__ import annotations

import io

from PIL.WebPImagePlugin import WebPImageFile

from tiepoint.images.convert import to_pixels
from tiepoint.images.limits import Limits, RefusedError
from tiepoint.images.pillow import Decoded, loaded, opened


class _InPieces(io.BytesIO):
    """A stream whose first piece is shorter than asked for, as a stream may.

    From the first 30 bytes Pillow compares the size with its own limit, which is one for the whole
    process; the size has been compared with ours by then.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(20 if size == 30 else size)


def decode(data: bytes, limits: Limits) -> Decoded:
    """Decode the first frame of a WebP; of one that is cut short nothing can be read."""
    limits.check_size(*_size(data, limits))
    if 8 + int.from_bytes(data[4:8], "little") > len(data):
        raise limits.cut_short(rescue=False)
    with opened(WebPImageFile, _InPieces(data), limits) as picture:
        exif = picture.info.get("exif")
        return Decoded(pixels=to_pixels(loaded(picture)), exif=exif if isinstance(exif, bytes) else None)


def _size(data: bytes, limits: Limits) -> tuple[int, int]:
    if len(data) < 30:
        raise limits.cut_short(rescue=False)
    kind = data[12:16]
    if kind == b"VP8X":
        return tuple(int.from_bytes(data[i : i + 3], "little") + 1 for i in (24, 27))  # type: ignore[return-value]
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        return tuple(int.from_bytes(data[i : i + 2], "little") & 0x3FFF for i in (26, 28))  # type: ignore[return-value]
    raise RefusedError("this WebP file is damaged: it does not begin with a picture")
