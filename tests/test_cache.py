"""Where fetched files are kept, and the lock that keeps two processes out of each other's way."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tiepoint.cache import cache_folder, locked
from tiepoint.errors import WriteError


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
