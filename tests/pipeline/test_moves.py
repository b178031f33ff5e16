"""Photos mirrored, turned, cropped and made small, against the truth of the rendered scene."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import tiepoint as tp
import tiepoint.evaluation
import tiepoint.geometry
import tiepoint.geometry.cameras
import tiepoint.verdict
from tests.geometry.known_matches import H_TRUE, as_matches, deep, flat
from tests.geometry.two_views import Array, there, warp
from tiepoint.evaluation import RenderedPair
from tiepoint.extractors import get_extractor
from tiepoint.geometry.residuals import sampson
from tiepoint.matchers import get_matcher
from tiepoint.pipeline.moves import MIRRORED, NOTE, TURNS, Move, carried_back
from tiepoint.pipeline.stages import Attempt, Stages, Verification
from tiepoint.verdict import Family

# By the number of inliers alone, so that no new fit of the coefficients moves these tests.
PLAIN = Family(name="plain", sources=("rootsift",), intercept=-12, weights={"inliers": 3.0}, yes=0.9, no=0.1)


@pytest.fixture(autouse=True)
def _plain_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiepoint.verdict, "families", lambda: (PLAIN,))


def reached(scene: RenderedPair, geometry: tp.Geometry, back: Array) -> Array:
    """Which inliers the scene confirms, once positions in photo 1 are taken back to its own photo 1."""
    xy0, xy1 = geometry.matches.xy0[geometry.inliers], geometry.matches.xy1[geometry.inliers]
    return scene.correct(xy0, warp(back, xy1.astype(float)))


def blots(rng: np.random.Generator) -> Array:
    """A photo of blots of many sizes, 400 x 300, that looks like its mirror image nowhere."""
    total = np.zeros((300, 400))
    for block in (5, 10, 25, 50):
        coarse = rng.normal(size=(300 // block, 400 // block)).repeat(block, axis=0).repeat(block, axis=1)
        for axis in (0, 1):
            coarse = np.mean([np.roll(coarse, k, axis) for k in range(-block // 2, block // 2 + 1)], axis=0)
        total += coarse
    return np.clip(128 + 60 * total, 0, 255).astype(np.uint8)


def test_a_mirrored_photo_is_found_and_told(rng: np.random.Generator) -> None:
    # Not the rendered building: it looks like its own mirror image.
    photo1 = blots(rng)
    H_1_from_0 = np.array([[0.9, -0.15, 40], [0.12, 0.85, 10], [1e-4, -5e-5, 1]])
    photo0 = tiepoint.geometry.warp(photo1, H_1_from_0, (400, 300))[0]
    result = tp.match(photo0, np.ascontiguousarray(photo1[:, ::-1]), extractor="rootsift")
    found = result.geometry
    assert found is not None
    assert result.verdict is not None
    assert result.verdict.answer == "yes"
    assert found.mirrored
    assert NOTE in found.notes
    # All in the coordinates of the photo as it was given.
    assert np.array_equal(np.asarray(result.image1), photo1[:, ::-1])
    flipped = np.array([[-1.0, 0, 399], [0, 1, 0], [0, 0, 1]]) @ H_1_from_0
    inside = np.array([[50.0, 50], [350, 60], [340, 250], [60, 240]])
    assert np.abs(warp(there(found.matrix), inside) - warp(flipped, inside)).max() < 1
    for matches, least in ((result.matches, 0.9), (found.matches[found.inliers], 0.99)):
        off = np.linalg.norm(warp(flipped, matches.xy0.astype(float)) - matches.xy1, axis=1)
        assert np.mean(off < 3) > least
    assert result.features1 is not None
    pairs = there(result.matches.pairs)
    assert np.array_equal(result.features1.xy[pairs[:, 1]], result.matches.xy1)
    assert np.array_equal(there(result.features1.angle)[pairs[:, 1]], there(result.matches.angle1))


def test_a_photo_as_it_is_is_not_called_mirrored(scene: RenderedPair) -> None:
    result = tp.match(scene.image0, scene.image1, extractor="rootsift")
    assert result.geometry is not None
    assert not result.geometry.mirrored
    assert result.geometry.notes == ()
    assert reached(scene, result.geometry, np.eye(3)).mean() > 0.9


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_photo_is_matched(turns: int, scene: RenderedPair) -> None:
    turned = np.ascontiguousarray(np.rot90(np.asarray(scene.image1), turns))
    result = tp.match(scene.image0, turned, extractor="rootsift")
    back = {1: [[0, -1, 399], [1, 0, 0]], 2: [[-1, 0, 399], [0, -1, 299]], 3: [[0, 1, 0], [-1, 0, 299]]}[
        turns
    ]
    assert result.geometry is not None
    assert result.geometry.count > 30
    assert not result.geometry.mirrored
    assert reached(scene, result.geometry, np.array([*back, [0, 0, 1]], float)).mean() > 0.9


@pytest.mark.parametrize("factor", [2, 6])
def test_a_part_is_found_or_refused_with_a_reason(factor: int) -> None:
    scene = tiepoint.evaluation.render_demo(width=800, height=600)
    width, height = 800 // factor, 600 // factor
    left, top = (800 - width) // 2, 300
    part = np.ascontiguousarray(np.asarray(scene.image1)[top : top + height, left : left + width])
    enlarged = part.repeat(factor, axis=0).repeat(factor, axis=1)
    result = tp.match(scene.image0, enlarged, extractor="rootsift")
    assert result.geometry is not None
    if not result.geometry:
        assert factor == 6
        assert result.geometry.reason
        return
    # Centres of pixels, enlarged, lie half a pixel of the part off those of whole blocks.
    off = (1 - factor) / 2
    back = np.array([[1 / factor, 0, left + off / factor], [0, 1 / factor, top + off / factor], [0, 0, 1]])
    assert reached(scene, result.geometry, back).mean() > 0.7


def test_a_thumbnail_is_found_or_refused_with_a_reason() -> None:
    scene = tiepoint.evaluation.render_demo(width=800, height=600)
    pixels = np.asarray(scene.image1).astype(float)
    thumb = pixels.reshape(75, 8, 100, 8, 3).mean(axis=(1, 3)).round().astype(np.uint8)
    result = tp.match(scene.image0, thumb, extractor="rootsift")
    assert result.geometry is not None
    if not result.geometry:
        assert result.geometry.reason
        return
    xy0, xy1 = result.geometry.matches.xy0, result.geometry.matches.xy1
    inliers = result.geometry.inliers
    true, visible = scene.transfer(xy0[inliers])
    off = np.linalg.norm((true - 3.5) / 8 - xy1[inliers], axis=1)
    assert np.mean(visible & (off < 2)) > 0.7  # pixels of the thumbnail


def result_of(matches: tp.Matches, geometry: tp.Geometry) -> tp.MatchResult:
    blank = tp.Image(pixels=np.zeros((600, 800), np.uint8))
    return tp.MatchResult(image0=blank, image1=blank, candidates=matches, matches=matches, geometry=geometry)


@pytest.mark.parametrize("move", TURNS, ids=lambda move: f"{90 * move.quarters} degrees")
@pytest.mark.parametrize("model", ["homography", "essential"])
def test_a_turned_photo_is_carried_back_exactly(model: str, move: Move, rng: np.random.Generator) -> None:
    xy0, xy1 = flat(rng, 100, 30) if model == "homography" else deep(rng, 100, 30)
    angles = rng.uniform(0, 360, 100).astype(np.float32)
    matches = as_matches(xy0, xy1, angle0=angles, angle1=angles)
    photo = tp.Image(pixels=np.zeros((600, 800), np.uint8))
    # As if these were of the turned photo: where they are in the photo is found by hand.
    turned = move.of(tp.Image(pixels=np.arange(600 * 800, dtype=np.uint16).reshape(600, 800)))
    assert turned.size == ((800, 600) if move.quarters == 2 else (600, 800))
    corners = np.array([[0, 0], [turned.width - 1, 0], [turned.width - 1, turned.height - 1]])
    values = turned.pixels[corners[:, 1], corners[:, 0]].astype(int) % 65536
    there_x, there_y = warp(move.back((800, 600)), corners.astype(float)).T.round().astype(int)
    assert np.array_equal((there_y * 800 + there_x) % 65536, values)
    inside = (matches.xy1 < np.array(turned.size) - 1).all(axis=1)
    matches = replace(matches[inside], image_size1=turned.size)
    geometry = tp.verify(matches, model=model)
    moved = tp.MatchResult(
        image0=photo, image1=move.of(photo), candidates=matches, matches=matches, geometry=geometry
    )
    back = carried_back(moved, photo, move).geometry
    assert back is not None
    assert back.matches.xy1 == pytest.approx(warp(move.back((800, 600)), matches.xy1.astype(float)), abs=1e-3)
    again = sampson(model, there(back.matrix), back.matches.xy0.astype(float), back.matches.xy1.astype(float))
    assert np.abs(again - there(back.residuals))[back.inliers].max() < 1e-2
    assert not back.mirrored
    # A direction turns as the photo does.
    along = np.stack([np.cos(np.radians(there(matches.angle1))), np.sin(np.radians(there(matches.angle1)))])
    seen = move.back((800, 600))[:2, :2] @ along
    assert np.cos(np.radians(there(back.matches.angle1))) == pytest.approx(seen[0], abs=1e-4)
    if model == "essential":
        camera = [tiepoint.geometry.cameras.assumed_camera((800, 600)) for _ in range(2)]
        t = there(back.t)
        across = np.array([[0, -t[2], t[1]], [t[2], 0, -t[0]], [-t[1], t[0], 0]])
        matrix = np.linalg.inv(camera[1]).T @ across @ there(back.R) @ np.linalg.inv(camera[0])
        matrix /= np.linalg.norm(matrix) * np.sign((matrix * there(back.matrix)).sum())
        assert matrix == pytest.approx(there(back.matrix), abs=1e-6)


@pytest.mark.parametrize("model", ["homography", "fundamental", "essential", "affine"])
def test_a_geometry_is_carried_back_exactly(model: str, rng: np.random.Generator) -> None:
    affine = np.vstack([H_TRUE[:2], [0, 0, 1]]) * [[0.8], [0.8], [1]]
    planar = {"homography": H_TRUE, "affine": affine}
    xy0, xy1 = flat(rng, 100, 30, H_1_from_0=planar[model]) if model in planar else deep(rng, 100, 30)
    angles = rng.uniform(0, 360, 100).astype(np.float32)
    matches = as_matches(xy0, xy1, angle0=angles, angle1=angles)
    geometry = tp.verify(matches, model=model)
    blank = tp.Image(pixels=np.zeros((600, 800), np.uint8))
    back = carried_back(result_of(matches, geometry), blank, MIRRORED).geometry
    assert back is not None
    assert back.mirrored
    assert back.matches.xy1[:, 0] == pytest.approx(799 - matches.xy1[:, 0], abs=1e-3)
    assert np.array_equal(back.matches.xy0, matches.xy0)
    moved0, moved1 = back.matches.xy0.astype(float), back.matches.xy1.astype(float)
    again = sampson(model, there(back.matrix), moved0, moved1)
    assert np.abs(again - there(back.residuals))[back.inliers].max() < 1e-2
    # Scaled as a Geometry's matrix is.
    one = there(back.matrix)[2, 2] if model in planar else np.linalg.norm(there(back.matrix))
    assert one == pytest.approx(1)
    assert back.R is None
    # A direction to the right is one to the left.
    turned = np.radians(there(back.matches.angle1)), np.radians(angles)
    assert np.cos(turned[0]) == pytest.approx(-np.cos(turned[1]), abs=1e-4)
    assert np.sin(turned[0]) == pytest.approx(np.sin(turned[1]), abs=1e-4)


def test_twice_mirrored_is_as_it_was(rng: np.random.Generator) -> None:
    matches = as_matches(*flat(rng, 100, 30))
    geometry = tp.verify(matches)
    blank = tp.Image(pixels=np.zeros((600, 800), np.uint8))
    once = carried_back(result_of(matches, geometry), blank, MIRRORED)
    twice = carried_back(once, blank, MIRRORED).geometry
    assert twice is not None
    assert there(twice.matrix) == pytest.approx(there(geometry.matrix))
    assert twice.matches.xy1 == pytest.approx(matches.xy1, abs=1e-3)
    assert not twice.mirrored
    assert twice.notes == geometry.notes


def test_nothing_found_is_carried_back_too(rng: np.random.Generator) -> None:
    matches = as_matches(*flat(rng, 3))
    blank = tp.Image(pixels=np.zeros((600, 800), np.uint8))
    bare = carried_back(replace(result_of(matches, tp.verify(matches))), blank, MIRRORED)
    assert bare.geometry is not None
    assert not bare.geometry.mirrored
    assert bare.geometry.reason
    assert carried_back(replace(bare, geometry=None), blank, MIRRORED).geometry is None


def test_a_mirror_image_is_that_of_numpy(scene: RenderedPair) -> None:
    mirror = MIRRORED.of(scene.image1)
    assert np.array_equal(np.asarray(mirror), np.fliplr(np.asarray(scene.image1)))
    assert np.array_equal(np.asarray(MIRRORED.of(mirror)), np.asarray(scene.image1))


def test_the_mirror_image_counts_if_more_matches_agree_on_it(
    scene: RenderedPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = tp.match(scene.image0, scene.image1, extractor="rootsift")
    assert many.geometry is not None
    assert many.verdict is not None

    def thinned(step: int) -> tp.MatchResult:
        assert many.geometry is not None
        inliers = many.geometry.inliers & (np.arange(len(many.geometry.matches)) % step == 0)
        return replace(many, geometry=replace(many.geometry, inliers=inliers))

    half, few = thinned(2), thinned(6)
    attempt = Attempt(get_extractor("rootsift"), get_matcher("nearest"))
    stages = Stages.read(scene.image0, scene.image1, Verification())

    def chosen(upright: tp.MatchResult, mirrored: tp.MatchResult) -> tp.MatchResult:
        tried = {None: upright, MIRRORED: mirrored}
        monkeypatch.setattr(Stages, "tried", lambda _self, _attempt, move=None: tried[move])
        return stages.tried_all_ways(attempt)

    def unsure(result: tp.MatchResult) -> tp.MatchResult:
        assert result.verdict is not None
        return replace(result, verdict=replace(result.verdict, answer="unsure"))

    # Only four times as many say that it is mirrored, whether the photo as it is has a yes or not.
    for upright in (few, unsure(few)):
        assert chosen(upright, many) is many
        assert chosen(upright, unsure(many)) is upright
    for upright in (half, unsure(half)):
        assert chosen(upright, many) is upright
    assert chosen(many, many) is many
