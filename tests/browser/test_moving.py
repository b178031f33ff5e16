"""Zoom, pan, click: what is moved goes where it should, and the other photo follows by the geometry."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

import tiepoint
from tests.browser.conftest import Open, Opened
from tests.plotting.plot_inputs import judged_of, noisy, plain, result_of
from tiepoint.evaluation import RenderedPair
from tiepoint.plotting.pages.view import matches_page
from tiepoint.types import Features, MatchResult

# Turned by 25 degrees, enlarged by 1.6, and with some perspective.
TURNED = np.array([[1.45, -0.68, 120.0], [0.68, 1.45, -60.0], [2e-4, 1e-4, 1.0]])


def carried(matrix: ArrayLike, xy: ArrayLike) -> NDArray[np.float64]:
    points = np.column_stack([np.reshape(xy, (-1, 2)), np.ones(np.size(xy) // 2)]) @ np.asarray(matrix).T
    return np.asarray(points[:, :2] / points[:, 2:])


@pytest.fixture(scope="module")
def planar() -> MatchResult:
    rng = np.random.default_rng(5)
    xy0 = rng.uniform((100, 60), (500, 400), (60, 2))
    xy1 = carried(TURNED, xy0)
    wrong = np.arange(60) % 6 == 5
    xy1[wrong] = rng.uniform((50, 50), (900, 800), (wrong.sum(), 2))
    return judged_of(xy0, xy1, noisy(640, 480), noisy(1000, 900, 1), (~wrong).tolist(), TURNED,
                     distance=rng.uniform(1, 9, 60).round(2).tolist())  # fmt: skip


def middle(page: Opened, photo: int) -> tuple[float, float, float]:
    """The point in the middle of a panel as the screen has it, and pixels of the screen to one of it."""
    found: dict[str, Any] = page.js(
        """(p) => { const {left, top, width, height} = state.panels[p];
        const a = fromStage(p, left + width / 2, top + height / 2);
        const b = fromStage(p, left + width / 2 + 1, top + height / 2);
        return {x: a.x, y: a.y, k: 1 / (b.x - a.x)}; }""",
        photo,
    )
    return found["x"], found["y"], found["k"]


def check_follows(page: Opened, matrix: NDArray[np.float64], leader: int) -> None:
    """The middle of one panel must show what the other's shows, to a pixel of the screen, as large."""
    forth = matrix if leader == 0 else np.linalg.inv(matrix)
    x, y, k = middle(page, leader)
    u, v, k_other = middle(page, 1 - leader)
    expected = carried(forth, [x, y])[0]
    assert np.hypot(*(expected - (u, v))) * k_other < 0.5
    # By differences, not by the derivative that the page uses.
    around = carried(forth, [[x + 0.01, y], [x - 0.01, y], [x, y + 0.01], [x, y - 0.01]])
    sides = np.array([around[0] - around[1], around[2] - around[3]]) / 0.02
    assert k / k_other == pytest.approx(np.sqrt(abs(np.linalg.det(sides))), rel=1e-3)


@pytest.mark.parametrize("leader", [0, 1])
def test_zoom_keeps_the_point_under_the_mouse_and_the_other_photo_follows(
    opened: Open, planar: MatchResult, leader: int
) -> None:
    page = opened(matches_page(planar))
    # A wheel tells whole pixels.
    box, place = page.box(), page.screen(leader, 300, 200)
    at = round(place[0]), round(place[1])
    fixed = page.js("([p, x, y]) => fromStage(p, x, y)", [leader, at[0] - box["x"], at[1] - box["y"]])
    page.tab.mouse.move(*at)
    for step in (-120, -120, -200, -90, 60, -240):
        page.tab.mouse.wheel(0, step)
        page.settled()
        assert np.hypot(*np.subtract(page.screen(leader, fixed["x"], fixed["y"]), at)) < 0.6
        check_follows(page, TURNED, leader)
    before = middle(page, leader)
    page.tab.mouse.down()
    page.tab.mouse.move(at[0] + 60, at[1] - 25, steps=4)
    page.tab.mouse.up()
    page.settled()
    assert np.allclose(np.subtract(middle(page, leader)[:2], before[:2]) * before[2], (-60, 25), atol=0.6)
    check_follows(page, TURNED, leader)
    assert page.js("() => state.selected") == -1  # a drag is no click


