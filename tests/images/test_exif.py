"""Blocks are written by Pillow, so that the reader is held against another's idea of the format."""

from __future__ import annotations

import io
import struct
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import PIL.Image
import pytest
from PIL.TiffImagePlugin import IFDRational

from tiepoint.images import read_image
from tiepoint.images.exif import read_exif
from tiepoint.types import Exif

SHOT, GPS = 0x8769, 0x8825


def block(
    main: dict[int, Any], shot: dict[int, Any] | None = None, gps: dict[int, Any] | None = None
) -> bytes:
    exif = PIL.Image.Exif()
    for tag, value in main.items():
        exif[tag] = value
    for name, tags in ((SHOT, shot), (GPS, gps)):
        if tags:
            exif.get_ifd(name).update(tags)
    return exif.tobytes()


def facts(*parts: dict[int, Any]) -> Exif:
    exif = read_exif(block(*parts))
    assert exif is not None
    return exif


def test_all_facts() -> None:
    exif = facts(
        {271: "Canon\0\0", 272: "EOS 5D  ", 274: 6, 306: "2020:01:01 00:00:00"},
        {37386: IFDRational(85, 2), 41989: 68, 36867: "2012:05:06 07:08:09", 36881: "+02:00"},
        {1: "S", 2: (33, 30, IFDRational(9, 1)), 3: "W", 4: (70, 15, 0), 5: b"\1", 6: IFDRational(5, 2)},
    )
    assert exif == Exif(
        focal_length=42.5, focal_length_35mm=68, camera_make="Canon", camera_model="EOS 5D",
        time=datetime(2012, 5, 6, 7, 8, 9, tzinfo=timezone(timedelta(hours=2))),
        latitude=-33.5025, longitude=-70.25, altitude=-2.5, orientation=6,
    )  # fmt: skip


def test_no_block_and_no_facts() -> None:
    assert read_exif(None) is None
    for nothing in (
        b"",
        b"Exif\0\0",
        b"Exif\0\0Exif\0\0",
        b"\0" * 50,
        b"II*\0\xff\xff\xff\xff",
        b"MM\0*\0\0\0\x08",
    ):
        assert read_exif(nothing) == Exif()


def test_time_without_zone_and_from_the_main_directory() -> None:
    assert facts({306: "2020:01:02 03:04:05"}).time == datetime(2020, 1, 2, 3, 4, 5)
    assert facts({306: "2020:01:02 03:04:05"}, {36880: "+00:00"}).time == datetime(
        2020, 1, 2, 3, 4, 5, tzinfo=UTC
    )
    for wrong in (
        "0000:00:00 00:00:00",
        "    :  :     :  :  ",
        "2020:02:31 00:00:00",
        "now",
        "",
        "2020:01:01",
    ):
        assert facts({}, {36867: wrong}).time is None
    assert facts({306: "2020:01:02 03:04:05"}, {36867: "0000:00:00 00:00:00"}).time == datetime(
        2020, 1, 2, 3, 4, 5
    )
    assert facts({}, {36867: "2020:01:02 03:04:05", 36881: "+99:99"}).time is None


@pytest.mark.parametrize(
    ("tag", "value"),
    [(37386, IFDRational(0, 1)), (37386, IFDRational(5, 0)), (41989, 0),
     (37386, IFDRational(4_000_000_000, 1)),
     (37386, "50 mm"), (37386, (IFDRational(1, 1), IFDRational(2, 1)))],
)  # fmt: skip
def test_focal_length_that_is_none(tag: int, value: Any) -> None:
    exif = facts({}, {tag: value})
    assert (exif.focal_length, exif.focal_length_35mm) == (None, None)


@pytest.mark.parametrize("kind", [11, 12])
@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf"), -3.0])
def test_focal_length_as_a_float(kind: int, number: float) -> None:
    value = struct.pack("<f" if kind == 11 else "<d", number)
    data = b"II*\0\x08\0\0\0" + struct.pack("<HHHLLL", 1, SHOT, 4, 1, 26, 0)
    data += (
        struct.pack("<HHHL", 1, 37386, kind, 1) + (value if kind == 11 else struct.pack("<L", 44)) + bytes(4)
    )
    exif = read_exif(data + value)
    assert exif == Exif()


