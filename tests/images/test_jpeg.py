from __future__ import annotations

import io
import struct
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from tiepoint.errors import ReadError
from tiepoint.images import read_image


@pytest.fixture
def photo() -> NDArray[Any]:
    """Smooth, so that a JPEG of it is close to it."""
    y, x = np.mgrid[0:120, 0:160]
    return np.stack([x + 50, 2 * y, 255 - x], axis=2).astype(np.uint8)


def encoded(pixels: NDArray[Any], **options: Any) -> bytes:
    stream = io.BytesIO()
    PIL.Image.fromarray(pixels).save(stream, "JPEG", quality=90, **options)
    return stream.getvalue()


def opencv(data: bytes) -> NDArray[Any]:
    with tempfile.TemporaryDirectory() as folder:  # imdecode, unlike imread, refuses what is cut short
        path = Path(folder) / "photo.jpg"
        path.write_bytes(data)
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert picture is not None
    rgb: NDArray[Any] = picture[..., ::-1]
    return rgb


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_rows": 1}]
)
def test_equals_opencv(photo: NDArray[Any], options: dict[str, Any]) -> None:
    data = encoded(photo, **options)
    np.testing.assert_array_equal(read_image(data).pixels, opencv(data))


def test_gray(photo: NDArray[Any]) -> None:
    image = read_image(encoded(photo[..., 0]))
    assert image.pixels.shape == (120, 160)
    assert np.abs(image.pixels.astype(int) - photo[..., 0]).max() < 12


def test_cmyk(photo: NDArray[Any]) -> None:
    stream = io.BytesIO()
    PIL.Image.fromarray(photo).convert("CMYK").save(stream, "JPEG", quality=95)
    assert np.abs(read_image(stream.getvalue()).pixels.astype(int) - photo).mean() < 3


def test_metadata_that_pillow_would_warn_about_is_not_seen(photo: NDArray[Any]) -> None:
    """An EXIF block whose tags lie outside of it, and a broken index of an MPO: only the pixels matter."""
    broken = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<HHHLL", 1, 0x11A, 5, 1, 9999)
    plain = encoded(photo)
    mpo = b"MPF\0II*\0\x08\0\0\0\x00\x00"
    for marker, body in ((b"\xff\xe1", broken), (b"\xff\xe2", mpo)):
        data = plain[:2] + marker + struct.pack(">H", len(body) + 2) + body + plain[2:]
        np.testing.assert_array_equal(read_image(data).pixels, read_image(plain).pixels)


def test_mpo_gives_its_first_picture(photo: NDArray[Any]) -> None:
    stream = io.BytesIO()
    second = PIL.Image.fromarray(photo[::-1].copy())
    PIL.Image.fromarray(photo).save(stream, "MPO", save_all=True, append_images=[second], quality=90)
    np.testing.assert_array_equal(read_image(stream.getvalue()).pixels, opencv(stream.getvalue()))


@pytest.mark.parametrize("progressive", [False, True])
def test_cut_short(photo: NDArray[Any], progressive: bool) -> None:
    data = encoded(photo, progressive=progressive)
    whole = read_image(data).pixels
    for part in (0.6, 0.9):
        cut = data[: int(part * len(data))]
        with pytest.raises(ReadError, match=r"cut short.*allow_truncated=True"):
            read_image(cut)
        rescued = read_image(cut, allow_truncated=True).pixels
        np.testing.assert_array_equal(rescued, opencv(cut))
        if not progressive:
            np.testing.assert_array_equal(rescued[:32], whole[:32])


def test_without_its_end_marker(photo: NDArray[Any]) -> None:
    """All pixels are there, but nobody can know: refused as cut short, and whole when it is allowed."""
    data = encoded(photo)
    with pytest.raises(ReadError, match="cut short"):
        read_image(data[:-2])
    np.testing.assert_array_equal(read_image(data[:-2], allow_truncated=True).pixels, read_image(data).pixels)


def test_whole_file_is_the_same_with_allow_truncated(photo: NDArray[Any]) -> None:
    data = encoded(photo)
    for source in (data, data + bytes(1000), data + b"\xff\xd8"):
        np.testing.assert_array_equal(
            read_image(source, allow_truncated=True).pixels, read_image(data).pixels
        )


def test_thousands_of_passes_are_refused(photo: NDArray[Any]) -> None:
    data = encoded(photo, progressive=True)
    last = data.rfind(b"\xff\xda")
    more = data[:last] + b"\xff\xda\x00\x08\x01\x01\x00\x01\x3f\x00\x00" * 3000 + data[last:]
    with pytest.raises(ReadError, match="decompression bomb"):
        read_image(more, max_pixels=20_000)


@pytest.mark.parametrize(
    "data",
    [b"\xff\xd8" + b"\xff\xe1\x00\x02" * 2_000_000, b"\xff\xd8" + b"\xff" * 20_000_000, b"\xff\xd8\xff"],
    ids=["segments", "padding", "three bytes"],
)
def test_without_a_picture(data: bytes) -> None:
    with pytest.raises(ReadError, match=r"no picture in it|cut short"):
        read_image(data)


def test_12_bits_are_refused(photo: NDArray[Any]) -> None:
    data = bytearray(encoded(photo))
    data[data.find(b"\xff\xc0") + 4] = 12
    with pytest.raises(ReadError, match="12-bit"):
        read_image(bytes(data))


def claiming(data: bytes, width: int, height: int) -> bytes:
    """Return the JPEG with another size in its header."""
    at = next(i for i in (data.find(b"\xff\xc0"), data.find(b"\xff\xc2")) if i >= 0) + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def test_next_to_nothing_of_it_is_there(photo: NDArray[Any]) -> None:
    """A few hundred bytes claim a large picture: it would be gray from top to bottom."""
    data = claiming(encoded(photo), 13300, 13300)
    cut = data[: data.index(b"\xff\xda") + 200]
    for allow in (False, True):
        with pytest.raises(ReadError, match="no part of its picture can be read"):
            read_image(cut, allow_truncated=allow)
        with pytest.raises(ReadError, match="most of its picture is missing"):
            read_image(cut + b"\xff\xd9", allow_truncated=allow)


def test_flat_photos_are_not_taken_for_bombs() -> None:
    """A block takes six bits of a flat photo; that is well above what is asked for."""
    for options in ({}, {"progressive": True}, {"optimize": True}):
        data = encoded(np.full((2000, 3000), 9, np.uint8), **options)
        assert read_image(data).size == (3000, 2000)
        assert read_image(data[:-2], allow_truncated=True).size == (3000, 2000)


@pytest.mark.parametrize(
    ("mode", "subsampling", "megabytes"), [("CMYK", 0, "1,415"), ("CMYK", 2, "619"), ("RGB", 0, "1,061")]
)
def test_several_passes_are_limited_by_what_they_unpack_to(
    photo: NDArray[Any], mode: str, subsampling: int, megabytes: str
) -> None:
    """All values are kept until the last pass is through, in two bytes each."""
    stream = io.BytesIO()
    picture = PIL.Image.fromarray(photo).convert(mode)
    picture.save(stream, "JPEG", progressive=True, subsampling=subsampling)
    data = claiming(stream.getvalue(), 13300, 13300)
    with pytest.raises(ReadError, match=f"unpacks to {megabytes} MB, more than the limit of 534 MB"):
        read_image(data)
    assert read_image(stream.getvalue()).size == (160, 120)
