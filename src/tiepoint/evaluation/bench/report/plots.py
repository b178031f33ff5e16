"""The pictures: accuracy by threshold, areas with their intervals, speed against accuracy, distinctiveness.

Each is drawn on a Figure of its own that pyplot does not know, 480 pixels wide, so that its letters can be
read on a phone; a PNG has three times as many.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tiepoint.evaluation.bench.report.columns import short_labels
from tiepoint.evaluation.bench.report.document import Report
from tiepoint.evaluation.bench.report.style import LIGHT, Handle, Look, Theme, framed, looks, set_up
from tiepoint.evaluation.bench.summary import Figure as Measured
from tiepoint.evaluation.bench.summary import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Line = tuple[str, Row, Look]
Put = Callable[["Axes", Theme, list[Line]], None]

_PNG_DPI = 288
_BANDS = 4  # more intervals than this hide each other


@dataclass(frozen=True)
class Picture:
    """One picture: a name for its file, what it says, and how to draw it.

    Examples
    --------
    >>> from tiepoint.evaluation.bench.report.plots import Picture
    >>> Picture("mma", "MMA", "Curves.", lambda theme: None).name
    'mma'
    """

    name: str
    title: str
    meaning: str
    draw: Callable[[Theme], Figure]

    def png(self) -> bytes:
        """Return the picture as PNG, on white."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        stream = io.BytesIO()
        with set_up():
            figure = self.draw(LIGHT)
            figure.set_dpi(_PNG_DPI)
            FigureCanvasAgg(figure).print_png(stream)  # type: ignore[no-untyped-call]
        return stream.getvalue()

    def svg(self, theme: Theme) -> tuple[bytes, tuple[int, int]]:
        """Return the picture as SVG, and its size in pixels of CSS."""
        from matplotlib.backends.backend_svg import FigureCanvasSVG

        stream = io.BytesIO()
        with set_up():
            figure = self.draw(theme)
            FigureCanvasSVG(figure).print_svg(stream, metadata={"Date": None})  # type: ignore[no-untyped-call]
        width, height = 96 * figure.get_size_inches()
        return stream.getvalue(), (round(width), round(height))


def report_pictures(report: Report) -> tuple[Picture, ...]:
    """Return the pictures that the truth of the data set allows.

    Examples
    --------
    >>> from tiepoint.evaluation.bench import Protocol, contenders
    >>> from tiepoint.evaluation.bench.report import Report, report_pictures
    >>> from tiepoint.evaluation.datasets import Dataset
    >>> report = Report.of(Dataset(name="towns", pairs=()), Protocol(), contenders("orb"), [])
    >>> report_pictures(report)
    ()
    """
    labels, _ = short_labels([row.label for row in report.rows])
    lines = [line for line in zip(labels, report.rows, strict=True) if line[1].figures]
    names = {name for _, row in lines for name in row.figures}
    pictures = []

    def add(name: str, handle: Handle, title: str, meaning: str, put: Put) -> None:
        pictures.append(Picture(name, title, meaning, lambda theme: _drawn(lines, title, theme, handle, put)))

    if "mma@1" in names:
        add(
            "mma",
            "line",
            "Mean matching accuracy",
            "Share of the matches of a pair that are within so many pixels of the truth, mean over pairs"
            + ("; bands: 95 % intervals." if len(lines) <= _BANDS else "."),
            _mma,
        )
    for kind, unit in (("homography", " px"), ("pose", "°")):
        areas = [name for name in names if name.startswith(f"{kind}_auc@")]
        areas.sort(key=lambda name: float(name.partition("@")[2]))
        if not areas:
            continue
        ticks = [f"up to {area.partition('@')[2]}{unit}" for area in areas]
        what = "homographies" if kind == "homography" else "relative poses"
        add(
            "auc",
            "bar",
            f"Area under the curve of {what}, %",
            f"How many {what} are estimated well, and how well; whiskers: 95 % intervals.",
            _bars(areas, ticks, scale=100, top=100),
        )
        add(
            "speed",
            "dot",
            f"Speed and accuracy ({what} {ticks[-1]})",
            "Seconds of one thread for a pair: both photos extracted, matched, estimated; further up and "
            "to the left is better.",
            _speed(areas[-1]),
        )
    if "matches_same" in names or "matches_different" in names:
        groups = [name for name in ("matches_same", "matches_different") if name in names]
        add(
            "matches",
            "bar",
            "Matches of a pair",
            "Matches of pairs that show the same thing, and of pairs that do not, where each is wrong; "
            "whiskers: 95 % intervals.",
            _bars(groups, [name.removeprefix("matches_") for name in groups], scale=1, top=None),
        )
    if any(row.ratio_right and row.ratio_wrong for _, row in lines):
        add(
            "distinctiveness",
            "line",
            "Distinctiveness",
            "Share of the nearest neighbours whose ratio of best to second best distance is at most so much. "
            "Solid: right ones; dashed: wrong ones. The further apart, the more a ratio test helps.",
            _distinctiveness,
        )
    return tuple(pictures)


