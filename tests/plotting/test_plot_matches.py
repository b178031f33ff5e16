from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tiepoint.errors import DataError, OptionError
from tiepoint.plotting import draw_matches, plot_matches
from tiepoint.plotting.colouring import colours_of
from tiepoint.plotting.layout import arrange
from tiepoint.plotting.style import OKABE_ITO

from .plot_inputs import marked, noisy, plain, result_of


def title_of(*args: Any, **options: Any) -> str:
    return plot_matches(*args, ax=new_axes(), **options).get_title()


def new_axes() -> Axes:
    return Figure(figsize=(10, 4)).add_subplot()


@pytest.mark.parametrize("width", [600, 1500])
def test_a_line_joins_the_two_positions(width: int) -> None:
    image0, image1 = plain(400, 300), plain(300, 400)
    result = result_of([[100, 150]], [[150, 300]], image0, image1)
    picture = draw_matches(result, title="", width=width)
    sheet = arrange((image0.size, image1.size), width)
    rect0, rect1 = sheet.rects
    assert rect0.height == rect1.height == sheet.height
    on = marked(picture[: sheet.height])
    on[:, rect0.width : rect1.x] = False  # the gap is paper

    start = np.array([100.5 * rect0.width / 400, 150.5 * rect0.height / 300])
    end = np.array([rect1.x + 150.5 * rect1.width / 300, 300.5 * rect1.height / 400])
    along = end - start
    points = np.argwhere(on)[:, ::-1] + 0.5 - start
    share = points @ along / (along @ along)
    aside = np.abs(points @ np.array([-along[1], along[0]])) / np.hypot(*along)
    between = (share > 0.05) & (share < 0.95)
    assert aside[between].max() < 0.0021 * 2.2 * width / 2 + 1.5
    # Nothing but dots and numbers beyond the ends.
    beyond = np.hypot(*(points[share < 0]).T)
    assert beyond.max() < 0.04 * width
    # And no hole in between, but for the gap.
    filled = np.unique((share[between] * 50).astype(int))
    gap = (np.array([rect0.width, rect1.x]) - start[0]) / along[0] * 50
    missing = set(range(3, 47)) - set(filled.tolist())
    assert all(gap[0] - 1.5 < k < gap[1] + 0.5 for k in missing)


def test_photos_are_shown_pixel_by_pixel_where_their_size_allows() -> None:
    image0, image1 = noisy(500, 400, seed=1), noisy(450, 400, seed=2)
    picture = draw_matches(result_of([], [], image0, image1), title="")
    gap = picture.shape[1] - 950
    assert 2 <= gap <= 12
    assert np.array_equal(picture[:400, :500], image0.pixels)
    assert np.array_equal(picture[:400, 500 + gap :], image1.pixels)
    assert (picture[:400, 500 : 500 + gap] == 255).all()


def test_photos_of_different_sizes_are_equally_high() -> None:
    sheet = arrange(((375, 500), (6000, 4000)), 1000)
    left, right = sheet.rects
    assert left.height == right.height
    assert left.width / left.height == pytest.approx(375 / 500, rel=0.01)
    assert right.width / right.height == pytest.approx(6000 / 4000, rel=0.01)
    assert left.width + right.width + 8 == 1000


