from __future__ import annotations

import io

import numpy as np
import PIL.Image
import pytest

from tiepoint.errors import ReadError
from tiepoint.images import convert, read_image
from tiepoint.images.convert import over_gray, to_16_bit


def test_plain_modes(rng: np.random.Generator) -> None:
    photo = rng.integers(0, 256, (11, 13, 3), np.uint8)
    picture = PIL.Image.fromarray(photo)
    np.testing.assert_array_equal(read_image(picture).pixels, photo)
    gray = picture.convert("L")
    np.testing.assert_array_equal(read_image(gray).pixels, np.asarray(gray))
    bits = picture.convert("1")
    assert set(np.unique(read_image(bits).pixels)) == {0, 255}
    np.testing.assert_array_equal(read_image(picture.convert("RGBX")).pixels, photo)


@pytest.mark.parametrize(("mode", "most"), [("CMYK", 0), ("YCbCr", 3), ("HSV", 6), ("LAB", 12)])
def test_colour_spaces(rng: np.random.Generator, mode: str, most: int) -> None:
    """There and back: what is left is rounding."""
    photo = rng.integers(60, 200, (11, 13, 3), np.uint8)
    if mode == "LAB":
        ImageCms = pytest.importorskip("PIL.ImageCms")
        rgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        picture = ImageCms.profileToProfile(PIL.Image.fromarray(photo), rgb, lab, outputMode="LAB")
    else:
        picture = PIL.Image.fromarray(photo).convert(mode)
    assert np.abs(read_image(picture).pixels.astype(int) - photo).max() <= most


@pytest.mark.parametrize("mode", ["I;16", "I;16L", "I;16B"])
def test_16_bits(rng: np.random.Generator, mode: str) -> None:
    values = rng.integers(0, 65536, (5, 6), np.uint16)
    raw = values.astype(">u2" if mode == "I;16B" else "<u2").tobytes()
    pixels = read_image(PIL.Image.frombytes(mode, (6, 5), raw)).pixels
    assert pixels.dtype == np.dtype(np.uint16)
    np.testing.assert_array_equal(pixels, values)


def test_palettes() -> None:
    picture = PIL.Image.new("P", (2, 1))
    picture.putpalette([1, 2, 3, 250, 0, 9])
    picture.putpixel((1, 0), 1)
    assert read_image(picture).pixels.tolist() == [[[1, 2, 3], [250, 0, 9]]]
    picture.putpalette([7, 7, 7, 200, 200, 200])
    assert read_image(picture).pixels.tolist() == [[7, 200]]
    for transparency in (b"\xff\x00", 1):
        clear = picture.copy()
        clear.info["transparency"] = transparency
        assert read_image(clear).pixels.tolist() == [[[7] * 3, [128] * 3]]
        assert read_image(clear.convert("PA")).pixels.tolist() == [[[7] * 3, [128] * 3]]


