"""SIFT and RootSIFT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tiepoint.extractors.base import Mask
from tiepoint.extractors.opencv import backend
from tiepoint.extractors.opencv.base import Detected, UprightExtractor
from tiepoint.options import option
from tiepoint.types import Metric


@dataclass(frozen=True, kw_only=True)
class Sift(UprightExtractor):
    """SIFT by OpenCV: blobs in scale space, described by histograms of gradients.

    Descriptors are (N, 128) uint8: OpenCV's own are whole numbers from 0 to 255, kept in a quarter
    of the memory without loss.

    With ``max_keypoints`` OpenCV also keeps those that tie with the weakest one kept (a keypoint
    with two orientations is two of equal score), so that it may give a few more.

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
    bytes_per_pixel: ClassVar[int] = 240

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

    def _limit(self, mask: Mask | None) -> int | None:
        # OpenCV applies the mask after it has kept the strongest, so that a masked photo would come
        # out with fewer than asked for.
        return None if self.spread or mask is not None else self.max_keypoints

    def _create(self, limit: int | None) -> Any:
        cv2 = backend.import_cv2()
        return cv2.SIFT_create(
            limit or 0,
            self.octave_layers,
            self.contrast_threshold,
            self.edge_threshold,
            self.sigma,
            cv2.CV_8U,
            self.precise_upscale,
        )


@dataclass(frozen=True, kw_only=True)
class RootSift(Sift):
    """RootSIFT: SIFT whose descriptors are compared by the Hellinger kernel; mostly better than SIFT.

    Each SIFT descriptor is scaled to sum 1, the square root taken, and stored as uint8 times 512,
    cut at 255, as COLMAP stores it.

    References
    ----------
    Arandjelovic, Zisserman, "Three things everyone should know to improve object retrieval", CVPR 2012.
    """

    name: ClassVar[str] = "rootsift"
    summary: ClassVar[str] = "SIFT with descriptors compared by their square roots; mostly better"
    source: ClassVar[str] = "Arandjelovic and Zisserman, CVPR 2012"

    def _detect_and_compute(self, gray: NDArray[np.uint8], mask: Mask | None, limit: int | None) -> Detected:
        keypoints, descriptors = Sift._detect_and_compute(self, gray, mask, limit)
        return keypoints, root_sift(descriptors)


def root_sift(descriptors: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn SIFT descriptors, (N, D) uint8, into RootSIFT descriptors, (N, D) uint8."""
    values = descriptors.astype(np.float32)
    total = np.maximum(values.sum(axis=1, keepdims=True), 1)
    scaled = np.rint(512 * np.sqrt(values / total))
    return np.asarray(np.minimum(scaled, 255), np.uint8)
