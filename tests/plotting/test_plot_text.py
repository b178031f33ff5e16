from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from tiepoint.plotting import draw_keypoints, draw_matches, plot_keypoints, plot_matches
from tiepoint.plotting.text import elided, printable, wrapped

from .plot_inputs import features_at, plain, result_of

NAMES = [
    "$x_1$ costs $5_000.jpg",
    "\\alpha^{2.jpg",
    "塔の写真 1.jpg",
    "صورة.jpg",
    "tower \U0001f5fc.jpg",
    "bad \udcff byte.jpg",
    "tab\tbell\aline\nbreak.jpg",
    "ä ö ü ß é Ω Ж.jpg",
    "<b>&amp;.jpg",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_shown_as_text_and_without_a_warning(name: str) -> None:
    image = plain(320, 240, path=f"/photos/{name}")
    picture = draw_keypoints(image, features_at([[9, 9]], image), title=name, width=500)
    assert picture.shape[1] == 500
    axes = plot_keypoints(image, features_at([[9, 9]], image), title=name, ax=Figure().add_subplot())
    assert not axes.title.get_parse_math()
    assert all(not text.get_parse_math() for text in axes.texts)


def test_what_has_no_glyph_is_replaced_and_the_rest_stays() -> None:
    assert printable("$x_1$ äΩЖ → ×") == "$x_1$ äΩЖ → ×"
    assert printable("a\udcff\x07b\U000f1234c") == "a��b�c"
    assert printable("one\ntwo") == "one\ntwo"


def test_the_dollar_is_drawn_not_interpreted() -> None:
    image = plain(320, 240)
    features = features_at([], image)
    a, b = (draw_keypoints(image, features, title=t, width=600) for t in ("cost $5 or $6", "cost  5 or  6"))
    assert a.shape == b.shape
    assert not np.array_equal(a, b)


@pytest.mark.parametrize("width", [64, 150, 300, 600, 3000])
@pytest.mark.parametrize(
    "words", ["SIFT: 10 strongest of 812 matches\n4096 nearest → 812 ratio", "W" * 300, "to be " * 99]
)
def test_the_title_stays_within_the_picture(width: int, words: str) -> None:
    image = plain(320, 240)
    picture = draw_matches(result_of([], [], image, image), title=words, width=width)
    photo_top = int(np.argmax((picture == 120).all(axis=2)[:, width // 4]))
    strip = picture[:photo_top]
    ink = np.asarray((strip < 200).any(axis=2))
    assert ink.any()
    edge = max(1, round(0.004 * width))
    assert not ink[:, :edge].any()
    assert not ink[:, -edge:].any()
    assert not ink[:1].any()


@pytest.mark.parametrize("width", [64, 200, 600, 3000])
def test_captions_stay_apart_and_within_the_picture(width: int) -> None:
    image0 = plain(375, 1000, path="a tall photo with a rather long name 000000000000000000000001.jpg")
    image1 = plain(1500, 1000, path="a wide photo with a rather long name 000000000000000000000002.jpg")
    figure = Figure(figsize=(width / 100, width / 100), dpi=100)
    axes = plot_matches(result_of([], [], image0, image1), ax=figure.add_axes((0, 0.2, 1, 0.6)))
    figure.draw_without_rendering()
    first, second = (text.get_window_extent() for text in axes.texts)
    assert first.x0 >= -1
    assert first.x1 < second.x0 + 1
    assert second.x1 <= width + 1


def test_a_long_name_loses_its_middle() -> None:
    block = elided("IMG_20240101_with_a_long_story_0001.jpg", 150, 12)
    (line,) = block.lines
    assert line.startswith("IMG_2")
    assert line.endswith("1.jpg")
    assert "…" in line
    assert block.width_px <= 150
    assert elided("short.jpg", 500, 12).lines == ("short.jpg",)


def test_words_wrap_between_words_and_keep_their_breaks() -> None:
    block = wrapped("one two three four\nfive", 100, 12)
    assert " ".join(block.lines).split() == ["one", "two", "three", "four", "five"]
    assert block.lines[-1] == "five"
    assert block.width_px <= 100
    assert wrapped("  ", 100, 12).lines == ()


def test_letters_are_as_large_a_part_of_a_small_as_of_a_large_picture() -> None:
    image = plain(320, 240)
    heights = [
        (draw_keypoints(image, features_at([], image), title="one line", width=w).shape[0] - 0.75 * w) / w
        for w in (600, 3000)
    ]
    assert heights[0] == pytest.approx(heights[1], rel=0.05)
