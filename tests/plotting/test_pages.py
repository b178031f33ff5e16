"""The frame of pages: nothing is loaded, names are text, only the package's own script runs."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tiepoint.plotting.pages import (
    Cell,
    Markup,
    breakable,
    definitions,
    element,
    joined,
    page,
    picture,
    table,
)

HOSTILE = "<img src=x onerror=alert(1)>"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Reader(HTMLParser):
    """What a browser makes of a page: elements with their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def between(text: str, tag: str) -> list[str]:
    return re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)


def hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@pytest.mark.parametrize(
    "text",
    [HOSTILE, '"><script>alert(1)</script>', "'onmouseover='alert(1)", "&lt;b&gt;", "</title>", "a & b"],
)
def test_text_stays_text_wherever_it_goes(text: str) -> None:
    parts = (
        element("p", text, title=text),
        table(text, [text, text], [[Cell(text), Cell(text)]], hints=[text, text]),
        definitions([(text, text)]),
        picture(b"<svg/>", b"<svg/>", (1, 1), text, text),
    )
    read = Reader(page(text, joined([*parts, text])))
    plain = Reader(
        page("x", joined([element("p", "x", title="x"), *(_plain(part) for part in parts[1:]), "x"]))
    )
    assert [name for name, _ in read.elements if name != "wbr"] == [name for name, _ in plain.elements]
    assert [set(attributes) for name, attributes in read.elements if name != "wbr"] == [
        set(attributes) for _, attributes in plain.elements
    ]
    assert "".join(read.text).count(text) == 1 + 1 + 1 + 4 + 2 + 1 + 1
    assert [attributes["alt"] for attributes in read.named("img")] == [text]


def _plain(part: Markup) -> Markup:
    """The same part with x for all that came from outside."""
    kind = Reader(part).elements[0][0]
    if kind == "dl":
        return definitions([("x", "x")])
    if kind == "figure":
        return picture(b"<svg/>", b"<svg/>", (1, 1), "x", "x")
    return table("x", ["x", "x"], [[Cell("x"), Cell("x")]], hints=["x", "x"])


def test_what_no_page_may_hold_is_replaced() -> None:
    assert element("p", "a\0b\x1b[31m\udcff") == "<p>a\ufffdb\ufffd[31m\ufffd</p>"
    assert element("p", "evil\u202egpj.exe") == "<p>evilgpj.exe</p>"
    assert page("\udcff", element("p", "\ud800")).encode()


def test_attributes_without_a_value_and_left_out() -> None:
    assert (
        element("input", disabled=True, hidden=False, title=None, data_n=0) == '<input disabled data-n="0">'
    )


@pytest.mark.parametrize("name", ["", "p onclick=x", "P", "1"])
def test_names_of_elements_and_attributes_are_not_from_outside(name: str) -> None:
    with pytest.raises(ValueError, match="is no name of an element"):
        element(name)
    with pytest.raises(ValueError, match="is no name of an element"):
        element("p", **{name: "x"})


def test_names_break_after_their_marks() -> None:
    assert breakable("orb:levels=4") == "orb:<wbr>levels=<wbr>4"
    assert breakable("<a:b>") == "&lt;a:<wbr>b&gt;"
    assert breakable(Markup("<b>a:b</b>")) == "<b>a:b</b>"


def test_the_policy_allows_the_style_and_the_script_of_the_page_and_nothing_else() -> None:
    text = page("A page", element("p", "x"), scripts=("table.js",))
    [policy] = [
        attributes["content"] or ""
        for attributes in Reader(text).named("meta")
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    [style], [script] = between(text, "style"), between(text, "script")
    assert rules == {
        "default-src": "'none'",
        "img-src": "data:",
        "style-src": hashed(style),
        "script-src": hashed(script),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert "script-src 'none'" in page("A page", Markup(""))


def test_nothing_points_outside() -> None:
    text = page("A page", picture(b"<svg/>", b"<svg/>", (2, 1), "x", "y"), scripts=("table.js",))
    for _, attributes in Reader(text).elements:
        for name in ("src", "srcset", "href", "action"):
            assert (attributes.get(name) or "data:").startswith("data:")
    assert "http:" not in text
    assert "https:" not in text
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest|innerHTML|style=", text)


def test_a_column_without_numbers_reads_from_the_left() -> None:
    read = Reader(
        table("Towns", ["name", "people", "river"], [[Cell("Aix"), Cell("1,000", 1e3), Cell("Arc")],
                                                     [Cell("Ur"), Cell("-"), Cell("-")]])
    )  # fmt: skip
    assert [head["class"] for head in read.named("th")[:3]] == ["text whole", "number whole", "text whole"]
    assert [cell.get("data-value") for cell in read.named("td")] == ["1000", None, None, None]
    assert read.named("div")[0]["tabindex"] == "0"


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_in_a_browser_only_our_script_runs(tmp_path: Path) -> None:
    body = joined(
        [
            table(HOSTILE, ["name"], [[Cell(HOSTILE)]]),
            # What would come through if something were not escaped somewhere: the policy stops it.
            Markup("<img src=x onerror=\"document.title='hacked'\"><script>document.title='hacked'</script>"),
        ]
    )
    path = tmp_path / "page.html"
    path.write_bytes(page("A page", body, scripts=("table.js",)).encode())
    done = subprocess.run(
        [str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu",
         f"--user-data-dir={tmp_path / 'chromium'}",
         "--dump-dom", path.as_uri()],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert "<title>A page</title>" in done.stdout
    assert '<button type="button">name</button>' in done.stdout
