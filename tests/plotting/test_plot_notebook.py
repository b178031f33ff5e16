from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser

import numpy as np
import PIL.Image
import pytest

from tiepoint.types import Exif, Image

from .plot_inputs import features_at, judged_of, noisy, plain, result_of

EVIL = "<script>alert('$x')<br>&\".jpg"


class Checked(HTMLParser):
    """Collects the tags and the text, and fails on a tag that is closed out of turn."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.alt: str | None = None
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        self.open.append(tag)
        self.tags.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.alt = dict(attrs)["alt"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def picture_in(html: str) -> PIL.Image.Image:
    (data,) = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', html)
    picture = PIL.Image.open(io.BytesIO(base64.b64decode(data)))
    picture.load()
    return picture


@pytest.mark.parametrize(
    ("size", "shown"), [((3000, 2000), (400, 267)), ((30, 20), (30, 20)), ((3, 9000), (1, 400))]
)
def test_an_image_shows_itself_small(size: tuple[int, int], shown: tuple[int, int]) -> None:
    html = noisy(*size)._repr_html_()
    assert picture_in(html).size == shown
    assert Checked(html).tags == ["div", "img", "div"]
    assert f"{size[0]}×{size[1]}" in html
    assert len(html) < 400_000


def test_an_image_tells_its_exif_facts() -> None:
    exif = Exif(
        camera_make="Canon", camera_model="EOS <5D>", focal_length=35.0, time=datetime(2024, 5, 6, 7, 8)
    )
    image = Image(pixels=np.zeros((20, 30), np.uint16), path="a.tif", exif=exif)
    text = Checked(image._repr_html_()).text
    assert text == "a.tif  30×20 · gray uint16 · Canon EOS <5D> · 35 mm · 2024-05-06 07:08:00"


def test_names_are_text() -> None:
    image = plain(30, 20, path=EVIL)
    result = replace(result_of([[1, 1]], [[2, 2]], image, image, source=EVIL), log=(EVIL,))
    features = replace(features_at([[1, 1]], image, extractor=EVIL), settings={EVIL: EVIL})
    assert Checked(image._repr_html_()).alt == f"{EVIL}  30×20"
    for noun in (image, result, result.matches, features):
        checked = Checked(noun._repr_html_())
        assert "script" not in checked.tags
        assert "alert" in checked.text


def test_features_and_matches_show_a_table_of_facts() -> None:
    image = plain(640, 480)
    features = features_at([[1, 1], [5, 5]], image, size=8, score=[1, 3])
    checked = Checked(features._repr_html_())
    assert checked.tags[:3] == ["div", "table", "tr"]
    assert "4 × uint8, l2" in checked.text
    assert "1 to 3, median 2" in checked.text
    funnel = (("nearest", 9), ("mutual", 2))
    matches = result_of(
        [[1, 1], [5, 5]], [[1, 1], [5, 5]], image, image, distance=[2, 4], funnel=funnel
    ).matches
    text = Checked(matches._repr_html_()).text
    assert "9 nearest → 2 mutual" in text
    assert "2 to 4, median 3" in text


def test_a_result_shows_its_picture_and_its_log() -> None:
    image = plain(640, 480)
    result = result_of([[1, 1]], [[2, 2]], image, image)
    html = replace(result, seconds={"extract": 0.25}, log=("All went well.",))._repr_html_()
    assert picture_in(html).size[0] == 960
    text = Checked(html).text
    assert "extract 0.25" in text
    assert "All went well." in text


def test_a_judged_result_shows_the_verdict_and_why() -> None:
    image = plain(640, 480)
    result = judged_of([[1, 1]], [[2, 2]], image, image, [True])
    assert result.geometry is not None
    noted = replace(result, geometry=replace(result.geometry, notes=("a <note>",)))
    text = Checked(noted._repr_html_()).text
    assert "verdictsame scene: yes, p = 0.97becausemany agree" in text
    assert "a <note>" in text


def test_nothing_found_shows_itself_too() -> None:
    image = plain(640, 480)
    result = result_of([], [], image, image, distance=[])
    for noun in (result, result.matches, features_at([], image, score=[])):
        Checked(noun._repr_html_())
