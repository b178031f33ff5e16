"""Which format bytes are in: their first bytes decide, never the name of the file."""

from __future__ import annotations

from typing import Literal, get_args

from tiepoint.images.limits import RefusedError

Format = Literal["JPEG", "PNG", "WebP", "TIFF", "BMP", "PNM", "GIF", "HEIC", "AVIF"]
FORMATS: tuple[Format, ...] = get_args(Format)

HEAD = 4096
"""How many bytes :func:`recognise` wants to see."""

_MAGIC: tuple[tuple[bytes, Format], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG", "PNG"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
)

# Every codec is a way in for a hostile file: what no camera, scanner or satellite writes stays out,
# but a person is told what the file is.
_OTHER: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF", "a PDF document"),
    (0, b"%!PS", "a PostScript document"),
    (0, b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\0\0\0\x0cJXL ", "JPEG XL"),
    (0, b"II\xbc", "JPEG XR"),
    (0, b"FUJIFILMCCD-RAW", "a camera RAW file"),
    (0, b"IIRO", "a camera RAW file"),
    (0, b"IIRS", "a camera RAW file"),
    (0, b"MMOR", "a camera RAW file"),
    (0, b"IIU\0", "a camera RAW file"),
    (0, b"FOVb", "a camera RAW file"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"gimp xcf", "a GIMP document"),
    (0, b"P7", "a PAM file"),
    (0, b"DDS ", "a DDS texture"),
    (0, b"BLP", "a BLP texture"),
    (0, b"qoif", "QOI"),
    (0, b"icns", "an Apple icon"),
    (0, b"\0\0\1\0", "a Windows icon"),
    (0, b"\0\0\2\0", "a Windows cursor"),
    (0, b"\x01\xda", "SGI"),
    (0, b"\x0a\x05\x01", "PCX"),
    (4, b"\x11\xaf", "an FLI animation"),
    (4, b"\x12\xaf", "an FLC animation"),
    (0, b"v/1\x01", "OpenEXR"),
    (0, b"#?RADIANCE", "Radiance HDR"),
    (0, b"SIMPLE  =", "FITS"),
    (128, b"DICM", "DICOM"),
    (0, b"\x89HDF", "HDF5"),
    (0, b"CDF", "NetCDF"),
    (0, b"\x93NUMPY", "a NumPy array; load it with numpy.load and give the array"),
    (0, b"PK\x03\x04", "a ZIP archive; unpack it first"),
    (0, b"\x1f\x8b", "a gzip archive; unpack it first"),
    (0, b"\x1aE\xdf\xa3", "a video"),
    (0, b"\0\0\1\xba", "a video"),
    (0, b"\0\0\1\xb3", "a video"),
    (8, b"AVI LIST", "a video"),
    (0, b"version https://git-lfs", "a Git LFS pointer; fetch the file itself with git lfs pull"),
)

_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_MARKUP = ((b"<svg", "an SVG drawing"), (b"<!doctype html", "an HTML page"), (b"<html", "an HTML page"),
           (b"<?xml", "an XML document"))  # fmt: skip


def recognise(head: bytes) -> Format:
    """Return the format of a file that begins with ``head``.

    Raises
    ------
    RefusedError
        If it is none of :data:`FORMATS`; the reason names what it is where that can be told.
    """
    if not head:
        raise RefusedError("it is empty")
    for magic, name in _MAGIC:
        # The second: a file that was cut short already there.
        if head.startswith(magic) or (1 < len(head) < len(magic) and magic.startswith(head)):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head[:1] == b"P" and head[1:2] in b"123456fF" and (head[2:3].isspace() or head[2:3] == b"#"):
        return "PNM"
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    what = _other(head)
    raise RefusedError(
        f"{'it is ' + what if what else 'its format is not known'}; "
        f"photos are read from {', '.join(FORMATS[:-1])} and {FORMATS[-1]}"
    )


def _by_brand(head: bytes) -> Format:
    length = min(max(int.from_bytes(head[:4], "big"), 12), len(head))
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, length - 3, 4))]
    for brand in brands:
        if brand in _HEIC_BRANDS:
            return "HEIC"
        if brand in (b"avif", b"avis"):
            return "AVIF"
    if brands[0] in (b"mif1", b"msf1"):
        return "HEIC"
    what = "a camera RAW file" if brands[0] == b"crx " else "a video"
    raise RefusedError(f"it is {what}; photos are read from {', '.join(FORMATS[:-1])} and {FORMATS[-1]}")


def _other(head: bytes) -> str | None:
    for offset, magic, name in _OTHER:
        if head.startswith(magic, offset):
            return name
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for start, name in _MARKUP:
        if text.startswith(start):
            return "an SVG drawing" if b"<svg" in text else name
    if not any(byte < 9 or 13 < byte < 32 or byte == 127 for byte in head):
        return "plain text"
    return None
