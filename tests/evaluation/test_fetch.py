"""Fetching a data set: its archives, their checksums, and several processes at once."""

from __future__ import annotations

import io
import json
import logging
import re
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.archives import ZIP, entry
from tests.evaluation.layouts import sequence
from tests.misbehaving_server import BIG, Server, packed, sha256
from tiepoint.errors import ReadError, WriteError
from tiepoint.evaluation.datasets import CATALOGUE, Archive, fetch, fetched, load_dataset


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
