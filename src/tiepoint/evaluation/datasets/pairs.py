"""A plain list of pairs of photos, with a label each: whether both show the same thing."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

from tiepoint.errors import DataError, ReadError
from tiepoint.evaluation.datasets.base import Dataset, LabelTruth, Pair
from tiepoint.evaluation.datasets.reading import (
    contents,
    is_there,
    photo_named,
    read_text,
    shown,
    unique,
)
from tiepoint.images import printable

_LABELS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "yes", "same", "match", "1"), True),
    **dict.fromkeys(("false", "no", "different", "0"), False),
    **dict.fromkeys(("partly", "unknown", "?", ""), None),
}
_SAME = "same_scene"
_ENDINGS = (".csv", ".tsv", ".txt")
# In a folder, in this order.
_NAMES = ("pairs.json", "pairs.csv", "pairs.tsv", "pairs.txt")
_HEADER = re.compile(r"(photo|image|img|file|name)[ _]?[012ab]", re.IGNORECASE)
# A word of a line: in quotation marks, where a doubled one stands for itself, or without a space.
_WORD = re.compile(r'"((?:[^"]|"")*)"|(\S+)')

Row = tuple[str, list[str]]


def recognises(path: Path) -> bool:
    """Tell whether a file is a list of pairs by its ending, or a folder has one."""
    if path.is_dir():
        return any((path / name).is_file() for name in _NAMES)
    return path.is_file() and path.suffix.lower() in (*_ENDINGS, ".json")


def load_pairs(path: Path) -> Dataset:
    """Read a list of pairs with labels.

    Parameters
    ----------
    path : Path
        Text: a line has the two photos, and perhaps a label. A ``.csv`` has commas or semicolons in
        between and may have a header, a ``.tsv`` tabs; any other file spaces, where names with a space in
        them stand in quotation marks. Labels are true, false or partly (also yes and no, 1 and 0, same and
        different). Names are relative to the file; ``#`` begins a comment.
        JSON: ``{"tower": {"same_scene": true}}``, with true, false or "partly", for the photos ``1.*`` and
        ``2.*`` in the folder ``tower`` beside the file.
        Or a folder with ``pairs.json``, ``pairs.csv``, ``pairs.tsv`` or ``pairs.txt``.

    Returns
    -------
    Dataset
        In the order of the list. The sequence is the folder of the first photo, or the name of the list. A
        pair without a label, and one that is the same in part, has None.

    Raises
    ------
    ReadError
        If the list or a photo is missing, or a line cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from tiepoint.evaluation.datasets import load_pairs
    >>> with tempfile.TemporaryDirectory() as root:
    ...     for name in ("a 1.ppm", "b.ppm"):
    ...         size = Path(root, name).write_bytes(b"P6 1 1 255 abc")
    ...     size = Path(root, "list.csv").write_text("a 1.ppm,b.ppm,true")
    ...     next(iter(load_pairs(Path(root, "list.csv")))).truth
    LabelTruth(same=True)
    """
    path = Path(path)
    if path.is_dir():
        there = [path / name for name in _NAMES if (path / name).is_file()]
        if not there:
            raise ReadError(f"{shown(path)}: there is none of {', '.join(_NAMES)}")
        path = there[0]
    pairs = tuple(_from_json(path) if path.suffix.lower() == ".json" else _from_text(path))
    if not pairs:
        raise ReadError(f"{shown(path)}: lists no pair")
    unlabelled = sum(isinstance(pair.truth, LabelTruth) and pair.truth.same is None for pair in pairs)
    notes = (
        (f"{unlabelled} of {len(pairs)} pairs are the same in part, or not labelled.",) if unlabelled else ()
    )
    return Dataset(name=path.stem, pairs=pairs, notes=notes)


def _from_json(path: Path) -> Iterator[Pair]:
    try:
        entries = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise ReadError(f"{shown(path)}: is no JSON") from error
    if not isinstance(entries, dict):
        raise ReadError(f'{shown(path)}: should be {{"folder": {{"{_SAME}": true}}}}, a folder for each pair')
    for name, entry in entries.items():
        same = _same(entry, f"{shown(path)}: {printable(name)!r}")
        folder = path.parent / name
        names = contents(folder)
        photo0, photo1 = (photo_named(folder, names, stem) for stem in "12")
        yield _pair(name, name, photo0, photo1, same)


def _same(entry: Any, where: str) -> bool | None:
    value = entry.get(_SAME, where) if isinstance(entry, dict) else where
    if isinstance(value, bool) or value is None:
        return value
    if value == "partly":
        return None
    raise ReadError(f'{where} should have "{_SAME}": true, false or "partly"')


def _from_text(path: Path) -> Iterator[Pair]:
    rows = list(_rows(path))
    if rows and _is_header(path.parent, rows[0][1]):
        del rows[0]
    listed: list[tuple[str, Path, Path, bool | None]] = []
    for where, words in rows:
        if len(words) not in (2, 3):
            raise ReadError(
                f"{where}: should have two photos and perhaps a label, but has {len(words)} words; "
                "put names with a space in quotation marks"
            )
        label = words[2].strip().lower() if len(words) == 3 else ""
        if label not in _LABELS:
            raise ReadError(f"{where}: the label must be true, false or partly, not {words[2]!r}")
        photo0, photo1 = (_listed(where, path.parent / name) for name in words[:2])
        listed.append((Path(words[0]).parent.name or path.stem, photo0, photo1, _LABELS[label]))
    names = unique(f"{folder}/{photo0.stem}-{photo1.stem}" for folder, photo0, photo1, _ in listed)
    for name, (folder, photo0, photo1, same) in zip(names, listed, strict=True):
        yield _pair(name, folder, photo0, photo1, same)


def _listed(where: str, photo: Path) -> Path:
    if not is_there(photo):
        raise ReadError(f"{where}: {shown(photo)}: there is no such photo")
    return photo


def _is_header(folder: Path, words: list[str]) -> bool:
    return all(_HEADER.fullmatch(word.strip()) and not is_there(folder / word) for word in words[:2])


def _rows(path: Path) -> Iterator[Row]:
    """Yield the words of each line that has some, with where it is."""
    text = read_text(path)
    kind = path.suffix.lower()
    if kind in (".csv", ".tsv"):
        first = text.partition("\n")[0]
        mark = "\t" if kind == ".tsv" else ";" if first.count(";") > first.count(",") else ","
        reader = csv.reader(StringIO(text, newline=""), delimiter=mark, strict=True, skipinitialspace=True)
        try:
            for words in reader:
                if any(words) and not words[0].startswith("#"):
                    yield f"{shown(path)}, line {reader.line_num}", words
        except csv.Error as error:
            raise ReadError(f"{shown(path)}, line {reader.line_num}: {error}") from error
        return
    for number, line in enumerate(text.splitlines(), start=1):
        words = [quoted.replace('""', '"') or plain for quoted, plain in _WORD.findall(line)]
        if words and not line.lstrip().startswith("#"):
            yield f"{shown(path)}, line {number}", words


def _pair(name: str, sequence: str, photo0: Path, photo1: Path, same: bool | None) -> Pair:
    try:
        return Pair(name=name, sequence=sequence, photo0=photo0, photo1=photo1, truth=LabelTruth(same=same))
    except DataError as error:
        raise ReadError(f"{shown(photo0.parent)}: {error}") from error
