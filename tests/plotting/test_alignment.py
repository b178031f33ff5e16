from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from tiepoint.errors import DataError, OptionError, WriteError
from tiepoint.plotting import alignment_format, draw_alignment, save_alignment

from .plot_inputs import noisy, plain

IMAGE0, IMAGE1 = noisy(80, 60, seed=1), noisy(80, 60, seed=2)
A, B = IMAGE0.pixels, IMAGE1.pixels
LEFT: NDArray[np.bool_] = np.broadcast_to(np.arange(80) < 50, (60, 80))


def test_a_blend_is_the_mean_and_photo_0_alone_outside() -> None:
    picture = draw_alignment(IMAGE0, B, LEFT)
    assert np.array_equal(picture[:, :50], (A[:, :50].astype(int) + B[:, :50] + 1) // 2)
    assert np.array_equal(picture[:, 50:], A[:, 50:])


def test_a_checkerboard_shows_both_in_turn() -> None:
    picture = draw_alignment(IMAGE0, B, LEFT, mode="checkerboard")
    assert np.array_equal(picture[:10, :10], A[:10, :10])
    assert np.array_equal(picture[:10, 10:20], B[:10, 10:20])
    assert np.array_equal(picture[10:20, :10], B[10:20, :10])
    assert np.array_equal(picture[:, 50:], A[:, 50:])


def test_a_difference_is_black_where_both_are_equal_and_gray_outside() -> None:
    assert not draw_alignment(IMAGE0, A, LEFT, mode="difference")[:, :50].any()
    picture = draw_alignment(IMAGE0, B, LEFT, mode="difference")
    assert np.array_equal(picture[:, :50], np.abs(A.astype(int) - B)[:, :50])
    assert (picture[:, 50:] == 128).all()


def test_warped_alone_is_transparent_outside(tmp_path: Path) -> None:
    picture = draw_alignment(IMAGE0, B, LEFT, mode="warped")
    assert picture.shape == (60, 80, 4)
    assert np.array_equal(picture[:, :50, :3], B[:, :50])
    assert (picture[..., 3] == 255 * LEFT).all()
    with PIL.Image.open(save_alignment(tmp_path / "a.png", IMAGE0, B, LEFT, mode="warped")) as png:
        assert np.array_equal(np.asarray(png), picture)
    with PIL.Image.open(save_alignment(tmp_path / "a.jpg", IMAGE0, B, LEFT, mode="warped")) as jpeg:
        assert np.abs(np.asarray(jpeg)[:, 60:].astype(int) - 128).max() < 12


def test_a_gif_shows_both_in_turn(tmp_path: Path) -> None:
    # Few colours, so that 256 hold them all.
    below, above = (np.where(p > 127, 255, 0).astype(np.uint8) for p in (A, B))
    path = save_alignment(tmp_path / "a.GIF", below, above, LEFT)
    with PIL.Image.open(path) as gif:
        assert gif.n_frames == 2  # type: ignore[attr-defined]
        assert gif.info["loop"] == 0
        assert 300 <= gif.info["duration"] <= 1500
        frames = []
        for number in range(2):
            gif.seek(number)
            frames.append(np.asarray(gif.convert("RGB")))
    assert np.array_equal(frames[0], below)
    assert np.array_equal(frames[1][:, :50], above[:, :50])
    assert np.array_equal(frames[1][:, 50:], below[:, 50:])


def test_what_is_equal_does_not_flicker(tmp_path: Path, rng: np.random.Generator) -> None:
    above = A.copy()
    above[20:30, 20:30] = rng.integers(0, 256, (10, 10, 3))
    with PIL.Image.open(save_alignment(tmp_path / "a.gif", A, above, np.ones((60, 80), bool))) as gif:
        frames = []
        for number in range(2):
            gif.seek(number)
            frames.append(np.asarray(gif.convert("RGB")).astype(int))
    apart = np.abs(frames[0] - frames[1]).any(axis=2)
    assert apart[20:30, 20:30].any()
    apart[20:30, 20:30] = False
    assert not apart.any()


def test_pictures_are_reduced_but_never_enlarged(tmp_path: Path) -> None:
    large, covered = plain(2000, 100), np.ones((100, 2000), bool)
    assert draw_alignment(large, large.pixels, covered).shape == (100, 2000, 3)
    assert draw_alignment(large, large.pixels, covered, width=500).shape == (25, 500, 3)
    assert draw_alignment(IMAGE0, B, LEFT, width=500).shape == (60, 80, 3)
    for width, wanted in ((None, (1000, 50)), (640, (640, 32))):
        path = save_alignment(tmp_path / "a.gif", large, large.pixels, covered, width=width)
        with PIL.Image.open(path) as gif:
            assert gif.size == wanted


def test_gray_photos_become_rgb() -> None:
    gray = A[..., 0]
    assert np.array_equal(draw_alignment(gray, B, ~LEFT)[:, :50], np.dstack([gray] * 3)[:, :50])


def test_formats_and_limits(tmp_path: Path) -> None:
    assert [alignment_format(f"x{end}") for end in (".png", ".JPG", ".jpeg", ".gif")] == [
        "png", "jpeg", "jpeg", "gif",
    ]  # fmt: skip
    for name in ("a.tif", "a.svg", "a"):
        with pytest.raises(OptionError, match="is written as PNG, JPEG or GIF; end its name with"):
            save_alignment(tmp_path / name, IMAGE0, B, LEFT)
    long = np.zeros((1, 66_000, 3), np.uint8)
    for name in ("a.jpg", "a.gif"):
        width = 20_000 if name == "a.jpg" else None
        assert save_alignment(tmp_path / name, long, long, np.ones((1, 66_000), bool), width=width).exists()
    tall = np.zeros((66_000, 1, 3), np.uint8)
    with pytest.raises(OptionError, match="a JPEG is at most 65500 pixels long, this one would be 66000"):
        save_alignment(tmp_path / "a.jpg", tall, tall, np.ones((66_000, 1), bool))
    with pytest.raises(WriteError, match="cannot be written"):
        save_alignment(tmp_path / "no" / "a.png", IMAGE0, B, LEFT)


@pytest.mark.parametrize("width", [63, 20_001, "600", True])
def test_a_width_that_cannot_be_is_refused(width: Any) -> None:
    with pytest.raises(OptionError, match="width must be a whole number from 64 to 20000, not"):
        draw_alignment(IMAGE0, B, LEFT, width=width)


def test_what_does_not_fit_photo_0_is_refused() -> None:
    with pytest.raises(DataError, match=r"warped must be \(60, 80, 3\) uint8, not \(60, 79, 3\) uint8"):
        draw_alignment(IMAGE0, B[:, :79], LEFT)
    with pytest.raises(DataError, match=r"covered must be \(60, 80\) bool"):
        draw_alignment(IMAGE0, B, LEFT[:50])
    with pytest.raises(OptionError, match="mode must be one of blend, checkerboard, difference, warped, not"):
        draw_alignment(IMAGE0, B, LEFT, mode="blink")  # type: ignore[arg-type]
