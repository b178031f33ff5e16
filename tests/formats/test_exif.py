from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

import tiepoint as tp
from tiepoint.formats.exif import exif_from_json, exif_to_json

FULL = tp.Exif(
    focal_length=35.5,
    focal_length_35mm=50.0,
    camera_make="Maker",
    camera_model="Ü 1",
    time=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    latitude=-1.5,
    longitude=2.25,
    altitude=12.0,
    orientation=6,
)


@pytest.mark.parametrize("exif", [FULL, tp.Exif(), tp.Exif(time=datetime(2026, 1, 2, 3, 4, 5))])
def test_facts_there_and_back(exif: tp.Exif) -> None:
    assert exif_from_json(json.loads(json.dumps(exif_to_json(exif)))) == exif


@pytest.mark.parametrize(
    "changes", [{"time": "yesterday"}, {"time": 5}, {"focal_length": "long"}, {"lens": "Maker"}]
)
def test_other_facts_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(tp.DataError, match="these are no EXIF facts: "):
        exif_from_json({**exif_to_json(FULL), **changes})


@pytest.mark.parametrize("facts", [{}, [], "abc", None, 5])
def test_no_facts_are_refused(facts: Any) -> None:
    with pytest.raises(tp.DataError, match="these are no EXIF facts: "):
        exif_from_json(facts)
