"""The rows of a PNG as they are packed: how many bytes they are, how many are there, and strips of them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from tiepoint.images.limits import RefusedError

SIGNATURE = b"\x89PNG\r\n\x1a\n"

# Adam7: first column and row, and the steps, of each of the seven passes.
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_STRIP_BYTES = 1 << 22
_FEED = 1 << 16
_LAST_FILTER = 4


@dataclass(frozen=True)
class Rows:
    """The rows of one pass: the whole picture, or every so many pixels of an interlaced one."""

    left: int
    top: int
    step_x: int
    step_y: int
    columns: int
    rows: int
    row_bytes: int  # with the number of its filter in front


def passes(width: int, height: int, bits: int, *, interlaced: bool) -> list[Rows]:
    """Return the passes of a picture with ``bits`` bits a pixel, without those that have no pixel."""
    found = []
    for left, top, step_x, step_y in _ADAM7 if interlaced else ((0, 0, 1, 1),):
        columns, rows = -(-(width - left) // step_x), -(-(height - top) // step_y)
        if columns > 0 and rows > 0:
            found.append(Rows(left, top, step_x, step_y, columns, rows, 1 + (columns * bits + 7) // 8))
    return found


def unpacked_size(parts: list[Rows]) -> int:
    """Return the bytes of all rows."""
    return sum(part.rows * part.row_bytes for part in parts)


def measure(packed: bytes, parts: list[Rows], *, most: int | None = None) -> int:
    """Return how many bytes of the rows are there; with ``most``, stop counting where it is reached.

    Raises
    ------
    RefusedError
        If what is there is damaged. After this no decoder finds anything wrong.
    """
    total = 0
    for _, _, raw in strips(packed, parts):
        total += len(raw)
        if most is not None and total >= most:
            break
    return total


def strips(packed: bytes, parts: list[Rows]) -> Iterator[tuple[Rows, int, bytes]]:
    """Yield the pass, the number of a row in it, and the bytes of a few rows from it on, as far as there are.

    Raises
    ------
    RefusedError
        If they are damaged.
    """
    stream = _Unpacked(packed)
    for part in parts:
        some = max(1, _STRIP_BYTES // part.row_bytes)
        for first in range(0, part.rows, some):
            wanted = min(some, part.rows - first) * part.row_bytes
            raw = stream.read(wanted)
            if max(raw[:: part.row_bytes], default=0) > _LAST_FILTER:
                raise damaged()
            yield part, first, raw
            if len(raw) < wanted:
                return


class _Unpacked:
    """A stream of what zlib unpacks, fed piece by piece: what it has not used yet it copies each time."""

    def __init__(self, packed: bytes) -> None:
        self._packed = memoryview(packed)
        self._at = 0
        self._stream = zlib.decompressobj()
        self._rest = b""

    def read(self, size: int) -> bytes:
        """Return ``size`` bytes, or fewer where there are no more."""
        parts: list[bytes] = []
        missing = size
        while missing and not self._stream.eof:
            feed = self._rest or self._packed[self._at : self._at + _FEED]
            if not self._rest:
                self._at += len(feed)
            try:
                part = self._stream.decompress(feed, missing)
            except zlib.error as error:
                raise damaged() from error
            self._rest = self._stream.unconsumed_tail
            if not part and not feed:
                break
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)


def damaged() -> RefusedError:
    """Return the refusal of a picture that cannot be unpacked."""
    return RefusedError(
        "this PNG file is damaged: its picture cannot be unpacked to its end; get a whole copy"
    )


def png_bytes(width: int, height: int, depth: int, colour: int, raw: bytes) -> bytes:
    """Return a PNG of these rows, stored without packing them."""
    header = struct.pack(">LLBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = [SIGNATURE, *chunk(b"IHDR", header), *chunk(b"IDAT", zlib.compress(raw, 0)), *chunk(b"IEND", b"")]
    return b"".join(parts)


def chunk(name: bytes, body: bytes) -> list[bytes]:
    """Return a chunk of a PNG, in parts."""
    checksum = zlib.crc32(body, zlib.crc32(name))
    return [struct.pack(">L4s", len(body), name), body, struct.pack(">L", checksum)]
