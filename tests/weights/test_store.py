"""Weights that are on this machine, or are not, or are not what they were."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.weights.conftest import Shop
from tiepoint import weights
from tiepoint.errors import MissingError, OptionError, ReadError, WriteError
from tiepoint.weights import store


def test_weights_that_are_here(shop: Shop) -> None:
    data = shop.add("spire")
    shop.folder.mkdir()
    (shop.folder / "spire.pt").write_bytes(data)
    assert weights.path_of("spire") == shop.folder / "spire.pt"
    assert weights.missing("spire") is None
    assert list(weights.load("spire")["w"]) == [0, 1, 2, 3, 4]
    known = weights.provenance("spire")
    assert json.loads(json.dumps(known)) == known
    assert known == {
        "name": "spire", "file": "spire.pt", "sha256": weights.find("spire").sha256, "licence": "MIT"
    }  # fmt: skip


def test_weights_that_are_not_here(shop: Shop) -> None:
    shop.add("spire")
    shop.add("nave")
    assert weights.path_of("spire") is None
    words = r"weights spire are not on this machine; get them with: tiepoint weights fetch spire$"
    with pytest.raises(MissingError, match=words):
        weights.load("spire")
    assert not shop.server.asked
    assert not shop.folder.exists()
    for call in (weights.load, weights.path_of, weights.missing, weights.provenance):
        with pytest.raises(OptionError, match="did you mean 'spire'"):
            call("spires")


@pytest.fixture(params=["too long", "a loop", "no home"])
def impossible(request: pytest.FixtureRequest, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder of weights that cannot be; return what is said of it."""
    shop.add("spire")
    shop.add("crypt", sha256=None, size=None)
    loop = shop.folder.with_name("loop")
    loop.symlink_to(loop)
    place, words = {
        "too long": (
            "/" + "x" * 300,
            "xx: the folder of the weights cannot be read: file name too long; name",
        ),
        "a loop": (str(loop), "loop: the folder of the weights cannot be read: too many levels"),
        "no home": ("~nobody-of-this-name/w", "TIEPOINT_WEIGHTS is .* but there is no such home folder"),
    }[request.param]
    monkeypatch.setenv("TIEPOINT_WEIGHTS", place)
    return words


def test_in_a_folder_that_cannot_be_there_are_none(impossible: str) -> None:
    for name in ("spire", "crypt"):
        assert weights.path_of(name) is None
        for call in (weights.load, store.required):
            with pytest.raises((ReadError, WriteError), match=impossible):
                call(name)
    assert weights.missing("spire") == "tiepoint weights fetch spire"
    with pytest.raises(WriteError, match=r"cannot be made a folder|no such home folder"):
        weights.fetch("spire")


def test_in_a_folder_that_may_not_be_read_there_are_none(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.add("spire")
    stat = os.stat

    def refused(path: Any, *arguments: Any, **options: Any) -> os.stat_result:
        if str(path).startswith(str(shop.folder)):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(path, *arguments, **options)

    monkeypatch.setattr(os, "stat", refused)  # root may read everything
    assert weights.path_of("spire") is None
    assert not store.is_sound(weights.find("spire"))
    with pytest.raises(ReadError, match=rf"{shop.folder}: the folder .* cannot be read: permission denied;"):
        weights.load("spire")


def test_the_one_command_that_gets_what_is_missing(shop: Shop) -> None:
    spire = shop.add("spire")
    shop.add("nave")
    shop.add("crypt", usual=False)
    shop.add("barn", group="sheds")
    shop.folder.mkdir()
    for names, command in (
        (("spire",), "spire"),
        (("spire", "nave"), "towers"),
        (("nave", "spire", "barn"), "towers sheds"),
        (("crypt",), "crypt"),
        (("crypt", "spire", "nave"), "crypt towers"),
    ):
        assert weights.missing(*names) == f"tiepoint weights fetch {command}"
    (shop.folder / "spire.pt").write_bytes(spire)
    assert weights.missing("spire", "nave") == "tiepoint weights fetch nave"
    assert weights.missing() is None


def test_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    assert weights.folder({"TIEPOINT_WEIGHTS": "~/w"}) == Path.home() / "w"
    assert weights.folder({"TIEPOINT_CACHE": "/x"}) == Path("/x/weights")
    monkeypatch.setenv("TIEPOINT_WEIGHTS", "/y")
    assert weights.folder() == Path("/y")
    with pytest.raises(WriteError, match="no such home folder"):
        weights.folder({"TIEPOINT_WEIGHTS": "~nobody-of-this-name/w"})


@pytest.mark.parametrize("damage", [b"", b"PK", None])
def test_a_file_that_changed_is_not_read(damage: bytes | None, shop: Shop) -> None:
    data = shop.add("spire")
    shop.folder.mkdir()
    changed = bytearray(data)
    changed[len(data) // 2] ^= 1
    (shop.folder / "spire.pt").write_bytes(changed if damage is None else damage)
    words = r"spire.pt: is not the file that the weights spire were; get it anew with: tiepoint weights fetch"
    with pytest.raises(ReadError, match=words):
        weights.load("spire")
    # The command does what the sentence says.
    shop.serve("spire")
    weights.fetch("spire")
    assert weights.load("spire")
    assert (shop.folder / "spire.pt").read_bytes() == data


def test_a_file_without_a_known_sha256_is_never_read(shop: Shop) -> None:
    data = shop.add("spire", sha256=None, size=None)
    shop.folder.mkdir()
    (shop.folder / "spire.pt").write_bytes(data)
    assert weights.path_of("spire") is None
    assert weights.missing("spire") == "tiepoint weights import FILE --name spire --sha256 DIGITS"
    with pytest.raises(MissingError, match="tiepoint weights import FILE --name spire --sha256 DIGITS"):
        weights.load("spire")
    assert weights.provenance("spire")["sha256"] is None
    for kept in ("", "abc", "\xff"):
        (shop.folder / "spire.pt.sha256").write_bytes(kept.encode("latin-1"))
        assert weights.path_of("spire") is None
