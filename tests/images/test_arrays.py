from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tiepoint.errors import DataError, OptionError
from tiepoint.images import read_image
from tiepoint.images.arrays import Channels


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_orders(rng: np.random.Generator, dtype: type) -> None:
    photo = rng.integers(0, np.iinfo(dtype).max, (6, 7, 4), dtype)
    photo[..., 3] = np.iinfo(dtype).max
    rgb = photo[..., :3]
    cases: list[tuple[np.ndarray, Channels | None]] = [
        (rgb, None), (rgb, "rgb"), (rgb[..., ::-1], "bgr"),
        (photo, None), (photo, "rgba"), (photo[..., [2, 1, 0, 3]], "bgra"),
    ]  # fmt: skip
    for array, channels in cases:
        pixels = read_image(array, channels=channels).pixels
        np.testing.assert_array_equal(pixels, rgb)
        assert pixels.flags.c_contiguous
        assert pixels.dtype == np.dtype(dtype)
    for gray in (photo[..., 0], photo[..., :1]):
        np.testing.assert_array_equal(read_image(gray, channels="gray").pixels, photo[..., 0])


def test_nothing_is_copied_where_nothing_changes(rng: np.random.Generator) -> None:
    for array in (rng.integers(0, 256, (6, 7, 3), np.uint8), rng.integers(0, 9, (6, 7), np.uint16)):
        image = read_image(array)
        assert np.shares_memory(image.pixels, array)
        assert array.flags.writeable
        assert not image.pixels.flags.writeable


def test_alpha_is_blended() -> None:
    array = np.array([[[10, 20, 30, 0], [10, 20, 30, 255]]], np.uint8)
    assert read_image(array).pixels.tolist() == [[[128] * 3, [10, 20, 30]]]
    assert read_image(array, channels="bgra").pixels.tolist() == [[[128] * 3, [30, 20, 10]]]


def test_other_dtypes(rng: np.random.Generator) -> None:
    photo = rng.integers(0, 256, (6, 7, 3), np.uint8)
    for dtype in (np.float16, np.float32, np.float64):
        pixels = read_image((photo / 255).astype(dtype)).pixels
        assert pixels.dtype == np.uint8
        assert np.abs(pixels.astype(int) - photo).max() <= (1 if dtype == np.float16 else 0)
    assert read_image(np.array([[True, False]])).pixels.tolist() == [[255, 0]]
    swapped = read_image(photo.astype(">u2")).pixels
    assert swapped.dtype == np.dtype(np.uint16)
    np.testing.assert_array_equal(swapped, photo)


class _Tensor:
    """What PyTorch and others give: no array, but it can become one."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.array, dtype=dtype, copy=copy)


def test_arrays_of_other_libraries(rng: np.random.Generator) -> None:
    photo = rng.integers(0, 256, (6, 7, 3), np.uint8)
    tensor: Any = _Tensor(photo)
    np.testing.assert_array_equal(read_image(tensor, channels="bgr").pixels, photo[..., ::-1])
    tensor = _Tensor(photo.transpose(2, 0, 1))
    with pytest.raises(DataError, match="channels last"):
        read_image(tensor)


class _OnACard:
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        raise TypeError("can't convert cuda:0 device type tensor to numpy")


def test_a_tensor_that_cannot_become_an_array() -> None:
    tensor: Any = _OnACard()
    with pytest.raises(DataError, match=r"_OnACard cannot become a NumPy array: can't convert cuda"):
        read_image(tensor)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.zeros((3, 40, 50), np.uint8), r"numpy.moveaxis\(array, 0, -1\)"),
        (np.zeros((40, 50, 5), np.uint8), "1, 3 or 4 channels, not 5"),
        (np.zeros(7, np.uint8), r"\(7,\)"),
        (np.zeros((0, 4, 3), np.uint8), r"\(0, 4, 3\)"),
        (np.zeros((2, 4, 4, 3), np.uint8), r"\(2, 4, 4, 3\)"),
        (np.zeros((4, 4), np.int64), "not int64"),
        (np.zeros((4, 4), np.int16), "not int16"),
        (np.zeros((4, 4), complex), "not complex128"),
        (np.zeros((4, 4), "U3"), "uint8, uint16, bool or float"),
        (np.full((4, 4), None), "not object"),
        (np.full((4, 4), 200.0), "0..1, but this one reaches from 200 to 200"),
        (np.full((4, 4), np.nan), "0..1"),
        (np.full((4, 4), -0.1), "0..1"),
    ],
)
def test_refused(array: np.ndarray, expected: str) -> None:
    with pytest.raises(DataError, match=expected):
        read_image(array)


def test_nan_is_named() -> None:
    for array in (np.full((4, 4), np.nan), np.array([[0.5, np.nan, 7.0]])):
        with pytest.raises(DataError, match="holds NaN"):
            read_image(array)


def test_a_view_larger_than_any_memory() -> None:
    """No limit on the size of an array, which is there already; but a copy may have no room."""
    with pytest.raises(DataError, match=r"not enough memory to take an array of \(100000000, 100000000\)"):
        read_image(np.broadcast_to(np.uint8(3), (10**8, 10**8)))


@pytest.mark.parametrize("channels", [np.array(["rgb", "bgr"]), ["rgb"], 3, b"rgb"])
def test_channels_that_are_no_word(channels: Any) -> None:
    with pytest.raises(OptionError, match="channels must be one of"):
        read_image(np.zeros((4, 4, 3), np.uint8), channels=channels)
