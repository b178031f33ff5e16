"""The table for a terminal: wide with intervals beside the figures, narrow with intervals below them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from tiepoint.evaluation.bench.report.columns import Column, columns_of, short_labels
from tiepoint.evaluation.bench.report.document import Report
from tiepoint.evaluation.bench.report.words import (
    comparison_words,
    dataset_words,
    failure_words,
    machine_words,
    protocol_facts,
)
from tiepoint.evaluation.bench.summary import Row

if TYPE_CHECKING:
    from rich.table import Table

_LABEL = 16  # letters that a name has at least
_PLAIN = str.maketrans({"±": "~", "\N{MINUS SIGN}": "-", "─": "-"})


def report_text(report: Report, *, width: int = 100, ascii_only: bool = False) -> str:
    """Return the table with what it was measured by, as text.

    Parameters
    ----------
    report : Report
    width : int
        Letters in a line; from 80 on all columns are whole.
    ascii_only : bool
        For terminals whose encoding has no "±".

    Examples
    --------
    >>> from tiepoint.evaluation.bench import Protocol, contenders
    >>> from tiepoint.evaluation.bench.report import Report, report_text
    >>> from tiepoint.evaluation.datasets import Dataset
    >>> report = Report.of(Dataset(name="towns", pairs=()), Protocol(), contenders("orb"), [])
    >>> report_text(report).splitlines()[0]
    'towns: 0 pairs of 0 sequences'
    """
    columns = columns_of(report.rows)
    labels, _ = short_labels([row.label for row in report.rows])
    wide = _table(report.rows, labels, columns, beside=True)
    needed = _drawn([wide], 10_000).splitlines()
    if max((len(line) for line in needed), default=0) <= width:
        shown = wide
    else:
        # What the figures leave to the names.
        figures = _drawn([_table(report.rows, ["x"] * len(labels), columns, beside=False)], 10_000)
        room = max(_LABEL, width - max(map(len, figures.splitlines())) + len("extractor"))
        shown = _table(report.rows, [_folded(label, room) for label in labels], columns, beside=False)
    lines: list[str | Table] = [f"{report.dataset.name}: {dataset_words(report)}", shown]
    remarks = comparison_words(report)
    if (failed := failure_words(report)) is not None:
        remarks.append(f"{failed}; those pairs are left out of the rows concerned.")
    lines += ["", *remarks, ""] if remarks else [""]
    lines.append(_facts((*protocol_facts(report), *machine_words(report))))
    text = _drawn(lines, width)
    return text.translate(_PLAIN).encode("ascii", "replace").decode() if ascii_only else text


def _table(rows: Iterable[Row], labels: Iterable[str], columns: tuple[Column, ...], *, beside: bool) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1 if beside else 0, 0, 0))
    table.add_column(Text("extractor"), no_wrap=beside, overflow="fold")
    for column in columns:
        table.add_column(Text(column.head), justify="right", no_wrap=True)
    for row, label in zip(rows, labels, strict=True):
        table.add_row(Text(label), *(Text(_cell(row, column, beside)) for column in columns))
    return table


def _folded(label: str, room: int) -> str:
    """Break a name into lines, where it can be after a mark and not within a word."""
    lines = [""]
    for part in re.findall(r"[^:,=_]*[:,=_]?", label):
        if lines[-1] and len(lines[-1] + part) > room:
            lines.append("")
        lines[-1] += part.lstrip() if not lines[-1] else part
    return "\n".join(lines)


def _cell(row: Row, column: Column, beside: bool) -> str:
    figure = row.figures.get(column.name)
    if figure is None:
        return "-"
    # An interval without width is that of a single pair, or of pairs that are all alike: it tells nothing.
    if not column.interval or figure.low == figure.high:
        return column.value(figure)
    return f"{column.value(figure)}{' ' if beside else chr(10)}±{column.half(figure)}"


def _facts(facts: Iterable[tuple[str, str]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2, 0, 0))
    for term, said in facts:
        grid.add_row(Text(term), Text(said))
    return grid


def _drawn(parts: Iterable[str | Table], width: int) -> str:
    from rich.console import Console
    from rich.text import Text

    stream = io.StringIO()
    console = Console(file=stream, width=width, color_system=None, force_terminal=False, emoji=False)
    for part in parts:
        console.print(Text(part) if isinstance(part, str) else part, soft_wrap=False)
    return "".join(f"{line.rstrip()}\n" for line in stream.getvalue().splitlines())
