"""The door: sources, names, options, turning upright, threads, and Pillow's settings left alone."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
import PIL.ImageFile
import pytest
from numpy.typing import NDArray

from tiepoint.errors import DataError, MissingError, OptionError, ReadError, TiepointError, printable
from tiepoint.images import read as read_module
from tiepoint.images import read_image

Photo = NDArray[Any]


@pytest.fixture
def photo(rng: np.random.Generator) -> Photo:
    return rng.integers(0, 256, (24, 40, 3), np.uint8)


def encoded(pixels: Photo, form: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    PIL.Image.fromarray(pixels).save(stream, form, **options)
    return stream.getvalue()


def sentence(source: Any, **options: Any) -> str:
    with pytest.raises(TiepointError) as caught:
        read_image(source, **options)
    text = str(caught.value)
    assert text.isprintable(), "one line, nothing that moves a cursor"
    assert " object at 0x" not in text
    return text


@pytest.mark.parametrize(
    "name", ["two words.png", "Дом und Hütte 建物.png", "-leading.png", "no_extension", "lie.jpg"]
)
def test_names(photo: Photo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(encoded(photo, "PNG"))
    for source in (name, Path(name)):
        image = read_image(source)
        np.testing.assert_array_equal(image.pixels, photo)
        assert image.path == name
        assert image.exif is None


def test_sources_in_memory(photo: Photo) -> None:
    data = encoded(photo, "PNG")
    image = read_image(data)
    for source in (data, bytearray(data), memoryview(data), io.BytesIO(data)):
        image = read_image(source)
        np.testing.assert_array_equal(image.pixels, photo)
        assert image.path is None
    assert read_image(image) is image
    np.testing.assert_array_equal(read_image(photo).pixels, photo)
    np.testing.assert_array_equal(read_image(PIL.Image.fromarray(photo)).pixels, photo)


def test_file_object_is_read_from_where_it_stands(photo: Photo, tmp_path: Path) -> None:
    path = tmp_path / "joined.bin"
    path.write_bytes(b"12345" + encoded(photo, "PNG"))
    with path.open("rb") as file:
        file.seek(5)
        np.testing.assert_array_equal(read_image(file).pixels, photo)
        assert not file.closed
        assert "it is empty" in sentence(file)
    assert "joined.bin: it cannot be read: read of closed file" in sentence(file)


class _Trickle:
    """A stream that gives one byte at a time and cannot seek, like a slow socket."""

    def __init__(self, data: bytes) -> None:
        self.rest = io.BytesIO(data)

    def read(self, size: int) -> bytes:
        return self.rest.read(min(size, 1))


def test_stream_that_gives_pieces(photo: Photo) -> None:
    stream: Any = _Trickle(encoded(photo, "PNG"))
    np.testing.assert_array_equal(read_image(stream).pixels, photo)


def test_text_stream() -> None:
    text = sentence(io.StringIO("text"))
    assert text == "the given file object: it is open as text; open it with mode 'rb'"


class _Reads:
    """A stream whose read() does what it is told."""

    def __init__(self, what: object) -> None:
        self.what = what

    def read(self, _: int) -> object:
        if isinstance(self.what, Exception):
            raise self.what
        return self.what


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (ZeroDivisionError("division by zero"), "it cannot be read: ZeroDivisionError: division by zero"),
        (KeyError(), "it cannot be read: KeyError"),
        (OSError(5, "Input/output error"), "it cannot be read: Input/output error"),
        (ValueError("read of closed file"), "it cannot be read: read of closed file"),
        (5, "its read() gives int instead of bytes"),
        ([1, 2], "its read() gives list instead of bytes"),
        (None, "it is empty"),
    ],
)
def test_stream_that_fails(what: object, expected: str) -> None:
    assert sentence(_Reads(what)).startswith(f"the given file object: {expected}")


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda p: p / "gone.jpg", "gone.jpg: there is no such file"),
        (lambda p: p, "this is a folder"),
        (lambda p: p / "empty.jpg", "empty.jpg: it is empty"),
        (lambda p: p / "empty.jpg" / "x.jpg", "it cannot be read"),
        (lambda _: "https://example.org/a.jpg", "nothing is fetched from the network"),
        (lambda _: "", "the given path: it is empty"),
        (lambda _: "nul\0.jpg", r"nul\x00.jpg: it cannot be read: embedded null byte"),
        (lambda _: "x" * 5000 + ".jpg", "xxx.jpg: it cannot be read: File name too long"),
        (lambda p: p / "gnp\u202egpj.\u2028exe", r"gnp\u202egpj.\u2028exe: there is no such file"),
        (lambda p: p / "\x1b[31mred\nline.jpg", r"\x1b[31mred\nline.jpg: there is no such file"),
        (lambda p: os.fsdecode(os.fsencode(p) + b"/\xff.jpg"), r"\udcff.jpg: there is no such file"),
    ],
)
def test_what_is_no_photo(tmp_path: Path, make: Callable[[Path], object], expected: str) -> None:
    (tmp_path / "empty.jpg").touch()
    assert expected in sentence(make(tmp_path))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are of Unix")
def test_pipes_and_devices_do_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    for path in (tmp_path / "pipe.jpg", "/dev/zero", "/dev/tty"):
        assert "not a regular file" in sentence(path)


def test_names_in_messages_are_not_long() -> None:
    text = sentence("a" * 5000 + ".jpg")
    assert len(text) < 400
    assert text.startswith("aaa")
    assert "aaa...aaa" in text
    assert printable("\x1b]0;\u2066x\u200b\n é 建 \udcff") == r"\x1b]0;\u2066x\u200b\n é 建 \udcff"
    assert len(printable("b" * 999)) == 999


def test_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photo: Photo) -> None:
    monkeypatch.chdir(tmp_path)
    assert sentence("-") == "-: photos are not read from standard input; save it to a file first"
    Path("-").write_bytes(encoded(photo, "PNG"))
    assert read_image("-").size == (40, 24)


@pytest.mark.skipif(not Path("/dev/stdin").exists(), reason="of Unix")
def test_standard_input_by_its_path() -> None:
    code = "import tiepoint as tp\ntry: tp.read_image('/dev/stdin')\nexcept tp.ReadError as e: print(e)"
    done = subprocess.run(
        [sys.executable, "-c", code], input="x", capture_output=True, text=True, check=True, timeout=60
    )
    assert (
        done.stdout.strip() == "/dev/stdin: photos are not read from standard input; save it to a file first"
    )


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "private.jpg"
    path.touch(mode=0)
    assert "private.jpg: it may not be read" in sentence(path)


@pytest.mark.parametrize("source", [None, 5, ["a.jpg"], {"a": 1}])
def test_no_source(source: object) -> None:
    assert "not as" in sentence(source)


def test_options(photo: Photo) -> None:
    data = encoded(photo, "PNG")
    for wrong in (0, -1, 1.5, "many", None):
        with pytest.raises(OptionError, match="max_pixels"):
            read_image(data, max_pixels=wrong)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="allow_truncated must be True or False"):
        read_image(data, allow_truncated=np.array([True, False]))  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="channels must be one of gray, rgb, bgr, rgba, bgra"):
        read_image(photo, channels="bgrr")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="leave it out"):
        read_image(data, channels="bgr")
    with pytest.raises(DataError, match="has 3"):
        read_image(photo, channels="rgba")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WebP", "TIFF", "BMP", "PPM", "GIF", "AVIF"])
def test_size_is_checked_for_every_format(photo: Photo, form: str) -> None:
    data = encoded(photo, form)
    assert read_image(data, max_pixels=960).size == (40, 24)
    text = sentence(data, max_pixels=959)
    assert "40x24" in text
    assert "raise max_pixels" in text
    if form != "AVIF":  # it has no picture to be found in so little
        assert "the given bytes: " in sentence(data[: len(data) // 2])


def test_a_file_too_long_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "endless.ppm"
    with path.open("wb") as file:
        file.write(b"P6 10 10 255\n")
        file.truncate(1 << 33)  # sparse: it takes no room
    assert "longer than 0.1 GB" in sentence(path, max_pixels=1000)
    assert "longer than 1.5 GB" in sentence(path)


# Each of the eight ways a camera may store a picture, as in the EXIF standard: row 0 and column 0 of
# what is stored are the named sides of what is seen.
STORED: dict[int, Callable[[Photo], Photo]] = {
    1: lambda p: p,
    2: np.fliplr,
    3: lambda p: np.rot90(p, 2),
    4: np.flipud,
    5: lambda p: p.swapaxes(0, 1),
    6: lambda p: np.rot90(p, 1),
    7: lambda p: np.rot90(p, 2).swapaxes(0, 1),
    8: lambda p: np.rot90(p, -1),
}


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WebP", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_once(photo: Photo, tmp_path: Path, form: str, orientation: int) -> None:
    exif = PIL.Image.Exif()
    exif[274] = orientation
    stored = np.ascontiguousarray(STORED[orientation](photo))
    options = {"lossless": True} if form == "WebP" else {"quality": 100} if form == "JPEG" else {}
    data = encoded(stored, form, exif=exif, **options)
    image = read_image(data)
    assert image.size == (40, 24)
    assert image.pixels.flags.c_contiguous
    if form == "TIFF":
        assert orientation == 1 or image.exif is not None
    else:
        assert image.exif is not None
        assert image.exif.orientation == orientation
    if form == "JPEG":
        path = tmp_path / "turned.jpg"
        path.write_bytes(data)
        theirs = cv2.imread(str(path))
        assert theirs is not None
        np.testing.assert_array_equal(image.pixels, theirs[..., ::-1])
    else:
        np.testing.assert_array_equal(image.pixels, photo)
    with PIL.Image.open(io.BytesIO(data)) as opened:
        np.testing.assert_array_equal(read_image(opened).pixels, image.pixels)


def test_orientation_out_of_range_is_none(photo: Photo) -> None:
    exif = PIL.Image.Exif()
    exif[274] = 99
    image = read_image(encoded(photo, "PNG", exif=exif))
    np.testing.assert_array_equal(image.pixels, photo)
    assert image.exif is not None
    assert image.exif.orientation == 1


def test_pillow_image_is_left_as_it_was(photo: Photo) -> None:
    picture = PIL.Image.fromarray(photo).convert("CMYK")
    before = picture.tobytes()
    read_image(picture)
    assert picture.mode == "CMYK"
    assert picture.tobytes() == before
    assert "the given Pillow image: it has 40x24 pixels (960 pixels), more" in sentence(
        picture, max_pixels=10
    )
    assert "the given Pillow image: it has 0x5 pixels, which is no" in sentence(PIL.Image.new("L", (0, 5)))


def test_pillow_image_of_a_broken_file(photo: Photo) -> None:
    data = encoded(photo, "JPEG")
    with PIL.Image.open(io.BytesIO(data[:-200])) as opened:
        assert "the given Pillow image: it is damaged" in sentence(opened)


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RecursionError("deep"), OverflowError(), SyntaxError("x\ny"), EOFError(), KeyError(3),
     AttributeError("a"), ZeroDivisionError(), UserWarning("w"), AssertionError()],
    ids=lambda e: type(e).__name__,
)  # fmt: skip
def test_whatever_a_decoder_raises_becomes_a_sentence(
    photo: Photo, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setitem(read_module._DECODERS, "PNG", fail)
    text = sentence(encoded(photo, "PNG"))
    assert "not enough memory" in text if isinstance(error, MemoryError) else "it is damaged" in text


def test_ctrl_c_passes(photo: Photo, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(read_module._DECODERS, "PNG", stop)
    with pytest.raises(KeyboardInterrupt):
        read_image(encoded(photo, "PNG"))


def test_threads_do_not_disturb_each_other_nor_pillow(photo: Photo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole and cut files, low and high limits, all at once; Pillow's own limits are set very low."""
    settings = (PIL.Image, "MAX_IMAGE_PIXELS", 100), (PIL.ImageFile, "LOAD_TRUNCATED_IMAGES", False)
    for module, name, value in settings:
        monkeypatch.setattr(module, name, value)
    filters = list(warnings.filters)
    whole = encoded(np.kron(photo, np.ones((8, 8, 1), np.uint8)), "JPEG", quality=90)
    cut = whole[: len(whole) // 2]
    expected = read_image(whole).pixels
    half = read_image(cut, allow_truncated=True).pixels
    others = {form: encoded(photo, form) for form in ("PNG", "TIFF", "GIF", "WebP", "BMP", "PPM", "AVIF")}
    read_others = {form: read_image(data).pixels for form, data in others.items()}
    start = threading.Barrier(16)

    def work(worker: int) -> None:
        start.wait()
        for _ in range(10):
            if worker % 4 == 0:
                np.testing.assert_array_equal(read_image(cut, allow_truncated=True).pixels, half)
            elif worker % 4 == 1:
                assert "cut short" in sentence(cut)
            elif worker % 4 == 2:
                assert "max_pixels" in sentence(whole, max_pixels=50)
                np.testing.assert_array_equal(read_image(whole).pixels, expected)
            else:
                for form, data in others.items():
                    np.testing.assert_array_equal(read_image(data).pixels, read_others[form])
            assert (PIL.Image.MAX_IMAGE_PIXELS, PIL.ImageFile.LOAD_TRUNCATED_IMAGES) == (100, False)

    with ThreadPoolExecutor(16) as pool:
        for done in [pool.submit(work, worker) for worker in range(16)]:
            done.result()
    assert warnings.filters == filters


def test_pillow_knows_no_more_formats_than_before() -> None:
    pytest.importorskip("pillow_heif")
    known = set(PIL.Image.OPEN)
    sentence(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    assert not {"HEIF", "HEIC"} & (set(PIL.Image.OPEN) - known)


def test_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(MissingError, match=r"pip install 'tiepoint\[heif\]'"):
        read_image(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")


def test_errors_keep_their_cause(tmp_path: Path) -> None:
    with pytest.raises(ReadError) as caught:
        read_image(tmp_path / "gone.jpg")
    assert isinstance(caught.value.__cause__, FileNotFoundError)


def test_photos_are_as_opencv_reads_them(data: Path) -> None:
    """To the bit: the keypoints of a photo must not depend on who read it."""
    photos = sorted(p for p in (data / "pairs").rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    assert len(photos) >= 26
    for path in photos:
        pixels = read_image(path).pixels
        theirs = cv2.imread(str(path), cv2.IMREAD_COLOR if pixels.ndim == 3 else cv2.IMREAD_GRAYSCALE)
        assert theirs is not None
        np.testing.assert_array_equal(pixels, theirs[..., ::-1] if pixels.ndim == 3 else theirs, str(path))
