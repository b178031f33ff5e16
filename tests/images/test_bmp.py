from __future__ import annotations

import io
import struct

import numpy as np
import PIL.Image
import pytest

from tiepoint.errors import ReadError
from tiepoint.images import read_image


def saved(picture: PIL.Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "BMP")
    return stream.getvalue()


def rle(codes: bytes, width: int, height: int) -> bytes:
    """Write a BMP of 8-bit run lengths over a palette of reds."""
    palette = b"".join(bytes([0, 0, i, 0]) for i in range(256))
    head = struct.pack("<LllHHLLLLLL", 40, width, height, 1, 8, 1, len(codes), 0, 0, 256, 0)
    return b"BM" + struct.pack("<LLL", 0, 0, 54 + 1024) + head + palette + codes


def test_modes(rng: np.random.Generator) -> None:
    photo = rng.integers(0, 256, (9, 13, 3), np.uint8)
    np.testing.assert_array_equal(read_image(saved(PIL.Image.fromarray(photo))).pixels, photo)
    gray = photo[..., 0].copy()
    np.testing.assert_array_equal(read_image(saved(PIL.Image.fromarray(gray))).pixels, gray)
    bits = PIL.Image.fromarray(gray).convert("1")
    np.testing.assert_array_equal(read_image(saved(bits)).pixels, np.asarray(bits) * np.uint8(255))


def test_cut_short(rng: np.random.Generator) -> None:
    photo = rng.integers(0, 256, (40, 30, 3), np.uint8)
    cut = saved(PIL.Image.fromarray(photo))[:2000]
    with pytest.raises(ReadError, match="allow_truncated=True"):
        read_image(cut)
    pixels = read_image(cut, allow_truncated=True).pixels
    np.testing.assert_array_equal(pixels[-20:], photo[-20:])  # the bottom row is stored first
    assert (pixels[:10] == 0).all()


def test_claims(rng: np.random.Generator) -> None:
    data = bytearray(saved(PIL.Image.fromarray(rng.integers(0, 256, (4, 4, 3), np.uint8))))
    for size, expected in (
        ((10**5, 10**5), "100000x100000"),
        ((-5, 5), "-5x5"),
        ((13000, 13000), "no part of its picture can be read"),
    ):
        struct.pack_into("<ll", data, 18, *size)
        for allow in (False, True):
            with pytest.raises(ReadError, match=expected):
                read_image(bytes(data), allow_truncated=allow)


def test_run_lengths_that_overrun_their_row_are_cut_off() -> None:
    """Pillow reads them, OpenCV refuses; what stops too early is damage to both."""
    codes = bytes([9, 200, 0, 0, 3, 100, 0, 0, 4, 50, 0, 1])
    assert read_image(rle(codes, 4, 3)).pixels[..., 0].tolist() == [[50] * 4, [100] * 3 + [0], [200] * 4]
    with pytest.raises(ReadError, match="not enough image data"):
        read_image(rle(codes[:8] + bytes([0, 1]), 4, 3))


def test_run_lengths_of_large_pictures_are_refused() -> None:
    with pytest.raises(ReadError, match="run-length coded"):
        read_image(rle(bytes([1, 1, 0, 0]) * 10, 13000, 13000))


def test_other_headers() -> None:
    with pytest.raises(ReadError, match="no known kind"):
        read_image(b"BMX is a way to ride a bicycle")
    with pytest.raises(ReadError, match="cut short"):
        read_image(b"BM" + bytes(10))
