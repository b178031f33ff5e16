"""Fetching data sets, from a server on this machine that can be told to misbehave."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections import namedtuple
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.test_datasets_layouts import sequence
from tiepoint.errors import OptionError, ReadError, WriteError
from tiepoint.evaluation.datasets import (
    CATALOGUE,
    Archive,
    Entry,
    cache_folder,
    fetch,
    fetched,
    load_dataset,
    transfer,
)
from tiepoint.evaluation.datasets.cache import locked
from tiepoint.evaluation.datasets.load import LAYOUTS
from tiepoint.evaluation.datasets.transfer import download

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


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(transfer, "PAUSE", 0.0)
    monkeypatch.setattr(transfer, "TIMEOUT", 5.0)
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.done.set()
        made.shutdown()
        thread.join()


def packed(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def entry(*archives: Archive, **changed: str) -> Entry:
    values = {
        "name": "towers",
        "root": "towers",
        "page": "http://127.0.0.1/",
        "citation": "-",
        "licence": "-",
    }
    return Entry(archives=archives, **{**values, **changed})


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


FILES = {"towers/1.ppm": b"P6 1 1 255 abc", "towers/H_1_2": BIG}
ZIP = packed(FILES)


# One file


def test_a_file_comes_whole(server: Server, tmp_path: Path) -> None:
    steps: list[tuple[str, int, int | None]] = []
    url = server.put("a.bin", BIG)
    assert not download(url, tmp_path / "x.bin", size=len(BIG), progress=lambda *step: steps.append(step))
    assert (tmp_path / "x.bin").read_bytes() == BIG
    assert [path.name for path in tmp_path.iterdir()] == ["x.bin"]
    assert steps[0] == ("x.bin", 0, len(BIG))
    assert steps[-1] == ("x.bin", len(BIG), len(BIG))
    assert [step[1] for step in steps] == sorted(step[1] for step in steps)


@pytest.mark.parametrize("how", [{"chunked": True}, {"etag": None}, {"etag": 'W/"weak"'}])
def test_servers_that_say_little(how: dict[str, Any], server: Server, tmp_path: Path) -> None:
    download(server.put("a.bin", BIG, **how), tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == BIG


def test_an_empty_file_is_a_file(server: Server, tmp_path: Path) -> None:
    download(server.put("a.bin", b""), tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == b""


@pytest.mark.parametrize(
    "how", [{}, {"etag": None, "modified": "Wed, 21 Oct 2015 07:28:00 GMT"}, {"chunked": True}]
)
def test_a_connection_that_breaks_is_taken_up_where_it_broke(
    how: dict[str, Any], server: Server, tmp_path: Path
) -> None:
    url = server.put("a.bin", BIG, cut=[1_000_000, 300_000], **how)
    download(url, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == BIG
    assert [(wanted, status) for _, wanted, status in server.asked] == [
        (None, 200),
        ("bytes=1000000-", 206),
        ("bytes=1300000-", 206),
    ]


@pytest.mark.parametrize("how", [{"ranges": False}, {"etag": None}, {"etag": 'W/"weak"'}])
def test_a_server_that_cannot_go_on_begins_anew(how: dict[str, Any], server: Server, tmp_path: Path) -> None:
    url = server.put("a.bin", BIG, cut=[1_000_000], **how)
    download(url, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == BIG
    assert [status for *_, status in server.asked] == [200, 200]


def left_behind(server: Server, target: Path, **how: Any) -> str:
    """Break off for good after a million bytes, as when the network goes or the process is stopped."""
    url = server.put("a.bin", BIG, cut=[1_000_000, 0, 0, 0, 0], **how)
    with pytest.raises(ReadError, match=r"breaks off at 1000000 of 2048000 bytes, 5 times; try again later"):
        download(url, target)
    assert not target.exists()
    server.asked.clear()
    return url


def test_a_later_run_goes_on(server: Server, tmp_path: Path) -> None:
    url = left_behind(server, tmp_path / "x")
    assert download(url, tmp_path / "x")
    assert server.asked == [("a.bin", "bytes=1000000-", 206)]
    assert (tmp_path / "x").read_bytes() == BIG


@pytest.mark.parametrize(
    "how", [{"etag": '"two"'}, {"etag": None}, {"etag": '"two"', "if_range": False}]
)  # the last: a server that does not know the condition
def test_a_file_that_changed_meanwhile_is_fetched_anew(
    how: dict[str, Any], server: Server, tmp_path: Path
) -> None:
    left_behind(server, tmp_path / "x")
    other = BIG[::-1]
    url = server.put("a.bin", other, **how)
    download(url, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == other


def test_a_part_that_is_whole_already(server: Server, tmp_path: Path) -> None:
    url = left_behind(server, tmp_path / "x")
    (tmp_path / "x.part").write_bytes(BIG)
    download(url, tmp_path / "x")
    assert server.asked == [("a.bin", f"bytes={len(BIG)}-", 416)]
    assert (tmp_path / "x").read_bytes() == BIG


def test_a_part_that_is_too_long(server: Server, tmp_path: Path) -> None:
    url = left_behind(server, tmp_path / "x")
    (tmp_path / "x.part").write_bytes(BIG + b"more")
    download(url, tmp_path / "x")
    assert [status for *_, status in server.asked] == [416, 200]
    assert (tmp_path / "x").read_bytes() == BIG


@pytest.mark.parametrize(
    "note", ["", "[]", "{}", '{"url": 1, "mark": 2}', '{"url": "http://b/", "mark": "x"}']
)
def test_a_part_of_unknown_origin_is_not_trusted(note: str, server: Server, tmp_path: Path) -> None:
    url = left_behind(server, tmp_path / "x")
    (tmp_path / "x.part.json").write_text(note)
    download(url, tmp_path / "x")
    assert server.asked == [("a.bin", None, 200)]
    assert (tmp_path / "x").read_bytes() == BIG


def test_another_part_than_was_asked_for_is_not_taken(server: Server, tmp_path: Path) -> None:
    url = left_behind(server, tmp_path / "x")
    server.files["a.bin"].headers["Content-Range"] = "bytes 5-2047999/2048000"
    download(url, tmp_path / "x")
    assert [status for *_, status in server.asked] == [206, 200]
    assert (tmp_path / "x").read_bytes() == BIG


@pytest.mark.parametrize("status", [429, 500, 503])
def test_trouble_that_may_pass_is_tried_again(status: int, server: Server, tmp_path: Path) -> None:
    download(server.put("a.bin", BIG, status=[status, status]), tmp_path / "x")
    assert [answer for *_, answer in server.asked] == [status, status, 200]
    with pytest.raises(ReadError, match=rf"answers {status} \(.*\), 5 times; try again later"):
        download(server.put("a.bin", BIG, status=[status] * 9), tmp_path / "y")


@pytest.mark.parametrize(("status", "word"), [(404, "not found"), (403, "forbidden"), (410, "gone")])
def test_trouble_that_stays_is_told_at_once(status: int, word: str, server: Server, tmp_path: Path) -> None:
    url = server.put("a.bin", BIG, status=[status])
    with pytest.raises(ReadError, match=rf"{url}: the server answers {status} \({word}\); .* with --root"):
        download(url, tmp_path / "x")
    assert len(server.asked) == 1
    assert not list(tmp_path.iterdir())


def test_without_a_network_the_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with socket.socket() as free:  # a port that nobody listens on
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/a.zip"
        with pytest.raises(
            ReadError, match=rf"{url}: cannot be reached \(connection refused\); without a net"
        ):
            download(url, tmp_path / "x")

    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    words = r"cannot be reached \(name or service not known\); without a network, --root takes a local copy"
    with pytest.raises(ReadError, match=f"https://nowhere.invalid/a.zip: {words}"):
        download("https://nowhere.invalid/a.zip", tmp_path / "x")


def test_a_server_that_falls_silent(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "TIMEOUT", 0.2)
    url = server.put("a.bin", BIG, stall=[1000, 2000])
    download(url, tmp_path / "x")
    assert [wanted for _, wanted, _ in server.asked] == [None, "bytes=1000-", "bytes=3000-"]
    assert (tmp_path / "x").read_bytes() == BIG
    monkeypatch.setattr(transfer, "ATTEMPTS", 1)
    server.put("a.bin", BIG, stall=[1000])
    with pytest.raises(ReadError, match=r"breaks off at 1000 bytes \(no answer within 0.2 seconds\)"):
        download(url, tmp_path / "y")


def test_a_file_of_another_size_is_refused(server: Server, tmp_path: Path) -> None:
    url = server.put("a.bin", BIG)
    with pytest.raises(ReadError, match=rf"{url}: has 2048000 bytes where 5 are expected"):
        download(url, tmp_path / "x", size=5)
    server.put("a.bin", BIG, chunked=True)
    with pytest.raises(ReadError, match="sends more than the 5 bytes"):
        download(url, tmp_path / "x", size=5)
    with pytest.raises(ReadError, match="has 2048000 bytes where 3000000 are expected"):
        download(url, tmp_path / "x", size=3_000_000)


def test_redirects_are_followed_to_the_web_only(server: Server, tmp_path: Path) -> None:
    server.put("a.bin", BIG)
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    url = server.put("moved", b"", status=[302], headers={"Location": server.url("a.bin")})
    download(url, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == BIG
    for target in (secret.as_uri(), "ftp://127.0.0.1/x", "data:,x"):
        server.put("moved", b"", status=[302], headers={"Location": target})
        with pytest.raises(ReadError, match=r"answers 302|cannot be reached"):
            download(url, tmp_path / "y")
        assert not (tmp_path / "y").exists()


def test_a_full_disk_is_told_beforehand(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(9, 9, 1_500_000))
    with pytest.raises(
        WriteError, match=rf"{tmp_path}: has 0.00 GB free, but 0.00 GB are to come; make room"
    ):
        download(server.put("a.bin", BIG), tmp_path / "x")


def test_a_disk_that_fills_up_keeps_what_there_is(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    url = server.put("a.bin", BIG)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(WriteError, match=r"x.part: cannot be written: no space left on device"):
            download(url, tmp_path / "x")
    server.asked.clear()
    download(url, tmp_path / "x")
    assert server.asked[0][1] is not None
    assert (tmp_path / "x").read_bytes() == BIG


def test_a_folder_that_is_not_there(server: Server, tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="nowhere"):
        download(server.put("a.bin", BIG), tmp_path / "nowhere" / "x")


# A data set


def test_a_data_set_is_fetched_once(server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    one = entry(Archive(url=server.put("a.zip", ZIP), sha256=sha256(ZIP), size=len(ZIP)))
    assert fetched(one, tmp_path) is None
    steps: list[str] = []
    folder = fetch(one, tmp_path, lambda what, *_: steps.append(what))
    assert folder == tmp_path / "datasets" / "towers" / "data" / "towers" == fetched(one, tmp_path)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "1.ppm": b"P6 1 1 255 abc",
        "H_1_2": BIG,
    }
    assert sorted(path.name for path in (tmp_path / "datasets" / "towers").iterdir()) == ["data", "lock"]
    assert list(dict.fromkeys(steps)) == ["0-a.zip", "unpacking 0-a.zip"]
    assert not caplog.records
    server.files.clear()
    assert fetch(one, tmp_path) == folder
    assert len(server.asked) == 1


def test_several_archives_make_one_data_set(server: Server, tmp_path: Path) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("img1.ppm"))
    both = entry(
        Archive(url=server.put("x/graf.tar.gz", stream.getvalue()), folder="graf"),
        Archive(url=server.put("y/graf.tar.gz", stream.getvalue()), folder="more/wall"),
        root="",
    )
    folder = fetch(both, tmp_path)
    assert (folder / "graf" / "img1.ppm").exists()
    assert (folder / "more" / "wall" / "img1.ppm").exists()
    # The second is missing: the first is kept, and not fetched again.
    server.asked.clear()
    missing = entry(both.archives[0], Archive(url=server.url("z.zip")), root="", name="again")
    with pytest.raises(ReadError, match=r"z.zip: the server answers 404"):
        fetch(missing, tmp_path)
    assert fetched(missing, tmp_path) is None
    server.put("z.zip", ZIP)
    fetch(missing, tmp_path)
    assert [name for name, *_ in server.asked] == ["x/graf.tar.gz", "z.zip", "z.zip"]


def test_a_wrong_checksum_is_refused_and_the_file_removed(server: Server, tmp_path: Path) -> None:
    other = sha256(b"other")
    wrong = entry(Archive(url=server.put("a.zip", ZIP), sha256=other))
    words = rf"a.zip: gave sha256 {sha256(ZIP)} where {other} is expected; it is damaged or another file"
    with pytest.raises(ReadError, match=words):
        fetch(wrong, tmp_path)
    assert not list((tmp_path / "datasets" / "towers" / "downloads").iterdir())
    assert fetched(wrong, tmp_path) is None


def test_a_damaged_part_is_fetched_anew(server: Server, tmp_path: Path) -> None:
    """What an earlier run has left fits the server's file in length, but not in content."""
    one = entry(Archive(url=server.put("a.zip", ZIP, cut=[1000, 0, 0, 0, 0]), sha256=sha256(ZIP)))
    with pytest.raises(ReadError, match="breaks off at 1000 of"):
        fetch(one, tmp_path)
    downloads = tmp_path / "datasets" / "towers" / "downloads"
    (downloads / "0-a.zip.part").write_bytes(bytes(1000))
    fetch(one, tmp_path)
    assert [status for *_, status in server.asked[-2:]] == [206, 200]


