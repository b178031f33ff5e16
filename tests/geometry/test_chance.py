"""What chance does, against random matches that are counted."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.geometry.known_matches import H_TRUE, SIZE, anywhere, as_matches, deep, flat, turned_along
from tests.geometry.two_views import Array
from tiepoint.geometry.chance import (
    Facts,
    _count_places,
    beyond_chance,
    fewest_beyond_chance,
    log_false_alarms,
    more_than_chance,
    share_by_chance,
    typical_growth,
)
from tiepoint.geometry.choice import fit_matches
from tiepoint.geometry.fit import count_least
from tiepoint.geometry.residuals import sampson


@pytest.mark.parametrize("grown", [0.5, 1.0, 2.0])
def test_the_share_of_a_point_model_is_that_of_random_matches(grown: float, rng: np.random.Generator) -> None:
    # It moves the middle of photo 0 into the middle of photo 1, so that no disk reaches over an edge.
    H = np.array([[grown, 0, 400 - 400 * grown], [0, grown, 300 - 300 * grown], [0, 0, 1]])
    xy0, xy1 = rng.uniform([300, 200], [500, 400], (200_000, 2)), anywhere(rng, 200_000)
    counted = (sampson("homography", H, xy0, xy1) <= 12).mean()
    said = share_by_chance("homography", 12.0, as_matches(xy0[:1], xy1[:1]), grown**2)
    assert said == pytest.approx(counted, rel=0.1)


def test_the_share_of_an_epipolar_model_is_not_below_that_of_random_matches(rng: np.random.Generator) -> None:
    xy0, xy1 = deep(rng, 300)
    matches = as_matches(xy0, xy1)
    fit = fit_matches("fundamental", matches, 2.0, None)
    assert fit.matrix is not None
    counted = (sampson("fundamental", fit.matrix, anywhere(rng, 50_000), anywhere(rng, 50_000)) <= 2).mean()
    said = share_by_chance("fundamental", 2.0, matches, 1.0)
    assert counted < said < 2.5 * counted


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (30, 40)])
def test_a_share_is_at_most_all(size: tuple[int, int]) -> None:
    matches = as_matches(np.zeros((1, 2)), np.zeros((1, 2)), image_size0=size, image_size1=size)
    for model in ("homography", "fundamental"):
        assert share_by_chance(model, 50.0, matches, math.inf) == 1


def counted_alarms(model: str, inliers: int, total: int, chance: float) -> float:
    """The formula of Moisan and Stival, in whole numbers."""
    k = count_least(model)
    return (total - k) * math.comb(total, inliers) * math.comb(inliers, k) * chance ** (inliers - k)


@pytest.mark.parametrize("model", ["homography", "fundamental", "essential", "affine", "similarity"])
def test_false_alarms_are_those_of_the_formula(model: str) -> None:
    for total in (8, 20, 50):
        for inliers in range(count_least(model), total + 1, 3):
            for chance in (1e-4, 0.02, 1.0):
                said = log_false_alarms(model, inliers, total, chance)
                assert said == pytest.approx(
                    math.log10(counted_alarms(model, inliers, total, chance)), abs=1e-9
                )
    assert log_false_alarms(model, 0, count_least(model), 1e-4) == 0
    assert log_false_alarms(model, 0, 0, 1e-4) == 0
    # So many agree on some model in any case.
    assert log_false_alarms(model, 0, 30, 0.1) == log_false_alarms(model, count_least(model), 30, 0.1)


def test_the_more_agree_the_less_it_is_chance() -> None:
    alarms = [log_false_alarms("homography", n, 100, 3e-5) for n in range(4, 60)]
    assert (np.diff(alarms) < 0).all()


@pytest.mark.parametrize("model", ["homography", "fundamental"])
@pytest.mark.parametrize("oriented", [False, True])
def test_random_matches_are_chance(model: str, oriented: bool, rng: np.random.Generator) -> None:
    by_chance = []
    for _ in range(20):
        xy0, xy1 = anywhere(rng, 60), anywhere(rng, 60)
        known = turned_along(rng, xy0, np.eye(3), 60) if oriented else {}
        matches = as_matches(xy0, xy1, **known)
        found = fit_matches(model, matches, 2.0, None)
        if found:
            by_chance.append(beyond_chance(found, matches, 2.0))
    # Less than one in so many is expected.
    assert np.count_nonzero(np.array(by_chance) < 0) <= 1


@pytest.mark.parametrize("model", ["homography", "fundamental"])
def test_many_matches_of_few_places_are_chance(model: str, rng: np.random.Generator) -> None:
    # As without a cross-check: most of photo 0 is matched to a few keypoints of photo 1.
    few = anywhere(rng, 5)
    for _ in range(5):
        xy1 = few[rng.integers(5, size=400)] + rng.normal(0, 1, (400, 2))
        matches = as_matches(anywhere(rng, 400), xy1)
        found = fit_matches(model, matches, 2.0, None)
        assert not found or beyond_chance(found, matches, 2.0) >= 0


def test_keypoints_that_turn_along_are_evidence(rng: np.random.Generator) -> None:
    xy0, xy1 = flat(rng, 60, 40)
    found = fit_matches("homography", as_matches(xy0, xy1), 2.0, None)
    assert found.count >= 18
    alarms = {}
    for wrong in (40, 60):
        matches = as_matches(xy0, xy1, **turned_along(rng, xy0, H_TRUE, wrong))
        alarms[wrong] = beyond_chance(found, matches, 2.0)
    bare = beyond_chance(found, as_matches(xy0, xy1), 2.0)
    assert alarms[40] < bare < alarms[60]


@pytest.mark.parametrize("model", ["homography", "fundamental", "similarity"])
@pytest.mark.parametrize("size", [(1000, 800), (60, 40), (4000, 3000)])
def test_the_fewest_are_those_that_counting_up_finds(model: str, size: tuple[int, int]) -> None:
    photos = as_matches(np.zeros((0, 2)), np.zeros((0, 2)), image_size0=size, image_size1=size)
    rarest = share_by_chance(model, 2.0, photos, 0.0)
    for total in (0, 3, 5, 8, 9, 20, 100, 2000):
        more = (
            k
            for k in range(count_least(model) + 1, total + 1)
            if log_false_alarms(model, k, total, rarest) < k  # a tenth of the random matches turn along
        )
        found = fewest_beyond_chance(model, total, 2.0, photos)
        assert found == next(more, found)
        if found <= total:
            assert log_false_alarms(model, found, total, rarest) < found


@pytest.mark.parametrize("model", ["homography", "fundamental"])
@pytest.mark.parametrize("oriented", [False, True])
def test_of_some_matches_it_is_as_if_there_were_no_others(
    model: str, oriented: bool, rng: np.random.Generator
) -> None:
    told = set()
    for wrong in (120, 138, 144):
        xy0, xy1 = flat(rng, 150, wrong) if model == "homography" else deep(rng, 150, wrong)
        xy0[10:20], xy1[10:20] = xy0[20:30], xy1[20:30]  # copies
        known = turned_along(rng, xy0, H_TRUE, wrong) if oriented else {}
        matches, among = as_matches(xy0, xy1, **known), rng.uniform(size=150) < 0.8
        some = matches[among]
        found = fit_matches(model, some, 2.0, None)
        if not found:
            continue
        of_all = np.zeros(150, bool)
        of_all[among] = found.inliers
        said = more_than_chance(replace(found, inliers=of_all), matches, 2.0, among, Facts(matches))
        assert said == (beyond_chance(found, some, 2.0) < 0)
        told.add(said)
    assert told


def test_growth_is_that_of_an_area(rng: np.random.Generator) -> None:
    xy = anywhere(rng, 101)

    def area(matrix: Array, at: Array) -> float:
        corners = at + np.array([[0, 0], [1e-3, 0], [0, 1e-3]])
        u, v, w = matrix @ np.vstack([corners.T, np.ones(3)])
        a, b, c = np.stack([u / w, v / w], axis=1)
        return abs(float((b - a)[0] * (c - a)[1] - (b - a)[1] * (c - a)[0])) / 1e-6

    for matrix in (H_TRUE, np.diag([3.0, 2, 1]), np.diag([-1.0, 1, 1])):
        assert typical_growth(matrix, xy) == pytest.approx(
            np.median([area(matrix, at) for at in xy]), rel=1e-4
        )
        assert typical_growth(5 * matrix, xy) == pytest.approx(typical_growth(matrix, xy))


def test_a_photo_of_a_pixel_is_chance() -> None:
    xy = np.random.default_rng(0).uniform(0, 0.99, (30, 2))
    matches = as_matches(xy, xy, image_size0=(1, 1), image_size1=(1, 1))
    found = fit_matches("homography", matches, 2.0, None)
    assert not found or beyond_chance(found, matches, 2.0) > 0
    assert share_by_chance("homography", 2.0, as_matches(xy, xy, image_size1=SIZE), 1.0) < 1e-4


@pytest.mark.parametrize("side", [0.5, 2.0, 1e-9])
@pytest.mark.parametrize("m", [0, 1, 300])
def test_places_are_counted_as_in_a_set(m: int, side: float, rng: np.random.Generator) -> None:
    xy = rng.uniform(-0.5, 20, (m, 2)).astype(np.float32)
    xy[: m // 2] = xy[m - m // 2 :]
    squares = {(math.floor(x / max(side, 0.01)), math.floor(y / max(side, 0.01))) for x, y in xy.tolist()}
    assert _count_places(xy, side) == len(squares)
    far = np.array([[1e7, 1e7], [1e7, 0]], np.float32)
    assert _count_places(far, side) == 2


def test_a_wide_limit_leaves_the_places_apart(rng: np.random.Generator) -> None:
    matches = as_matches(*flat(rng, 500))
    found = fit_matches("affine", matches, 40.0, None)
    assert found.count == 500
    assert beyond_chance(found, matches, 40.0) < -100
