"""What pages are made of: tables that can be sorted, pictures for light and dark, lists of facts."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tiepoint.plotting.pages.markup import Content, Markup, breakable, element, joined

_SHORT = 12  # letters


@dataclass(frozen=True)
class Cell:
    """A cell of a table: what it shows, and by what it is sorted.

    Attributes
    ----------
    text : str
        Text, unless it is Markup.
    value : float | None
        The number that it stands for; None: it is sorted as text.

    Examples
    --------
    >>> from tiepoint.plotting.pages import Cell
    >>> Cell("35.8 ±9.1", 0.358)
    Cell(text='35.8 ±9.1', value=0.358)
    """

    text: str
    value: float | None = None


def table(
    caption: str,
    head: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    hints: Sequence[str] = (),
) -> Markup:
    """Return a table that scrolls by itself where it is too wide; with ``table.js`` it can be sorted.

    Parameters
    ----------
    caption : str
    head : sequence of str
        Titles of the columns; the first column names the row.
    rows : iterable of sequence of Cell
    hints : sequence of str
        What the columns mean, one each, shown on the title; empty for none.

    Examples
    --------
    >>> from tiepoint.plotting.pages import Cell, table
    >>> markup = table("Towns", ["name", "people"], [[Cell("<Aix>"), Cell("147,478", 147478)]])
    >>> '<th scope="row">&lt;Aix&gt;</th>' in markup, '<td data-value="147478">147,478</td>' in markup
    (True, True)
    """
    hints = hints or [""] * len(head)
    cells = [list(row) for row in rows]
    # A column without any number is text, and reads from the left.
    kinds = ["number" if any(row[k].value is not None for row in cells) else "text" for k in range(len(head))]
    titles = [_title(text, kind, hint) for text, kind, hint in zip(head, kinds, hints, strict=True)]
    lines = [
        element(
            "tr", _name(row[0]), *(_cell(cell, kind) for cell, kind in zip(row[1:], kinds[1:], strict=True))
        )
        for row in cells
    ]
    return element(
        "div",
        element(
            "table",
            element("caption", caption),
            element("thead", element("tr", *titles)),
            element("tbody", *lines),
            class_="sortable",
        ),
        class_="scroll",
        role="region",
        aria_label=caption,
        tabindex=0,
    )


def picture(light: bytes, dark: bytes, size: tuple[int, int], alternative: str, caption: str) -> Markup:
    """Return an SVG picture in two versions, of which the browser shows the one for its colours.

    Parameters
    ----------
    light, dark : bytes
        SVG files of the same size.
    size : (int, int)
        Width and height in pixels of CSS; a narrow window shows it smaller.
    alternative : str
        What it says, for those who do not see it.
    caption : str

    Examples
    --------
    >>> from tiepoint.plotting.pages import picture
    >>> picture(b"<svg/>", b"<svg/>", (480, 320), "Two lines that cross.", "Where they cross")[:24]
    '<figure><picture><source'
    """
    width, height = size
    return element(
        "figure",
        element(
            "picture",
            element("source", srcset=_svg(dark), media="(prefers-color-scheme: dark)"),
            element("img", src=_svg(light), alt=alternative, width=width, height=height),
        ),
        element("figcaption", caption),
    )


def definitions(facts: Iterable[tuple[str, Content]]) -> Markup:
    """Return a list of what is what.

    Examples
    --------
    >>> from tiepoint.plotting.pages import definitions
    >>> definitions([("seed", 0)])
    '<dl><div><dt>seed</dt><dd>0</dd></div></dl>'
    """
    lines = (element("div", element("dt", term), element("dd", said)) for term, said in facts)
    return element("dl", joined(lines))


def _title(text: str, kind: str, hint: str) -> Markup:
    # Names of rows may be the titles of columns; short ones stay on one line.
    words = breakable(text) if len(text) > _SHORT else text
    return element(
        "th", words, scope="col", class_=kind if words is not text else f"{kind} whole", title=hint or None
    )


def _name(cell: Cell) -> Markup:
    return element("th", breakable(cell.text), scope="row")


def _cell(cell: Cell, kind: str) -> Markup:
    if kind == "text":
        return element("td", breakable(cell.text), class_=kind)
    return element("td", cell.text, data_value=None if cell.value is None else f"{cell.value:.6g}")


def _svg(data: bytes) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(data).decode('ascii')}"
