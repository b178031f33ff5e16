"""Where the photos lie in the picture: whole pixels, so that a photo at its own size is not resampled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import OptionError
from tiepoint.types._arrays import checked_count

Size = tuple[int, int]

NARROWEST, WIDEST = 64, 20_000
_NATURAL = (800, 2400)
_MAX_PIXELS = 150_000_000
# Beyond these a picture is padded: a photo of 3 x 60000 pixels must not make one of that shape.
_TALLEST, _FLATTEST = 2.5, 1 / 8
# Two photos whose widths add up to more than this many heights fill the page better one below the other.
_STACK_FROM = 4.4
_GAP = 0.008


@dataclass(frozen=True)
class Rect:
    """A photo's place, in whole pixels of the sheet from its top left corner."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Sheet:
    """The part of the picture that shows photos, without title and captions.

    The data coordinates of its Axes are the pixels of photo 0, so that whoever draws on it further
    uses the numbers that are in Features and Matches.
    """

    width: int
    height: int
    sizes: tuple[Size, ...]
    rects: tuple[Rect, ...]
    stacked: bool = False

    @property
    def data_per_pixel(self) -> tuple[float, float]:
        """Width and height of a sheet pixel in pixels of photo 0; equal but for rounding."""
        return self.sizes[0][0] / self.rects[0].width, self.sizes[0][1] / self.rects[0].height

    def to_data(self, sheet_xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn (N, 2) sheet positions, (0, 0) being the top left *corner*, to data coordinates."""
        corner = (self.rects[0].x, self.rects[0].y)
        return (sheet_xy - corner) * self.data_per_pixel - 0.5

    def to_sheet(self, data_xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn (N, 2) data coordinates to sheet positions; undoes :meth:`to_data`."""
        corner = (self.rects[0].x, self.rects[0].y)
        return (data_xy + 0.5) / self.data_per_pixel + corner

    def place(self, photo: int, xy: NDArray[np.float32]) -> NDArray[np.float64]:
        """Turn (N, 2) positions in pixels of a photo to data coordinates."""
        rect, size = self.rects[photo], self.sizes[photo]
        scale = np.array([rect.width / size[0], rect.height / size[1]])
        return self.to_data((xy.astype(np.float64) + 0.5) * scale + (rect.x, rect.y))

    def extent(self, photo: int) -> tuple[float, float, float, float]:
        """Return a photo's (left, right, bottom, top) in data coordinates."""
        rect = self.rects[photo]
        corners = np.array([[rect.x, rect.y], [rect.x + rect.width, rect.y + rect.height]], np.float64)
        (left, top), (right, bottom) = self.to_data(corners)
        return float(left), float(right), float(bottom), float(top)

    def limits(self) -> tuple[float, float, float, float]:
        """Return the sheet's own (left, right, bottom, top) in data coordinates."""
        (left, top), (right, bottom) = self.to_data(np.array([[0.0, 0.0], [self.width, self.height]]))
        return float(left), float(right), float(bottom), float(top)


def arrange(sizes: tuple[Size, ...], width: int) -> Sheet:
    """Place one photo, or two beside or below each other, on a sheet of ``width`` pixels.

    Two photos beside each other get the same height, below each other the same width, whatever
    their resolutions are: what is to be compared is then about equally large.
    """
    gap = _gap(width)
    shapes = [w / h for w, h in sizes]
    stacked = _is_stacked(sizes)
    if len(sizes) == 1:
        height = min(width / shapes[0], _TALLEST * width)
        rects = [_rect(0, 0, height * shapes[0], height)]
    elif stacked:
        heights = [width / shape for shape in shapes]
        rects = [_rect(0, 0, width, heights[0])]
        rects.append(_rect(0, rects[0].height + gap, width, heights[1]))
    else:
        height = min((width - gap) / sum(shapes), _TALLEST * width)
        left = _rect(0, 0, min(height * shapes[0], width - gap - 1), height)
        rest = width - gap - left.width
        right = rest if height < _TALLEST * width else min(rest, height * shapes[1])
        rects = [left, _rect(left.width + gap, 0, right, height)]
    used = max(r.x + r.width for r in rects), max(r.y + r.height for r in rects)
    height = max(used[1], round(_FLATTEST * width))
    dx, dy = (width - used[0]) // 2, (height - used[1]) // 2
    moved = tuple(Rect(r.x + dx, r.y + dy, r.width, r.height) for r in rects)
    return Sheet(width, height, sizes, moved, stacked)


def natural_width(sizes: tuple[Size, ...]) -> int:
    """Return the width at which the larger photo is shown pixel by pixel, within 800 to 2400."""
    if len(sizes) == 1 or _is_stacked(sizes):
        width = max(w for w, _ in sizes)
    else:
        tallest = max(h for _, h in sizes)
        photos = sum(round(w * tallest / h) for w, h in sizes)
        width = min(photos, _NATURAL[1])
        while width - _gap(width) < photos and width < _NATURAL[1]:
            width += 1
    return min(max(width, _NATURAL[0]), _NATURAL[1])


def checked_width(width: int | None, sizes: tuple[Size, ...]) -> int:
    """Return ``width``, or the natural one for None; refuse what cannot be drawn or would fill the memory."""
    if width is None:
        return natural_width(sizes)
    wanted = checked_count("width", width, least=NARROWEST, most=WIDEST)
    height = arrange(sizes, wanted).height
    if wanted * height > _MAX_PIXELS:
        raise OptionError(
            f"width {wanted} makes a picture of {wanted}x{height} pixels, more than {_MAX_PIXELS // 10**6} "
            f"million; ask for at most {int(wanted * (_MAX_PIXELS / (wanted * height)) ** 0.5)}"
        )
    return wanted


def _rect(x: int, y: int, width: float, height: float) -> Rect:
    return Rect(x, y, max(1, round(width)), max(1, round(height)))


def _gap(width: int) -> int:
    return max(2, round(_GAP * width))


def _is_stacked(sizes: tuple[Size, ...]) -> bool:
    if len(sizes) == 1:
        return False
    shapes = [w / h for w, h in sizes]
    return sum(shapes) > _STACK_FROM and sum(1 / shape for shape in shapes) < _TALLEST
