"""TIFF and BigTIFF: the first picture."""

from __future__ import annotations

import math
import struct
import sys
from dataclasses import dataclass, replace

import numpy as np
import PIL.Image
from PIL.TiffImagePlugin import TiffImageFile

from tiepoint.images.convert import Pixels, over_gray, to_16_bit, to_pixels
from tiepoint.images.exif import read_exif
from tiepoint.images.ifd import Entry, Layout, entries, layout, value
from tiepoint.images.limits import Limits, RefusedError
from tiepoint.images.pillow import Decoded, loaded, opened
from tiepoint.types import Exif

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_STRIPS, _ROWS, _STRIP_BYTES, _CHANNELS, _PLANES = 273, 278, 279, 277, 284
_TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES = 322, 323, 324, 325
_PREDICTOR, _EXTRA, _FORMAT = 317, 338, 339
_SUBFILE, _SUB_IFDS, _DNG = 254, 330, 50706

# What the pixels need: one number each, and lists. All other tags stay out of Pillow's and libtiff's sight.
_ONE = {_WIDTH, _HEIGHT, _COMPRESSION, _PHOTOMETRIC, 266, _CHANNELS, _ROWS, _PLANES, 292, 293, _PREDICTOR,
        _TILE_WIDTH, _TILE_HEIGHT}  # fmt: skip
_LISTS = {_BITS, _STRIPS, _STRIP_BYTES, 320, _TILES, _TILE_BYTES, _EXTRA, _FORMAT, 347, 529, 530, 532}
_INTEGERS = (1, 3, 4, 16)

_COMPRESSIONS = {1, 2, 3, 4, 5, 7, 8, 32773, 32946, 34925, 50000, 50001}
_RAW = 1
_LZMA = 34925
_LZMA_SLOWNESS = 3
_FLOAT = 3
_RGB = 2
_YCBCR = 6
_MAX_CHANNELS = 6
_MAX_PIECE_BYTES = 800_000_000  # libtiff takes one at a time into memory
_MAX_PIECES = 1 << 18  # strips or tiles; a strip for each row of the longest scan is far below


@dataclass(frozen=True)
class _Directory:
    form: Layout
    entries: dict[int, Entry]
    one: dict[int, int]  # the tags of _ONE that are there
    lists: dict[int, tuple[int, ...]]

    def first(self, tag: int, default: int) -> int:
        return self.one.get(tag, default)


def decode(data: bytes, limits: Limits) -> Decoded:
    """Decode the first picture of a TIFF; 16 bits are kept, but for CMYK and premultiplied alpha.

    Of one that is cut short nothing is read.
    """
    form = layout(data)
    if form is None:
        raise limits.cut_short(rescue=False)
    directory = _directory(data, form, limits)
    _check(data, directory, limits)
    if _is_float_colour(directory):
        return Decoded(pixels=_float_colour(data, directory, limits), exif=data if _has_facts(data) else None)
    stream = _rewritten(data, directory)
    try:
        with opened(TiffImageFile, stream, limits) as picture:
            pixels = _pixels(picture, stream, directory, limits)
    except SyntaxError as error:  # no kind of pixels that Pillow knows
        bits = ", ".join(str(b) for b in directory.lists.get(_BITS, (1,)))
        bits += ", floats" if _FLOAT in directory.lists.get(_FORMAT, ()) else ""
        raise RefusedError(
            f"a TIFF of this kind ({directory.first(_CHANNELS, 1)} channels, bits: {bits}) is not read; "
            "save it as gray or RGB in 8 or 16 bits, or in floats of 32 bits without a predictor"
        ) from error
    return Decoded(pixels=pixels, exif=data if _has_facts(data) else None)


def _pixels(picture: TiffImageFile, stream: bytes, directory: _Directory, limits: Limits) -> Pixels:
    arguments = [tile.args for tile in picture.tile]
    raw_mode = arguments[0][0] if arguments and isinstance(arguments[0], tuple) else ""
    base, _, depth = str(raw_mode).partition(";")
    if depth in ("16L", "16B", "16N") and base in ("RGB", "RGBA", "RGBX"):
        pixels = _two_bytes(picture, stream, f"{base};{depth}", limits)
        return over_gray(pixels) if base == "RGBA" else pixels
    _loaded(picture)
    inverted = directory.first(_PHOTOMETRIC, 1) == 0  # white is zero; below 16 bits Pillow sees to it
    if picture.mode == "I" and directory.lists.get(_FORMAT, (1,))[0] == 1:
        pixels = to_16_bit(np.asarray(picture).view(np.uint32))
    else:
        pixels = to_pixels(picture)
    return 65535 - pixels if inverted and pixels.dtype == np.uint16 else pixels


