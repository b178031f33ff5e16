"""A chosen match: its patches are seen where one looks, and it says when it no longer passes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tiepoint
from tests.browser.conftest import Open, Opened
from tiepoint.evaluation import RenderedPair
from tiepoint.plotting.pages.view import keypoints_page, matches_page
from tiepoint.types import MatchResult

WINDOWS = [(1600, 900), (1366, 660), (390, 844)]


@pytest.fixture(scope="module")
def result(scene: RenderedPair) -> MatchResult:
    return tiepoint.match(scene.image0, scene.image1, extractor="sift", model="homography")


def hidden(page: Opened, places: list[str]) -> list[str]:
    """Which of the places are not wholly in the window."""
    found: list[str] = page.js(
        """(places) => places.filter((place) => {
          const box = document.querySelector(place).getBoundingClientRect();
          return box.width < 60 || box.left < -1 || box.top < -1
            || box.right > innerWidth + 1 || box.bottom > innerHeight + 1;
        })""",
        places,
    )
    return found


@pytest.mark.parametrize("window", WINDOWS)
def test_patches_are_seen_without_scrolling(
    opened: Open, result: MatchResult, window: tuple[int, int]
) -> None:
    page = opened(matches_page(result), width=window[0], height=window[1])
    page.tab.mouse.click(*page.screen(0, *result.matches.xy0[0].tolist()))
    page.settled()
    assert page.js("() => state.selected") >= 0
    assert hidden(page, ["#patched0", "#patched1"]) == []
    # They lie over no end of the match.
    free = page.js(
        """() => ROWS.xy.every((xy, photo) => {
          const at = toStage(photo, xy[2 * state.selected], xy[2 * state.selected + 1]);
          return [0, 1].every((other) => {
            const { offsetLeft: x, offsetTop: y, offsetWidth: w, offsetHeight: h } = byId(`patched${other}`);
            return at.x < x || at.x > x + w || at.y < y || at.y > y + h;
          });
        })"""
    )
    assert free
    page.tab.keyboard.press("Escape") if window[0] > 390 else page.tab.click("#unselect")
    assert not page.tab.locator("#patched0").is_visible()


@pytest.mark.parametrize("window", WINDOWS)
def test_a_match_chosen_from_the_list_brings_the_photos_into_view(
    opened: Open, result: MatchResult, window: tuple[int, int]
) -> None:
    page = opened(matches_page(result), width=window[0], height=window[1])
    page.settled()
    page.tab.locator("#list button").nth(5).click()
    page.settled()
    assert hidden(page, ["#stage", "#patched0", "#patched1"]) == []


def test_the_patch_of_a_keypoint_is_seen_too(opened: Open, scene: RenderedPair) -> None:
    page = opened(
        keypoints_page(scene.image0, tiepoint.extract(scene.image0, "sift")), width=1366, height=660
    )
    page.tab.click("#next")
    page.settled()
    assert hidden(page, ["#patched0"]) == []


def test_patches_are_away_while_it_flickers(opened: Open, result: MatchResult) -> None:
    page = opened(matches_page(result), reduced_motion="reduce")
    page.tab.click("#next")
    page.tab.click("#flicker")
    assert not page.tab.locator("#patched0").is_visible()
    page.tab.click("#flicker")
    assert page.tab.locator("#patched0").is_visible()


def test_unselecting_gives_the_focus_to_the_photos(opened: Open, result: MatchResult) -> None:
    page = opened(matches_page(result))
    page.tab.click("#next")
    page.tab.locator("#unselect").press("Enter")
    assert page.js("() => document.activeElement.id") == "stage"
    assert not page.tab.locator("#selected").is_visible()


def test_a_selected_match_that_no_longer_passes_says_so(opened: Open, result: MatchResult) -> None:
    page = opened(matches_page(result))
    page.tab.locator("#list button").first.click()
    page.settled()

    def marks() -> Any:
        page.settled()
        return page.js("() => LAYERS.marks.canvas.toDataURL()")

    passing, fact = marks(), page.tab.locator("[data-fact=thresholds]")
    assert fact.count() == 0
    page.type("most", 0)
    assert fact.inner_text() == "does not pass"
    assert marks() != passing
    page.type("most", None)
    assert fact.count() == 0
    assert marks() == passing


def test_far_turned_photos_are_said_to_stay_as_they_are(opened: Open, scene: RenderedPair) -> None:
    turned = tiepoint.Image(pixels=np.rot90(np.asarray(scene.image1)).copy())
    page = opened(matches_page(tiepoint.match(scene.image0, turned, extractor="sift", model="homography")))
    assert "never turned on the screen" in page.tab.locator("#keys").inner_text()
    straight = opened(matches_page(tiepoint.match(scene.image0, scene.image1, extractor="sift")))
    assert "never turned" not in straight.tab.locator("#keys").inner_text()
