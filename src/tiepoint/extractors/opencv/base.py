"""From an Image through an OpenCV feature class to Features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tiepoint.errors import DataError, MissingError
from tiepoint.extractors.base import Extractor, Mask, checked_mask, settings_of
from tiepoint.extractors.memory import check_memory
from tiepoint.extractors.opencv import backend
from tiepoint.extractors.opencv.reduction import reduced
from tiepoint.extractors.spread import spread_evenly
from tiepoint.formats.opencv import keypoint_table
from tiepoint.images.scaling import length_in_photo, positions_in_photo, reduced_size
from tiepoint.options import option
from tiepoint.types import Features, Image

Gray = NDArray[np.uint8]
# What a run gives: OpenCV keypoints and their descriptors, one row each.
Detected = tuple[Any, NDArray[Any]]

# No class describes a window smaller than this many pixels, and some fail on a photo that is.
SMALLEST_SIDE = 16


@dataclass(frozen=True, kw_only=True)
class OpenCvExtractor(Extractor):
    """Base of the extractors that run in OpenCV.

    A subclass says which OpenCV class it is and how to make one (:meth:`_create`). OpenCV's objects
    are not safe to share between threads, so each call makes its own.
    """

    opencv_class: ClassVar[str]
    bytes_per_pixel: ClassVar[float]
    """Peak memory of OpenCV for a pixel of the photo, measured by benchmarks/extractor_memory.py."""
    fallback: ClassVar[str] = "orb"
    """The nearest extractor that every OpenCV has."""

    @classmethod
    def missing(cls) -> str | None:
        """Say what has to be installed before this extractor can run; None if nothing has to."""
        return backend.missing(cls.opencv_class)

    def extract(self, image: Image, mask: ArrayLike | Image | None = None) -> Features:
        """Detect and describe keypoints; see :meth:`tiepoint.extractors.base.Extractor.extract`.

        Raises
        ------
        MissingError
            If the installed OpenCV does not have this extractor.
        DataError
            If the mask does not fit, or the photo needs more memory than there is.
        """
        self._require()
        look = checked_mask(mask, image.size)
        with backend.failures_in_words(self.name, image.size):
            gray, look = self._reduced(image, look)
            height, width = gray.shape
            if min(width, height) < SMALLEST_SIDE:
                keypoints, descriptors = (), rows(None, self._create(None))
            else:
                self._check_size(width, height)
                keypoints, descriptors = self._detect_and_compute(gray, look)
        return self._features(keypoints, descriptors, (width, height), image.size)

    def _require(self) -> None:
        install = self.missing()
        if install is not None:
            raise MissingError(
                f"the installed OpenCV has no {self.name}; get it with: {install} "
                f"(the nearest one that is here: {self.fallback})"
            )

    def _create(self, limit: int | None) -> Any:
        """Make the OpenCV object; ``limit`` is how many keypoints it is to keep, None for all."""
        raise NotImplementedError

    def _detect_and_compute(self, gray: Gray, mask: Mask | None) -> Detected:
        """Run OpenCV, and keep as many keypoints as the options say."""
        raise NotImplementedError

    def _check_size(self, width: int, height: int) -> None:
        """Refuse a photo that these options cannot be applied to."""
        check_memory(self.name, (width, height), self._bytes_needed(width, height))

    def _bytes_needed(self, width: int, height: int) -> float:
        return self.bytes_per_pixel * width * height

    def _oriented(self) -> bool:
        return True

    def _reduced(self, image: Image, mask: Mask | None) -> tuple[Gray, Mask | None]:
        """Reduce photo and mask to ``max_size``."""
        size = reduced_size(image.size, self.max_size)
        if size == image.size:
            return image.gray, mask
        gray = reduced(image.gray, size)
        if mask is not None:
            mask = reduced(mask, size, nearest=True)
        return gray, mask

    def _strongest(self, keypoints: Any, size: tuple[int, int]) -> NDArray[np.intp]:
        """Choose ``max_keypoints``, the strongest or evenly spread; all in their order if they are fewer."""
        n = self.max_keypoints
        if n is None or len(keypoints) <= n:
            return np.arange(len(keypoints))
        table = keypoint_table(keypoints)
        if self.spread:
            return spread_evenly(table[:, :2], table[:, 4], n, size)
        return np.argsort(-table[:, 4], kind="stable")[:n]

    def _features(
        self,
        keypoints: Any,
        descriptors: NDArray[Any],
        detected_size: tuple[int, int],
        image_size: tuple[int, int],
    ) -> Features:
        table = keypoint_table(keypoints)
        xy, size = table[:, :2], table[:, 2]
        if detected_size != image_size:
            xy = positions_in_photo(xy, detected_size, image_size)
            size = size * np.float32(length_in_photo(detected_size, image_size))
        return Features(
            xy=np.ascontiguousarray(xy),
            size=np.ascontiguousarray(size),
            angle=np.ascontiguousarray(table[:, 3]) if self._oriented() else None,
            score=np.ascontiguousarray(table[:, 4]),
            descriptors=descriptors,
            metric=self.metric,
            image_size=image_size,
            extractor=self.name,
            settings=settings_of(self, backend.version()),
        )


@dataclass(frozen=True, kw_only=True)
class Upright(OpenCvExtractor):
    """Base of those that can leave the orientation out; all but BRISK, which always looks for it."""

    upright: bool = option(False, "leave the orientation out: for photos that are not turned")

    def _oriented(self) -> bool:
        return not self.upright


@dataclass(frozen=True, kw_only=True)
class Detector(OpenCvExtractor):
    """Base of those that find keypoints of their own, on which other descriptors may stand."""

    window_beblid: ClassVar[float]
    """The window that BEBLID and TEBLID describe over the keypoint's size, by OpenCV's reference."""
    window_vgg: ClassVar[float]
    """The same for VGG and BoostDesc."""

    def detect(self, gray: Gray, mask: Mask | None) -> list[Any]:
        """Return the keypoints (``cv2.KeyPoint``) that the options ask for."""
        limit = self._limit(mask)
        keypoints = self._turned(self._create(limit).detect(gray, mask))
        if limit is not None:
            return keypoints
        return [keypoints[i] for i in self._strongest(keypoints, _size(gray))]

    def _detect_and_compute(self, gray: Gray, mask: Mask | None) -> Detected:
        limit = self._limit(mask)
        engine = self._create(limit)
        keypoints, descriptors = self._run(engine, gray, mask)
        if limit is not None:
            return keypoints, descriptors
        chosen = self._strongest(keypoints, _size(gray))
        return [keypoints[i] for i in chosen], descriptors[chosen]

    def _run(self, engine: Any, gray: Gray, mask: Mask | None) -> Detected:
        keypoints, descriptors = engine.detectAndCompute(gray, mask)
        return keypoints, rows(descriptors, engine)

    def _limit(self, mask: Mask | None) -> int | None:  # noqa: ARG002 - SIFT's answer depends on it
        """Return how many keypoints OpenCV is to keep; None if they are chosen here, among all."""
        return None

    def _turned(self, keypoints: Any) -> list[Any]:
        return list(keypoints)


@dataclass(frozen=True, kw_only=True)
class UprightDetector(Upright, Detector):
    """Base of detectors that can leave the orientation out."""

    own_upright: ClassVar[bool] = False
    """Whether the OpenCV class has an upright mode; else orientations are set to zero before describing."""

    def _run(self, engine: Any, gray: Gray, mask: Mask | None) -> Detected:
        if not self.upright or self.own_upright:
            return Detector._run(self, engine, gray, mask)
        return described(engine, gray, self._turned(engine.detect(gray, mask)))

    def _turned(self, keypoints: Any) -> list[Any]:
        return without_angles(keypoints) if self.upright else list(keypoints)


def without_angles(keypoints: Any) -> list[Any]:
    """Set every orientation to zero; of copies that differed only there, one is left."""
    upright: dict[tuple[float, ...], Any] = {}
    for keypoint in keypoints:
        keypoint.angle = 0
        upright.setdefault((*keypoint.pt, keypoint.size), keypoint)
    return list(upright.values())


def described(engine: Any, gray: Gray, keypoints: Any) -> Detected:
    """Describe given keypoints; some classes drop those too near to the border."""
    if not keypoints:
        return (), rows(None, engine)
    keypoints, descriptors = engine.compute(gray, keypoints)
    return keypoints, rows(descriptors, engine)


def rows(descriptors: NDArray[Any] | None, engine: Any) -> NDArray[Any]:
    """Return descriptors; OpenCV gives None where there are none, but their width is still known."""
    if descriptors is not None:
        return descriptors
    cv2 = backend.import_cv2()
    types = {cv2.CV_8U: np.uint8, cv2.CV_32F: np.float32}
    if engine.descriptorType() not in types:
        raise DataError(f"OpenCV's descriptor type {engine.descriptorType()} is not known")
    return np.empty((0, engine.descriptorSize()), types[engine.descriptorType()])


def _size(gray: Gray) -> tuple[int, int]:
    return gray.shape[1], gray.shape[0]
