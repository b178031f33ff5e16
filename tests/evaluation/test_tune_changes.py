"""Made changes: the homography that they state is the one that the pixels went through."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import tiepoint as tp
from tiepoint.evaluation import RenderedPair
from tiepoint.evaluation.tune import KINDS, Change, at_most, draw_changes, first_photo, pair
from tiepoint.evaluation.tune.views import inner_window, second_view, shift, warp

Floats = NDArray[np.float64]

GEOMETRY: dict[str, dict[str, Any]] = {
    "nothing": {},
    "viewpoint": {"tilt": 25, "towards": 40},
    "strong viewpoint": {"tilt": 55, "towards": 200},
    "rotation": {"roll": 33},
    "quarter": {"roll": 90},
    "head": {"roll": 180},
    "zoom in": {"zoom": 2.7, "aim_x": 0.4, "aim_y": 0.6},
    "zoom out": {"zoom": 1 / 3},
    "zoom out a little": {"zoom": 0.8},
    "overlap": {"field": 0.4, "aim_x": 0.2},
    "all": {"tilt": 35, "towards": -70, "roll": -12, "zoom": 0.7, "field": 0.7},
}


def dots(rng: np.random.Generator) -> tuple[tp.Image, Floats]:
    """A photo of soft bright dots on gray, and their places, which are between pixels."""
    width, height, sigma = 640, 480, 3.0
    places = np.array([(x, y) for x in range(30, width - 20, 60) for y in range(30, height - 20, 60)], float)
    places += rng.uniform(-3, 3, places.shape)
    y, x = np.mgrid[:height, :width]
    light = np.zeros((height, width))
    for px, py in places:
        light += np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * sigma**2))
    return tp.Image(pixels=np.rint(40 + 200 * light).astype(np.uint8)), places


def centre_of_light(pixels: NDArray[np.uint8], near: Floats, reach: float) -> Floats:
    """Where a dot is that lies near a place: the centre of what is brighter than the ground."""
    x, y = np.rint(near).astype(int)
    r = round(reach)
    part = np.maximum(pixels[y - r : y + r + 1, x - r : x + r + 1].astype(float) - 48, 0)
    dy, dx = np.mgrid[-r : r + 1, -r : r + 1]
    return np.array([x + (part * dx).sum() / part.sum(), y + (part * dy).sum() / part.sum()])


@pytest.mark.parametrize("name", GEOMETRY)
def test_dots_land_where_the_homography_says(name: str, rng: np.random.Generator) -> None:
    image, places = dots(rng)
    changed, H = Change(name=name, noise=0, **GEOMETRY[name])(image)
    assert H.dtype == np.float64
    assert H[2, 2] == 1
    mapped = np.column_stack([places, np.ones(len(places))]) @ H.T
    mapped = mapped[:, :2] / mapped[:, 2:]
    scale = np.sqrt(abs(np.linalg.det(H)))
    reach = 11 * max(scale, 0.55)
    margin = reach + 2
    inside = ((mapped > margin) & (mapped < np.array(changed.size) - 1 - margin)).all(axis=1)
    assert inside.sum() >= 8
    found = np.array([centre_of_light(changed.pixels, xy, reach) for xy in mapped[inside]])
    error = found - mapped[inside]
    # A tilted dot's centre of light is not quite the image of its centre; the mean over all dots tells a
    # shift of the convention, which would be half a pixel.
    assert np.abs(error.mean(axis=0)).max() < 0.02
    assert np.sqrt((error**2).sum(axis=1).mean()) < 0.05


@pytest.mark.parametrize("by", [0.1, 0.25, 0.4, 0.5, 0.75, 0.9])
def test_parts_of_a_pixel(by: float, rng: np.random.Generator) -> None:
    # Pillow's own bicubic transform is off by up to 0.09 here.
    image, places = dots(rng)
    moved = warp(np.asarray(image), shift(-by, -by / 2), image.size)
    error = np.array([centre_of_light(moved, xy, 11) - xy for xy in places - [by, by / 2]])
    assert np.abs(error).max() < 0.02


def test_quarter_turns_move_pixels_to_pixels(rng: np.random.Generator) -> None:
    pixels = rng.integers(0, 256, (60, 81), np.uint8)
    for turns, roll, most in ((1, 270, (60, 81)), (2, 180, (81, 60)), (3, 90, (60, 81))):
        matrix = second_view((81, 60), roll=roll)
        window = inner_window(matrix, (81, 60), most=most)
        turned = warp(pixels, shift(-window.x, -window.y) @ matrix, (window.width, window.height))
        assert np.array_equal(turned, np.rot90(pixels, turns)), roll


def test_shrinking_averages_what_a_pixel_covers() -> None:
    stripes = np.tile(np.array([0, 255, 255, 0], np.uint8), (60, 60))
    matrix = second_view((240, 60), zoom=0.25)
    window = inner_window(matrix, (240, 60), most=(240, 60))
    small = warp(stripes, shift(-window.x, -window.y) @ matrix, (window.width, window.height))
    assert small.shape == (15, 60)
    assert np.abs(small.astype(int) - 128).max() <= 12


@pytest.mark.parametrize("name", GEOMETRY)
def test_nothing_outside_of_the_photo_is_seen(name: str) -> None:
    # Outside is black; of a white photo not a pixel of it may come in.
    white = tp.Image(pixels=np.full((240, 320), 255, np.uint8))
    changed, _ = Change(name=name, noise=0, **GEOMETRY[name])(white)
    assert changed.pixels.min() > 250


def test_windows_are_large() -> None:
    for tilt, roll in ((0, 0), (45, 0), (60, 20), (0, 45)):
        matrix = second_view((320, 240), tilt=tilt, roll=roll, towards=30)
        x, y, width, height = inner_window(matrix, (320, 240), most=(320, 240))
        corners = np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)]) - 0.5
        back = np.column_stack([corners, np.ones(4)]) @ np.linalg.inv(matrix).T
        back = back[:, :2] / back[:, 2:]
        assert (back > -0.51).all()
        assert (back < np.array([319.51, 239.51])).all()
        # Of the quadrilateral that can be seen at all, no larger rectangle of another shape is known to
        # hold twice as much.
        assert width * height > 0.25 * 320 * 240 * np.cos(np.radians(tilt))


@pytest.mark.parametrize(
    ("change", "least", "most"),
    [
        ({}, 0.5, 3),
        ({"noise": 20}, 14, 22),
        ({"blur": 3}, 3, 60),
        ({"jpeg": 10}, 2, 30),
        ({"gain": 1.5}, 15, 80),
        ({"gamma": 2.0}, 15, 80),
        ({"contrast": 0.5}, 10, 80),
        ({"shadow": 0.8}, 10, 140),
        ({"shadow": 0.8, "shadow_kind": "one-sided"}, 10, 140),
    ],
)
def test_what_stays_in_place(change: dict[str, Any], least: float, most: float, scene: RenderedPair) -> None:
    image = at_most(scene.image0, 1)
    changed, H = Change(name="x", **change)(image)
    assert np.array_equal(H, np.eye(3))
    assert changed.size == image.size
    difference = np.sqrt(((changed.pixels.astype(float) - image.pixels) ** 2).mean())
    assert least < difference < most


def test_one_sided_shadow_leaves_the_other_side() -> None:
    gray = tp.Image(pixels=np.full((240, 320), 200, np.uint8))
    changed, _ = Change(name="x", shadow=0.75, shadow_kind="one-sided", noise=0)(gray)
    light, dark = (changed.pixels > 195).mean(), (changed.pixels < 60).mean()
    assert light > 0.15
    assert dark > 0.15
    assert light + dark > 0.85


def test_the_same_seed_is_the_same_to_the_bit(scene: RenderedPair) -> None:
    for first, again in zip(draw_changes(12, seed=3), draw_changes(12, seed=3), strict=True):
        assert first == again
        (a0, (a1, H)), (b0, (b1, H_again)) = pair(scene.image0, first), pair(scene.image0, again)
        assert np.array_equal(a0.pixels, b0.pixels)
        assert np.array_equal(a1.pixels, b1.pixels)
        assert np.array_equal(H, H_again)
    assert draw_changes(12, seed=3) != draw_changes(12, seed=4)
    assert draw_changes(24)[:12] == draw_changes(12)  # a longer list begins with the shorter


def test_noise_of_the_two_photos_is_their_own() -> None:
    gray = tp.Image(pixels=np.full((240, 320), 100, np.uint8))
    first, (second, H) = pair(gray, Change(name="x", jpeg=95, noise=4))
    x, y = (round(value) for value in H[:2, 2])
    same = second.pixels[y : y + first.height, x : x + first.width]
    a, b = (image.astype(float).ravel() - image.mean() for image in (first.pixels, same))
    assert a.std() > 0.8
    assert b.std() > 2
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.05


def test_pairs_are_one_place(scene: RenderedPair) -> None:
    photo = at_most(scene.image0, 1)
    first, window = first_photo(photo)
    assert first.size == (window.width, window.height)
    for change in draw_changes(6):
        first, (second, H) = pair(photo, change)
        corner = H @ [window.width / 2, window.height / 2, 1]
        assert corner[2] > 0
        assert np.linalg.cond(H) < 1e9
        assert min(second.size) > 60


def test_a_fair_mixture() -> None:
    kinds = Counter(change.kind for change in draw_changes(24))
    assert set(kinds) == set(KINDS)
    assert kinds["second photo"] == 12
    assert {change.strength for change in draw_changes(6) if change.kind == "second photo"} == {1, 2, 3}
    assert len({change.name for change in draw_changes(50)}) == 50


def test_kinds_can_be_left_out() -> None:
    changes = draw_changes(40, without=["rotation"])
    assert "rotation" not in {change.kind for change in changes}
    assert all(abs(change.roll) < 45 for change in changes)
    assert {c.kind for c in draw_changes(20, without=["second photo"])} == set(KINDS) - {"second photo"}
    only = [kind for kind in KINDS if kind != "second photo"]
    assert {change.kind for change in draw_changes(5, without=only)} == {"second photo"}
    with pytest.raises(tp.OptionError, match="there is no kind of change 'rotate'; did you mean 'rotation'"):
        draw_changes(3, without=["rotate"])
    with pytest.raises(tp.OptionError, match="no kind of change is left"):
        draw_changes(3, without=KINDS)


@pytest.mark.parametrize("shape", [(1, 1), (3, 400), (17, 9), (40, 60, 3)])
def test_odd_photos(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    image = tp.Image(pixels=rng.integers(0, 65536, shape, np.uint16))
    for change in draw_changes(24):
        _, (second, H) = pair(image, change)
        assert min(second.size) >= 1
        assert np.isfinite(H).all()


def test_photos_are_reduced_without_moving(rng: np.random.Generator) -> None:
    image, places = dots(rng)
    small = at_most(image, 0.12)
    assert small.size == (400, 300)
    assert at_most(image, 2).size == image.size
    scale = np.array(small.size) / image.size
    mapped = (places + 0.5) * scale - 0.5
    found = np.array([centre_of_light(small.pixels, xy, 7) for xy in mapped])
    assert np.abs((found - mapped).mean(axis=0)).max() < 0.02
    assert np.hypot(*(found - mapped).T).max() < 0.1
