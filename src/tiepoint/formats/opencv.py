"""To and from OpenCV's own objects: cv2.KeyPoint and cv2.DMatch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import DataError
from tiepoint.types import Features, Matches, Metric


def to_keypoints(features: Features) -> list[Any]:
    """Return a list of ``cv2.KeyPoint``; angle is -1 where there is none, as OpenCV has it.

    ``octave`` and ``class_id`` are OpenCV's own bookkeeping and not kept.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.formats import to_keypoints
    >>> keypoints = to_keypoints(tp.extract(render_demo().image0, "orb", max_keypoints=100))
    >>> len(keypoints)
    100
    """
    import cv2

    n = len(features)
    angle = np.full(n, -1, np.float32) if features.angle is None else features.angle
    score = np.zeros(n, np.float32) if features.score is None else features.score
    rows = np.column_stack([features.xy, features.size, angle, score]).tolist()
    return [cv2.KeyPoint(x, y, size, angle, response) for x, y, size, angle, response in rows]


def from_keypoints(
    keypoints: Sequence[Any],
    descriptors: NDArray[Any] | None,
    *,
    metric: Metric,
    image_size: tuple[int, int],
    extractor: str,
) -> Features:
    """Build Features from a list of ``cv2.KeyPoint`` and their descriptors.

    Parameters
    ----------
    keypoints : sequence of cv2.KeyPoint
    descriptors : ndarray, (N, D) uint8 or float32, or None for no keypoints
    metric : {"hamming", "l2", "cosine"}
    image_size : (int, int)
        Width and height of the photo in pixels.
    extractor : str
        A name of your own for what made them: only features of the same name are matched.
    """
    rows = np.array([(*k.pt, k.size, k.angle, k.response) for k in keypoints], np.float32).reshape(-1, 5)
    if descriptors is None:
        if len(rows):
            raise DataError(f"{len(rows)} keypoints need descriptors, but there are none")
        descriptors = np.empty((0, 0), np.uint8)
    return Features(
        xy=np.ascontiguousarray(rows[:, :2]),
        size=np.ascontiguousarray(rows[:, 2]),
        angle=None if (rows[:, 3] < 0).any() else np.ascontiguousarray(rows[:, 3]),
        score=np.ascontiguousarray(rows[:, 4]),
        descriptors=descriptors,
        metric=metric,
        image_size=image_size,
        extractor=extractor,
    )


def to_dmatches(matches: Matches) -> list[Any]:
    """Return a list of ``cv2.DMatch``, query is photo 0; for matches that have indices."""
    import cv2

    if matches.pairs is None:
        raise DataError("these matches have no indices into features, which a cv2.DMatch needs")
    distance = np.zeros(len(matches), np.float32) if matches.distance is None else matches.distance
    return [cv2.DMatch(i, j, d) for (i, j), d in zip(matches.pairs.tolist(), distance.tolist(), strict=True)]


def from_dmatches(
    dmatches: Iterable[Any], features0: Features, features1: Features, *, source: str = "opencv"
) -> Matches:
    """Build Matches from what ``cv2.BFMatcher`` returns, by ``match`` or by ``knnMatch`` with k=2.

    Parameters
    ----------
    dmatches : iterable of cv2.DMatch, or of sequences of one or two of them
        Of a pair, the second gives the distance to the second nearest; empty ones are left out.
    features0, features1 : Features
        Of the query and of the train photo.
    source : str
        The method's name.
    """
    ranked = [m if isinstance(m, list | tuple) else (m,) for m in dmatches]
    found = [(m[0], m[1].distance if len(m) > 1 else np.inf) for m in ranked if len(m)]
    pairs = np.array([(m.queryIdx, m.trainIdx) for m, _ in found], np.int32).reshape(-1, 2)
    if len(pairs) and (pairs.min() < 0 or (pairs.max(axis=0) >= [len(features0), len(features1)]).any()):
        raise DataError(
            f"these matches point outside of the {len(features0)} and {len(features1)} features; "
            "were they made from other features?"
        )
    known_second = any(len(m) > 1 for m in ranked)
    part0, part1 = features0[pairs[:, 0]], features1[pairs[:, 1]]
    return Matches(
        xy0=part0.xy,
        xy1=part1.xy,
        pairs=pairs,
        distance=np.array([m.distance for m, _ in found], np.float32),
        second_distance=np.array([s for _, s in found], np.float32) if known_second else None,
        size0=part0.size,
        size1=part1.size,
        angle0=part0.angle,
        angle1=part1.angle,
        source=source,
        image_size0=features0.image_size,
        image_size1=features1.image_size,
        funnel=(("keypoints 0", len(features0)), ("keypoints 1", len(features1)), (source, len(pairs))),
    )
