"""The records of a run on disk, one line each, so that a run that was cut off goes on where it stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tiepoint.errors import DataError, ReadError, WriteError, reason
from tiepoint.evaluation.bench.measure import Record
from tiepoint.files import make_folder


class Journal:
    """A file of JSON lines: first what the run is about, then its records as they come.

    Parameters
    ----------
    path : Path | None
        Made with its folder where it is missing; None keeps the records in memory only.
    about : Mapping
        What must be the same for records to stand side by side.

    Raises
    ------
    DataError
        If the file holds the records of something else.
    ReadError, WriteError
        If it cannot be read, or written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from tiepoint.evaluation.bench import Journal
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "records.jsonl")
    ...     Journal(path, {"dataset": "towns"}).add({"pair": "1-2"})
    ...     Journal(path, {"dataset": "towns"}).records
    [{'pair': '1-2'}]
    """

    def __init__(self, path: Path | None, about: Mapping[str, Any]) -> None:
        self.path = path
        self.records: list[Record] = []
        if path is None:
            return
        make_folder(path.parent)
        if not path.exists() or not self._read(path, about):
            self._append(path, json.dumps(dict(about)))

    def add(self, record: Record) -> None:
        """Keep one record; on disk before this returns."""
        self.records.append(record)
        if self.path is not None:
            self._append(self.path, json.dumps(record, allow_nan=False))

    def _read(self, path: Path, about: Mapping[str, Any]) -> bool:
        """Take in the records; False if there is not even a first line."""
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ReadError(f"{path}: cannot be read: {reason(error)}") from error
        # What a killed process wrote last may be half a line.
        whole = data[: data.rfind(b"\n") + 1]
        try:
            lines = [json.loads(line) for line in whole.splitlines()]
        except ValueError:
            lines = [None]
        if not all(isinstance(line, dict) and line for line in lines):
            raise DataError(f"{path}: is no file of benchmark records; give another folder")
        if lines and lines[0] != json.loads(json.dumps(dict(about))):
            differing = sorted(key for key in about if lines[0].get(key) != about[key])
            raise DataError(
                f"{path}: holds the records of another benchmark ({', '.join(differing)} differ); "
                "give another folder, or delete it"
            )
        self.records = lines[1:]
        if len(whole) < len(data):
            try:
                with path.open("r+b") as stream:
                    stream.truncate(len(whole))
            except OSError as error:
                raise WriteError(f"{path}: cannot be written: {reason(error)}") from error
        return bool(lines)

    def _append(self, path: Path, line: str) -> None:
        try:
            with path.open("a", encoding="utf-8") as stream:
                stream.write(f"{line}\n")
        except OSError as error:
            raise WriteError(f"{path}: cannot be written: {reason(error)}") from error
