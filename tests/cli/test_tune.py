"""``tiepoint tune`` as a person types it."""

from __future__ import annotations

import csv
import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from tests.cli.conftest import Tiepoint, sentence
from tiepoint.cli import main_inner
from tiepoint.errors import DataError, OptionError, ReadError
from tiepoint.evaluation import RenderedPair
from tiepoint.evaluation.tune import candidates, plan

Captured = pytest.CaptureFixture[str]
QUICK = ("-e", "orb", "--workers", "0", "--budget", "600")


@pytest.fixture(scope="module", autouse=True)
def few() -> Any:
    """The fewest candidates and changes there can be, however long it takes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "_USUAL_BUDGET", 1e9)
        patch.setattr(candidates, "_GRID", {"orb": ({}, {"max_keypoints": 300})})
        yield patch


@pytest.fixture(scope="module")
def folder(scene: RenderedPair, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two photos, one file that is none, and one that claims to be one."""
    place = tmp_path_factory.mktemp("photos of towns")
    for number, image in enumerate((scene.image0, scene.image1), start=1):
        PIL.Image.fromarray(np.asarray(image)).save(place / f"{number}.png")
    (place / "notes.txt").write_text("no photo")
    return place


def tune(*arguments: str | Path) -> int:
    return main_inner(["tune", *map(str, arguments)])


def test_it_recommends_in_words_with_tables(folder: Path, tmp_path: Path, capsys: Captured) -> None:
    assert tune(folder, *QUICK, "--save", tmp_path / "t.csv", "-v") == 0
    out, err = capsys.readouterr()
    first, second = folder / "1.png", folder / "2.png"
    assert "orb" in out.splitlines()[0]
    assert f"  tiepoint match '{first}' '{second}' --extractor orb" in out
    assert "On 6 pairs of 1 photo by which nothing was chosen" in out
    assert "The last ones, on 6 pairs kept aside" in out
    assert "rootsift, ratio 0.8  <- default" in out
    assert "round 1 of 4, 2 candidates" in err
    assert f"figures: {tmp_path / 't.csv'}" in err
    with (tmp_path / "t.csv").open(newline="") as stream:
        assert [line["extractor"] for line in csv.DictReader(stream)].count("orb") == 2


def test_json_is_one_line_and_the_same_in_a_file(folder: Path, tmp_path: Path, capsys: Captured) -> None:
    target = tmp_path / "t.json"
    without = "second photo, viewpoint,zoom in,zoom out,overlap"
    assert tune(folder / "1.png", *QUICK, "--json", "-q", "--save", target, "--without", without) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.count("\n") == 1
    document = json.loads(out)
    assert document["kind"] == "tune"
    assert document["complete"] is True
    assert document["without"] == ["second photo", "viewpoint", "zoom in", "zoom out", "overlap"]
    assert document["photos"][0]["path"] == str(folder / "1.png")
    recommended = document["rows"][document["recommended"]]
    ratio, keypoints = recommended["ratio"], recommended["settings"]["max_keypoints"]
    assert shlex.split(document["command"]) == [
        *("tiepoint", "match", str(folder / "1.png"), "B.jpg", "--extractor", "orb"),
        *(["--max-keypoints", "300"] if keypoints == 300 else []),
        *(["--no-ratio"] if ratio is None else ["--ratio", f"{ratio:g}"]),
    ]
    assert json.loads(target.read_text()) == document


def test_a_bad_photo_is_a_sentence_and_the_rest_goes_on(folder: Path, capsys: Captured) -> None:
    bad = folder / "bad.jpg"
    bad.write_text("no photo")
    try:
        assert tune(folder, *QUICK, "-q") == 1
    finally:
        bad.unlink()
    out, err = capsys.readouterr()
    assert "The last ones" in out
    assert [line.partition(": ")[0] for line in err.splitlines()] == ["tiepoint"] * 2
    assert f"tiepoint: {bad}: " in err
    assert "1 of 3 photos failed" in err


