from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

import tiepoint as tp
from tests.arrays import same
from tiepoint.evaluation import RenderedPair
from tiepoint.formats import features_document, match_document, schema
from tiepoint.matchers import NearestNeighbour


def valid(document: dict[str, Any]) -> dict[str, Any]:
    checker = jsonschema.Draft202012Validator(schema(document["kind"]))
    plain: dict[str, Any] = json.loads(json.dumps(document, allow_nan=False))
    checker.validate(plain)
    return plain


@pytest.mark.parametrize("arrays", [True, False])
@pytest.mark.parametrize("extractor", ["orb", "sift"])
def test_documents_follow_their_schema(extractor: str, arrays: bool, scene: RenderedPair) -> None:
    matcher = NearestNeighbour(ratio=0.8)
    result = tp.match(scene.image0, scene.image1, extractor=extractor, matcher=matcher, max_keypoints=100)
    document = valid(match_document(result, arrays=arrays))
    assert document["matches"] == len(result.matches)
    assert document["methods"][0]["matcher"]["ratio"] == 0.8
    assert ("arrays" in document) == arrays
    assert result.features0 is not None
    features = valid(features_document(scene.image0, result.features0, seconds={"read": 0.1}, arrays=arrays))
    assert features["keypoints"] == len(result.features0)


def test_a_match_without_keypoints_has_no_extractor(scene: RenderedPair) -> None:
    result = tp.match(scene.image0, scene.image1, extractor="orb", max_keypoints=100)
    method = {**result.methods[0], "extractor": None, "settings": {}}
    assert valid(match_document(replace(result, methods=(method,))))["methods"][0]["extractor"] is None


@pytest.mark.parametrize("kind", ["align", "bench", "features", "match", "weights"])
def test_the_page_names_every_field(kind: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
    assert [name for name in schema(kind)["properties"] if f"`{name}`" not in page] == []


def test_arrays_come_back_as_they_were(scene: RenderedPair) -> None:
    result = tp.match(scene.image0, scene.image1, extractor="orb", max_keypoints=100)
    arrays = valid(match_document(result, arrays=True))["arrays"]
    assert same(np.array(arrays["xy0"], np.float32), result.matches.xy0)
    assert arrays["pairs"] == result.matches.pairs.tolist()  # type: ignore[union-attr]


def test_empty_results_and_infinite_distances_are_json(flat: tp.Image, scene: RenderedPair) -> None:
    valid(match_document(tp.match(flat, scene.image1), arrays=True))
    valid(features_document(flat, tp.extract(flat, "sift", upright=True), arrays=True))
    one = tp.extract(scene.image1, "orb", max_keypoints=30)[[0]]
    matches = tp.match_features(tp.extract(scene.image0, "orb", max_keypoints=30), one)
    result = tp.MatchResult(image0=scene.image0, image1=scene.image1, candidates=matches, matches=matches)
    assert valid(match_document(result, arrays=True))["arrays"]["second_distance"] == [None]


def test_a_photos_exif_is_in_the_document(scene: RenderedPair) -> None:
    photo = tp.Image(
        pixels=scene.image0.pixels, path="a.jpg", exif=tp.Exif(focal_length=35.0, latitude=1.5, longitude=2)
    )
    document = valid(features_document(photo, tp.extract(photo, "orb")))
    assert document["photo"]["exif"]["focal_length"] == 35
    assert document["photo"]["path"] == "a.jpg"


def test_what_is_not_known_is_null_in_every_document(scene: RenderedPair) -> None:
    points = np.array([[1, 2]], np.float32)
    matches = tp.Matches(
        xy0=points, xy1=points, source="by hand", image_size0=(400, 300), image_size1=(400, 300)
    )
    result = tp.MatchResult(image0=scene.image0, image1=scene.image1, candidates=matches, matches=matches)
    arrays = valid(match_document(result, arrays=True))["arrays"]
    known = {"xy0": [[1, 2]], "xy1": [[1, 2]], "source": ["by hand"]}
    unknown = ("pairs", "distance", "second_distance", "score", "size0", "size1", "angle0", "angle1")
    assert arrays == {**known, **dict.fromkeys(unknown)}

    features = tp.Features(
        xy=points,
        size=np.ones(1, np.float32),
        descriptors=np.zeros((1, 0), np.float32),
        metric="l2",
        image_size=(400, 300),
        extractor="x",
    )
    arrays = valid(features_document(scene.image0, features, arrays=True))["arrays"]
    assert arrays == {"xy": [[1, 2]], "size": [1], "angle": None, "score": None, "descriptors": [[]]}


@pytest.mark.parametrize("kind", ["foo", "", "../match", "match.json"])
def test_an_unknown_schema_is_refused_with_those_that_there_are(kind: str) -> None:
    with pytest.raises(tp.OptionError, match=r"there is no schema .*; there are: .*features, match"):
        schema(kind)
