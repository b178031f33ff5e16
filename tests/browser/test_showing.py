"""What a person meets: hostile names, narrow windows, the dark, notebooks, results with little in them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiepoint
from tests.browser.conftest import Open
from tests.plotting.plot_inputs import features_at, judged_of, noisy, result_of
from tiepoint.evaluation import RenderedPair
from tiepoint.geometry import verify
from tiepoint.plotting.pages.view import keypoints_page, matches_page
from tiepoint.types import Exif, Image, Matches, MatchResult, Verdict

EVIL = "<img src=x onerror=alert(1)>"
SCRIPT = "</script><script>alert(2)</script>"


@pytest.fixture(scope="module")
def result(scene: RenderedPair) -> MatchResult:
    return tiepoint.match(scene.image0, scene.image1, extractor="sift")


def evil_photo(width: int = 300, height: int = 200) -> Image:
    exif = Exif(camera_make=EVIL, camera_model=SCRIPT, latitude=48.853, longitude=2.349)
    return replace(noisy(width, height), path=f"photos/{EVIL}.jpg", exif=exif)


def test_names_exif_and_reasons_are_text(opened: Open) -> None:
    photo = evil_photo()
    xy = np.array([[20, 30], [200, 100]], np.float32)
    features = replace(features_at(xy, photo, extractor=EVIL), settings={EVIL: SCRIPT})
    made = judged_of(xy, xy, photo, photo, [True, False], distance=[1, 2])
    sources = np.array([EVIL, SCRIPT])
    made = replace(
        made,
        features0=features,
        features1=features,
        candidates=replace(made.candidates, source=sources, funnel=((EVIL, 2),)),
        verdict=Verdict(answer="yes", probability=0.9, reasons=(EVIL, SCRIPT)),
        log=(EVIL, "${alert(3)}", "\u202egpj.exe\u2028"),
    )
    page = opened(matches_page(made))
    for _ in range(2):
        page.tab.click("#next")
        page.settled()
    text = page.tab.locator("main").inner_text()
    assert text.count(EVIL) >= 8
    assert text.count(SCRIPT) >= 4
    assert page.tab.locator("[data-fact=method]").inner_text() in (EVIL, SCRIPT)
    assert page.tab.locator("main img").count() == 2
    single = opened(keypoints_page(photo, features))
    assert EVIL in single.tab.locator("h1").inner_text()


def test_what_would_slip_in_is_stopped_by_the_policy(opened: Open, result: MatchResult) -> None:
    text = matches_page(result).replace(
        "</main>", f"{EVIL}<script>alert(4)</script><p style='color:red' onclick='alert(5)'>x</p></main>"
    )
    page = opened(text)
    page.settled()
    assert page.tab.locator("html.running").count() == 1
    refused = [line for line in page.errors if "Content Security Policy" in line]
    assert len(refused) == len(page.errors) >= 3
    page.errors.clear()  # "blocked" is what it must say


def test_where_a_photo_was_taken_is_told_only_if_asked_for(opened: Open) -> None:
    made = result_of([[1, 1]], [[2, 2]], evil_photo(), evil_photo(), distance=[3])
    assert "48.85" not in matches_page(made)
    assert (
        "48.853000, 2.349000"
        in opened(matches_page(made, keep_location=True)).tab.locator("main").inner_text()
    )


@pytest.mark.parametrize("width", [390, 768, 1600])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_and_can_be_read(opened: Open, result: MatchResult, width: int, scheme: str) -> None:
    page = opened(matches_page(result), width=width, height=844, color_scheme=scheme)
    page.tab.click("#next")
    page.settled()
    assert page.js("() => document.documentElement.scrollWidth") <= width
    outside = page.js(
        "() => [...document.querySelectorAll('button, input, select, .stage, fieldset, h1, h2')]"
        ".filter((e) => e.offsetParent && (e.getBoundingClientRect().right > innerWidth + 1"
        " || e.getBoundingClientRect().left < -1)).map((e) => e.id || e.outerHTML)"
    )
    assert outside == []
    ink, paper = page.js(
        "() => { const s = getComputedStyle(document.body); return [s.color, s.backgroundColor].map("
        "(c) => c.match(/\\d+/g).slice(0, 3).map(Number)) }"
    )
    assert (np.mean(paper) > 128) == (scheme == "light")
    assert contrast(ink, paper) > 7
    panels = page.js("() => state.panels")
    assert (panels[0]["left"] == panels[1]["left"]) == (width == 390)  # stacked where it is narrow
    small = page.js(
        "() => [...document.querySelectorAll('button, select, .bar label')].filter((e) => e.offsetParent)"
        ".map((e) => e.getBoundingClientRect()).filter((b) => b.height < 24 || b.width < 24).length"
    )
    assert small == 0


def contrast(one: list[float], other: list[float]) -> float:
    """As WCAG defines it."""

    def luminance(rgb: list[float]) -> float:
        share = np.array(rgb) / 255
        linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
        return float(linear @ (0.2126, 0.7152, 0.0722))

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_all_that_can_be_set_has_a_name_and_can_be_reached(opened: Open, result: MatchResult) -> None:
    page = opened(matches_page(result))
    nameless = page.js(
        "() => [...document.querySelectorAll('button, input, select, [role], canvas, img')].filter((e) =>"
        "!(e.ariaLabel || e.labels?.[0]?.textContent.trim() || e.textContent.trim() || e.alt"
        " || e.ariaHidden === 'true' || e.role === 'status' || e.title)).map((e) => e.outerHTML)"
    )
    assert nameless == []
    reached = set()
    for _ in range(60):
        page.tab.keyboard.press("Tab")
        reached.add(page.js("() => document.activeElement.id || document.activeElement.dataset.switch || ''"))
    assert {"stage", "colour", "zoom-in", "next", "reset", "copy", "agree", "rejected", "follow"} <= reached


def test_a_screen_reader_hears_the_counts(opened: Open, result: MatchResult) -> None:
    page = opened(matches_page(result))
    page.type("ratio", 0.5)
    page.tab.wait_for_timeout(700)
    said = page.tab.locator("#said").inner_text()
    shown = page.count("passed")
    assert said.startswith(f"{shown} matches pass: {page.count('agree')} agree")
    page.tab.locator("#list button").first.click()
    page.tab.wait_for_timeout(700)
    assert page.tab.locator("#said").inner_text().startswith("Match 1 of ")
    assert page.tab.locator("#list tr[aria-current=true]").count() == 1


def test_every_colour_can_be_chosen(opened: Open, result: MatchResult) -> None:
    page = opened(matches_page(result))
    values = page.js("() => [...document.querySelectorAll('#colour option')].map((o) => o.value)")
    assert values == ["inlier", "ratio", "distance", "scale", "plain"]
    drawn = set()
    for value in values:
        page.tab.select_option("#colour", value)
        page.settled()
        drawn.add(page.js("() => LAYERS.lines.canvas.toDataURL()"))
        assert page.tab.locator("#legend").is_visible() == (value in ("ratio", "distance", "scale"))
    assert len(drawn) == len(values)


def test_switches_show_and_hide(opened: Open, result: MatchResult) -> None:
    page = opened(matches_page(result))

    def inked() -> int:
        page.settled()
        count: int = page.js(
            "() => { const c = LAYERS.lines.canvas, g = c.getContext('2d'); let n = 0;"
            "const d = g.getImageData(0, 0, c.width, c.height).data;"
            "for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n }"
        )
        return count

    everything = inked()
    page.tick("keypoints", True)
    with_keypoints = inked()
    page.tick("keypoints", False)
    page.tick("agree", False)
    others = inked()
    page.tick("rejected", False)
    guided = inked()
    page.tick("guided", False)
    assert with_keypoints > everything > others > guided > inked() == 0
    assert page.tab.locator("#nothing").is_visible()
    page.errors[:] = [line for line in page.errors if "readback" not in line]


def test_fast_and_slow_lines_are_at_the_same_places(opened: Open) -> None:
    rng = np.random.default_rng(3)
    xy0, xy1 = (rng.uniform(0, (299, 199), (400, 2)) for _ in range(2))
    page = opened(matches_page(result_of(xy0, xy1, noisy(300, 200), noisy(300, 200))), width=1000)
    page.settled()
    overlap = page.js(
        """() => { drawQuickly(); drawLines();
        const [quick, slow] = [LAYERS.quick, LAYERS.lines].map(({canvas}) =>
          canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height));
        let [both, all] = [0, 0];
        for (let i = 3; i < quick.data.length; i += 4) if (quick.data[i]) { all++; both += slow.data[i] > 0; }
        return [both, all, quick.width === slow.width]; }"""
    )
    assert overlap[2]
    assert overlap[1] > 20_000
    assert overlap[0] / overlap[1] > 0.97


def matches_with(**fields: Any) -> Matches:
    xy = np.array([[20, 30], [200, 100], [150, 60]], np.float32)
    return Matches(xy0=xy, xy1=xy + 1, source="any", image_size0=(300, 200), image_size1=(300, 200), **fields)


@pytest.mark.parametrize(
    ("fields", "sliders"),
    [
        ({}, []),
        ({"score": np.array([0.9, 0.2, 0.5], np.float32)}, ["score", "most"]),
        ({"distance": np.array([3, 1, 2], np.float32)}, ["distance", "most"]),
        (
            {
                "distance": np.array([3, 1, 2], np.float32),
                "second_distance": np.array([np.inf, 0, 4], np.float32),
            },
            ["ratio", "distance", "most"],
        ),
        ({"size0": np.full(3, 8, np.float32), "size1": np.full(3, 8, np.float32)}, []),
        ({"pairs": np.array([[0, 5], [1, 4], [2, 0]], np.int32)}, []),
    ],
)
def test_only_what_is_known_is_offered(opened: Open, fields: dict[str, Any], sliders: list[str]) -> None:
    matches = matches_with(**fields)
    photo = noisy(300, 200)
    page = opened(matches_page(MatchResult(image0=photo, image1=photo, candidates=matches, matches=matches)))
    names = page.js("() => [...document.querySelectorAll('[data-slider]')].map((e) => e.dataset.name)")
    assert names == sliders
    assert page.js("() => selection.shown.length") == 3
    if "score" in fields:
        page.type("score", 0.5)
        assert page.count("strongest") == 2
    page.tab.click("#next")
    page.settled()


def test_nothing_found_is_shown_as_nothing(opened: Open) -> None:
    photo, empty = noisy(300, 200), np.empty((0, 2))
    page = opened(matches_page(judged_of(empty, empty, photo, photo, [], answer="no")))
    assert page.tab.locator("#nothing").is_visible()
    page.tab.click("#next")
    assert page.tab.locator(".answer.no").inner_text().split("\n")[1].startswith("Same scene: no")
    for gone in ("#reset", "#code", "#copy", "thead", "h2:text-is('Thresholds')"):
        assert not page.tab.locator(gone).is_visible()


def test_one_match_is_no_matches(opened: Open) -> None:
    photo = noisy(300, 200)
    page = opened(matches_page(result_of([[1, 1]], [[2, 2]], photo, photo, distance=[3])))
    page.tab.wait_for_timeout(700)
    assert page.tab.locator("#said").inner_text() == "1 match passes."
    assert page.tab.locator(".answer").inner_text().startswith("1 match\n")
    assert "with 1 match" in page.tab.locator("#stage").get_attribute("aria-label")
    single = opened(keypoints_page(photo, features_at([[1, 1]], photo)))
    assert single.tab.locator(".answer").inner_text().startswith("1 keypoint\n")


def test_the_yellow_frame_is_explained_where_there_is_one(opened: Open, scene: RenderedPair) -> None:
    for model in ("homography", "fundamental"):
        made = tiepoint.match(scene.image0, scene.image1, extractor="orb", model=model)
        page = opened(matches_page(made))
        there = model == "homography"
        assert page.tab.locator(".key.outline").is_visible() == there
        told = page.tab.locator("#keys").inner_text()
        assert ("the yellow frame is the border" in told) == there
        assert ("white ring is where the matches around it" in told) == (not there)


def test_the_photo_is_seen_through_many_lines_and_what_is_rejected_is_seen_through_them(
    opened: Open, result: MatchResult
) -> None:
    page = opened(matches_page(result))
    ask = """([agree, won, rejected]) => {
      const rows = (length, state) => ({ rows: { length }, state });
      const opacity = opacityOf([rows(agree, AGREES), rows(won, WON), rows(rejected, REJECTED)]);
      return [opacity(AGREES), opacity(WON), opacity(REJECTED)];
    }"""
    many = page.js(ask, [500, 400, 100])
    assert many[0] == many[1] < 0.4
    assert many[2] > 0.9
    assert page.js(ask, [200, 0, 900])[0] > 0.9
    assert 0.05 < page.js(ask, [5000, 0, 0])[0] < 0.15


def test_sections_lists_and_colours_can_be_told_without_seeing_them(
    opened: Open, result: MatchResult
) -> None:
    page = opened(matches_page(result), forced_colors="active")
    names = page.js("() => [...document.querySelectorAll('fieldset')].map((e) => e.ariaLabel)")
    assert len(names) == 3
    assert all(names)
    assert all(text.strip() for text in page.tab.locator("thead th").all_inner_texts())
    colours = page.js("() => [...document.querySelectorAll('.key')].map((e) => getComputedStyle(e).color)")
    assert colours[:2] == ["rgb(86, 180, 233)", "rgb(213, 94, 0)"]


def test_methods_joined_have_no_sliders_but_verdicts(opened: Open, scene: RenderedPair) -> None:
    parts = [
        tiepoint.match(scene.image0, scene.image1, extractor=name, verify=False) for name in ("orb", "sift")
    ]
    union = Matches.union(*(part.matches for part in parts))
    made = MatchResult(image0=scene.image0, image1=scene.image1, candidates=union, matches=union,
                       geometry=verify(union))  # fmt: skip
    page = opened(matches_page(made))
    assert page.tab.locator("[data-slider]").count() == 0
    assert page.count("agree") == made.geometry.count  # type: ignore[union-attr]
    page.tab.click("#next")
    page.settled()
    assert page.tab.locator("[data-fact=method]").inner_text() in ("orb", "sift")


def test_in_a_notebook_the_page_lies_over_a_picture(opened: Open, result: MatchResult) -> None:
    shown = result._repr_html_()
    page = opened(f"<!doctype html><title>notebook</title>{shown}")
    page.tab.wait_for_timeout(500)
    [frame] = [frame for frame in page.tab.frames if frame != page.tab.main_frame]
    assert frame.locator("html.running.embedded").count() == 1
    assert frame.evaluate("() => getComputedStyle(document.body).visibility") == "visible"
    assert frame.evaluate(
        "() => { try { return parent.document.title } catch { return 'out of reach' } }"
    ) == ("out of reach")
    lowest = frame.evaluate("() => document.querySelector('.sliders').getBoundingClientRect().bottom")
    assert lowest < frame.evaluate("() => innerHeight")
    assert page.tab.locator("iframe").evaluate("(e) => getComputedStyle(e).borderTopStyle") == "solid"
    first = frame.locator("[data-stage=strongest] b").inner_text()
    frame.locator("[data-name=ratio] input[type=number]").fill("0.5")
    assert frame.locator("[data-stage=strongest] b").inner_text() != first
    blocked = opened(f"<!doctype html><title>x</title>{shown}".replace("allow-scripts", ""))
    [frame] = [frame for frame in blocked.tab.frames if frame != blocked.tab.main_frame]
    assert frame.locator("html.embedded:not(.running)").count() == 1
    blocked.errors[:] = [line for line in blocked.errors if "sandboxed" not in line]


def test_without_scripts_the_verdict_and_the_photos_are_seen(opened: Open, result: MatchResult) -> None:
    text = matches_page(result)
    context_page = opened(text, java_script_enabled=False)
    assert "Same scene" in context_page.tab.locator(".answer").inner_text()
    assert context_page.tab.locator("main img").first.bounding_box()["width"] > 500
    assert "scripts do not run" in context_page.tab.locator("noscript").inner_text()
    # Nothing that would need a script, and no number that only a script could know.
    for dead in ("button", "input", "select", "canvas", "code", "thead", "#funnel", "#keys", ".caption"):
        assert context_page.tab.locator(f"{dead}:visible").count() == 0
    assert "0 agree" not in context_page.tab.locator("main").inner_text()
    assert "How it came about" in context_page.tab.locator("main").inner_text()


def test_real_pairs_open_without_a_complaint(opened: Open, data: Path) -> None:
    for name in ("london_bridge", "montmartre", "negative_chartres_notredame"):
        photos = sorted((data / "pairs" / name).glob("[12].*"))
        made = tiepoint.match(*photos, extractor="rootsift")
        page = opened(matches_page(made))
        page.settled()
        assert made.verdict is not None
        assert page.tab.locator(".answer b").get_attribute("aria-hidden") == "true"
        assert page.tab.locator(f".answer.{made.verdict.answer}").count() == 1
        assert made.geometry is not None
        assert page.count("agree") == made.geometry.count
