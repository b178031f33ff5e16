"""LightGlue against kornia's own, with seeded weights; with the published ones against the truth."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tiepoint as tp
from tests.networks.seeded import seeded
from tiepoint.evaluation import RenderedPair
from tiepoint.matchers import View, get_matcher
from tiepoint.types import Features

torch = pytest.importorskip("torch")
pytest.importorskip("kornia")


def made_up(rng: np.random.Generator, n: int, extractor: str = "aliked", **changes: Any) -> Features:
    """Return features whose descriptors are random."""
    descriptors = rng.normal(size=(n, 128)).astype(np.float32)
    descriptors /= np.linalg.norm(descriptors, axis=1, keepdims=True)
    values: dict[str, Any] = {
        "xy": (rng.random((n, 2)) * (639, 479)).astype(np.float32),
        "size": np.full(n, 8, np.float32),
        "descriptors": descriptors,
        "metric": "l2",
        "image_size": (640, 480),
        "extractor": extractor,
        **changes,
    }
    return Features(**values)


def network(**options: Any) -> Callable[[], Any]:
    def make() -> Any:
        from kornia.feature import LightGlue

        return LightGlue(None, input_dim=128, **options)

    return make


def with_options(module: Any, **options: Any) -> Any:
    """Return kornia's network with other options, which it keeps as attributes."""
    changed = copy.copy(module)
    changed.conf = SimpleNamespace(**{**vars(module.conf), "filter_threshold": 0.0, **options})
    return changed


def as_given(features: Features, **more: Any) -> dict[str, Any]:
    arrays = {"keypoints": features.xy, "descriptors": features.descriptors, **more}
    given = {name: torch.from_numpy(np.array(array))[None] for name, array in arrays.items()}
    return {**given, "image_size": torch.tensor([features.image_size])}


