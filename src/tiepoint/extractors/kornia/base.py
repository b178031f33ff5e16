"""From an Image through a network in PyTorch to Features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tiepoint import weights
from tiepoint.extractors.base import Extractor, Mask, checked_mask, settings_of
from tiepoint.extractors.memory import check_memory
from tiepoint.extractors.opencv.reduction import reduced
from tiepoint.extractors.spread import spread_evenly
from tiepoint.images.scaling import length_in_photo, positions_in_photo, reduced_size
from tiepoint.networks import pytorch
from tiepoint.networks.pytorch import TorchNetwork
from tiepoint.options import option
from tiepoint.types import Features, Image, Metric

SMALLEST_SIDE = 32
"""A photo with a shorter side than this, in pixels, has no features: networks reduce it 16 or 32 times."""


@dataclass(frozen=True, kw_only=True)
class KorniaExtractor(Extractor):
    """Base of the extractors that run in PyTorch.

    A network gives two maps of the photo. Keypoints are the local maxima of the one; the mask, the number
    and the spread choose among them, and only the chosen ones are described, from the other.
    """

    metric: ClassVar[Metric] = "l2"
    matcher: ClassVar[str] = "lightglue"
    nearest: ClassVar[str] = "rootsift"
    """The nearest extractor that is always there."""
    nominal_size: ClassVar[float]
    """Diameter of a keypoint, in pixels of the reduced photo."""

    max_keypoints: int | None = option(
        2048, "keep at most so many, the strongest; none keeps all", at_least=1, at_most=1_000_000
    )
    max_size: int | None = option(
        1024,
        "detect on a photo reduced to this longest side, in pixels; positions stay those of the photo",
        at_least=16,
    )

    def extract(self, image: Image, mask: ArrayLike | Image | None = None) -> Features:
        """Detect and describe keypoints; see :meth:`tiepoint.extractors.base.Extractor.extract`.

        Raises
        ------
        MissingError
            If PyTorch, kornia or the weights are not there.
        DataError
            If the mask does not fit, or the photo needs more memory than there is.
        """
        network = self._network()
        pytorch.require(self.name, network.missing(), self.nearest)
        look = checked_mask(mask, image.size)
        size = reduced_size(image.size, self.max_size)
        if min(size) < SMALLEST_SIDE or _has_nothing(image, look):
            return self._features(_NOWHERE, _NOTHING, self._nobody(), size, image.size)
        check_memory(self.name, size, self._bytes_per_pixel() * size[0] * size[1])
        pixels = reduced(image.pixels8, size)
        no_memory = (
            f"{self.name} ran out of memory on a photo of {size[0]}x{size[1]} pixels; "
            f"reduce it with the option max_size={max(size) // 2}"
        )
        with pytorch.running(no_memory):
            module = network.ready()
            scores, maps = self._maps(module, _photo_tensor(pixels))
            peaks, strength = self._peaks(scores)
            score = strength.numpy()
            xy = positions_in_photo(peaks.numpy(), size, image.size)
            chosen = self._chosen(xy, score, look, image.size)
            descriptors = (
                self._describe(module, maps, peaks[chosen]).numpy() if len(chosen) else self._nobody()
            )
        return self._features(xy[chosen], score[chosen], descriptors, size, image.size)

    def _network(self) -> TorchNetwork:
        """Return the network that the options ask for."""
        raise NotImplementedError

    def _descriptor_length(self) -> int:
        return 128

    def _bytes_per_pixel(self) -> float:
        """Return the peak memory for a pixel of the reduced photo, as measured."""
        raise NotImplementedError

    def _maps(self, module: Any, photo: Any) -> tuple[Any, Any]:
        """Run the network: the scores, (H, W), and the map that descriptors are taken from."""
        raise NotImplementedError

    def _peaks(self, scores: Any) -> tuple[Any, Any]:
        """Find the candidates: positions (x, y), (K, 2), and scores, (K,)."""
        raise NotImplementedError

    def _describe(self, module: Any, maps: Any, xy: Any) -> Any:
        """Describe positions, (N, 2): (N, D) float32 of length 1."""
        raise NotImplementedError

    def _chosen(
        self,
        xy: NDArray[np.float32],
        score: NDArray[np.float32],
        look: Mask | None,
        size: tuple[int, int],
    ) -> NDArray[np.intp]:
        """Choose what lies in the mask, and of that ``max_keypoints``; strongest first."""
        kept = np.arange(len(xy))
        if look is not None:
            columns, rows = np.rint(xy).astype(np.intp).T
            kept = kept[look[rows, columns] > 0]
        n = self.max_keypoints
        if self.spread and n is not None and len(kept) > n:
            return kept[spread_evenly(xy[kept], score[kept], n, size)]
        return kept[np.argsort(-score[kept], kind="stable")[:n]]

    def _nobody(self) -> NDArray[np.float32]:
        return np.empty((0, self._descriptor_length()), np.float32)

    def _features(
        self,
        xy: NDArray[np.float32],
        score: NDArray[np.float32],
        descriptors: NDArray[np.float32],
        seen: tuple[int, int],
        size: tuple[int, int],
    ) -> Features:
        diameter = self.nominal_size * length_in_photo(seen, size)
        return Features(
            xy=xy,
            size=np.full(len(xy), diameter, np.float32),
            score=score,
            descriptors=descriptors,
            metric=self.metric,
            image_size=size,
            extractor=self.name,
            settings={
                **settings_of(self, pytorch.version()),
                "weights": weights.provenance(self._network().weights),
            },
        )


_NOWHERE = np.empty((0, 2), np.float32)
_NOTHING = np.empty(0, np.float32)


def _has_nothing(image: Image, look: Mask | None) -> bool:
    """Whether there is nothing to detect; a network finds something in a single colour, too."""
    return bool(np.ptp(image.pixels, axis=(0, 1)).max() == 0 or (look is not None and not look.any()))


def _photo_tensor(pixels: NDArray[np.uint8]) -> Any:
    """Return a photo as networks take it: (1, 3, H, W) float32, RGB from 0 to 1."""
    photo = pytorch.to_tensor(pixels)
    planes = photo.permute(2, 0, 1) if photo.ndim == 3 else photo.expand(3, *photo.shape)
    return planes[None].float() / 255
