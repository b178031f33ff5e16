"""Sliders: the counts on the page are those of `candidates.where`, and the line of Python gives them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tiepoint
from tests.browser.conftest import Open, Opened
from tiepoint.evaluation import RenderedPair
from tiepoint.matchers import NearestNeighbour
from tiepoint.plotting.pages.view import keypoints_page, matches_page
from tiepoint.types import Matches, MatchResult


@pytest.fixture(scope="module", params=["rootsift", "orb"])
def result(request: pytest.FixtureRequest, scene: RenderedPair) -> MatchResult:
    return tiepoint.match(scene.image0, scene.image1, extractor=request.param)


def mutual_of(result: MatchResult) -> Matches:
    assert result.features0 is not None
    assert result.features1 is not None
    return tiepoint.match_features(result.features0, result.features1)


def check(page: Opened, chosen: Matches) -> None:
    assert page.count("strongest") == len(chosen)
    rows = page.js("() => Array.from(selection.passed).filter((i) => !ROWS.guided[i] || i < ROWS.candidates)")
    xy = page.js("(rows) => rows.map((i) => [ROWS.xy[0][2 * i], ROWS.xy[0][2 * i + 1]])", rows[: len(chosen)])
    assert sorted(map(tuple, xy)) == sorted(map(tuple, chosen.xy0.tolist()))


def test_at_first_the_page_shows_the_matches_of_the_result(opened: Open, result: MatchResult) -> None:
    page = opened(matches_page(result))
    funnel = dict(result.matches.funnel)
    assert page.count("mutual") == funnel["mutual"]
    assert page.count("ratio") == funnel["ratio"] == len(result.matches)
    geometry = result.geometry
    assert geometry is not None
    assert page.count("passed") == len(geometry.matches)
    assert page.count("agree") == geometry.count
    page.tick("guided", False)
    check(page, result.matches)


def test_the_counts_are_those_of_where(opened: Open, result: MatchResult, rng: np.random.Generator) -> None:
    page = opened(matches_page(result))
    page.tick("guided", False)
    candidates, mutual = result.candidates, mutual_of(result)
    assert candidates.distance is not None
    assert candidates.ratio is not None
    for _ in range(12):
        # The values themselves, and decimal numbers: neither may round differently here and there.
        ratio = float(rng.choice([rng.choice(candidates.ratio), round(rng.uniform(0.3, 1), 3)]))
        ratio = min(1.0, max(0.01, ratio))
        most = float(rng.choice([rng.choice(candidates.distance), round(rng.uniform(0.3, 1) * 300, 2)]))
        page.type("ratio", ratio)
        page.type("distance", most)
        page.tick("mutual", False)
        check(page, candidates.where(ratio=ratio, max_distance=most))
        assert page.count("ratio") == len(candidates.where(ratio=ratio))
        page.tick("mutual", True)
        check(page, mutual.where(ratio=ratio, max_distance=most))


def test_the_slider_moves_by_keys_and_ends_at_off(opened: Open, result: MatchResult) -> None:
    page = opened(matches_page(result))
    page.tick("guided", False)
    page.tick("mutual", False)
    slider = page.tab.locator("[data-name=ratio] input[type=range]")
    assert slider.get_attribute("aria-valuetext") == "0.8"
    slider.focus()
    for _ in range(7):
        page.tab.keyboard.press("ArrowLeft")
    assert slider.get_attribute("aria-valuetext") == "0.73"
    check(page, result.candidates.where(ratio=0.73))
    page.tab.keyboard.press("End")
    assert slider.get_attribute("aria-valuetext") == "off"
    check(page, result.candidates)
    page.type("distance", 0)
    check(page, result.candidates.where(max_distance=0))


def test_the_strongest_are_those_of_python(opened: Open, result: MatchResult) -> None:
    page = opened(matches_page(result))
    page.tick("guided", False)
    page.tick("mutual", False)
    page.type("ratio", 0.9)
    for n in (0, 1, 37, 100_000):
        page.type("most", n)
        check(page, result.candidates.where(ratio=0.9).strongest(n))


def test_the_line_of_python_gives_what_is_shown(opened: Open, result: MatchResult) -> None:
    page = opened(matches_page(result))
    page.tick("guided", False)
    for mutual, ratio, distance, most in (
        (True, 0.8, None, None), (True, None, 250.0, 40), (False, 0.7, 61.5, None), (False, None, None, 9),
        (False, None, None, None),
    ):  # fmt: skip
        page.tick("mutual", mutual)
        for name, value in (("ratio", ratio), ("distance", distance), ("most", most)):
            page.type(name, value)
        names: dict[str, Any] = {"tiepoint": tiepoint, "result": result}
        exec(page.tab.locator("#code").inner_text(), names)
        check(page, names["matches"])


def test_a_wrong_number_is_marked_and_changes_nothing(opened: Open, result: MatchResult) -> None:
    page = opened(matches_page(result))
    before = page.count("strongest")
    page.type("ratio", -1)
    assert page.tab.locator("[data-name=ratio] input[type=number]").get_attribute("aria-invalid") == "true"
    assert page.count("strongest") == before


def test_the_copied_line_is_the_one_that_is_shown(opened: Open, result: MatchResult) -> None:
    page = opened(matches_page(result), permissions=["clipboard-read", "clipboard-write"])
    page.type("ratio", 0.61)
    page.tab.click("#copy")
    page.settled()
    assert page.tab.locator("#copied").inner_text() == "Copied."
    line = page.js("() => navigator.clipboard.readText()")
    assert line == "matches = tiepoint.match_features(result.features0, result.features1, ratio=0.61)"


def test_thresholds_of_other_filters(opened: Open, scene: RenderedPair) -> None:
    for matcher in (
        NearestNeighbour(cross_check=False, max_distance=60),
        NearestNeighbour(ratio=0.87, max_distance=44),
        NearestNeighbour(),
    ):
        made = tiepoint.match(scene.image0, scene.image1, extractor="orb", matcher=matcher)
        page = opened(matches_page(made))
        page.tick("guided", False)
        check(page, made.matches)


def test_residuals_are_those_of_python(opened: Open, result: MatchResult) -> None:
    from tiepoint.geometry.residuals import sampson

    geometry = result.geometry
    assert geometry is not None
    assert geometry.matrix is not None
    page = opened(matches_page(result))
    found = page.js("() => Array.from(residuals(PAGE.geometry, ROWS))")[: len(result.candidates)]
    truth = sampson(geometry.model, geometry.matrix, *(
        xy.astype(np.float64) for xy in (result.candidates.xy0, result.candidates.xy1)
    ))  # fmt: skip
    near = truth < 50
    assert near.sum() > 100
    assert np.allclose(np.array(found)[near], truth[near], rtol=1e-6, atol=1e-6)


def test_keypoints_are_counted_too(opened: Open, scene: RenderedPair) -> None:
    features = tiepoint.extract(scene.image0, "sift")
    assert features.score is not None
    page = opened(keypoints_page(scene.image0, features))
    assert page.count("strongest") == len(features)
    page.type("size", 4.0)
    assert page.count("size") == int((features.size >= np.float32(4)).sum())
    least = float(np.median(features.score))
    page.type("score", least)
    names: dict[str, Any] = {"features": features}
    exec(page.tab.locator("#code").inner_text(), names)
    assert page.count("strongest") == len(names["features"]) > 0
