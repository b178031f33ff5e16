"""DISK: keypoints and descriptors learned by trial and reward, by kornia."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tiepoint.extractors.kornia.base import KorniaExtractor
from tiepoint.extractors.kornia.peaks import local_maxima
from tiepoint.networks import pytorch
from tiepoint.networks.pytorch import TorchNetwork
from tiepoint.options import option

_DIVISOR = 16  # the sides that the network takes are multiples of this


def _build() -> Any:
    from kornia.feature import DISK

    return DISK()


def _renamed(name: str) -> str:
    """Take the name in the published file, where the network is called the extractor."""
    return name.removeprefix("extractor.")


_NETWORK = TorchNetwork(weights="disk", build=_build, renamed=_renamed)


@dataclass(frozen=True, kw_only=True)
class Disk(KorniaExtractor):
    """DISK: a U-Net over the whole photo, trained by reward for right matches; slow without a GPU.

    ``size`` is nominal, 16 pixels of the reduced photo: so far apart are the values of the coarsest map in
    the network. There is no orientation. Keypoints are at whole pixels of the reduced photo.

    References
    ----------
    Tyszkiewicz, Fua, Trulls, "DISK: learning local features with policy gradient", NeurIPS 2020. Network and
    weights ("depth") are those of kornia and of the authors (Apache-2.0); 2048 keypoints, 1024 pixels, the
    threshold 0 and the window of 5 pixels are the defaults that LightGlue was published with.

    Examples
    --------
    >>> from tiepoint.extractors import get_extractor
    >>> get_extractor("disk", max_keypoints=1000).max_size
    1024
    """

    name: ClassVar[str] = "disk"
    summary: ClassVar[str] = "learned keypoints and descriptors, a U-Net; slow; for LightGlue"
    source: ClassVar[str] = "Tyszkiewicz, Fua and Trulls, NeurIPS 2020"
    nominal_size: ClassVar[float] = 16

    detection_threshold: float = option(0.0, "least score of a keypoint (a logarithm); lower gives more")
    nms_radius: int = option(2, "keypoints are further apart than this, in pixels", at_least=1, at_most=7)

    @classmethod
    def missing(cls) -> str | None:
        """Say what has to be installed before this extractor can run; None if nothing has to."""
        # Who fetches the weights wants those of the matcher, too, but can do without.
        return _NETWORK.missing() and pytorch.missing("disk", "disk-lightglue")

    def _network(self) -> TorchNetwork:
        return _NETWORK

    def _bytes_per_pixel(self) -> float:
        return 2900

    def _maps(self, module: Any, photo: Any) -> tuple[Any, Any]:
        from torch.nn.functional import pad

        height, width = photo.shape[2:]
        # As published: black on the right and below, up to what the network takes.
        padded = pad(photo, (0, -width % _DIVISOR, 0, -height % _DIVISOR))
        scores, features = module.heatmap_and_dense_descriptors(padded)
        return scores[0, 0, :height, :width], features[0]

    def _peaks(self, scores: Any) -> tuple[Any, Any]:
        return local_maxima(scores, self.nms_radius, self.detection_threshold)

    def _describe(self, module: Any, maps: Any, xy: Any) -> Any:  # noqa: ARG002
        from torch.nn.functional import normalize

        return normalize(maps[:, xy[:, 1], xy[:, 0]].T, dim=1)
