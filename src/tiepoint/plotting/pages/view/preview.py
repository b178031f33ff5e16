"""A photo as a page holds it: WebP, as large as the page has room for."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import PIL.features
import PIL.Image

from tiepoint.plotting.photo import resized
from tiepoint.types import Image

# Longest side in pixels and quality, best first. A screen shows half of the first across, so that there is
# something to zoom into; what is below the fourth is for photos that are hardly more than noise.
_STEPS = ((2048, 82), (2048, 70), (1600, 70), (1600, 50), (1200, 50), (900, 50), (640, 40))
_FULL_QUALITY = 90
_MOST_WEBP = 16383  # pixels a side


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A compressed photo.

    Attributes
    ----------
    data : bytes
        Without any metadata, of which the photo's own may tell where it was taken.
    kind : str
        MIME type.
    size : (int, int)
        Width and height of the picture; it shows the whole photo, whatever its size.
    """

    data: bytes
    kind: str
    size: tuple[int, int]

    @property
    def url(self) -> str:
        """The picture as a data: address."""
        return f"data:{self.kind};base64,{base64.b64encode(self.data).decode('ascii')}"


def preview(image: Image, *, most_bytes: int, most_side: int = 2048, full: bool = False) -> Preview:
    """Return a photo compressed to at most so many bytes, and never larger than it is.

    Parameters
    ----------
    image : Image
    most_bytes : int
        Of the compressed picture; only the last, smallest attempt may take more.
    most_side : int
        Longest side in pixels.
    full : bool
        Keep all pixels, whatever it takes.

    Examples
    --------
    >>> import numpy as np
    >>> import tiepoint as tp
    >>> from tiepoint.plotting.pages.view.preview import preview
    >>> photo = tp.Image(pixels=np.zeros((3000, 4000, 3), np.uint8))
    >>> preview(photo, most_bytes=1_000_000).size, preview(photo, most_bytes=1, full=True).size
    ((2048, 1536), (4000, 3000))
    """
    if full:
        return _encoded(image, image.size, _FULL_QUALITY)
    made = None
    for side, quality in _STEPS:
        size = _shrunk(image.size, min(side, most_side))
        made = _encoded(image, size, quality)
        if len(made.data) <= most_bytes:
            break
    assert made is not None
    return made


def _shrunk(size: tuple[int, int], side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(size))
    width, height = (max(1, round(length * scale)) for length in size)
    return width, height


def _encoded(image: Image, size: tuple[int, int], quality: int) -> Preview:
    picture = PIL.Image.fromarray(resized(image, size))
    stream = io.BytesIO()
    if max(size) <= _MOST_WEBP and PIL.features.check("webp"):
        picture.save(stream, format="WEBP", quality=quality, method=4)
        return Preview(data=stream.getvalue(), kind="image/webp", size=size)
    picture.save(stream, format="JPEG", quality=quality, optimize=True)
    return Preview(data=stream.getvalue(), kind="image/jpeg", size=size)
