"""A picture before it has a size: photos, words and marks, and how they go onto an Axes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tiepoint.plotting.layout import Sheet, arrange
from tiepoint.plotting.legend import Keys, Legend
from tiepoint.plotting.photo import resized
from tiepoint.plotting.style import CAPTION, FAINT_INK, INK, PAPER, TITLE
from tiepoint.plotting.text import LINE_SPACING, Block, elided, text_style, wrapped
from tiepoint.types import Image

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Pixels that an Axes of the user gets for each of its own, so that it can be zoomed and printed.
_SPARE = 2.0


@dataclass(frozen=True)
class Pen:
    """An Axes with the sheet that lies on it, and the size of a sheet pixel in points."""

    ax: Axes
    sheet: Sheet
    point: float

    def ink(self, plain: str) -> str:
        """Return the colour for words beside the photos; on a dark Figure of the user's it is white."""
        from matplotlib.colors import to_rgba

        red, green, blue, alpha = to_rgba(self.ax.figure.get_facecolor())
        dark = alpha * (1 - (0.299 * red + 0.587 * green + 0.114 * blue))
        return PAPER if dark > 0.5 else plain

    def points(self, fraction: float) -> float:
        """Return a fraction of the picture's width in points, the unit of line widths and letters."""
        return fraction * self.sheet.width * self.point


@dataclass(frozen=True)
class Scene:
    """What is to be shown, at whatever size; ``marks`` draws on the photos."""

    images: tuple[Image, ...]
    title: str
    captions: tuple[str, ...]
    marks: Callable[[Pen], None]
    legend: Legend | Keys | None = None

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Width and height of each photo in its own pixels."""
        return tuple(image.size for image in self.images)


@dataclass(frozen=True)
class Page:
    """A scene laid out for a width: the sheet with the lines above and below it, in pixels."""

    scene: Scene
    sheet: Sheet
    title: Block
    captions: tuple[Block, ...]
    legend_px: float

    @property
    def above(self) -> int:
        """Height of the strip for the title."""
        return round(self.title.height_px + 0.8 * self.title.letter_px) if self.title.lines else 0

    @property
    def below(self) -> int:
        """Height of the strip for the captions and the legend."""
        caption = max((block.height_px for block in self.captions), default=0.0)
        used = caption + (1.5 * self.legend_px if self.scene.legend else 0)
        return round(used + 0.8 * self.legend_px) if used else 0


def lay_out(scene: Scene, width: int) -> Page:
    """Arrange photos and words for a picture of ``width`` pixels."""
    sheet = arrange(scene.sizes, width)
    title = wrapped(scene.title, 0.96 * width, TITLE * width)
    texts = scene.captions
    room = [min(0.75, max(0.25, rect.width / width)) * 0.95 * width for rect in sheet.rects]
    if sheet.stacked:
        room = [0.48 * width] * 2
        texts = tuple(f"{where}: {text}" for where, text in zip(("above", "below"), texts, strict=True))
    captions = tuple(elided(t, r, CAPTION * width) for t, r in zip(texts, room, strict=True))
    return Page(scene, sheet, title, captions, elided("0", width, CAPTION * width).letter_px)


def put_on(page: Page, ax: Axes, *, exact: bool) -> None:
    """Draw a page on an Axes.

    With ``exact`` the Axes is as large as the sheet, pixel by pixel; otherwise the sheet is fitted
    into it, and the photos have pixels to spare for zooming in.
    """
    sheet = page.sheet
    box = ax.get_window_extent()
    zoom = 1.0 if exact else min(box.width / sheet.width, box.height / sheet.height)
    pen = Pen(ax, sheet, zoom * 72 / ax.figure.dpi)

    for photo in range(len(page.scene.images)):
        if exact:
            _copy_photo(page, photo, ax)
        else:
            _fit_photo(page, photo, ax, zoom)
    left, right, bottom, top = sheet.limits()
    ax.set(xlim=(left, right), ylim=(bottom, top), xticks=[], yticks=[], facecolor=ax.figure.get_facecolor())
    for spine in ax.spines.values():
        spine.set_visible(False)
    if exact:
        ax.patch.set_visible(False)  # the photos lie below the Axes
    page.scene.marks(pen)
    _write(page, pen)


def _copy_photo(page: Page, photo: int, ax: Axes) -> None:
    """Put a photo below the Axes, pixel by pixel."""
    from tiepoint.plotting.pixels import Pixels

    rect = page.sheet.rects[photo]
    pixels = resized(page.scene.images[photo], (rect.width, rect.height))
    opaque = np.full((*pixels.shape[:2], 1), 255, np.uint8)
    rgba = np.concatenate([pixels, opaque], axis=2)
    ax.figure.add_artist(Pixels(rgba, rect.x, page.above + rect.y))


def _fit_photo(page: Page, photo: int, ax: Axes, zoom: float) -> None:
    sheet, image = page.sheet, page.scene.images[photo]
    rect = sheet.rects[photo]
    width = max(1, min(image.width, round(_SPARE * zoom * rect.width)))
    height = max(1, min(image.height, round(_SPARE * zoom * rect.height)))
    data_x, data_y = sheet.data_per_pixel
    ax.imshow(resized(image, (width, height)), extent=sheet.extent(photo), origin="upper",
              aspect=data_x / data_y, interpolation="antialiased", zorder=0)  # fmt: skip


def _write(page: Page, pen: Pen) -> None:
    ax, sheet = pen.ax, page.sheet
    if page.title.lines:
        letter = page.title.letter_px * pen.point
        ax.set_title("\n".join(page.title.lines), loc="center", y=1.0, pad=0.5 * letter, fontsize=letter,
                     color=pen.ink(INK), linespacing=LINE_SPACING, **text_style())  # fmt: skip
    drop = 0.35 * page.legend_px * pen.point
    for number, block in enumerate(page.captions):
        if not block.lines:
            continue
        rect = sheet.rects[number]
        middle = (0.25 + 0.5 * number) * sheet.width if sheet.stacked else rect.x + rect.width / 2
        half = 0.5 * block.width_px + 0.01 * sheet.width
        middle = min(max(middle, half), sheet.width - half) / sheet.width
        ax.annotate(block.lines[0], (middle, 0), xycoords="axes fraction",
                    xytext=(0, -drop - 0.8 * block.letter_px * pen.point), textcoords="offset points",
                    ha="center", va="baseline",
                    fontsize=block.letter_px * pen.point, color=pen.ink(FAINT_INK), annotation_clip=False,
                    **text_style())  # fmt: skip
    if page.scene.legend is not None:
        caption = max((block.height_px for block in page.captions), default=0.0) * pen.point
        page.scene.legend.write(pen, drop + caption, page.legend_px * pen.point)
