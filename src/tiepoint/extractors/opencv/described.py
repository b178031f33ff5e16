"""Descriptors without a detector of their own: BEBLID, TEBLID, FREAK, DAISY, LATCH, VGG, BoostDesc.

They are in opencv-contrib only. Each states the detector that it stands on by default and takes
another one as an option.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from tiepoint.errors import OptionError
from tiepoint.extractors.base import Mask
from tiepoint.extractors.opencv import backend
from tiepoint.extractors.opencv.base import Detected, Detector, Gray, Upright, described, without_angles
from tiepoint.extractors.opencv.kaze import Akaze, Brisk, Kaze
from tiepoint.extractors.opencv.orb import Orb
from tiepoint.extractors.opencv.sift import Sift
from tiepoint.options import option
from tiepoint.types import Metric

DetectorName = Literal["orb", "sift", "akaze", "kaze", "brisk"]
_DETECTORS: dict[str, type[Detector]] = {
    "orb": Orb,
    "sift": Sift,
    "akaze": Akaze,
    "kaze": Kaze,
    "brisk": Brisk,
}


@dataclass(frozen=True, kw_only=True)
class DescribedExtractor(Upright):
    """Base of the descriptors that stand on another extractor's keypoints.

    ``detector`` is a name, then with its default options and this object's ``max_keypoints`` and
    ``spread``, or an extractor with options of its own, such as ``Sift(contrast_threshold=0.02)``.
    """

    bytes_per_pixel: ClassVar[float] = 12  # besides what the detector needs; they do not add up

    detector: DetectorName | Detector = option("orb", "whose keypoints are described")

    def __post_init__(self) -> None:
        Upright.__post_init__(self)
        if isinstance(self.detector, Detector) and self.detector.max_size is not None:
            raise OptionError(
                "the detector's max_size would not reach the descriptor; "
                f"give it to {type(self).__name__} itself"
            )

    def _check_size(self, width: int, height: int) -> None:
        self._detector()._check_size(width, height)
        Upright._check_size(self, width, height)

    def _detector(self) -> Detector:
        if isinstance(self.detector, Detector):
            return self.detector
        return _DETECTORS[self.detector](max_keypoints=self.max_keypoints, spread=self.spread)

    def _detect_and_compute(self, gray: Gray, mask: Mask | None) -> Detected:
        detector = self._detector()
        detector._require()
        keypoints = detector.detect(gray, mask)
        if self.upright:
            keypoints = without_angles(keypoints)
        keypoints = [keypoints[i] for i in self._strongest(keypoints, (gray.shape[1], gray.shape[0]))]
        return described(self._create(None), gray, keypoints)


@dataclass(frozen=True, kw_only=True)
class WindowedExtractor(DescribedExtractor):
    """Base of those whose window has to be told how large the detector's keypoints are."""

    window_scale: float | None = option(
        None, "described window over keypoint size; none takes OpenCV's figure for the detector", above=0
    )

    def _window(self) -> float:
        """Return ``window_scale``, or the detector's own figure; BEBLID and TEBLID have another."""
        return self.window_scale or self._detector().window_vgg


@dataclass(frozen=True, kw_only=True)
class Beblid(WindowedExtractor):
    """BEBLID by OpenCV contrib: 256 or 512 comparisons of box averages, chosen by boosting.

    References
    ----------
    Suárez, Sfeir, Buenaposada, Baumela, "BEBLID: boosted efficient binary local image descriptor",
    Pattern Recognition Letters 2020.
    """

    name: ClassVar[str] = "beblid"
    metric: ClassVar[Metric] = "hamming"
    summary: ClassVar[str] = "learned binary descriptor on ORB keypoints; better than ORB, as fast"
    source: ClassVar[str] = "Suárez et al., Pattern Recognition Letters 2020"
    opencv_class: ClassVar[str] = "BEBLID"

    bits: Literal[256, 512] = option(512, "length of the descriptor")

    def _create(self, limit: int | None) -> Any:  # noqa: ARG002
        numbers = {512: 100, 256: 101}
        return backend.create("BEBLID", scale_factor=self._window(), n_bits=numbers[self.bits])

    def _window(self) -> float:
        return self.window_scale or self._detector().window_beblid


@dataclass(frozen=True, kw_only=True)
class Teblid(Beblid):
    """TEBLID by OpenCV contrib: BEBLID, trained on triplets.

    References
    ----------
    Suárez, Buenaposada, Baumela, "Revisiting binary local image description for resource limited
    devices", IEEE Robotics and Automation Letters 2021.
    """

    name: ClassVar[str] = "teblid"
    summary: ClassVar[str] = "BEBLID trained on triplets, on ORB keypoints"
    source: ClassVar[str] = "Suárez et al., RA-L 2021"
    opencv_class: ClassVar[str] = "TEBLID"

    def _create(self, limit: int | None) -> Any:  # noqa: ARG002
        numbers = {256: 102, 512: 103}
        return backend.create("TEBLID", scale_factor=self._window(), n_bits=numbers[self.bits])


@dataclass(frozen=True, kw_only=True)
class Freak(DescribedExtractor):
    """FREAK by OpenCV contrib: 512 comparisons on a pattern like the retina's.

    References
    ----------
    Alahi, Ortiz, Vandergheynst, "FREAK: fast retina keypoint", CVPR 2012.
    """

    name: ClassVar[str] = "freak"
    metric: ClassVar[Metric] = "hamming"
    summary: ClassVar[str] = "binary descriptor on a retina-like pattern, on BRISK keypoints"
    source: ClassVar[str] = "Alahi, Ortiz and Vandergheynst, CVPR 2012"
    opencv_class: ClassVar[str] = "FREAK"

    detector: DetectorName | Detector = option("brisk", "whose keypoints are described")
    pattern_scale: float = option(22.0, "scale of the sampled pattern", above=0)
    octaves: int = option(4, "octaves that the keypoints may span", at_least=1, at_most=20)
    scale_normalized: bool = option(True, "let the pattern follow the keypoint's size")

    def _create(self, limit: int | None) -> Any:  # noqa: ARG002
        return backend.create(
            "FREAK",
            orientationNormalized=not self.upright,
            scaleNormalized=self.scale_normalized,
            patternScale=self.pattern_scale,
            nOctaves=self.octaves,
        )


