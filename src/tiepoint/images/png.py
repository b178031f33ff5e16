"""PNG; of an animated one the default picture, which every PNG has."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np
from PIL.PngImagePlugin import PngImageFile

from tiepoint.images.convert import Key, Pixels, over_gray, to_pixels, without
from tiepoint.images.limits import Limits, RefusedError
from tiepoint.images.pillow import Decoded, loaded, opened

_MAX_CHUNKS = 500_000
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Adam7: first column and row, and the steps, of each of the seven passes.
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


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
    missing end of the picture is black.
    """
    chunks = _read(data, limits)
    if not chunks.complete:
        if not limits.allow_truncated:
            raise limits.cut_short(rescue=bool(chunks.data))
        chunks = _filled(chunks, limits)
    key = _transparent(chunks)
    if chunks.depth == 16 and chunks.colour != 0:
        pixels = _decode_16(chunks, limits)
        return Decoded(pixels=pixels if key is None else without(pixels, key), exif=chunks.exif)
    with opened(PngImageFile, _write(chunks), limits) as picture:
        return Decoded(pixels=to_pixels(loaded(picture), transparent=key), exif=chunks.exif)


def _decode_16(chunks: _Chunks, limits: Limits) -> Pixels:
    """Keep all 16 bits of colour and alpha: Pillow has no such mode and gives the upper byte of each.

    Gray with alpha in 16 bits has the four bytes a pixel of RGBA in 8 bits, so it is read as such. RGB and
    RGBA are read twice: as they are, and as if the lower byte came last, which gives those.
    """
    if chunks.colour == 4:
        with opened(PngImageFile, _write(chunks, depth=8, colour=6), limits) as picture:
            both = np.ascontiguousarray(np.asarray(loaded(picture)))
        return over_gray(both.view(">u2").astype(np.uint16))
    halves = []
    for order in ("16B", "16L"):
        with opened(PngImageFile, _write(chunks), limits) as picture:
            mode = "RGB" if chunks.colour == 2 else "RGBA"
            picture.tile = [tile._replace(args=f"{mode};{order}") for tile in picture.tile]
            halves.append(np.asarray(loaded(picture)))
    pixels = halves[0].astype(np.uint16)
    pixels <<= 8
    pixels |= halves[1]
    return over_gray(pixels) if chunks.colour == 6 else pixels


def _read(data: bytes, limits: Limits) -> _Chunks:
    if not data.startswith(_SIGNATURE):
        if len(data) < len(_SIGNATURE):
            raise limits.cut_short(rescue=False)
        raise RefusedError("this PNG file is damaged: its first bytes are not those of a PNG")
    found: dict[bytes, bytes] = {}
    picture: list[memoryview] = []
    state = "before"
    at = len(_SIGNATURE)
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
        if at == len(_SIGNATURE):
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


def _write(chunks: _Chunks, *, depth: int | None = None, colour: int | None = None) -> bytes:
    """Write a PNG that has only what the pixels need."""
    depth, colour = depth or chunks.depth, colour or chunks.colour
    header = struct.pack(">LLBBBBB", chunks.width, chunks.height, depth, colour, 0, 0, int(chunks.interlaced))
    parts = [_SIGNATURE, *_chunk(b"IHDR", header)]
    if chunks.colour == 3:
        parts += _chunk(b"PLTE", chunks.palette or b"")
        if chunks.transparency:
            parts += _chunk(b"tRNS", chunks.transparency[:256])
    parts += [*_chunk(b"IDAT", chunks.data), *_chunk(b"IEND", b"")]
    return b"".join(parts)


def _chunk(name: bytes, body: bytes) -> list[bytes]:
    checksum = zlib.crc32(body, zlib.crc32(name))
    return [struct.pack(">L4s", len(body), name), body, struct.pack(">L", checksum)]


def _transparent(chunks: _Chunks) -> Key | None:
    """Return the one gray or colour that stands for transparent, scaled as the pixels will be."""
    count = {0: 1, 2: 3}.get(chunks.colour)
    if count is None or chunks.transparency is None or len(chunks.transparency) < 2 * count:
        return None
    key = struct.unpack_from(f">{count}H", chunks.transparency)
    if chunks.depth < 8:
        key = tuple(v * 255 // ((1 << chunks.depth) - 1) for v in key)
    return key[0] if count == 1 else key


def _filled(chunks: _Chunks, limits: Limits) -> _Chunks:
    """Return the picture with its missing end put there as zeros."""
    if not chunks.data:
        raise limits.cut_short(rescue=False)
    size = _raw_size(chunks)
    stream = zlib.decompressobj()
    raw = stream.decompress(chunks.data, size)
    packed = zlib.compress(raw.ljust(size, b"\0"), 1)
    return _Chunks(**{**chunks.__dict__, "data": packed, "complete": True})


def _raw_size(chunks: _Chunks) -> int:
    bits = chunks.depth * _CHANNELS[chunks.colour]
    total = 0
    for x, y, dx, dy in _ADAM7 if chunks.interlaced else ((0, 0, 1, 1),):
        columns, rows = -(-(chunks.width - x) // dx), -(-(chunks.height - y) // dy)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits + 7) // 8)
    return total
