"""Textures, and the light on them."""

from __future__ import annotations

import numpy as np

from tiepoint.evaluation.scene.building import Patch
from tiepoint.evaluation.scene.camera import look_at
from tiepoint.evaluation.scene.canvas import Canvas, Texture, colour, lay_blocks
from tiepoint.evaluation.scene.light import ShadowMap, daylight, develop, relief_light, sensor
from tiepoint.evaluation.scene.noise import fractal_noise, value_noise
from tiepoint.evaluation.scene.render import render
from tiepoint.evaluation.scene.surfaces import Surface

GREY = dict.fromkeys(("sun", "sky", "bounce", "zenith", "horizon", "cloud"), (1.0, 1.0, 1.0))
WALL = Surface(origin=np.zeros(3), u=np.array([4.0, 0, 0]), up=np.array([0, 0, 4.0]))


def test_noise_is_smooth_and_repeatable(rng: np.random.Generator) -> None:
    seed = int(rng.integers(1000))
    one, two = (value_noise(np.random.default_rng(seed), (90, 130), (10, 20)) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert one.min() >= 0
    assert one.max() <= 1
    assert one.std() > 0.1
    # Smoothstep climbs at most 1.5 times as fast as a straight line does.
    assert np.abs(np.diff(one, axis=0)).max() <= 1.5 / 10 + 1e-6
    assert np.abs(np.diff(one, axis=1)).max() <= 1.5 / 20 + 1e-6
    rough = fractal_noise(np.random.default_rng(seed), (90, 130), (20, 20), 4)
    assert rough.min() >= 0
    assert rough.max() <= 1


def test_colours_are_linear_light() -> None:
    np.testing.assert_allclose(colour("#ff8000"), [1, 0.2158605, 0], atol=1e-6)  # IEC 61966-2-1


def test_a_part_of_a_canvas_is_where_it_says() -> None:
    canvas = Canvas(4, 2, 10)
    albedo, relief, x, z = canvas.part(1, 2, 0, 0.5)
    assert albedo.shape == (5, 10, 3)
    relief[:] = 1
    assert canvas.relief[15:, 10:20].all()  # the last row is at the bottom
    assert canvas.relief.sum() == 50
    assert 1 < x.min() < x.max() < 2
    assert 0 < z.min() < z.max() < 0.5


def test_no_two_stones_are_alike(rng: np.random.Generator) -> None:
    canvas = Canvas(8, 4, 20)
    lay_blocks(canvas, rng, ("#a08060", "#c0a080"), course=0.5, length=(0.5, 1.2))
    stones = np.unique(canvas.albedo[canvas.relief > -0.009].reshape(-1, 3), axis=0)
    assert len(stones) > 8 * 4 / (0.5 * 1.2)


def test_a_ledge_throws_its_shadow_away_from_the_sun() -> None:
    canvas = Canvas(4, 4, 20)
    _, relief, _, _ = canvas.part(1.8, 2.2, 0, 4)
    relief[:] = 0.3  # its shadow is as wide, for the sun stands at 45 degrees aside
    for azimuth, bright, dark in (
        (45.0, slice(46, 49), slice(31, 34)),
        (-45.0, slice(31, 34), slice(46, 49)),
    ):
        sun = daylight(azimuth=azimuth, elevation=20, exposure=1, clouds=0, **GREY)
        lit = relief_light(canvas.texture(), WALL, sun)[40]
        assert lit[dark].max() < 0.8 * lit[bright].min()
        np.testing.assert_allclose(lit[5:15], np.cos(np.pi / 4) * np.cos(np.pi / 9), rtol=1e-4)


def test_no_sun_on_a_wall_that_looks_away() -> None:
    back = daylight(azimuth=180, elevation=30, exposure=1, clouds=0, **GREY)
    assert not relief_light(Canvas(4, 4, 10).texture(), WALL, back).any()


def test_a_roof_shades_the_ground_under_it() -> None:
    roof = Surface(origin=np.array([-2.0, -2, 5]), u=np.array([4.0, 0, 0]), up=np.array([0, 4.0, 0]))
    sun = daylight(azimuth=0, elevation=45, exposure=1, clouds=0, **GREY)
    shadows = ShadowMap.of([roof], sun, 400)
    # The sun stands towards -y at 45 degrees: the shadow lies 5 m further along y.
    points = np.array([[0, 5, 0], [0, 0, 0], [1.5, 6.5, 0], [2.5, 5, 0], [0, 0, 6]], np.float32)
    np.testing.assert_array_equal(shadows.sunlit(points), [0, 1, 0, 1, 1])


def test_more_light_is_never_darker() -> None:
    ramp = np.linspace(0, 50, 2000, dtype=np.float32)
    seen = develop(ramp, 1.0)
    assert (np.diff(seen) >= 0).all()
    assert seen[0] == 0
    np.testing.assert_allclose(seen[-1], 1, atol=1e-6)


def test_the_sensor_adds_the_noise_it_is_told(rng: np.random.Generator) -> None:
    photo = sensor(np.full((200, 200, 3), 0.5, np.float32), rng, noise=2.0)
    assert photo.dtype == np.uint8
    assert abs(photo.mean() - 127.5) < 0.1
    assert abs(photo.std() - np.hypot(2, 12**-0.5)) < 0.1


def test_a_photo_shows_a_wall_upright(rng: np.random.Generator) -> None:
    albedo = np.full((64, 64, 3), 0.5, np.float32)
    albedo[:32, :32] = [0.9, 0.02, 0.02]  # top left is red, bottom right is blue
    albedo[32:, 32:] = [0.02, 0.02, 0.9]
    wall = Patch(surface=WALL, texture=Texture(albedo=albedo))
    noon = daylight(azimuth=0, elevation=30, exposure=0.5, clouds=0, **GREY)
    camera = look_at(position=(2, -8, 2), target=(2, 0, 2), focal=100, width=64, height=64)
    photo, depth = render([wall], camera, noon, rng, noise=0)
    np.testing.assert_allclose(depth[[10, 31, 50], [10, 31, 50]], 8)  # the wall is 50 pixels wide
    assert np.isinf(depth[2, 2])
    red, grey, blue = photo[20, 20].astype(int), photo[20, 44].astype(int), photo[44, 44].astype(int)
    assert red[0] > 2 * red[2]
    assert blue[2] > 2 * blue[0]
    assert abs(grey[0] - grey[2]) < 10
    # The middle of the wall is the middle of the photo, between pixels 31 and 32: colours meet there.
    assert photo[20, 31, 0] > 1.5 * photo[20, 31, 2]
    assert photo[20, 32, 0] < 1.5 * photo[20, 32, 2]
