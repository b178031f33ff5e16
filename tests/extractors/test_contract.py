"""What holds for every extractor: OpenCV's, and the learned ones where their weights are."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import tiepoint as tp
from tiepoint.evaluation import RenderedPair
from tiepoint.extractors import EXTRACTORS, get_extractor
from tiepoint.extractors.opencv.base import OpenCvExtractor

# Those of OpenCV that its plain wheel lacks are tested by .ci/run, in environments of their own.
NAMES = [
    name
    for name in EXTRACTORS.names()
    if EXTRACTORS.load(name).missing() is None or not issubclass(EXTRACTORS.load(name), OpenCvExtractor)
]


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    """An extractor that runs here; where TIEPOINT_WEIGHTS is set, weights must not be what is missing."""
    chosen: str = request.param
    command = EXTRACTORS.load(chosen).missing()
    if command is not None:
        if command.startswith("tiepoint weights") and os.environ.get("TIEPOINT_WEIGHTS"):
            pytest.fail(f"weights are missing in TIEPOINT_WEIGHTS; fetch them with: {command}")
        pytest.skip(f"{chosen} is not installed; {command}")
    return chosen


def test_features_of_a_photo(name: str, scene: RenderedPair) -> None:
    features = tp.extract(scene.image0, name)
    extractor = get_extractor(name)
    assert len(features) > 50
    assert features.extractor == name
    assert features.metric == extractor.metric
    assert features.image_size == (400, 300)
    assert features.settings["max_keypoints"] == extractor.max_keypoints
    assert features.settings["version"]
    assert features.score is not None
    assert (features.size > 0).all()


def test_the_strongest_are_kept(name: str, scene: RenderedPair) -> None:
    everything = tp.extract(scene.image0, name, max_keypoints=None)
    some = tp.extract(scene.image0, name, max_keypoints=40)
    # OpenCV's SIFT and ORB keep those that tie with the last; the others are cut to the number.
    assert 30 <= len(some) <= 45
    assert len(everything) >= len(some)


def test_an_even_spread(name: str, scene: RenderedPair) -> None:
    def cells(features: tp.Features) -> int:
        return len({tuple(cell) for cell in (features.xy // 40).astype(int).tolist()})

    spread = tp.extract(scene.image0, name, max_keypoints=60, spread=True)
    assert len(spread) <= 60
    assert cells(spread) > cells(tp.extract(scene.image0, name, max_keypoints=60))


def test_matches_are_right(name: str, scene: RenderedPair) -> None:
    features0, features1 = tp.extract(scene.image0, name), tp.extract(scene.image1, name)
    matches = tp.match_features(features0, features1, matcher="nearest", ratio=0.75)
    # A semi-dense method places its features by cells, and leaves the rest to its matcher.
    most = max(4.0, 0.75 * float(features0.size.max())) if name == "xfeat-star" else 4.0
    assert scene.correct(matches.xy0, matches.xy1, max_error=most).mean() > 0.5
    assert len(matches) >= 10


def test_a_mask_is_where_not_to_look(name: str, scene: RenderedPair) -> None:
    mask = np.zeros((300, 400), bool)
    mask[:, 200:] = True
    features = tp.extract(scene.image0, name, mask=mask)
    assert len(features) > 10
    assert features.xy[:, 0].min() >= 198
    assert len(tp.extract(scene.image0, name, mask=np.zeros((300, 400), np.uint8))) == 0


@pytest.mark.parametrize(
    "mask", [np.ones((400, 300), bool), np.ones((300, 400)), np.ones((300, 400, 4), bool)]
)
def test_a_mask_that_does_not_fit_is_refused(name: str, mask: Any, scene: RenderedPair) -> None:
    with pytest.raises(tp.DataError, match="the photo is 400x300, the mask"):
        tp.extract(scene.image0, name, mask=mask)


def test_max_size_gives_positions_of_the_photo_itself(name: str, scene: RenderedPair) -> None:
    small = tp.extract(scene.image0, name, max_size=200, max_keypoints=None)
    assert small.image_size == (400, 300)
    assert small.xy[:, 0].max() > 250
    assert (
        tp.extract(scene.image0, name, max_size=400).xy.tolist() == tp.extract(scene.image0, name).xy.tolist()
    )


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 300), (300, 1), (2, 2), (7, 9), (16, 16), (31, 200), (3, 6000), (16, 2000)]
)
def test_tiny_and_thin_photos_are_empty_or_fine(
    name: str, shape: tuple[int, int], rng: np.random.Generator
) -> None:
    photo = tp.Image(pixels=rng.integers(0, 256, shape, dtype=np.uint8))
    features = tp.extract(photo, name)
    assert features.descriptors.shape == (len(features), features.descriptors.shape[1])


def test_a_flat_photo_has_no_features_but_a_descriptor_width(
    name: str, flat: tp.Image, scene: RenderedPair
) -> None:
    nothing = tp.extract(flat, name)
    some = tp.extract(scene.image0, name)
    assert len(nothing) == 0
    assert nothing.descriptors.shape == (0, some.descriptors.shape[1])
    assert nothing.descriptors.dtype == some.descriptors.dtype
    assert len(tp.match_features(nothing, some, matcher="nearest")) == 0
    if "upright" in nothing.settings:
        assert len(tp.extract(flat, name, upright=True)) == 0


def test_gray_colour_and_16_bit_see_the_same(name: str, scene: RenderedPair) -> None:
    gray = scene.image0.gray
    as_gray = tp.extract(gray, name)
    as_colour = tp.extract(np.repeat(gray[..., None], 3, axis=2), name)
    assert np.array_equal(as_gray.xy, as_colour.xy)
    assert np.allclose(as_gray.descriptors.astype(float), as_colour.descriptors.astype(float), atol=1e-5)
    in_16_bits = tp.extract((gray.astype(np.uint16) << 8) + 7, name)
    assert len(in_16_bits) > 50


def test_a_too_large_photo_is_refused_before_the_machine_dies(
    name: str, monkeypatch: pytest.MonkeyPatch, scene: RenderedPair
) -> None:
    monkeypatch.setattr("tiepoint.extractors.memory.physical_memory", lambda: 1 << 16)
    with pytest.raises(tp.DataError, match=r"needs about .* GiB of memory for .* max_size"):
        tp.extract(scene.image0, name)


def test_one_object_serves_many_threads(name: str, scene: RenderedPair) -> None:
    extractor = get_extractor(name, max_keypoints=200)
    alone = [extractor.extract(image) for image in (scene.image0, scene.image1)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(extractor.extract, [scene.image0, scene.image1] * 4))
    for i, features in enumerate(together):
        assert np.array_equal(features.xy, alone[i % 2].xy)
        assert np.array_equal(features.descriptors, alone[i % 2].descriptors)
