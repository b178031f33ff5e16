"""PNG; of an animated one the default picture, which every PNG has."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, replace

import numpy as np
from PIL.PngImagePlugin import PngImageFile

from tiepoint.images.convert import Key, Pixels, to_pixels, without
from tiepoint.images.limits import Limits, RefusedError
from tiepoint.images.pillow import Decoded, loaded, opened
from tiepoint.images.png16 import decode_16
from tiepoint.images.png_rows import SIGNATURE, chunk, damaged, measure, passes, unpacked_size

_MAX_CHUNKS = 500_000
# From here on the rows are unpacked once to see that they are whole, before the pixels are given room; a
# smaller picture turns out to be damaged soon enough.
_LOOK_THROUGH_BYTES = 1 << 28
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


@dataclass(frozen=True)
class _Chunks:
    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool
    palette: bytes | None
    transparency: bytes | None
    exif: bytes | None
    data: bytes  # of the picture, compressed
    complete: bool


def decode(data: bytes, limits: Limits) -> Decoded:
    """Decode a PNG; 16 bits are kept.

    A wrong checksum of the header, the palette or the picture is damage, as for OpenCV (Pillow does
    not look at the picture's); that of any other chunk does not matter. With ``allow_truncated`` the
    missing end of the picture is black (where an interlaced one has alpha, gray as what is transparent).
    """
    chunks = _read(data, limits)
    bits = chunks.depth * _CHANNELS[chunks.colour]
    parts = passes(chunks.width, chunks.height, bits, interlaced=chunks.interlaced)
    size = unpacked_size(parts)
    limits.check_unpacked(size)
    there = size
    if not chunks.complete:
        most = size if limits.allow_truncated else size // 100 + parts[-1].row_bytes
        there = measure(chunks.data, parts, most=most)
        limits.check_rest(there, size, chunks.height)
    elif size > _LOOK_THROUGH_BYTES and measure(chunks.data, parts) < size:
        raise damaged()
    key = _transparent(chunks)
    if chunks.depth == 16 and chunks.colour != 0:
        size_16 = chunks.width, chunks.height
        pixels, whole = decode_16(chunks.data, size_16, chunks.colour, parts, limits)
        if chunks.complete and not whole:
            raise damaged()
        pixels = pixels if key is None else without(pixels, key)
    elif there == size:
        pixels = _decoded(chunks, key, limits)
    elif chunks.interlaced:
        raw = zlib.decompressobj().decompress(chunks.data, size).ljust(size, b"\0")
        pixels = _decoded(replace(chunks, data=zlib.compress(raw, 0)), key, limits)
    else:  # the rows that are whole make a picture of their own
        rows = there // parts[0].row_bytes
        top = _decoded(replace(chunks, height=rows), key, limits)
        pixels = np.zeros((chunks.height, *top.shape[1:]), top.dtype)
        pixels[:rows] = top
    return Decoded(pixels=pixels, exif=chunks.exif)


def _decoded(chunks: _Chunks, key: Key | None, limits: Limits) -> Pixels:
    with opened(PngImageFile, _write(chunks), limits) as picture:
        try:
            loaded(picture)
        except OSError as error:  # Pillow would say "truncated" of data that ends early in a whole file
            raise damaged() from error
        return to_pixels(picture, transparent=key)


def _read(data: bytes, limits: Limits) -> _Chunks:
    if not data.startswith(SIGNATURE):
        if len(data) < len(SIGNATURE):
            raise limits.cut_short(rescue=False)
        raise RefusedError("this PNG file is damaged: its first bytes are not those of a PNG")
    found: dict[bytes, bytes] = {}
    picture: list[memoryview] = []
    state = "before"
    at = len(SIGNATURE)
    ended = False
    view = memoryview(data)
    for _ in range(_MAX_CHUNKS):
        if at + 8 > len(data):
            break
        length, name = struct.unpack_from(">L4s", data, at)
        if not name.isalpha():
            raise RefusedError("this PNG file is damaged: it has no valid chunk where one must be")
        body = view[at + 8 : at + 8 + length]
        whole = at + 12 + length <= len(data)
        if at == len(SIGNATURE):
            if name != b"IHDR" or length < 13:
                raise RefusedError("this PNG file is damaged: it does not begin with its header")
            if len(body) >= 8:
                limits.check_size(*struct.unpack_from(">LL", body))
        if name in (b"IHDR", b"PLTE", b"IDAT") and whole:
            _check_sum(view[at + 4 : at + 8 + length], data[at + 8 + length : at + 12 + length], name)
        if name == b"IDAT":
            if state != "after":
                state = "in"
                picture.append(body)
        else:
            state = "after" if state == "in" else state
            if whole and name in (b"IHDR", b"PLTE", b"tRNS", b"eXIf"):
                found.setdefault(name, bytes(body))
        at += 12 + length
        if name == b"IEND" and whole:
            ended = True
            break
    header = found.get(b"IHDR")
    if header is None:
        raise limits.cut_short(rescue=False)
    width, height, depth, colour, compression, filtering, interlace = struct.unpack_from(">LLBBBBB", header)
    if depth not in _DEPTHS.get(colour, ()) or compression or filtering or interlace > 1:
        raise RefusedError("this PNG file is damaged: its header states an impossible kind")
    if colour == 3 and b"PLTE" not in found:
        raise RefusedError("this PNG file is damaged: its palette is missing")
    if ended and not picture:
        raise RefusedError("this PNG file has no picture in it")
    return _Chunks(
        width, height, depth, colour, bool(interlace), found.get(b"PLTE"), found.get(b"tRNS"),
        found.get(b"eXIf"), b"".join(picture), ended,
    )  # fmt: skip


def _check_sum(covered: memoryview, stored: bytes, name: bytes) -> None:
    if zlib.crc32(covered) != int.from_bytes(stored, "big"):
        part = {b"IHDR": "header", b"PLTE": "palette", b"IDAT": "picture"}[name]
        raise RefusedError(f"this PNG file is damaged: the checksum of its {part} is wrong; get a whole copy")


def _write(chunks: _Chunks) -> bytes:
    """Write a PNG that has only what the pixels need."""
    kind = chunks.depth, chunks.colour, 0, 0, int(chunks.interlaced)
    header = struct.pack(">LLBBBBB", chunks.width, chunks.height, *kind)
    parts = [SIGNATURE, *chunk(b"IHDR", header)]
    if chunks.colour == 3:
        parts += chunk(b"PLTE", chunks.palette or b"")
        if chunks.transparency:
            parts += chunk(b"tRNS", chunks.transparency[:256])
    parts += [*chunk(b"IDAT", chunks.data), *chunk(b"IEND", b"")]
    return b"".join(parts)


def _transparent(chunks: _Chunks) -> Key | None:
    """Return the one gray or colour that stands for transparent, scaled as the pixels will be."""
    count = {0: 1, 2: 3}.get(chunks.colour)
    if count is None or chunks.transparency is None or len(chunks.transparency) < 2 * count:
        return None
    key = struct.unpack_from(f">{count}H", chunks.transparency)
    if chunks.depth < 8:
        key = tuple(v * 255 // ((1 << chunks.depth) - 1) for v in key)
    return key[0] if count == 1 else key
