"""The door: whatever a photo is given as becomes an upright Image, or one clear sentence."""

from __future__ import annotations

import operator
import os
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from tiepoint.errors import DataError, MissingError, OptionError, ReadError, TiepointError
from tiepoint.images.arrays import Channels, check_channels, from_array
from tiepoint.images.bmp import decode as decode_bmp
from tiepoint.images.convert import to_pixels
from tiepoint.images.exif import read_exif
from tiepoint.images.gif import decode as decode_gif
from tiepoint.images.heif import decode_avif, decode_heic
from tiepoint.images.jpeg import decode as decode_jpeg
from tiepoint.images.limits import MAX_PIXELS, Limits, RefusedError
from tiepoint.images.pillow import Decoded
from tiepoint.images.png import decode as decode_png
from tiepoint.images.pnm import decode as decode_pnm
from tiepoint.images.sniff import Format
from tiepoint.images.source import describe, fetch, plain
from tiepoint.images.tiff import decode as decode_tiff
from tiepoint.images.webp import decode as decode_webp
from tiepoint.types import Image

_DECODERS: dict[Format, Callable[[bytes, Limits], Decoded]] = {
    "JPEG": decode_jpeg,
    "PNG": decode_png,
    "WebP": decode_webp,
    "TIFF": decode_tiff,
    "BMP": decode_bmp,
    "PNM": decode_pnm,
    "GIF": decode_gif,
    "HEIC": decode_heic,
    "AVIF": decode_avif,
}


class Readable(Protocol):
    """A file that is open in binary mode, or whatever else gives bytes when it is read."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes; none at the end."""


class ArrayLike(Protocol):
    """What gives a NumPy array when asked, such as a tensor."""

    def __array__(self) -> NDArray[Any]: ...


# What read_image takes.
Photo: TypeAlias = (
    str
    | os.PathLike[str]
    | bytes
    | bytearray
    | memoryview
    | Readable
    | NDArray[Any]
    | ArrayLike
    | PIL.Image.Image
    | Image
)


def read_image(
    source: Photo,
    *,
    max_pixels: int = MAX_PIXELS,
    allow_truncated: bool = False,
    channels: Channels | None = None,
) -> Image:
    """Read a photo and turn it upright.

    Parameters
    ----------
    source : str | os.PathLike | bytes | file object | ndarray | PIL.Image.Image | Image
        A path; the bytes of a file; a file object open in binary mode, read from where it stands; an
        array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4); a Pillow image; or an Image, returned as it is.
    max_pixels : int
        A file that claims more is refused before it is decoded. The default, 178 megapixels, is about
        the 2^29 bytes of RGB from which Pillow speaks of a decompression bomb. Raising it raises with it
        the limit on what a PNG, a compressed TIFF or a JPEG of several passes may unpack to: three bytes for
        each of these pixels (one in a TIFF that LZMA packed), whatever the pixels are made of. Arrays
        have no limit.
    allow_truncated : bool
        Read what is there of a JPEG, PNG, BMP or PNM that is cut short, if it is a row and a hundredth of
        the picture or more. What is missing is gray in a JPEG and black in the others. The other formats
        are refused all the same.
    channels : {"gray", "rgb", "bgr", "rgba", "bgra"} | None
        The order of an array's channels, "rgb" or "rgba" if it is not said. An array from
        ``cv2.imread`` is "bgr". For arrays only.

    Returns
    -------
    Image
        Pixels (H, W) gray or (H, W, 3) RGB, uint8 or uint16, C-contiguous, upright by the EXIF
        orientation; and the EXIF facts.

    Raises
    ------
    ReadError
        If the file is missing, damaged, too large or of a format that is not read. One line that
        begins with the name.
    DataError
        If an array has another shape, dtype or range.
    MissingError
        If HEIC or AVIF needs a package that is not installed.
    OptionError
        If an option has an impossible value.

    Notes
    -----
    JPEG (MPO: its first picture), PNG, WebP, TIFF, BMP, PNM, GIF, HEIC and AVIF are read, recognised by
    their content; of animated and multi-page files the first frame. How palettes, alpha, CMYK, 16 bits
    and float become pixels is stated in ``tiepoint.images.convert``; what holds for arrays in
    ``tiepoint.images.arrays``. Nothing of Pillow's settings is changed, and any number of threads may read.

    Examples
    --------
    >>> import numpy as np
    >>> import tiepoint as tp
    >>> tp.read_image(np.zeros((480, 640, 3), np.uint8), channels="bgr")
    Image(640x480 RGB uint8)
    """
    limits = _limits(max_pixels, allow_truncated)
    order = check_channels(channels)
    if isinstance(source, np.ndarray) or _is_foreign_array(source):
        return _from_array(_as_array(source), order)
    if order is not None:
        raise OptionError("channels states the order of an array's channels; leave it out for anything else")
    if isinstance(source, Image):
        return source
    if isinstance(source, PIL.Image.Image):
        return _checked("the given Pillow image", lambda: _upright(_from_pillow(source, limits)))
    name = describe(source)
    path = os.fsdecode(source) if isinstance(source, str | os.PathLike) else None

    def read() -> Image:
        photo = fetch(source, limits)
        return _upright(_DECODERS[photo.format](photo.data, limits), path=path)

    return _checked(name, read)


