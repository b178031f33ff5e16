"""Sliders: the counts on the page are those of `candidates.where`, and the line of Python gives them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tiepoint
from tests.browser.conftest import Open, Opened
from tests.plotting.plot_inputs import features_at, noisy
from tiepoint.errors import OptionError
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
        names: dict[str, Any] = {"tp": tiepoint, "result": result}
        exec(page.tab.locator("#code").inner_text(), names)
        check(page, names["matches"])


@pytest.mark.parametrize("wrong", [-1, 0, 1.01, 7])
def test_a_wrong_number_is_marked_and_changes_nothing(
    opened: Open, result: MatchResult, wrong: float
) -> None:
    with pytest.raises(OptionError):
        result.candidates.where(ratio=wrong)
    page = opened(matches_page(result))
    before = page.count("strongest")
    field = page.tab.locator("[data-name=ratio] input[type=number]")
    page.type("ratio", wrong)
    assert field.get_attribute("aria-invalid") == "true"
    assert page.count("strongest") == before
    page.tab.click("#reset")
    assert field.get_attribute("aria-invalid") is None
    assert field.input_value() == "0.8"


def test_guided_matches_have_a_switch_of_their_own_and_numbers_add_up(
    opened: Open, result: MatchResult
) -> None:
    page = opened(matches_page(result))
    geometry = result.geometry
    assert geometry is not None
    assert geometry.guided > 10

    def numbers() -> list[int]:
        found = page.tab.locator(".bar label:has(b)").all_inner_texts()
        return [int(text.split()[0]) for text in found]

    agree, rejected, guided = numbers()
    won = geometry.inliers[len(geometry.matches) - geometry.guided :]
    assert guided == np.count_nonzero(won)
    assert agree + guided == geometry.count == page.count("agree")
    assert agree + rejected == len(result.matches) + np.count_nonzero(~won)
    assert agree + rejected + guided == page.count("passed")
    for switches, shown in (
        ({"agree"}, agree), ({"rejected"}, rejected), ({"guided"}, guided),
        ({"agree", "guided"}, agree + guided),
    ):  # fmt: skip
        for name in ("agree", "rejected", "guided"):
            page.tick(name, name in switches)
        assert page.js("() => selection.shown.length") == shown
        assert numbers() == [agree, rejected, guided]
        assert page.count("agree") == geometry.count
    colours = page.js(
        "() => [...document.querySelectorAll('.bar .key')].slice(0, 3).map((e) => getComputedStyle(e).color)"
    )
    assert len(set(colours)) == 3


def test_the_funnel_has_only_stages_that_filter(opened: Open, result: MatchResult) -> None:
    page = opened(matches_page(result))

    def stages() -> list[str]:
        return [text.split(" ", 1)[1] for text in page.tab.locator("#funnel li:visible").all_inner_texts()]

    usual = ["keypoints in A", "keypoints in B", "nearest", "mutual", "pass the ratio"]
    assert stages() == [*usual, "with guided matching", "agree"]
    page.type("distance", 200)
    page.type("most", 50)
    assert stages() == [*usual, "pass the distance", "strongest", "with guided matching", "agree"]
    page.type("ratio", None)
    page.tick("mutual", False)
    assert "mutual" not in stages()
    assert "pass the ratio" not in stages()


def test_a_browser_that_comes_back_shows_what_is_drawn(opened: Open, result: MatchResult) -> None:
    page = opened(matches_page(result))
    page.type("ratio", 0.5)
    page.tick("agree", False)
    page.tab.select_option("#colour", "ratio")
    page.tab.goto("about:blank")
    page.tab.go_back()
    page.tab.wait_for_selector("html.running")
    page.settled()
    assert page.js("() => byId('colour').value === state.colour")
    for name in ("agree", "rejected", "guided"):
        assert page.tab.locator(f"[data-switch={name}]").is_checked() == page.js(f"() => state.show.{name}")
    assert page.tab.locator("[data-name=ratio] input[type=number]").input_value() == "0.8"
    assert page.js("() => state.thresholds.ratio") == 0.8


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
    assert page.count("score") == page.count("strongest") > 0


def test_a_score_below_zero_can_be_typed(opened: Open) -> None:
    xy, photo = np.array([[20, 30], [200, 100], [150, 60]], np.float32), noisy(300, 200)
    matches = Matches(xy0=xy, xy1=xy, source="any", image_size0=photo.size, image_size1=photo.size,
                      score=np.array([-0.9, -0.2, 0.5], np.float32))  # fmt: skip
    page = opened(matches_page(MatchResult(image0=photo, image1=photo, candidates=matches, matches=matches)))
    page.type("score", -0.5)
    field = page.tab.locator("[data-name=score] input[type=number]")
    assert field.get_attribute("aria-invalid") == "false"
    assert field.evaluate("(e) => e.validity.valid")
    assert page.count("strongest") == 2


def test_a_few_giants_share_the_last_bar(opened: Open) -> None:
    photo, xy = noisy(300, 200), np.random.default_rng(2).uniform(0, 199, (500, 2))
    size = np.linspace(2, 10, 500).astype(np.float32)
    size[:3] = 900
    page = opened(keypoints_page(photo, replace(features_at(xy, photo), size=size)))
    assert "last bar: " in page.tab.locator("[data-name=size] small").inner_text()
    low, high = page.js("() => { const { low, step, steps } = SLIDERS[0]; return [low, low + steps * step] }")
    assert low <= 2
    assert 9.5 < high < 11
    page.type("size", 500)
    assert page.count("strongest") == 3
    plainly = opened(keypoints_page(photo, replace(features_at(xy, photo), size=size[3:].repeat(2)[:500])))
    assert not plainly.tab.locator("[data-name=size] small").is_visible()


def test_all_bars_of_a_photo_have_one_colour(opened: Open, scene: RenderedPair) -> None:
    page = opened(keypoints_page(scene.image0, tiepoint.extract(scene.image0, "sift")))
    colours = page.js(
        """() => [...document.querySelectorAll("fieldset canvas")].map((canvas) => {
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          const counts = {};
          for (let i = 0; i < data.length; i += 4) {
            if (data[i + 3] === 255) counts[data.slice(i, i + 3)] = (counts[data.slice(i, i + 3)] ?? 0) + 1;
          }
          return Object.entries(counts).sort((a, b) => b[1] - a[1])[0][0];
        })"""
    )
    assert len(colours) == 3
    assert set(colours) == {"86,180,233"}
    page.errors[:] = [line for line in page.errors if "readback" not in line]
