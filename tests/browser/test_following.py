"""A photo that follows: small while the other one is zoomed, and neither jumps when it is moved itself."""

from __future__ import annotations

import numpy as np
import pytest

from tests.browser.conftest import Open, Opened
from tests.plotting.plot_inputs import judged_of, noisy
from tiepoint.plotting.pages.view import matches_page
from tiepoint.types import MatchResult

# Photo B shows the middle third of A, as large as the whole.
ENLARGED = np.array([[3.0, 0, -640], [0, 3.0, -480], [0, 0, 1]])
# All to the right of x = 300 is beyond the horizon.
STEEP = np.array([[1.0, 0, 0], [0, 1.0, 0], [-1 / 300, 0, 1]])


def result_by(matrix: np.ndarray, low: tuple[float, float], high: tuple[float, float]) -> MatchResult:
    xy0 = np.random.default_rng(4).uniform(low, high, (40, 2))
    points = np.column_stack([xy0, np.ones(40)]) @ matrix.T
    return judged_of(
        xy0, points[:, :2] / points[:, 2:], noisy(640, 480), noisy(640, 480, 1), [True] * 40, matrix
    )


@pytest.fixture(scope="module")
def enlarged() -> MatchResult:
    return result_by(ENLARGED, (215, 165), (425, 315))


def zooms(page: Opened) -> list[float]:
    found: list[float] = page.js("() => state.views.map((view, photo) => view.k / home(photo).k)")
    return found


def wheel(page: Opened, photo: int, by: float) -> None:
    box, panel = page.box(), page.js("(photo) => state.panels[photo]", photo)
    x = box["x"] + panel["left"] + panel["width"] / 2
    page.tab.mouse.move(x, box["y"] + panel["height"] / 2)
    page.tab.mouse.wheel(0, by)
    page.settled()


def test_a_photo_that_follows_can_be_zoomed_and_dragged(opened: Open, enlarged: MatchResult) -> None:
    page = opened(matches_page(enlarged))
    for _ in range(2):
        wheel(page, 0, -150)
    before = zooms(page)
    assert before[0] == pytest.approx(np.exp(0.6))
    assert before[1] == pytest.approx(np.exp(0.6) / 3)  # it is below its own whole
    wheel(page, 1, -50)
    assert zooms(page) == pytest.approx(np.multiply(before, np.exp(0.1)))
    now, places = zooms(page), page.js("() => state.views.map(({ x, y }) => [x, y])")
    page.tab.mouse.down()
    page.tab.mouse.move(*np.add((page.box()["x"], page.box()["y"]), (1100, 300)).tolist(), steps=4)
    page.tab.mouse.up()
    page.settled()
    assert zooms(page) == pytest.approx(now)
    moved = np.subtract(page.js("() => state.views.map(({ x, y }) => [x, y])"), places)
    assert np.hypot(*moved[1]) > 20
    assert moved[0] == pytest.approx(moved[1] / 3)


def test_zooming_out_over_it_ends_with_both_photos_whole(opened: Open, enlarged: MatchResult) -> None:
    page = opened(matches_page(enlarged))
    wheel(page, 0, -240)
    factors = [zooms(page)]
    for _ in range(4):
        wheel(page, 1, 60)
        factors.append(zooms(page))
    assert factors[1] == pytest.approx(np.multiply(factors[0], np.exp(-0.12)))
    assert factors[-1] == [1, 1]


def test_a_photo_that_just_fills_its_panel_stays_when_it_is_dragged(
    opened: Open, enlarged: MatchResult
) -> None:
    page = opened(matches_page(enlarged))
    before = page.js("() => state.views")
    page.js("() => pan(1, 30, 20)")
    assert page.js("() => state.views") == before


def test_behind_the_horizon_there_is_no_place(opened: Open) -> None:
    page = opened(matches_page(result_by(STEEP, (20, 20), (180, 180))))
    there = page.js("() => inOther(0, { x: 150, y: 100 })")
    assert (there["x"], there["y"]) == pytest.approx((300, 200))
    back = page.js("() => inOther(1, { x: 300, y: 200 })")
    assert (back["x"], back["y"]) == pytest.approx((150, 100))
    assert page.js("() => inOther(0, { x: 500, y: 100 })") is None
    # Of photo B nothing to the left of x = -300 is seen in front of the camera.
    assert page.js("() => inOther(1, { x: -310, y: 10 })") is None


