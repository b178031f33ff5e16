"""One file over HTTP, whole or to be gone on with later."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tiepoint.errors import ReadError, WriteError, printable, reason
from tiepoint.files import write_bytes

# Called with what is being done, how much of it is done, and how much there is: bytes, or None.
Progress = Callable[[str, int, int | None], None]

TIMEOUT = 30.0  # seconds without a byte
ATTEMPTS = 5
PAUSE = 1.0  # seconds before the second attempt; twice as many before each further one
_BLOCK = 1 << 18
_LARGEST = 50_000_000_000
# The server's own trouble, or too many questions at once: it may pass.
_PASSING = (408, 425, 429, 500, 502, 503, 504)


class _BrokenError(Exception):
    """It may go better the next time."""


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How a file is asked for, and what its messages advise.

    Attributes
    ----------
    https_only : bool
        Whether plain http is refused, also where a server redirects to it.
    timeout : float | None
        Seconds without a byte; None: :data:`TIMEOUT`.
    if_moved, if_offline : str
        What to do where the server does not have the file, or cannot be reached: the end of a sentence,
        with what parts it from the rest.
    """

    https_only: bool = False
    timeout: float | None = None
    if_moved: str = ""
    if_offline: str = ""

    @property
    def seconds(self) -> float:
        """The timeout."""
        return TIMEOUT if self.timeout is None else self.timeout


_PLAIN = Manner()


@dataclass(frozen=True)
class _Part:
    """What an earlier attempt has left: so many bytes of what the server then called by this mark."""

    size: int = 0
    mark: str | None = None


def download(
    url: str,
    target: Path,
    *,
    size: int | None = None,
    progress: Progress | None = None,
    manner: Manner = _PLAIN,
) -> bool:
    """Fetch a file, going on from where an earlier attempt stopped, and put it in place once it is whole.

    Until then it is ``target`` with ``.part`` behind it, beside a note of what the server called it: if
    that has changed meanwhile, or the server cannot go on in the middle, it is fetched anew.

    Parameters
    ----------
    url : str
    target : Path
        In a folder that is there. The caller sees to it that nobody else writes to it.
    size : int | None
        How many bytes it must have, if known.
    progress : callable | None
    manner : Manner

    Returns
    -------
    bool
        Whether a part of it was there before.

    Raises
    ------
    ReadError
        If the server cannot be reached, refuses, breaks off, or has a file of another size.
    WriteError
        If the disk is full or cannot be written to.
    """
    part = target.with_name(f"{target.name}.part")
    old = _left(part, url).size > 0
    trouble = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE * 2 ** (attempt - 1))
        try:
            _attempt(url, part, size, progress, manner, first=attempt == 0)
        except _BrokenError as error:
            trouble = str(error)
            continue
        try:
            part.replace(target)
            _note(part).unlink(missing_ok=True)
        except OSError as error:
            raise WriteError(f"{target}: cannot be written: {reason(error)}") from error
        return old
    raise ReadError(f"{url}: {trouble}, {ATTEMPTS} times; try again later, it goes on from there")


def _attempt(
    url: str, part: Path, size: int | None, progress: Progress | None, manner: Manner, *, first: bool
) -> None:
    left = _left(part, url)
    headers = {"User-Agent": "tiepoint", "Accept-Encoding": "identity"}
    if left.size and left.mark:
        headers |= {"Range": f"bytes={left.size}-", "If-Range": left.mark}
    try:
        request = urllib.request.Request(url, headers=headers)
        response = _opener(https_only=manner.https_only).open(request, timeout=manner.seconds)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416 and left.size:
                if error.headers.get("Content-Range") == f"bytes */{left.size}":
                    _check_size(url, left.size, size)
                    return  # it was whole already
                _forget(part)
                raise _BrokenError("the server had less of it than there was before") from error
            answer = f"the server answers {error.code} ({printable(str(error.reason), most=60).lower()})"
        if error.code in _PASSING:
            raise _BrokenError(answer) from error
        raise ReadError(f"{url}: {answer}{manner.if_moved}") from error
    except (OSError, http.client.HTTPException) as error:  # URLError and timeouts are OSErrors
        why = _why(error, manner)
        cause = getattr(error, "reason", error)
        if not first or isinstance(cause, http.client.HTTPException | ConnectionResetError):
            raise _BrokenError(f"the connection fails ({why})") from error
        raise ReadError(f"{url}: cannot be reached ({why}){manner.if_offline}") from error
    with response:
        start = _start(response, left, part)
        total = _total(response, start)
        _check_size(url, total, size)
        _check_space(part, start, total)
        if not start:
            _begin(part, url, response.headers)
        done = _store(response, part, start, total or size, url, progress, manner)
    if done < (total or 0) or (size is not None and done < size):
        raise _BrokenError(f"the connection breaks off at {done} of {total or size} bytes")


