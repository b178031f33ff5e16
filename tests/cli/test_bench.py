"""``tiepoint bench`` as a person types it, on two small photos of which one is the other one moved."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import typer

from tests.cli.conftest import Tiepoint, sentence
from tiepoint.cli import main_inner
from tiepoint.errors import DataError, MissingError, OptionError, TiepointError
from tiepoint.evaluation import RenderedPair
from tiepoint.extractors import EXTRACTORS
from tiepoint.formats import schema
from tiepoint.images import write_image
from tiepoint.types import Image

HOSTILE = "<img src=x onerror=alert(1)>"
QUICK = ("--workers", "1", "-n", "300", "-q")
Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def towns(scene: RenderedPair, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sequences of one pair each, laid out as Oxford's; the second photo begins at (20, 10)."""
    root = tmp_path_factory.mktemp("towns")
    pixels = np.asarray(scene.image0)
    for name in ("tower", HOSTILE):
        folder = root / name
        folder.mkdir()
        write_image(folder / "1.png", scene.image0)
        write_image(folder / "2.png", Image(pixels=np.ascontiguousarray(pixels[10:, 20:])))
        (folder / "H_1_2").write_text("1 0 -20\n0 1 -10\n0 0 1\n")
    return root


def bench(*arguments: str | Path) -> int:
    return main_inner(["bench", *map(str, arguments)])


