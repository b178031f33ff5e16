"""From a scene to what is looked at: an Axes, an array, or a file.

All three draw by the same code. Arrays and files are drawn on a Figure of their own that pyplot does
not know, one at a time: matplotlib's fonts and caches are not made for several threads.
"""

from __future__ import annotations

import io
import os
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from tiepoint.errors import OptionError
from tiepoint.files import write_bytes
from tiepoint.plotting.layout import NARROWEST, checked_width
from tiepoint.plotting.scene import Page, Scene, lay_out, put_on
from tiepoint.plotting.style import PAPER

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".pdf", ".svg")

# A pixel of the picture is a pixel of CSS, so that a PNG and an SVG are equally large in a browser.
_DPI = 96
_SHOWN_WIDTH = 1000
_JPEG_QUALITY = 92
_ONE_AT_A_TIME = threading.Lock()


def picture_format(path: str | os.PathLike[str]) -> str:
    """Return "png", "jpeg", "pdf" or "svg", after the suffix of ``path``.

    Raises
    ------
    OptionError
        If it has none of these suffixes; ask before a long computation, not after it.

    Examples
    --------
    >>> from tiepoint.plotting import picture_format
    >>> picture_format("matches.JPG")
    'jpeg'
    """
    suffix = Path(path).suffix.lower()
    if suffix not in PICTURE_SUFFIXES:
        raise OptionError(
            f"{os.fspath(path)}: a picture is written as PNG, JPEG, PDF or SVG; "
            f"end its name with {', '.join(PICTURE_SUFFIXES[:-1])} or {PICTURE_SUFFIXES[-1]}"
        )
    return "jpeg" if suffix == ".jpg" else suffix[1:]


def plot(scene: Scene, ax: Axes | None) -> Axes:
    """Draw on ``ax``, or on a new figure of pyplot's, which is what ``plt.show()`` and notebooks show."""
    if ax is not None:
        width = max(NARROWEST, round(ax.get_window_extent().width))
        put_on(lay_out(scene, width), ax, exact=False)
        return ax

    import matplotlib.pyplot as plt

    page = lay_out(scene, _SHOWN_WIDTH)
    figure = plt.figure(figsize=_inches(page), dpi=_DPI, facecolor=PAPER)
    figure.set_layout_engine("none")
    axes = _axes(figure, page)
    put_on(page, axes, exact=False)
    return axes


def draw(scene: Scene, width: int | None) -> NDArray[np.uint8]:
    """Return the picture as (H, W, 3) uint8 RGB."""
    wanted = checked_width(width, scene.sizes)
    with _ONE_AT_A_TIME:
        return _pixels(_figure(lay_out(scene, wanted)))


def save(path: str | os.PathLike[str], scene: Scene, width: int | None) -> Path:
    """Write the picture to ``path``, in the format of its suffix; whole or not at all."""
    kind = picture_format(path)
    wanted = checked_width(width, scene.sizes)
    stream = io.BytesIO()
    with _ONE_AT_A_TIME:
        figure = _figure(lay_out(scene, wanted))
        if kind == "pdf":
            _write_pdf(figure, stream)
        elif kind == "svg":
            _write_svg(figure, stream)
        else:
            photo = PIL.Image.fromarray(_pixels(figure))
            # Level 3 is three times as fast as Pillow's 6, for 8 percent more bytes on a photo with lines.
            photo.save(stream, format=kind, quality=_JPEG_QUALITY, subsampling=0, compress_level=3)
    return write_bytes(path, stream.getvalue())


def _figure(page: Page) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=_inches(page), dpi=_DPI, facecolor=PAPER)
    figure.set_layout_engine("none")  # rcParams may have set one
    put_on(page, _axes(figure, page), exact=True)
    return figure


def _axes(figure: Figure, page: Page) -> Axes:
    height = page.above + page.sheet.height + page.below
    return figure.add_axes((0.0, page.below / height, 1.0, page.sheet.height / height))


def _inches(page: Page) -> tuple[float, float]:
    return page.sheet.width / _DPI, (page.above + page.sheet.height + page.below) / _DPI


def _pixels(figure: Figure) -> NDArray[np.uint8]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    return np.asarray(canvas.buffer_rgba())[:, :, :3].copy()  # type: ignore[no-untyped-call]


def _write_pdf(figure: Figure, stream: io.BytesIO) -> None:
    from matplotlib.backends.backend_pdf import FigureCanvasPdf

    # Called on the canvas, not through savefig: that one obeys rcParams such as savefig.bbox.
    FigureCanvasPdf(figure).print_pdf(stream, metadata={"CreationDate": None})  # type: ignore[no-untyped-call]


def _write_svg(figure: Figure, stream: io.BytesIO) -> None:
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    raw = io.BytesIO()
    FigureCanvasSVG(figure).print_svg(raw, metadata={"Date": None})  # type: ignore[no-untyped-call]
    stream.write(_numbered_ids(raw.getvalue()))


def _numbered_ids(svg: bytes) -> bytes:
    """Replace random ids by numbers in order of appearance, so that the same picture is the same file.

    Matplotlib can do so itself, but only through rcParams.
    """
    numbers: dict[bytes, int] = {}

    def numbered(found: re.Match[bytes]) -> bytes:
        number = numbers.setdefault(found[2], len(numbers))
        return b"%sid%d" % (found[1], number)

    return re.sub(rb'(id="|#)((?:[a-z]+|C[0-9a-f]+_[0-9a-f]+_)[0-9a-f]{10})(?=[")])', numbered, svg)
