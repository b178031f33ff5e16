"""XFeat*: a descriptor for each cell, at two scales."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tiepoint.extractors.base import Mask
from tiepoint.extractors.opencv.reduction import reduced
from tiepoint.extractors.xfeat.base import (
    DIMENSIONS,
    Found,
    XFeatExtractor,
    looked_at,
    nothing,
    run,
)
from tiepoint.extractors.xfeat.graph import CELL
from tiepoint.extractors.xfeat.photo import Floats, brightness, divisible, interpolated
from tiepoint.images.scaling import length_in_photo, positions_in_photo
from tiepoint.types import Image

# The photo is seen smaller and larger, and so many of the features come from each.
SCALES = ((0.6, 0.2), (1.3, 0.8))


@dataclass(frozen=True, kw_only=True)
class XFeatStar(XFeatExtractor):
    """XFeat*, semi-dense: the most reliable cells of 8x8 pixels, instead of keypoints.

    A cell is placed no better than it is large, so these features are for the matcher "xfeat-star", which
    finds out how far two cells are displaced. A fifth of them come from the photo at 0.6 of its size, the
    others from the photo at 1.3 of it.

    Of the features, ``xy`` is the centre of the cell; ``score`` is the reliability; ``angle`` is None;
    ``size`` is that of the cell: 8 / 0.6 or 8 / 1.3 pixels of the photo as it is detected on. Descriptors are
    as the network gives them, not of length 1.

    Notes
    -----
    XFeat's own code places a cell at its upper left pixel. Where a cell of the one scale matches one of the
    other, or the photos differ in scale, that is wrong by several pixels: of 542 matches of boat 1 and 3, 190
    come within 3 pixels of the truth with those places, and 342 with the centres
    (benchmarks/xfeat_choices.py). For a photo whose scaled sides are multiples of 32, those places are
    ``xy - size / 2 + 0.5`` with the half pixel of our coordinates.

    References
    ----------
    Potje, Cadar, Araujo, Martins, Nascimento, "XFeat: Accelerated Features for Lightweight Image Matching",
    CVPR 2024.

    Examples
    --------
    >>> from tiepoint.extractors.xfeat import XFeatStar
    >>> XFeatStar().matcher
    'xfeat-star'
    """

    name: ClassVar[str] = "xfeat-star"
    summary: ClassVar[str] = "learned, semi-dense: a descriptor for each reliable cell of 8x8 pixels"
    matcher: ClassVar[str] = "xfeat-star"
    bytes_per_pixel: ClassVar[float] = 100

    def _found(self, image: Image, seen: tuple[int, int], look: Mask | None) -> Found:
        photo = brightness(reduced(image.pixels8, seen))
        n = self.max_keypoints
        # Rounded down, as XFeat's own code does; but whoever asks for one gets one.
        counts = [None if n is None else int(n * share) for _, share in SCALES]
        if n is not None and not any(counts):
            counts[-1] = n
        parts = [
            self._at(photo, scale, image.size, look, count)
            for (scale, _), count in zip(SCALES, counts, strict=True)
        ]
        return Found(*(np.concatenate(field) for field in zip(*parts, strict=True)))

    def _at(
        self, photo: Floats, scale: float, image_size: tuple[int, int], look: Mask | None, n: int | None
    ) -> Found:
        """Return the features of one scale."""
        height, width = photo.shape
        scaled = int(width * scale), int(height * scale)
        size = divisible(*scaled)
        values = interpolated(interpolated(photo, scaled, (1 / scale, 1 / scale)), size)
        if np.ptp(values) == 0:  # each cell would be as reliable as any other
            return nothing()
        maps = run(values)
        score = maps.reliability.ravel()
        row, column = np.divmod(np.arange(len(score)), size[0] // CELL)
        centre = (np.column_stack([column, row]) + 0.5) * CELL * np.divide(scaled, size) / scale - 0.5
        xy = positions_in_photo(centre, (width, height), image_size)
        allowed = np.flatnonzero(looked_at(xy, look))
        chosen = allowed[self._strongest(xy[allowed], score[allowed], n, image_size)]
        cell = CELL / scale * length_in_photo((width, height), image_size)
        return Found(
            xy[chosen],
            np.full(len(chosen), cell, np.float32),
            score[chosen],
            maps.descriptors.reshape(-1, DIMENSIONS)[chosen],
        )
