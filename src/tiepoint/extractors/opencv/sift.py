"""SIFT and RootSIFT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tiepoint.extractors.base import Mask
from tiepoint.extractors.opencv import backend
from tiepoint.extractors.opencv.base import Detected, Gray, UprightDetector
from tiepoint.options import option
from tiepoint.types import Metric


@dataclass(frozen=True, kw_only=True)
class Sift(UprightDetector):
    """SIFT by OpenCV: blobs in scale space, described by histograms of gradients.

    Descriptors are (N, 128) uint8: OpenCV's own are whole numbers from 0 to 255, kept in a quarter
    of the memory without loss.

    Without a mask and options that choose otherwise, OpenCV itself keeps the ``max_keypoints`` strongest,
    and with them those that tie with the weakest one kept (a keypoint with two orientations is two
    of equal score): there may be a few more.

    References
    ----------
    Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> tp.extract(render_demo().image0, "sift", max_keypoints=1000).descriptors.dtype
    dtype('uint8')
    """

    name: ClassVar[str] = "sift"
    metric: ClassVar[Metric] = "l2"
    summary: ClassVar[str] = "blobs, histograms of gradients; the classic, precise"
    source: ClassVar[str] = "Lowe, IJCV 2004"
    opencv_class: ClassVar[str] = "SIFT"
    window_beblid: ClassVar[float] = 6.75
    window_vgg: ClassVar[float] = 6.75
    bytes_per_pixel: ClassVar[float] = 240

    octave_layers: int = option(3, "layers in each octave, as in Lowe's paper", at_least=1, at_most=20)
    contrast_threshold: float = option(
        0.04, "least contrast of a keypoint, over octave_layers; lower gives more, weaker ones", at_least=0
    )
    edge_threshold: float = option(
        10.0, "largest ratio of the principal curvatures; higher lets in more edge points", above=0
    )
    sigma: float = option(1.6, "blur of the first layer in pixels", at_least=0.1, at_most=20)
    precise_upscale: bool = option(
        True, "unbiased positions; OpenCV's own default is off by a quarter of a pixel"
    )

    def _bytes_needed(self, width: int, height: int) -> float:
        # Of each octave: layers + 3 blurred pictures, and layers + 2 differences of them.
        return UprightDetector._bytes_needed(self, width, height) * (2 * self.octave_layers + 5) / (2 * 3 + 5)

    def _limit(self, mask: Mask | None) -> int | None:
        # OpenCV keeps the strongest before it applies the mask, and before copies that differ only in
        # orientation can be taken out: either way fewer would be left than were asked for.
        return None if self.spread or self.upright or mask is not None else self.max_keypoints

    def _create(self, limit: int | None) -> Any:
        cv2 = backend.import_cv2()
        return backend.create(
            "SIFT",
            nfeatures=limit or 0,
            nOctaveLayers=self.octave_layers,
            contrastThreshold=self.contrast_threshold,
            edgeThreshold=self.edge_threshold,
            sigma=self.sigma,
            descriptorType=cv2.CV_8U if self._in_bytes() else cv2.CV_32F,
            enable_precise_upscale=self.precise_upscale,
        )

    def _in_bytes(self) -> bool:
        return True


@dataclass(frozen=True, kw_only=True)
class RootSift(Sift):
    """RootSIFT: SIFT whose descriptors are compared by the Hellinger kernel; mostly better than SIFT.

    Each SIFT descriptor is scaled to sum 1 and the square root taken, which gives a vector of length 1.
    Descriptors are (N, 128) uint8, 512 times that, rounded and cut at 255, as COLMAP stores them; or with
    ``quantise=False`` float32 as it is, as most other programs have them.

    References
    ----------
    Arandjelovic, Zisserman, "Three things everyone should know to improve object retrieval", CVPR 2012.
    """

    name: ClassVar[str] = "rootsift"
    summary: ClassVar[str] = "SIFT with descriptors compared by their square roots; mostly better"
    source: ClassVar[str] = "Arandjelovic and Zisserman, CVPR 2012"

    quantise: bool = option(
        True, "round descriptors to bytes, a quarter of the memory; false keeps them in float32"
    )

    def _run(self, engine: Any, gray: Gray, mask: Mask | None) -> Detected:
        keypoints, descriptors = Sift._run(self, engine, gray, mask)
        root = root_sift(descriptors)
        return keypoints, in_bytes(root) if self.quantise else root

    def _in_bytes(self) -> bool:
        return self.quantise


def root_sift(descriptors: NDArray[Any]) -> NDArray[np.float32]:
    """Turn SIFT descriptors, (N, D), into RootSIFT descriptors, (N, D) float32 of length 1."""
    values = descriptors.astype(np.float32)
    total = np.maximum(values.sum(axis=1, keepdims=True), 1)
    return np.asarray(np.sqrt(values / total), np.float32)


def in_bytes(root: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Round RootSIFT descriptors, (N, D), to uint8: 512 times as long, cut at 255."""
    return np.asarray(np.minimum(np.rint(512 * root), 255), np.uint8)
