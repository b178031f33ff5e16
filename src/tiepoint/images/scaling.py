"""A photo reduced to a longest side, and the way back from its pixels to those of the photo."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Size = tuple[int, int]


def reduced_size(size: Size, max_size: int | None) -> Size:
    """Return (width, height) of a photo after its reduction to ``max_size``; never larger than it was.

    Examples
    --------
    >>> from tiepoint.images.scaling import reduced_size
    >>> reduced_size((4000, 3000), 1024), reduced_size((640, 480), 1024)
    ((1024, 768), (640, 480))
    """
    longest = max(size)
    if max_size is None or longest <= max_size:
        return size
    scale = max_size / longest
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def positions_in_photo(xy: NDArray[Any], seen: Size, photo: Size) -> NDArray[np.float32]:
    """Take positions in a reduced photo, (N, 2), to the photo itself; inside it they stay.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.images.scaling import positions_in_photo
    >>> positions_in_photo(np.array([[0, 0], [9, 4]]), (10, 5), (40, 20)).tolist()
    [[1.5, 1.5], [37.5, 17.5]]
    """
    if seen != photo:
        # A reduced pixel covers an area of the photo: go to its corner, scale, go back to a centre.
        xy = (xy + 0.5) * (photo[0] / seen[0], photo[1] / seen[1]) - 0.5
        # A peak that is fitted just past the edge of the small photo is many pixels off the large one.
        xy = np.clip(xy, 0, np.array(photo) - 1)
    return np.asarray(xy, np.float32)


def length_in_photo(seen: Size, photo: Size) -> float:
    """Return how long a pixel of the reduced photo is in the photo."""
    return math.sqrt(photo[0] / seen[0] * photo[1] / seen[1])
