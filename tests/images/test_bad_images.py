"""224 broken, hostile and odd files: each decodes, or is refused in one sentence, in little time and memory.

Where Pillow and OpenCV disagree, the rules are:

- pixels that are missing, or that their own checksum calls wrong, are refused: a JPEG that is cut short or
  has no end marker, a JPEG whose data breaks off in a broken marker (OpenCV reads these), a PNG whose
  picture has a wrong checksum (Pillow reads it);
- what does not concern the pixels does not matter: EXIF blocks, colour profiles, text, the claims of an
  animation, later frames and pages (either of the two refuses some of these);
- float TIFF is read (OpenCV refuses NaN), CCITT data is read as far as libtiff can (OpenCV refuses what
  has a bad code), run lengths of a BMP are cut off at the end of their row (OpenCV refuses them);
- no more than 178 megapixels (OpenCV takes a gigapixel);
- headers of kinds that do not exist are refused (OpenCV reads one such BMP), and so are Photoshop files
  (Pillow reads them).
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# Runs in a process of its own, with the memory limited, and says for each file what came of it.
RUN = r"""
import json, os, resource, sys, time, warnings
warnings.simplefilter("error")
limit = 3 << 30
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
import tiepoint as tp
tp.read_image
folder = sys.argv[1]
for name in sorted(os.listdir(folder)):
    pid = os.fork()
    if pid == 0:  # the largest memory is counted for each file by itself
        before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
        result = {"file": name}
        try:
            image = tp.read_image(os.path.join(folder, name), allow_truncated=sys.argv[2] == "yes")
            result |= {"size": image.size, "dtype": image.pixels.dtype.name, "ndim": image.pixels.ndim}
        except tp.TiepointError as error:
            result |= {"refused": str(error)}
        except BaseException as error:
            result |= {"escaped": repr(error)}
        result["seconds"] = time.perf_counter() - start
        result["megabytes"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        print(json.dumps(result), flush=True)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if status:
        print(json.dumps({"file": name, "escaped": f"ended with status {status}"}), flush=True)
"""


def run(folder: Path, allow: str) -> dict[str, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(folder), allow],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    # libtiff alone still talks, where CCITT data has a bad code: the terminal is the command line's care.
    assert not [line for line in done.stderr.splitlines() if not line.startswith("Fax")]
    results = [json.loads(line) for line in done.stdout.splitlines()]
    return {result["file"]: result for result in results}


@pytest.fixture(scope="module")
def results(data: Path) -> dict[str, dict[str, Any]]:
    if not hasattr(os, "fork"):
        pytest.skip("memory is limited by way of fork and setrlimit")
    return run(data / "badimages", "no")


@pytest.fixture(scope="module")
def index(data: Path) -> dict[str, dict[str, str]]:
    with (data / "badimages_index.tsv").open(encoding="utf-8", newline="") as file:
        return {row["file"]: row for row in csv.DictReader(file, delimiter="\t")}


def check(results: dict[str, dict[str, Any]]) -> None:
    assert len(results) == 224
    for name, result in results.items():
        assert "escaped" not in result, (name, result)
        if "refused" in result:
            text = result["refused"]
            assert name in text
            assert text.isprintable()
            assert len(text) < 400
            assert "0x7" not in text, "no address of an object"
            assert result["seconds"] <= 2, (name, result)
            assert result["megabytes"] <= 1024, (name, result)


def test_each_alone(results: dict[str, dict[str, Any]]) -> None:
    check(results)


def test_each_alone_with_truncated_files_allowed(data: Path, results: dict[str, dict[str, Any]]) -> None:
    rescued = run(data / "badimages", "yes")
    check(rescued)
    for name, result in results.items():
        assert "refused" in result or rescued[name]["size"] == result["size"]
    more = {name for name in results if "refused" in results[name] and "refused" not in rescued[name]}
    assert {
        "own_jpeg_cut_25pct.jpg",
        "own_jpeg_no_eoi.jpg",
        "own_png_cut_50pct.png",
        "own_pnm_short_data.ppm",
        "pil_truncated_end_chunk.png",
        "pil_truncated_image.png",
        "vips_truncated.jpg",
    } <= more
    assert all("cut short" in results[name]["refused"] for name in more)


# What is decided for each file on which Pillow and OpenCV disagree: None is read, else a word of the refusal.
DISAGREE: dict[str, str | None] = {
    "ljt_github_389_68846842-f95e7180-06cd-1.jpg": "cut short",
    "ljt_github_mozjpeg_268_CVE-2017-15232_001-mozjpeg-quantize_ord.jpg": "cut short",
    "ljt_github_mozjpeg_268_CVE-2017-15232_002-mozjpeg-quantize_ord.jpg": "cut short",
    "ljt_mozilla_1050342_jpeg-image-001.jpg": "broken data stream",
    "ljt_mozilla_1050342_jpeg-image-002.jpg": "cut short",
    "ljt_mozilla_1050342_jpeg-image-003.jpg": "cut short",
    "own_jpeg_bitrot.jpg": "broken data stream",
    "own_jpeg_cut_25pct.jpg": "cut short",
    "own_jpeg_cut_50pct.jpg": "cut short",
    "own_jpeg_cut_95pct.jpg": "cut short",
    "own_jpeg_no_eoi.jpg": "cut short",
    "pil_truncated_jpeg.jpg": "cut short",
    "vips_truncated.jpg": "cut short",
    "own_png_bad_crc.png": "checksum of its picture",
    "own_png_bomb_20000x20000_1bit.png": "400 megapixels",
    "own_tiff_float_nan_inf.tif": None,
    "pil_apng_chunk_no_fctl.png": None,
    "pil_apng_syntax_num_frames_zero_default.png": None,
    "pil_unknown_compression_method.png": None,
    "pil_bmpb_badheadersize.bmp": "header is of no known kind",
    "pil_bmpb_badrle.bmp": None,
    "pil_hopper_rle8_row_overflow.bmp": None,
    "pil_crash-74d2a78403a5a59db1fb0a2b8735ac068a75f6e3.tif": None,
    "pil_psd-oob-write-overflow.psd": "Photoshop",
    "pil_psd-oob-write-x.psd": "Photoshop",
    "pil_psd-oob-write-y.psd": "Photoshop",
    "pil_psd-oob-write.psd": "Photoshop",
    "vips_invalid_multiframe.gif": None,
}


def test_where_pillow_and_opencv_disagree(
    results: dict[str, dict[str, Any]], index: dict[str, dict[str, str]]
) -> None:
    def loads(cell: str) -> bool:
        return cell.startswith("loads")

    differ = {n for n, row in index.items() if loads(row["Pillow 13.0.0"]) != loads(row["OpenCV 5.0.0"])}
    assert differ == set(DISAGREE)
    for name, word in DISAGREE.items():
        refused = results[name].get("refused")
        assert (refused is None) if word is None else (refused is not None and word in refused), (
            name,
            refused,
        )


def test_where_pillow_and_opencv_agree(
    results: dict[str, dict[str, Any]], index: dict[str, dict[str, str]]
) -> None:
    for name, row in index.items():
        if name not in DISAGREE:
            both = row["Pillow 13.0.0"].startswith("loads")
            assert ("refused" not in results[name]) == both, (name, results[name])
            if both:  # "loads: 240x160", upright
                assert "x".join(map(str, results[name]["size"])) == row["OpenCV 5.0.0"].split()[1], name


# What else was made for this project.
OWN: dict[str, str | tuple[int, int, int, str]] = {
    "own_all_zero_bytes.jpg": "its format is not known",
    "own_apng_claims_4e9_frames.png": (160, 240, 3, "uint8"),
    "own_bmp_claims_100000x100000.bmp": "100000x100000",
    "own_bmp_negative_width.bmp": "-5x5",
    "own_empty.jpg": "it is empty",
    "own_exif_bad_offset.jpg": (160, 240, 3, "uint8"),
    "own_exif_orientation_6.jpg": (240, 160, 3, "uint8"),
    "own_exif_orientation_99.jpg": (160, 240, 3, "uint8"),
    "own_gif_claims_65535x65535.gif": "65535x65535",
    "own_gif_frame_outside_canvas.gif": "60005x60005",
    "own_gif_header_only.gif": "no picture in it",
    "own_html_404.png": "an HTML page",
    "own_jpeg_claims_0x0.jpg": "0x0",
    "own_jpeg_claims_50000x50000.jpg": "50000x50000",
    "own_jpeg_claims_65500x1.jpg": (65500, 1, 3, "uint8"),
    "own_jpeg_cmyk.jpg": (160, 240, 3, "uint8"),
    "own_jpeg_cut_at_10.jpg": "cut short",
    "own_jpeg_cut_at_2.jpg": "cut short",
    "own_jpeg_cut_in_tables.jpg": "cut short",
    "own_jpeg_trailing_garbage.jpg": (320, 480, 3, "uint8"),
    "own_png_16bit_grey.png": (64, 48, 2, "uint16"),
    "own_png_1x1.png": (1, 1, 3, "uint8"),
    "own_png_1x3000.png": (1, 3000, 2, "uint8"),
    "own_png_bad_ihdr_crc.png": "checksum of its header",
    "own_png_claims_2e31.png": "2147483647x2147483647",
    "own_png_claims_60000x60000.png": "60000x60000",
    "own_png_corrupt_idat.png": "damaged",
    "own_png_cut_50pct.png": "cut short",
    "own_png_flat_800x600.png": (800, 600, 3, "uint8"),
    "own_png_named.jpg": (64, 96, 3, "uint8"),
    "own_png_no_idat.png": "no picture in it",
    "own_png_rgba_transparent.png": (64, 96, 3, "uint8"),
    "own_png_zero_size.png": "0x0",
    "own_pnm_claims_99999x99999.ppm": "99999x99999",
    "own_pnm_huge_number.pgm": "where a number must be",
    "own_pnm_maxval_0.pgm": "largest value",
    "own_pnm_negative.ppm": "-5x5",
    "own_pnm_short_data.ppm": "cut short",
    "own_random_with_jpeg_magic.jpg": "no valid marker",
    "own_svg_named.png": "an SVG drawing",
    "own_text.jpg": "plain text",
    "own_tiff_circular_ifd.tif": (10, 10, 2, "uint8"),
    "own_tiff_claims_4e9x4e9.tif": "4294967280x4294967280",
    "own_tiff_claims_60000x60000.tif": "60000x60000",
    "own_tiff_float_nan_inf.tif": (64, 48, 2, "uint16"),
    "own_tiff_strip_outside.tif": "damaged",
    "own_webp_cut_50pct.webp": "cut short",
}


@pytest.mark.parametrize("name", sorted(OWN))
def test_own(results: dict[str, dict[str, Any]], name: str) -> None:
    result, expected = results[name], OWN[name]
    if isinstance(expected, str):
        assert expected in result["refused"]
    else:
        assert (*result["size"], result["ndim"], result["dtype"]) == expected