def _opener(*, https_only: bool) -> urllib.request.OpenerDirector:
    """Return what opens http and https, or only the latter, and follows to nothing else."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        *(() if https_only else (urllib.request.HTTPHandler,)),
        urllib.request.HTTPSHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.UnknownHandler,
    ):
        opener.add_handler(handler())
    return opener


def _start(response: Any, left: _Part, part: Path) -> int:
    """Return from which byte on the server sends."""
    if response.status == 200:
        return 0
    sent = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    same = _mark(response.headers) in (None, left.mark)
    if response.status != 206 or sent is None or int(sent[1]) != left.size or not same:
        _forget(part)
        raise _BrokenError(f"the server answers {response.status} with another part than was asked for")
    return left.size


def _total(response: Any, start: int) -> int | None:
    """Return how many bytes the whole file has, as far as the server says."""
    length = response.headers.get("Content-Length", "")
    return start + int(length) if re.fullmatch(r"\d{1,15}", length) else None


def _check_size(url: str, total: int | None, size: int | None) -> None:
    if None not in (size, total) and total != size:
        raise ReadError(f"{url}: has {total} bytes where {size} are expected: it is not that file any more")


def _check_space(part: Path, start: int, total: int | None) -> None:
    try:
        free = shutil.disk_usage(part.parent).free
    except OSError:
        return
    if total is not None and total - start > free:
        raise WriteError(
            f"{part.parent}: has {free / 1e9:.2f} GB free, but {(total - start) / 1e9:.2f} GB are to come; "
            "make room, or name another folder with TIEPOINT_CACHE"
        )


def _store(
    response: Any,
    part: Path,
    start: int,
    total: int | None,
    url: str,
    progress: Progress | None,
    manner: Manner,
) -> int:
    """Write what comes behind what is there; return how much there is then."""
    done = start
    most = total if total is not None else _LARGEST
    try:
        stream = part.open("ab" if start else "wb")
    except OSError as error:
        raise WriteError(f"{part}: cannot be written: {reason(error)}") from error
    with stream:
        while True:
            if progress is not None:
                progress(part.name.removesuffix(".part"), done, total)
            try:
                block = response.read1(_BLOCK)
            except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: a bad chunk
                raise _BrokenError(
                    f"the connection breaks off at {done} bytes ({_why(error, manner)})"
                ) from error
            done += len(block)
            if done > most:
                raise ReadError(f"{url}: sends more than the {most} bytes that it may have")
            try:
                if block:
                    stream.write(block)
                    continue
                stream.flush()
                os.fsync(stream.fileno())
            except OSError as error:
                raise WriteError(f"{part}: cannot be written: {reason(error)}") from error
            return done


def _begin(part: Path, url: str, headers: Any) -> None:
    """Note what the server calls the file that begins now, and drop what was there of another."""
    _forget(part)
    write_bytes(_note(part), json.dumps({"url": url, "mark": _mark(headers)}).encode())


def _left(part: Path, url: str) -> _Part:
    try:
        note = json.loads(_note(part).read_text("utf-8"))
        mark = note["mark"]
        if note["url"] == url and isinstance(mark, str) and mark:
            return _Part(part.stat().st_size, mark)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return _Part()


def _mark(headers: Any) -> str | None:
    """Return what tells this version of the file from another; a weak ETag does not do so to the byte."""
    etag = headers.get("ETag", "")
    mark = etag if etag.startswith('"') else headers.get("Last-Modified")
    return None if mark is None else str(mark)


def _note(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _forget(part: Path) -> None:
    for path in (_note(part), part):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise WriteError(f"{path}: cannot be removed: {reason(error)}") from error


def _why(error: Exception, manner: Manner) -> str:
    """Return what went wrong with a connection, in a few words."""
    cause = getattr(error, "reason", error)
    if isinstance(cause, TimeoutError):
        return f"no answer within {manner.seconds:g} seconds"
    if isinstance(cause, http.client.IncompleteRead):
        return "it ended too early"
    text = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
    return printable(text or type(cause).__name__, most=120).lower()
