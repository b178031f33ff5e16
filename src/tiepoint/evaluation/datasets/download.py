"""A data set from where its makers offer it into the cache: checked, unpacked, and never half of it."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import shutil
from datetime import date
from pathlib import Path

from tiepoint.cache import cache_folder, locked
from tiepoint.errors import ReadError, WriteError, reason
from tiepoint.evaluation.datasets.catalogue import Archive, Entry
from tiepoint.evaluation.datasets.unpack import unpack
from tiepoint.files import make_folder, write_bytes
from tiepoint.transfer import Manner, Progress, download

_log = logging.getLogger("tiepoint")

_MANNER = Manner(
    if_moved="; if it has moved, fetch it by hand and name its folder with --root",
    if_offline="; without a network, --root takes a local copy of the data set",
)

# What each address gave the first time: {"sha256": ..., "size": ..., "first": "2026-01-31"}
_Seen = dict[str, dict[str, str | int]]


def fetched(entry: Entry, cache_dir: str | os.PathLike[str] | None = None) -> Path | None:
    """Return where a data set lies that was fetched before, or None; nothing is fetched.

    Parameters
    ----------
    entry : Entry
    cache_dir : path | None
        As for :func:`fetch`.

    Examples
    --------
    >>> import tempfile
    >>> from tiepoint.evaluation.datasets import CATALOGUE, fetched
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     fetched(CATALOGUE["hpatches"], folder) is None
    True
    """
    folder = _home(entry, cache_dir) / "data" / entry.root
    return folder if folder.is_dir() else None


def fetch(
    entry: Entry, cache_dir: str | os.PathLike[str] | None = None, progress: Progress | None = None
) -> Path:
    """Return the folder of a data set, which is fetched if it is not in the cache yet.

    The archives are fetched one by one, going on where an earlier attempt was cut off, checked, and
    unpacked; the data set appears in the cache once all of it is there. Where the catalogue knows no
    checksum, a warning is logged, and what the first download gives is kept in ``checksums.json`` beside
    the data: a later download that differs is refused.

    Parameters
    ----------
    entry : Entry
        Such as ``CATALOGUE["hpatches"]``.
    cache_dir : path | None
        None: the folder of :func:`cache_folder`.
    progress : callable | None
        Called as ``progress(what, done, total)``: bytes, and None where the total is not known.

    Returns
    -------
    Path
        The folder that the loader takes.

    Raises
    ------
    ReadError
        If there is no network, the server refuses, breaks off or gives another file than the one that is
        expected, or the archive is broken.
    WriteError
        If the disk is full or the cache cannot be written to.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from tiepoint.evaluation.datasets import CATALOGUE, fetch
    >>> with tempfile.TemporaryDirectory() as cache:
    ...     Path(cache, "datasets", "oxford", "data").mkdir(parents=True)  # as a first call leaves it
    ...     fetch(CATALOGUE["oxford"], cache).relative_to(cache).as_posix()
    'datasets/oxford/data'
    """
    home = _home(entry, cache_dir)
    if (ready := fetched(entry, cache_dir)) is not None:
        return ready
    make_folder(home / "downloads")
    with locked(home / "lock", lambda: _log.warning("another process fetches %s; waiting", entry.name)):
        if (ready := fetched(entry, cache_dir)) is not None:
            return ready
        for draft in home.glob("draft-*"):  # of a process that was killed: nobody else is here
            shutil.rmtree(draft, ignore_errors=True)
        seen = _read_seen(home / "checksums.json")
        files = [
            _archive(archive, home / "downloads" / f"{number}-{archive.file}", seen, home, progress)
            for number, archive in enumerate(entry.archives)
        ]
        _put_in_place(entry, home, files, seen, progress)
        shutil.rmtree(home / "downloads", ignore_errors=True)
    return home / "data" / entry.root


def _home(entry: Entry, cache_dir: str | os.PathLike[str] | None) -> Path:
    cache = cache_folder() if cache_dir is None else Path(cache_dir)
    return cache / "datasets" / entry.name


def _archive(archive: Archive, file: Path, seen: _Seen, home: Path, progress: Progress | None) -> Path:
    """Fetch one archive, unless all of it is there, and check it."""
    old = file.is_file() or download(archive.url, file, size=archive.size, progress=progress, manner=_MANNER)
    wrong = _wrong(archive, file, seen, home)
    if wrong is not None and old:  # what an earlier run had left may be the trouble
        _remove(file)
        download(archive.url, file, size=archive.size, progress=progress, manner=_MANNER)
        wrong = _wrong(archive, file, seen, home)
    if wrong is not None:
        _remove(file)
        raise ReadError(f"{archive.url}: {wrong}")
    return file


def _wrong(archive: Archive, file: Path, seen: _Seen, home: Path) -> str | None:
    """Return what is wrong with a whole archive, if anything."""
    size, sha256 = file.stat().st_size, _sha256(file)
    if archive.size not in (None, size):
        return f"gave {size} bytes where {archive.size} are expected; it is damaged or another file"
    if archive.sha256 is not None:
        if sha256 == archive.sha256:
            return None
        return f"gave sha256 {sha256} where {archive.sha256} is expected; it is damaged or another file"
    first = seen.get(archive.url, {})
    if first.get("sha256", sha256) == sha256:
        return None
    return (
        f"gives another file than on {first.get('first')} (sha256 {sha256}, then {first['sha256']}); "
        f"if you trust the new one, remove {home / 'checksums.json'}"
    )


def _put_in_place(
    entry: Entry, home: Path, files: list[Path], seen: _Seen, progress: Progress | None
) -> None:
    """Unpack beside the place where the data set belongs, and move it there once all is well."""
    draft = home / f"draft-{secrets.token_hex(8)}"
    try:
        for archive, file in zip(entry.archives, files, strict=True):
            try:
                unpack(file, draft / archive.folder, progress=progress)
            except ReadError as error:
                _remove(file)
                raise ReadError(f"{archive.url}: what it gives is of no use: {error}") from error
        if not (draft / entry.root).is_dir():
            for file in files:
                _remove(file)
            raise ReadError(f"{entry.archives[0].url}: what it gives has no folder {entry.root!r} in it")
        _keep_checksums(entry, home / "checksums.json", files, seen)
        shutil.rmtree(home / "data", ignore_errors=True)  # without the root in it
        draft.rename(home / "data")
    except OSError as error:
        raise WriteError(f"{home}: cannot be written: {reason(error)}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _keep_checksums(entry: Entry, path: Path, files: list[Path], seen: _Seen) -> None:
    for archive, file in zip(entry.archives, files, strict=True):
        if archive.sha256 is None and archive.url not in seen:
            sha256 = _sha256(file)
            seen[archive.url] = {
                "sha256": sha256, "size": file.stat().st_size, "first": date.today().isoformat()
            }  # fmt: skip
            _log.warning(
                "%s: nobody has published its sha256; %s is what came and is kept as the measure for later",
                archive.url,
                sha256,
            )
    if seen:
        write_bytes(path, json.dumps(seen, indent=1).encode())


def _read_seen(path: Path) -> _Seen:
    try:
        seen = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError):
        seen = None
    if not isinstance(seen, dict) or not all(
        isinstance(value, dict) and isinstance(value.get("sha256"), str) for value in seen.values()
    ):
        raise ReadError(f"{path}: is damaged; remove it if you trust what the server gives now")
    return seen


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise WriteError(f"{path}: cannot be removed: {reason(error)}") from error
