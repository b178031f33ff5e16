"""How the nouns show themselves in a notebook: a small picture and a few facts, as HTML.

Everything that came from outside, such as file names, is text and is escaped.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from html import escape

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from tiepoint.plotting.matches import draw_matches
from tiepoint.plotting.pages.view import matches_page
from tiepoint.plotting.photo import caption, resized
from tiepoint.plotting.selection import funnel_line, shown_of
from tiepoint.types import Features, Image, Matches, MatchResult

# A notebook keeps what it shows: these bound what a picture adds to the file.
_PHOTO_SIDE = 400
_RESULT_WIDTH = 960
_JPEG_QUALITY = 85
# As high as a page on it has need of, down to the sliders.
_VIEW_SIDE, _VIEW_HEIGHT = 640, 920

_Row = tuple[str, object]


def image_html(image: Image) -> str:
    """Return the photo, at most 400 pixels wide and high, with its name, size and EXIF facts."""
    scale = min(1.0, _PHOTO_SIDE / max(image.size))
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    facts = [caption(image), f"{'gray' if image.pixels.ndim == 2 else 'RGB'} {image.pixels.dtype.name}"]
    if image.exif is not None:
        camera = " ".join(filter(None, (image.exif.camera_make, image.exif.camera_model)))
        focal = image.exif.focal_length
        facts += [camera] if camera else []
        facts += [f"{focal:g} mm"] if focal is not None else []
        facts += [f"{image.exif.time:%Y-%m-%d %H:%M:%S}"] if image.exif.time is not None else []
    return _div(_picture(resized(image, size), caption(image)), _line(facts))


def features_html(features: Features) -> str:
    """Return a small table: how many, of which extractor, where on which photo, how described."""
    width, height = features.image_size
    count, length = features.descriptors.shape
    rows: list[_Row] = [
        ("features", count),
        ("extractor", features.extractor),
        ("descriptors", f"{length} × {features.descriptors.dtype.name}, {features.metric}"),
        ("photo", f"{width}×{height}"),
    ]
    if count:
        rows.append(("size", _range(features.size, " px")))
    if count and features.score is not None:
        rows.append(("score", _range(features.score)))
    settings = ", ".join(f"{name}={value}" for name, value in features.settings.items())
    if settings:
        rows.append(("settings", settings))
    return _div(_table(rows))


def matches_html(matches: Matches) -> str:
    """Return a small table: how many, by which method, what each filter left."""
    rows: list[_Row] = [("matches", len(matches))]
    sources = ", ".join(str(name) for name in np.unique(matches.source))
    if sources:
        rows.append(("by", sources))
    sizes = (matches.image_size0, matches.image_size1)
    rows.append(("photos", " and ".join(f"{width}×{height}" for width, height in sizes)))
    rows += _funnel(matches)
    for name, values in (("distance", matches.distance), ("ratio", matches.ratio), ("score", matches.score)):
        if values is not None and len(values):
            rows.append((name, _range(values)))
    return _div(_table(rows))


def result_html(result: MatchResult) -> str:
    """Return the picture of the matches, the verdict, what each filter left, the time, and the log."""
    count = len(result.matches)
    alternative = shown_of(count, count, "match", ranked=False)
    picture = _picture(draw_matches(result, width=_RESULT_WIDTH), alternative)
    rows: list[_Row] = []
    if result.verdict is not None:
        rows += [("verdict", result.verdict), *(("because", reason) for reason in result.verdict.reasons)]
    rows += _funnel(result.matches)
    if result.seconds:
        rows.append(("seconds", ", ".join(f"{name} {value:.2f}" for name, value in result.seconds.items())))
    notes = () if result.geometry is None else result.geometry.notes
    rows += [("note", sentence) for sentence in notes]
    rows += [("log", sentence) for sentence in result.log]
    return _div(
        _over(picture, matches_page(result, embedded=True, most_side=_VIEW_SIDE), alternative), _table(rows)
    )


def _over(picture: str, page: str, title: str) -> str:
    """Lay an interactive page over a picture, which shows where frames or scripts are not allowed.

    The frame is a stranger to the notebook: it may run its own scripts, and reach nothing. Until they
    run, and where they never do, nothing in it is seen.
    """
    return (
        f'<div style="position: relative; min-height: {_VIEW_HEIGHT}px">{picture}'
        f'<iframe sandbox="allow-scripts" title="{escape(title)}" srcdoc="{escape(page)}" '
        'style="position: absolute; inset: 0; width: 100%; height: 100%; '
        "box-sizing: border-box; border: 1px solid #8a9199; border-radius: 6px; "
        'color-scheme: light dark">'
        "</iframe></div>"
    )


def _funnel(matches: Matches) -> list[_Row]:
    return [("funnel", funnel_line(matches.funnel))] if matches.funnel else []


def _range(values: NDArray[np.float32], unit: str = "") -> str:
    return f"{values.min():.3g} to {values.max():.3g}{unit}, median {np.median(values):.3g}{unit}"


def _div(*parts: str) -> str:
    return f'<div class="tiepoint">{"".join(parts)}</div>'


def _line(facts: Iterable[str]) -> str:
    return f'<div style="font-size: 90%">{escape(" · ".join(facts))}</div>'


def _table(rows: Iterable[_Row]) -> str:
    cells = "".join(
        f'<tr><th style="text-align: left">{escape(name)}</th>'
        f'<td style="text-align: left">{escape(str(value))}</td></tr>'
        for name, value in rows
    )
    return f"<table>{cells}</table>" if cells else ""


def _picture(pixels: NDArray[np.uint8], alternative: str) -> str:
    stream = io.BytesIO()
    PIL.Image.fromarray(pixels).save(stream, format="jpeg", quality=_JPEG_QUALITY, subsampling=0)
    data = base64.b64encode(stream.getvalue()).decode("ascii")
    height, width = pixels.shape[:2]
    return (
        f'<img src="data:image/jpeg;base64,{data}" alt="{escape(alternative)}" '
        f'width="{width}" height="{height}" style="max-width: 100%; height: auto"/>'
    )
