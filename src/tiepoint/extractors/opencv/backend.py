"""OpenCV behind the extractors: is a class there, which version, how to run it safely."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from tiepoint.errors import DataError, MissingError

BASE_WHEEL = "opencv-python-headless"
CONTRIB_WHEEL = "opencv-contrib-python-headless"
# The wheels overwrite each other's files, so the one has to go before the other comes.
INSTALL_CONTRIB = f"pip uninstall -y {BASE_WHEEL} && pip install {CONTRIB_WHEEL}"
INSTALL_BASE = f"pip install {BASE_WHEEL}"


def import_cv2() -> Any:
    """Import OpenCV, or say how to get it."""
    try:
        import cv2
    except ImportError as error:
        raise MissingError(f"OpenCV cannot be imported ({error}); install it with: {INSTALL_BASE}") from error
    return cv2


def factory(name: str) -> Any | None:
    """Return ``NAME_create``, from the main module or, as OpenCV 5 has moved it, from contrib."""
    cv2 = import_cv2()
    create = f"{name}_create"
    return getattr(cv2, create, None) or getattr(getattr(cv2, "xfeatures2d", None), create, None)


def missing(name: str) -> str | None:
    """Say what has to be installed for the OpenCV class ``name``; None if it is there."""
    if find_spec("cv2") is None:
        return INSTALL_BASE
    return None if factory(name) is not None else INSTALL_CONTRIB


def version() -> str:
    """Return the version as it stands in the settings of features."""
    return f"opencv {import_cv2().__version__}"


@contextmanager
def failures_in_words(extractor: str, size: tuple[int, int]) -> Iterator[None]:
    """Turn OpenCV's and the allocator's failures into one sentence."""
    cv2 = import_cv2()
    photo = f"a photo of {size[0]}x{size[1]} pixels"
    try:
        yield
    except MemoryError as error:
        raise DataError(_no_memory(extractor, photo)) from error
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise DataError(_no_memory(extractor, photo)) from error
        raise DataError(f"{extractor} failed on {photo}: OpenCV says {error.err!r}") from error


def _no_memory(extractor: str, photo: str) -> str:
    return f"{extractor} ran out of memory on {photo}; reduce it with the option max_size=4000"
