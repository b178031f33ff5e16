from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray
from PIL import features

from tiepoint.errors import MissingError, ReadError
from tiepoint.images import read_image
from tiepoint.images.bmff import exif_block, without_exif
from tiepoint.images.exif import read_exif

AVIF = pytest.param(
    "AVIF", marks=pytest.mark.skipif(not features.check("avif"), reason="Pillow without AVIF")
)


@pytest.fixture
def photo() -> NDArray[Any]:
    y, x = np.mgrid[0:64, 0:96]
    return np.stack([x + 50, 3 * y, 255 - 2 * x], axis=2).astype(np.uint8)


def encoded(pixels: NDArray[Any], form: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture = PIL.Image.fromarray(pixels)
    if form == "AVIF":
        picture.save(stream, "AVIF", quality=95, **options)
    else:
        heif = pytest.importorskip("pillow_heif")
        heif.from_pillow(picture).save(stream, quality=95, chroma=444, **options)
    return stream.getvalue()


def oriented(value: int) -> bytes:
    exif = PIL.Image.Exif()
    exif[274] = value
    exif[271] = "Maker"
    return exif.tobytes()


@pytest.mark.parametrize("form", ["HEIC", AVIF])
def test_colour_and_gray(photo: NDArray[Any], form: str) -> None:
    pixels = read_image(encoded(photo, form)).pixels
    assert pixels.dtype == np.uint8
    assert np.abs(pixels.astype(int) - photo).mean() < 4
    if form == "HEIC":
        gray = read_image(encoded(photo[..., 0], form)).pixels
        assert np.abs(gray.astype(int) - photo[..., 0]).mean() < 4


@pytest.mark.parametrize("form", ["HEIC", AVIF])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_turned_once(photo: NDArray[Any], form: str, orientation: int) -> None:
    """The file states the turn twice, in a box of its own and in the EXIF block."""
    turned = np.rot90(photo, {1: 0, 3: 2, 6: -1, 8: 1}[orientation])
    data = encoded(photo, form, exif=oriented(orientation))
    image = read_image(data)
    assert image.pixels.shape == turned.shape
    assert np.abs(image.pixels.astype(int) - turned).mean() < 4
    assert image.exif is not None
    assert image.exif.camera_make == "Maker"


@pytest.mark.parametrize("form", ["HEIC", AVIF])
def test_alpha(photo: NDArray[Any], form: str) -> None:
    alpha = np.full((64, 96, 1), 255, np.uint8)
    alpha[:, 48:] = 0
    pixels = read_image(encoded(np.concatenate([photo, alpha], axis=2), form)).pixels
    assert np.abs(pixels[:, :40].astype(int) - photo[:, :40]).mean() < 4
    assert np.abs(pixels[:, 56:].astype(int) - 128).mean() < 2


def test_more_than_8_bits_become_16(photo: NDArray[Any]) -> None:
    heif = pytest.importorskip("pillow_heif")
    wide = photo.astype(np.uint16) * 257
    stream = io.BytesIO()
    heif.from_bytes("RGB;16", (96, 64), wide.tobytes()).save(stream, quality=95, chroma=444)
    pixels = read_image(stream.getvalue()).pixels
    assert pixels.dtype == np.dtype(np.uint16)
    assert np.abs(pixels.astype(int) - wide).mean() < 4 * 257


@pytest.mark.parametrize("form", ["HEIC", AVIF])
def test_exif_is_found_and_taken_out(photo: NDArray[Any], form: str) -> None:
    data = encoded(photo, form, exif=oriented(1))
    found = exif_block(data)
    facts = read_exif(found)
    assert facts is not None
    assert facts.camera_make == "Maker"
    assert exif_block(without_exif(data)) is None
    assert exif_block(encoded(photo, form)) is None
    assert without_exif(encoded(photo, form)) == encoded(photo, form)


@pytest.mark.parametrize("form", ["HEIC", AVIF])
def test_cut_or_changed(photo: NDArray[Any], form: str) -> None:
    data = encoded(photo, form, exif=oriented(6))
    for end in range(24, len(data) - 40, max(1, len(data) // 25)):
        with pytest.raises(ReadError):
            read_image(data[:end], allow_truncated=True)
        exif_block(data[:end])
    for at in range(0, min(len(data), 900), 3):  # the boxes; whatever comes, it is a photo or a sentence
        broken = data[:at] + b"\xff" + data[at + 1 :]
        with contextlib.suppress(ReadError, MissingError):
            read_image(broken)


@pytest.mark.parametrize("form", ["HEIC", AVIF])
def test_limit(photo: NDArray[Any], form: str) -> None:
    with pytest.raises(ReadError, match="raise max_pixels"):
        read_image(encoded(photo, form), max_pixels=64 * 96 - 1)


def test_avif_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "check", lambda _: False)
    with pytest.raises(MissingError, match="AVIF needs a Pillow that was built with it: pip install"):
        read_image(b"\0\0\0\x18ftypavif\0\0\0\0mif1avif")


@pytest.mark.parametrize("form", ["HEIC", AVIF])
def test_the_exif_block_does_not_turn(photo: NDArray[Any], form: str) -> None:
    """It speaks of a turn that the file does not state: by the standard such a photo stands upright."""
    data = encoded(photo, form, exif=oriented(6))
    at = data.index(b"irot") + 4
    data = data[:at] + b"\0" + data[at + 1 :]
    image = read_image(data)
    assert image.size == (96, 64)
    assert np.abs(image.pixels.astype(int) - photo).mean() < 4
    assert image.exif is not None
    assert image.exif.orientation == 1


def test_no_insides_of_the_library_in_messages(photo: NDArray[Any]) -> None:
    data = encoded(photo, "HEIC")
    for name in (b"iloc", b"hvcC", b"pitm"):
        with pytest.raises(ReadError, match="this HEIC file is damaged or cut short, or of a kind") as caught:
            read_image(data.replace(name, b"none"))
        assert name.decode() not in str(caught.value)
