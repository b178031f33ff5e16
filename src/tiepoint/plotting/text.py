"""Words in a picture: any characters, at any width, without leaving the picture."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from typing import Any

from tiepoint.plotting.style import SMALLEST_LETTER_PX

LINE_SPACING = 1.25
_MOST_LINES = 3
_MOST_TINY_LINES = 5
_MOST_LETTERS = 1000
_FLOOR_PX = 4.0
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

# DejaVu Sans comes with matplotlib and has no Chinese, Japanese or Korean; these do, where installed.
_FAMILY = "DejaVu Sans"
_MORE_FAMILIES = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Source Han Sans", "Hiragino Sans", "PingFang SC",
    "Apple SD Gothic Neo", "Yu Gothic", "Microsoft YaHei", "Malgun Gothic", "WenQuanYi Zen Hei", "IPAGothic",
)  # fmt: skip


@dataclass(frozen=True)
class Block:
    """Lines of text with the letter size, in pixels, at which they fit."""

    lines: tuple[str, ...]
    letter_px: float

    @property
    def height_px(self) -> float:
        """Height of all lines; 0 where there are none."""
        return len(self.lines) * _line_height(self.letter_px) if self.lines else 0.0

    @property
    def width_px(self) -> float:
        """Width of the longest line."""
        return max((width_of(line, self.letter_px) for line in self.lines), default=0.0)


def text_style() -> dict[str, Any]:
    """Return what every text needs so that neither ``$`` nor rcParams change what it says."""
    return {"fontfamily": list(_families()), "parse_math": False, "usetex": False, "antialiased": True,
            "fontstyle": "normal", "fontweight": "normal", "fontvariant": "normal",
            "fontstretch": "normal"}  # fmt: skip


def printable(text: str) -> str:
    """Return ``text`` with what no installed font can show replaced; line breaks stay."""
    glyphs = _glyphs()
    return "".join(c if c == "\n" or (c.isprintable() and ord(c) in glyphs) else _REPLACEMENT for c in text)


def wrapped(text: str, width_px: float, letter_px: float) -> Block:
    """Break ``text`` into lines of at most ``width_px``; where three are too few, letters get smaller.

    What does not fit even in the smallest letters is cut, with dots at the end.
    """
    text = printable(text[:_MOST_LETTERS]).strip()
    if not text:
        return Block((), letter_px)
    letter_px = max(letter_px, SMALLEST_LETTER_PX)
    most = max(_MOST_LINES, text.count("\n") + 1)
    while True:
        lines = [line for part in text.split("\n") for line in _lines(part, width_px, letter_px)]
        if len(lines) <= most:
            return Block(tuple(lines), letter_px)
        if letter_px == _FLOOR_PX:
            most = max(most, _MOST_TINY_LINES)
            cut = lines[:most]
            if len(lines) > most:
                cut[-1] = f"{cut[-1][:-2]}…"
            return Block(tuple(cut), letter_px)
        # Half the size needs a quarter of the lines; never by less than a tenth, so that this ends.
        letter_px = max(_FLOOR_PX, letter_px * min(0.9, (most / len(lines)) ** 0.5))


def elided(text: str, width_px: float, letter_px: float) -> Block:
    """Return ``text`` on one line, its middle replaced by dots where it is wider than ``width_px``.

    The middle goes first because file names of one camera differ at the end.
    """
    text = printable(text).replace("\n", _REPLACEMENT)
    letter_px = max(letter_px, SMALLEST_LETTER_PX)
    shown = text
    if width_of(text, letter_px) > width_px:
        most = bisect_right(
            range(4, len(text)), width_px, key=lambda n: width_of(_without_middle(text, n), letter_px)
        )
        shown = _without_middle(text, most + 3)
    while width_of(shown, letter_px) > width_px and letter_px > 1:
        letter_px *= 0.93
    return Block((shown,) if shown else (), letter_px)


def _without_middle(text: str, kept: int) -> str:
    return f"{text[: kept // 2]}…{text[len(text) - (kept - kept // 2) :]}"


def _lines(part: str, width_px: float, letter_px: float) -> list[str]:
    """Fill lines greedily with words; a word wider than a line is broken anywhere."""
    lines = [""]
    for word in part.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if width_of(longer, letter_px) <= width_px:
            lines[-1] = longer
            continue
        if lines[-1]:
            lines.append("")
        while word:
            starts = range(2, len(word) + 1)
            fits = bisect_right(starts, width_px, key=lambda n: width_of(word[:n], letter_px)) + 1
            lines[-1], word = word[:fits], word[fits:]
            if word:
                lines.append("")
    return lines


def width_of(text: str, letter_px: float) -> float:
    """Return the width of a line in pixels."""
    return _measured(text, letter_px)[0] if text else 0.0


def _line_height(letter_px: float) -> float:
    """Return what matplotlib advances from line to line."""
    _, height, descent = _measured("lp", letter_px)
    return LINE_SPACING * (height - descent) + descent


def _measured(text: str, letter_px: float) -> tuple[float, float, float]:
    """Return width, height and descent in pixels, as Agg hints them: small letters are not just scaled."""
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.font_manager import FontProperties

    font = FontProperties(
        family=list(_families()), style="normal", variant="normal", weight="normal", stretch="normal",
        size=letter_px,
    )  # fmt: skip
    renderer = RendererAgg(1, 1, 72)  # type: ignore[no-untyped-call]
    width, height, descent = renderer.get_text_width_height_descent(text, font, ismath=False)  # type: ignore[no-untyped-call]
    return float(width), float(height), float(descent)


@cache
def _families() -> tuple[str, ...]:
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return (_FAMILY, *(name for name in _MORE_FAMILIES if name in installed))


@cache
def _glyphs() -> frozenset[int]:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    paths = [findfont(FontProperties(family=[name])) for name in _families()]
    return frozenset(code for path in paths for code in get_font(path).get_charmap())
