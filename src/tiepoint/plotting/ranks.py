"""Numbers beside the ends of a few matches, so that each end finds its other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tiepoint.plotting.scene import Pen
from tiepoint.plotting.style import MATCH_DOT, NUMBER, RIM
from tiepoint.plotting.text import text_style

_Box = tuple[float, float, float, float]


def write_ranks(pen: Pen, ends: NDArray[np.float64], colours: NDArray[np.float64]) -> None:
    """Write each match's rank beside both its ends, where it covers neither another number nor a dot.

    The strongest chooses first; a number that finds no free place on the sheet is left out.

    Parameters
    ----------
    pen : Pen
        Where to write.
    ends : ndarray, (M, 2, 2) float64
        Data coordinates of both ends of each match, strongest first.
    colours : ndarray, (M, 3) float64
        Of the matches.
    """
    from matplotlib.patheffects import AbstractPathEffect, withStroke

    sheet = pen.sheet
    letter = NUMBER * sheet.width
    rim: list[AbstractPathEffect] = [
        withStroke(linewidth=0.25 * letter * pen.point, foreground=RIM, alpha=0.8)
    ]
    dot = 0.5 * MATCH_DOT * sheet.width
    spots = [[sheet.to_sheet(spot) for spot in pair] for pair in ends]
    taken = [(x - dot, y - dot, x + dot, y + dot) for pair in spots for x, y in pair]
    for rank, (pair, colour) in enumerate(zip(spots, colours, strict=True), start=1):
        half = (0.34 * len(str(rank)) + 0.05) * letter, 0.42 * letter
        for (x, y), outward in zip(pair, (-1, 1), strict=True):
            for dx, dy in _places(half, dot + 0.1 * letter, outward):
                box = (x + dx - half[0], y + dy - half[1], x + dx + half[0], y + dy + half[1])
                inside = min(box) >= 0 and box[2] <= sheet.width and box[3] <= sheet.height
                if inside and not any(_overlap(box, other) for other in taken):
                    break
            else:
                continue
            taken.append(box)
            middle = sheet.to_data(np.array([x + dx, y + dy]))
            text = pen.ax.annotate(
                str(rank), tuple(middle), ha="center", va="center_baseline",
                fontsize=letter * pen.point, color=tuple(colour), zorder=2.2, **text_style()
            )  # fmt: skip
            text.set_path_effects(rim)


def _places(half: tuple[float, float], away: float, outward: int) -> Iterator[tuple[float, float]]:
    """Yield offsets of a number from its dot, the best first: outward, where its own line is not."""
    aside, up = outward * (half[0] + away), half[1] + away
    yield from ((aside, 0), (0, -up), (0, up), (aside, -up), (aside, up), (-aside, -up), (-aside, up))


def _overlap(box: _Box, other: _Box) -> bool:
    return box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]
