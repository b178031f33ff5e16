from __future__ import annotations

import pickle
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

import tiepoint as tp
from tiepoint.evaluation import RenderedPair


def test_result_pickles(scene: RenderedPair) -> None:
    result = tp.match(scene.image0, scene.image1, extractor="orb", max_keypoints=100)
    again = pickle.loads(pickle.dumps(result))
    assert np.array_equal(again.matches.xy0, result.matches.xy0)
    assert again.seconds == result.seconds
    assert repr(again) == f"MatchResult({len(result.matches)} matches of 100 candidates; {result.verdict})"
    bare = replace(result, verdict=None)
    assert repr(bare) == f"MatchResult({len(result.matches)} matches of 100 candidates)"


@pytest.fixture(scope="module")
def result(scene: RenderedPair) -> tp.MatchResult:
    return tp.match(scene.image0, scene.image1, extractor="orb", max_keypoints=100)


def of_other_photos(noun: Any) -> Any:
    """The same noun as if it were of photos one pixel wider."""
    sizes = {f.name: (401, 300) for f in fields(noun) if f.name.startswith("image_size")}
    return replace(noun, **sizes)


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("candidates", "image0 is 400x300, but the candidates are of a photo of 401x300 pixels"),
        ("matches", "image0 is 400x300, but the matches are of"),
        ("features0", "image0 is 400x300, but the features0 are of"),
        ("features1", "image1 is 400x300, but the features1 are of"),
    ],
)
def test_parts_of_other_photos_are_refused(result: tp.MatchResult, part: str, words: str) -> None:
    with pytest.raises(tp.DataError, match=words):
        replace(result, **{part: of_other_photos(getattr(result, part))})
    with pytest.raises(tp.DataError, match="image0 is 5x5"):
        replace(result, image0=tp.Image(pixels=np.zeros((5, 5), np.uint8)))


@pytest.mark.parametrize("number", [0, 1])
def test_pairs_outside_of_the_features_are_refused(result: tp.MatchResult, number: int) -> None:
    few: dict[str, Any]
    none: dict[str, Any]
    name = f"features{number}"
    features = getattr(result, name)
    few, none = {name: features[:3]}, {name: None}
    with pytest.raises(tp.DataError, match=f"outside of the 3 features of photo {number}"):
        replace(result, **few)
    assert replace(result, **none).matches is result.matches
    with pytest.raises(tp.DataError, match=f"outside of the 3 features of photo {number}"):
        replace(result, **few, candidates=result.candidates[[]])


@pytest.mark.parametrize(
    "changes",
    [
        {"seconds": "abc"},
        {"seconds": {"read": "b"}},
        {"seconds": {"read": float("nan")}},
        {"seconds": {"read": 10**400}},
        {"log": "a sentence"},
        {"log": [1]},
    ],
)
def test_wrong_seconds_and_logs_are_refused(result: tp.MatchResult, changes: Any) -> None:
    with pytest.raises(tp.DataError, match=f"{next(iter(changes))} must"):
        replace(result, **changes)