def test_keys_move_as_the_mouse_does(opened: Open, planar: MatchResult) -> None:
    page = opened(matches_page(planar))
    page.tab.locator("#stage").focus()
    for key in ("+", "+", "+", "ArrowRight", "ArrowDown", "-"):
        page.tab.keyboard.press(key)
        check_follows(page, TURNED, 0)
    x = middle(page, 0)[0]
    page.tab.keyboard.press("ArrowRight")
    assert middle(page, 0)[0] > x
    page.tab.keyboard.press("b")
    page.tab.keyboard.press("+")
    check_follows(page, TURNED, 1)
    page.tab.keyboard.press("0")
    assert page.js("() => atHome()")


def test_the_whole_photos_are_seen_at_first_and_after_zooming_out(opened: Open, planar: MatchResult) -> None:
    page = opened(matches_page(planar))

    def corners() -> list[bool]:
        found: list[bool] = page.js(
            """() => PAGE.photos.flatMap(({width, height}, p) =>
              [[-0.5, -0.5], [width - 0.5, height - 0.5]].map(([x, y]) => {
                const a = toStage(p, x, y), {left, top, ...b} = state.panels[p];
                return a.x > left - 1 && a.y > top - 1
                  && a.x < left + b.width + 1 && a.y < top + b.height + 1;
              }))"""
        )
        return found

    assert corners() == [True] * 4
    page.tab.mouse.move(*page.screen(1, 500, 400))
    for step in (-240, -240, 240, 240, 240):
        page.tab.mouse.wheel(0, step)
        page.settled()
    assert corners() == [True] * 4


def test_each_photo_moves_alone_when_it_need_not_follow(opened: Open, planar: MatchResult) -> None:
    page = opened(matches_page(planar))
    page.tick("follow", False)
    before = middle(page, 1)
    page.tab.mouse.move(*page.screen(0, 300, 200))
    page.tab.mouse.wheel(0, -240)
    page.settled()
    assert middle(page, 1) == before
    assert middle(page, 0)[2] > 0
    page.tick("follow", True)
    check_follows(page, TURNED, 0)


@pytest.mark.parametrize("width", [390, 1600])
def test_a_click_on_an_end_goes_to_that_match(opened: Open, planar: MatchResult, width: int) -> None:
    page = opened(matches_page(planar), width=width, height=850)
    for row in (0, 5, 18):  # the sixth is rejected
        for photo, xy in enumerate((planar.matches.xy0, planar.matches.xy1)):
            page.tab.click("#fit")
            page.tab.locator("#stage").scroll_into_view_if_needed()
            page.tab.mouse.click(*page.screen(photo, *xy[row].tolist()))
            page.settled()
            assert page.js("() => state.selected") == row
            for side, points in enumerate((planar.matches.xy0, planar.matches.xy1)):
                x, y, k = middle(page, side)
                assert np.hypot(x - points[row, 0], y - points[row, 1]) * k < 0.5
            assert page.tab.locator("#selected").is_visible()
            said = page.tab.locator("[data-fact=geometry]").inner_text()
            assert said.startswith("rejected" if row == 5 else "agrees")
            distance = page.tab.locator("[data-fact=distance]").inner_text()
            assert planar.matches.distance is not None
            assert float(distance) == pytest.approx(planar.matches.distance[row], abs=0.005)


def test_a_click_on_a_line_and_on_nothing(opened: Open) -> None:
    photo = plain(200, 200)
    page = opened(matches_page(judged_of([[20, 100]], [[180, 100]], photo, photo, [True])))
    box = page.box()
    page.tab.mouse.click(box["x"] + box["width"] / 2 - 20, page.screen(0, 0, 100)[1])
    page.settled()
    assert page.js("() => state.selected") == 0
    page.tab.click("#fit")
    page.tab.mouse.click(box["x"] + box["width"] / 2 - 20, page.screen(0, 0, 30)[1])
    page.settled()
    assert page.js("() => state.selected") == -1
    assert not page.tab.locator("#selected").is_visible()


