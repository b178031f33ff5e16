"""``tiepoint weights`` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import typer

from tests.cli.conftest import Tiepoint, sentence
from tests.weights.conftest import Shop, shop
from tiepoint import weights
from tiepoint.cli import main_inner
from tiepoint.errors import MissingError, OptionError, ReadError
from tiepoint.formats import schema

__all__ = ["shop"]  # the fixture

Captured = pytest.CaptureFixture[str]


def test_the_list_fits_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setenv("TIEPOINT_WEIGHTS", str(tmp_path / "none"))
    assert main_inner(["weights", "list"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines[: len(weights.catalogue())]] == [
        one.name for one in weights.catalogue()
    ]
    assert "here" not in out
    assert not (tmp_path / "none").exists()


def test_the_list_as_json(shop: Shop, capsys: Captured) -> None:
    data = shop.add("spire")
    shop.add("nave", wheel=None)
    shop.add("crypt", size=None, sha256=None)
    shop.folder.mkdir()
    (shop.folder / "spire.pt").write_bytes(data)
    assert main_inner(["weights", "list", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, schema("weights"))
    assert document["folder"] == str(shop.folder)
    assert [one["path"] for one in document["weights"]] == [str(shop.folder / "spire.pt"), None, None]
    assert main_inner(["weights", "list"]) == 0
    assert [line.split()[-3] for line in capsys.readouterr().out.splitlines()[:3]] == ["here", "-", "-"]


def test_the_list_of_the_real_catalogue_follows_its_schema(capsys: Captured) -> None:
    main_inner(["weights", "list", "--json"])
    jsonschema.validate(json.loads(capsys.readouterr().out), schema("weights"))


def test_a_group_is_fetched_and_the_licence_told_before(shop: Shop, capsys: Captured) -> None:
    shop.add("spire")
    shop.add("nave", licence="ISC")
    shop.add("crypt", usual=False)
    shop.serve("spire", "nave")
    assert main_inner(["weights", "fetch", "towers"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [str(shop.folder / "spire.pt"), str(shop.folder / "nave.pt")]
    assert "spire.pt: small spire; 0.0 MB, licence MIT" in err
    assert "nave.pt: small nave; 0.0 MB, licence ISC" in err
    assert main_inner(["weights", "fetch", "towers", "-q"]) == 0
    assert capsys.readouterr().err == ""
    assert main_inner(["weights", "fetch", "spire", "-v"]) == 0
    told = capsys.readouterr().err
    assert "here already" in told
    assert "Nobody. Towers. 1999." in told
    assert len(shop.server.asked) == 2
    assert main_inner(["weights", "path", "nave"]) == 0
    assert main_inner(["weights", "path"]) == 0
    assert capsys.readouterr().out.splitlines() == [str(shop.folder / "nave.pt"), str(shop.folder)]
    with pytest.raises(
        MissingError, match="not on this machine; get them with: tiepoint weights fetch crypt"
    ):
        main_inner(["weights", "path", "crypt"])


def test_a_licence_can_be_refused(shop: Shop, capsys: Captured) -> None:
    shop.add("spire", licence="CC-BY-NC-4.0")
    shop.serve("spire")
    with pytest.raises(OptionError, match=r"under the licence CC-BY-NC-4.0, which is not among Apache-2.0"):
        main_inner(["weights", "fetch", "spire", "--license", "permissive"])
    assert not shop.server.asked
    assert "licence CC-BY-NC-4.0" in capsys.readouterr().err
    assert main_inner(["weights", "fetch", "spire"]) == 0


def test_files_are_taken_over(shop: Shop, tmp_path: Path, capsys: Captured) -> None:
    here = tmp_path / "some file"
    here.write_bytes(shop.add("spire"))
    assert main_inner(["weights", "import", str(here)]) == 0
    assert capsys.readouterr().out == f"{shop.folder / 'spire.pt'}\n"
    assert main_inner(["weights", "import", str(here), str(here)]) == 0


def test_a_file_that_cannot_be_taken_over_does_not_stop_the_others(
    shop: Shop, tmp_path: Path, capsys: Captured
) -> None:
    here, other = tmp_path / "some file", tmp_path / "other"
    here.write_bytes(shop.add("spire"))
    other.write_bytes(b"<html>")
    assert main_inner(["weights", "import", str(tmp_path / "nothing"), str(other), str(here)]) == 1
    out, err = capsys.readouterr()
    assert out == f"{shop.folder / 'spire.pt'}\n"
    first, second, last = err.splitlines()
    assert first == f"tiepoint: {tmp_path / 'nothing'}: there is no such file"
    assert second.startswith(f"tiepoint: {other}: is none of the weight files")
    assert last == "tiepoint: 2 of 3 files failed"
    with pytest.raises(ReadError, match="there is no such file"):
        main_inner(["weights", "import", str(tmp_path / "nothing")])


@pytest.mark.parametrize(
    "arguments",
    [
        ["fetch", "xfeat", "--source", "ftp"],
        ["fetch", "xfeat", "--license", "mine"],
        ["import", "a", "b", "--name", "xfeat"],
        ["import", "a", "b", "--sha256", "0"],
    ],
)
def test_flags_that_make_no_sense(arguments: list[str]) -> None:
    with pytest.raises(typer.BadParameter):
        main_inner(["weights", *arguments])


def test_failures_are_one_sentence(tiepoint: Tiepoint, tmp_path: Path) -> None:
    env = {"TIEPOINT_WEIGHTS": str(tmp_path / "w")}
    page = tmp_path / "page.html"
    page.write_text("<html>")
    assert "did you mean 'xfeat'" in sentence(tiepoint("weights", "path", "xfeet", env=env))
    assert "tiepoint weights fetch disk" in sentence(tiepoint("weights", "path", "disk", env=env))
    assert "page.html: is none of the weight files" in sentence(tiepoint("weights", "import", page, env=env))
    run = tiepoint("weights", "fetch", "loftr-outdoor", "-q", env=env)
    assert "nobody has published the sha256 of the weights loftr-outdoor" in sentence(run)
    assert not (tmp_path / "w").exists()


def test_a_folder_that_cannot_be_read(tiepoint: Tiepoint) -> None:
    env = {"TIEPOINT_WEIGHTS": "/" + "x" * 300}
    for verb in (["weights", "list"], ["weights", "list", "--json"], ["methods"]):
        run = tiepoint(*verb, env=env)
        assert (run.code, run.err) == (0, "")
        assert "  here  " not in run.out
    words = "xx: the folder of the weights cannot be read: file name too long; name another one with TIEPOINT"
    assert words in sentence(tiepoint("weights", "path", "xfeat", env=env))
