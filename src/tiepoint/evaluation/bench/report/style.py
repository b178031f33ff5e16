"""How the pictures look: colours for light and dark, the frame, the legend below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tiepoint.plotting.style import FAINT_INK, INK, OKABE_ITO, PAPER
from tiepoint.plotting.text import elided, text_style

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_YELLOW, _SKY, _ORANGE, _GREEN, _PINK, _BLUE, _RED = OKABE_ITO
_MARKERS = "osD^vP*X"
_STYLES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))
_HATCHES = ("", "///", "...", "xxx")
_WIDTH, _HEIGHT, _LEGEND_LINE = 480, 330, 17  # pixels of CSS
_LETTER = 9.0  # points, 12 pixels of CSS


@dataclass(frozen=True)
class Theme:
    """Paper, ink and colours of lines; neighbours far apart with any common colour blindness."""

    paper: str
    ink: str
    faint: str
    colours: tuple[str, ...]


# On white paper yellow cannot be seen, on dark paper blue; each has the ink instead.
LIGHT = Theme(PAPER, INK, FAINT_INK, (_BLUE, _RED, _GREEN, _PINK, _ORANGE, _SKY, INK))
DARK = Theme("#16181c", "#e8e8e8", "#a9b0b8", (_SKY, _RED, _GREEN, _PINK, _ORANGE, _YELLOW, "#e8e8e8"))


@dataclass(frozen=True)
class Look:
    """How one row is told from the others: colour, marker, dashes, hatches."""

    colour: str
    marker: str
    style: Any
    hatch: str

    @property
    def line(self) -> dict[str, Any]:
        """What plot() takes for a line."""
        return {"color": self.colour, "linestyle": self.style, "linewidth": 1.8}

    @property
    def bare(self) -> dict[str, Any]:
        """What plot() takes for points without a line."""
        return {"color": self.colour, "linestyle": "none"}

    @property
    def dot(self) -> dict[str, Any]:
        """What plot() takes for its points."""
        return {"marker": self.marker, "markersize": 5, "markeredgewidth": 0}


def looks(count: int, theme: Theme) -> list[Look]:
    """Return as many looks, none twice up to 28 of them."""
    return [
        Look(
            theme.colours[number % len(theme.colours)],
            _MARKERS[number % len(_MARKERS)],
            *(
                choice[number // len(theme.colours) % len(choice)]
                for choice in (_STYLES, _HATCHES)
            ),
        )
        for number in range(count)
    ]  # fmt: skip


@contextmanager
def set_up() -> Iterator[None]:
    """Draw by matplotlib's own defaults, whatever the settings of whoever runs this say."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams["font.family"] = text_style()["fontfamily"]
        mpl.rcParams["font.size"] = _LETTER
        mpl.rcParams["hatch.linewidth"] = 0.8
        yield


Handle = Literal["line", "dot", "bar"]


def framed(
    title: str, entries: Sequence[tuple[str, Look]], theme: Theme, handle: Handle
) -> tuple[Figure, Axes]:
    """Return a figure with its title, its empty axes, and a legend below them."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    height = _HEIGHT + _LEGEND_LINE * len(entries)
    figure = Figure(
        figsize=(_WIDTH / 96, height / 96),
        dpi=96,
        facecolor=theme.paper,
        layout=ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08),
    )
    ax = figure.add_subplot()
    ax.set_facecolor(theme.paper)
    ax.set_title(title, color=theme.ink, fontsize=_LETTER + 1, loc="left", parse_math=False)
    ax.grid(color=theme.faint, alpha=0.25, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.tick_params(colors=theme.ink, labelsize=_LETTER)
    for axis in (ax.xaxis, ax.yaxis):
        axis.label.set_color(theme.ink)
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(theme.faint)
    legend = figure.legend(
        [_handle(look, theme, handle) for _, look in entries],
        ["".join(elided(label, _WIDTH - 60, 12).lines) for label, _ in entries],
        loc="outside lower left",
        frameon=False,
        labelcolor=theme.ink,
        borderpad=0,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)
    return figure, ax


def _handle(look: Look, theme: Theme, handle: Handle) -> Artist:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    if handle == "bar":
        return Patch(facecolor=look.colour, edgecolor=theme.paper, hatch=look.hatch, linewidth=0)
    return Line2D([], [], **(look.line if handle == "line" else look.bare), **look.dot)
