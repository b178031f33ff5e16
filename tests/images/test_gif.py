from __future__ import annotations

import io
import struct

import numpy as np
import PIL.Image
import pytest

from tiepoint.errors import ReadError
from tiepoint.images import read_image


def animation(*frames: PIL.Image.Image, **options: object) -> bytes:
    stream = io.BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:], **options)
    return stream.getvalue()


def test_first_frame(rng: np.random.Generator) -> None:
    first = np.kron(rng.integers(0, 2, (4, 5, 3), np.uint8) * 255, np.ones((8, 8, 1), np.uint8))
    frames = [PIL.Image.fromarray(p).quantize(8) for p in (first, 255 - first)]
    for disposal in (0, 1, 2, 3):
        data = animation(*frames, disposal=disposal, duration=50, loop=0, comment=b"hello")
        np.testing.assert_array_equal(read_image(data).pixels, first)


def test_gray_is_gray(rng: np.random.Generator) -> None:
    gray = rng.integers(0, 256, (10, 12), np.uint8)
    np.testing.assert_array_equal(read_image(animation(PIL.Image.fromarray(gray))).pixels, gray)


def test_transparent_is_middle_gray() -> None:
    picture = PIL.Image.new("P", (4, 2))
    picture.putpalette([255, 0, 0, 0, 255, 0])
    picture.putpixel((1, 0), 1)
    pixels = read_image(animation(picture, transparency=1)).pixels
    assert pixels[0, :2].tolist() == [[255, 0, 0], [128, 128, 128]]


def gif(canvas: tuple[int, int], frame: tuple[int, int, int, int]) -> bytes:
    """Write a GIF whose frame (left, top, width, height) is all of colour 1: white."""
    count = frame[2] * frame[3]
    # Codes of 3 bits: clear before every pixel keeps them at 3 bits; then the end.
    codes = [4, 1] * count + [5]
    bits = "".join(f"{code:03b}"[::-1] for code in codes)
    packed = bytes(int(bits[i : i + 8][::-1], 2) for i in range(0, len(bits), 8))
    blocks = b"".join(
        bytes([len(packed[i : i + 255])]) + packed[i : i + 255] for i in range(0, len(packed), 255)
    )
    head = b"GIF89a" + struct.pack("<HHBBB", *canvas, 0x80, 0, 0) + bytes([0, 0, 0, 255, 255, 255])
    return head + b"," + struct.pack("<HHHHB", *frame, 0) + b"\x02" + blocks + b"\0;"


def test_frame_that_leaves_its_canvas_makes_it_larger() -> None:
    pixels = read_image(gif((4, 4), (2, 1, 5, 2))).pixels
    assert pixels.shape[:2] == (4, 7)
    assert (pixels[1:3, 2:] == 255).all()
    assert (pixels[0] == 0).all()
    with pytest.raises(ReadError, match="60004x60004"):
        read_image(gif((4, 4), (60000, 60000, 4, 4)))
    with pytest.raises(ReadError, match="outside of its canvas"):
        read_image(gif((4, 4), (65535, 65535, 4, 4)))


def test_refused(rng: np.random.Generator) -> None:
    data = animation(PIL.Image.fromarray(rng.integers(0, 256, (30, 30), np.uint8)))
    for part in (8, 14, len(data) // 2, len(data) - 3):
        with pytest.raises(ReadError, match="cut short"):
            read_image(data[:part], allow_truncated=True)
    for tail in (b";", b"!\xfe\0" * 1_000_000, b"\1" * 1_000_000):
        with pytest.raises(ReadError, match=r"no picture in it|cut short"):
            read_image(data[:13] + bytes(768) + tail)
    with pytest.raises(ReadError, match="0x4"):
        read_image(gif((0, 4), (0, 0, 4, 4)))
    with pytest.raises(ReadError, match="0x3"):
        read_image(gif((5, 4), (0, 0, 0, 3)))
