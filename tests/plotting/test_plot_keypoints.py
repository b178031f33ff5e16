from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tiepoint.errors import DataError, OptionError
from tiepoint.plotting import draw_keypoints, plot_keypoints
from tiepoint.types import Image

from .plot_inputs import GRAY, features_at, marked, noisy, plain


def photo_part(picture: NDArray[np.uint8], image: Image) -> NDArray[np.uint8]:
    """The picture without its strips: without a title, the photo is on top."""
    return picture[: round(picture.shape[1] * image.height / image.width)]


@pytest.mark.parametrize("width", [400, 800, 2000])
def test_a_circle_is_where_the_keypoint_is_and_nowhere_else(width: int) -> None:
    image = plain(800, 600)
    features = features_at([[200, 400]], image, size=60)
    rows, columns = np.nonzero(
        marked(photo_part(draw_keypoints(image, features, title="", width=width), image))
    )
    # Coordinates count from the centre of the top left pixel; pixel indices of the picture do so, too.
    x, y = ((np.array([columns, rows]) + 0.5) * 800 / width) - 0.5
    radius = np.hypot(x - 200, y - 400)
    assert abs(x.mean() - 200) < 1
    assert abs(y.mean() - 400) < 1
    line = 0.0022 * 2.2 * 800 / 2 + 2 * 800 / width
    assert radius.min() > 30 - line
    assert radius.max() < 30 + line
    assert len(np.unique(np.arctan2(y - 400, x - 200).round(1))) > 60  # all around


@pytest.mark.parametrize(("angle", "direction"), [(0, (1, 0)), (90, (0, 1)), (180, (-1, 0)), (270, (0, -1))])
def test_the_line_points_clockwise_from_x(angle: float, direction: tuple[int, int]) -> None:
    image = plain(800, 600)
    features = features_at([[400, 300]], image, size=100, angle=[angle])
    on = marked(photo_part(draw_keypoints(image, features, title="", width=800), image))
    for other in ((1, 0), (0, 1), (-1, 0), (0, -1)):
        halfway = on[300 + 25 * other[1], 400 + 25 * other[0]]
        assert halfway == (other == direction)


def test_without_angle_there_is_no_line() -> None:
    image = plain(800, 600)
    on = marked(
        photo_part(draw_keypoints(image, features_at([[400, 300]], image, size=100), title=""), image)
    )
    assert not on[270:331, 370:431].any()
    assert on.any()


def test_a_tiny_keypoint_is_drawn_large_enough_to_be_seen() -> None:
    image = plain(2000, 1500)
    picture = draw_keypoints(image, features_at([[1000, 700]], image, size=0), title="", width=1000)
    columns = np.nonzero(marked(photo_part(picture, image)).any(axis=0))[0]
    assert 9 <= columns.max() - columns.min() + 1 <= 16


@pytest.mark.parametrize("value", [0, 60, 128, 200, 255])
def test_marks_stand_out_on_any_ground(value: int) -> None:
    image = plain(800, 600, value=value)
    picture = photo_part(draw_keypoints(image, features_at([[400, 300]], image, size=100), title=""), image)
    luminance = picture[marked(picture, value)] @ [0.299, 0.587, 0.114]
    assert np.abs(luminance - value).max() > 85


def test_the_photo_is_shown_pixel_by_pixel_at_its_own_width() -> None:
    image = noisy(1001, 333)
    picture = draw_keypoints(image, features_at([], image), title="", width=1001)
    assert np.array_equal(picture[:333], image.pixels)


@pytest.mark.parametrize("top_left", [(0, 0), (39, 0), (0, 29), (39, 29)])
def test_a_keypoint_covers_its_own_pixel_when_enlarged(top_left: tuple[int, int]) -> None:
    pixels = np.full((30, 40), GRAY, np.uint8)
    image = Image(pixels=pixels)
    picture = draw_keypoints(image, features_at([top_left], image, size=0.5), title="", width=2000)
    rows, columns = np.nonzero(marked(picture[:1500]))
    assert abs((columns.mean() + 0.5) / 50 - 0.5 - top_left[0]) < 0.1
    assert abs((rows.mean() + 0.5) / 50 - 0.5 - top_left[1]) < 0.1


def test_a_line_is_as_wide_a_part_of_a_small_as_of_a_large_picture() -> None:
    image = plain(800, 600)
    features = features_at([[400, 300]], image, size=300)
    ink = []
    for width in (600, 3000):
        picture = photo_part(draw_keypoints(image, features, title="", width=width), image)
        # Yellow and its black rim both lack blue, so that mixed pixels count in full.
        ink.append((GRAY - picture[:, :, 2].astype(float)).sum() / width**2)
    assert ink[0] == pytest.approx(ink[1], rel=0.05)


