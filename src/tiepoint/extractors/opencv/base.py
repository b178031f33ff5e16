"""From an Image through an OpenCV feature class to Features."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tiepoint.errors import DataError, MissingError
from tiepoint.extractors.base import Extractor, Mask, checked_mask, settings_of
from tiepoint.extractors.opencv import backend
from tiepoint.extractors.opencv.memory import check_memory
from tiepoint.extractors.spread import spread_evenly
from tiepoint.options import option
from tiepoint.types import Features, Image

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
    bytes_per_pixel: ClassVar[int]
    """Peak memory of OpenCV for a pixel of the photo, measured by benchmarks/extractor_memory.py."""
    fallback: ClassVar[str] = "orb"
    """The nearest extractor that every OpenCV has."""

    @classmethod
    def missing(cls) -> str | None:
        """Say what has to be installed before this extractor can run; None if nothing has to."""
        return backend.missing(cls.opencv_class)

    def extract(self, image: Image, mask: ArrayLike | None = None) -> Features:
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
        gray, look = self._reduced(image, look)
        height, width = gray.shape
        check_memory(self.name, (width, height), self._bytes_per_pixel())
        limit = self._limit(look)
        with backend.failures_in_words(self.name, (width, height)):
            if min(width, height) < SMALLEST_SIDE:
                keypoints, descriptors = (), self._no_descriptors()
            else:
                keypoints, descriptors = self._detect_and_compute(gray, look, limit)
        features = self._features(keypoints, descriptors, (width, height), image.size)
        return features if limit is not None else self._chosen(features)

    def _require(self) -> None:
        install = self.missing()
        if install is not None:
            raise MissingError(
                f"the installed OpenCV has no {self.name}; get it with: {install} "
                f"(the nearest one that is here: {self.fallback})"
            )

    def _create(self, limit: int | None) -> Any:
        """Make the OpenCV object; ``limit`` is how many keypoints it should give, None for all."""
        raise NotImplementedError

    def _limit(self, mask: Mask | None) -> int | None:  # noqa: ARG002 - SIFT's answer depends on it
        """Return how many keypoints OpenCV is to keep; None if the choice is made here, among all."""
        return None

    def _detect_and_compute(self, gray: NDArray[np.uint8], mask: Mask | None, limit: int | None) -> Detected:
        engine = self._create(limit)
        keypoints, descriptors = engine.detectAndCompute(gray, mask)
        return keypoints, rows(descriptors, engine)

    def _bytes_per_pixel(self) -> int:
        return self.bytes_per_pixel

    def _oriented(self) -> bool:
        return True

    def _no_descriptors(self) -> NDArray[Any]:
        return rows(None, self._create(None))

    def _chosen(self, features: Features) -> Features:
        n = self.max_keypoints
        if n is None or len(features) <= n:
            return features
        if self.spread:
            assert features.score is not None
            return features[spread_evenly(features.xy, features.score, n, features.image_size)]
        return features.strongest(n)

    def _reduced(self, image: Image, mask: Mask | None) -> tuple[NDArray[np.uint8], Mask | None]:
        """Reduce photo and mask to ``max_size``."""
        longest = max(image.size)
        if self.max_size is None or longest <= self.max_size:
            return image.gray, mask
        cv2 = backend.import_cv2()
        scale = self.max_size / longest
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        gray = cv2.resize(image.gray, size, interpolation=cv2.INTER_AREA)
        if mask is not None:
            mask = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST)
        return gray, mask

    def _features(
        self,
        keypoints: Any,
        descriptors: NDArray[Any],
        detected_size: tuple[int, int],
        image_size: tuple[int, int],
    ) -> Features:
        table = np.array([(*k.pt, k.size, k.angle, k.response) for k in keypoints], np.float32).reshape(-1, 5)
        xy, size = table[:, :2], table[:, 2]
        if detected_size != image_size:
            # A reduced pixel covers an area of the photo: go to its corner, scale, go back to a centre.
            x_scale, y_scale = (photo / seen for photo, seen in zip(image_size, detected_size, strict=True))
            xy = ((xy + 0.5) * (x_scale, y_scale) - 0.5).astype(np.float32)
            size = size * np.float32(math.sqrt(x_scale * y_scale))
        return Features(
            xy=np.ascontiguousarray(xy),
            size=np.ascontiguousarray(size),
            angle=table[:, 3] % 360 if self._oriented() else None,  # FREAK gives -180 to 180
            score=np.ascontiguousarray(table[:, 4]),
            descriptors=descriptors,
            metric=self.metric,
            image_size=image_size,
            extractor=self.name,
            settings=settings_of(self, backend.version()),
        )


@dataclass(frozen=True, kw_only=True)
class UprightExtractor(OpenCvExtractor):
    """Base of those that can leave the orientation out; all but BRISK, which always looks for it."""

    own_upright: ClassVar[bool] = False
    """Whether the OpenCV class has an upright mode; else orientations are set to zero before describing."""

    upright: bool = option(False, "leave the orientation out: for photos that are not turned")

    def _oriented(self) -> bool:
        return not self.upright

    def _detect_and_compute(self, gray: NDArray[np.uint8], mask: Mask | None, limit: int | None) -> Detected:
        if not self.upright or self.own_upright:
            return OpenCvExtractor._detect_and_compute(self, gray, mask, limit)
        engine = self._create(limit)
        return described(engine, gray, without_angles(engine.detect(gray, mask)))


def without_angles(keypoints: Any) -> list[Any]:
    """Set every orientation to zero; of copies that differed only there, one is left."""
    upright: dict[tuple[float, ...], Any] = {}
    for keypoint in keypoints:
        keypoint.angle = 0
        upright.setdefault((*keypoint.pt, keypoint.size), keypoint)
    return list(upright.values())


def described(engine: Any, gray: NDArray[np.uint8], keypoints: Any) -> Detected:
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
    try:
        dtype = types[engine.descriptorType()]
    except KeyError as error:
        raise DataError(f"OpenCV's descriptor type {engine.descriptorType()} is not known") from error
    return np.empty((0, engine.descriptorSize()), dtype)
