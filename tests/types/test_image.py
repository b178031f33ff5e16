from __future__ import annotations

import pickle
import tracemalloc
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import tiepoint as tp
from tiepoint.types.image import rgb_to_gray, to_8_bit


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
    assert tp.Image(pixels=pixels).pixels8[0, 0].tolist() == [255, 128, 0]


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


@pytest.mark.parametrize("convert", [to_8_bit, rgb_to_gray])
def test_conversions_take_little_memory_beside_the_photo(convert: Any) -> None:
    dtype = np.uint16 if convert is to_8_bit else np.uint8
    pixels = np.arange(1500 * 4000 * 3).reshape(1500, 4000, 3).astype(dtype)
    tracemalloc.start()
    result = convert(pixels)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < result.nbytes + 24_000_000  # the photos have 36 and 18 million bytes


def test_16_bits_do_not_depend_on_the_strips(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = rng.integers(0, 50_000, (97, 31, 3)).astype(np.uint16)
    whole = to_8_bit(pixels)
    monkeypatch.setattr("tiepoint.types.image._STRIP_VALUES", 500)
    assert np.array_equal(to_8_bit(pixels), whole)


@pytest.mark.parametrize("path", [Path("a/b.jpg"), "a/b.jpg", b"a/b.jpg"])
def test_a_path_is_kept_as_text(path: Any) -> None:
    assert tp.Image(pixels=np.zeros((2, 2), np.uint8), path=path).path == str(Path("a/b.jpg"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"path": 5}, "path must be a path or None, not int"),
        ({"exif": {"time": None}}, "exif must be an Exif or None, not dict"),
    ],
)
def test_wrong_facts_are_refused(changes: Any, words: str) -> None:
    with pytest.raises(tp.DataError, match=words):
        tp.Image(pixels=np.zeros((2, 2), np.uint8), **changes)


@pytest.mark.parametrize(
    "facts",
    [
        {"focal_length": "35 mm"},
        {"altitude": float("nan")},
        {"latitude": 10**400},
        {"camera_make": 3},
        {"time": "2026-01-02"},
        {"orientation": 9},
        {"orientation": None},
    ],
)
def test_wrong_exif_facts_are_refused(facts: Any) -> None:
    with pytest.raises(tp.DataError, match=f"{next(iter(facts))} must be"):
        tp.Exif(**facts)
