"""Directories of tags as TIFF lays them out; EXIF blocks use the same.

Pillow has a reader for them, but it talks about broken tags through the process's warnings, and
whoever turns warnings into errors would lose the photo with them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

# Number of each type: size in bytes, struct code; rationals are two numbers.
_TYPES = {1: (1, "B"), 2: (1, "c"), 3: (2, "H"), 4: (4, "L"), 5: (8, "LL"), 6: (1, "b"), 7: (1, "c"),
          8: (2, "h"), 9: (4, "l"), 10: (8, "ll"), 11: (4, "f"), 12: (8, "d"), 13: (4, "L"),
          16: (8, "Q"), 17: (8, "q"), 18: (8, "Q")}  # fmt: skip
_MAX_VALUES = 1 << 20

Value = bytes | tuple[int | float, ...]


@dataclass(frozen=True)
class Entry:
    """One tag: ``size`` bytes at ``start`` hold ``count`` values of type ``kind``."""

    tag: int
    kind: int
    count: int
    start: int
    size: int


@dataclass(frozen=True)
class Layout:
    """How a block is written: byte order, and whether its offsets have 64 bits (BigTIFF)."""

    order: str
    big: bool
    first: int

    @property
    def entry_size(self) -> int:
        """Bytes of one entry."""
        return 20 if self.big else 12

    @property
    def count_size(self) -> int:
        """Bytes of the number of entries at the start of a directory."""
        return 8 if self.big else 2


def layout(data: bytes) -> Layout | None:
    """Return how the block ``data`` is written, None if it is no such block."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 8:
        return None
    (version,) = struct.unpack_from(order + "H", data, 2)
    if version == 42:
        return Layout(order, False, *struct.unpack_from(order + "L", data, 4))
    if version == 43 and len(data) >= 16:
        return Layout(order, True, *struct.unpack_from(order + "Q", data, 8))
    return None


def entries(data: bytes, form: Layout, offset: int) -> Iterator[Entry]:
    """Yield the entries of the directory at ``offset`` whose values lie inside ``data``, each tag once.

    A directory that is cut short gives those that are there.
    """
    if not 0 < offset <= len(data) - form.count_size:
        return
    (number,) = struct.unpack_from(form.order + ("Q" if form.big else "H"), data, offset)
    start = offset + form.count_size
    inline = 8 if form.big else 4
    seen: set[int] = set()
    for at in range(start, min(start + min(number, 65535) * form.entry_size, len(data)), form.entry_size):
        if at + form.entry_size > len(data):
            return
        tag, kind, count = struct.unpack_from(form.order + ("HHQ" if form.big else "HHL"), data, at)
        if tag in seen or kind not in _TYPES:
            continue
        size = count * _TYPES[kind][0]
        where = at + form.entry_size - inline
        if size > inline:
            (where,) = struct.unpack_from(form.order + ("Q" if form.big else "L"), data, where)
        if size and where + size <= len(data):
            seen.add(tag)
            yield Entry(tag, kind, count, where, size)


def value(data: bytes, form: Layout, entry: Entry) -> Value:
    """Return the values of ``entry``: bytes for text and undefined, else numbers (rationals: two each)."""
    if entry.kind in (2, 7):
        return data[entry.start : entry.start + entry.size]
    if entry.count > _MAX_VALUES:
        return ()
    code = _TYPES[entry.kind][1]
    repeat = f"{entry.count * len(code)}{code[0]}"
    return struct.unpack_from(form.order + repeat, data, entry.start)
