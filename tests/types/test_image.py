from __future__ import annotations

import pickle

import cv2
import numpy as np
import pytest

import tiepoint as tp


def test_gray_is_opencvs_to_the_bit(rng: np.random.Generator) -> None:
    pixels = rng.integers(0, 256, (1100, 1021, 3), dtype=np.uint8)  # more than one strip of rows
    assert np.array_equal(tp.Image(pixels=pixels).gray, cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))


def test_gray_of_gray_is_itself(rng: np.random.Generator) -> None:
    pixels = rng.integers(0, 256, (4, 5), dtype=np.uint8)
    image = tp.Image(pixels=pixels)
    assert np.array_equal(image.gray, pixels)
    assert image.gray is image.gray


def test_sizes_and_array() -> None:
    image = tp.Image(pixels=np.zeros((48, 64, 3), np.uint8), path="a b.jpg")
    assert (image.width, image.height, image.size) == (64, 48, (64, 48))
    assert np.asarray(image).shape == (48, 64, 3)
    assert np.asarray(image, dtype=np.float32).dtype == np.float32
    assert repr(image) == "Image(64x48 RGB uint8, 'a b.jpg')"


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (np.zeros((4, 5, 4), np.uint8), "not (4, 5, 4) uint8"),
        (np.zeros((4, 5), np.float32), "not (4, 5) float32"),
        (np.zeros((0, 5), np.uint8), "at least one pixel"),
        ("photo.jpg", "pixels must be a NumPy array"),
    ],
)
def test_wrong_pixels_are_refused(pixels: object, words: str) -> None:
    with pytest.raises(tp.DataError) as error:
        tp.Image(pixels=pixels)  # type: ignore[arg-type]
    assert words in str(error.value)


def test_16_bits_keep_a_narrow_range_visible(rng: np.random.Generator) -> None:
    # A thermal picture: 400 of 65536 levels, and one hot pixel.
    thermal = rng.integers(30_000, 30_400, (100, 100)).astype(np.uint16)
    thermal[0, 0] = 65_535
    gray = tp.Image(pixels=thermal).gray
    assert gray.dtype == np.uint8
    assert gray[1:].min() == 0
    assert gray[1:].max() == 255
    assert np.unique(gray).size > 200


def test_16_bit_rule_is_linear_between_the_percentiles() -> None:
    ramp = np.arange(10_000, dtype=np.uint16).reshape(100, 100)
    low, high = 10, 9989  # the 0.1th and the 99.9th percentile of 0..9999
    expected = np.clip(np.rint((ramp.astype(float) - low) * 255 / (high - low)), 0, 255)
    assert np.abs(tp.Image(pixels=ramp).gray - expected).max() <= 1
    assert tp.Image(pixels=ramp).gray[0, 0] == 0
    assert tp.Image(pixels=ramp).gray[-1, -1] == 255


def test_16_bit_colours_share_one_scale() -> None:
    pixels = np.zeros((10, 10, 3), np.uint16)
    pixels[..., 0], pixels[..., 1] = 1000, 500
    assert tp.Image(pixels=pixels).rgb8[0, 0].tolist() == [255, 128, 0]


def test_flat_16_bits_are_black_and_two_values_are_both_kept() -> None:
    assert tp.Image(pixels=np.full((5, 5), 900, np.uint16)).gray.max() == 0
    spot = np.full((200, 200), 900, np.uint16)
    spot[0, 0] = 901
    assert np.unique(tp.Image(pixels=spot).gray).tolist() == [0, 255]


def test_pickle(rng: np.random.Generator) -> None:
    image = tp.Image(pixels=rng.integers(0, 256, (8, 9, 3), dtype=np.uint8), exif=tp.Exif(focal_length=35.0))
    again = pickle.loads(pickle.dumps(image))
    assert np.array_equal(again.pixels, image.pixels)
    assert again.exif == image.exif
