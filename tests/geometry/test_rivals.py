"""Things that move differently, and patterns that repeat."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.geometry.known_matches import (
    H_TRUE,
    anywhere,
    as_features,
    as_matches,
    deep,
    flat,
    matched,
    two_features,
    unit,
)
from tests.geometry.two_views import Array
from tiepoint.geometry.choice import fit_matches
from tiepoint.geometry.rivals import descriptor_distances, repeated, rival
from tiepoint.types import Features

OTHER = np.array([[1.0, -0.1, 90], [0.1, 1.0, -20], [0, 0, 1]])


def inside(xy0: Array, xy1: Array) -> Array:
    return np.asarray(((xy1 > 0) & (xy1 < [799, 599])).all(axis=1) & (xy0[:, 0] >= 0))


@pytest.mark.parametrize("model", ["homography", "affine"])
@pytest.mark.parametrize("strength", [0.6, 0.95])
def test_another_plane_is_a_rival(model: str, strength: float, rng: np.random.Generator) -> None:
    H = H_TRUE if model == "homography" else np.array([[0.8, 0.1, 10], [0, 0.9, 5], [0, 0, 1]])
    first = flat(rng, 150, H_1_from_0=H)
    other = flat(rng, 600, H_1_from_0=OTHER)
    kept = inside(*other)
    count = round(150 * strength)
    other0, other1 = (xy[kept][:count] for xy in other)
    wrong0, wrong1 = anywhere(rng, 40), anywhere(rng, 40)
    xy0, xy1 = np.vstack([first[0], other0, wrong0]), np.vstack([first[1], other1, wrong1])
    matches = as_matches(xy0, xy1)
    found = fit_matches(model, matches, 2.0, None)
    assert found.inliers[:150].mean() > 0.97
    assert rival(found, matches, found.inliers, 2.0) == pytest.approx(count, abs=5)


def test_random_rest_is_none(rng: np.random.Generator) -> None:
    for xy0, xy1, model in ((*flat(rng, 200, 120), "homography"), (*deep(rng, 200, 120), "fundamental")):
        matches = as_matches(xy0, xy1)
        found = fit_matches(model, matches, 2.0, None)
        assert found
        assert rival(found, matches, found.inliers, 2.0) == 0


def test_no_rest_no_rival(rng: np.random.Generator) -> None:
    matches = as_matches(*flat(rng, 50))
    found = fit_matches("homography", matches, 2.0, None)
    assert found.count == 50
    assert rival(found, matches, found.inliers, 2.0) == 0


def counted(features0: Features, features1: Features, limit: Array, chosen: Array) -> float:
    """The share of look-alikes, by two loops."""
    alike = 0
    for row, most in zip(chosen, limit, strict=True):
        found = False
        for features in (features0, features1):
            for other in range(len(features)):
                away = np.linalg.norm(features.xy[row].astype(float) - features.xy[other])
                apart = np.linalg.norm(features.descriptors[row].astype(float) - features.descriptors[other])
                found |= bool(away > 0.75 * features.size[row] and apart < most)
        alike += found
    return alike / len(chosen)


def test_look_alikes_are_those_of_two_loops(rng: np.random.Generator) -> None:
    xy0, xy1 = flat(rng, 120)
    features0, features1 = two_features(rng, xy0, xy1, off=0.05)
    descriptors = features0.descriptors.copy()
    descriptors[80:110] = descriptors[:30] + rng.normal(0, 0.02, (30, 32))  # one column like another
    near = features0.xy.copy()
    near[110:] = near[40:50] + 1  # at the same place
    descriptors[110:] = descriptors[40:50]
    features0 = replace(features0, descriptors=descriptors.astype(np.float32), xy=near)
    rows = np.arange(80)
    matches = matched(features0, features1, rows)
    everyone = np.ones(80, bool)
    assert matches.distance is not None
    share = repeated(matches, everyone, features0, features1)
    assert share == counted(features0, features1, matches.distance, rows)
    assert share == pytest.approx(30 / 80, abs=0.05)
    odd = rows % 2 == 1
    assert repeated(matches, odd, features0, features1) == counted(
        features0, features1, matches.distance[odd], rows[odd]
    )


def test_what_nobody_knows_is_no_look_alike(rng: np.random.Generator) -> None:
    features = two_features(rng, *flat(rng, 20))
    matches = matched(*features, np.arange(20))
    assert repeated(matches, np.zeros(20, bool), *features) == 0
    assert repeated(replace(matches, distance=None), np.ones(20, bool), *features) == 0


def test_distances_are_those_of_numbers_and_bits(rng: np.random.Generator) -> None:
    xy = anywhere(rng, 30)
    rows = np.array([3, 0, 29], np.int32)
    floats, again = as_features(xy, 5 * unit(rng, 30)), as_features(xy, 5 * unit(rng, 30))
    a, b = floats.descriptors[rows].astype(float), again.descriptors.astype(float)
    straight = np.linalg.norm(a[:, None] - b, axis=2)
    assert descriptor_distances(floats, rows, again) == pytest.approx(straight, rel=1e-4)
    cosine = [replace(features, metric="cosine") for features in (floats, again)]
    wanted = 1 - (a @ b.T) / np.outer(np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1))
    assert descriptor_distances(cosine[0], rows, cosine[1]) == pytest.approx(wanted, abs=1e-5)
    bits = [as_features(xy, rng.integers(0, 256, (30, 8), np.uint8), metric="hamming") for _ in range(2)]
    c, d = bits[0].descriptors[rows], bits[1].descriptors
    flipped = [[sum(int(u ^ v).bit_count() for u, v in zip(p, q, strict=True)) for q in d] for p in c]
    assert descriptor_distances(bits[0], rows, bits[1]).tolist() == flipped


def test_bytes_do_not_overflow(rng: np.random.Generator) -> None:
    xy = anywhere(rng, 2)
    white = as_features(xy, np.array([[255] * 128, [0] * 128], np.uint8))
    far = 255 * np.sqrt(128)
    assert descriptor_distances(white, np.array([0], np.int32), white)[0] == pytest.approx([0, far])