def test_patches_are_upright_in_the_frames_of_their_keypoints(opened: Open) -> None:
    """A white quarter lies where the keypoint's angle points, at another angle and size in each photo."""
    images, features = [], []
    for angle, size in ((40.0, 60.0), (250.0, 24.0)):
        y, x = np.mgrid[:300, :300] - 150.0
        turn = np.deg2rad(angle)
        ahead, aside = x * np.cos(turn) + y * np.sin(turn), -x * np.sin(turn) + y * np.cos(turn)
        pixels = np.where((ahead > 0) & (aside > 0), 255, 20).astype(np.uint8)
        images.append(tiepoint.Image(pixels=np.repeat(pixels[:, :, None], 3, axis=2)))
        features.append(
            Features(
                xy=np.array([[150, 150]], np.float32),
                size=np.array([size], np.float32),
                angle=np.array([angle], np.float32),
                descriptors=np.zeros((1, 4), np.uint8),
                metric="l2",
                image_size=(300, 300),
                extractor="hand",
            )
        )
    matches = tiepoint.Matches.between(features[0], features[1], np.zeros((1, 2), np.int32), source="hand")
    page = opened(
        matches_page(
            MatchResult(image0=images[0], image1=images[1], features0=features[0], features1=features[1],
                        candidates=matches, matches=matches)
        )
    )  # fmt: skip
    page.tab.locator("#stage").focus()
    page.tab.keyboard.press("n")
    page.settled()
    for photo in (0, 1):
        # Ahead of the keypoint is right in the patch, and clockwise of that is below.
        bright = page.js(
            "(p) => { const c = byId(`patch${p}`), s = c.width;"
            "const { data } = c.getContext('2d').getImageData(0, 0, s, s);"
            "return [[.85, .85], [.85, .15], [.15, .85], [.15, .15]].map("
            "([x, y]) => data[4 * (Math.floor(y * s) * s + Math.floor(x * s))]) }",
            photo,
        )
        assert bright[0] > 200
        assert max(bright[1:]) < 60


def test_by_a_fundamental_matrix_the_other_photo_stays_on_the_line(opened: Open, data: Any) -> None:
    folder = data / "pose" / "fountain-P11"
    photos = sorted(folder.glob("*.[jp][pn]g"))[3:5]
    result = tiepoint.match(*photos, extractor="sift")
    geometry = result.geometry
    assert geometry is not None
    assert geometry.model == "fundamental"
    assert geometry.matrix is not None
    page = opened(matches_page(result))
    # Places that were matched, but taken out of what the page interpolates from.
    rows = np.flatnonzero(geometry.inliers)[::40]
    away = []
    for row in rows:
        x, y = geometry.matches.xy0[row].tolist()
        page.js(
            "([x, y]) => { for (let k = AGREEING.length - 1; k >= 0; k--) { const i = AGREEING[k];"
            "if (Math.hypot(ROWS.xy[0][2 * i] - x, ROWS.xy[0][2 * i + 1] - y) < 3) AGREEING.splice(k, 1); }"
            "show(0, {x, y, k: 4}) }",
            [x, y],
        )
        u, v, _ = middle(page, 1)
        line = geometry.matrix @ (x, y, 1)
        assert abs(line @ (u, v, 1)) / np.hypot(*line[:2]) < 0.01
        away.append(np.hypot(*(geometry.matches.xy1[row] - (u, v))))
    assert np.median(away) < 5


