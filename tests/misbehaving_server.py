"""A server on this machine that can be told to misbehave."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BIG = bytes(range(256)) * 8000  # several blocks


@dataclass
class Served:
    """A file of the server, and how the server is to treat those who ask for it."""

    data: bytes
    etag: str | None = '"one"'
    modified: str | None = None
    ranges: bool = True
    if_range: bool = True
    chunked: bool = False
    # For the next requests, one each: cut the answer after so many bytes, stall there, or answer so.
    cut: list[int] = field(default_factory=list)
    stall: list[int] = field(default_factory=list)
    status: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)


class Server(ThreadingHTTPServer):
    """Files at http://127.0.0.1, and a list of what was asked for: (path, Range, status)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, Served] = {}
        self.asked: list[tuple[str, str | None, int]] = []
        self.done = threading.Event()

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"

    def put(self, name: str, data: bytes, **how: Any) -> str:
        self.files[name] = Served(data, **how)
        return self.url(name)

    def handle_error(self, *_: Any) -> None:
        """A client that goes away is what these tests are about."""


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.close_connection = True
        name = self.path[1:]
        file = self.server.files.get(name)
        wanted = self.headers.get("Range")
        if file is None:
            return self.answer(name, wanted, 404, b"<html>not here</html>", {})
        if file.status:
            return self.answer(name, wanted, file.status.pop(0), b"no", dict(file.headers))
        assert self.headers.get("User-Agent") == "tiepoint"
        headers = dict(file.headers)
        if file.etag:
            headers["ETag"] = file.etag
        if file.modified:
            headers["Last-Modified"] = file.modified
        start = 0
        condition = self.headers.get("If-Range")
        unchanged = condition is None or condition in (file.etag, file.modified)
        if wanted and file.ranges and (unchanged or not file.if_range):
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(file.data):
                return self.answer(name, wanted, 416, b"", {"Content-Range": f"bytes */{len(file.data)}"})
            headers.setdefault("Content-Range", f"bytes {start}-{len(file.data) - 1}/{len(file.data)}")
            return self.answer(name, wanted, 206, file.data[start:], headers, file)
        return self.answer(name, wanted, 200, file.data, headers, file)

    def answer(
        self,
        name: str,
        wanted: str | None,
        status: int,
        body: bytes,
        headers: dict[str, str],
        file: Served | None = None,
    ) -> None:
        self.server.asked.append((name, wanted, status))
        self.send_response(status)
        chunked = file is not None and file.chunked
        headers.setdefault("Transfer-Encoding", "chunked") if chunked else headers.setdefault(
            "Content-Length", str(len(body))
        )
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        cut = file.cut.pop(0) if file is not None and file.cut else len(body)
        stall = file.stall.pop(0) if file is not None and file.stall else None
        part = body[: cut if stall is None else stall]
        if chunked:
            self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            self.wfile.write(b"0\r\n\r\n" if len(part) == len(body) else b"")
        else:
            self.wfile.write(part)
        if stall is not None:
            self.wfile.flush()
            self.server.done.wait(20)


def packed(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