def test_photos_without_texture_are_told_so(tmp_path: Path, capsys: Captured) -> None:
    PIL.Image.new("L", (320, 240), 128).save(tmp_path / "flat.png")
    assert tune(tmp_path / "flat.png", *QUICK, "-q") == 0
    out = capsys.readouterr().out
    assert out.startswith("These photos have too little texture for any of the extractors that were tried")
    assert "did best" not in out
    assert "tiepoint match" not in out


def test_many_photos_are_thinned_out(folder: Path, tmp_path: Path, capsys: Captured) -> None:
    for number in range(14):
        (tmp_path / f"{number:02}.png").write_bytes((folder / "1.png").read_bytes())
    assert tune(tmp_path, "-e", "orb", "--workers", "0", "--budget", "1e-6") == 0
    out, err = capsys.readouterr()
    assert err == "of 14 photos 10 are used, at even distances\n"
    assert out.startswith("Time ran out before anything could be recommended")
    assert "Not tried" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.jpg"], "nowhere.jpg: there is no such file"),
        (["empty"], "empty: there is no photo in this folder"),
        (["photo.png", "-e", "srf"], "there is no extractor 'srf'"),
        (["photo.png", "-e", ","], "names no extractor"),
        (["photo.png", "--without", "rotate"], "there is no kind of change 'rotate'"),
        (["photo.png", "--budget", "0"], "budget must be a number above 0"),
        (["photo.png", "--save", "t.txt"], "end the name with .csv or .json"),
        (["photo.png", "--save", ""], "--save needs the name of a file"),
        (["photo.png", "--save", "empty/no/t.csv"], "there is no folder"),
        (["photo.png", "--save", "folder.csv"], "is a folder; name a file in it"),
        (["photo.json", "--save", "photo.json"], "would overwrite the photo itself"),
        (["bad1.png", "bad2.png"], "none of the 2 photos can be read"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(
    arguments: list[str], words: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("photo.png", "photo.json"):
        (tmp_path / name).write_bytes((folder / "1.png").read_bytes())
    for name in ("bad1.png", "bad2.png"):
        (tmp_path / name).write_text("no photo")
    for name in ("empty", "folder.csv"):
        (tmp_path / name).mkdir()
    with pytest.raises((DataError, OptionError, ReadError), match=words):
        tune(*arguments)


def test_a_folder_that_cannot_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(_: Path) -> Iterator[Path]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", denied)
    with pytest.raises(ReadError) as caught:
        tune(folder)
    assert str(caught.value) == (
        f"{folder}: this folder cannot be read: permission denied; give another one, or photos"
    )


def test_wrong_usage_is_code_2(tiepoint: Tiepoint) -> None:
    over = str(plan.LARGEST_SEED + 1)
    for wrong, words in (
        (["--workers", "-1"], "--workers"),
        (["-v", "-q"], "-v and -q"),
        (["--budget", "soon"], "--budget"),
        (["--seed", over], str(plan.LARGEST_SEED)),
    ):
        run = tiepoint("tune", "a.jpg", *wrong)
        assert run.code == 2, run
        assert "Traceback" not in run.err
        assert words in run.err
    assert "there is no such file" in sentence(tiepoint("tune", "a.jpg", "--seed", str(plan.LARGEST_SEED)))


def test_help_shows_examples(tiepoint: Tiepoint) -> None:
    assert "Examples:" in tiepoint("tune", "--help").out


def test_in_processes_of_its_own(folder: Path, tiepoint: Tiepoint) -> None:
    # A budget that is over before a worker has started: what is tested is that they start and stop.
    run = tiepoint("tune", folder / "1.png", "-e", "orb", "--workers", "2", "--budget", "0.01")
    assert run.code == 0, run
    assert run.err == ""
    assert "Time ran out" in run.out
    assert "there is no such file" in sentence(tiepoint("tune", "nowhere.jpg"))
