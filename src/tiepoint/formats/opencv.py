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


def keypoint_table(keypoints: Sequence[Any]) -> NDArray[np.float32]:
    """Return the numbers of ``cv2.KeyPoint`` objects as an array.

    Parameters
    ----------
    keypoints : sequence of cv2.KeyPoint

    Returns
    -------
    ndarray, (N, 5) float32
        x, y, size, angle, response. Angles are from 0 up to but without 360: FREAK gives -180 to 180.

    Examples
    --------
    >>> import cv2
    >>> from tiepoint.formats.opencv import keypoint_table
    >>> keypoint_table([cv2.KeyPoint(3, 4, 7, -90, 0.5)]).tolist()
    [[3.0, 4.0, 7.0, 270.0, 0.5]]
    """
    table = np.array([(*k.pt, k.size, k.angle, k.response) for k in keypoints], np.float32).reshape(-1, 5)
    table[:, 3] %= 360
    table[table[:, 3] == 360, 3] = 0  # what a hair below 0 is rounded to
    return table


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

    Raises
    ------
    DataError
        If keypoints and descriptors do not fit each other, the metric or the photo.

    Examples
    --------
    >>> import cv2
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.formats import from_keypoints
    >>> image = render_demo().image0
    >>> keypoints, descriptors = cv2.ORB_create(200).detectAndCompute(image.gray, None)
    >>> from_keypoints(keypoints, descriptors, metric="hamming", image_size=image.size, extractor="my orb")
    Features(200 my orb, 32 x uint8 hamming, photo 800x600)
    """
    table = keypoint_table(keypoints)
    if descriptors is None:
        if len(table):
            raise DataError(f"{len(table)} keypoints need descriptors, but there are none")
        descriptors = np.empty((0, 0), np.uint8)
    unknown = len(keypoints) > 0 and all(k.angle == -1 for k in keypoints)  # as OpenCV has it
    return Features(
        xy=np.ascontiguousarray(table[:, :2]),
        size=np.ascontiguousarray(table[:, 2]),
        angle=None if unknown else np.ascontiguousarray(table[:, 3]),
        score=np.ascontiguousarray(table[:, 4]),
        descriptors=descriptors,
        metric=metric,
        image_size=image_size,
        extractor=extractor,
    )


def to_dmatches(matches: Matches) -> list[Any]:
    """Return a list of ``cv2.DMatch``, query is photo 0; for matches that have indices and distances.

    Raises
    ------
    DataError
        If the matches have no indices or no distances.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.formats import to_dmatches
    >>> scene = render_demo()
    >>> matches = tp.match(scene.image0, scene.image1, extractor="orb").matches
    >>> len(to_dmatches(matches)) == len(matches)
    True
    """
    import cv2

    if matches.pairs is None:
        raise DataError("these matches have no indices into features, which a cv2.DMatch needs")
    if matches.distance is None:
        raise DataError("these matches have no distances, which a cv2.DMatch needs")
    rows = zip(matches.pairs.tolist(), matches.distance.tolist(), strict=True)
    return [cv2.DMatch(i, j, distance) for (i, j), distance in rows]


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

    Raises
    ------
    DataError
        If the matches point outside of the features.

    Examples
    --------
    >>> import cv2
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.formats import from_dmatches
    >>> scene = render_demo()
    >>> query, train = (tp.extract(image, "orb") for image in (scene.image0, scene.image1))
    >>> two = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(query.descriptors, train.descriptors, k=2)
    >>> matches = from_dmatches(two, query, train).where(ratio=0.8)
    >>> [stage for stage, count in matches.funnel]
    ['keypoints 0', 'keypoints 1', 'opencv', 'ratio']
    """
    ranked = [m if isinstance(m, list | tuple) else (m,) for m in dmatches]
    found = [(m[0], m[1].distance if len(m) > 1 else np.inf) for m in ranked if len(m)]
    known_second = any(len(m) > 1 for m in ranked)
    return Matches.between(
        features0,
        features1,
        np.array([(m.queryIdx, m.trainIdx) for m, _ in found], np.int32).reshape(-1, 2),
        distance=np.array([m.distance for m, _ in found], np.float32),
        second_distance=np.array([s for _, s in found], np.float32) if known_second else None,
        source=source,
        funnel=(("keypoints 0", len(features0)), ("keypoints 1", len(features1)), (source, len(found))),
    )
