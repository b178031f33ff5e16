"""Where fetched files are kept, and how two processes that fetch the same one wait for each other."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tiepoint.errors import WriteError, reason

_WAIT = 0.1


def cache_folder(environment: Mapping[str, str] | None = None, platform: str | None = None) -> Path:
    """Return the folder that tiepoint keeps fetched files in; it need not be there yet.

    ``TIEPOINT_CACHE`` names it. Without that it is where the system wants such files: below
    ``XDG_CACHE_HOME`` or ``~/.cache`` on Linux, ``~/Library/Caches`` on macOS, ``%LOCALAPPDATA%`` on
    Windows.

    Parameters
    ----------
    environment : mapping | None
        None: this process's.
    platform : str | None
        As in ``sys.platform``; None: this machine's.

    Raises
    ------
    WriteError
        If there is no home folder to put it in.

    Examples
    --------
    >>> from tiepoint.cache import cache_folder
    >>> cache_folder({"TIEPOINT_CACHE": "/data/tiepoint"}).as_posix()
    '/data/tiepoint'
    """
    environment = os.environ if environment is None else environment
    platform = platform or sys.platform
    try:
        if chosen := environment.get("TIEPOINT_CACHE"):
            return Path(chosen).expanduser()
        if platform == "win32":
            base = environment.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
        elif platform == "darwin":
            base = Path.home() / "Library" / "Caches"
        else:
            base = environment.get("XDG_CACHE_HOME") or ""
            if not Path(base).is_absolute():  # as the XDG specification says
                base = Path.home() / ".cache"
    except RuntimeError as error:
        raise WriteError(
            "there is no home folder to keep fetched files in; name one with TIEPOINT_CACHE"
        ) from error
    return Path(base) / "tiepoint"


@contextmanager
def locked(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold a lock file; whoever else wants it waits, and is free to go on if this process dies.

    Parameters
    ----------
    path : Path
        Stays behind, empty.
    waiting : callable
        Called once if another holds it.

    Raises
    ------
    WriteError
        If the file system has no locks, or the file cannot be made.
    """
    try:
        stream = path.open("ab")
    except OSError as error:
        raise WriteError(f"{path}: cannot be written: {reason(error)}") from error
    with stream:
        told = False
        while not _try_lock(stream.fileno(), path):
            if not told:
                waiting()
                told = True
            time.sleep(_WAIT)
        yield  # closing the file gives the lock back


if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int, path: Path) -> bool:
        del path
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(handle: int, path: Path) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            raise WriteError(
                f"{path}: cannot be locked: {reason(error)}; name another folder with TIEPOINT_CACHE"
            ) from error
        return True
