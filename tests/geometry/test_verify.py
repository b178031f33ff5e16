"""tp.verify on matches whose geometry is known, and on matches that have none."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

import tiepoint as tp
from tests.geometry.known_matches import (
    CAMERA,
    H_TRUE,
    R_TRUE,
    SIZE,
    T_TRUE,
    anywhere,
    as_features,
    as_matches,
    deep,
    flat,
    matched,
    turned_along,
    two_features,
    unit,
)
from tests.geometry.two_views import Array, degrees_between, there, warp
from tiepoint.geometry.verify import default_max_error
from tiepoint.types import MODELS

CORNERS = np.array([[0, 0], [799, 0], [799, 599], [0, 599.0]])
AFFINE = np.array([[0.8, 0.15, 40], [-0.1, 0.7, 110], [0, 0, 1]])
TURN = 0.7 * np.array([[0.96, -0.28], [0.28, 0.96]])
SIMILAR = np.array([[*TURN[0], 150], [*TURN[1], 20], [0, 0, 1]])
NONE = np.empty((0, 2))


@pytest.mark.parametrize(
    ("model", "H_1_from_0"), [("homography", H_TRUE), ("affine", AFFINE), ("similarity", SIMILAR)]
)
@pytest.mark.parametrize("wrong", [0, 150, 210])
def test_a_known_plane(model: str, H_1_from_0: Array, wrong: int, rng: np.random.Generator) -> None:
    matches = as_matches(*flat(rng, 300, wrong, H_1_from_0=H_1_from_0))
    geometry = tp.verify(matches, model=model)
    assert (geometry.model, geometry.configuration, geometry.reason) == (model, None, None)
    assert geometry.planar
    assert np.abs(warp(there(geometry.matrix), CORNERS) - warp(H_1_from_0, CORNERS)).max() < 1.5
    assert geometry.inliers[wrong:].all()
    assert geometry.inliers[:wrong].mean() < 0.05 if wrong else True
    residuals = there(geometry.residuals)
    assert np.array_equal(residuals <= 2, geometry.inliers)
    assert np.median(residuals[wrong:]) < 0.4


def test_a_known_pose(rng: np.random.Generator) -> None:
    matches = as_matches(*deep(rng, 300, 100))
    for model in ("essential", "auto"):
        geometry = tp.verify(matches, model=model, camera0=CAMERA, camera1=CAMERA)
        assert geometry.model == "essential"
        assert geometry.configuration == ("general" if model == "auto" else None)
        turn = np.trace(there(geometry.R) @ R_TRUE.T)
        assert np.degrees(np.arccos(min(1, (turn - 1) / 2))) < 0.3
        assert degrees_between(there(geometry.t), T_TRUE) < 1.5
        assert np.linalg.norm(there(geometry.t)) == pytest.approx(1)
        assert geometry.notes == ()
        xy0, xy1 = (np.column_stack([xy[100:], np.ones(200)]) for xy in (matches.xy0, matches.xy1))
        assert np.linalg.norm(there(geometry.matrix)) == pytest.approx(1)
        cross = np.cross(there(geometry.t), there(geometry.R), axisb=0, axisc=0)
        F = np.linalg.inv(CAMERA).T @ cross @ np.linalg.inv(CAMERA)
        assert np.abs(np.abs(np.sum(F * geometry.matrix)) / np.linalg.norm(F)) == pytest.approx(1)
        assert np.median(np.abs(np.sum(xy1 @ there(geometry.matrix) * xy0, axis=1))) < 1


def test_cameras_that_nobody_gave_are_assumed_and_told(rng: np.random.Generator) -> None:
    matches = as_matches(*deep(rng, 200, 50))
    both = tp.verify(matches, model="essential")
    assert both.notes == tuple(
        f"the camera of photo {k} is not known: a focal length of 960 pixels is assumed" for k in (0, 1)
    )
    assert both.R is not None
    assert len(tp.verify(matches, model="essential", camera0=CAMERA).notes) == 1
    assert tp.verify(matches).notes == ()


def test_auto_says_what_kind_of_view(rng: np.random.Generator) -> None:
    views = {
        "planar": flat(rng, 150, 50),
        "panoramic": deep(rng, 150, 50, t=np.zeros(3)),
        "general": deep(rng, 150, 50),
    }
    for kind, (xy0, xy1) in views.items():
        matches = as_matches(xy0, xy1)
        bare, known = tp.verify(matches), tp.verify(matches, camera0=CAMERA, camera1=CAMERA)
        assert known.configuration == kind
        assert bare.configuration == ("general" if kind == "general" else "planar or panoramic")
        assert bare.log_false_alarms is not None
        assert bare.log_false_alarms < -50
        assert not bare.mirrored


def test_random_matches_have_none(rng: np.random.Generator) -> None:
    for m in (8, 60, 400):
        geometry = tp.verify(as_matches(anywhere(rng, m), anywhere(rng, m)))
        assert not geometry
        assert "no more than chance would give" in str(geometry.reason)
        assert geometry.log_false_alarms is not None
        assert geometry.log_false_alarms > 0


@pytest.mark.parametrize("size0", [(100, 100), (6000, 4000)])
@pytest.mark.parametrize("model", ["auto", "homography", "fundamental"])
def test_a_thumbnail_matches_not_just_anything(
    model: str, size0: tuple[int, int], rng: np.random.Generator
) -> None:
    size1 = (6100 - size0[0], 4100 - size0[1])
    for _ in range(10):
        xy0, xy1 = anywhere(rng, 100, size0), anywhere(rng, 100, size1)
        assert not tp.verify(as_matches(xy0, xy1, image_size0=size0, image_size1=size1), model=model)


def test_a_thumbnail_matches_its_photo(rng: np.random.Generator) -> None:
    xy0 = anywhere(rng, 80, (100, 100))
    xy1 = 40 * xy0 + [1000, 10] + rng.normal(0, 10, xy0.shape)
    xy1[:30] = anywhere(rng, 30, (6000, 4000))
    geometry = tp.verify(as_matches(xy0, xy1, image_size0=(100, 100), image_size1=(6000, 4000)))
    assert geometry.model == "homography"
    assert np.abs(warp(there(geometry.matrix), np.array([[50.0, 50]])) - [3000, 2010]).max() < 40


def test_a_mirrored_plane(rng: np.random.Generator) -> None:
    mirror = np.array([[-1.0, 0, 799], [0, 1, 0], [0, 0, 1]])
    geometry = tp.verify(as_matches(*flat(rng, 200, 40, H_1_from_0=mirror @ H_TRUE)))
    assert geometry.mirrored
    assert geometry.notes == ("one photo shows the other's mirror image",)
    assert geometry.count >= 159


STAMP = np.array([[x, y] for x in (20, 45, 70, 95) for y in (560, 575, 590)], float)


def test_nothing_but_a_watermark(rng: np.random.Generator) -> None:
    wrong = 30
    matches = as_matches(
        np.vstack([STAMP, anywhere(rng, wrong)]), np.vstack([STAMP + 0.3, anywhere(rng, wrong)])
    )
    geometry = tp.verify(matches)
    assert not geometry
    assert geometry.configuration == "watermark"
    assert str(geometry.reason).startswith("only a watermark matches: ")
    assert geometry.notes[0].startswith("12 matches at the border stand still")
    # Who names the model gets what he asked for.
    assert tp.verify(matches, model="homography").inliers[:12].all()


def test_a_watermark_over_a_scene_is_left_out(rng: np.random.Generator) -> None:
    xy0, xy1 = flat(rng, 100, 30)
    matches = as_matches(np.vstack([STAMP, xy0]), np.vstack([STAMP, xy1]))
    geometry = tp.verify(matches)
    assert geometry.configuration == "planar or panoramic"
    assert np.array_equal(geometry.matches.xy0, matches.xy0[12:])
    assert geometry.count >= 69
    assert "12 matches at the border" in geometry.notes[0]


def test_guided_matching_wins_the_rest(rng: np.random.Generator) -> None:
    for make, model in ((flat, "homography"), (deep, "fundamental")):
        features = two_features(rng, *make(rng, 400))
        matches = matched(*features, np.arange(80))
        geometry = tp.verify(matches, features0=features[0], features1=features[1])
        assert geometry.model == model
        assert geometry.guided == geometry.predicted
        assert geometry.guided >= 300
        assert geometry.guided_by_chance is not None
        assert geometry.guided_by_chance < 40
        assert len(geometry.matches) == 80 + geometry.guided
        pairs = there(geometry.matches.pairs)
        assert pairs[:80].tolist() == there(matches.pairs).tolist()
        assert (pairs[geometry.inliers, 0] == pairs[geometry.inliers, 1]).mean() > 0.99
        assert geometry.repeated == 0
        assert there(geometry.matches.distance)[:80].tolist() == there(matches.distance).tolist()


def test_a_plane_in_doubt_is_proven_by_what_it_predicts(rng: np.random.Generator) -> None:
    # Six right matches of sixty say nothing by themselves; two hundred more lie where they say.
    xy0, xy1 = flat(rng, 300)
    features0, features1 = two_features(rng, xy0, xy1, **turned_along(rng, xy0, H_TRUE))
    right, wrong = np.arange(6), np.arange(200, 254)
    pairs = np.stack([np.r_[right, wrong], np.r_[right, np.roll(wrong, 5)]], axis=1).astype(np.int32)
    distance = np.linalg.norm(features0.descriptors[pairs[:, 0]] - features1.descriptors[pairs[:, 1]], axis=1)
    matches = tp.Matches.between(features0, features1, pairs, distance=distance, source="hand")
    assert not tp.verify(matches)
    geometry = tp.verify(matches, features0=features0, features1=features1)
    assert (geometry.model, geometry.configuration) == ("homography", "planar or panoramic")
    assert geometry.count > 200


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_of_a_camera_that_only_turned_there_is_no_pose(noise: float, rng: np.random.Generator) -> None:
    matches = as_matches(*deep(rng, 200, t=np.zeros(3), noise=noise))
    geometry = tp.verify(matches, model="essential", camera0=CAMERA, camera1=CAMERA)
    assert geometry.reason == "turning alone explains the matches, so the direction of movement is open"


def test_with_one_camera_auto_says_that_it_is_not_used(rng: np.random.Generator) -> None:
    geometry = tp.verify(as_matches(*deep(rng, 100)), camera0=CAMERA)
    assert geometry.model == "fundamental"
    assert geometry.notes == ("of the two cameras one is known: it is not used",)


def test_of_a_learned_matcher_nothing_is_left_to_be_found(rng: np.random.Generator) -> None:
    xy0, xy1 = flat(rng, 200)
    features0, features1 = two_features(rng, xy0, xy1)
    matches = replace(matched(features0, features1, np.arange(60)), score=np.full(60, 0.9, np.float32))
    geometry = tp.verify(matches, features0=features0, features1=features1)
    assert (geometry.guided, geometry.predicted, len(geometry.matches)) == (0, None, 60)
    assert geometry.matches.score is not None


def test_what_chance_wins_is_not_kept(rng: np.random.Generator) -> None:
    known = two_features(rng, *flat(rng, 60))
    features = [
        as_features(np.vstack([one.xy, anywhere(rng, 3000)]), np.vstack([one.descriptors, unit(rng, 3000)]))
        for one in known
    ]
    matches = matched(features[0], features[1], np.arange(60))
    geometry = tp.verify(matches, features0=features[0], features1=features[1])
    assert (geometry.guided, len(geometry.matches)) == (0, 60)
    assert geometry.predicted is not None
    assert geometry.predicted > 30
    assert geometry.guided_by_chance == pytest.approx(geometry.predicted, rel=0.3)


def test_evidence_for_and_against(rng: np.random.Generator) -> None:
    other = np.array([[1.0, -0.1, 90], [0.1, 1.0, -20], [0, 0, 1]])
    xy0, xy1 = flat(rng, 100)
    more0, more1 = flat(rng, 300, H_1_from_0=other)
    inside = ((more1 > 0) & (more1 < [799, 599])).all(axis=1)
    more0, more1 = more0[inside][:80], more1[inside][:80]
    all0, all1 = np.vstack([xy0, more0]), np.vstack([xy1, more1])
    known = turned_along(rng, all0, H_TRUE)
    known["angle1"][:20] = (known["angle1"][:20] + 90) % 360
    geometry = tp.verify(as_matches(all0, all1, **known), model="homography")
    assert geometry.inliers[:100].mean() > 0.98
    assert geometry.rival == pytest.approx(80, abs=3)
    assert geometry.agreement == pytest.approx(0.8, abs=0.03)
    area0, area1 = geometry.coverage
    assert 0.7 < area0 < 1
    assert area1 == pytest.approx(area0 * 0.61, abs=0.06)  # det(H) / w ** 3 over the photo


def test_the_same_input_gives_the_same_bits(rng: np.random.Generator) -> None:
    features = two_features(rng, *deep(rng, 1500, 500))
    matches = matched(*features, np.arange(0, 1500))
    first, again = (tp.verify(matches, features0=features[0], features1=features[1]) for _ in range(2))
    for one in fields(first):
        a, b = getattr(first, one.name), getattr(again, one.name)
        if isinstance(a, np.ndarray):
            assert a.tobytes() == b.tobytes(), one.name
        elif one.name != "matches":
            assert a == b, one.name
    assert first.matches.xy1.tobytes() == again.matches.xy1.tobytes()


def test_what_the_matches_do_not_know_is_none(rng: np.random.Generator) -> None:
    xy0, xy1 = flat(rng, 60)
    bare = tp.verify(as_matches(xy0, xy1))
    assert (bare.predicted, bare.guided_by_chance, bare.repeated, bare.agreement) == (None,) * 4
    features = two_features(rng, xy0, xy1)
    # Features are of no use to matches that do not point into them.
    assert tp.verify(as_matches(xy0, xy1), features0=features[0], features1=features[1]).predicted is None
    matches = replace(matched(*features, np.arange(50)), distance=None)
    geometry = tp.verify(matches, features0=features[0], features1=features[1])
    assert geometry
    assert geometry.predicted is not None
    assert geometry.repeated is None
    assert geometry.matches.distance is None


@pytest.mark.parametrize("model", ["auto", *MODELS])
@pytest.mark.parametrize("m", range(7))
def test_a_handful_of_matches(model: str, m: int, rng: np.random.Generator) -> None:
    geometry = tp.verify(as_matches(*flat(rng, m, H_1_from_0=SIMILAR)), model=model)
    least = {"homography": 4, "fundamental": 7, "essential": 5, "affine": 3, "similarity": 2, "auto": 5}[
        model
    ]
    if m < least:
        assert not geometry
    assert bool(geometry) != bool(geometry.reason)
    assert len(geometry.inliers) == len(geometry.matches) == m


@pytest.mark.parametrize("model", ["auto", *MODELS])
def test_degenerate_matches_determine_nothing(model: str, rng: np.random.Generator) -> None:
    along = np.outer(np.linspace(0, 1, 40), [700, 500])
    for xy0, xy1 in (
        (np.full((40, 2), 5.0), np.full((40, 2), 9.0)),
        (np.full((40, 2), 5.0), anywhere(rng, 40)),
        (anywhere(rng, 40), np.full((40, 2), 5.0)),
        (NONE, NONE),
        *([] if model == "similarity" else [(along, along), (along, anywhere(rng, 40))]),
    ):
        geometry = tp.verify(as_matches(xy0, xy1), model=model)
        assert not geometry
        assert geometry.reason


def test_copies_are_no_more_than_what_they_copy(rng: np.random.Generator) -> None:
    # Two orientations at a place are two keypoints, and at most one piece of evidence.
    xy0, xy1 = flat(rng, 12)
    once, copied = (tp.verify(as_matches(*(np.repeat(xy, n, axis=0) for xy in (xy0, xy1)))) for n in (1, 20))
    assert once.log_false_alarms is not None
    assert copied.log_false_alarms == pytest.approx(once.log_false_alarms, rel=0.05)
    for m in (4, 5, 6):
        copies = (np.repeat(xy, 30, axis=0) for xy in (anywhere(rng, m), anywhere(rng, m)))
        assert not tp.verify(as_matches(*copies))


@pytest.mark.parametrize("model", ["auto", *MODELS])
def test_a_photo_of_one_pixel(model: str, rng: np.random.Generator) -> None:
    tiny: dict[str, Any] = {"image_size0": (1, 1), "image_size1": (1, 1)}
    assert not tp.verify(as_matches(np.zeros((9, 2)), np.zeros((9, 2)), **tiny), model=model)
    xy = rng.uniform(-0.5, 0.5, (20, 2))
    assert not tp.verify(as_matches(xy, xy, **tiny), model=model)


@pytest.mark.parametrize(("size0", "size1", "limit"), [
    (SIZE, SIZE, 2), ((1, 1), (1, 1), 2), ((3000, 4000), (10, 10), 2), ((3000, 4000), (6000, 8000), 5),
])  # fmt: skip
def test_the_limit_grows_with_the_photos(
    size0: tuple[int, int], size1: tuple[int, int], limit: float
) -> None:
    matches = as_matches(NONE, NONE, image_size0=size0, image_size1=size1)
    assert default_max_error(matches) == limit
    assert tp.verify(matches).max_error == limit