def test_a_whole_archive_of_an_earlier_run_is_checked(server: Server, tmp_path: Path) -> None:
    one = entry(Archive(url=server.put("a.zip", ZIP), sha256=sha256(ZIP)))
    downloads = tmp_path / "datasets" / "towers" / "downloads"
    downloads.mkdir(parents=True)
    (downloads / "0-a.zip").write_bytes(ZIP[:-1])
    fetch(one, tmp_path)
    assert len(server.asked) == 1


def test_an_unknown_checksum_is_told_and_kept_as_the_measure(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = entry(Archive(url=server.put("a.zip", ZIP)))
    with caplog.at_level(logging.WARNING, "tiepoint"):
        fetch(one, tmp_path)
    (record,) = caplog.records
    assert record.name == "tiepoint"
    assert record.getMessage().startswith(
        f"{server.url('a.zip')}: nobody has published its sha256; {sha256(ZIP)}"
    )
    home = tmp_path / "datasets" / "towers"
    kept = json.loads((home / "checksums.json").read_text())
    assert kept[server.url("a.zip")]["sha256"] == sha256(ZIP)
    assert kept[server.url("a.zip")]["size"] == len(ZIP)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", kept[server.url("a.zip")]["first"])

    # Later it is the same, and nothing need be said;
    (home / "data").rename(tmp_path / "old")
    caplog.clear()
    fetch(one, tmp_path)
    assert not caplog.records
    # then it is another.
    (home / "data").rename(tmp_path / "older")
    other = packed({"towers/x": b"other"})
    server.put("a.zip", other)
    words = (
        rf"a.zip: gives another file than on \d{{4}}-\d\d-\d\d \(sha256 {sha256(other)}, "
        rf"then {sha256(ZIP)}\); if you trust the new one, remove .*checksums.json"
    )
    with pytest.raises(ReadError, match=words):
        fetch(one, tmp_path)
    assert fetched(one, tmp_path) is None
    (home / "checksums.json").unlink()
    assert (fetch(one, tmp_path) / "x").read_bytes() == b"other"


@pytest.mark.parametrize("text", ["", "[]", '{"http://a/": 5}', '{"http://a/": {}}', "[" * 100_000])
def test_damaged_checksums_are_told(text: str, server: Server, tmp_path: Path) -> None:
    (tmp_path / "datasets" / "towers").mkdir(parents=True)
    (tmp_path / "datasets" / "towers" / "checksums.json").write_text(text)
    with pytest.raises(ReadError, match=r"checksums.json: is damaged; remove it"):
        fetch(entry(Archive(url=server.put("a.zip", ZIP))), tmp_path)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<html>moved</html>", "is no .zip or .tar.gz archive"),
        (ZIP[:-30], "a broken one"),
        (packed({"../x": b""}), "leads out of its folder"),
        (packed({"other/x": b""}), "has no folder 'towers' in it"),
    ],
    ids=["page", "cut", "hostile", "other"],
)
def test_what_is_no_data_set_is_not_kept(data: bytes, words: str, server: Server, tmp_path: Path) -> None:
    one = entry(Archive(url=server.put("a.zip", data)))
    with pytest.raises(ReadError, match=f"{server.url('a.zip')}: what it gives .*{words}") as told:
        fetch(one, tmp_path)
    assert "\n" not in str(told.value)
    home = tmp_path / "datasets" / "towers"
    assert sorted(path.name for path in home.iterdir()) == ["downloads", "lock"]
    assert not list((home / "downloads").iterdir())
    server.put("a.zip", ZIP)
    fetch(one, tmp_path)


