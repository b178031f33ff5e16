"""Matches won by looking where a model says, of photos where it is known what there is to win."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import tiepoint as tp
from tests.geometry.known_matches import (
    H_TRUE,
    anywhere,
    as_features,
    deep,
    flat,
    matched,
    turned_along,
    two_features,
    unit,
)
from tests.geometry.two_views import Array
from tiepoint.geometry.choice import fit_matches
from tiepoint.geometry.support import Won, win

NEAR, ON_LINE = 0.9, 0.8


@pytest.mark.parametrize("model", ["homography", "fundamental"])
def test_all_that_was_held_back_is_won(model: str, rng: np.random.Generator) -> None:
    xy0, xy1 = flat(rng, 400) if model == "homography" else deep(rng, 400)
    features = two_features(rng, xy0, xy1)
    rows = np.arange(100)
    matches = matched(*features, rows)
    fit = fit_matches(model, matches, 2.0, None)
    won = win(fit, matches, *features, 2.0, NEAR if model == "homography" else ON_LINE)
    assert won.worth
    assert won.by_chance <= 30
    assert won.matches.pairs is not None
    right = won.matches.pairs[:, 0] == won.matches.pairs[:, 1]
    assert np.count_nonzero(right) >= 285
    assert right.mean() > 0.99
    # None of those that were there before.
    assert won.matches.pairs.min() >= 100
    assert won.matches.distance is not None
    assert set(np.asarray(won.matches.source).tolist()) == {"hand"}


@pytest.mark.parametrize("model", ["homography", "fundamental"])
def test_where_there_is_nothing_to_win_it_is_no_more_than_elsewhere(
    model: str, rng: np.random.Generator
) -> None:
    xy0, xy1 = flat(rng, 60) if model == "homography" else deep(rng, 60)
    others = 3000
    known = two_features(rng, xy0, xy1)
    features = [
        as_features(
            np.vstack([one.xy, anywhere(rng, others)]), np.vstack([one.descriptors, unit(rng, others)])
        )
        for one in known
    ]
    matches = matched(features[0], features[1], np.arange(60))
    fit = fit_matches(model, matches, 2.0, None)
    won = win(fit, matches, features[0], features[1], 2.0, NEAR if model == "homography" else 0.95)
    assert len(won.matches) > 30
    assert won.by_chance == pytest.approx(len(won.matches), rel=0.3)
    assert not won.worth


def test_what_a_wrong_match_held_can_be_won(rng: np.random.Generator) -> None:
    xy0, xy1 = flat(rng, 100)
    features = two_features(rng, xy0, xy1)
    crossed = np.stack([np.arange(100), np.r_[np.arange(80), 99 - np.arange(20)]], axis=1).astype(np.int32)
    matches = tp.Matches.between(*features, crossed, source="hand")
    fit = fit_matches("homography", matches, 2.0, None)
    assert fit.inliers[:80].all()
    won = win(fit, matches, *features, 2.0, NEAR)
    assert won.matches.pairs is not None
    assert won.matches.pairs.tolist() == [[k, k] for k in range(80, 100)]


def test_keypoints_on_the_line_have_to_turn_along(rng: np.random.Generator) -> None:
    xy0, xy1 = deep(rng, 300)
    known = turned_along(rng, xy0, np.eye(3))
    known["angle1"][200:] = (known["angle1"][200:] + 120) % 360
    known["size1"][250:] *= 4
    features = two_features(rng, xy0, xy1, **known)
    matches = matched(*features, np.arange(100))
    fit = fit_matches("fundamental", matches, 2.0, None)
    won = win(fit, matches, *features, 2.0, ON_LINE)
    assert won.matches.pairs is not None
    rows = won.matches.pairs[:, 0]
    assert np.count_nonzero(rows < 200) >= 95
    assert not (rows >= 200).any()


@pytest.mark.parametrize("empty", [0, 1])
def test_photos_without_features_win_nothing(empty: int, rng: np.random.Generator) -> None:
    xy0, xy1 = flat(rng, 30)
    features = list(two_features(rng, xy0, xy1))
    matches = matched(features[0], features[1], np.arange(30))
    fit = fit_matches("homography", matches, 2.0, None)
    features[empty] = features[empty][:0]
    won = win(fit, matches, features[0], features[1], 2.0, NEAR)
    assert (len(won.matches), won.by_chance, won.worth) == (0, 0, False)


def matches_of(count: int, rng: np.random.Generator) -> Won:
    features = two_features(rng, *flat(rng, 20))
    return Won(matched(*features, np.arange(count)), 3.0)


@pytest.mark.parametrize(("count", "worth"), [(9, False), (10, True)])
def test_worth_is_twice_chance_and_some(count: int, worth: bool, rng: np.random.Generator) -> None:
    assert matches_of(count, rng).worth is worth


def test_distances_of_bits(rng: np.random.Generator) -> None:
    xy0, xy1 = flat(rng, 200, H_1_from_0=H_TRUE)
    bits: Array = rng.integers(0, 256, (200, 32), np.uint8)
    again = bits ^ (1 << rng.integers(0, 8, (200, 32))).astype(np.uint8) * (rng.random((200, 32)) < 0.2)
    features = tuple(
        replace(one, descriptors=rows.astype(np.uint8), metric="hamming")
        for one, rows in zip(two_features(rng, xy0, xy1), (bits, again), strict=True)
    )
    matches = matched(features[0], features[1], np.arange(50))
    fit = fit_matches("homography", matches, 2.0, None)
    won = win(fit, matches, features[0], features[1], 2.0, NEAR)
    assert won.matches.pairs is not None
    assert len(won.matches) >= 145
    assert won.matches.distance is not None
    i, j = won.matches.pairs.T
    flipped = [
        sum(int(u ^ v).bit_count() for u, v in zip(a, b, strict=True))
        for a, b in zip(bits[i], again[j], strict=True)
    ]
    assert won.matches.distance.tolist() == flipped