def _checked(name: str, read: Callable[[], Image]) -> Image:
    """Call ``read``, and put whatever goes wrong in it into one sentence about ``name``."""
    try:
        return read()
    except RefusedError as error:
        raise ReadError(f"{name}: {error}") from error
    except MissingError as error:
        raise MissingError(f"{name}: {error}") from error
    except TiepointError:
        raise
    except MemoryError as error:
        raise ReadError(f"{name}: there is not enough memory to read it") from error
    except Exception as error:  # a decoder meets a damaged file with any exception there is
        detail = plain(str(error)) if isinstance(error, OSError | SyntaxError | ValueError) else ""
        # Numbers of Pillow's, or "truncated" of data that ends early inside a whole file: of no help.
        reason = (
            f" ({detail})" if detail and not detail.startswith(("decoder error", "image file is")) else ""
        )
        raise ReadError(f"{name}: it is damaged and cannot be decoded{reason}; get a whole copy") from error


def _limits(max_pixels: object, allow_truncated: bool) -> Limits:
    try:
        pixels = operator.index(max_pixels)  # type: ignore[arg-type]
    except TypeError:
        pixels = 0
    if pixels < 1:
        raise OptionError(f"max_pixels must be a whole number from 1 up, not {max_pixels!r}")
    if not isinstance(allow_truncated, bool | np.bool_ | int):
        raise OptionError(f"allow_truncated must be True or False, not {allow_truncated!r}")
    return Limits(max_pixels=pixels, allow_truncated=bool(allow_truncated))


def _is_foreign_array(source: object) -> bool:
    """Tell whether it is an array of another library, such as a tensor of PyTorch."""
    return hasattr(source, "__array__") and not isinstance(source, Image | PIL.Image.Image)


def _as_array(source: object) -> NDArray[Any]:
    try:
        return np.asarray(source)
    except Exception as error:  # a tensor that lies on a graphics card, or belongs to a gradient
        raise DataError(
            f"this {type(source).__name__} cannot become a NumPy array: {plain(str(error))}"
        ) from error


def _from_array(array: NDArray[Any], channels: Channels | None) -> Image:
    """Take an array of any size, as it is there already; but a view can be far larger than its memory."""
    try:
        return Image(pixels=from_array(array, channels))
    except MemoryError as error:
        raise DataError(
            f"there is not enough memory to take an array of {array.shape} as a photo; give a part of it"
        ) from error


def _from_pillow(picture: PIL.Image.Image, limits: Limits) -> Decoded:
    limits.check_size(*picture.size, verb="it has")
    picture.load()
    exif, key = picture.info.get("exif"), picture.info.get("transparency")
    plain_key = key if isinstance(key, int | tuple) and picture.mode not in ("P", "PA") else None
    pixels = to_pixels(picture, transparent=plain_key)
    return Decoded(pixels=pixels, exif=exif if isinstance(exif, bytes) else None)


def _upright(decoded: Decoded, *, path: str | None = None) -> Image:
    exif = read_exif(decoded.exif, orientation=decoded.orientation)
    orientation = decoded.orientation or (exif.orientation if exif is not None else 1)
    return Image(pixels=_turned(decoded.pixels, orientation), path=path, exif=exif)


def _turned(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Undo an EXIF orientation: 2 and 4 are mirrored, 3 stands on its head, 5 to 8 lie on a side."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
