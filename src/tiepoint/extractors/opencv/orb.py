"""ORB."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from tiepoint.errors import DataError, OptionError
from tiepoint.extractors.base import Mask
from tiepoint.extractors.opencv import backend
from tiepoint.extractors.opencv.base import UprightDetector
from tiepoint.options import option
from tiepoint.types import Metric

_ALL = 1_000_000  # OpenCV's ORB has no "all"; it shares out this number among the pyramid levels


@dataclass(frozen=True, kw_only=True)
class Orb(UprightDetector):
    """ORB by OpenCV: FAST corners on a pyramid, described by 256 brightness comparisons.

    References
    ----------
    Rublee, Rabaud, Konolige, Bradski, "ORB: an efficient alternative to SIFT or SURF", ICCV 2011.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> tp.extract(render_demo().image0, "orb", max_keypoints=500)
    Features(500 orb, 32 x uint8 hamming, photo 800x600)
    """

    name: ClassVar[str] = "orb"
    metric: ClassVar[Metric] = "hamming"
    summary: ClassVar[str] = "corners, binary descriptors; fast"
    source: ClassVar[str] = "Rublee et al., ICCV 2011"
    opencv_class: ClassVar[str] = "ORB"
    bytes_per_pixel: ClassVar[float] = 12
    fallback: ClassVar[str] = "sift"
    window_beblid: ClassVar[float] = 1.0
    window_vgg: ClassVar[float] = 0.75

    scale_factor: float = option(1.2, "from one pyramid level to the next", above=1, at_most=10)
    levels: int = option(8, "pyramid levels", at_least=1, at_most=64)
    edge_threshold: int = option(
        31, "width of the border where nothing is detected, in pixels", at_least=0, at_most=10_000
    )
    first_level: int = option(
        0, "level that holds the photo itself; those before it are enlarged", at_least=0, at_most=16
    )
    rank_by: Literal["harris", "fast"] = option("harris", "score by which the strongest are kept")
    patch_size: int = option(31, "side of the patch that is described, in pixels", at_least=2, at_most=1000)
    fast_threshold: int = option(
        20,
        "least difference of a corner from its circle, in gray levels; lower gives more",
        at_least=0,
        at_most=255,
    )

    def __post_init__(self) -> None:
        UprightDetector.__post_init__(self)
        if self.first_level >= self.levels:
            raise OptionError(
                f"first_level={self.first_level} must be one of the {self.levels} levels, counted from 0"
            )

    def _check_size(self, width: int, height: int) -> None:
        UprightDetector._check_size(self, width, height)
        most = self.first_level + int(math.log(min(width, height), self.scale_factor))
        if self.levels > most + 1:
            raise DataError(
                f"{self.levels} levels with scale_factor={self.scale_factor:g} shrink a photo of "
                f"{width}x{height} pixels to nothing; take levels={most + 1} or fewer"
            )

    def _bytes_needed(self, width: int, height: int) -> float:
        # OpenCV packs all levels, each with its border, into one picture.
        enlarged = self.scale_factor**self.first_level
        border = 2 * max(self.edge_threshold, self.patch_size)
        return self.bytes_per_pixel * (enlarged * width + border) * (enlarged * height + border)

    def _limit(self, mask: Mask | None) -> int | None:  # noqa: ARG002
        return None if self.spread else self.max_keypoints

    def _create(self, limit: int | None) -> Any:
        cv2 = backend.import_cv2()
        return backend.create(
            "ORB",
            nfeatures=limit or _ALL,
            scaleFactor=self.scale_factor,
            nlevels=self.levels,
            edgeThreshold=self.edge_threshold,
            firstLevel=self.first_level,
            WTA_K=2,
            scoreType=cv2.ORB_HARRIS_SCORE if self.rank_by == "harris" else cv2.ORB_FAST_SCORE,
            patchSize=self.patch_size,
            fastThreshold=self.fast_threshold,
        )
