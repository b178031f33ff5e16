from __future__ import annotations

import os
from pathlib import Path

import pytest

from tiepoint import WriteError
from tiepoint.errors import reason
from tiepoint.files import make_folder, write_bytes


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = write_bytes(tmp_path / "a b.bin", b"one")
    path.chmod(0o640)
    write_bytes(path, b"two")
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o640
    assert [p.name for p in tmp_path.iterdir()] == ["a b.bin"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target)
    write_bytes(link, b"x")
    assert link.is_symlink()
    assert target.read_bytes() == b"x"


def test_missing_folder_and_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="cannot be written: no such file or directory"):
        write_bytes(tmp_path / "no" / "file", b"x")
    with pytest.raises(WriteError, match="cannot be written: is a directory"):
        write_bytes(tmp_path, b"x")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no full disk to offer")  # noqa: PTH110
def test_a_full_disk_is_told() -> None:
    with pytest.raises(WriteError, match="/dev/full: cannot be written: no space left on device"):
        write_bytes("/dev/full", b"x")


def test_what_was_there_survives_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_bytes(tmp_path / "file", b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(WriteError, match="no space left"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_folder_is_made_with_those_above_it_and_may_be_there(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "a" / "b")
    (folder / "file").touch()
    assert make_folder(str(folder)) == folder
    assert (folder / "file").exists()


def test_a_file_in_the_way_of_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(WriteError, match="a: cannot be made a folder: file exists"):
        make_folder(tmp_path / "a")
    with pytest.raises(WriteError, match="b: cannot be made a folder: not a directory"):
        make_folder(tmp_path / "a" / "b")


def test_a_reason_is_there_without_the_systems_words() -> None:
    assert reason(OSError(28, "No space left on device")) == "no space left on device"
    assert reason(OSError("Strange")) == "strange"
