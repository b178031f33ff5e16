from __future__ import annotations

import errno
import io
import os
import re
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import PIL.Image
import pytest
from matplotlib import pyplot as plt

from tiepoint.errors import OptionError, WriteError
from tiepoint.plotting import (
    PICTURE_SUFFIXES,
    draw_keypoints,
    draw_matches,
    picture_format,
    plot_keypoints,
    plot_matches,
    save_keypoints,
    save_matches,
)

from .plot_inputs import features_at, noisy, plain, result_of

IMAGE = noisy(640, 480)
FEATURES = features_at([[100, 100], [500, 300]], IMAGE, size=50, angle=[30, 60])
RESULT = result_of([[100, 100], [500, 300]], [[120, 100], [520, 300]], IMAGE, IMAGE, distance=[1, 2])


@pytest.fixture
def headless() -> Iterator[None]:
    backend = mpl.rcParams._get_backend_or_none()  # type: ignore[attr-defined]
    plt.switch_backend("agg")
    yield
    plt.close("all")
    if backend is not None:
        plt.switch_backend(backend)


def test_importing_it_does_not_import_matplotlib() -> None:
    code = "import sys, tiepoint.plotting; print([m for m in sys.modules if m.split('.')[0] == 'matplotlib'])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_drawing_does_not_import_pyplot(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np, tiepoint as tp; from tiepoint.plotting import save_matches\n"
        "p = np.zeros((40, 60), np.uint8); z = np.ones((1, 2), np.float32)\n"
        "m = tp.Matches(xy0=z, xy1=z, source='x', image_size0=(60, 40), image_size1=(60, 40))\n"
        f"for suffix in {PICTURE_SUFFIXES!r}:\n"
        "    save_matches('x' + suffix, m, image0=p, image1=p, width=200)\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.strip() == "False"
    assert len(list(tmp_path.iterdir())) == len(PICTURE_SUFFIXES)


@pytest.mark.usefixtures("headless")
def test_drawing_and_saving_leave_the_global_state_alone(tmp_path: Path) -> None:
    mine = plt.figure()
    mine.add_subplot().plot([1, 2])
    before = dict(mpl.rcParams), plt.get_fignums(), mpl.get_backend(), len(mine.axes), len(mine.axes[0].lines)
    draw_keypoints(IMAGE, FEATURES)
    draw_matches(RESULT)
    for suffix in PICTURE_SUFFIXES:
        save_matches(tmp_path / f"a{suffix}", RESULT, width=300)
        save_keypoints(tmp_path / f"b{suffix}", IMAGE, FEATURES, width=300)
    after = dict(mpl.rcParams), plt.get_fignums(), mpl.get_backend(), len(mine.axes), len(mine.axes[0].lines)
    assert after == before
    assert plt.gcf() is mine


def test_the_users_settings_do_not_change_the_picture() -> None:
    expected = draw_matches(RESULT, width=500)
    odd: dict[str, Any] = {
        "font.family": "monospace", "font.size": 30, "font.weight": "bold", "axes.titlesize": 50,
        "axes.titlelocation": "left", "axes.titleweight": "bold", "axes.titley": 0.5, "text.color": "red",
        "lines.linewidth": 9, "lines.antialiased": False, "patch.antialiased": False, "patch.linewidth": 7,
        "figure.facecolor": "black", "figure.dpi": 37, "figure.constrained_layout.use": True,
        "savefig.bbox": "tight", "savefig.dpi": 11, "savefig.facecolor": "green", "image.origin": "lower",
        "image.interpolation": "bicubic", "image.aspect": 3, "axes.facecolor": "blue", "axes.grid": True,
        "axes.spines.left": True, "axes.xmargin": 0.4, "figure.autolayout": False,
    }  # fmt: skip
    with mpl.rc_context(odd):  # type: ignore[arg-type]
        assert np.array_equal(draw_matches(RESULT, width=500), expected)


@pytest.mark.usefixtures("headless")
def test_plot_without_axes_makes_a_figure_that_pyplot_shows() -> None:
    mine = plt.figure()
    axes = plot_matches(RESULT, top=1)
    assert not mine.axes
    assert len(plt.get_fignums()) == 2
    assert plt.gcf() is axes.figure
    other = plot_keypoints(IMAGE, FEATURES)
    assert other.figure is not axes.figure
    other.figure.canvas.draw()


@pytest.mark.usefixtures("headless")
@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_plot_on_the_users_axes_stays_on_them(style: str) -> None:
    with plt.style.context(style):
        figure, axes = plt.subplots(1, 2, figsize=(9, 4))
        assert plot_matches(RESULT, ax=axes[0]) is axes[0]
        assert plot_keypoints(IMAGE, FEATURES, ax=axes[1]) is axes[1]
        assert len(figure.axes) == 2
        assert plt.get_fignums() == [figure.number]
        figure.canvas.draw()
        paper = np.array(mpl.colors.to_rgb(figure.get_facecolor()))
        for ax in axes:
            for words in (ax.title, *(text for text in ax.texts if not text.get_text().isdigit())):
                assert np.abs(np.array(mpl.colors.to_rgb(words.get_color())) - paper).min() > 0.5
                assert words.get_window_extent().width < ax.get_window_extent().width


