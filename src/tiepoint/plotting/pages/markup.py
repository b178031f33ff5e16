"""Markup that knows it is markup: any other text is escaped when it becomes part of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

_NAME = re.compile(r"[a-z][a-z0-9-]*")
_VOID = ("br", "hr", "img", "input", "link", "meta", "source")
# Legal in a file name or a Python string, but not in a page.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
# What reverses the reading order of all that follows it, which a name must not do to a page.
_REORDERING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Markup(str):
    """Text that is HTML already; made by :func:`element`, and of the package's own files.

    Examples
    --------
    >>> from tiepoint.plotting.pages import Markup, element
    >>> element("p", Markup("<b>bold</b>"), " and <b>not</b>")
    '<p><b>bold</b> and &lt;b&gt;not&lt;/b&gt;</p>'
    """

    __slots__ = ()


Content = str | int | float
"""What an element holds: markup as it stands, anything else as text."""


def element(tag: str, *children: Content, **attributes: Content | bool | None) -> Markup:
    """Return an HTML element; children and values of attributes are escaped.

    Parameters
    ----------
    tag : str
    *children : str | number
        Text, unless it is Markup.
    **attributes
        ``class_`` is class, ``data_value`` data-value; True is an attribute without a value, None and
        False are left out.

    Examples
    --------
    >>> from tiepoint.plotting.pages import element
    >>> element("td", "<img src=x onerror=alert(1)>", class_="name", data_value=3, hidden=True)
    '<td class="name" data-value="3" hidden>&lt;img src=x onerror=alert(1)&gt;</td>'
    """
    written = "".join(
        f" {_checked(name)}" + ("" if value is True else f'="{_text(value)}"')
        for name, value in attributes.items()
        if value is not None and value is not False
    )
    start = f"<{_checked(tag)}{written}>"
    return Markup(start if tag in _VOID else f"{start}{joined(children)}</{tag}>")


def joined(parts: Iterable[Content]) -> Markup:
    r"""Return parts one after the other; those that are not markup are escaped.

    Examples
    --------
    >>> from tiepoint.plotting.pages import element, joined
    >>> joined([element("br"), "a < b"])
    '<br>a &lt; b'
    """
    return Markup("".join(part if isinstance(part, Markup) else _text(part) for part in parts))


def breakable(text: str) -> Markup:
    """Return a name that may be broken into lines after its marks, not only anywhere.

    Examples
    --------
    >>> from tiepoint.plotting.pages import breakable
    >>> breakable("sift:contrast_threshold=0.02")
    'sift:<wbr>contrast_<wbr>threshold=<wbr>0.02'
    """
    if isinstance(text, Markup):
        return text
    return Markup("<wbr>".join(_text(part) for part in re.split(r"(?<=[:_=/,;])", text)))


def printable(text: str) -> str:
    r"""Return text without what no page may hold, and without what reverses the order of reading.

    Examples
    --------
    >>> from tiepoint.plotting.pages import printable
    >>> printable("a\x1b[31m, evil\u202egpj.exe")
    'a�[31m, evilgpj.exe'
    """
    return _REORDERING.sub("", _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text))


def _text(value: Content) -> str:
    return escape(printable(str(value)))


def _checked(name: str) -> str:
    name = name.rstrip("_").replace("_", "-")
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of an element or attribute")
    return name