def blend(colour: np.ndarray, alpha: np.ndarray, full: int) -> np.ndarray:
    """Blend in floats, over the middle of the range."""
    share = alpha.astype(float) / full
    return np.floor(colour * share + (full + 1) // 2 * (1 - share) + 0.5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [2, 4])
def test_alpha(rng: np.random.Generator, dtype: type, channels: int) -> None:
    full = np.iinfo(dtype).max
    photo = rng.integers(0, full, (1100, 1001, channels), dtype, endpoint=True)  # more than one strip
    photo[:9, :, -1] = 0
    photo[9:18, :, -1] = full
    out = over_gray(photo)
    expected = blend(photo[..., :-1], photo[..., -1:], full)
    np.testing.assert_array_equal(out, expected[..., 0] if channels == 2 else expected)
    assert out.dtype == dtype
    assert out.flags.c_contiguous
    premultiplied = photo.copy()
    premultiplied[..., :-1] = np.rint(photo[..., :-1] * (photo[..., -1:].astype(float) / full))
    again = over_gray(premultiplied, premultiplied=True)
    assert np.abs(again.astype(int) - out).max() <= 1


@pytest.mark.parametrize("mode", ["LA", "La", "RGBA", "RGBa"])
def test_alpha_modes(mode: str) -> None:
    base = PIL.Image.new("RGBA", (2, 1), (40, 40, 40, 255))
    base.putpixel((1, 0), (9, 9, 9, 0))
    picture = base.convert("LA").convert("La") if mode == "La" else base.convert(mode)
    assert read_image(picture).pixels.reshape(2, -1)[:, 0].tolist() == [40, 128]


def test_opaque_alpha_changes_nothing(rng: np.random.Generator) -> None:
    photo = rng.integers(0, 256, (5, 6, 4), np.uint8)
    photo[..., 3] = 255
    out = over_gray(photo)
    np.testing.assert_array_equal(out, photo[..., :3])
    assert not np.shares_memory(out, photo)


def test_integers() -> None:
    inside = np.array([[0, 5], [65535, 9]], np.int32)
    np.testing.assert_array_equal(to_16_bit(inside), inside)
    assert to_16_bit(np.array([[-1, 0, 1]], np.int32)).tolist() == [[0, 32768, 65535]]
    assert to_16_bit(np.array([[0, 70000]], np.int32)).tolist() == [[0, 65535]]
    assert to_16_bit(np.full((2, 2), -7, np.int32)).tolist() == [[0, 0], [0, 0]]


def test_floats() -> None:
    nan, inf = np.nan, np.inf
    assert to_16_bit(np.array([[2.0, 3.0, 4.0, nan, inf, -inf]])).tolist() == [[0, 32768, 65535, 0, 65535, 0]]
    assert to_16_bit(np.array([[5.0, 5.0, nan, inf]])).tolist() == [[0, 0, 0, 65535]]
    most = np.finfo(np.float64).max
    assert to_16_bit(np.array([[-most, 0.0, most]])).tolist() == [[0, 32768, 65535]]
    tiny = np.array([[0, 1e-45]], np.float32)
    assert to_16_bit(tiny).tolist() == [[0, 65535]]
    with pytest.raises(ReadError, match="no finite value"):
        read_image(PIL.Image.fromarray(np.full((2, 2), nan, np.float32)))


def test_nothing_is_shared_with_a_pillow_image(rng: np.random.Generator) -> None:
    picture = PIL.Image.fromarray(rng.integers(0, 256, (5, 6, 3), np.uint8))
    pixels = read_image(picture).pixels
    before = pixels.copy()
    picture.paste((0, 0, 0), (0, 0, 6, 5))
    np.testing.assert_array_equal(pixels, before)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"])
def test_every_result_is_contiguous(mode: str) -> None:
    picture = PIL.Image.new("L", (7, 5), 77).convert(mode)
    stream = io.BytesIO()
    picture.save(stream, "TIFF")
    for source in (picture, stream.getvalue()):
        pixels = read_image(source).pixels
        assert pixels.flags.c_contiguous
        assert pixels.shape[:2] == (5, 7)


def test_blending_divides_exactly() -> None:
    """Every colour over every alpha of 8 bits; of 16 the edges, held against whole numbers without limits."""
    colour, alpha = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
    out = over_gray(np.stack([colour, alpha], axis=2))
    c, a = colour.astype(object), alpha.astype(object)
    np.testing.assert_array_equal(out, (c * a + 128 * (255 - a) + 127) // 255)
    edges = np.array([*range(300), *range(32600, 32900), *range(65236, 65536)], np.uint16)
    colour, alpha = np.meshgrid(edges, edges)
    out = over_gray(np.stack([colour, alpha], axis=2))
    c, a = colour.astype(object), alpha.astype(object)
    np.testing.assert_array_equal(out, (c * a + 32768 * (65535 - a) + 32767) // 65535)


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P"])
def test_strips_of_a_pillow_image(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    photo = rng.integers(0, 256, (37, 11, 4), np.uint8)
    photo[:10, :, 3] = 0
    photo[10:20, :, 3] = 255
    picture = PIL.Image.fromarray(photo)
    picture = picture.quantize(20) if mode == "P" else picture.convert(mode)
    whole = read_image(picture).pixels
    monkeypatch.setattr(convert, "_STRIP_PIXELS", 30)
    np.testing.assert_array_equal(read_image(picture).pixels, whole)
    np.testing.assert_array_equal(
        over_gray(np.asarray(picture.convert("RGBA"))), np.atleast_3d(whole) + np.zeros(3, np.uint8)
    )