def _drawn(rows: list[tuple[str, Row]], title: str, theme: Theme, handle: Handle, put: Put) -> Figure:
    lines = [(label, row, look) for (label, row), look in zip(rows, looks(len(rows), theme), strict=True)]
    figure, ax = framed(title, [(label, look) for label, _, look in lines], theme, handle)
    put(ax, theme, lines)
    return figure


def _mma(ax: Axes, _theme: Theme, lines: list[Line]) -> None:
    pixels = np.arange(1, 11)
    for _, row, look in lines:
        figures = [row.figures[f"mma@{p}"] for p in pixels if f"mma@{p}" in row.figures]
        if len(figures) != len(pixels):
            continue
        if len(lines) <= _BANDS:
            low, high = [f.low for f in figures], [f.high for f in figures]
            ax.fill_between(pixels, low, high, color=look.colour, alpha=0.15, linewidth=0)
        ax.plot(pixels, [f.value for f in figures], **look.line, **look.dot)
    ax.set_xlim(0.8, 10.2)
    ax.set_ylim(0, 1)
    ax.set_xticks(pixels)
    ax.set_xlabel("within, pixels")
    ax.set_ylabel("share of matches")


def _bars(names: Sequence[str], ticks: Sequence[str], *, scale: float, top: float | None) -> Put:
    def put(ax: Axes, theme: Theme, lines: list[Line]) -> None:
        width = 0.8 / len(lines)
        for number, (_, row, look) in enumerate(lines):
            for group, name in enumerate(names):
                if name not in row.figures:
                    continue
                figure = row.figures[name]
                x = group + (number - (len(lines) - 1) / 2) * width
                ax.bar(
                    x,
                    scale * figure.value,
                    0.9 * width,
                    facecolor=look.colour,
                    edgecolor=theme.paper,
                    hatch=look.hatch,
                    linewidth=0,
                )
                if figure.low < figure.high:
                    whiskers = _whiskers(figure, scale)
                    ax.errorbar(x, scale * figure.value, whiskers, color=theme.ink, capsize=2, linewidth=1)
        ax.set_xticks(range(len(names)), ticks)
        ax.set_xlim(-0.5, len(names) - 0.5)
        ax.set_ylim(0, top)
        ax.grid(visible=False, axis="x")

    return put


def _speed(name: str) -> Put:
    def put(ax: Axes, theme: Theme, lines: list[Line]) -> None:
        from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

        times = []
        for _, row, look in lines:
            figure = row.figures.get(name)
            if figure is None:
                continue
            seconds = 2 * row.figures["seconds_image"].value + row.figures["seconds_pair"].value
            times.append(seconds)
            ax.errorbar(
                seconds,
                100 * figure.value,
                _whiskers(figure, 100),
                ecolor=theme.faint,
                elinewidth=1,
                capsize=3,
                **look.bare,
                **{**look.dot, "markersize": 9},
            )
        ax.set_xscale("log")
        low, high = min(times) / 2, max(times) * 2
        ax.set_xlim(low, high)
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 200 else (1,)))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.set_ylim(0, 104)  # a marker at 100 is whole
        ax.set_xlabel("seconds for a pair")
        ax.set_ylabel("area under the curve, %")

    return put


def _distinctiveness(ax: Axes, theme: Theme, lines: list[Line]) -> None:
    for number, (_, row, look) in enumerate(lines):
        for shares, style in ((row.ratio_right, "-"), (row.ratio_wrong, (0, (4, 2)))):
            if shares:
                x = np.linspace(0, 1, len(shares) + 1)
                how = {**look.line, **look.dot, "linestyle": style}
                ax.plot(x, [0, *shares], **how, markevery=(5 + number % 5, 10))
    ratios = {row.matcher.get("ratio") for _, row, _ in lines}
    if len(ratios) == 1 and isinstance(ratio := ratios.pop(), float):
        ax.axvline(ratio, color=theme.faint, linewidth=1, linestyle=":")
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ax.set_xlabel("ratio of best to second best distance")
    ax.set_ylabel("share of neighbours")


def _whiskers(figure: Measured, scale: float) -> list[list[float]]:
    # A statistic that is no mean may lie outside of its interval by a hair.
    below, above = figure.value - figure.low, figure.high - figure.value
    return [[scale * max(below, 0.0)], [scale * max(above, 0.0)]]
