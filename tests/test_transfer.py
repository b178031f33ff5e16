"""Fetching one file, from a server on this machine that can be told to misbehave."""

from __future__ import annotations

import os
import shutil
import socket
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from tests.misbehaving_server import BIG, Server
from tiepoint import transfer
from tiepoint.errors import ReadError, WriteError
from tiepoint.transfer import Manner, download


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
    with pytest.raises(ReadError, match=rf"{url}: the server answers {status} \({word}\); do this"):
        download(url, tmp_path / "x", manner=Manner(if_moved="; do this", if_offline="; do that"))
    assert len(server.asked) == 1
    assert not list(tmp_path.iterdir())


def test_without_a_network_the_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with socket.socket() as free:  # a port that nobody listens on
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/a.zip"
        with pytest.raises(ReadError, match=rf"{url}: cannot be reached \(connection refused\)$"):
            download(url, tmp_path / "x")

    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    words = r"cannot be reached \(name or service not known\); do that"
    with pytest.raises(ReadError, match=f"https://nowhere.invalid/a.zip: {words}"):
        download("https://nowhere.invalid/a.zip", tmp_path / "x", manner=Manner(if_offline="; do that"))


def test_a_server_that_falls_silent(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "TIMEOUT", 0.2)
    url = server.put("a.bin", BIG, stall=[1000, 2000])
    download(url, tmp_path / "x")
    assert [wanted for _, wanted, _ in server.asked] == [None, "bytes=1000-", "bytes=3000-"]
    assert (tmp_path / "x").read_bytes() == BIG
    server.put("a.bin", BIG, stall=[1000])
    monkeypatch.setattr(transfer, "TIMEOUT", 20.0)
    download(url, tmp_path / "z", manner=Manner(timeout=0.1))
    monkeypatch.setattr(transfer, "TIMEOUT", 0.2)
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


def test_plain_http_can_be_refused_also_behind_a_redirect(server: Server, tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"a.bin: cannot be reached \(unknown url type: http\)"):
        download(server.put("a.bin", BIG), tmp_path / "x", manner=Manner(https_only=True))
    assert not server.asked
    assert not list(tmp_path.iterdir())


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
