"""Matches as lines from photo to photo, with a dot at each end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiepoint.plotting.colouring import FEW
from tiepoint.plotting.ranks import write_ranks
from tiepoint.plotting.scene import Pen
from tiepoint.plotting.style import MATCH_DOT, MATCH_LINE, RIM, RIM_RATIO, thinner
from tiepoint.types import Matches

_MOST_NUMBERS = 15


def mark_matches(
    pen: Pen,
    matches: Matches,
    colours: NDArray[np.float64],
    *,
    numbered: bool,
    weight: float = 1.0,
    order: float = 2.0,
) -> None:
    """Draw lines, then dots at their ends, then numbers; the strongest last and so on top.

    Parameters
    ----------
    pen : Pen
        Where to draw.
    matches : Matches
        Strongest first.
    colours : ndarray, (M, 3) float64
    numbered : bool
        Whether few matches get their ranks beside their ends.
    weight : float
        Thickness of lines and dots; those of 1 are made to be seen first.
    order : float
        What has a higher one is drawn on top.
    """
    from matplotlib.collections import EllipseCollection, LineCollection

    count = len(matches)
    if not count:
        return
    ax, sheet = pen.ax, pen.sheet
    ends = np.stack([sheet.place(0, matches.xy0), sheet.place(1, matches.xy1)], axis=1)
    thin = weight * thinner(count, FEW)
    line = pen.points(MATCH_LINE) * thin
    last = slice(None, None, -1)
    # Every line lies on its own rim, so that crossings can be followed.
    segments = np.repeat(ends[last], 2, axis=0)
    widths = np.tile([line * RIM_RATIO, line], count)
    inks = np.empty((2 * count, 4))
    inks[0::2] = (0, 0, 0, 0.5 if count <= FEW else 0.25)
    inks[1::2, :3] = colours[last]
    inks[1::2, 3] = 0.9 if count <= FEW else 0.7
    lines = LineCollection(list(segments), colors=inks, linewidths=widths, zorder=order, antialiaseds=True,
                           capstyle="butt")  # fmt: skip
    ax.add_collection(lines, autolim=False)

    spots = ends[last].reshape(-1, 2)
    diameter = MATCH_DOT * thin * sheet.width
    across, down = (np.full(len(spots), diameter * step) for step in sheet.data_per_pixel)
    dots = EllipseCollection(across, down, np.zeros(len(spots)), units="xy", offsets=spots,
                             offset_transform=ax.transData, facecolors=np.repeat(colours[last], 2, axis=0),
                             edgecolors=RIM, linewidths=0.5 * line, zorder=order + 0.1,
                             antialiaseds=True)  # fmt: skip
    ax.add_collection(dots, autolim=False)
    if numbered and count <= _MOST_NUMBERS:
        write_ranks(pen, ends, colours)
