"""What XFeat and XFeat* share: network, weights, the size of the photo, the choice of the strongest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tiepoint import weights
from tiepoint.errors import MissingError
from tiepoint.extractors.base import Extractor, Mask, checked_mask, settings_of
from tiepoint.extractors.memory import check_memory
from tiepoint.extractors.spread import spread_evenly
from tiepoint.extractors.xfeat.graph import NETWORK
from tiepoint.extractors.xfeat.photo import Floats
from tiepoint.images.scaling import reduced_size
from tiepoint.networks import runtime_version
from tiepoint.options import option
from tiepoint.types import Features, Image, Metric

DIMENSIONS = 64
# On a smaller photo no other extractor finds anything either.
SMALLEST_SIDE = 16


class Maps(NamedTuple):
    """What the network gives for a photo of 8h x 8w pixels."""

    descriptors: Floats
    """(h, w, 64), of any length."""
    reliability: Floats
    """(h, w), 0 to 1."""
    heat: Floats
    """(h, w, 65), the probabilities of the cell's 64 pixels, row by row, and of no keypoint."""


class Found(NamedTuple):
    """Keypoints and their descriptors."""

    xy: Floats
    """(N, 2), in pixels of the photo."""
    size: Floats
    """(N,), in pixels of the photo."""
    score: Floats
    descriptors: Floats


@dataclass(frozen=True, kw_only=True)
class XFeatExtractor(Extractor):
    """Base of those that run XFeat's network."""

    metric: ClassVar[Metric] = "cosine"
    source: ClassVar[str] = (
        "Potje et al., XFeat: Accelerated Features for Lightweight Image Matching, CVPR 2024"
    )
    bytes_per_pixel: ClassVar[float]
    """Peak memory for a pixel of the photo as it is detected on, measured by benchmarks/xfeat.py."""

    # Larger did not find more in the photos at hand; docs/learned.md has the measurements.
    max_size: int | None = option(
        1600,
        "detect on a photo reduced to this longest side, in pixels; positions stay those of the photo",
        at_least=16,
    )

    @classmethod
    def missing(cls) -> str | None:
        """Say what has to be installed or fetched before this extractor can run; None if nothing has to."""
        return NETWORK.missing()

    def extract(self, image: Image, mask: ArrayLike | Image | None = None) -> Features:
        """Detect and describe keypoints; see :meth:`tiepoint.extractors.base.Extractor.extract`.

        Raises
        ------
        MissingError
            If ONNX Runtime or the weights are not here; the message has the command that gets them.
        DataError
            If the mask does not fit, or the photo needs more memory than there is.
        """
        command = self.missing()
        if command is not None:
            raise MissingError(f"{self.name} needs something that is not here; get it with: {command}")
        look = checked_mask(mask, image.size)
        seen = reduced_size(image.size, self.max_size)
        if min(seen) < SMALLEST_SIDE:
            found = nothing()
        else:
            check_memory(self.name, image.size, self.bytes_per_pixel * seen[0] * seen[1])
            found = self._found(image, seen, look)
        return Features(
            xy=found.xy,
            size=found.size,
            score=found.score,
            descriptors=found.descriptors,
            metric=self.metric,
            image_size=image.size,
            extractor=self.name,
            settings={
                **settings_of(self, f"onnxruntime {runtime_version()}"),
                "weights": weights.provenance(NETWORK.weights),
            },
        )

    def _found(self, image: Image, seen: tuple[int, int], look: Mask | None) -> Found:
        """Return the keypoints of a photo, detected on it reduced to the size ``seen``."""
        raise NotImplementedError

    def _strongest(self, xy: Floats, score: Floats, n: int | None, size: tuple[int, int]) -> NDArray[np.intp]:
        """Choose ``n`` keypoints, the strongest or evenly spread, strongest first; None is all."""
        if self.spread and n is not None and n < len(score):
            return spread_evenly(xy, score, n, size)
        return np.argsort(-score, kind="stable")[:n]


def run(photo: Floats) -> Maps:
    """Run the network on a photo, (H, W) float32 from 0 to 1; its sides are multiples of 32."""
    maps = NETWORK.run(photo=photo[None, None])
    return Maps(maps["descriptors"][0], maps["reliability"][0, 0], maps["heat"][0])


def nothing() -> Found:
    """Return no keypoints."""
    none = np.empty(0, np.float32)
    return Found(np.empty((0, 2), np.float32), none, none, np.empty((0, DIMENSIONS), np.float32))


def looked_at(xy: Floats, look: Mask | None) -> NDArray[np.bool_]:
    """Tell which places the mask leaves, (N,) bool."""
    if look is None:
        return np.ones(len(xy), np.bool_)
    height, width = look.shape
    column, row = np.clip(np.rint(xy).astype(np.intp), 0, (width - 1, height - 1)).T
    return np.asarray(look[row, column] > 0)
