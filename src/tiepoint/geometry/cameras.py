"""Intrinsic matrices where nobody has calibrated."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tiepoint.types import Image

_ASSUMED = 1.2  # focal length over the longer side, as COLMAP assumes
_FILM = math.hypot(36, 24)  # millimetres


def camera_of(image: Image) -> NDArray[np.float64] | None:
    """Return the camera that the EXIF block tells of, (3, 3); None where it says no focal length.

    From the focal length as seen on 35 mm film, over the diagonal. A photo that was cropped later says too
    little.

    Examples
    --------
    >>> import numpy as np
    >>> import tiepoint as tp
    >>> from tiepoint.geometry.cameras import camera_of
    >>> photo = tp.Image(pixels=np.zeros((1200, 1800), np.uint8), exif=tp.Exif(focal_length_35mm=36))
    >>> camera_of(photo)[0].tolist()
    [1800.0, 0.0, 899.5]
    """
    focal = None if image.exif is None else image.exif.focal_length_35mm
    if not focal or focal <= 0:
        return None
    return _camera(image.size, focal / _FILM * math.hypot(*image.size))


def assumed_camera(size: tuple[int, int]) -> NDArray[np.float64]:
    """Return the camera to assume where nothing is known: a focal length of 1.2 times the longer side.

    Examples
    --------
    >>> from tiepoint.geometry.cameras import assumed_camera
    >>> assumed_camera((1000, 800))[0].tolist()
    [1200.0, 0.0, 499.5]
    """
    return _camera(size, _ASSUMED * max(size))


def _camera(size: tuple[int, int], focal: float) -> NDArray[np.float64]:
    width, height = size
    return np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])
