"""The catalogue of data sets, and where on this machine they are kept."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest

from tests.evaluation.archives import entry
from tiepoint.errors import OptionError
from tiepoint.evaluation.datasets import CATALOGUE, Archive
from tiepoint.evaluation.datasets.load import LAYOUTS


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
