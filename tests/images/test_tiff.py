from __future__ import annotations

import io
import struct
from typing import Any, Literal

import cv2
import numpy as np
import PIL.Image
import PIL.TiffImagePlugin
import pytest
from numpy.typing import NDArray

from tiepoint.errors import ReadError
from tiepoint.images import read_image
from tiepoint.images.convert import to_16_bit


def saved(picture: PIL.Image.Image, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "TIFF", **options)
    return stream.getvalue()


def tiff(
    samples: NDArray[Any],
    tags: dict[int, int | tuple[int, ...]],
    order: Literal["<", ">"] = "<",
    *,
    big: bool = False,
) -> bytes:
    """Write an uncompressed TIFF of one strip by hand; ``tags`` are added or replace what is usual."""
    height, width = samples.shape[:2]
    channels = samples.shape[2] if samples.ndim == 3 else 1
    body = samples.astype(samples.dtype.newbyteorder(order)).tobytes()
    start = 16 if big else 8
    all_tags: dict[int, int | tuple[int, ...]] = {
        256: width, 257: height, 258: (8 * samples.dtype.itemsize,) * channels, 259: 1,
        262: 2 if channels > 2 else 1, 273: start, 277: channels, 278: height, 279: len(body), **tags,
    }  # fmt: skip
    offset = start + len(body)
    inline = 8 if big else 4
    count = struct.pack(order + ("Q" if big else "H"), len(all_tags))
    extra_at = offset + len(count) + len(all_tags) * (20 if big else 12) + inline
    entries, extra = b"", b""
    for tag, values in sorted(all_tags.items()):
        numbers = values if isinstance(values, tuple) else (values,)
        data = struct.pack(f"{order}{len(numbers)}L", *numbers)
        if len(data) > inline:
            extra, data = extra + data, struct.pack(order + ("Q" if big else "L"), extra_at + len(extra))
        entries += struct.pack(order + ("HHQ" if big else "HHL"), tag, 4, len(numbers)) + data.ljust(
            inline, b"\0"
        )
    mark = b"II" if order == "<" else b"MM"
    head = mark + (
        struct.pack(order + "HHHQ", 43, 8, 0, offset) if big else struct.pack(order + "HL", 42, offset)
    )
    return head + body + count + entries + bytes(inline) + extra


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_written_by_hand(
    rng: np.random.Generator, dtype: type, channels: int, order: Literal["<", ">"]
) -> None:
    shape = (12, 17) if channels == 1 else (12, 17, channels)
    samples = rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    for big in (False, True) if order == "<" else (False,):
        pixels = read_image(tiff(samples, {}, order, big=big)).pixels
        assert pixels.dtype == np.dtype(dtype)
        np.testing.assert_array_equal(pixels, samples)


@pytest.mark.parametrize("compression", [1, 5, 8, 32773, 32946])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_written_by_opencv(rng: np.random.Generator, dtype: type, channels: int, compression: int) -> None:
    photo = rng.integers(0, np.iinfo(dtype).max, (70, 41, channels), dtype, endpoint=True)
    photo[..., 3:] = np.iinfo(dtype).max
    done, data = cv2.imencode(".tiff", photo, [cv2.IMWRITE_TIFF_COMPRESSION, compression])
    assert done
    pixels = read_image(data.tobytes()).pixels
    np.testing.assert_array_equal(pixels, photo[..., 0] if channels == 1 else photo[..., 2::-1])


def test_jpeg_inside(rng: np.random.Generator) -> None:
    photo = np.kron(rng.integers(0, 256, (6, 8, 3), np.uint8), np.ones((16, 16, 1), np.uint8))
    data = saved(PIL.Image.fromarray(photo), compression="jpeg", quality=95)
    assert np.abs(read_image(data).pixels.astype(int) - photo).mean() < 6


@pytest.mark.parametrize("compression", ["raw", "group4"])
def test_one_bit(rng: np.random.Generator, compression: str) -> None:
    picture = PIL.Image.fromarray(rng.integers(0, 2, (20, 30), np.uint8) * 255).convert("1")
    pixels = read_image(saved(picture, compression=compression)).pixels
    np.testing.assert_array_equal(pixels, np.asarray(picture.convert("L")))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_white_is_zero(rng: np.random.Generator, dtype: type) -> None:
    samples = rng.integers(0, np.iinfo(dtype).max, (5, 6), dtype)
    pixels = read_image(tiff(samples, {262: 0})).pixels
    np.testing.assert_array_equal(pixels, np.iinfo(dtype).max - samples)


