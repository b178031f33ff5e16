"""ORB and SIFT on real photos give just what the usual OpenCV tutorial's own calls give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import tiepoint as tp

PAIRS = (
    "fresco", "indoor_gcs", "kn_church", "lightglue_dsc", "london_bridge", "montmartre",
    "negative_chartres_notredame", "sacre_coeur", "stata_center", "toronto", "uttower",
    "wxbs_berlin", "xfeat_frame",
)  # fmt: skip
Keypoint = tuple[float, ...]


def tutorial(path: Path, name: str) -> tuple[Any, Any]:
    opencv: Any = cv2
    gray = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2GRAY)
    if name == "orb":
        return tuple(opencv.ORB_create(nfeatures=500).detectAndCompute(gray, None))
    return tuple(opencv.SIFT_create(nfeatures=2000, enable_precise_upscale=True).detectAndCompute(gray, None))


def rows(features: tp.Features) -> list[tuple[Keypoint, bytes]]:
    assert features.angle is not None
    assert features.score is not None
    table = np.column_stack([features.xy, features.size, features.angle, features.score])
    return [(tuple(row), d.tobytes()) for row, d in zip(table.tolist(), features.descriptors, strict=True)]


def cv2_rows(keypoints: Any, descriptors: Any) -> list[tuple[Keypoint, bytes]]:
    return [
        ((*k.pt, k.size, k.angle, k.response), d.astype(np.uint8).tobytes())
        for k, d in zip(keypoints, descriptors, strict=True)
    ]


@pytest.mark.parametrize("name", ["orb", "sift"])
@pytest.mark.parametrize("pair", PAIRS)
def test_as_the_tutorial(pair: str, name: str, data: Path) -> None:
    paths = [next((data / "pairs" / pair).glob(f"{i}.*")) for i in (1, 2)]
    options = {"max_keypoints": 500 if name == "orb" else 2000}
    ours = [tp.extract(tp.read_image(path), name, **options) for path in paths]
    theirs = [tutorial(path, name) for path in paths]
    for features, (keypoints, descriptors) in zip(ours, theirs, strict=True):
        # Angles are taken modulo 360; all else is equal to the bit.
        assert sorted(rows(features)) == sorted(cv2_rows(keypoints, descriptors))

    norm = cv2.NORM_HAMMING if name == "orb" else cv2.NORM_L2
    dmatches = cv2.BFMatcher(norm, crossCheck=True).match(theirs[0][1], theirs[1][1])
    matches = tp.match_features(ours[0], ours[1])
    assert matches.pairs is not None
    assert matches.distance is not None
    expected = {(*theirs[0][0][m.queryIdx].pt, *theirs[1][0][m.trainIdx].pt, m.distance) for m in dmatches}
    found = np.column_stack([matches.xy0, matches.xy1, matches.distance])
    assert {tuple(row) for row in found.tolist()} == expected