def _is_float_colour(directory: _Directory) -> bool:
    """Tell whether it is RGB in floats of 32 bits, as OpenCV writes them, with its channels side by side."""
    return (
        directory.lists.get(_BITS) == (32, 32, 32)
        and set(directory.lists.get(_FORMAT, ())) == {_FLOAT}
        and directory.first(_CHANNELS, 1) == 3
        and directory.first(_PHOTOMETRIC, 1) == _RGB
        and directory.first(_PLANES, 1) == 1
        and directory.first(_PREDICTOR, 1) == 1  # others count from channel to channel
    )


def _float_colour(data: bytes, directory: _Directory, limits: Limits) -> Pixels:
    """Read colour in floats, for which Pillow has no mode: as gray that is three times as wide."""
    width, height = directory.one[_WIDTH], directory.one[_HEIGHT]
    wide = {tag: 3 * directory.one[tag] for tag in (_WIDTH, _TILE_WIDTH) if tag in directory.one}
    of_one = {tag: entry for tag, entry in directory.entries.items() if tag != _EXTRA}
    for tag in (_BITS, _FORMAT):  # said once for each channel
        entry = of_one[tag]
        of_one[tag] = replace(entry, count=1, size=entry.size // entry.count)
    one = {**directory.one, **wide, _CHANNELS: 1, _PHOTOMETRIC: 1}
    gray = replace(directory, entries=of_one, one=one)
    stream = _rewritten(data, gray)
    with opened(TiffImageFile, stream, replace(limits, max_pixels=3 * limits.max_pixels)) as picture:
        return to_16_bit(np.asarray(_loaded(picture)).reshape(height, width, 3))


def _loaded(picture: TiffImageFile) -> PIL.Image.Image:
    """Decode into a picture that is made here: Pillow's would first be held against its own limit."""
    picture.im = PIL.Image.new(picture.mode, picture.size, None).im
    return loaded(picture)


def _two_bytes(picture: TiffImageFile, stream: bytes, raw_mode: str, limits: Limits) -> Pixels:
    """Keep 16 bits of colour: Pillow gives the upper byte of each value, so decode twice and swap them."""
    upper = np.asarray(_loaded(picture)).astype(np.uint16)
    native = "16L" if sys.byteorder == "little" else "16B"
    base, depth = raw_mode.split(";")
    swapped = {"16L": "16B", "16B": "16L"}[native if depth == "16N" else depth]
    with opened(TiffImageFile, stream, limits) as again:
        again.tile = [
            tile._replace(args=(f"{base};{swapped}", *(tile.args or ())[1:])) for tile in again.tile
        ]
        lower = np.asarray(_loaded(again))
        upper <<= 8
        upper |= lower
    return upper


def _directory(data: bytes, form: Layout, limits: Limits) -> _Directory:
    found = {entry.tag: entry for entry in entries(data, form, form.first)}
    if not found:
        raise limits.cut_short(rescue=False)
    one: dict[int, int] = {}
    lists: dict[int, tuple[int, ...]] = {}
    for tag, entry in found.items():
        if tag in _ONE and entry.kind in _INTEGERS:
            one[tag] = int(value(data, form, Entry(tag, entry.kind, 1, entry.start, 0))[0])
        elif tag in (_BITS, _EXTRA, _FORMAT) and entry.kind in _INTEGERS and entry.count <= 64:
            lists[tag] = tuple(int(v) for v in value(data, form, entry))
    subfile = found.get(_SUBFILE)
    thumbnail = subfile is not None and subfile.kind in _INTEGERS and int(value(data, form, subfile)[0]) & 1
    if _DNG in found or (thumbnail and _SUB_IFDS in found) or data[8:10] == b"CR":
        raise RefusedError("it is a camera RAW file; develop it to JPEG or TIFF first")
    return _Directory(form, found, one, lists)


def _check(data: bytes, directory: _Directory, limits: Limits) -> None:
    first = directory.first
    width, height = first(_WIDTH, 0), first(_HEIGHT, 0)
    limits.check_size(width, height)
    compression, channels = first(_COMPRESSION, _RAW), first(_CHANNELS, 1)
    if compression not in _COMPRESSIONS:
        raise RefusedError(f"its compression (TIFF number {compression}) is not read; save it uncompressed")
    if (
        compression == _RAW and first(_PHOTOMETRIC, 1) == _YCBCR
    ):  # Pillow leaves its subsampling out of account
        raise RefusedError("an uncompressed TIFF in YCbCr colours is not read; save it as RGB")
    if not 1 <= channels <= _MAX_CHANNELS:
        raise RefusedError(f"it has {channels} channels; 1 to {_MAX_CHANNELS} are read")
    bits = directory.lists.get(_BITS, (1,))
    if first(_PLANES, 1) == 2 and channels > 1 and bits[:1] != (8,):
        raise RefusedError(
            "a TIFF with colour planes of other than 8 bits is not read; interleave its channels"
        )
    if any(b > 64 for b in bits) or not bits:
        raise RefusedError("this TIFF file is damaged: its pixels have an impossible number of bits")
    tag = _STRIPS if _STRIPS in directory.entries else _TILES
    if tag not in directory.entries:
        raise RefusedError("this TIFF file has no picture in it, or is cut short")
    planes = channels if first(_PLANES, 1) == 2 else 1
    if tag == _STRIPS:
        across, down = width, max(1, min(first(_ROWS, height), height))
    else:
        across, down = first(_TILE_WIDTH, 0), first(_TILE_HEIGHT, 0)
        if across <= 0 or down <= 0:
            raise RefusedError("this TIFF file is damaged: its tiles have no size")
    pieces = math.ceil(width / across) * math.ceil(height / down)
    if tag == _TILES and pieces * across * down > 4 * limits.max_pixels:
        raise RefusedError("this TIFF file is damaged: its tiles are far larger than its picture")
    count = directory.entries[tag].count
    if pieces * planes > _MAX_PIECES or count > _MAX_PIECES:
        raise RefusedError(f"it is in {max(pieces * planes, count)} pieces, far too many; save it anew")
    if count < pieces * planes:
        raise RefusedError("this TIFF file is damaged: parts of its picture are missing")
    depth = sum(bits) if len(bits) > 1 else bits[0] * channels
    if compression != _RAW:
        unpacked = pieces * across * down * depth // 8
        limits.check_unpacked(unpacked, slowness=_LZMA_SLOWNESS if compression == _LZMA else 1)
    if compression != _RAW and across * down * depth // 8 > _MAX_PIECE_BYTES:
        raise RefusedError("its strips or tiles are too large when unpacked; save it in smaller ones")
    if compression != _RAW and _outside(data, directory, tag):
        raise limits.cut_short(rescue=False)
    if compression == _RAW and height * ((width * depth + 7) // 8) > len(data):
        raise limits.cut_short(rescue=False)


def _outside(data: bytes, directory: _Directory, tag: int) -> bool:
    """Tell whether a strip or tile lies outside of the file: libtiff would say so on the terminal."""
    lengths = directory.entries.get(_STRIP_BYTES if tag == _STRIPS else _TILE_BYTES)
    if lengths is None:
        return False
    starts = value(data, directory.form, directory.entries[tag])
    sizes = value(data, directory.form, lengths)
    return any(start + size > len(data) for start, size in zip(starts, sizes, strict=False))


def _rewritten(data: bytes, directory: _Directory) -> bytes:
    """Return the file with its first directory cut down, in its place, to what the pixels need.

    The orientation goes too: it is applied later, and must not be applied twice. So does the way to
    the next picture.
    """
    form = directory.form
    code, inline = ("HHQ", 8) if form.big else ("HHL", 4)
    kept: list[bytes] = []
    for entry in directory.entries.values():
        if entry.tag in directory.one:
            number = directory.one[entry.tag]
            kind, letter = (4, "L") if number < 1 << 32 else (16, "Q")
            body = struct.pack(form.order + letter, number)
            kept.append(struct.pack(form.order + code, entry.tag, kind, 1) + body.ljust(inline, b"\0"))
        elif entry.tag in _LISTS:
            body = data[entry.start : entry.start + entry.size]
            if entry.size > inline:
                body = struct.pack(form.order + ("Q" if form.big else "L"), entry.start)
            head = struct.pack(form.order + code, entry.tag, entry.kind, entry.count)
            kept.append(head + body.ljust(inline, b"\0"))
    count = struct.pack(form.order + ("Q" if form.big else "H"), len(kept))
    block = b"".join([count, *kept, bytes(inline)])
    end = form.first + len(block)
    return b"".join([data[: form.first], block, data[end:]])


def _has_facts(data: bytes) -> bool:
    """Tell whether the directory, which every TIFF has, says anything about the photo."""
    return read_exif(data) != Exif()