def test_float_with_nan_and_infinity() -> None:
    samples = np.array([[-1.0, 0.0, 1.0], [np.nan, np.inf, -np.inf]], np.float32)
    assert read_image(tiff(samples, {339: 3})).pixels.tolist() == [[0, 32768, 65535], [0, 65535, 0]]
    with pytest.raises(ReadError, match="no finite value"):
        read_image(tiff(np.full((2, 2), np.nan, np.float32), {339: 3}))


def test_32_bit_integers() -> None:
    small = np.array([[0, 7], [65535, 300]], np.uint32)
    np.testing.assert_array_equal(read_image(tiff(small, {})).pixels, small)
    large = np.array([[0, 2**31], [2**32 - 1, 0]], np.uint32)
    assert read_image(tiff(large, {})).pixels.tolist() == [[0, 32768], [65535, 0]]


def test_signed_heights() -> None:
    heights = np.array([[-100, 0, 100]], np.int16)
    assert read_image(tiff(heights, {339: 2})).pixels.tolist() == [[0, 32768, 65535]]


def test_alpha_and_extra_channels(rng: np.random.Generator) -> None:
    samples = rng.integers(0, 65536, (5, 6, 4), np.uint16)
    samples[:2, :, 3] = 0
    samples[2:, :, 3] = 65535
    blended = read_image(tiff(samples, {338: 2})).pixels
    assert (blended[:2] == 32768).all()
    np.testing.assert_array_equal(blended[2:], samples[2:, :, :3])
    np.testing.assert_array_equal(read_image(tiff(samples, {338: 0})).pixels, samples[..., :3])


def test_first_page_only(rng: np.random.Generator) -> None:
    pages = [PIL.Image.fromarray(rng.integers(0, 256, (9, 8), np.uint8)) for _ in range(3)]
    data = saved(pages[0], save_all=True, append_images=pages[1:])
    np.testing.assert_array_equal(read_image(data).pixels, np.asarray(pages[0]))


def test_directory_that_points_at_itself(rng: np.random.Generator) -> None:
    samples = rng.integers(0, 256, (5, 6), np.uint8)
    data = bytearray(tiff(samples, {}))
    offset = struct.unpack_from("<L", data, 4)[0]
    struct.pack_into("<L", data, offset + 2 + 9 * 12, offset)
    np.testing.assert_array_equal(read_image(bytes(data)).pixels, samples)


def test_facts_of_the_photo(rng: np.random.Generator) -> None:
    samples = rng.integers(0, 256, (5, 6), np.uint8)
    assert read_image(tiff(samples, {})).exif is None
    base = tiff(samples, {34665: 1})
    shot = struct.pack("<HHHLLL", 1, 37386, 5, 1, len(base) + 18, 0) + struct.pack("<LL", 70, 2)
    image = read_image(tiff(samples, {34665: len(base)}) + shot)
    assert image.exif is not None
    assert image.exif.focal_length == 35.0
    named = PIL.Image.Exif()
    named[271] = "Maker"
    image = read_image(saved(PIL.Image.fromarray(samples), exif=named))
    assert image.exif is not None
    assert image.exif.camera_make == "Maker"


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({262: 6, 277: 3}, "in YCbCr colours"),
        ({50706: 1}, "camera RAW"),
        ({254: 1, 330: 8}, "camera RAW"),
        ({259: 6}, "compression .TIFF number 6. is not read"),
        ({277: 303_169_682}, "303169682 channels"),
        ({258: 5}, "is not read; save it as gray or RGB"),
        ({258: 65535}, "impossible number of bits"),
        ({256: 60000, 257: 60000}, "60000x60000"),
        ({256: 13000, 257: 13000, 278: 13000}, "cut short"),
        ({278: 1}, "parts of its picture are missing"),
        ({259: 5, 279: 10_000}, "cut short"),
        ({259: 8, 258: 64, 256: 13_000, 257: 13_000, 278: 13_000}, "1,352 MB, more than the limit of 534"),
        ({259: 34925, 258: 16, 256: 9_500, 257: 9_500, 278: 9_500}, "180 MB, more than the limit of 178"),
        ({273: 4_000_000_000}, "damaged"),
        ({257: 300_000, 278: 1, 273: (8,) * 300_000, 279: (1,) * 300_000}, "pieces"),
        ({256: 0}, "0x5"),
    ],
)  # fmt: skip
def test_refused(
    tags: dict[int, int | tuple[int, ...]], expected: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ReadError, match=expected):
        read_image(tiff(np.zeros((5, 6), np.uint8), tags))
    assert capfd.readouterr() == ("", ""), "neither libtiff nor Pillow's log may talk on the terminal"


