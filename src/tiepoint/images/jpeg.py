"""JPEG, and the first picture of an MPO."""

from __future__ import annotations

import re
from dataclasses import dataclass

from PIL.JpegImagePlugin import JpegImageFile

from tiepoint.images.convert import to_pixels
from tiepoint.images.limits import Limits, RefusedError
from tiepoint.images.pillow import Decoded, loaded, opened

_SOS, _EOI = 0xDA, b"\xff\xd9"
_SIZES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xDE}
_SEGMENTS = {*range(0xC0, 0xD0), *range(0xDA, 0xF0), 0xFE} - {0xC8}
_ALONE = {0xC8, *range(0xD0, 0xDA), *range(0xF0, 0xFE)}
# The decoder looks into these two only: JFIF, and Adobe's marker that says how colours are stored.
_KEPT_APPS = {0xE0, 0xEE}

# Kinds that are coded in several passes.
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}

_PADDING = re.compile(rb"\xff+")
_MAX_PASSES = 20
_MAX_MARKERS = 100_000


@dataclass(frozen=True)
class _Header:
    size: tuple[int, int]
    samples: int  # values of all components
    several: bool  # passes, by the kind of JPEG
    exif: bytes | None
    clean: bytes  # all segments before the picture, without those that the decoder does not need
    start: int  # of the picture


def decode(data: bytes, limits: Limits) -> Decoded:
    """Decode a JPEG.

    One without its end marker is cut short, even if every pixel is there (OpenCV reads it all the
    same). With ``allow_truncated`` it is read; what is missing is gray, or as the last pass of a
    progressive picture left it.
    """
    header = _header(data)
    if header is None:
        raise (
            limits.cut_short(rescue=False)
            if len(data) < 4096
            else RefusedError("this JPEG file has no picture in it; it is damaged")
        )
    limits.check_size(*header.size)
    end = data.find(_EOI, header.start)
    _check_passes(data, header, end if end >= 0 else len(data), limits)
    # A block of 8x8 values takes at least a bit: that many blocks are there at most.
    blocks, there = header.size[0] * header.size[1] // 64, 8 * (len(data) - header.start)
    if end < 0:
        limits.check_rest(there, blocks, -(-header.size[1] // 8))
    elif 100 * there < blocks:  # arithmetic coding may do with less than a bit
        raise RefusedError("this JPEG file is damaged: most of its picture is missing; get a whole copy")
    stream = b"".join([header.clean, memoryview(data)[header.start :], _EOI if end < 0 else b""])
    with opened(JpegImageFile, stream, limits) as picture:
        return Decoded(pixels=to_pixels(loaded(picture)), exif=header.exif)


def _check_passes(data: bytes, header: _Header, end: int, limits: Limits) -> None:
    """Refuse a small file that makes the decoder go over a large picture thousands of times.

    Cameras and web tools write up to a dozen passes.
    """
    passes = data.count(b"\xff\xda", header.start, end)
    if header.several or passes > 1:  # all values are kept until the last pass is through, two bytes each
        limits.check_unpacked(2 * header.samples)
    pixels = header.size[0] * header.size[1]
    if passes > max(_MAX_PASSES, _MAX_PASSES * limits.max_pixels // pixels):
        raise RefusedError(f"it is a decompression bomb: {passes} passes over {pixels / 1e6:.0f} megapixels")


def _header(data: bytes) -> _Header | None:
    """Go through the segments before the picture, forgiving padding and junk as Pillow and libjpeg do."""
    kept: list[bytes] = []
    size, samples, several, exif = (0, 0), 0, False, None
    at = 0
    for _ in range(_MAX_MARKERS):
        mark = data.find(b"\xff", at)
        if mark < 0 or mark + 1 >= len(data):
            return None
        code = data[mark + 1]
        if code == 0xFF:  # padding: the last of them begins the marker
            padding = _PADDING.match(data, mark)
            at = padding.end() - 1 if padding is not None else mark + 1
            continue
        at = mark + 2
        if code == 0:
            continue
        if code not in _SEGMENTS:
            if code not in _ALONE:
                raise RefusedError("this JPEG file is damaged: it has no valid marker where one must be")
            kept.append(data[mark:at])
            continue
        if code == _SOS:
            return _Header(size, samples, several, exif, b"".join(kept), mark)
        length = int.from_bytes(data[at : at + 2], "big")
        body = data[at + 2 : at + length]
        if at + length > len(data) or length < 2:
            return None
        if code in _SIZES and len(body) >= 5:
            size = int.from_bytes(body[3:5], "big"), int.from_bytes(body[1:3], "big")
            samples, several = _samples(size, body[6:]), code in _PROGRESSIVE
        if code == 0xE1 and body.startswith(b"Exif\0\0") and exif is None:
            exif = body
        if not 0xE0 <= code <= 0xEF or code in _KEPT_APPS:
            kept.append(data[mark : at + length])
        at += length
    return None


def _samples(size: tuple[int, int], components: bytes) -> int:
    """Return how many values the components have, by how many times fewer each has across and down."""
    times = [(packed >> 4 or 1) * (packed & 15 or 1) for packed in components[1::3]]
    across = max((packed >> 4 for packed in components[1::3]), default=0) or 1
    down = max((packed & 15 for packed in components[1::3]), default=0) or 1
    return size[0] * size[1] * sum(times) // (across * down)
