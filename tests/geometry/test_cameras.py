from __future__ import annotations

import numpy as np
import pytest

import tiepoint as tp
from tiepoint.geometry.cameras import assumed_camera, camera_of


def image(width: int, height: int, focal: float | None) -> tp.Image:
    return tp.Image(pixels=np.zeros((height, width), np.uint8), exif=tp.Exif(focal_length_35mm=focal))


@pytest.mark.parametrize(("width", "height"), [(360, 240), (240, 360), (300, 300), (400, 300)])
def test_the_angle_of_view_is_that_of_the_film(width: int, height: int) -> None:
    # A lens of 50 mm sees 46.8 degrees along the diagonal of 36 x 24 mm, as every table of lenses says.
    camera = camera_of(image(width, height, 50))
    assert camera is not None
    angle = 2 * np.arctan(np.hypot(width, height) / 2 / camera[0, 0])
    assert np.degrees(angle) == pytest.approx(46.8, abs=0.05)
    assert camera[0, 0] == camera[1, 1]
    assert camera[:2, 2].tolist() == [(width - 1) / 2, (height - 1) / 2]
    assert camera[2].tolist() == [0, 0, 1]


def test_no_focal_length_no_camera() -> None:
    assert camera_of(image(36, 24, None)) is None
    assert camera_of(tp.Image(pixels=np.zeros((3, 4), np.uint8))) is None


@pytest.mark.parametrize("size", [(1, 1), (6000, 4000), (100, 6000)])
def test_what_is_assumed_is_a_camera(size: tuple[int, int]) -> None:
    camera = assumed_camera(size)
    assert camera[0, 0] == camera[1, 1] == 1.2 * max(size)
    assert camera[:2, 2].tolist() == [(size[0] - 1) / 2, (size[1] - 1) / 2]
    assert np.linalg.det(camera) > 0
