"""AKAZE, KAZE and BRISK: in OpenCV 4, and with contrib in OpenCV 5."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from tiepoint.extractors.opencv import backend
from tiepoint.extractors.opencv.base import Detector, UprightDetector
from tiepoint.options import option
from tiepoint.types import Metric

Diffusivity = Literal["pm_g1", "pm_g2", "weickert", "charbonnier"]
_DIFFUSIVITY: dict[Diffusivity, int] = {"pm_g1": 0, "pm_g2": 1, "weickert": 2, "charbonnier": 3}
_MLDB_UPRIGHT, _MLDB = 4, 5  # cv2.AKAZE_DESCRIPTOR_*, the same numbers in 4 and 5


@dataclass(frozen=True, kw_only=True)
class Akaze(UprightDetector):
    """AKAZE by OpenCV: blobs in a scale space that keeps edges sharp, binary descriptors of 61 bytes.

    References
    ----------
    Alcantarilla, Nuevo, Bartoli, "Fast explicit diffusion for accelerated features in nonlinear
    scale spaces", BMVC 2013.
    """

    name: ClassVar[str] = "akaze"
    metric: ClassVar[Metric] = "hamming"
    summary: ClassVar[str] = "blobs in a nonlinear scale space, binary descriptors"
    source: ClassVar[str] = "Alcantarilla, Nuevo and Bartoli, BMVC 2013"
    opencv_class: ClassVar[str] = "AKAZE"
    window_beblid: ClassVar[float] = 5.0
    window_vgg: ClassVar[float] = 5.0
    own_upright: ClassVar[bool] = True
    bytes_per_pixel: ClassVar[float] = 110

    threshold: float = option(0.001, "least response of a keypoint; lower gives more", above=0)
    octaves: int = option(4, "octaves of the scale space", at_least=1, at_most=20)
    octave_layers: int = option(4, "layers in each octave", at_least=1, at_most=20)
    diffusivity: Diffusivity = option("pm_g2", "how the scale space keeps edges")
    descriptor_bits: int = option(
        0, "length of the descriptor in bits; 0 is all 486", at_least=0, at_most=486
    )

    def _bytes_needed(self, width: int, height: int) -> float:
        return UprightDetector._bytes_needed(self, width, height) * max(1, self.octave_layers / 4)

    def _create(self, limit: int | None) -> Any:  # noqa: ARG002
        return backend.create(
            "AKAZE",
            descriptor_type=_MLDB_UPRIGHT if self.upright else _MLDB,
            descriptor_size=self.descriptor_bits,
            threshold=self.threshold,
            nOctaves=self.octaves,
            nOctaveLayers=self.octave_layers,
            diffusivity=_DIFFUSIVITY[self.diffusivity],
        )


@dataclass(frozen=True, kw_only=True)
class Kaze(UprightDetector):
    """KAZE by OpenCV: AKAZE's slower ancestor, with float descriptors.

    References
    ----------
    Alcantarilla, Bartoli, Davison, "KAZE features", ECCV 2012.
    """

    name: ClassVar[str] = "kaze"
    metric: ClassVar[Metric] = "l2"
    summary: ClassVar[str] = "blobs in a nonlinear scale space, float descriptors; slow"
    source: ClassVar[str] = "Alcantarilla, Bartoli and Davison, ECCV 2012"
    opencv_class: ClassVar[str] = "KAZE"
    window_beblid: ClassVar[float] = 6.25
    window_vgg: ClassVar[float] = 6.25
    own_upright: ClassVar[bool] = True
    bytes_per_pixel: ClassVar[float] = 600
    fallback: ClassVar[str] = "sift"

    threshold: float = option(0.001, "least response of a keypoint; lower gives more", above=0)
    octaves: int = option(4, "octaves of the scale space", at_least=1, at_most=20)
    octave_layers: int = option(4, "layers in each octave", at_least=1, at_most=20)
    diffusivity: Diffusivity = option("pm_g2", "how the scale space keeps edges")
    extended: bool = option(False, "descriptors of 128 instead of 64 numbers")

    def _bytes_needed(self, width: int, height: int) -> float:
        # Its scale space is not reduced from octave to octave.
        layers = self.octaves * self.octave_layers
        return UprightDetector._bytes_needed(self, width, height) * max(1, layers / 16)

    def _create(self, limit: int | None) -> Any:  # noqa: ARG002
        return backend.create(
            "KAZE",
            extended=self.extended,
            upright=self.upright,
            threshold=self.threshold,
            nOctaves=self.octaves,
            nOctaveLayers=self.octave_layers,
            diffusivity=_DIFFUSIVITY[self.diffusivity],
        )


@dataclass(frozen=True, kw_only=True)
class Brisk(Detector):
    """BRISK by OpenCV: AGAST corners in scale space, 512 brightness comparisons on rings.

    References
    ----------
    Leutenegger, Chli, Siegwart, "BRISK: binary robust invariant scalable keypoints", ICCV 2011.
    """

    name: ClassVar[str] = "brisk"
    metric: ClassVar[Metric] = "hamming"
    summary: ClassVar[str] = "corners in scale space, binary descriptors"
    source: ClassVar[str] = "Leutenegger, Chli and Siegwart, ICCV 2011"
    opencv_class: ClassVar[str] = "BRISK"
    window_beblid: ClassVar[float] = 5.0
    window_vgg: ClassVar[float] = 5.0
    bytes_per_pixel: ClassVar[float] = 24

    threshold: int = option(
        30, "AGAST corner threshold in gray levels; lower gives more", at_least=1, at_most=254
    )
    octaves: int = option(3, "octaves to detect in; 0 is the photo's own scale only", at_least=0, at_most=9)
    pattern_scale: float = option(1.0, "scale of the sampled pattern", above=0, at_most=10)

    def _create(self, limit: int | None) -> Any:  # noqa: ARG002
        return backend.create(
            "BRISK", thresh=self.threshold, octaves=self.octaves, patternScale=self.pattern_scale
        )
