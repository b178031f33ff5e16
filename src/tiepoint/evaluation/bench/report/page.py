"""The page: table, pictures, sequences, protocol, in one HTML file."""

from __future__ import annotations

from collections.abc import Iterator

from tiepoint.evaluation.bench.report.columns import Column, columns_of, short_labels
from tiepoint.evaluation.bench.report.document import Report
from tiepoint.evaluation.bench.report.plots import Picture, report_pictures
from tiepoint.evaluation.bench.report.style import DARK, LIGHT
from tiepoint.evaluation.bench.report.words import (
    comparison_words,
    dataset_words,
    failure_words,
    machine_words,
    protocol_facts,
)
from tiepoint.evaluation.bench.summary import Row
from tiepoint.plotting.pages import Cell, Markup, definitions, element, joined, page, picture, table

_MOST_ERRORS = 200


def report_page(report: Report) -> str:
    """Return the page as HTML; it loads nothing, and all names in it are text.

    Examples
    --------
    >>> from tiepoint.evaluation.bench import Protocol, contenders
    >>> from tiepoint.evaluation.bench.report import Report, report_page
    >>> from tiepoint.evaluation.datasets import Dataset
    >>> report = Report.of(Dataset(name="<i>towns</i>", pairs=()), Protocol(), contenders("orb"), [])
    >>> "<h1>Local features on &lt;i&gt;towns&lt;/i&gt;</h1>" in report_page(report)
    True
    """
    heading = f"Local features on {report.dataset.name}"
    body = joined(
        [
            element("h1", heading),
            element("p", _introduction(report), class_="faint"),
            _results(report),
            _pictures(report),
            _sequences(report),
            _everything(report),
            _protocol(report),
            _dataset(report),
            _errors(report),
        ]
    )
    return page(heading, body, scripts=("table.js",))


def _introduction(report: Report) -> str:
    rows = len(report.rows)
    _, matcher = short_labels([row.label for row in report.rows])
    with_matcher = "" if matcher is None else f", matched by {matcher}"
    return (
        f"{dataset_words(report)}, {rows} row{'s' * (rows != 1)}{with_matcher}. Measured by tiepoint bench."
    )


def _results(report: Report) -> Markup:
    columns = columns_of(report.rows)
    labels, _ = short_labels([row.label for row in report.rows])
    lines = [
        [Cell(label), *(_cell(row, column) for column in columns)]
        for label, row in zip(labels, report.rows, strict=True)
    ]
    return joined(
        [
            element("h2", "Results"),
            *(element("p", sentence) for sentence in comparison_words(report)),
            table(
                "Means over pairs, and below them 95 % intervals",
                ["extractor", *(column.head for column in columns)],
                lines,
                hints=["", *(column.meaning for column in columns)],
            ),
            definitions((column.head, column.meaning) for column in columns),
        ]
    )


def _cell(row: Row, column: Column) -> Cell:
    figure = row.figures.get(column.name)
    if figure is None:
        return Cell("-")
    shown: list[str] = [column.value(figure)]
    if figure.low < figure.high:
        interval = f"{column.number(figure.low)} to {column.number(figure.high)}"
        shown.append(element("small", interval))
    return Cell(joined(shown), figure.value)


def _pictures(report: Report) -> Markup:
    figures = [_figure(one, report) for one in report_pictures(report)]
    if not figures:
        return Markup("")
    return joined([element("h2", "Pictures"), element("div", *figures, class_="pictures")])


def _figure(one: Picture, report: Report) -> Markup:
    light, size = one.svg(LIGHT)
    dark, _ = one.svg(DARK)
    labels, _ = short_labels([row.label for row in report.rows])
    return picture(
        light, dark, size, f"{one.title}, of {', '.join(labels)}; the numbers are in the tables.", one.meaning
    )


def _sequences(report: Report) -> Markup:
    columns = columns_of(report.rows)
    labels, _ = short_labels([row.label for row in report.rows])
    lines = [
        [Cell(sequence), Cell(label), *_values(row.sequences[sequence], columns)]
        for sequence in report.dataset.sequences
        for label, row in zip(labels, report.rows, strict=True)
        if sequence in row.sequences
    ]
    if not lines:
        return Markup("")
    return joined(
        [
            element("h2", "By sequence"),
            table(
                "Means over the pairs of each sequence",
                ["sequence", "extractor", *(column.head for column in columns)],
                lines,
                hints=["", "", *(column.meaning for column in columns)],
            ),
        ]
    )


def _values(figures: dict[str, float], columns: tuple[Column, ...]) -> Iterator[Cell]:
    for column in columns:
        value = figures.get(column.name)
        yield Cell("-") if value is None else Cell(column.number(value), value)


def _everything(report: Report) -> Markup:
    columns = columns_of(report.rows, everything=True)
    labels, _ = short_labels([row.label for row in report.rows])
    lines = [
        [Cell(column.head), *(_cell(row, column) for row in report.rows), Cell(column.meaning)]
        for column in columns
    ]
    shown = table("What was measured, and what it means", ["figure", *labels, "meaning"], lines)
    return element("details", element("summary", "All figures"), shown)


def _protocol(report: Report) -> Markup:
    facts = [*protocol_facts(report), *machine_words(report)]
    settings = [(row.label, _settings(row)) for row in report.rows]
    return joined(
        [
            element("h2", "How it was measured"),
            definitions(facts),
            element("details", element("summary", "Every option of every row"), definitions(settings)),
        ]
    )


def _settings(row: Row) -> str:
    both = []
    for method in (row.extractor, row.matcher):
        options = ", ".join(
            f"{name} {str(value).lower() if value is None or isinstance(value, bool) else value}"
            for name, value in method.items()
            if name != "name"
        )
        both.append(f"{method.get('name', '')}: {options}")
    return "; ".join(both)


def _dataset(report: Report) -> Markup:
    dataset = report.dataset
    facts: list[tuple[str, str]] = [("name", dataset.name), ("pairs", dataset_words(report))]
    if dataset.citation is not None:
        facts.append(("to cite", dataset.citation))
    notes = element("ul", *(element("li", note) for note in dataset.notes)) if dataset.notes else Markup("")
    return joined([element("h2", "The data set"), definitions(facts), notes])


def _errors(report: Report) -> Markup:
    failed = failure_words(report)
    if failed is None:
        return Markup("")
    listed = [[Cell(pair), Cell(label), Cell(sentence)] for label, pair, sentence in report.errors]
    more = len(listed) - _MOST_ERRORS
    return joined(
        [
            element("h2", "Not measured"),
            element("p", f"{failed}{f'; the first {_MOST_ERRORS} are listed' if more > 0 else ''}."),
            table("Pairs that were left out", ["pair", "extractor", "why"], listed[:_MOST_ERRORS]),
        ]
    )
