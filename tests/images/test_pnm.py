from __future__ import annotations

import io

import numpy as np
import PIL.Image
import pytest

from tiepoint.errors import ReadError
from tiepoint.images import read_image


@pytest.mark.parametrize("most", [1, 7, 100, 255, 256, 1000, 4095, 65535])
@pytest.mark.parametrize("kind", ["P2", "P3", "P5", "P6"])
def test_largest_value(rng: np.random.Generator, kind: str, most: int) -> None:
    """Scaled to 255, or to 65535 where it is over 255, and rounded, halves up."""
    shape = (5, 7, 3) if kind in ("P3", "P6") else (5, 7)
    values = rng.integers(0, most, shape, endpoint=True)
    head = f"{kind} # a comment\n7 5\n#another\n{most}\n".encode()
    if kind in ("P2", "P3"):
        data = head + " ".join(map(str, values.ravel())).encode()
    else:
        data = head + values.astype(np.uint8 if most < 256 else ">u2").tobytes()
    pixels = read_image(data).pixels
    top = 255 if most < 256 else 65535
    assert pixels.dtype == (np.uint8 if most < 256 else np.uint16)
    np.testing.assert_array_equal(pixels, np.floor(values * top / most + 0.5))


def test_larger_values_are_cut_off() -> None:
    assert read_image(b"P5 3 1 100\n" + bytes([50, 100, 250])).pixels.tolist() == [[128, 255, 255]]


def test_bitmaps(rng: np.random.Generator) -> None:
    """In a PBM 1 is black."""
    bits = rng.integers(0, 2, (6, 11), np.uint8)
    packed = b"P4 11 6\n" + np.packbits(bits, axis=1).tobytes()
    tight = b"P1 11 6\n" + "".join(map(str, bits.ravel())).encode()
    wide = b"P1\n# c\n11 6\n" + "\n".join(" ".join(map(str, row)) for row in bits).encode()
    for data in (packed, tight, wide):
        np.testing.assert_array_equal(read_image(data).pixels, (1 - bits) * 255)


def test_as_pillow_reads_them(rng: np.random.Generator) -> None:
    photo = rng.integers(0, 256, (9, 8, 3), np.uint8)
    for pixels in (photo, photo[..., 0].copy()):
        stream = io.BytesIO()
        PIL.Image.fromarray(pixels).save(stream, "PPM")
        np.testing.assert_array_equal(read_image(stream.getvalue()).pixels, pixels)


@pytest.mark.parametrize("order", ["<", ">"])
def test_floats(order: str) -> None:
    values = np.array([[0.0, 1.0], [2.0, np.inf]], order + "f4")
    data = b"Pf 2 2 " + (b"-1.0\n" if order == "<" else b"1\n") + values[::-1].tobytes()
    assert read_image(data).pixels.tolist() == [[0, 32768], [65535, 65535]]


def test_long_plain_file(rng: np.random.Generator) -> None:
    """Over several blocks, lines of uneven length, comments in between."""
    values = rng.integers(0, 256, (600, 900))
    text = "".join(f"{v}{'  # note 5 6' if i % 1000 == 0 else ''}\n" for i, v in enumerate(values.ravel()))
    data = b"P2 900 600 255\n" + text.encode()
    assert len(data) > 1 << 20
    np.testing.assert_array_equal(read_image(data).pixels, values)


@pytest.mark.parametrize("kind", [b"P5", b"P6", b"P2"])
def test_cut_short(kind: bytes) -> None:
    data = kind + b" 4 4 255 " + (b"7 7 7 7 7" if kind == b"P2" else bytes([7]) * 13)
    with pytest.raises(ReadError, match="allow_truncated=True"):
        read_image(data)
    pixels = read_image(data, allow_truncated=True).pixels
    assert pixels.ravel()[0] == 7
    assert pixels.ravel()[-1] == 0


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"P5 3 3 0 " + bytes(9), "largest value"),
        (b"P5 3 3 70000 " + bytes(9), "largest value"),
        (b"P6 -5 5 255 " + bytes(90), "-5x5"),
        (b"P5 " + b"9" * 400 + b" 1 255 \0", "where a number must be"),
        (b"P5 x y 255 ", "where a number must be"),
        (b"P6 99999 99999 255 ", "99999x99999"),
        (b"P5 3", "cut short"),
        (b"P2" + b" " * 50_000_000, "header does not end"),
        (b"P2 2 1 255 12 ab", "where a value must be"),
        (b"P2 2 1 255 12 -3", "where a value must be"),
        (b"P2 2 1 255 12 9999999999999", "where a value must be"),
        (b"P1 2 2 0 1 2 1", "where a value must be"),
        (b"P3 2000 2000 255\n" + b"1" * 30_000_000, "line without an end"),
        (b"Pf 1 1 0 " + bytes(4), "scale"),
        (b"Pf 1 1 nan " + bytes(4), "scale"),
    ],
)  # fmt: skip
def test_refused(data: bytes, expected: str) -> None:
    with pytest.raises(ReadError, match=expected):
        read_image(data)


@pytest.mark.parametrize("kind", ["P1", "P2", "P3", "P4", "P5", "P6", "Pf", "PF"])
def test_next_to_nothing_of_it_is_there(kind: str) -> None:
    most = "" if kind in ("P1", "P4") else "-1\n" if kind.lower() == "pf" else "65535\n"
    for rest in (b"", b"1 0 ", b"1 0 " * 500):
        for allow in (False, True):
            with pytest.raises(ReadError, match="no part of its picture can be read"):
                read_image(f"{kind}\n13300 13300\n{most}".encode() + rest, allow_truncated=allow)


def test_missing_bits_are_black() -> None:
    assert read_image(b"P1 4 3 0000 00", allow_truncated=True).pixels.tolist() == [
        [255] * 4,
        [255, 255, 0, 0],
        [0] * 4,
    ]
    pixels = read_image(b"P4 8 3\n" + bytes(2), allow_truncated=True).pixels
    assert pixels[:, 0].tolist() == [255, 255, 0]
