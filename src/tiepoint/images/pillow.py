"""How Pillow is called: one format, from memory, with nothing of its settings read or changed.

``PIL.Image.open`` asks every format whether the bytes are its own, compares the size with a limit of
the whole process and warns from half of it on. So the reader of the one format is called directly. It is
given bytes that the module of the format has cut down to what the pixels need: what Pillow would warn
about (broken EXIF blocks, animations, tags) is no longer there.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import PIL.Image
from numpy.typing import NDArray
from PIL.ImageFile import ImageFile

from tiepoint.images.limits import Limits

_File = TypeVar("_File", bound=ImageFile)


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """Pixels as they are stored, and what is needed to turn them upright.

    ``exif`` is the raw block or None; ``orientation`` is set where the format states it outside of it.
    """

    pixels: NDArray[Any]
    exif: bytes | None = None
    orientation: int | None = None


@contextmanager
def opened(
    reader: Callable[[io.BytesIO], _File], stream: bytes | io.BytesIO, limits: Limits
) -> Iterator[_File]:
    """Open ``stream`` with the reader of its format, check the size again, and close it afterwards."""
    file = io.BytesIO(stream) if isinstance(stream, bytes) else stream
    with file:
        picture = reader(file)
        try:
            limits.check_size(*picture.size)
            yield picture
        finally:
            picture.close()


def loaded(picture: ImageFile) -> PIL.Image.Image:
    """Decode the pixels; Pillow's own errors pass through."""
    picture.load()
    return picture


class Endless(io.BytesIO):
    """Bytes that go on with zeros for ever: the missing end of an uncompressed picture that was cut short."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Return exactly ``size`` bytes."""
        data = super().read(size)
        return data if size is None or size < 0 else data.ljust(size, b"\0")
