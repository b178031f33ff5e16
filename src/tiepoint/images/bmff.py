"""The boxes of HEIC and AVIF files, as far as the EXIF block is to be found in them."""

from __future__ import annotations

from collections.abc import Iterator

_MAX_ITEMS = 10_000


def exif_block(data: bytes) -> bytes | None:
    """Return the EXIF block of a HEIC or AVIF file, None if it has none or it is not where it should be."""
    item = _exif_item(data)
    if item is None:
        return None
    place = _place(data, item[1])
    if place is None:
        return None
    body = data[place[0] : place[0] + place[1]]
    skip = 4 + int.from_bytes(body[:4], "big")  # to the TIFF header, past what some write in between
    return body[skip:] if len(body) > skip else b""


def without_exif(data: bytes) -> bytes:
    """Return the file with its EXIF item under a name that no reader knows."""
    item = _exif_item(data)
    return data if item is None else b"".join([data[: item[0]], b"none", data[item[0] + 4 :]])


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name, start and end of the contents of each box."""
    at, count = start, 0
    while at + 8 <= end and count < _MAX_ITEMS:
        length, head = int.from_bytes(data[at : at + 4], "big"), 8
        if length == 1:
            length, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        elif length == 0:
            length = end - at
        if length < head or at + length > end:
            return
        yield data[at + 4 : at + 8], at + head, at + length
        at += length
        count += 1


def _inside(data: bytes, start: int, end: int, name: bytes) -> tuple[int, int] | None:
    return next(((a, b) for found, a, b in _boxes(data, start, end) if found == name), None)


def _meta(data: bytes, name: bytes) -> tuple[int, int] | None:
    meta = _inside(data, 0, len(data), b"meta")
    return None if meta is None else _inside(data, meta[0] + 4, meta[1], name)


def _exif_item(data: bytes) -> tuple[int, int] | None:
    """Return where the type of the EXIF item is written, and the item's number."""
    box = _meta(data, b"iinf")
    if box is None:
        return None
    start = box[0] + (6 if data[box[0]] == 0 else 8)
    for name, a, b in _boxes(data, start, box[1]):
        if name == b"infe" and data[a] in (2, 3) and b - a >= 12:
            width = 2 if data[a] == 2 else 4
            kind = a + 4 + width + 2
            if data[kind : kind + 4] == b"Exif":
                return kind, int.from_bytes(data[a + 4 : a + 4 + width], "big")
    return None


def _place(data: bytes, item: int) -> tuple[int, int] | None:
    """Return where the bytes of an item begin and how many they are, where they lie in one piece."""
    box = _meta(data, b"iloc")
    if box is None:
        return None
    at, end = box
    version = data[at]
    offset_size, length_size = data[at + 4] >> 4, data[at + 4] & 15
    base_size, index_size = data[at + 5] >> 4, data[at + 5] & 15 if version else 0
    wide = 4 if version == 2 else 2
    at += 6

    def take(size: int) -> int:
        nonlocal at
        at += size
        return int.from_bytes(data[at - size : at], "big")

    for _ in range(min(take(wide), _MAX_ITEMS)):
        if at >= end:
            return None
        number = take(wide)
        method = take(2) & 15 if version else 0
        take(2)
        base = take(base_size)
        pieces = take(2)
        found = None
        for _ in range(pieces):
            if at >= end:
                return None
            take(index_size)
            found = base + take(offset_size), take(length_size)
        if number == item:
            return found if pieces == 1 and method == 0 else None
    return None