@pytest.mark.parametrize(
    "gps",
    [
        {2: (33, 30, 9), 3: "W", 4: (70, 15, 0)},  # no hemisphere
        {1: "N", 2: (91, 0, 0), 3: "W", 4: (70, 15, 0)},
        {1: "N", 2: (89, 60, 60), 3: "E", 4: (70, 15, 0)},
        {1: "N", 2: (33, 99, 0), 3: "E", 4: (70, 15, 0)},
        {1: "N", 2: (33, 30, 9)},
        {1: "X", 2: (33, 30, 9), 3: "E", 4: (70, 15, 0)},
        {1: "N", 2: (IFDRational(33, 0), 30, 9), 3: "E", 4: (70, 15, 0)},
        {1: "N", 2: (33, 30, 9, 1), 3: "E", 4: (70, 15, 0)},
    ],
)
def test_place_is_both_or_neither(gps: dict[int, Any]) -> None:
    exif = facts({}, {}, gps)
    assert (exif.latitude, exif.longitude) == (None, None)


@pytest.mark.parametrize(("reference", "sign"), [(None, 1), (b"\0", 1), (b"\1", -1), (b"\2", 1), (b"\3", -1)])
def test_altitude(reference: bytes | None, sign: int) -> None:
    gps: dict[int, Any] = {6: IFDRational(100, 3)}
    if reference is not None:
        gps[5] = reference
    assert facts({}, {}, gps).altitude == pytest.approx(sign * 100 / 3)
    assert facts({}, {}, {5: b"\7", 6: IFDRational(100, 3)}).altitude is None
    assert facts({}, {}, {6: IFDRational(4_000_000_000, 1)}).altitude is None


def test_names_of_any_bytes() -> None:
    assert facts({271: "Müller\x1b[31m"}).camera_make is not None
    assert read_exif(block({271: "A\x1b[31mB\n"})) == Exif(camera_make="A[31mB")
    assert read_exif(block({271: " \0"})) == Exif()


def test_cut_anywhere_never_fails() -> None:
    whole = block(
        {271: "Canon", 274: 3}, {37386: IFDRational(50, 1)}, {1: "N", 2: (1, 2, 3), 3: "E", 4: (1, 2, 3)}
    )
    for end in range(len(whole)):
        assert isinstance(read_exif(whole[:end]), Exif)


def test_any_byte_changed_never_fails() -> None:
    whole = block(
        {271: "Canon", 274: 3}, {37386: IFDRational(50, 1)}, {1: "N", 2: (1, 2, 3), 3: "E", 4: (1, 2, 3)}
    )
    for at in range(len(whole)):
        for value in (0, 1, 2, 127, 255):
            exif = read_exif(whole[:at] + bytes([value]) + whole[at + 1 :])
            assert isinstance(exif, Exif)
            assert 1 <= exif.orientation <= 8


def test_directories_that_lead_in_circles() -> None:
    circle = b"II*\0\x08\0\0\0" + struct.pack("<HHHLLHHLLL", 2, SHOT, 4, 1, 8, GPS, 4, 1, 8, 8)
    assert read_exif(circle) == Exif()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WebP", "AVIF"])
def test_through_each_format(form: str) -> None:
    exif = block({271: "Maker"}, {37386: IFDRational(50, 1)})
    stream = io.BytesIO()
    PIL.Image.new("RGB", (64, 48), (10, 200, 30)).save(stream, form, exif=exif)
    image = read_image(stream.getvalue())
    assert image.exif == Exif(camera_make="Maker", focal_length=50.0)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WebP", "AVIF"])
def test_broken_blocks_are_never_fatal(form: str) -> None:
    """Nor do they make a warning, which pytest would turn into an error here."""
    for broken in (
        b"Exif\0\0" + bytes(40),
        b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x0e\x01\x02\0\xff\xff\xff\x7f" * 9,
    ):
        stream = io.BytesIO()
        good = block({271: "Maker" + "x" * (len(broken) - 31 - 6)})
        PIL.Image.new("RGB", (64, 48)).save(stream, form, exif=good)
        data = stream.getvalue()
        tiff = good.removeprefix(b"Exif\0\0")
        assert data.count(tiff) == 1
        replaced = data.replace(tiff, broken.removeprefix(b"Exif\0\0").ljust(len(tiff), b"\xff")[: len(tiff)])
        assert len(replaced) == len(data)
        image = read_image(replaced)
        assert image.size == (64, 48)
        assert image.exif == (None if form == "PNG" and image.exif is None else Exif())
