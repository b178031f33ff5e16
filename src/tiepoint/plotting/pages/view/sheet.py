"""The sheet that the pages of a pair and of one photo are written on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.resources import files
from string import Template
from typing import Any

from tiepoint.plotting.pages.frame import page
from tiepoint.plotting.pages.markup import Content, Markup, element, joined
from tiepoint.plotting.pages.view.packing import data_block
from tiepoint.plotting.pages.view.preview import Preview, preview
from tiepoint.plotting.style import AGREE, KEYPOINT, OKABE_ITO, OUTLINE, REJECTED, RIM, graded
from tiepoint.types import Image

SCRIPTS = tuple(
    f"view/{name}.js"
    for name in ("layer", "geometry", "data", "filter", "raster", "colours", "stage", "frames", "pens",
                 "marks", "flicker", "detail", "sliders", "python", "controls", "hands", "start")
)  # fmt: skip

# What a page may take in bytes: less than 4 MB, whatever the photos are, with the scripts and some reserve.
MOST_BYTES = 3_800_000
_SCRIPT_BYTES = 120_000
_LEAST_PREVIEW = 250_000
_STEPS = 16
# What guided matching has won agrees, but is there for another reason: neither blue nor red-orange.
GUIDED = OKABE_ITO[4]


def palette() -> dict[str, Any]:
    """Return the colours of the project's pictures, for the scripts."""
    import numpy as np

    steps = graded(np.linspace(0, 1, _STEPS), 0, 1)
    rgb = [[round(255 * value) for value in colour] for colour in steps.tolist()]
    return {
        "agree": AGREE,
        "rejected": REJECTED,
        "guided": GUIDED,
        "outline": OUTLINE,
        "keypoint": KEYPOINT,
        "rim": RIM,
        "graded": ["#" + "".join(f"{value:02x}" for value in colour) for colour in rgb],
    }


def previews(images: Iterable[Image], *, numbers: int, full: bool, most_side: int) -> list[Preview]:
    """Return the photos, as large as what the numbers leave of the page has room for.

    Parameters
    ----------
    images : iterable of Image
    numbers : int
        Bytes that the packed numbers take.
    full : bool
        Keep all pixels.
    most_side : int
        Longest side of a preview.
    """
    images = list(images)
    share = (MOST_BYTES - _SCRIPT_BYTES - numbers) // max(1, len(images))
    most = max(_LEAST_PREVIEW, share * 3 // 4)  # base64 makes four bytes of three
    return [preview(image, most_bytes=most, most_side=most_side, full=full) for image in images]


def photo_elements(shown: Iterable[tuple[Preview, str]]) -> Markup:
    """Return the photos as elements, which the scripts draw from; without scripts they are what is seen."""
    return joined(
        element(
            "img", id=f"photo{number}", src=one.url, alt=alternative, width=one.size[0], height=one.size[1]
        )
        for number, (one, alternative) in enumerate(shown)
    )


def sheet(
    title: str, parts: Mapping[str, Content], document: Mapping[str, Any], *, embedded: bool = False
) -> str:
    """Return the page: the parts put in their places, and the data that the scripts read.

    Parameters
    ----------
    title : str
    parts : Mapping[str, str]
        What goes where in ``view.html``; what is no Markup is text.
    document : Mapping[str, Any]
        What the scripts read, JSON-able.
    embedded : bool
        For a frame in a notebook: nothing is seen until a script runs, and the lists are left out.
    """
    template = files("tiepoint.plotting.pages").joinpath("view/view.html").read_text(encoding="utf-8")
    places = {name: joined([part]) for name, part in parts.items()}
    body = Template(template).substitute(places, data=data_block("data", document))
    return page(
        title,
        Markup(body),
        styles=("view/view.css",),
        scripts=SCRIPTS,
        classes="embedded" if embedded else None,
    )
