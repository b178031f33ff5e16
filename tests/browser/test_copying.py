"""What is copied as Python runs as it is, in the folder of the photos, and gives what the page shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import tiepoint
from tests.browser.conftest import Open, Opened
from tests.plotting.plot_inputs import noisy, result_of
from tiepoint.evaluation import RenderedPair
from tiepoint.extractors import get_extractor
from tiepoint.matchers import NearestNeighbour
from tiepoint.plotting.pages.view import keypoints_page, matches_page
from tiepoint.types import Image

NAMES = ('it\'s "one".png', "z\u4e8c \\n.png")
ALLOWED = {"permissions": ["clipboard-read", "clipboard-write"]}


@pytest.fixture
def photos(scene: RenderedPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Image]:
    """Two photos whose names need care; their folder is the one that code runs in."""
    for name, image in zip(NAMES, (scene.image0, scene.image1), strict=True):
        PIL.Image.fromarray(np.asarray(image)).save(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return [tiepoint.read_image(tmp_path / name) for name in NAMES]


def copied(page: Opened) -> str:
    page.tab.click("#copy")
    page.settled()
    assert page.tab.locator("#copied").inner_text().startswith("Copied")
    text: str = page.js("() => navigator.clipboard.readText()")
    return text


def run(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(code, names)
    return names


@pytest.mark.parametrize("mutual", [True, False])
def test_a_pair(opened: Open, photos: list[Image], mutual: bool) -> None:
    result = tiepoint.match(
        *photos,
        extractor=get_extractor("sift", max_keypoints=700, contrast_threshold=0.02),
        matcher=NearestNeighbour(ratio=0.9),
        model="homography",
    )
    page = opened(matches_page(result), **ALLOWED)
    page.tick("mutual", mutual)
    page.type("ratio", 0.7)
    code = copied(page)
    assert code.startswith("import tiepoint as tp\n")
    assert page.tab.locator("#code").inner_text() == code.splitlines()[-1]
    names = run(code)
    assert len(names["matches"]) == page.count("ratio") > 0
    assert np.array_equal(names["result"].candidates.xy1, result.candidates.xy1)
    assert len(names["result"].matches) == len(result.matches)
    assert names["result"].geometry.model == "homography"


def test_a_photo(opened: Open, photos: list[Image]) -> None:
    features = tiepoint.extract(photos[0], "sift", max_keypoints=300)
    assert features.score is not None
    page = opened(keypoints_page(photos[0], features), **ALLOWED)
    assert np.array_equal(run(copied(page))["features"].xy, features.xy)
    page.type("size", 4.0)
    assert len(run(copied(page))["features"]) == page.count("strongest")
    page.type("score", float(np.median(features.score)))
    page.type("most", 20)
    assert len(run(copied(page))["features"]) == page.count("strongest") == 20


def test_of_what_came_from_no_file_a_comment_says_what_it_is(opened: Open) -> None:
    photo = noisy(300, 200)
    page = opened(matches_page(result_of([[1, 1]], [[2, 2]], photo, photo, distance=[3])), **ALLOWED)
    first, second, last = copied(page).splitlines()
    assert first == "import tiepoint as tp"
    assert second.startswith("# result is what this page shows")
    assert last == "matches = result.candidates"


def test_without_a_clipboard_the_lines_are_shown_and_selected(opened: Open, photos: list[Image]) -> None:
    page = opened(matches_page(tiepoint.match(*photos, extractor="orb")))
    page.js(
        "() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no'));"
        "document.execCommand = () => false }"
    )
    page.tab.click("#copy")
    page.settled()
    assert page.tab.locator("#copied").inner_text() == "Selected: copy it with Ctrl+C."
    selected = page.js("() => window.getSelection().toString()")
    assert "matches" in run(selected)
