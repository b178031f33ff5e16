"""Two photos on one frame: blended, as a checkerboard, their difference, or in turn."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from tiepoint.errors import OptionError
from tiepoint.files import write_bytes
from tiepoint.plotting.layout import NARROWEST, WIDEST
from tiepoint.plotting.photo import as_image
from tiepoint.types import Image
from tiepoint.types._arrays import checked, checked_count

AlignmentMode = Literal["blend", "checkerboard", "difference", "warped"]
ALIGNMENT_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif")

Pixels = NDArray[np.uint8]

_NEUTRAL = 128  # where photo 1 does not reach and there is nothing else to show
_FIELDS = 8  # of the checkerboard along the longer side
_FLICKER_WIDTH = 1000
_FLICKER_MS = 600
_JPEG_QUALITY = 92
_LONGEST = {"jpeg": 65_500, "gif": 65_535}


def alignment_format(path: str | os.PathLike[str]) -> str:
    """Return "png", "jpeg" or "gif", after the suffix of ``path``.

    Raises
    ------
    OptionError
        If it has none of these suffixes.

    Examples
    --------
    >>> from tiepoint.plotting import alignment_format
    >>> alignment_format("aligned.gif")
    'gif'
    """
    suffix = Path(path).suffix.lower()
    if suffix not in ALIGNMENT_SUFFIXES:
        raise OptionError(
            f"{os.fspath(path)}: an alignment is written as PNG, JPEG or GIF; "
            f"end its name with {', '.join(ALIGNMENT_SUFFIXES[:-1])} or {ALIGNMENT_SUFFIXES[-1]}"
        )
    return "jpeg" if suffix == ".jpg" else suffix[1:]


def draw_alignment(
    image0: Image | NDArray[Any],
    warped: Pixels,
    covered: NDArray[np.bool_],
    *,
    mode: AlignmentMode = "blend",
    width: int | None = None,
) -> Pixels:
    """Lay a warped photo over the one it was warped onto.

    Parameters
    ----------
    image0 : Image or ndarray
        Photo 0; an array is RGB (H, W, 3) or gray (H, W), uint8 or uint16.
    warped : ndarray, (H, W, 3) uint8
        Photo 1 on the frame of photo 0, as :func:`tiepoint.geometry.warp` returns it.
    covered : ndarray, (H, W) bool
        Where photo 1 reaches.
    mode : {"blend", "checkerboard", "difference", "warped"}
        "blend" is the mean of both: what fits is sharp, what does not is double. "checkerboard" shows them
        in turn, field by field: lines that go on from field to field fit. "difference" is black where both
        are equal. "warped" is photo 1 alone.
    width : int | None
        Reduce the picture to so many pixels, 64 to 20000; None, or a photo that is narrower, leaves its own.

    Returns
    -------
    ndarray, (H, W, 3) uint8, or (H, W, 4) for "warped"
        RGB. Where photo 1 does not reach: photo 0 alone in "blend" and "checkerboard", gray in "difference",
        and transparent in "warped", which has alpha last.

    Raises
    ------
    DataError
        If the arrays are not of the size of photo 0.
    OptionError
        If ``mode`` or ``width`` is none of the above.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.plotting import draw_alignment
    >>> black, white = np.zeros((60, 80, 3), np.uint8), np.full((60, 80, 3), 255, np.uint8)
    >>> left = np.broadcast_to(np.arange(80) < 40, (60, 80))
    >>> draw_alignment(black, white, left)[0, [10, 70], 0].tolist()
    [128, 0]
    """
    if mode not in get_args(AlignmentMode):
        raise OptionError(f"mode must be one of {', '.join(get_args(AlignmentMode))}, not {mode!r}")
    below = _checked(image0, warped, covered)
    if mode == "blend":
        picture = _chosen(covered, ((below.astype(np.uint16) + warped + 1) // 2).astype(np.uint8), below)
    elif mode == "checkerboard":
        picture = _chosen(covered & _odd_fields(covered.shape), warped, below)
    elif mode == "difference":
        apart = np.maximum(below, warped) - np.minimum(below, warped)
        picture = _chosen(covered, apart, np.full_like(below, _NEUTRAL))
    else:
        opaque = covered.astype(np.uint8) * 255
        picture = np.dstack([_chosen(covered, warped, np.full_like(below, _NEUTRAL)), opaque])
    return _reduced(picture, width)


def save_alignment(
    path: str | os.PathLike[str],
    image0: Image | NDArray[Any],
    warped: Pixels,
    covered: NDArray[np.bool_],
    *,
    mode: AlignmentMode = "blend",
    width: int | None = None,
) -> Path:
    """Write what :func:`draw_alignment` draws to a PNG or JPEG, or both photos in turn to a GIF.

    Parameters
    ----------
    path : path-like
        Ends in .png, .jpg, .jpeg or .gif. A GIF flickers between photo 0 and photo 1, where it reaches:
        what moves does not fit.
    image0, warped, covered, mode
        As in :func:`draw_alignment`; a GIF has no ``mode``. A JPEG is gray where "warped" is transparent.
    width : int | None
        As in :func:`draw_alignment`, but None is at most 1000 pixels for a GIF.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OptionError
        If the suffix is another one, or ``mode`` or ``width`` is out of its range.
    WriteError
        If the file cannot be written; one that was there is then untouched.
    DataError
        If the arrays are not of the size of photo 0.

    Examples
    --------
    >>> import tempfile
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.geometry import warp
    >>> from tiepoint.plotting import save_alignment
    >>> scene = render_demo()
    >>> result = tp.match(scene.image0, scene.image1, model="homography")
    >>> warped, covered = warp(scene.image1, result.geometry.matrix, scene.image0.size)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_alignment(f"{folder}/aligned.gif", scene.image0, warped, covered, width=200).name
    'aligned.gif'
    """
    kind = alignment_format(path)
    stream = io.BytesIO()
    if kind == "gif":
        below = _checked(image0, warped, covered)
        width = _FLICKER_WIDTH if width is None else width
        frames = [_reduced(pixels, width) for pixels in (below, _chosen(covered, warped, below))]
        _check_size(path, frames[0], kind)
        first, second = _with_one_palette(*frames)
        first.save(stream, format="gif", save_all=True, append_images=[second], duration=_FLICKER_MS,
                   loop=0, optimize=False)  # fmt: skip
    else:
        picture = draw_alignment(image0, warped, covered, mode=mode, width=width)
        _check_size(path, picture, kind)
        if kind == "jpeg":
            picture = picture[..., :3]
        PIL.Image.fromarray(picture).save(stream, format=kind, quality=_JPEG_QUALITY, subsampling=0)
    return write_bytes(path, stream.getvalue())


def _checked(image0: Image | NDArray[Any], warped: Pixels, covered: NDArray[np.bool_]) -> Pixels:
    """Return photo 0 as (H, W, 3) uint8, once the others fit it."""
    photo = as_image(image0)
    shape = (photo.height, photo.width)
    checked("warped", warped, shape=(*shape, 3), dtype=np.uint8)
    checked("covered", covered, shape=shape, dtype=np.bool_)
    pixels = photo.pixels8
    return pixels if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, axis=2)


def _chosen(where: NDArray[np.bool_], there: Pixels, elsewhere: Pixels) -> Pixels:
    return np.where(where[..., None], there, elsewhere)


def _odd_fields(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    side = max(1, -(-max(shape) // _FIELDS))
    rows, columns = (np.arange(length) // side for length in shape)
    odd: NDArray[np.bool_] = (rows[:, None] + columns) % 2 == 1
    return odd


def _reduced(picture: Pixels, width: int | None) -> Pixels:
    height, own = picture.shape[:2]
    wanted = own if width is None else checked_count("width", width, least=NARROWEST, most=WIDEST)
    if wanted >= own:
        return picture
    size = (wanted, max(1, round(height * wanted / own)))
    # Averaging whole blocks first is four times as fast on 24 megapixels, and cannot be seen.
    photo = PIL.Image.fromarray(picture).resize(size, PIL.Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(photo)


def _check_size(path: str | os.PathLike[str], picture: Pixels, kind: str) -> None:
    longest = max(picture.shape[:2])
    if longest > _LONGEST.get(kind, longest):
        raise OptionError(
            f"{os.fspath(path)}: a {kind.upper()} is at most {_LONGEST[kind]} pixels long, this one would be "
            f"{longest}; reduce its width, or write a .png"
        )


def _with_one_palette(first: Pixels, second: Pixels) -> tuple[PIL.Image.Image, PIL.Image.Image]:
    """Return both frames in the same 256 colours, or what is equal in them would flicker, too."""
    both = PIL.Image.fromarray(np.concatenate([first, second]))
    palette = both.quantize(256, method=PIL.Image.Quantize.MEDIANCUT)
    before, after = (PIL.Image.fromarray(frame).quantize(palette=palette) for frame in (first, second))
    equal = (first == second).all(axis=2)
    numbers = np.where(equal, np.asarray(before), np.asarray(after))
    mended = PIL.Image.frombytes("P", after.size, numbers.tobytes())
    mended.putpalette(after.getpalette() or [])
    return before, mended