def test_both_photos_are_smoothed_alike(opened: Open, enlarged: MatchResult) -> None:
    page = opened(matches_page(enlarged))
    ask = """(k) => {
      show(0, { x: 320, y: 240, k });
      const { pen } = LAYERS.photos, smoothed = [];
      pen.drawImage = function (...rest) {
        smoothed.push(this.imageSmoothingEnabled);
        CanvasRenderingContext2D.prototype.drawImage.apply(this, rest);
      };
      drawPhotos();
      delete pen.drawImage;
      return smoothed;
    }"""
    assert page.js(ask, 12) == [True, True]  # 12 and 4
    assert page.js(ask, 24.5) == [False, False]


def test_the_nearest_that_agree_are_found_in_one_pass(opened: Open, enlarged: MatchResult) -> None:
    page = opened(matches_page(enlarged))
    for x, y in ((0, 0), (300, 200), (424, 316)):
        found = page.js("([x, y]) => nearestAgreeing(ROWS.xy[0], x, y).map(({ d }) => d)", [x, y])
        away = np.hypot(*(enlarged.matches.xy0.astype(float) - (x, y)).T)
        assert found == pytest.approx(np.sort(away)[:12].tolist())


def test_who_scrolls_the_page_over_the_stage_does_not_zoom(opened: Open, enlarged: MatchResult) -> None:
    page = opened(matches_page(enlarged), height=500)
    box = page.box()
    page.tab.mouse.move(box["x"] + 300, box["y"] + 150)
    page.js("() => window.scrollBy(0, 40)")
    page.tab.wait_for_timeout(60)
    page.tab.mouse.wheel(0, -100)
    page.tab.wait_for_timeout(60)
    assert zooms(page) == [1, 1]
    page.tab.wait_for_timeout(600)
    page.tab.mouse.wheel(0, -100)
    page.settled()
    assert zooms(page)[0] > 1.1


@pytest.mark.parametrize("follow", [True, False])
def test_flicker_keeps_the_place(opened: Open, enlarged: MatchResult, follow: bool) -> None:
    page = opened(matches_page(enlarged), reduced_motion="reduce")
    page.tick("follow", follow)
    wheel(page, 1, -240)
    wheel(page, 0, -240)
    before = page.js("() => state.views")
    part = zooms(page)[0]
    page.tab.locator("#stage").focus()
    page.tab.keyboard.press("f")
    flickering = page.js("() => state.views[0]")
    assert (flickering["x"], flickering["y"]) == pytest.approx((before[0]["x"], before[0]["y"]))
    assert zooms(page)[0] == pytest.approx(part)
    page.tab.set_viewport_size({"width": 1300, "height": 900})
    page.settled()
    assert page.js("() => state.views[0].x") == pytest.approx(before[0]["x"])
    assert zooms(page)[0] == pytest.approx(part)
    page.tab.set_viewport_size({"width": 1600, "height": 900})
    page.settled()
    page.tab.keyboard.press("f")
    after = page.js("() => state.views")
    for one, other in zip(before, after, strict=True):
        assert one == pytest.approx(other)


def test_photo_b_cannot_lead_while_it_flickers(opened: Open, enlarged: MatchResult) -> None:
    page = opened(matches_page(enlarged), reduced_motion="reduce")
    page.tick("follow", False)
    page.tab.locator("#stage").focus()
    page.tab.keyboard.press("b")
    page.tab.keyboard.press("f")
    for key in ("+", "b", "+"):
        page.tab.keyboard.press(key)
    assert zooms(page) == pytest.approx([1.4**2, 1])


def test_with_one_finger_the_stage_can_be_left_again_after_fit(opened: Open, enlarged: MatchResult) -> None:
    page = opened(matches_page(enlarged), width=390, height=844, has_touch=True)
    actions = []
    for button in ("next", "fit", "zoom-in", "fit"):
        page.tab.click(f"#{button}")
        actions.append(page.js("() => getComputedStyle(STAGE).touchAction"))
    assert actions == ["none", "pan-y", "none", "pan-y"]