def test_the_raster_formats_hold_the_drawn_pixels(tmp_path: Path) -> None:
    expected = draw_matches(RESULT, width=700)
    with PIL.Image.open(save_matches(tmp_path / "a.png", RESULT, width=700)) as png:
        assert png.format == "PNG"
        assert np.array_equal(np.asarray(png), expected)
    for name in ("a.jpg", "a.JPEG"):
        smooth = plain(640, 480)
        path = save_keypoints(tmp_path / name, smooth, features_at([[9, 9]], smooth), width=700)
        with PIL.Image.open(path) as jpeg:
            assert jpeg.format == "JPEG"
            drawn = draw_keypoints(smooth, features_at([[9, 9]], smooth), width=700)
            assert np.abs(np.asarray(jpeg).astype(int) - drawn).mean() < 1


def test_a_pdf_has_the_photo_as_pixels_and_one_page(tmp_path: Path) -> None:
    path = save_keypoints(tmp_path / "a.pdf", IMAGE, FEATURES, width=640)
    data = path.read_bytes()
    assert data.startswith(b"%PDF-")
    assert data.count(b"/Type /Page ") + data.count(b"/Type /Page\n") == 1
    assert re.search(rb"/Width 640\b", data)
    assert re.search(rb"/Height 480\b", data)
    assert b"CreationDate" not in data
    assert path.read_bytes() == save_keypoints(tmp_path / "b.pdf", IMAGE, FEATURES, width=640).read_bytes()


def test_an_svg_has_the_photos_as_they_are_and_the_matches_as_paths(tmp_path: Path) -> None:
    import base64

    path = save_matches(tmp_path / "a.svg", RESULT, width=1290, title="")
    root = ET.fromstring(path.read_bytes())
    space = {"s": "http://www.w3.org/2000/svg"}
    photos = root.findall(".//s:image", space)
    assert len(photos) == 2
    for photo in photos:
        data = photo.attrib["{http://www.w3.org/1999/xlink}href"].partition("base64,")[2]
        with PIL.Image.open(io.BytesIO(base64.b64decode(data))) as pixels:
            shown = np.asarray(pixels)[:, :, :3]
        assert photo.attrib["transform"].startswith("scale(1 -1)")  # matplotlib stores the last row first
        assert np.array_equal(shown[::-1], IMAGE.pixels)
    places = [[float(photo.attrib[name]) for name in ("x", "y", "width", "height")] for photo in photos]
    assert places == [[0, 0, 480, 360], [650 * 0.75, 0, 480, 360]]  # points: 72 for 96 pixels
    lines = root.findall(".//s:g[@id='LineCollection_1']/s:path", space)
    assert len(lines) == 4  # two matches, a line and its rim for each

    width = float(root.attrib["width"].removesuffix("pt"))
    assert width == pytest.approx(1290 * 72 / 96)
    # The strongest is drawn last; its ends are in points of the page, the photo's top at zero.
    numbers = [float(n) for n in re.findall(r"-?\d+\.?\d*", lines[-1].attrib["d"])]
    gap = 1290 - 1280
    assert numbers == pytest.approx([100.5 * 0.75, 100.5 * 0.75, (640 + gap + 120.5) * 0.75, 100.5 * 0.75])


def test_the_same_svg_is_the_same_file_and_its_references_hold(tmp_path: Path) -> None:
    first = save_matches(tmp_path / "a.svg", RESULT, width=400).read_bytes()
    assert first == save_matches(tmp_path / "b.svg", RESULT, width=400).read_bytes()
    known = set(re.findall(rb'id="([^"]+)"', first))
    used = set(re.findall(rb'(?:url\(|href=")#([^")]+)', first))
    assert used
    assert used <= known


def test_the_format_follows_the_suffix() -> None:
    assert [picture_format(f"a{s}") for s in PICTURE_SUFFIXES] == ["png", "jpeg", "jpeg", "pdf", "svg"]
    assert picture_format(Path("a.b.PNG")) == "png"


@pytest.mark.parametrize("name", ["a.bmp", "a", ".png", "a.png.txt", "a.tiff"])
def test_another_suffix_is_refused_before_anything_is_drawn(name: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="PNG, JPEG, PDF or SVG"):
        save_keypoints(tmp_path / name, IMAGE, FEATURES)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.replace", full)
    for suffix in PICTURE_SUFFIXES:
        with pytest.raises(WriteError, match="no space left"):
            save_matches(tmp_path / f"a{suffix}", RESULT, width=200)
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_is_a_write_error(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="no such file or directory"):
        save_matches(tmp_path / "missing" / "a.svg", RESULT, width=200)


def test_threads_draw_the_same_as_one() -> None:
    widths = [300, 411, 522, 633] * 3
    expected = {width: draw_matches(RESULT, width=width, title=f"at {width}") for width in set(widths)}
    failures: list[object] = []

    def work(width: int) -> None:
        try:
            drawn = draw_matches(RESULT, width=width, title=f"at {width}")
            if not np.array_equal(drawn, expected[width]):
                failures.append(width)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(width,)) for width in widths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
