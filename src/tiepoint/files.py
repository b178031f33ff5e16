"""Bytes to disk: a file is written whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from tiepoint.errors import WriteError


def write_bytes(path: str | os.PathLike[str], data: bytes) -> Path:
    """Write ``data`` to ``path``, replacing what was there only once all of it is on disk.

    Raises
    ------
    WriteError
        If the folder is missing, permission is refused or the disk is full; an older file at
        ``path`` is then untouched.
    """
    target = Path(path)
    try:
        if target.exists() and not target.is_file():
            # A device or a named pipe (or a directory, which open() refuses in clear words).
            with target.open("wb") as stream:
                stream.write(data)
            return target
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:80]}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
            os.chmod(name, _mode(target))  # noqa: PTH101 - mkstemp makes it private, a result is not
            os.replace(name, target)  # noqa: PTH105
        except BaseException:
            os.unlink(name)  # noqa: PTH108
            raise
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise WriteError(f"{target}: cannot be written: {reason}") from error
    return target


def _mode(target: Path) -> int:
    """Return the permissions of the file that is replaced, or those that a new file would get."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
