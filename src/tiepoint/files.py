"""To disk: a file is written whole or not at all; a folder is made where it is missing."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from tiepoint.errors import WriteError, reason


def write_bytes(path: str | os.PathLike[str], data: bytes) -> Path:
    """Write ``data`` to ``path``, replacing what was there only once all of it is on disk.

    Raises
    ------
    WriteError
        If the folder is missing, permission is refused or the disk is full; an older file at
        ``path`` is then untouched.

    Examples
    --------
    >>> import tempfile
    >>> from tiepoint.files import write_bytes
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_bytes(f"{folder}/note.txt", b"a note").read_bytes()
    b'a note'
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
        raise WriteError(f"{target}: cannot be written: {reason(error)}") from error
    return target


def make_folder(path: str | os.PathLike[str]) -> Path:
    """Make a folder, and those that it lies in; one that is there already is left as it is.

    Raises
    ------
    WriteError
        If a file is in the way or permission is refused.

    Examples
    --------
    >>> import tempfile
    >>> from tiepoint.files import make_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     make_folder(f"{folder}/photos/views").is_dir()
    True
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{folder}: cannot be made a folder: {reason(error)}") from error
    return folder
