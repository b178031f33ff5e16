"""What an EXIF block tells. A fact that is missing, broken or out of its range is None, never an error."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from tiepoint.images.ifd import Layout, Value, entries, layout, value
from tiepoint.types import Exif

_EXIF_IFD, _GPS_IFD = 34665, 34853
_MAKE, _MODEL, _DATETIME, _ORIENTATION = 271, 272, 306, 274
_TIME_ORIGINAL, _OFFSET, _OFFSET_ORIGINAL = 36867, 36880, 36881
_FOCAL, _FOCAL_35 = 37386, 41989
_RATIONALS = (5, 10)

_MAX_FOCAL_MM = 100_000.0
_ALTITUDE_M = (-12_000.0, 1_000_000.0)  # below the Mariana Trench, above every camera but those in orbit

_TIME = re.compile(r"(\d{4})[:\-/.](\d\d)[:\-/.](\d\d)[ T](\d\d):(\d\d):(\d\d)")
_ZONE = re.compile(r"([+-])(\d\d):(\d\d)")

Tags = Mapping[int, tuple[int, Value]]


def read_exif(block: bytes | None, *, orientation: int | None = None) -> Exif | None:
    """Return the facts of an EXIF block, with or without the word Exif in front.

    Parameters
    ----------
    block : bytes | None
        None where the photo has no EXIF block.
    orientation : int | None
        What was applied, where that is not what the block says (HEIC and AVIF state it elsewhere).

    Returns
    -------
    Exif | None
        None only where there is no block; a block that cannot be read gives an Exif without facts.
    """
    if block is None:
        return None
    while block.startswith(b"Exif\0\0"):
        block = block[6:]
    form = layout(block)
    if form is None:
        return Exif(orientation=orientation or 1)
    main = _tags(block, form, form.first)
    shot = _tags(block, form, _pointer(main, _EXIF_IFD))
    gps = _tags(block, form, _pointer(main, _GPS_IFD))
    latitude, longitude = _degrees(gps, 2, 90, "NS"), _degrees(gps, 4, 180, "EW")
    known = latitude is not None and longitude is not None
    return Exif(
        focal_length=_positive(_number(shot, _FOCAL), _MAX_FOCAL_MM),
        focal_length_35mm=_positive(_number(shot, _FOCAL_35), _MAX_FOCAL_MM),
        camera_make=_text(main, _MAKE),
        camera_model=_text(main, _MODEL),
        time=_time(shot, _TIME_ORIGINAL, _OFFSET_ORIGINAL) or _time({**shot, **main}, _DATETIME, _OFFSET),
        latitude=latitude if known else None,
        longitude=longitude if known else None,
        altitude=_altitude(gps),
        orientation=orientation or _upright(main),
    )


def _tags(block: bytes, form: Layout, offset: int) -> Tags:
    return {e.tag: (e.kind, value(block, form, e)) for e in entries(block, form, offset) if e.size <= 65536}


def _pointer(tags: Tags, tag: int) -> int:
    kind, found = tags.get(tag, (0, ()))
    return int(found[0]) if kind in (4, 13, 16, 18) and found else 0


def _numbers(tags: Tags, tag: int) -> list[float | None]:
    """Return the numbers of a tag; a rational that divides by zero and a NaN become None."""
    kind, found = tags.get(tag, (0, ()))
    if isinstance(found, bytes):
        return []
    if kind in _RATIONALS:
        return [
            above / below if below else None for above, below in zip(found[::2], found[1::2], strict=True)
        ]
    return [float(v) if math.isfinite(v) else None for v in found]


def _number(tags: Tags, tag: int) -> float | None:
    found = _numbers(tags, tag)
    return found[0] if len(found) == 1 else None


def _positive(number: float | None, most: float) -> float | None:
    return number if number is not None and 0 < number <= most else None


def _text(tags: Tags, tag: int) -> str | None:
    _, found = tags.get(tag, (0, ()))
    if not isinstance(found, bytes):
        return None
    raw = found.split(b"\0")[0]
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return "".join(c for c in text if c.isprintable()).strip() or None


def _time(tags: Tags, tag: int, zone_tag: int) -> datetime | None:
    match = _TIME.match(_text(tags, tag) or "")
    if match is None:
        return None
    zone = _ZONE.fullmatch(_text(tags, zone_tag) or "")
    try:
        offset = None
        if zone is not None:
            minutes = int(zone[2]) * 60 + int(zone[3])
            offset = timezone(timedelta(minutes=minutes if zone[1] == "+" else -minutes))
        return datetime(*(int(part) for part in match.groups()), tzinfo=offset)  # type: ignore[misc, arg-type]
    except ValueError:  # the 31st of February, or no time at all: zeros
        return None


def _degrees(gps: Tags, tag: int, most: int, signs: str) -> float | None:
    """Return degrees from (degrees, minutes, seconds), signed by the reference in the tag before it."""
    reference = (_text(gps, tag - 1) or "")[:1].upper()
    parts = _numbers(gps, tag)
    if not reference or reference not in signs or not 1 <= len(parts) <= 3:
        return None
    total = 0.0
    for unit, (part, top) in enumerate(zip(parts, (most, 60, 60), strict=False)):
        if part is None or not 0 <= part <= top:
            return None
        total += part / 60**unit
    if total > most:
        return None
    return -total if reference == signs[1] else total


def _altitude(gps: Tags) -> float | None:
    height = _number(gps, 6)
    reference = _number(gps, 5)
    if height is None or reference not in (None, 0, 1, 2, 3):
        return None
    height = -height if reference in (1, 3) else height
    return height if _ALTITUDE_M[0] <= height <= _ALTITUDE_M[1] else None


def _upright(main: Tags) -> int:
    number = _number(main, _ORIENTATION)
    return int(number) if number is not None and number in range(1, 9) else 1
