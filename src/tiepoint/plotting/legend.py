"""What the colours mean, in a line under the photos: a graded bar, or a stroke and words for each colour."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.plotting.style import FAINT_INK, RIM, RIM_RATIO
from tiepoint.plotting.text import text_style, width_of

if TYPE_CHECKING:
    from matplotlib.transforms import Transform

    from tiepoint.plotting.scene import Pen

# In letters.
_BAR, _STROKE, _APART = 4.0, 2.0, 1.5


@dataclass(frozen=True)
class Legend:
    """What graded colours mean: words for both ends, and colours (N, 3) in between."""

    low: str
    high: str
    colours: NDArray[np.float64]

    def write(self, pen: Pen, drop: float, letter: float) -> None:
        """Draw a bar of the colours under the middle of the photos, its words beside it.

        ``drop`` is how far below the photos, ``letter`` the size of the letters, both in points.
        """
        from matplotlib.collections import PolyCollection

        half, height = _BAR * letter, 0.8 * letter
        edges = np.linspace(-half, half, len(self.colours) + 1)
        # Each stripe reaches under the next one, or a viewer's antialiasing shows seams between them.
        stripes = [[(a, 0.0), (min(b + 1, half), 0.0), (min(b + 1, half), height), (a, height)]
                   for a, b in pairwise(edges)]  # fmt: skip
        bar = PolyCollection(stripes, facecolors=self.colours, edgecolors="none", linewidths=0, clip_on=False,
                             transform=_under(pen, drop + 1.1 * letter))  # fmt: skip
        pen.ax.add_artist(bar)
        for side, text in ((-1, self.low), (1, self.high)):
            _words(pen, text, side * (half + 0.5 * letter), drop, letter, ha="right" if side < 0 else "left")


@dataclass(frozen=True)
class Keys:
    """What single colours mean: (colour, words), in order."""

    entries: tuple[tuple[str, str], ...]

    def write(self, pen: Pen, drop: float, letter: float) -> None:
        """Draw a stroke of each colour and its words, all in a line under the middle of the photos."""
        from matplotlib.collections import LineCollection

        pixel = pen.point
        widths = [width_of(words, letter / pixel) * pixel for _, words in self.entries]
        entry = (_STROKE + 0.4) * letter
        left = -0.5 * (sum(widths) + len(widths) * entry + (len(widths) - 1) * _APART * letter)
        for (colour, words), width in zip(self.entries, widths, strict=True):
            stroke = [[(left, 0.0), (left + _STROKE * letter, 0.0)]] * 2
            thick = 0.22 * letter
            lines = LineCollection(stroke, colors=[RIM, colour], linewidths=[RIM_RATIO * thick, thick],
                                   clip_on=False, capstyle="butt",
                                   transform=_under(pen, drop + 0.7 * letter))  # fmt: skip
            pen.ax.add_artist(lines)
            _words(pen, words, left + entry, drop, letter, ha="left")
            left += entry + width + _APART * letter


def _under(pen: Pen, drop: float) -> Transform:
    """Return the transform from points, counted from below the middle of the photos."""
    from matplotlib.transforms import Affine2D, ScaledTranslation

    ax = pen.ax
    corner = ScaledTranslation(0.5, 0, ax.transAxes)  # type: ignore[arg-type]
    return Affine2D().translate(0, -drop).scale(1 / 72) + ax.figure.dpi_scale_trans + corner


def _words(pen: Pen, text: str, x: float, drop: float, letter: float, **place: Any) -> None:
    pen.ax.annotate(text, (0.5, 0), xycoords="axes fraction", textcoords="offset points",
                    xytext=(x, -drop - 0.7 * letter), va="center", fontsize=letter,
                    color=pen.ink(FAINT_INK), annotation_clip=False, **place, **text_style())  # fmt: skip
