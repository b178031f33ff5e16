"""What the colours of matches tell: each match from the others, or the good from the doubtful."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import DataError, OptionError
from tiepoint.plotting.legend import Legend
from tiepoint.plotting.style import OKABE_ITO, graded
from tiepoint.types import Matches

ColorBy = Literal["auto", "match", "inlier", "ratio", "distance", "score"]

# Up to here a match can be followed by its own colour.
FEW = 30

_MEANING: dict[ColorBy, tuple[str, str]] = {
    "ratio": ("distinct, ratio", "less distinct"),
    "distance": ("near, distance", "less near"),
    "score": ("sure, score", "less sure"),
}


def chosen_colouring(matches: Matches, color_by: ColorBy) -> ColorBy:
    """Return what to colour by: never "auto", and nothing that these matches do not have.

    Those of a geometry are not coloured here, see :mod:`tiepoint.plotting.agreement`.
    """
    if color_by not in get_args(ColorBy):
        raise OptionError(f"color_by must be one of {', '.join(get_args(ColorBy))}, not {color_by!r}")
    if color_by == "auto":
        known = [name for name in _MEANING if getattr(matches, name) is not None]
        return "match" if len(matches) <= FEW or not known else known[0]
    if color_by == "inlier":
        raise DataError("these matches have no geometry to colour them by; match with verify=True")
    if color_by != "match" and getattr(matches, color_by) is None:
        raise DataError(f"these matches have no {color_by} to colour them by; color_by='match' needs none")
    return color_by


def colours_of(matches: Matches, by: ColorBy) -> tuple[NDArray[np.float64], Legend | None]:
    """Return (M, 3) colours, and what they mean where they mean something."""
    from matplotlib.colors import to_rgb

    if by == "match":
        palette = np.array([to_rgb(colour) for colour in OKABE_ITO])
        colours = np.empty((len(matches), 3))
        # Neighbours on the photo, not neighbours in rank, must not share a colour.
        colours[np.argsort(matches.xy0[:, 1], kind="stable")] = palette[
            np.arange(len(matches)) % len(palette)
        ]
        return colours, None
    values = getattr(matches, by).astype(np.float64)
    if not len(values):
        return np.empty((0, 3)), None
    low, high = values.min(), values.max()
    best, worst = (high, low) if by == "score" else (low, high)
    scale = graded(np.linspace(0, 1, 32), 0, 1)
    good, less = _MEANING[by]
    legend = Legend(f"{good} {best:.3g}", f"{worst:.3g} {less}", scale)
    sign = -1 if by == "score" else 1
    return graded(sign * values, sign * best, sign * worst), legend
