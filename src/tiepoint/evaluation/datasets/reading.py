"""The text, the numbers and the photos that a data set is read from; each failure is one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tiepoint.errors import DataError, ReadError, reason
from tiepoint.evaluation.datasets.base import Float
from tiepoint.images import printable

# Formats that a photo of a data set may have been stored in, and the order in which they are looked for.
ENDINGS = (".ppm", ".pgm", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".heic")
_LONGEST = 100_000_000


def contents(folder: Path) -> list[str]:
    """Return the sorted names of what is in a folder, without the hidden.

    Raises
    ------
    ReadError
        If there is no such folder, or it may not be read.
    """
    try:
        return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    except FileNotFoundError as error:
        raise ReadError(f"{shown(folder)}: there is no such folder") from error
    except (OSError, ValueError) as error:
        raise ReadError(f"{shown(folder)}: cannot be read: {_why(error)}") from error


def subfolders(folder: Path) -> list[Path]:
    """Return the folders in a folder, sorted by name."""
    return [folder / name for name in contents(folder) if (folder / name).is_dir()]


def read_text(path: Path, *, longest: int = _LONGEST) -> str:
    """Return the text of a file of at most ``longest`` bytes, whatever its line ends.

    Raises
    ------
    ReadError
        If it is missing, larger, or no text.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(longest + 1)
    except FileNotFoundError as error:
        raise ReadError(f"{shown(path)}: there is no such file") from error
    except (OSError, ValueError) as error:
        raise ReadError(f"{shown(path)}: cannot be read: {_why(error)}") from error
    if len(data) > longest:
        raise ReadError(f"{shown(path)}: has more than {longest} bytes, which is no such list")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReadError(f"{shown(path)}: is no text in UTF-8") from error


def read_numbers(path: Path, count: int) -> Float:
    """Return the ``count`` numbers that a small file holds, and nothing else.

    Raises
    ------
    ReadError
        If the file is missing or no text, or has other numbers or other words.
    """
    return numbers(read_text(path, longest=100_000).split(), count, shown(path))


def numbers(words: Sequence[str], count: int, where: str) -> Float:
    """Return ``count`` words as numbers; ``where`` begins the sentence if they are not."""
    if len(words) != count:
        raise ReadError(f"{where}: should have {count} numbers, but has {len(words)}")
    values = np.empty(count)
    for index, word in enumerate(words):
        try:
            values[index] = float(word)
        except ValueError as error:
            raise ReadError(f"{where}: {printable(word, most=40)!r} is no number") from error
    return values


def photo_named(folder: Path, names: Iterable[str], stem: str) -> Path:
    """Return the photo of a name, in whichever format it was stored.

    Parameters
    ----------
    folder : Path
    names : iterable of str
        What is in the folder.
    stem : str
        The name without its ending.

    Raises
    ------
    ReadError
        If there is none.
    """
    there = {name.lower(): name for name in names}
    for ending in ENDINGS:
        if f"{stem}{ending}".lower() in there:
            return folder / there[f"{stem}{ending}".lower()]
    raise ReadError(f"{shown(folder / stem)}.*: there is no such photo; get a whole copy of the data set")


def existing(path: Path) -> Path:
    """Return the path of a file that is there.

    Raises
    ------
    ReadError
        If it is not.
    """
    if not is_there(path):
        raise ReadError(f"{shown(path)}: there is no such photo; get a whole copy of the data set")
    return path


def is_there(path: Path) -> bool:
    """Tell whether there is a file of this name; there is none of a name that no file can have."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


@contextmanager
def told_of(path: Path | str) -> Iterator[None]:
    """Begin whatever is wrong with the numbers of a file with its name."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{shown(path)}: {error}") from error


def shown(path: Path | str) -> str:
    """Return a path as one line, whatever characters are in it."""
    return printable(str(path))


def unique(names: Iterable[str]) -> list[str]:
    """Return the names, with " (2)" and so on behind those that came before.

    Examples
    --------
    >>> from tiepoint.evaluation.datasets.reading import unique
    >>> unique(["a-b", "a-c", "a-b"])
    ['a-b', 'a-c', 'a-b (2)']
    """
    taken: set[str] = set()
    result = []
    for name in names:
        free, count = name, 1
        while free in taken:
            count += 1
            free = f"{name} ({count})"
        taken.add(free)
        result.append(free)
    return result


def _why(error: OSError | ValueError) -> str:
    # ValueError: a NUL in the name.
    return reason(error) if isinstance(error, OSError) else str(error)