def test_planes(rng: np.random.Generator) -> None:
    photo = rng.integers(0, 256, (5, 6, 3), np.uint8)
    planes = np.ascontiguousarray(photo.transpose(2, 0, 1)).reshape(15, 6)
    layout: dict[int, int | tuple[int, ...]] = {
        257: 5,
        258: (8, 8, 8),
        262: 2,
        277: 3,
        278: 5,
        284: 2,
        273: (8, 38, 68),
        279: (30, 30, 30),
    }
    np.testing.assert_array_equal(read_image(tiff(planes, layout)).pixels, photo)
    wide = planes.astype(np.uint16)
    layout |= {258: (16, 16, 16), 273: (8, 68, 128), 279: (60, 60, 60)}
    with pytest.raises(ReadError, match="colour planes"):
        read_image(tiff(wide, layout))


@pytest.mark.parametrize(
    "data", [b"II*\0", b"II*\0\x08\0\0\0", b"MM\0*\xff\xff\xff\xff", b"II+\0" + bytes(20)]
)
def test_cut_in_its_header(data: bytes) -> None:
    with pytest.raises(ReadError, match="cut short"):
        read_image(data)


def test_one_strip_is_limited_too() -> None:
    tags: dict[int, int | tuple[int, ...]] = {259: 8, 258: 64, 256: 13_000, 257: 13_000, 278: 13_000}
    with pytest.raises(ReadError, match="too large when unpacked"):
        read_image(tiff(np.zeros((5, 6), np.uint8), tags), max_pixels=500_000_000)


@pytest.mark.parametrize("order", ["<", ">"])
def test_colour_in_floats(rng: np.random.Generator, order: Literal["<", ">"]) -> None:
    photo = rng.random((23, 14, 3), np.float32) * 5 - 1
    photo[0, 0] = np.nan, np.inf, -np.inf
    expected = to_16_bit(photo)
    for big in (False, True) if order == "<" else (False,):
        pixels = read_image(tiff(photo, {258: (32,) * 3, 339: (3,) * 3}, order, big=big)).pixels
        np.testing.assert_array_equal(pixels, expected)
    turned = read_image(tiff(photo, {258: (32,) * 3, 339: (3,) * 3, 274: 3}, order)).pixels
    np.testing.assert_array_equal(turned, expected[::-1, ::-1])


@pytest.mark.parametrize("compression", [1, 5, 8])
def test_colour_in_floats_as_opencv_writes_it(rng: np.random.Generator, compression: int) -> None:
    photo = rng.random((130, 71, 3), np.float32)
    options = [cv2.IMWRITE_TIFF_COMPRESSION, compression, cv2.IMWRITE_TIFF_PREDICTOR, 1]
    done, data = cv2.imencode(".tiff", photo, options)
    assert done
    np.testing.assert_array_equal(read_image(data.tobytes()).pixels, to_16_bit(photo[..., ::-1]))


@pytest.mark.parametrize(
    ("dtype", "channels", "tags"),
    [(np.float64, 3, {}), (np.float32, 4, {}), (np.float32, 3, {317: 3}), (np.float32, 3, {262: 8})],
)  # fmt: skip
def test_other_floats_are_refused(dtype: type, channels: int, tags: dict[int, int]) -> None:
    samples: NDArray[Any] = np.zeros((5, 6, channels), dtype)
    bits = (8 * samples.itemsize,) * channels
    with pytest.raises(ReadError, match=r"floats\) is not read; .* in floats of 32 bits without a predictor"):
        read_image(tiff(samples, {258: bits, 339: (3,) * channels, **tags}))
