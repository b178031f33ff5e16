"""OpenCV behind the extractors: is a class there, which version, how to run it safely."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from typing import Any

from tiepoint.errors import DataError, MissingError

BASE_WHEEL = "opencv-python-headless"
CONTRIB_WHEEL = "opencv-contrib-python-headless"
_WHEELS = (BASE_WHEEL, "opencv-python", CONTRIB_WHEEL, "opencv-contrib-python")
_IN_EVERY_WHEEL = ("ORB", "SIFT")


def import_cv2() -> Any:
    """Import OpenCV, or say how to get it."""
    try:
        import cv2
    except ModuleNotFoundError as error:
        raise MissingError(f"OpenCV is not installed; get it with: pip install {BASE_WHEEL}") from error
    except ImportError as error:
        raise MissingError(f"OpenCV is installed but cannot be loaded: {error}") from error
    return cv2


def create(name: str, *arguments: Any, **options: Any) -> Any:
    """Make an OpenCV feature object; the class must be there, see :func:`missing`."""
    factory = _factory(name)
    if factory is None:
        raise MissingError(f"the installed OpenCV has no {name}; get it with: {missing(name)}")
    return factory(*arguments, **options)


def missing(name: str) -> str | None:
    """Say what has to be installed for the OpenCV class ``name``; None if it is there."""
    if find_spec("cv2") is None:
        return f"pip install {BASE_WHEEL if name in _IN_EVERY_WHEEL else CONTRIB_WHEEL}"
    if _factory(name) is not None:
        return None
    # The wheels overwrite each other's files, so what is there has to go before the other comes.
    there = " ".join(wheel for wheel in _WHEELS if _installed(wheel))
    away = f"pip uninstall -y {there} && " if there else ""
    return f"{away}pip install {CONTRIB_WHEEL}"


def version() -> str:
    """Return the version as it stands in the settings of features."""
    return f"opencv {import_cv2().__version__}"


@contextmanager
def failures_in_words(extractor: str, size: tuple[int, int]) -> Iterator[None]:
    """Turn OpenCV's and the allocator's failures into one sentence."""
    cv2 = import_cv2()
    photo = f"a photo of {size[0]}x{size[1]} pixels"
    no_memory = (
        f"{extractor} ran out of memory on {photo}; reduce it with the option max_size={max(size) // 2}"
    )
    try:
        yield
    except MemoryError as error:
        raise DataError(no_memory) from error
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise DataError(no_memory) from error
        said = " ".join(str(error.err or error).split())
        raise DataError(
            f"{extractor} with these options failed on {photo}: OpenCV says {said!r}; "
            "take options nearer to the defaults"
        ) from error


def _factory(name: str) -> Any | None:
    """Return ``NAME_create``, from the main module or, as OpenCV 5 has moved it, from contrib."""
    cv2 = import_cv2()
    attribute = f"{name}_create"
    return getattr(cv2, attribute, None) or getattr(getattr(cv2, "xfeatures2d", None), attribute, None)


def _installed(wheel: str) -> bool:
    try:
        distribution(wheel)
    except PackageNotFoundError:
        return False
    return True