def test_what_a_killed_process_has_left_is_cleared(server: Server, tmp_path: Path) -> None:
    draft = tmp_path / "datasets" / "towers" / "draft-1234" / "towers"
    draft.mkdir(parents=True)
    (draft / "half").touch()
    fetch(entry(Archive(url=server.put("a.zip", ZIP))), tmp_path)
    assert not draft.exists()


def test_a_file_where_the_cache_should_be(tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    with pytest.raises(WriteError, match="cannot be made a folder"):
        fetch(CATALOGUE["oxford"], tmp_path / "cache")


def test_from_the_address_to_the_pairs(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = sequence(tmp_path / "made", "{}.ppm")
    root = "hpatches-sequences-release"
    files = {
        f"{root}/{name}/{file.name}": file.read_bytes()
        for name in ("i_dc", "v_wall")
        for file in made.iterdir()
    }
    one = entry(Archive(url=server.put("a.zip", packed(files))), name="hpatches", root=root)
    monkeypatch.setitem(CATALOGUE, "hpatches", one)
    monkeypatch.setenv("TIEPOINT_CACHE", str(tmp_path / "cache"))
    with pytest.raises(ReadError, match="hpatches is not on this machine"):
        load_dataset("hpatches")
    assert not server.asked
    dataset = load_dataset("hpatches", download=True)
    assert dataset.sequences == ("v_wall",)
    assert load_dataset("hpatches").pairs[0].photo1 == fetched(one) / "v_wall" / "2.ppm"  # type: ignore[operator]
    assert len(server.asked) == 1


# Several at once

RUN = """
import sys
from tiepoint.evaluation.datasets import Archive, Entry, fetch
archive = Archive(url=sys.argv[1], sha256=sys.argv[2])
entry = Entry(name="towers", root="towers", page="-", citation="-", licence="-", archives=(archive,))
print(fetch(entry, sys.argv[3]))
"""


def start(url: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RUN, url, sha256(ZIP), str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(condition: Any) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_two_processes_fetch_once(server: Server, tmp_path: Path) -> None:
    url = server.put("a.zip", ZIP, stall=[1_000_000])
    first = start(url, tmp_path)
    wait_for(lambda: server.asked)
    second = start(url, tmp_path)
    assert second.stderr is not None
    assert second.stderr.readline() == "another process fetches towers; waiting\n"
    server.done.set()  # the first is cut off, and goes on by itself
    for process in (first, second):
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        assert out.strip() == str(fetched(entry(), tmp_path))
    assert [wanted for _, wanted, _ in server.asked] == [None, "bytes=1000000-"]


def test_a_killed_process_frees_the_lock_and_its_part_is_used(server: Server, tmp_path: Path) -> None:
    url = server.put("a.zip", ZIP, stall=[1_000_000])
    process = start(url, tmp_path)
    part = tmp_path / "datasets" / "towers" / "downloads" / "0-a.zip.part"
    wait_for(lambda: part.exists() and part.stat().st_size > 0)
    process.kill()
    process.communicate(timeout=30)
    size = part.stat().st_size
    assert 0 < size <= 1_000_000
    fetch(entry(Archive(url=url, sha256=sha256(ZIP))), tmp_path)
    assert server.asked[1:] == [("a.zip", f"bytes={size}-", 206)]


def test_a_lock_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    inside = 0
    most = 0
    waits: list[int] = []

    def work() -> None:
        nonlocal inside, most
        with locked(tmp_path / "lock", lambda: waits.append(1)):
            inside += 1
            most = max(most, inside)
            time.sleep(0.02)
            inside -= 1

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (inside, most) == (0, 1)
    assert 1 <= len(waits) <= 4


def test_a_lock_where_none_can_be(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="no such file"), locked(tmp_path / "no" / "lock", lambda: None):
        pass


# The catalogue and the cache


@pytest.mark.parametrize(
    ("environment", "platform", "expected"),
    [
        ({"TIEPOINT_CACHE": "/x/y", "XDG_CACHE_HOME": "/z"}, "linux", "/x/y"),
        ({"TIEPOINT_CACHE": "~/y"}, "linux", "{home}/y"),
        ({"TIEPOINT_CACHE": "", "XDG_CACHE_HOME": "/z"}, "linux", "/z/tiepoint"),
        ({"XDG_CACHE_HOME": "relative"}, "linux", "{home}/.cache/tiepoint"),
        ({}, "linux", "{home}/.cache/tiepoint"),
        ({"XDG_CACHE_HOME": "/z"}, "darwin", "{home}/Library/Caches/tiepoint"),
        ({"LOCALAPPDATA": "/local"}, "win32", "/local/tiepoint"),
        ({}, "win32", "{home}/AppData/Local/tiepoint"),
        ({"TIEPOINT_CACHE": "/x/y"}, "win32", "/x/y"),
    ],
)
def test_where_the_cache_is(environment: dict[str, str], platform: str, expected: str) -> None:
    home = Path.home().as_posix()
    assert cache_folder(environment, platform).as_posix() == expected.format(home=home)


def test_a_machine_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(_: Any = None) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nowhere)
    with pytest.raises(WriteError, match="name one with TIEPOINT_CACHE"):
        cache_folder({}, "linux")


def test_every_entry_has_a_loader_and_its_terms() -> None:
    layouts = {layout.name for layout in LAYOUTS}
    assert set(CATALOGUE) == {"hpatches", "oxford", "strecha", "megadepth1500"} == layouts - {"pairs"}
    for name, one in CATALOGUE.items():
        assert one.name == name
        assert one.licence.endswith(".")
        assert re.search(r"(19|20)\d\d", one.citation)
        assert one.page.startswith("https://")
        assert all(archive.url.startswith("https://") for archive in one.archives)
        assert len({archive.url for archive in one.archives}) == len(one.archives)
    assert [archive.folder for archive in CATALOGUE["oxford"].archives] == [
        "bark", "bikes", "boat", "graf", "leuven", "trees", "ubc", "wall"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "changed",
    [
        {"url": "ftp://a/b.zip"},
        {"url": "file:///etc/passwd"},
        {"url": "https://a/"},
        {"url": "b.zip"},
        {"sha256": "abc"},
        {"sha256": "A" * 64},
        {"folder": "../x"},
        {"folder": "/x"},
        {"folder": "a/.."},
        {"folder": "a\\b"},
        {"folder": "a//b"},
    ],
)
def test_archives_that_cannot_be(changed: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        Archive(**{"url": "https://a/b.zip", **changed})


@pytest.mark.parametrize(
    "changed", [{"name": ".."}, {"name": "a/b"}, {"name": ""}, {"root": ".."}, {"root": "a/"}]
)
def test_entries_that_cannot_be(changed: dict[str, str]) -> None:
    with pytest.raises(OptionError, match="plain names"):
        entry(**changed)


def test_nothing_is_fetched_by_importing() -> None:
    code = (
        "import socket\n"
        "def refuse(*a, **k): raise AssertionError('network')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "import tiepoint.evaluation.datasets\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
