"""All that a run found, in one object; as a JSON document and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from tiepoint.evaluation.bench.compare import Comparison, compared
from tiepoint.evaluation.bench.contenders import Contender
from tiepoint.evaluation.bench.machine import machine_facts, usable_cpus
from tiepoint.evaluation.bench.measure import EPIPOLAR_WITHIN, RIGHT_WITHIN, Protocol, Record
from tiepoint.evaluation.bench.report.columns import figure_names
from tiepoint.evaluation.bench.summary import CONFIDENCE, Row, summed_up
from tiepoint.evaluation.datasets import Dataset
from tiepoint.formats import SCHEMA_VERSION


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a run found, and how.

    Attributes
    ----------
    dataset : Dataset
    protocol : Protocol
    rows : tuple of Row
    comparison : Comparison | None
    errors : tuple of (str, str, str)
        Label, pair and sentence for each pair that could not be measured.
    workers : int
        Processes that measured at a time.
    resumed : int
        Records that an earlier run had made, perhaps on another machine.
    machine : dict
        From `machine_facts`.

    Examples
    --------
    >>> from tiepoint.evaluation.bench import Protocol, contenders
    >>> from tiepoint.evaluation.bench.report import Report
    >>> from tiepoint.evaluation.datasets import Dataset
    >>> Report.of(Dataset(name="towns", pairs=()), Protocol(), contenders("orb"), []).rows[0].label
    'orb, nearest'
    """

    dataset: Dataset
    protocol: Protocol
    rows: tuple[Row, ...]
    comparison: Comparison | None
    errors: tuple[tuple[str, str, str], ...]
    workers: int
    resumed: int = 0
    machine: dict[str, Any] = field(default_factory=machine_facts)

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        protocol: Protocol,
        contenders: Sequence[Contender],
        records: Sequence[Record],
        *,
        workers: int | None = None,
        resumed: int = 0,
    ) -> Self:
        """Sum up the records of `run_bench`."""
        labels = {contender.key: contender.label for contender in contenders}
        return cls(
            dataset=dataset,
            protocol=protocol,
            rows=summed_up(contenders, records),
            comparison=compared(contenders, records),
            errors=tuple(
                (labels[record["contender"]], record["pair"], record["error"])
                for record in records
                if "error" in record
            ),
            workers=workers or usable_cpus(),
            resumed=resumed,
        )

    @property
    def estimates(self) -> bool:
        """Whether the truth is of a kind that an estimate is held against."""
        return any("inliers" in row.figures for row in self.rows)


def report_document(report: Report) -> dict[str, Any]:
    """Return the document that ``tiepoint bench --json`` prints; its schema is ``bench.json``.

    Examples
    --------
    >>> from tiepoint.evaluation.bench import Protocol, contenders
    >>> from tiepoint.evaluation.bench.report import Report, report_document
    >>> from tiepoint.evaluation.datasets import Dataset
    >>> report = Report.of(Dataset(name="towns", pairs=()), Protocol(), contenders("orb"), [])
    >>> report_document(report)["kind"]
    'bench'
    """
    dataset, protocol, comparison = report.dataset, report.protocol, report.comparison
    differences = {} if comparison is None else {other.label: other for other in comparison.others}
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "bench",
        "dataset": {
            "name": dataset.name,
            "pairs": len(dataset),
            "sequences": list(dataset.sequences),
            "citation": dataset.citation,
            "notes": list(dataset.notes),
        },
        "protocol": {
            **protocol.settings(),
            "max_error": protocol.limit,
            "right_within": RIGHT_WITHIN,
            "epipolar_within": EPIPOLAR_WITHIN,
            "confidence": CONFIDENCE,
            "workers": report.workers,
            "threads": 1,
        },
        "machine": report.machine,
        "resumed": report.resumed,
        "best": None if comparison is None else {"figure": comparison.figure, "label": comparison.best},
        "rows": [
            {
                **asdict(row),
                "behind_best": _without_label(asdict(differences[row.label]))
                if row.label in differences
                else None,
            }
            for row in report.rows
        ],
        "errors": [
            {"label": label, "pair": pair, "error": sentence} for label, pair, sentence in report.errors
        ],
    }


def report_csv(report: Report) -> str:
    """Return a table for other programs: a line for each row, three columns for each figure.

    Shares are from 0 to 1, times in seconds, memory in bytes; what is not known is empty.

    Examples
    --------
    >>> from tiepoint.evaluation.bench import Protocol, contenders
    >>> from tiepoint.evaluation.bench.report import Report, report_csv
    >>> from tiepoint.evaluation.datasets import Dataset
    >>> report = Report.of(Dataset(name="towns", pairs=()), Protocol(), contenders("orb"), [])
    >>> report_csv(report).splitlines()
    ['dataset,label,pairs,failed,peak_memory', 'towns,"orb, nearest",0,0,']
    """
    names = figure_names(report.rows)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    head = [f"{name}{which}" for name in names for which in ("", "_low", "_high")]
    writer.writerow(["dataset", "label", "pairs", "failed", "peak_memory", *head])
    for row in report.rows:
        values: list[float | str] = []
        for name in names:
            figure = row.figures.get(name)
            values += ["", "", ""] if figure is None else [figure.value, figure.low, figure.high]
        writer.writerow([report.dataset.name, row.label, row.pairs, row.failed, row.peak_memory, *values])
    return text.getvalue()


def _without_label(difference: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in difference.items() if name != "label"}
