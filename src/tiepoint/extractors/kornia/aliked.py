"""ALIKED: keypoints and descriptors of a small network, by kornia."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal

from tiepoint.extractors.kornia import aliked_maps
from tiepoint.extractors.kornia.base import KorniaExtractor
from tiepoint.extractors.kornia.peaks import between_pixels, local_maxima
from tiepoint.networks import pytorch
from tiepoint.networks.pytorch import TorchNetwork
from tiepoint.options import option

Model = Literal["n16", "n16rot", "n32", "t16"]


def _build(model: str) -> Any:
    from kornia.feature.aliked import ALIKED

    return ALIKED(f"aliked-{model}")


_NETWORKS: dict[str, TorchNetwork] = {
    model: TorchNetwork(
        weights=f"aliked-{model}", build=partial(_build, model), computed=frozenset({"dkd.hw_grid"})
    )
    for model in ("n16", "n16rot", "n32", "t16")
}


@dataclass(frozen=True, kw_only=True)
class Aliked(KorniaExtractor):
    """ALIKED: a small convolutional network, with descriptors sampled where each keypoint says.

    ``size`` is nominal, 32 pixels of the reduced photo: so far apart are the values of the coarsest map
    that descriptors are made of. There is no orientation.

    Keypoints are strict local maxima, as in kornia; the authors' code adds maxima that come to light once
    the stronger ones are taken away. A photo without any score above the threshold has no features; theirs
    then takes what is above the mean.

    References
    ----------
    Zhao, Wu, Chen, Chen, Xu, Li, "ALIKED: a lighter keypoint and descriptor extraction network via
    deformable transformation", IEEE Trans. Instrumentation and Measurement 2023. Network and weights are
    those of kornia and of the authors (BSD-3-Clause); 2048 keypoints, 1024 pixels, the threshold 0.2 and
    the radius 2 are the defaults that LightGlue was published with.

    Examples
    --------
    >>> from tiepoint.extractors import get_extractor
    >>> get_extractor("aliked", max_keypoints=1000).detection_threshold
    0.2
    """

    name: ClassVar[str] = "aliked"
    summary: ClassVar[str] = "learned keypoints and descriptors, a small network; for LightGlue"
    source: ClassVar[str] = "Zhao et al., IEEE TIM 2023"
    nominal_size: ClassVar[float] = 32

    model: Model = option(
        "n16",
        "n16 is the one that LightGlue was trained for, and n16rot, for turned photos, goes with it, too; "
        "n32 and t16, larger and smaller, are for the matcher nearest",
    )
    detection_threshold: float = option(
        0.2, "least score of a keypoint, 0 to 1; lower gives more", at_least=0, at_most=1
    )
    nms_radius: int = option(2, "keypoints are further apart than this, in pixels", at_least=1, at_most=7)

    @classmethod
    def missing(cls) -> str | None:
        """Say what has to be installed before this extractor can run; None if nothing has to."""
        # Who fetches the weights wants those of the matcher, too, but can do without.
        return _NETWORKS["n16"].missing() and pytorch.missing("aliked-n16", "aliked-lightglue")

    def _network(self) -> TorchNetwork:
        return _NETWORKS[self.model]

    def _descriptor_length(self) -> int:
        return 64 if self.model == "t16" else 128

    def _bytes_per_pixel(self) -> float:
        return 500 if self.model == "t16" else 800

    def _maps(self, module: Any, photo: Any) -> tuple[Any, Any]:
        return aliked_maps.run(module, photo)

    def _peaks(self, scores: Any) -> tuple[Any, Any]:
        xy, strength = local_maxima(scores, self.nms_radius, self.detection_threshold)
        return between_pixels(scores, xy, self.nms_radius), strength

    def _describe(self, module: Any, maps: Any, xy: Any) -> Any:
        return aliked_maps.describe(module, maps, xy)
