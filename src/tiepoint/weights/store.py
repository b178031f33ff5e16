"""Where weight files are kept, and how one is read: checked against its sha256 each time."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from tiepoint.cache import cache_folder
from tiepoint.errors import MissingError, ReadError, WriteError, reason
from tiepoint.files import write_bytes
from tiepoint.weights.checkpoint import MAX_BYTES, tensors_in
from tiepoint.weights.entries import Weights, catalogue, find

Tensors = dict[str, NDArray[Any]]


def folder(environment: Mapping[str, str] | None = None) -> Path:
    """Return the folder of the weight files; it need not be there yet.

    ``TIEPOINT_WEIGHTS`` names it; without that it is ``weights`` in the folder that
    :func:`tiepoint.cache.cache_folder` tells.

    Parameters
    ----------
    environment : mapping | None
        None: this process's.

    Raises
    ------
    WriteError
        If there is no home folder to put it in.

    Examples
    --------
    >>> from tiepoint import weights
    >>> weights.folder({"TIEPOINT_WEIGHTS": "/data/weights"}).as_posix()
    '/data/weights'
    >>> weights.folder({"TIEPOINT_CACHE": "/data/tiepoint"}).as_posix()
    '/data/tiepoint/weights'
    """
    environment = os.environ if environment is None else environment
    chosen = environment.get("TIEPOINT_WEIGHTS")
    if not chosen:
        return cache_folder(environment) / "weights"
    try:
        return Path(chosen).expanduser()
    except RuntimeError as error:
        raise WriteError(f"TIEPOINT_WEIGHTS is {chosen!r}, but there is no such home folder") from error


def path_of(name: str) -> Path | None:
    """Return the path of a weight file that is on this machine; None if it is not. Nothing is fetched.

    What lies in a folder that cannot be read is not there.

    Raises
    ------
    OptionError
        If there are no weights of this name.
    """
    one = find(name)
    try:
        path = folder() / one.file
    except WriteError:  # no home folder to have it in
        return None
    return path if _is_file(path) and known_sha256(one) is not None else None


def required(name: str) -> Path:
    """Return the path of a weight file that was asked for by name.

    Raises
    ------
    OptionError
        If there are no weights of this name.
    MissingError
        If they are not on this machine; the message has the command that gets them.
    ReadError
        If the folder cannot be read.
    WriteError
        If there is no home folder that they could be in.
    """
    found = path_of(name)
    if found is not None:
        return found
    home = folder()
    try:
        (home / find(name).file).stat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise ReadError(
            f"{home}: the folder of the weights cannot be read: {reason(error)}; "
            "name another one with TIEPOINT_WEIGHTS"
        ) from error
    raise MissingError(f"the weights {name} are not on this machine; get them with: {command(name)}")


def missing(*names: str) -> str | None:
    """Return the one command that gets those of the weights that are not here; None if all are.

    Raises
    ------
    OptionError
        If there are no weights of such a name.
    """
    away = [name for name in names if path_of(name) is None]
    return command(*away) if away else None


def command(*names: str) -> str:
    """Return the command that gets these weights, by the group's name where that is the same."""
    wanted = [find(name) for name in names]
    unknown = [one.name for one in wanted if one.sha256 is None]
    if unknown:
        return f"tiepoint weights import FILE --name {unknown[0]} --sha256 DIGITS"
    words: dict[str, None] = {}
    for one in wanted:
        group = {other.name for other in catalogue() if other.group == one.group and other.usual}
        words[one.group if group <= set(names) and one.usual else one.name] = None
    return f"tiepoint weights fetch {' '.join(words)}"


def load(name: str) -> Tensors:
    """Return the tensors of a weight file by name, after a check of its sha256.

    Returns
    -------
    dict[str, ndarray]
        As :func:`~tiepoint.weights.read_checkpoint` gives them.

    Raises
    ------
    OptionError
        If there are no weights of this name.
    MissingError
        If they are not on this machine; the message has the command that gets them.
    ReadError
        If the folder cannot be read, or the file is not what it was when it was fetched.
    WriteError
        If there is no home folder that they could be in.
    """
    one = find(name)
    path = required(name)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ReadError(f"{path}: cannot be read: {reason(error)}") from error
    if hashlib.sha256(data).hexdigest() != known_sha256(one):
        raise ReadError(f"{path}: is not the file that the weights {name} were; {_repair(one)}")
    return tensors_in(data, f"{path}:", MAX_BYTES)


def provenance(name: str) -> dict[str, Any]:
    """Return where results of these weights come from, for the settings that are kept beside them.

    Examples
    --------
    >>> from tiepoint import weights
    >>> sorted(weights.provenance("xfeat"))
    ['file', 'licence', 'name', 'sha256']
    """
    one = find(name)
    return {"name": one.name, "file": one.file, "sha256": known_sha256(one), "licence": one.licence}


def known_sha256(one: Weights) -> str | None:
    """Return what the file is held against: the published sha256, or that which came with an import."""
    if one.sha256 is not None:
        return one.sha256
    try:
        kept = _kept(one).read_text("ascii").strip()
    except (OSError, ValueError):
        return None
    return kept if re.fullmatch("[0-9a-f]{64}", kept) else None


def keep_sha256(one: Weights, sha256: str) -> None:
    """Note the sha256 of a file whose own is not published, as the measure for later."""
    write_bytes(_kept(one), f"{sha256}\n".encode())


def is_sound(one: Weights) -> bool:
    """Whether the file is here and is what it should be."""
    path = folder() / one.file
    return _is_file(path) and sha256_of_file(path) == known_sha256(one)


def sha256_of_file(path: Path) -> str:
    """Return the sha256 of a file, as hexadecimal digits.

    Raises
    ------
    ReadError
        If it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ReadError(f"{path}: cannot be read: {reason(error)}") from error


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises in a folder that cannot be read


def _kept(one: Weights) -> Path:
    return folder() / f"{one.file}.sha256"


def _repair(one: Weights) -> str:
    if one.sha256 is None:
        return f"import it anew, or remove {_kept(one)}"
    return f"get it anew with: tiepoint weights fetch {one.name}"
