"""Arrays as photos: shape, dtype and the order of the channels are checked, nothing is guessed."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import DataError, OptionError
from tiepoint.images.convert import over_gray

Channels = Literal["gray", "rgb", "bgr", "rgba", "bgra"]
CHANNELS: tuple[Channels, ...] = get_args(Channels)
_COUNT = {"gray": 1, "rgb": 3, "bgr": 3, "rgba": 4, "bgra": 4}


def check_channels(channels: object) -> Channels | None:
    """Return ``channels`` if it is an order that is known."""
    if channels is None or (isinstance(channels, str) and channels in CHANNELS):
        return channels
    raise OptionError(f"channels must be one of {', '.join(CHANNELS)}, not {channels!r}")


def from_array(array: NDArray[Any], channels: Channels | None) -> NDArray[Any]:
    """Return the pixels of an Image: (H, W) or (H, W, 3) RGB, uint8 or uint16, C-contiguous.

    uint8 and uint16 are taken as they are, without a copy where nothing has to change; bool becomes
    0 and 255; floats must lie in 0..1 and become uint8 (0..255), rounded. Alpha is blended over
    middle gray.

    Raises
    ------
    DataError
        For any other shape, dtype or range.
    """
    shape = _checked_shape(array, channels)
    pixels = _to_unsigned(array.reshape(shape))
    if pixels.ndim == 2:
        return np.ascontiguousarray(pixels)
    if channels in ("bgr", "bgra"):
        pixels = pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]
    return over_gray(pixels) if pixels.shape[2] == 4 else np.ascontiguousarray(pixels)


def _checked_shape(array: NDArray[Any], channels: Channels | None) -> tuple[int, ...]:
    shape = array.shape
    if 0 in shape or array.ndim not in (2, 3):
        raise DataError(
            f"an array of a photo is (height, width), (height, width, 3) or (height, width, 4), not {shape}"
        )
    count = shape[2] if array.ndim == 3 else 1
    if count not in (1, 3, 4):
        if array.ndim == 3 and shape[0] in (1, 3, 4):
            raise DataError(
                f"an array of a photo has its channels last, but {shape} has them first; "
                "give numpy.moveaxis(array, 0, -1)"
            )
        raise DataError(f"an array of a photo has 1, 3 or 4 channels, not {count} as in {shape}")
    if channels is not None and _COUNT[channels] != count:
        raise DataError(f"channels is {channels!r}, but the array has {count} in its shape {shape}")
    return shape[:2] if count == 1 else shape


def _to_unsigned(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.type in (np.uint8, np.uint16):
        native: NDArray[Any] = array.astype(array.dtype.newbyteorder("="), copy=False)
        return native
    if array.dtype.kind == "b":
        return np.where(array, np.uint8(255), np.uint8(0))
    if array.dtype.kind == "f":
        low, high = float(array.min()), float(array.max())
        if np.isnan(low):
            raise DataError(
                "a float array must lie in 0..1, but this one holds NaN; "
                "put a number in its place, for example with numpy.nan_to_num"
            )
        if low >= 0 and high <= 1:
            scaled: NDArray[Any] = np.rint(array * array.dtype.type(255)).astype(np.uint8)
            return scaled
        raise DataError(
            f"a float array must lie in 0..1, but this one reaches from {low:g} to {high:g}; "
            "scale it, or convert it to uint8 or uint16"
        )
    raise DataError(
        f"an array of a photo is uint8, uint16, bool or float in 0..1, not {array.dtype.name}; "
        "convert it, for example with .astype(numpy.uint8)"
    )
