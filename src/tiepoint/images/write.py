"""Pixels to a PNG file, without loss."""

from __future__ import annotations

import io
import os
from pathlib import Path

import PIL.Image

from tiepoint.files import write_bytes
from tiepoint.types import Image


def write_image(path: str | os.PathLike[str], image: Image) -> Path:
    """Write a photo as PNG, with 8 or 16 bits as it has them; colour in 16 bits is brought to 8.

    Raises
    ------
    WriteError
        If the file cannot be written; an older one of that name is then untouched.

    Examples
    --------
    >>> import tempfile
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.images import read_image, write_image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read_image(write_image(f"{folder}/view.png", render_demo().image0)).size
    (800, 600)
    """
    pixels = image.pixels if image.pixels.ndim == 2 else image.pixels8
    stream = io.BytesIO()
    PIL.Image.fromarray(pixels).save(stream, format="PNG")
    return write_bytes(path, stream.getvalue())
