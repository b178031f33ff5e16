"""Photos, features and matches made by hand, so that a test knows where each mark must be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tiepoint.types import Features, Geometry, Image, Matches, MatchResult, Verdict

GRAY = 120


def plain(width: int, height: int, path: str | None = None, value: int = GRAY) -> Image:
    return Image(pixels=np.full((height, width, 3), value, np.uint8), path=path)


def noisy(width: int, height: int, seed: int = 0) -> Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return Image(pixels=pixels)


def features_at(
    xy: ArrayLike,
    image: Image,
    size: float = 20,
    angle: Sequence[float] | None = None,
    score: Sequence[float] | None = None,
    extractor: str = "sift",
) -> Features:
    points = np.asarray(xy, np.float32).reshape(-1, 2)
    return Features(
        xy=points,
        size=np.full(len(points), size, np.float32),
        angle=None if angle is None else np.asarray(angle, np.float32),
        score=None if score is None else np.asarray(score, np.float32),
        descriptors=np.zeros((len(points), 4), np.uint8),
        metric="l2",
        image_size=image.size,
        extractor=extractor,
    )


def result_of(
    xy0: ArrayLike,
    xy1: ArrayLike,
    image0: Image,
    image1: Image,
    distance: Sequence[float] | NDArray[np.float32] | None = None,
    source: str = "sift",
    funnel: tuple[tuple[str, int], ...] = (),
) -> MatchResult:
    matches = Matches(
        xy0=np.asarray(xy0, np.float32).reshape(-1, 2),
        xy1=np.asarray(xy1, np.float32).reshape(-1, 2),
        distance=None if distance is None else np.asarray(distance, np.float32),
        source=source,
        image_size0=image0.size,
        image_size1=image1.size,
        funnel=funnel,
    )
    return MatchResult(image0=image0, image1=image1, candidates=matches, matches=matches)


def marked(picture: NDArray[np.uint8], value: int = GRAY, tolerance: int = 3) -> NDArray[np.bool_]:
    """Where a picture differs from a plain photo of ``value``."""
    differs: NDArray[np.bool_] = (np.abs(picture.astype(int) - value) > tolerance).any(axis=2)
    return differs


def judged_of(
    xy0: ArrayLike,
    xy1: ArrayLike,
    image0: Image,
    image1: Image,
    inliers: Sequence[bool],
    matrix: ArrayLike | None = None,
    model: str = "homography",
    distance: Sequence[float] | None = None,
    funnel: tuple[tuple[str, int], ...] = (),
    guided: int = 0,
    answer: str | None = "yes",
) -> MatchResult:
    """A result with a geometry; without any inlier nothing was found."""
    result = result_of(xy0, xy1, image0, image1, distance=distance, funnel=funnel)
    found = any(inliers)
    geometry = Geometry(
        model=model,
        matrix=(np.eye(3) if matrix is None else np.array(matrix, float)) if found else None,
        matches=result.matches,
        inliers=np.array(inliers, bool),
        residuals=np.zeros(len(inliers), np.float32) if found else None,
        max_error=2.0,
        reason=None if found else "no more agree than chance would give",
        guided=guided,
    )
    verdict = None if answer is None else Verdict(answer=answer, probability=0.97, reasons=("many agree",))
    return replace(result, geometry=geometry, verdict=verdict)
