"""Where the bytes of a photo come from: a path, bytes or an open file, and what it is called."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from tiepoint.errors import DataError, ReadError, TiepointError, printable
from tiepoint.images.limits import Limits, RefusedError, in_words
from tiepoint.images.sniff import HEAD, Format, recognise

_BLOCK = 1 << 20
_MAX_NAME = 300
_STANDARD_INPUT = ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")


@runtime_checkable
class Stream(Protocol):
    """Anything with ``read``, open in binary mode."""

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes, none at the end."""


@dataclass(frozen=True, kw_only=True)
class Photo:
    """The bytes of a photo, their format, and the name that messages call it by."""

    data: bytes
    format: Format


def describe(source: object) -> str:
    """Return what to call ``source`` in a message: one line without control characters."""
    if isinstance(source, bytes | bytearray | memoryview):
        return "the given bytes"
    name = source
    if not isinstance(source, str | os.PathLike):
        name = getattr(source, "name", None)
        if not isinstance(name, str):
            return "the given file object"
    text = os.fsdecode(name)  # type: ignore[arg-type]
    if not text:
        return "the given path"
    return printable(text, most=_MAX_NAME)


def fetch(source: object, limits: Limits) -> Photo:
    """Read all bytes of ``source``, once its first bytes have shown a format that is read.

    Raises
    ------
    RefusedError
        If the format is not one that is read, or there are more bytes than any photo has.
    ReadError, DataError
        If there is nothing to read from.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source) if not isinstance(source, memoryview) else source.tobytes()
        return Photo(data=data, format=recognise(data[:HEAD]))
    if isinstance(source, str | os.PathLike):
        handle = _open(source)
        with os.fdopen(handle, "rb") as file:
            try:
                return _drain(file, limits, os.fstat(handle).st_size)
            except OSError as error:
                raise _unreadable(source, error) from error
    if isinstance(source, Stream):
        try:
            return _drain(source, limits)
        except (RefusedError, TiepointError, MemoryError):
            raise
        except Exception as error:  # it is closed, or its read() fails with whatever it likes
            raise _unreadable(source, error) from error
    raise DataError(
        "a photo is given as a path, bytes, a binary file object, an array, a Pillow image or an Image, "
        f"not as {type(source).__name__}"
    )


def _open(path: str | os.PathLike[str]) -> int:
    """Open a regular file; a named pipe or a device could keep us waiting for ever."""
    name = describe(path)
    # Without O_NONBLOCK the opening of a pipe that nobody writes to would already hang.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        kind = os.stat(path).st_mode  # noqa: PTH116 - a Path would turn an empty name into "."
        if stat.S_ISDIR(kind):
            raise ReadError(f"{name}: this is a folder; give the photos in it one by one")
        if not stat.S_ISREG(kind) and name in _STANDARD_INPUT:
            raise _standard_input(name)
        if not stat.S_ISREG(kind):
            raise ReadError(f"{name}: this is not a regular file but a device, a pipe or a socket; "
                            "copy the photo into a file")  # fmt: skip
        handle = os.open(path, flags)
        if not stat.S_ISREG(os.fstat(handle).st_mode):  # it was replaced in between
            os.close(handle)
            raise ReadError(f"{name}: this is not a regular file any more")
    except FileNotFoundError as error:
        if "://" in name:
            raise ReadError(f"{name}: nothing is fetched from the network; save the photo first") from error
        if name in _STANDARD_INPUT:
            raise _standard_input(name) from error
        what = "there is no such file" if os.fspath(path) else "it is empty"
        raise ReadError(f"{name}: {what}") from error
    except PermissionError as error:
        raise ReadError(f"{name}: it may not be read; change its permissions") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise _unreadable(path, error) from error
    return handle


def _standard_input(name: str) -> ReadError:
    return ReadError(f"{name}: photos are not read from standard input; save it to a file first")


def _unreadable(source: object, error: Exception) -> ReadError:
    reason = getattr(error, "strerror", None) or str(error)
    if not isinstance(error, OSError | ValueError) or not reason:
        reason = f"{type(error).__name__}{': ' if reason else ''}{reason}"
    return ReadError(f"{describe(source)}: it cannot be read: {plain(reason)}")


def _drain(stream: Stream, limits: Limits, size: int = 0) -> Photo:
    """Read to the end; ``size`` is what the file system says, which knows it before."""
    head = _read(stream, HEAD)
    kind = recognise(head)
    blocks, total = [head], len(head)
    if size > limits.max_bytes:
        raise _too_long(limits)
    while block := _read(stream, _BLOCK):
        blocks.append(block)
        total += len(block)
        if total > limits.max_bytes:
            raise _too_long(limits)
    return Photo(data=b"".join(blocks), format=kind)


def _too_long(limits: Limits) -> RefusedError:
    return RefusedError(
        f"it is longer than {limits.max_bytes / 1e9:.1f} GB, more than any photo of "
        f"{in_words(limits.max_pixels)} needs; if it is to be trusted, raise max_pixels"
    )


def _read(stream: Stream, size: int) -> bytes:
    """Read ``size`` bytes, or up to the end; a socket or a pipe may give them in pieces."""
    parts: list[bytes] = []
    missing = size
    while missing > 0:
        part: object = stream.read(missing)
        if isinstance(part, str):
            raise DataError(f"{describe(stream)}: it is open as text; open it with mode 'rb'")
        if part is None:  # nothing there yet, on a non-blocking one
            break
        if not isinstance(part, bytes | bytearray | memoryview):
            raise DataError(f"{describe(stream)}: its read() gives {type(part).__name__} instead of bytes")
        block = bytes(part)
        if not block:
            break
        parts.append(block)
        missing -= len(block)
    return b"".join(parts)


def plain(text: str) -> str:
    """Return ``text`` as the end of a sentence: one line, printable, not long, no full stop."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return (line if len(line) <= 120 else line[:117] + "...").rstrip(".")