def test_the_table_and_the_folder(towns: Path, tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "deep" / "out"
    assert bench(towns, "-e", "orb,sift", "--workers", "1", "-n", "300", "--out", out) == 0
    table, talk = capsys.readouterr()
    assert "2 pairs of 2 sequences" in table
    assert "nearest:ratio=0.85" in table
    assert "at most 300 in a photo" in table
    names = ["records.jsonl", "report.html", "table.csv", "result.json", "mma.png", "auc.png", "speed.png"]
    assert {path.name for path in out.iterdir()} == {*names, "distinctiveness.png"}
    for name in names[1:]:
        assert f"written: {out / name}" in talk
    page = (out / "report.html").read_text(encoding="utf-8")
    assert HOSTILE not in page
    assert "&lt;img src=" in page

    # A second time nothing is measured.
    before = (out / "records.jsonl").read_bytes()
    assert bench(towns, "-e", "orb,sift", "--workers", "1", "-n", "300", "--out", out) == 0
    again, talk = capsys.readouterr()
    assert "4 of 4 measurements are there from an earlier run" in talk
    assert (out / "records.jsonl").read_bytes() == before
    assert again.splitlines()[:6] == table.splitlines()[:6]

    # Cut off within a line, it goes on; with another extractor besides it measures only that one.
    (out / "records.jsonl").write_bytes(before[:-40])
    assert bench(towns, "-e", "orb,sift,rootsift", "--workers", "1", "-n", "300", "--out", out) == 0
    _, talk = capsys.readouterr()
    assert "3 of 6 measurements are there from an earlier run" in talk
    assert len((out / "records.jsonl").read_bytes().splitlines()) == 7

    # Measured otherwise, they do not stand side by side.
    with pytest.raises(DataError, match="another benchmark"):
        bench(towns, "-e", "orb", "--seed", "1", "--out", out, *QUICK)


def test_json_is_one_valid_line(towns: Path, capsys: Captured) -> None:
    rows = ("-e", "orb", "--matcher", "nearest,nearest:ratio=0.7", "--sequence", "tow*")
    protocol = ("--estimator", "opencv", "--short-side", "none", "--seed", "3", "--exact")
    assert bench(towns, *rows, *protocol, "--json", *QUICK) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.count("\n") == 1
    document = json.loads(out)
    jsonschema.validate(document, schema("bench"))
    wanted = {"short_side": None, "estimator": "opencv", "max_error": 3, "seed": 3, "exact": True}
    assert wanted.items() <= document["protocol"].items()
    assert document["dataset"]["sequences"] == ["tower"]
    assert [row["matcher"]["ratio"] for row in document["rows"]] == [None, 0.7]
    assert document["rows"][0]["extractor"]["max_keypoints"] == 300
    assert document["rows"][1]["figures"]["mma@3"]["value"] > 0.9


def test_csv_and_the_short_ratio(towns: Path, capsys: Captured) -> None:
    assert (
        bench(
            towns, "-e", "orb", "--ratio", "0.6", "--sequence", "tower", "--short-side", "0", "--csv", *QUICK
        )
        == 0
    )
    [line] = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert line["label"] == "orb, nearest:ratio=0.6"
    assert float(line["precision_low"]) <= float(line["precision"]) <= float(line["precision_high"])


def test_by_default_those_that_are_installed(
    towns: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EXTRACTORS.load("akaze"), "missing", classmethod(lambda _: "pip install more"))
    assert bench(towns, "--sequence", "tower", "--csv", "--workers", "1", "-n", "100") == 0
    out, err = capsys.readouterr()
    assert "akaze is left out, it is not installed; get it with: pip install more" in err
    assert [row["label"].split(",")[0] for row in csv.DictReader(io.StringIO(out))] == [
        "orb",
        "sift",
        "rootsift",
    ]
    with pytest.raises(MissingError, match="pip install more"):
        bench(towns, "-e", "akaze", *QUICK)


def test_a_photo_that_cannot_be_read_is_counted_and_the_rest_goes_on(
    towns: Path, tmp_path: Path, tiepoint: Tiepoint
) -> None:
    photo = towns / "tower" / "1.png"
    (tmp_path / "bad.png").write_bytes(photo.read_bytes()[:2000])
    listed = tmp_path / "list.csv"
    listed.write_text(f"{photo},{towns / 'tower' / '2.png'},yes\n{photo},bad.png,no\n")
    run = tiepoint("bench", listed, "-e", "orb", "--json", *QUICK)
    assert "1 of 2 measurements failed, the first because" in sentence(run)
    document = json.loads(run.out)
    jsonschema.validate(document, schema("bench"))
    [row] = document["rows"]
    assert (row["pairs"], row["failed"]) == (1, 1)
    [error] = document["errors"]
    assert "bad.png" in error["error"]
    listed.write_text(f"{photo},bad.png,no\n")
    with pytest.raises(TiepointError, match=r"none of the 1 measurements succeeded; .*bad\.png"):
        bench(listed, "-e", "orb", *QUICK)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (["--ratio", "0.8", "--matcher", "nearest"], typer.BadParameter, "give one of them"),
        (["--json", "--csv"], typer.BadParameter, "do not go together"),
        (["--estimator", "poselb"], OptionError, "estimator must be .* did you mean 'poselib'"),
        (["--short-side", "8"], OptionError, "short_side must be at least 16"),
        (["--short-side", "small"], OptionError, "short_side must be integer"),
        (["--max-error", "0"], OptionError, "max_error must be above 0"),
        (["-e", "orbb"], OptionError, "did you mean 'orb'"),
        (["-e", "orb:levls=3"], OptionError, "did you mean 'levels'"),
        (["-e", "orb,orb"], OptionError, "comes twice"),
        (["--matcher", "nearest:ratio=2"], OptionError, "ratio must be"),
        (["--sequence", "towr"], OptionError, "did you mean 'tower'"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    towns: Path, arguments: list[str], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        bench(towns, *arguments)


def test_a_data_set_that_is_not_there_is_one_sentence(tiepoint: Tiepoint, tmp_path: Path) -> None:
    env = {"XDG_CACHE_HOME": str(tmp_path), "TIEPOINT_CACHE": str(tmp_path)}
    assert "--download" in sentence(tiepoint("bench", "hpatches", "-e", "orb", env=env))
    assert "no data set, folder or list" in sentence(tiepoint("bench", "hpaches", "-e", "orb"))


@pytest.mark.skipif(sys.platform == "win32", reason="has no signals to groups")
def test_ctrl_c_ends_it_and_the_same_command_goes_on(towns: Path, tmp_path: Path, tiepoint: Tiepoint) -> None:
    arguments = [
        "bench",
        str(towns),
        "-e",
        "orb,sift,rootsift",
        "--workers",
        "1",
        "--out",
        str(tmp_path / "out"),
    ]
    started = subprocess.Popen(
        [sys.executable, "-m", "tiepoint", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    records = tmp_path / "out" / "records.jsonl"
    while not (records.exists() and records.read_bytes().count(b"\n") >= 2) and started.poll() is None:
        time.sleep(0.01)
    os.killpg(started.pid, signal.SIGINT)
    out, err = started.communicate(timeout=60)
    assert started.returncode == 130
    assert out == ""
    assert err.splitlines()[-1] == "stopped; the same command goes on from here"
    run = tiepoint(*arguments)
    assert run.code == 0
    assert "measurements are there from an earlier run" in run.err