@dataclass(frozen=True, kw_only=True)
class Daisy(DescribedExtractor):
    """DAISY by OpenCV contrib: histograms of gradients on rings, 200 numbers.

    References
    ----------
    Tola, Lepetit, Fua, "DAISY: an efficient dense descriptor applied to wide baseline stereo",
    PAMI 2010.
    """

    name: ClassVar[str] = "daisy"
    metric: ClassVar[Metric] = "l2"
    summary: ClassVar[str] = "histograms of gradients on rings, on SIFT keypoints"
    source: ClassVar[str] = "Tola, Lepetit and Fua, PAMI 2010"
    opencv_class: ClassVar[str] = "DAISY"
    bytes_per_pixel: ClassVar[float] = 140
    fallback: ClassVar[str] = "sift"

    detector: DetectorName | Detector = option("sift", "whose keypoints are described")
    radius: float = option(15.0, "radius of the outer ring in pixels; it does not follow the size", above=0)
    rings: int = option(3, "number of rings", at_least=1, at_most=20)
    ring_points: int = option(8, "histograms on each ring", at_least=1, at_most=64)
    bins: int = option(8, "bins of each histogram", at_least=2, at_most=64)

    def _create(self, limit: int | None) -> Any:  # noqa: ARG002
        return backend.create(
            "DAISY",
            radius=self.radius,
            q_radius=self.rings,
            q_theta=self.ring_points,
            q_hist=self.bins,
            use_orientation=True,
        )


@dataclass(frozen=True, kw_only=True)
class Latch(DescribedExtractor):
    """LATCH by OpenCV contrib: comparisons of triplets of small patches.

    References
    ----------
    Levi, Hassner, "LATCH: learned arrangements of three patch codes", WACV 2016.
    """

    name: ClassVar[str] = "latch"
    metric: ClassVar[Metric] = "hamming"
    summary: ClassVar[str] = "binary descriptor from triplets of patches, on ORB keypoints"
    source: ClassVar[str] = "Levi and Hassner, WACV 2016"
    opencv_class: ClassVar[str] = "LATCH"

    length: Literal[1, 2, 4, 8, 16, 32, 64] = option(32, "length of the descriptor in bytes")
    half_patch: int = option(3, "half the side of the small patches, in pixels", at_least=1, at_most=20)
    sigma: float = option(2.0, "blur before describing, in pixels", at_least=0)

    def _create(self, limit: int | None) -> Any:  # noqa: ARG002
        return backend.create(
            "LATCH",
            bytes=self.length,
            rotationInvariance=True,
            half_ssd_size=self.half_patch,
            sigma=self.sigma,
        )


@dataclass(frozen=True, kw_only=True)
class Vgg(WindowedExtractor):
    """VGG by OpenCV contrib: pooled gradients, learned by convex optimisation (no neural network).

    References
    ----------
    Simonyan, Vedaldi, Zisserman, "Learning local feature descriptors using convex optimisation",
    PAMI 2014.
    """

    name: ClassVar[str] = "vgg"
    metric: ClassVar[Metric] = "l2"
    summary: ClassVar[str] = "learned pooling of gradients, on SIFT keypoints; slow"
    source: ClassVar[str] = "Simonyan, Vedaldi and Zisserman, PAMI 2014"
    opencv_class: ClassVar[str] = "VGG"
    fallback: ClassVar[str] = "sift"

    detector: DetectorName | Detector = option("sift", "whose keypoints are described")
    length: Literal[48, 64, 80, 120] = option(120, "numbers in the descriptor")
    sigma: float = option(1.4, "blur before describing, in pixels", at_least=0)

    def _create(self, limit: int | None) -> Any:  # noqa: ARG002
        numbers = {120: 100, 80: 101, 64: 102, 48: 103}
        return backend.create(
            "VGG",
            desc=numbers[self.length],
            isigma=self.sigma,
            img_normalize=True,
            use_scale_orientation=True,
            scale_factor=self._window(),
        )


@dataclass(frozen=True, kw_only=True)
class BoostDesc(WindowedExtractor):
    """BoostDesc by OpenCV contrib: BinBoost, binary codes of boosted gradient comparisons.

    References
    ----------
    Trzcinski, Christoudias, Lepetit, "Learning image descriptors with boosting", PAMI 2015.
    """

    name: ClassVar[str] = "boostdesc"
    metric: ClassVar[Metric] = "hamming"
    summary: ClassVar[str] = "boosted binary codes (BinBoost), on SIFT keypoints"
    source: ClassVar[str] = "Trzcinski, Christoudias and Lepetit, PAMI 2015"
    opencv_class: ClassVar[str] = "BoostDesc"
    fallback: ClassVar[str] = "orb"

    detector: DetectorName | Detector = option("sift", "whose keypoints are described")
    bits: Literal[64, 128, 256] = option(256, "length of the descriptor")

    def _create(self, limit: int | None) -> Any:  # noqa: ARG002
        numbers = {64: 300, 128: 301, 256: 302}
        return backend.create(
            "BoostDesc",
            desc=numbers[self.bits],
            use_scale_orientation=True,
            scale_factor=self._window(),
        )