def test_flicker_shows_photo_b_as_warp_lays_it(opened: Open, scene: RenderedPair) -> None:
    result = tiepoint.match(scene.image0, scene.image1, extractor="sift", model="homography")
    geometry = result.geometry
    assert geometry is not None
    assert geometry.matrix is not None
    page = opened(matches_page(result, full=True), reduced_motion="reduce")
    page.tab.click("#flicker")
    page.settled()
    assert page.js("() => state.flicker") == "A"
    page.tab.click("#swap")
    assert page.js("() => state.flicker") == "B"
    laid = page.js(
        "() => { const c = aligned(), g = c.getContext('2d');"
        "return Array.from(g.getImageData(0, 0, c.width, c.height).data) }"
    )
    width, height = result.image0.size
    shown = np.array(laid, np.float64).reshape(height, width, 4)[:, :, :3]
    truth, covered = tiepoint.geometry.warp(result.image1, geometry.matrix, result.image0.size)
    inside = covered & (shown.sum(axis=2) > 0)
    assert inside.sum() > 0.95 * covered.sum()
    # The photo in the page has been compressed.
    assert np.abs(shown - truth)[inside].mean() < 6
    page.tab.keyboard.press("Escape")
    page.tab.click("#flicker")
    assert page.js("() => state.flicker") == "off"


def test_fingers_pinch(opened: Open, planar: MatchResult) -> None:
    page = opened(matches_page(planar), width=390, height=844, has_touch=True)
    x, y = page.screen(0, 300, 240)
    client = page.tab.context.new_cdp_session(page.tab)

    def touch(kind: str, apart: float) -> None:
        points = (
            []
            if kind == "touchEnd"
            else [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}]
        )
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    before = middle(page, 0)[2]
    touch("touchStart", 20)
    for apart in (25, 30, 40, 60):
        touch("touchMove", apart)
    touch("touchEnd", 0)
    page.settled()
    assert middle(page, 0)[2] / before == pytest.approx(3, rel=0.1)
    assert np.hypot(*np.subtract(page.screen(0, 300, 240), (x, y))) < 2
    check_follows(page, TURNED, 0)


def test_with_one_finger_the_page_scrolls_until_it_is_zoomed(opened: Open, planar: MatchResult) -> None:
    page = opened(matches_page(planar), width=390, height=844, has_touch=True)
    assert page.js("() => getComputedStyle(STAGE).touchAction") == "pan-y"
    page.tab.click("#zoom-in")
    assert page.js("() => getComputedStyle(STAGE).touchAction") == "none"


def test_next_goes_through_all_that_are_shown(opened: Open, planar: MatchResult) -> None:
    page = opened(matches_page(planar))
    page.tick("agree", False)
    seen = []
    for _ in range(10):
        page.tab.click("#next")
        seen.append(page.js("() => state.selected"))
    geometry = planar.geometry
    assert geometry is not None
    assert sorted(seen) == np.flatnonzero(~geometry.inliers).tolist()
    page.tab.click("#next")
    assert page.js("() => state.selected") == seen[0]
    page.tab.click("#previous")
    assert page.js("() => state.selected") == seen[-1]


def test_the_border_of_the_other_photo_is_where_the_homography_takes_it(
    opened: Open, planar: MatchResult
) -> None:
    page = opened(matches_page(planar))
    parts = np.array(page.js("() => Array.from(OUTLINES[1])")).reshape(-1, 2)
    back = carried(np.linalg.inv(TURNED), parts)
    on_border = np.min(np.abs(np.column_stack([back + 0.5, np.array([639.5, 479.5]) - back])), axis=1) < 1e-6
    at_edge = np.min(np.abs(np.column_stack([parts + 0.5, np.array([999.5, 899.5]) - parts])), axis=1) < 1e-6
    assert len(parts) >= 4
    assert (on_border | at_edge).all()


def test_a_result_without_a_geometry_has_no_verdicts_on_matches(opened: Open) -> None:
    photo = noisy(300, 200)
    result = result_of([[10, 10], [50, 60]], [[20, 20], [70, 80]], photo, photo, distance=[1, 2])
    page = opened(matches_page(replace(result)))
    assert page.tab.locator("[data-switch=rejected]").count() == 0
    assert page.tab.locator("#flicker").is_hidden()
    page.tab.click("#next")
    page.settled()
    assert "nobody has looked" in page.tab.locator("[data-fact=geometry]").inner_text()
