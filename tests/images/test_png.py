from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import cv2
import numpy as np
import PIL.Image
import PIL.PngImagePlugin
import pytest
from numpy.typing import NDArray

from tiepoint.errors import ReadError
from tiepoint.images import png as png_module
from tiepoint.images import png_rows, read_image
from tiepoint.images.png_rows import measure, passes, unpacked_size

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(name: bytes, body: bytes, *, crc: int | None = None) -> bytes:
    checksum = zlib.crc32(name + body) if crc is None else crc
    return struct.pack(">L", len(body)) + name + body + struct.pack(">L", checksum)


def header(width: int, height: int, depth: int, colour: int, interlace: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">LLBBBBB", width, height, depth, colour, 0, 0, interlace))


def png(samples: NDArray[Any], depth: int, colour: int, *between: bytes) -> bytes:
    """Write a PNG by hand, without filters: independent of Pillow and of the reader."""
    height, width = samples.shape[:2]
    if depth == 16:
        rows = samples.astype(">u2").reshape(height, -1).view(np.uint8)
    elif depth == 8:
        rows = samples.astype(np.uint8).reshape(height, -1)
    else:
        bits = (samples[..., None] >> np.arange(depth - 1, -1, -1)) & 1
        rows = np.packbits(bits.reshape(height, -1).astype(np.uint8), axis=1)
    raw = np.hstack([np.zeros((height, 1), np.uint8), rows]).tobytes()
    return b"".join([SIGNATURE, header(width, height, depth, colour), *between,
                     chunk(b"IDAT", zlib.compress(raw)), chunk(b"IEND", b"")])  # fmt: skip