@pytest.mark.parametrize("extractor", ["aliked", "disk"])
@pytest.mark.parametrize("adaptive", [True, False])
def test_lightglue_is_kornias(
    extractor: str, adaptive: bool, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = made_up(rng, 120, extractor), made_up(rng, 90, extractor)
    confidence = {} if adaptive else {"depth_confidence": None, "width_confidence": None}
    modules = seeded(monkeypatch, **{f"{extractor}_lightglue": network()})
    matcher = get_matcher("lightglue", min_score=0, **confidence)
    matched = matcher.match_with_candidates(*(View(features=one) for one in features))
    reference = with_options(
        modules[f"{extractor}-lightglue"], **{} if adaptive else dict.fromkeys(confidence, -1)
    )
    with torch.inference_mode():
        found = reference({f"image{i}": as_given(one) for i, one in enumerate(features)})
    used = matcher.used(extractor)
    matches = matched.matches
    assert len(matches) > 5
    assert matches.pairs is not None
    assert matches.score is not None
    assert matches.pairs.tolist() == found["matches"][0].tolist()
    assert np.allclose(matches.score, found["scores"][0], atol=1e-6)
    assert np.array_equal(matches.xy1, features[1].xy[matches.pairs[:, 1]])
    assert set(matches.source) == {f"{extractor}+lightglue"}
    assert used["weights"]["name"] == f"{extractor}-lightglue"
    assert used["min_score"] == 0


def test_min_score_filters_the_candidates(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    views = [View(features=made_up(rng, n)) for n in (100, 80)]
    seeded(monkeypatch, aliked_lightglue=network())
    everything = get_matcher("lightglue", min_score=0).match(*views)
    assert everything.score is not None
    middle = float(np.median(everything.score))
    candidates, matches = get_matcher("lightglue", min_score=middle).match_with_candidates(*views)
    assert candidates.score is not None
    kept = candidates.score > middle
    assert len(candidates) == len(everything)
    assert np.array_equal(matches.xy0, candidates.xy0[kept])
    assert matches.funnel == (
        ("keypoints 0", 100),
        ("keypoints 1", 80),
        ("lightglue", len(candidates)),
        ("score", int(kept.sum())),
    )


def test_sift_gives_root_descriptors_size_and_angle(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = rng.integers(0, 200, (60, 128), dtype=np.uint8)
    shape: dict[str, Any] = {
        "size": rng.uniform(2, 40, 60).astype(np.float32),
        "angle": rng.uniform(0, 360, 60).astype(np.float32),
        "image_size": (2048, 1536),
    }
    sift = made_up(rng, 60, "sift", descriptors=counts, **shape)
    root = np.sqrt(counts / counts.sum(axis=1, keepdims=True)).astype(np.float32)
    rounded = np.minimum(np.rint(512 * root), 255).astype(np.uint8)
    given = as_given(
        replace(sift, descriptors=root), scales=shape["size"] / 2, oris=np.radians(shape["angle"])
    )
    modules = seeded(monkeypatch, sift_lightglue=network(add_scale_ori=True))
    matches = tp.match_features(sift, sift, "lightglue", min_score=0)
    quantised = replace(sift, extractor="rootsift", descriptors=rounded)
    rooted = tp.match_features(quantised, quantised, "lightglue", min_score=0)
    with torch.inference_mode():
        found = with_options(modules["sift-lightglue"])({"image0": given, "image1": given})
    assert matches.pairs is not None
    assert matches.score is not None
    assert len(matches) > 3
    assert matches.pairs.tolist() == found["matches"][0].tolist()
    assert np.allclose(matches.score, found["scores"][0], atol=1e-5)
    assert set(rooted.source) == {"rootsift+lightglue"}


@pytest.mark.parametrize("counts", [(0, 5), (5, 0), (0, 0)])
def test_no_keypoints_are_no_matches(
    counts: tuple[int, int], rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeded(monkeypatch, aliked_lightglue=network())
    matches = tp.match_features(made_up(rng, counts[0]), made_up(rng, counts[1]), "lightglue")
    assert len(matches) == 0
    assert matches.funnel[-1] == ("score", 0)


def test_a_keypoint_on_the_edge(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    corners = np.array([[-0.5, -0.5], [639.5, 479.5]], np.float32)
    seeded(monkeypatch, aliked_lightglue=network())
    matches = tp.match_features(made_up(rng, 2, xy=corners), made_up(rng, 3), "lightglue", min_score=0)
    assert matches.pairs is not None
    assert len(np.unique(matches.pairs[:, 0])) == len(matches) <= 2


def test_features_that_it_was_not_trained_for_are_refused(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = made_up(rng, 4)
    orb = made_up(rng, 4, "orb")
    short = replace(few, descriptors=few.descriptors[:, :64])
    upright = made_up(rng, 4, "rootsift")
    seeded(monkeypatch, aliked_lightglue=network())
    disk = replace(few, extractor="disk")
    for first, second, words in (
        (orb, orb, "weights for features of aliked, disk, rootsift, sift, not of orb"),
        (few, disk, "features of aliked cannot be matched with features of disk"),
        (short, short, "descriptors of 128 numbers, but these of aliked have 64"),
        (upright, upright, "needs the angles of rootsift's keypoints"),
    ):
        with pytest.raises(tp.DataError, match=words):
            tp.match_features(first, second, "lightglue")
    with pytest.raises(tp.MissingError, match=r"lightglue for features of disk needs .*fetch it"):
        tp.match_features(disk, disk, "lightglue")
    matcher = get_matcher("lightglue")
    assert matcher.missing() is None
    assert matcher.missing_for("aliked") is None
    assert matcher.missing_for("disk") == "fetch it"


def test_too_many_keypoints_are_refused(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tiepoint.matchers.lightglue.physical_memory", lambda: 1 << 20)
    seeded(monkeypatch, aliked_lightglue=network())
    with pytest.raises(tp.DataError, match=r"for 300 and 200 keypoints.*max_keypoints=128"):
        tp.match_features(made_up(rng, 300), made_up(rng, 200), "lightglue")


@pytest.mark.parametrize("extractor", ["aliked", "disk"])
def test_published_weights_find_the_truth(
    extractor: str, scene: RenderedPair, weights_of: Callable[..., None]
) -> None:
    weights_of("aliked-n16" if extractor == "aliked" else "disk", f"{extractor}-lightglue")
    first, second = (
        tp.extract(image, extractor, max_keypoints=500) for image in (scene.image0, scene.image1)
    )
    learned = tp.match_features(first, second, "lightglue")
    plain = tp.match_features(first, second, "nearest", ratio=0.8)
    inliers = [int(np.count_nonzero(tp.verify(matches).inliers)) for matches in (learned, plain)]
    assert inliers[0] > 0.9 * len(learned)
    assert inliers[0] > inliers[1]
