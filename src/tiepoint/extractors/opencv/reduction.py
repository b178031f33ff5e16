"""Pixels of a reduced photo."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.extractors.opencv import backend


def reduced(pixels: NDArray[Any], size: tuple[int, int], *, nearest: bool = False) -> NDArray[Any]:
    """Reduce pixels, (H, W) or (H, W, 3), to (width, height): means of areas, or the nearest pixel."""
    if pixels.shape[1::-1] == size:
        return pixels
    cv2 = backend.import_cv2()
    kind = cv2.INTER_NEAREST if nearest else cv2.INTER_AREA
    return np.asarray(cv2.resize(pixels, size, interpolation=kind))
