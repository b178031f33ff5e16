"""The frame of every page: head, policy, style, body, script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from importlib.resources import files
from string import Template

from tiepoint.plotting.pages.markup import Markup, element, joined

# Nothing is loaded, nothing is sent, and only the style and the scripts that are hashed here are obeyed: an
# attribute style= or onclick= is not.
_POLICY = (
    "default-src 'none'; img-src data:; style-src {style}; script-src {scripts}; "
    "base-uri 'none'; form-action 'none'"
)


def page(
    title: str,
    body: Markup,
    *,
    styles: Iterable[str] = (),
    scripts: Iterable[str] = (),
    classes: str | None = None,
) -> str:
    """Return a page: one HTML file that opens anywhere.

    Parameters
    ----------
    title : str
        Text, for the tab of the browser; the body has its own heading.
    body : Markup
        What is in ``<main>``.
    styles, scripts : iterable of str
        Names of files in ``tiepoint/plotting/pages``, in their order; ``frame.css`` comes before them.
    classes : str, optional
        Of the root element, for the styles.

    Examples
    --------
    >>> from tiepoint.plotting.pages import element, page
    >>> text = page("A <title>", element("h1", "A page"))
    >>> "<title>A &lt;title&gt;</title>" in text, "<h1>A page</h1>" in text
    (True, True)
    """
    style = "\n".join(_file(name) for name in ("frame.css", *styles))
    chosen = [_file(name) for name in scripts]
    policy = _POLICY.format(
        style=_hashed(style), scripts=" ".join(map(_hashed, chosen)) if chosen else "'none'"
    )
    return Template(_file("frame.html")).substitute(
        root=element("html", lang="en", class_=classes).removesuffix("</html>"),
        policy=policy,
        title=joined([title]),
        style=style,
        body=body,
        scripts="\n".join(element("script", Markup(script)) for script in chosen),
    )


def _file(name: str) -> str:
    return files("tiepoint.plotting.pages").joinpath(name).read_text(encoding="utf-8")


def _hashed(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
