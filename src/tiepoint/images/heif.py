"""HEIC through pillow-heif, AVIF through Pillow where it was built with it."""

from __future__ import annotations

import io

import numpy as np
from PIL import features

from tiepoint.errors import MissingError
from tiepoint.images.bmff import exif_block, without_exif
from tiepoint.images.convert import over_gray, to_pixels
from tiepoint.images.exif import read_exif
from tiepoint.images.limits import Limits, RefusedError
from tiepoint.images.pillow import Decoded, loaded, opened


def decode_heic(data: bytes, limits: Limits) -> Decoded:
    """Decode the main picture of a HEIC file; more than 8 bits become 16.

    The file states its turns outside of the EXIF block and the decoder applies them. The orientation in
    the block tells nothing, by the standard (ISO/IEC 23008-12) as for libheif, pillow-heif and the
    viewers that stand on them: mostly it repeats what has been applied, and where it says something
    else it is left alone.
    """
    try:
        from pillow_heif import open_heif
    except ImportError as error:
        raise MissingError("HEIC needs pillow-heif: pip install 'tiepoint[heif]'") from error
    try:
        picture = open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
        limits.check_size(*picture.size)
        pixels = np.asarray(picture)
    except (RefusedError, MemoryError):
        raise
    except Exception as error:  # what the library says of it is about its own insides
        raise RefusedError(
            "this HEIC file is damaged or cut short, or of a kind that is not read; get a whole copy, "
            "or save it as JPEG"
        ) from error
    limits.check_size(pixels.shape[1], pixels.shape[0])
    layers = picture.mode.partition(";")[0]
    if layers[-1] in "Aa":
        pixels = over_gray(pixels, premultiplied=layers[-1] == "a")
    elif pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    elif layers not in ("L", "I", "RGB"):
        raise RefusedError(f"its pixels are of the kind {layers}, which is not read")
    return Decoded(pixels=np.ascontiguousarray(pixels), exif=exif_block(data), orientation=1)


def decode_avif(data: bytes, limits: Limits) -> Decoded:
    """Decode the main picture of an AVIF file, to 8 bits; the turns that the file states are applied."""
    if not features.check("avif"):
        raise MissingError(
            "AVIF needs a Pillow that was built with it: "
            "pip install --force-reinstall --only-binary :all: pillow"
        )
    from PIL.AvifImagePlugin import AvifImageFile

    # Pillow reads the EXIF block while opening, and a broken one would make it warn or fail.
    with opened(AvifImageFile, without_exif(data), limits) as picture:
        stated = read_exif(picture.info.get("exif"))
        orientation = stated.orientation if stated is not None else 1
        return Decoded(pixels=to_pixels(loaded(picture)), exif=exif_block(data), orientation=orientation)
