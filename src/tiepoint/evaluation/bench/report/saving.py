"""All that a run found, as files in a folder."""

from __future__ import annotations

import json
from pathlib import Path

from tiepoint.evaluation.bench.report.document import Report, report_csv, report_document
from tiepoint.evaluation.bench.report.page import report_page
from tiepoint.evaluation.bench.report.plots import report_pictures
from tiepoint.files import make_folder, write_bytes


def save_report(report: Report, folder: Path) -> tuple[Path, ...]:
    """Write ``report.html``, ``table.csv``, ``result.json`` and the pictures as PNG; return what was written.

    Raises
    ------
    WriteError
        If a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from tiepoint.evaluation.bench import Protocol, contenders
    >>> from tiepoint.evaluation.bench.report import Report, save_report
    >>> from tiepoint.evaluation.datasets import Dataset
    >>> report = Report.of(Dataset(name="towns", pairs=()), Protocol(), contenders("orb"), [])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in save_report(report, Path(folder))]
    ['report.html', 'table.csv', 'result.json']
    """
    make_folder(folder)
    document = json.dumps(report_document(report), allow_nan=False, indent=1, ensure_ascii=False)
    files = {
        "report.html": report_page(report).encode(),
        "table.csv": report_csv(report).encode(),
        "result.json": f"{document}\n".encode(),
        **{f"{picture.name}.png": picture.png() for picture in report_pictures(report)},
    }
    return tuple(write_bytes(folder / name, data) for name, data in files.items())