def saved(pixels: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    PIL.Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_depth_is_kept(rng: np.random.Generator, channels: int, dtype: type) -> None:
    """OpenCV writes the file with all its filters; alpha is full."""
    photo = rng.integers(0, np.iinfo(dtype).max, (30, 41, channels), dtype, endpoint=True)
    photo[..., 3:] = np.iinfo(dtype).max
    _, data = cv2.imencode(".png", photo, [cv2.IMWRITE_PNG_COMPRESSION, 6])
    pixels = read_image(data.tobytes()).pixels
    assert pixels.dtype == dtype
    np.testing.assert_array_equal(pixels, photo[..., 0] if channels == 1 else photo[..., 2::-1])


def test_gray_with_alpha_in_16_bits(rng: np.random.Generator) -> None:
    samples = rng.integers(0, 65536, (9, 7, 2), np.uint16)
    samples[:4, :, 1] = 65535
    samples[4:, :, 1] = 0
    pixels = read_image(png(samples, 16, 4)).pixels
    np.testing.assert_array_equal(pixels[:4], samples[:4, :, 0])
    assert (pixels[4:] == 32768).all()


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_few_bits(rng: np.random.Generator, depth: int) -> None:
    samples = rng.integers(0, 1 << depth, (9, 13), np.uint8)
    pixels = read_image(png(samples, depth, 0)).pixels
    np.testing.assert_array_equal(pixels, samples * (255 // ((1 << depth) - 1)))


@pytest.mark.parametrize(("depth", "colour"), [(1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (8, 2), (16, 2)])
def test_the_transparent_colour_becomes_middle_gray(
    rng: np.random.Generator, depth: int, colour: int
) -> None:
    shape = (9, 13) if colour == 0 else (9, 13, 3)
    samples = rng.integers(0, 1 << depth, shape, np.uint16)
    key = samples[4, 5]
    rule = chunk(b"tRNS", np.atleast_1d(key).astype(">u2").tobytes())
    pixels = read_image(png(samples, depth, colour, rule)).pixels
    hit = samples == key if colour == 0 else (samples == key).all(axis=2)
    assert (pixels[hit] == (32768 if depth == 16 else 128)).all()
    scale = 255 // ((1 << depth) - 1) if depth < 8 else 1
    np.testing.assert_array_equal(pixels[~hit], samples[~hit] * scale)


def test_palette_with_transparency() -> None:
    samples = np.array([[0, 1, 2]], np.uint8)
    colours = chunk(b"PLTE", bytes([10, 20, 30, 200, 100, 50, 0, 0, 255]))
    pixels = read_image(png(samples, 8, 3, colours, chunk(b"tRNS", bytes([255, 0, 128])))).pixels
    # The last: (0 * 128 + 128 * 127) / 255 and (255 * 128 + 128 * 127) / 255, rounded.
    assert pixels.tolist() == [[[10, 20, 30], [128, 128, 128], [64, 64, 192]]]


def test_checksums(rng: np.random.Generator) -> None:
    """A wrong one of header, palette or picture is damage (Pillow reads on), of anything else it is not."""
    samples = rng.integers(0, 256, (5, 6), np.uint8)
    good = png(samples, 8, 0)
    odd = png(
        samples, 8, 0, chunk(b"tEXt", b"a\0b", crc=1), chunk(b"gAMA", b"", crc=2), chunk(b"iCCP", b"x\0\7")
    )
    np.testing.assert_array_equal(read_image(odd).pixels, samples)
    at = good.index(b"IDAT")
    bad = good[: at - 4] + chunk(b"IDAT", zlib.compress(b"\0" * 35), crc=3) + chunk(b"IEND", b"")
    with pytest.raises(ReadError, match="checksum of its picture is wrong"):
        read_image(bad)
    with pytest.raises(ReadError, match="checksum of its header is wrong"):
        read_image(good[:29] + b"\0\0\0\0" + good[33:])


def test_text_bombs_are_not_unpacked(rng: np.random.Generator) -> None:
    samples = rng.integers(0, 256, (5, 6), np.uint8)
    bomb = chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(100_000_000)))
    np.testing.assert_array_equal(read_image(png(samples, 8, 0, *[bomb] * 100)).pixels, samples)


def test_animated_gives_its_default_picture(rng: np.random.Generator) -> None:
    first = rng.integers(0, 256, (8, 8, 3), np.uint8)
    stream = io.BytesIO()
    second = PIL.Image.fromarray(255 - first)
    PIL.Image.fromarray(first).save(stream, "PNG", save_all=True, append_images=[second])
    np.testing.assert_array_equal(read_image(stream.getvalue()).pixels, first)


def test_animation_claims_do_not_matter(rng: np.random.Generator) -> None:
    samples = rng.integers(0, 256, (5, 6), np.uint8)
    for claim in (0, 7, 2**32 - 1):
        control = chunk(b"acTL", struct.pack(">LL", claim, 0))
        np.testing.assert_array_equal(read_image(png(samples, 8, 0, control, control)).pixels, samples)


@pytest.mark.parametrize("in_passes", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_cut_short(rng: np.random.Generator, in_passes: bool, dtype: type) -> None:
    photo = rng.integers(0, 256, (64, 50, 3), dtype)
    data = saved(photo) if dtype == np.uint8 else cv2.imencode(".png", photo[..., ::-1])[1].tobytes()
    if in_passes:
        data = interlaced(photo, 2)
    np.testing.assert_array_equal(read_image(data).pixels, photo)
    cut = data[: len(data) // 2]
    with pytest.raises(ReadError, match=r"cut short.*allow_truncated=True"):
        read_image(cut)
    rescued = read_image(cut, allow_truncated=True).pixels
    if in_passes:
        assert (rescued == photo).all(axis=2).mean() > 0.45
    else:
        np.testing.assert_array_equal(rescued[:20], photo[:20])
        assert (rescued[-5:] == 0).all()
    np.testing.assert_array_equal(read_image(data[:-4], allow_truncated=True).pixels, photo)
    with pytest.raises(ReadError, match="no part of its picture"):
        read_image(data[:40], allow_truncated=True)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (SIGNATURE + header(5, 5, 3, 0), "impossible kind"),
        (SIGNATURE + header(5, 5, 8, 7), "impossible kind"),
        (SIGNATURE + header(5, 5, 8, 3) + chunk(b"IEND", b""), "palette is missing"),
        (SIGNATURE + header(5, 5, 8, 0) + chunk(b"IEND", b""), "no picture in it"),
        (SIGNATURE + chunk(b"IDAT", b"") + chunk(b"IEND", b""), "does not begin with its header"),
        (SIGNATURE + header(5, 5, 8, 0) + bytes(50), "no valid chunk"),
        (SIGNATURE.replace(b"\r\n", b"\n") + header(5, 5, 8, 0), "first bytes"),
        (b"\x89PNG", "cut short"),
        (SIGNATURE + header(5, 5, 8, 0) + chunk(b"IDAT", b"junk") + chunk(b"IEND", b""), "damaged"),
        (SIGNATURE + header(0, 5, 8, 0), "0x5"),
        (SIGNATURE + header(2**31, 2**31, 8, 0), "2147483648x2147483648"),
        (SIGNATURE + header(5, 5, 8, 0) + chunk(b"teSt", b"") * 1_000_000, "cut short"),
    ],
)  # fmt: skip
def test_damage(data: bytes, expected: str) -> None:
    with pytest.raises(ReadError, match=expected):
        read_image(data)


def adam7(samples: NDArray[Any]) -> bytes:
    """Return the rows of the seven passes, without filters."""
    starts = (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    )
    rows = (row for x, y, dx, dy in starts for row in samples[y::dy, x::dx] if row.size)
    return b"".join(b"\0" + row.tobytes() for row in rows)


def interlaced(samples: NDArray[Any], colour: int) -> bytes:
    """Write a PNG of 8 or 16 bits in the seven passes of Adam7, by hand."""
    height, width = samples.shape[:2]
    raw = adam7(samples.astype(">u2") if samples.dtype == np.uint16 else samples)
    return b"".join([SIGNATURE, header(width, height, 8 * samples.itemsize, colour, 1),
                     chunk(b"IDAT", zlib.compress(raw)), chunk(b"IEND", b"")])  # fmt: skip


@pytest.mark.parametrize("strip_bytes", [1, 1000, 1 << 22])
@pytest.mark.parametrize("channels", [3, 4])
def test_strips_of_16_bits(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch, channels: int, strip_bytes: int
) -> None:
    """Wherever a strip begins: the filters of its first row look at the row above, in another strip."""
    monkeypatch.setattr(png_rows, "_STRIP_BYTES", strip_bytes)
    slopes = np.cumsum(rng.integers(0, 9, (40, 31, channels)), axis=1) * 150 + 7
    photo = slopes.astype(np.uint16)
    photo[..., 3:] = 65535
    filters = set()
    names = [f"IMWRITE_PNG_FILTER_{name}" for name in ("SUB", "UP", "AVG", "PAETH")]  # of OpenCV 4.12 and up
    for option in [getattr(cv2, name) for name in names if hasattr(cv2, name)] or [None]:
        options = [cv2.IMWRITE_PNG_FILTER, option] if option is not None else []
        data = cv2.imencode(".png", photo, options)[1].tobytes()
        at = data.index(b"IDAT")
        length = int.from_bytes(data[at - 4 : at], "big")
        filters |= set(zlib.decompress(data[at + 4 : at + 4 + length])[:: 1 + 31 * channels * 2])
        np.testing.assert_array_equal(read_image(data).pixels, photo[..., 2::-1])
    assert filters & {1, 2, 3, 4}


@pytest.mark.parametrize(("colour", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(1, 1), (3, 2), (21, 13)])
def test_interlaced(
    rng: np.random.Generator, dtype: type, colour: int, channels: int, size: tuple[int, int]
) -> None:
    samples = rng.integers(0, np.iinfo(dtype).max, (*size, channels), dtype, endpoint=True)
    if colour >= 4:
        samples[..., -1] = np.iinfo(dtype).max
    pixels = read_image(interlaced(samples, colour)).pixels
    seen = samples if colour < 4 else samples[..., :-1]
    np.testing.assert_array_equal(pixels, seen[..., 0] if seen.shape[2] == 1 else seen)


@pytest.mark.parametrize("look_through", [0, 1 << 28])
@pytest.mark.parametrize(("depth", "colour"), [(8, 2), (16, 2), (16, 0), (16, 6), (1, 0)])
@pytest.mark.parametrize("damage", ["tail", "missing", "filter", "empty"])
def test_damaged_to_its_end(
    monkeypatch: pytest.MonkeyPatch, look_through: int, depth: int, colour: int, damage: str
) -> None:
    """The same sentence of ours, whether it is looked through first or met on the way."""
    monkeypatch.setattr(png_module, "_LOOK_THROUGH_BYTES", look_through)
    raw = bytearray(bytes(64 * (1 + (64 * depth * {0: 1, 2: 3, 6: 4}[colour] + 7) // 8)))
    if damage == "filter":
        raw[-len(raw) // 64] = 5
    if damage == "missing":
        del raw[-10:]
    packed = b"" if damage == "empty" else zlib.compress(raw, 0)
    if damage == "tail":
        packed = packed[: len(packed) // 2]
    data = b"".join([SIGNATURE, header(64, 64, depth, colour), chunk(b"IDAT", packed), chunk(b"IEND", b"")])
    for allow in (False, True):  # it is whole: "cut short" would send a person the wrong way
        with pytest.raises(ReadError, match="cannot be unpacked to its end; get a whole copy"):
            read_image(data, allow_truncated=allow)


def test_a_large_one_is_looked_through_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refusing must not take the time and the room of decoding."""

    def decoder(*_: object) -> None:
        raise AssertionError("called")

    monkeypatch.setattr(png_module, "_LOOK_THROUGH_BYTES", 1000)
    monkeypatch.setattr(png_module, "opened", decoder)
    monkeypatch.setattr(png_module, "decode_16", decoder)
    for depth in (8, 16):
        data = SIGNATURE + header(50, 50, depth, 6) + chunk(b"IDAT", zlib.compress(bytes(5000)))
        with pytest.raises(ReadError, match="cannot be unpacked"):
            read_image(data + chunk(b"IEND", b""))


def test_measuring_feeds_each_byte_once(rng: np.random.Generator) -> None:
    raw = np.hstack([np.zeros((1000, 1), np.uint8), rng.integers(0, 256, (1000, 3000), np.uint8)]).tobytes()
    parts = passes(1000, 1000, 24, interlaced=False)
    assert unpacked_size(parts) == len(raw)
    packed = zlib.compress(raw)
    assert measure(packed, parts) == len(raw)
    assert measure(zlib.compress(raw + bytes(99)), parts) == len(raw)
    assert measure(packed, parts, most=1) < 5_000_000
    for part in (0, 1, 2, 100, len(packed) // 2):
        assert measure(packed[:part], parts) == len(zlib.decompressobj().decompress(packed[:part]))


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        ((16, 6), (13300, 13300)),
        ((8, 6, 1), (13300, 13300)),
        ((16, 2), (9500, 9500)),
        ((16, 6), (1, 70_000_000)),
    ],
)
def test_bytes_are_limited_and_not_only_pixels(kind: tuple[int, ...], size: tuple[int, int]) -> None:
    data = SIGNATURE + header(*size, *kind) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    with pytest.raises(ReadError, match=r"unpacks to \d?,?\d+ MB, more than the limit of 534 MB"):
        read_image(data)
    with pytest.raises(ReadError, match="cannot be unpacked"):
        read_image(data, max_pixels=500_000_000)


@pytest.mark.parametrize("kind", [(8, 2), (16, 2), (8, 2, 1), (1, 0), (16, 0)])
def test_next_to_nothing_of_it_is_there(kind: tuple[int, ...]) -> None:
    """A few bytes claim a large picture: it would be black from top to bottom."""
    row = 1 + (9000 * kind[0] * (3 if kind[1] == 2 else 1) + 7) // 8
    for packed in (b"", b"x\x9c", zlib.compress(bytes(row - 1))[:-6], zlib.compress(bytes(80 * row))[:-6]):
        data = SIGNATURE + header(9000, 9000, *kind) + chunk(b"IDAT", packed)[:-4]
        for allow in (False, True):
            with pytest.raises(ReadError, match="no part of its picture can be read"):
                read_image(data, allow_truncated=allow)


@pytest.mark.parametrize("colour", [0, 2, 3, 6])
def test_what_is_missing_is_black(rng: np.random.Generator, colour: int) -> None:
    """Also under alpha, and where the first colour of the palette is another; a row in part is missing."""
    samples = rng.integers(0, 4, (30, 20, {0: 1, 2: 3, 3: 1, 6: 4}[colour]), np.uint8)
    if colour == 6:
        samples[..., 3] = 255
    palette = bytes(range(9, 33)) if colour == 3 else b""
    data = png(samples, 8, colour, *([chunk(b"PLTE", palette)] if palette else []))
    stored = zlib.compress(zlib.decompress(data[data.index(b"IDAT") + 4 : -16]), 0)
    cut = data[: data.index(b"IDAT") - 4] + chunk(b"IDAT", stored)
    rescued = read_image(cut[: -4 - len(stored) // 2], allow_truncated=True).pixels
    whole = read_image(data).pixels
    assert rescued.shape == whole.shape
    np.testing.assert_array_equal(rescued[:14], whole[:14])
    assert not rescued[15:].any()
