from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from tiepoint.errors import ReadError
from tiepoint.images import read_image


def saved(pixels: NDArray[Any], **options: Any) -> bytes:
    stream = io.BytesIO()
    PIL.Image.fromarray(pixels).save(stream, "WEBP", **options)
    return stream.getvalue()


@pytest.mark.parametrize("lossless", [False, True])
def test_equals_opencv(rng: np.random.Generator, lossless: bool) -> None:
    photo = np.kron(rng.integers(0, 256, (5, 6, 3), np.uint8), np.ones((8, 8, 1), np.uint8))
    data = saved(photo, lossless=lossless)
    theirs = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert theirs is not None
    np.testing.assert_array_equal(read_image(data).pixels, theirs[..., ::-1])


def test_alpha_and_animation(rng: np.random.Generator) -> None:
    photo = rng.integers(0, 256, (8, 9, 4), np.uint8)
    photo[:4, :, 3] = 0
    photo[4:, :, 3] = 255
    second = PIL.Image.fromarray(255 - photo)
    for options in ({}, {"save_all": True, "append_images": [second]}):
        pixels = read_image(saved(photo, lossless=True, exact=True, **options)).pixels
        assert (pixels[:4] == 128).all()
        np.testing.assert_array_equal(pixels[4:], photo[4:, :, :3])


def test_pillows_limit_is_not_asked(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 1)
    photo = rng.integers(0, 256, (8, 9, 3), np.uint8)
    exif = PIL.Image.Exif()
    exif[274] = 1
    for options in ({"lossless": True}, {"exif": exif, "lossless": True}, {"quality": 90}):
        assert read_image(saved(photo, **options)).size == (9, 8)


def test_cut_short(rng: np.random.Generator) -> None:
    data = saved(rng.integers(0, 256, (30, 30, 3), np.uint8))
    for part in (15, 29, len(data) // 2):
        with pytest.raises(ReadError, match="cut short"):
            read_image(data[:part], allow_truncated=True)


def test_damage(rng: np.random.Generator) -> None:
    data = bytearray(saved(rng.integers(0, 256, (30, 30, 3), np.uint8)))
    with pytest.raises(ReadError, match="does not begin with a picture"):
        read_image(bytes(data[:12]) + b"JUNK" + bytes(data[16:]))
    data[20:23] = b"\xff\xff\xff"
    with pytest.raises(ReadError, match="damaged"):
        read_image(bytes(data))
