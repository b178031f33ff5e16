"""Photos brought to the size at which they are compared: as OpenCV does it, and the truth with them."""

from __future__ import annotations

import platform

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tiepoint.evaluation.bench import reduced, truth_reduced
from tiepoint.evaluation.bench.reduce import resized_by_area
from tiepoint.evaluation.datasets import HomographyTruth, PoseTruth
from tiepoint.types import Image

SHIFTED = HomographyTruth(H_1_from_0=np.array([[1.0, 0, 30], [0, 1, -20], [0, 0, 1]]))
# Elsewhere OpenCV is compiled to multiply and add in one step, which rounds once and not twice.
SLACK = 0 if platform.machine() in ("x86_64", "AMD64") else 1


def same_as_opencv(pixels: NDArray[np.uint8], small: NDArray[np.uint8]) -> bool:
    expected = cv2.resize(pixels, small.shape[::-1], interpolation=cv2.INTER_AREA)
    return int(np.abs(expected.astype(int) - small).max()) <= SLACK


@pytest.mark.parametrize(
    ("size", "to"),
    [
        ((880, 680), (621, 480)),
        ((1536, 1024), (720, 480)),
        ((765, 512), (717, 480)),
        ((961, 481), (959, 480)),
        ((481, 481), (480, 480)),
        ((2736, 3648), (480, 640)),
        # Whole ratios, of which OpenCV takes 2 x 2 for itself.
        ((1280, 960), (640, 480)),
        ((1440, 960), (480, 480)),
        ((1440, 1920), (480, 640)),
        ((640, 480), (320, 120)),
        ((640, 480), (640, 240)),
        ((490, 98), (10, 2)),  # 1 / (1 / 49) is not 49
        ((480, 7), (33, 7)),
        ((500, 1), (3, 1)),
        ((2, 2), (1, 1)),
        ((3, 2), (2, 1)),
        ((1, 1), (1, 1)),
    ],
)
def test_reduced_to_the_bit_as_opencv_does(
    size: tuple[int, int], to: tuple[int, int], rng: np.random.Generator
) -> None:
    pixels = rng.integers(0, 256, size[::-1], dtype=np.uint8)
    assert same_as_opencv(pixels, resized_by_area(pixels, to))


def test_any_size_to_any_smaller_one_as_opencv_does(rng: np.random.Generator) -> None:
    for _ in range(500):
        width, height = rng.integers(1, 160, 2)
        to = int(rng.integers(1, width + 1)), int(rng.integers(1, height + 1))
        pixels = rng.integers(0, 256, (height, width), dtype=np.uint8)
        assert same_as_opencv(pixels, resized_by_area(pixels, to)), (width, height, to)


@pytest.mark.parametrize("size", [(73, 51), (51, 73), (64, 32), (200, 33), (32, 200)])
def test_the_shorter_side_is_what_was_asked_for(size: tuple[int, int], rng: np.random.Generator) -> None:
    pixels = rng.integers(0, 256, size[::-1], dtype=np.uint8)
    small, matrix = reduced(Image(pixels=pixels), 16)
    assert min(small.size) == 16
    assert matrix.diagonal()[:2].tolist() == [small.width / size[0], small.height / size[1]]
    assert same_as_opencv(pixels, small.pixels8)


def test_reduced_is_the_mean_of_what_each_pixel_covers(rng: np.random.Generator) -> None:
    pixels = rng.integers(0, 256, (7, 11), dtype=np.uint8)
    small, matrix = reduced(Image(pixels=pixels), 16)
    assert small.size == (11, 7)
    assert matrix.tolist() == np.eye(3).tolist()
    pixels = rng.integers(0, 256, (50, 70), dtype=np.uint8)
    small, matrix = reduced(Image(pixels=pixels), 20)
    # Each pixel cut into 2 x 2, so that those of the reduced photo are whole blocks of 5.
    blocks = pixels.repeat(2, axis=0).repeat(2, axis=1).reshape(20, 5, 28, 5).astype(float)
    assert np.abs(small.pixels - blocks.mean(axis=(1, 3))).max() <= 0.5 + 1e-9
    assert matrix.tolist() == np.diag([0.4, 0.4, 1]).tolist()


@pytest.mark.parametrize("exact", [False, True])
def test_truth_goes_with_the_photo(exact: bool) -> None:
    big = Image(pixels=np.zeros((600, 800), np.uint8))
    _, matrix = reduced(big, 300, exact=exact)
    truth = truth_reduced(SHIFTED, matrix, np.eye(3))
    assert isinstance(truth, HomographyTruth)
    corner = 0.5 if exact else 0.0  # the point of the photo at the origin of the reduced one
    assert truth.H_1_from_0 @ [0, 0, 1] == pytest.approx([30 + corner, -20 + corner, 1])
    camera = np.array([[500.0, 0, 399.5], [0, 500, 299.5], [0, 0, 1]])
    pose = truth_reduced(
        PoseTruth(K0=camera, K1=camera, R=np.eye(3), t=np.array([1.0, 0, 0])), matrix, np.eye(3)
    )
    assert isinstance(pose, PoseTruth)
    assert pose.K0[0].tolist() == [250, 0, 199.5 if exact else 199.75]