def test_wide_photos_go_below_each_other() -> None:
    sheet = arrange(((3000, 900), (2500, 1000)), 1000)
    above, below = sheet.rects
    assert sheet.stacked
    assert above.width == below.width == 1000
    assert below.y > above.height
    image0, image1 = plain(900, 270), plain(750, 300)
    picture = draw_matches(result_of([[450, 135]], [[375, 150]], image0, image1), title="", width=900)
    column = marked(picture)[:, 450]
    rect = arrange((image0.size, image1.size), 900).rects[1]
    assert column[140:265].all()
    assert column[rect.y + 5 : rect.y + rect.height // 2 - 5].all()
    assert not marked(picture)[20:100, 100:800].any()


@pytest.mark.parametrize("shape", [(3, 60_000), (60_000, 3), (1, 1), (64, 48)])
def test_any_shape_of_photo_makes_a_picture_of_reasonable_shape(shape: tuple[int, int]) -> None:
    odd, usual = plain(*shape), plain(640, 480)
    for first, second in ((odd, usual), (usual, odd), (odd, odd)):
        result = result_of([[0, 0]], [[0, 0]], first, second)
        height, width, _ = draw_matches(result, width=400).shape
        assert width == 400
        assert 400 / 8 <= height <= 400 * 3


def test_the_title_says_what_is_shown(rng: np.random.Generator) -> None:
    image = plain(640, 480)
    xy = rng.uniform(0, 470, (300, 2))
    funnel = (("nearest", 900), ("mutual", 500), ("ratio", 300))
    result = result_of(xy, xy, image, image, distance=np.arange(300, dtype=np.float32), funnel=funnel)
    assert title_of(result, top=10).split("\n") == [
        "SIFT: 10 strongest of 300 matches",
        "900 nearest → 500 mutual → 300 ratio",
    ]
    assert title_of(result).startswith("SIFT: 50 strongest of 300 matches")
    assert title_of(result, title="mine") == "mine"
    assert title_of(result, title="") == ""
    unranked = result_of(xy, xy, image, image, source="by hand")
    assert title_of(unranked, top=7) == "by hand: 7 of 300 matches"
    one = result_of([[1, 1]], [[1, 1]], image, image)
    assert title_of(one) == "SIFT: 1 match"


def test_no_matches_show_the_photos_and_say_so() -> None:
    image = plain(640, 480)
    result = result_of([], [], image, image)
    assert title_of(result) == "no matches"
    for color_by in ("auto", "match"):
        assert draw_matches(result, color_by=color_by, width=300).shape[1] == 300
    empty = result_of([], [], image, image, distance=[])
    assert draw_matches(empty, color_by="distance", width=300).shape[1] == 300


def test_the_strongest_are_drawn() -> None:
    image = plain(400, 300)
    result = result_of([[50, 50], [50, 250]], [[300, 50], [300, 250]], image, image, distance=[9, 1])
    on = marked(draw_matches(result, top=1, title="", width=808)[:300])
    assert on[240:260, 60:390].any()
    assert not on[20:80, :400].any()


def test_few_matches_have_their_own_colours_and_many_are_graded(rng: np.random.Generator) -> None:
    image = plain(640, 480)
    few = result_of(
        [[50, y] for y in range(50, 400, 50)], [[500, y] for y in range(50, 400, 50)], image, image
    )
    picture = draw_matches(few, title="", width=1600)
    colours = {tuple(int(c[k : k + 2], 16) for k in (1, 3, 5)) for c in OKABE_ITO}
    seen = {tuple(map(int, pixel)) for pixel in picture.reshape(-1, 3)}
    assert colours <= seen

    xy = rng.uniform(10, 470, (40, 2))
    many = result_of(xy, xy, image, image, distance=rng.uniform(10, 90, 40).astype(np.float32))
    texts = [text.get_text() for text in plot_matches(many, ax=new_axes()).texts]
    low, high = many.matches.distance.min(), many.matches.distance.max()  # type: ignore[union-attr]
    assert f"near, distance {low:.3g}" in texts
    assert f"{high:.3g} less near" in texts
    assert not any("distance" in text.get_text() for text in plot_matches(few, ax=new_axes()).texts)


def test_graded_colours_run_from_bright_to_dark() -> None:
    image = plain(400, 300)
    result = result_of([[50, 50], [50, 250]], [[300, 50], [300, 250]], image, image, distance=[1, 9])
    picture = draw_matches(result, color_by="distance", title="", width=1606)
    near, far = picture[101, 400].astype(int), picture[501, 400].astype(int)
    assert near @ [0.3, 0.6, 0.1] > far @ [0.3, 0.6, 0.1] + 40


def test_a_line_is_as_wide_a_part_of_a_small_as_of_a_large_picture() -> None:
    image = plain(400, 300)
    result = result_of([[50, 50], [50, 250]], [[300, 80], [300, 200]], image, image)
    share = [
        marked(
            draw_matches(result, title="", width=width)[: round(0.37 * width), : round(0.49 * width)]
        ).mean()
        for width in (600, 3000)
    ]
    assert share[0] == pytest.approx(share[1], rel=0.25)


def test_numbers_lie_within_the_photos_and_apart() -> None:
    image = plain(640, 480)
    corners = [[0, 0], [639, 0], [0, 479], [639, 479], [1, 1], [2, 2]]
    result = result_of(corners, corners, image, image, distance=range(6))
    figure = Figure(figsize=(12, 5))
    axes = plot_matches(result, title="", ax=figure.add_axes((0, 0.1, 1, 0.9)))
    numbers = [text for text in axes.texts if text.get_text().isdigit()]
    assert {text.get_text() for text in numbers} >= {"1", "2", "3", "4"}
    figure.draw_without_rendering()
    frame = axes.get_window_extent()
    boxes = [text.get_window_extent() for text in numbers]
    for index, box in enumerate(boxes):
        middle = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
        assert frame.contains(*middle)
        for other in boxes[index + 1 :]:
            other_middle = (other.x0 + other.x1) / 2, (other.y0 + other.y1) / 2
            assert np.hypot(middle[0] - other_middle[0], middle[1] - other_middle[1]) > 6


def test_matches_come_with_both_photos_and_a_result_with_its_own() -> None:
    image0, image1 = plain(400, 300), plain(300, 400)
    result = result_of([[1, 1]], [[2, 2]], image0, image1)
    same = draw_matches(result.matches, image0=image0, image1=image1.pixels, width=300)
    assert np.array_equal(same, draw_matches(result, width=300))
    with pytest.raises(OptionError, match="image0= and image1="):
        draw_matches(result.matches, image0=image0)
    with pytest.raises(OptionError, match="its own photos"):
        draw_matches(result, image0=image0, image1=image1)
    with pytest.raises(DataError, match="photo 1 of 300x400 pixels, but image1 is 400x300"):
        draw_matches(result.matches, image0=image0, image1=image0)


def test_colours_that_matches_do_not_have_are_refused() -> None:
    image = plain(400, 300)
    result = result_of([[1, 1]], [[2, 2]], image, image)
    for name in ("ratio", "distance", "score"):
        with pytest.raises(DataError, match=f"no {name} to colour"):
            draw_matches(result, color_by=name)
    with pytest.raises(OptionError, match="color_by must be one of auto"):
        draw_matches(result, color_by="colour")  # type: ignore[arg-type]


def test_an_infinite_second_distance_is_the_most_distinct() -> None:
    image = plain(400, 300)
    result = result_of([[1, 1], [9, 9]], [[2, 2], [9, 9]], image, image, distance=[1, 2])
    lone = replace(result.matches, second_distance=np.array([np.inf, 4], np.float32))
    assert draw_matches(lone, image0=image, image1=image, color_by="ratio", width=300).shape[1] == 300


def test_data_coordinates_are_pixels_of_photo_0() -> None:
    image0, image1 = plain(400, 300), plain(800, 600)
    axes = plot_matches(result_of([[100, 50]], [[400, 300]], image0, image1), ax=new_axes())
    left, right = axes.get_xlim()
    assert left == pytest.approx(-0.5)
    assert right == pytest.approx(2 * 400 + 0.008 * right, abs=3)
    assert axes.get_ylim() == pytest.approx((299.5, -0.5))


def test_a_higher_score_is_brighter_and_named_first_also_below_zero() -> None:
    image = plain(400, 300)
    made = result_of([[1, 1], [9, 9]], [[2, 2], [9, 9]], image, image).matches
    scored = replace(made, score=np.array([-3, -1], np.float32))
    colours, legend = colours_of(scored, "score")
    assert colours[1] @ [0.3, 0.6, 0.1] > colours[0] @ [0.3, 0.6, 0.1]
    assert legend is not None
    assert (legend.low, legend.high) == ("sure, score -1", "-3 less sure")


@pytest.mark.parametrize("width", [63, 20_001, 600.5, "600", True])
def test_a_width_that_cannot_be_is_refused(width: Any) -> None:
    image = plain(400, 300)
    with pytest.raises(OptionError, match="width must be a whole number from 64 to 20000, not"):
        draw_matches(result_of([], [], image, image), width=width)


@pytest.mark.parametrize("top", [0, -1, 2.5, "3", True])
def test_a_top_that_cannot_be_is_refused(top: Any) -> None:
    image = plain(400, 300)
    with pytest.raises(OptionError, match="top must be a whole number from 1 up, not"):
        draw_matches(result_of([], [], image, image), top=top)
