"""What tp.verify refuses at its border, in one sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tiepoint as tp
from tests.geometry.known_matches import CAMERA, as_matches, flat, matched, two_features

SINGULAR = np.diag([700.0, 700, 0])


@pytest.mark.parametrize(("model", "words"), [
    ("homographie", "there is no model 'homographie'; .*homography"),
    ("Fundamental", "there is no model 'Fundamental'; .*fundamental"),
    ("", "there is no model ''"), ("usac", "there is no model 'usac'"),
])  # fmt: skip
def test_an_unknown_model(model: str, words: str, rng: np.random.Generator) -> None:
    with pytest.raises(tp.OptionError, match=words):
        tp.verify(as_matches(*flat(rng, 20)), model=model)


@pytest.mark.parametrize("limit", [0, -1, float("nan"), float("inf"), "2", True, [2]])
@pytest.mark.parametrize("model", ["auto", "homography"])
@pytest.mark.parametrize("m", [0, 20])
def test_a_limit_that_is_none(limit: Any, model: str, m: int, rng: np.random.Generator) -> None:
    with pytest.raises(tp.OptionError, match="max_error must be"):
        tp.verify(as_matches(*flat(rng, m)), model=model, max_error=limit)


@pytest.mark.parametrize("model", ["auto", "similarity"])
def test_a_limit_larger_than_the_photo(model: str, rng: np.random.Generator) -> None:
    with pytest.raises(
        tp.OptionError, match="less than a photo is across, which is 1000 pixels, not 1e\\+155"
    ):
        tp.verify(as_matches(*flat(rng, 20)), model=model, max_error=1e155)


@pytest.mark.parametrize("camera", [
    np.eye(2), np.zeros((3, 3)), SINGULAR, "canon", 700.0, np.full((3, 3), np.nan), -CAMERA,
])  # fmt: skip
@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("model", ["essential", "auto", "homography"])
def test_a_camera_that_is_none(camera: Any, number: int, model: str, rng: np.random.Generator) -> None:
    with pytest.raises(tp.DataError, match=f"camera{number}"):
        tp.verify(as_matches(*flat(rng, 20)), model=model, **{f"camera{number}": camera})


@pytest.mark.parametrize("name", ["xy0", "xy1"])
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e6])
def test_places_that_are_none(name: str, value: float, rng: np.random.Generator) -> None:
    xy = dict(zip(("xy0", "xy1"), flat(rng, 20), strict=True))
    xy[name][3, 1] = value
    with pytest.raises(tp.DataError, match=f"{name} must"):
        as_matches(**xy)


def test_features_of_other_photos(rng: np.random.Generator) -> None:
    features0, features1 = two_features(rng, *flat(rng, 60))
    matches = matched(features0, features1, np.arange(50))
    given: list[tuple[tp.Features, tp.Features, str]] = [
        (features0[:40], features1, "outside of the 40 features of photo 0"),
        (features0, features1[:0], "outside of the 0 features of photo 1"),
        (features1, features0, "features0 are not where these matches are"),
        (features0, features1[::-1], "features1 are not where these matches are"),
        (features0, replace(features1, image_size=(801, 600)), "features1 are not where"),
        (features0, replace(features1, metric="cosine"), r"\(l2, 32 .*do not go with .*\(cosine, 32 "),
        (
            features0,
            replace(features1, extractor="orb"),
            r"features of hand \(.*\) do not go with features of orb \(",
        ),
        (
            features0,
            replace(features1, descriptors=features1.descriptors[:, :16]),
            r"32 numbers\) do not go with .*16 numbers",
        ),
    ]
    for one, other, words in given:
        with pytest.raises(tp.DataError, match=words):
            tp.verify(matches, features0=one, features1=other)


def test_a_match_may_have_been_placed_anew(rng: np.random.Generator) -> None:
    features0, features1 = two_features(rng, *flat(rng, 60))
    matches = matched(features0, features1, np.arange(50))
    moved = replace(matches, xy0=matches.xy0 + np.float32(0.25))
    assert tp.verify(moved, features0=features0, features1=features1).predicted is not None
