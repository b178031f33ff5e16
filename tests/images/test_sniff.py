from __future__ import annotations

import io

import PIL.Image
import pytest

from tiepoint.images.limits import RefusedError
from tiepoint.images.sniff import FORMATS, recognise


@pytest.mark.parametrize(
    ("form", "name"),
    [("JPEG", "JPEG"), ("MPO", "JPEG"), ("PNG", "PNG"), ("WEBP", "WebP"), ("TIFF", "TIFF"), ("BMP", "BMP"),
     ("PPM", "PNM"), ("GIF", "GIF"), ("AVIF", "AVIF")],
)  # fmt: skip
def test_formats(form: str, name: str) -> None:
    stream = io.BytesIO()
    PIL.Image.new("RGB", (16, 16)).save(stream, form)
    assert recognise(stream.getvalue()[:4096]) == name


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "AVIF"),
        (b"\0\0\0\x10ftypmsf1\0\0\0\0", "HEIC"),
        (b"MM\0+\0\x08", "TIFF"),
        (b"P5\n", "PNM"),
        (b"P5#", "PNM"),
        (b"Pf\n", "PNM"),
    ],
)
def test_heads(head: bytes, name: str) -> None:
    assert recognise(head) == name


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"%PDF-1.7", "a PDF document"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"\xff\x0a\xfa", "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "a camera RAW file"),
        (b"FUJIFILMCCD-RAW 0201", "a camera RAW file"),
        (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2", "a video"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "a video"),
        (b"RIFF\0\0\0\0AVI LIST", "a video"),
        (b"8BPS\0\1", "a Photoshop document"),
        (b'<?xml version="1.0"?><svg/>', "an SVG drawing"),
        (b"\xef\xbb\xbf\n <SVG>", "an SVG drawing"),
        (b"<!DOCTYPE html><html>", "an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer"),
        (b"just some words\n", "plain text"),
        (b"Plain text with a P", "plain text"),
        (b"\x93NUMPY\1\0", "a NumPy array"),
        (b"PK\x03\x04", "a ZIP archive"),
        (bytes(128) + b"DICM", "DICOM"),
        (bytes(100), "its format is not known"),
        (b"", "it is empty"),
    ],
)
def test_what_is_not_read_is_named(head: bytes, what: str) -> None:
    with pytest.raises(RefusedError, match=what) as caught:
        recognise(head)
    if head:
        assert all(name in str(caught.value) for name in FORMATS)
