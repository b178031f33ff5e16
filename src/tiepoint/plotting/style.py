"""How pictures look: colours, and the sizes of lines and letters as fractions of the width.

Sizes are fractions so that a picture looks the same at 600 and at 3000 pixels. Colours can be told
apart with any common colour blindness, and every line has a dark rim so that it shows on a white
wall as on a dark roof.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PAPER = "#ffffff"
INK = "#1a1a1a"
FAINT_INK = "#555555"
RIM = "#000000"

# M. Okabe and K. Ito, "Color Universal Design", 2008; https://jfly.uni-koeln.de/color/. Their black is left
# out, it would vanish in its rim; they are in an order that keeps neighbours far apart.
OKABE_ITO = ("#f0e442", "#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#0072b2", "#d55e00")
KEYPOINT = OKABE_ITO[0]
# Blue and red-orange differ for every eye, and in brightness, too.
AGREE, REJECTED, OUTLINE = OKABE_ITO[1], OKABE_ITO[6], OKABE_ITO[0]

# The dark end of viridis is cut off: on a photo it cannot be told from shadow.
_VIRIDIS_FROM = 0.40

TITLE = 0.020
CAPTION = 0.0155
SMALLEST_LETTER_PX = 9.0

KEYPOINT_LINE = 0.0022
KEYPOINT_SMALLEST = 0.009
MATCH_LINE = 0.0021
MATCH_DOT = 0.0075
NUMBER = 0.0155
RIM_RATIO = 2.2


def thinner(count: int, few: int) -> float:
    """Return the factor by which lines get thinner: 1 up to ``few`` of them, then by the fourth root.

    With the fourth root, sixteen times as many lines put eight times as much ink on the photo.
    """
    return float(min(1.0, (few / max(1, count)) ** 0.25))


def graded(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Return (N, 3) colours in 0..1 from viridis: ``low`` is bright yellow, ``high`` dark blue."""
    import matplotlib as mpl

    share = np.clip((values - low) / (high - low), 0, 1) if high > low else np.zeros(len(values))
    colours = mpl.colormaps["viridis"](1 - share * (1 - _VIRIDIS_FROM))
    return np.asarray(colours, np.float64)[:, :3]
