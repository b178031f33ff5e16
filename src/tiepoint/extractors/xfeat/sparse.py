"""XFeat: keypoints of one pixel's precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tiepoint.extractors.base import Mask
from tiepoint.extractors.opencv.reduction import reduced
from tiepoint.extractors.xfeat.base import Found, XFeatExtractor, looked_at, run
from tiepoint.extractors.xfeat.graph import CELL, DIVISOR
from tiepoint.extractors.xfeat.peaks import peaks
from tiepoint.extractors.xfeat.photo import Floats, brightness, divisible, interpolated
from tiepoint.extractors.xfeat.sampling import bicubic_units, bilinear, in_cells
from tiepoint.images.scaling import length_in_photo, positions_in_photo
from tiepoint.options import option
from tiepoint.types import Image


@dataclass(frozen=True, kw_only=True)
class XFeat(XFeatExtractor):
    """XFeat, learned keypoints and descriptors for photos that SIFT cannot match.

    A small network gives for each pixel the probability of a keypoint, and for each cell of 8x8 pixels a
    descriptor of 64 numbers and how reliable it is. It needs ONNX Runtime and the published weights
    (Apache-2.0), no PyTorch. It sees the mean of the channels, and does not survive turned photos.

    Of the features, ``score`` is the probability times the reliability; ``angle`` is None; ``size`` is the
    same for all, that of a cell: 8 pixels of the photo as the network sees it. Descriptors have length 1.

    References
    ----------
    Potje, Cadar, Araujo, Martins, Nascimento, "XFeat: Accelerated Features for Lightweight Image Matching",
    CVPR 2024.

    Examples
    --------
    >>> from tiepoint.extractors.xfeat import XFeat
    >>> XFeat(max_keypoints=2048).detection_threshold
    0.05
    """

    name: ClassVar[str] = "xfeat"
    summary: ClassVar[str] = "learned, fast: other views, light and seasons; not for turned photos"
    matcher: ClassVar[str] = "lighterglue"
    bytes_per_pixel: ClassVar[float] = 60

    max_keypoints: int | None = option(
        2048,
        "keep at most so many, the strongest; none keeps all. LighterGlue's time grows with the square",
        at_least=1,
        at_most=1_000_000,
    )
    detection_threshold: float = option(
        0.05,
        "least probability of a keypoint; lower for more keypoints on faint photos",
        at_least=0,
        at_most=1,
    )

    def _found(self, image: Image, seen: tuple[int, int], look: Mask | None) -> Found:
        photo = _photo(image, seen)
        height, width = photo.shape
        maps = run(photo)
        places, heat = peaks(maps.heat, self.detection_threshold)
        # XFeat reads the score of the last row and column from outside of its map, where it is zero.
        inside = (places < (width - 1, height - 1)).all(axis=1) & places.any(axis=1)
        places, heat = places[inside], heat[inside]
        x, y = (
            in_cells(places[:, axis], CELL * n, n) for axis, n in ((0, width // CELL), (1, height // CELL))
        )
        score = heat * bilinear(maps.reliability, x, y)
        xy = positions_in_photo(places, (width, height), image.size)
        allowed = np.flatnonzero((score > 0) & looked_at(xy, look))
        chosen = allowed[self._strongest(xy[allowed], score[allowed], self.max_keypoints, image.size)]
        return Found(
            xy[chosen],
            np.full(len(chosen), CELL * length_in_photo((width, height), image.size), np.float32),
            score[chosen],
            bicubic_units(maps.descriptors, x[chosen], y[chosen]),
        )


def _photo(image: Image, seen: tuple[int, int]) -> Floats:
    """Return the photo at the largest size up to ``seen`` that the network takes."""
    size = divisible(*seen)
    if seen != image.size and min(seen) >= DIVISOR:
        return brightness(reduced(image.pixels8, size))
    gray = brightness(reduced(image.pixels8, seen))
    return gray if size == seen else interpolated(gray, size)
