"""Bytes to disk: a file is written whole, or not at all."""

from __future__ import annotations

import os
import secrets
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
        real = Path(os.path.realpath(target))  # a link stays, what it points at is replaced
        if real.exists() and not real.is_file():
            # A device or a named pipe (or a directory, which open() refuses in clear words).
            with real.open("wb") as stream:
                stream.write(data)
            return target
        draft = real.parent / f".tiepoint-{secrets.token_hex(8)}"
        try:
            with draft.open("xb") as stream:
                stream.write(data)
            if real.exists():
                draft.chmod(real.stat().st_mode)
            draft.replace(real)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise WriteError(f"{target}: cannot be written: {reason}") from error
    return target