def test_the_strongest_are_drawn_and_the_title_says_so(rng: np.random.Generator) -> None:
    image = plain(800, 600)
    features = features_at([[100, 100], [400, 300], [700, 500]], image, score=[1, 3, 2], extractor="orb")
    axes = plot_keypoints(image, features, top=1, ax=new_axes())
    assert axes.get_title() == "ORB: 1 strongest of 3 keypoints"
    on = marked(draw_keypoints(image, features, top=1, title="")[:600])
    assert on[280:320, 380:420].any()
    assert not on[80:120, 80:120].any()
    assert not on[480:520, 680:720].any()

    many = features_at(rng.uniform(0, [799, 599], (5000, 2)), image, score=list(range(5000)))
    assert plot_keypoints(image, many, ax=new_axes()).get_title() == "SIFT: 1000 strongest of 5000 keypoints"
    assert plot_keypoints(image, many, ax=new_axes(), top=5000).get_title() == "SIFT: 5000 keypoints"


def test_a_thousand_keypoints_are_no_carpet(rng: np.random.Generator) -> None:
    image = plain(800, 600)
    many = features_at(rng.uniform(0, [799, 599], (5000, 2)), image, size=6, angle=[0] * 5000)
    assert marked(draw_keypoints(image, many, width=600, title="")[:450], tolerance=40).mean() < 0.25


def test_features_without_score_keep_their_order() -> None:
    image = plain(800, 600)
    features = features_at([[100, 100], [400, 300]], image)
    assert plot_keypoints(image, features, top=1, ax=new_axes()).get_title() == "SIFT: 1 of 2 keypoints"
    assert marked(draw_keypoints(image, features, top=1, title="")[:600])[80:120, 80:120].any()


def test_no_features_show_the_photo_and_say_so() -> None:
    image = noisy(900, 500)
    features = features_at([], image)
    assert plot_keypoints(image, features, ax=new_axes()).get_title() == "SIFT: no keypoints"
    picture = draw_keypoints(image, features)
    assert picture.shape[1] == 900
    assert np.array_equal(picture[-500 - strip_below(picture) :][:500], image.pixels)


def strip_below(picture: NDArray[np.uint8]) -> int:
    """Rows of paper and letters below the photo, the caption's strip."""
    paper = (picture == 255).mean(axis=(1, 2)) > 0.6
    return int(np.argmin(paper[::-1]))


def test_a_gray_photo_and_an_array_are_drawn_as_they_are() -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (600, 800), np.uint8)
    features = features_at([], Image(pixels=pixels))
    picture = draw_keypoints(pixels, features, title="")
    assert np.array_equal(picture[:600], np.repeat(pixels[:, :, None], 3, axis=2))


def test_16_bits_are_stretched_as_the_image_says() -> None:
    pixels = np.random.default_rng(4).integers(20_000, 20_400, (600, 800), np.uint16)
    image = Image(pixels=pixels)
    picture = draw_keypoints(image, features_at([], image), title="")
    assert np.array_equal(picture[:600, :, 0], image.pixels8)


def test_what_does_not_fit_is_refused_in_a_sentence() -> None:
    image = plain(800, 600)
    other = features_at([[1, 1]], plain(640, 480))
    with pytest.raises(DataError, match="640x480 pixels, but this one is 800x600"):
        draw_keypoints(image, other)
    with pytest.raises(DataError, match="read_image"):
        draw_keypoints("photo.jpg", other)  # type: ignore[arg-type]
    features = features_at([[1, 1]], image)
    for top in (0, -1, 2.5, "3"):
        with pytest.raises(OptionError, match="top must be"):
            draw_keypoints(image, features, top=top)  # type: ignore[arg-type]
    for width in (63, 20_001, 600.5, "600"):
        with pytest.raises(OptionError, match="width must be"):
            draw_keypoints(image, features, width=width)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="ask for at most"):
        draw_keypoints(image, features, width=20_000)


@pytest.mark.parametrize("width", [64, 65, 601, 777])
def test_the_picture_has_the_width_that_was_asked_for(width: int) -> None:
    image = plain(320, 240, path="a long name of a photo, from a camera that numbers them 000001.jpg")
    picture = draw_keypoints(image, features_at([[10, 10]], image), width=width)
    assert picture.shape[1:] == (width, 3)
    assert picture.dtype == np.uint8
    assert picture.flags.writeable


def test_data_coordinates_are_pixels_of_the_photo() -> None:
    image = plain(800, 600)
    axes = plot_keypoints(image, features_at([[1, 1]], image), ax=new_axes())
    assert axes.get_xlim() == pytest.approx((-0.5, 799.5))
    assert axes.get_ylim() == pytest.approx((599.5, -0.5))


def new_axes() -> Axes:
    return Figure(figsize=(8, 6)).add_subplot()
