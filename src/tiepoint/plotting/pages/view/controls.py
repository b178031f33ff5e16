"""What a page offers to set: switches, sliders, colours; and the counts that follow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tiepoint.plotting.pages.markup import Markup, element, joined

# What a slider is called, and the steps and bounds of its number; a score may be below zero.
_SLIDERS: dict[str, tuple[str, dict[str, float]]] = {
    "ratio": ("Ratio to the second nearest, below", {"step": 0.01, "min": 0, "max": 1}),
    "distance": ("Distance, at most", {"min": 0}),
    "score": ("Score, at least", {}),
    "size": ("Size in pixels, at least", {"min": 0}),
    "most": ("Number, the strongest", {"step": 1, "min": 0}),
}
# A browser that comes back to a page fills in what was there, which the scripts would not know of.
_FRESH = {"autocomplete": "off"}


def switch(name: str, text: str, *, on: bool, key: str | None = None, counted: str | None = None) -> Markup:
    """Return a box that can be ticked, with the colour of what it shows and its count.

    Parameters
    ----------
    name : str
        What the scripts call it.
    text : str
    on : bool
    key : str, optional
        What is shown, by whose colour.
    counted : str, optional
        The stage whose count stands before the text.

    Examples
    --------
    >>> from tiepoint.plotting.pages.view.controls import switch
    >>> switch("follow", "Follow", on=True)
    '<label><input type="checkbox" data-switch="follow" checked autocomplete="off"> Follow</label>'
    """
    colour = element("i", class_=f"key {key}", aria_hidden="true") if key else ""
    count = element("span", element("b", "0"), data_stage=counted) if counted else ""
    box = element("input", type="checkbox", data_switch=name, checked=on, **_FRESH)
    return element("label", joined([box, " ", colour, count, " " if counted else "", text]))


def slider(name: str) -> Markup:
    """Return a slider, its histogram and the field for the exact number; its script fills them."""
    text, bounds = _SLIDERS[name]
    return element(
        "fieldset",
        element("canvas", aria_hidden="true"),
        element("input", type="range", step=1, aria_label=text, **_FRESH),
        element(
            "label",
            element("span", text, " ", element("small", hidden=True)),
            element(
                "input",
                type="number",
                **{"step": "any"} | bounds,
                placeholder="off",
                inputmode=("decimal" if "min" in bounds else "text"),
                **_FRESH,
            ),
        ),
        data_slider=True,
        data_name=name,
        aria_label=text,
    )


def colours(names: Iterable[str]) -> Markup:
    """Return the choices of what colours stand for."""
    texts = {"inlier": "by agreement", "plain": "all the same"}
    return joined(element("option", texts.get(name, f"by {name}"), value=name) for name in names)


def legend(name: str, text: str) -> Markup:
    """Return what a colour stands for, where there is nothing to switch."""
    return element("span", element("i", class_=f"key {name}", aria_hidden="true"), " ", text, class_="choice")


def funnel(fixed: Sequence[tuple[str, int]], live: Iterable[tuple[str, str]]) -> Markup:
    """Return the stages in order: those that are what they are, and those that follow the sliders."""
    return joined(
        [
            *(element("li", element("b", count), " ", text) for text, count in fixed),
            *(element("li", element("b", "0"), " ", text, data_stage=stage) for stage, text in live),
        ]
    )


def patch(photo: int, caption: str) -> Markup:
    """Return the place for the patch of a selected match in one photo."""
    return element(
        "figure",
        element("canvas", id=f"patch{photo}", role="img", aria_label=f"Patch in {caption}"),
        element("figcaption", caption, aria_hidden="true"),
        id=f"patched{photo}",
        class_="patch",
        hidden=True,
    )
