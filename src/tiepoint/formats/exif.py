"""EXIF facts to and from JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from tiepoint.errors import DataError
from tiepoint.types import Exif


def exif_to_json(exif: Exif) -> dict[str, Any]:
    """Return every fact under its name; the time in ISO 8601, what is not known as None.

    Examples
    --------
    >>> from tiepoint import Exif
    >>> from tiepoint.formats.exif import exif_from_json, exif_to_json
    >>> facts = exif_to_json(Exif(focal_length=35.0))
    >>> facts["focal_length"], facts["time"]
    (35.0, None)
    >>> exif_from_json(facts) == Exif(focal_length=35.0)
    True
    """
    return {**asdict(exif), "time": None if exif.time is None else exif.time.isoformat()}


def exif_from_json(facts: Mapping[str, Any]) -> Exif:
    """Return what :func:`exif_to_json` was given.

    Raises
    ------
    DataError
        If a name or a value is none of Exif's.
    """
    try:
        time = facts["time"]
        return Exif(**{**facts, "time": None if time is None else datetime.fromisoformat(time)})
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"these are no EXIF facts: {error}") from error
