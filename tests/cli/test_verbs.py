"""The verbs as a person types them."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import PIL.Image
import pytest

import tiepoint as tp
from tests.cli.conftest import Tiepoint
from tiepoint import core
from tiepoint.cli import main_inner
from tiepoint.formats import load_npz, schema
from tiepoint.pipeline import stages

Photos = tuple[Path, Path]


def test_match_prints_the_funnel_and_draws(
    photo_files: Photos, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "m.png"
    arguments = ["match", *map(str, photo_files), "--no-verify", "--draw", str(picture)]
    assert main_inner([*arguments, "--top", "10", "--width", "700"]) == 0
    out, err = capsys.readouterr()
    stages = [line.rsplit(None, 1) for line in out.splitlines()[:-1]]
    names = ["keypoints in A", "keypoints in B", "nearest", "mutual", "ratio"]
    assert [stage for stage, _ in stages] == names
    assert out.splitlines()[-1] == f"{stages[-1][1]} matches"
    assert f"picture: {picture}" in err
    with PIL.Image.open(picture) as drawn:
        assert drawn.width == 700


def test_without_a_ratio_test_match_warns(photo_files: Photos, capsys: pytest.CaptureFixture[str]) -> None:
    assert main_inner(["match", *map(str, photo_files), "-e", "orb", "--no-ratio", "--no-verify"]) == 0
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines()[2:4]] == ["nearest", "mutual"]
    assert "without a ratio test expect many wrong ones" in err


def test_match_json_is_one_valid_line(photo_files: Photos, capsys: pytest.CaptureFixture[str]) -> None:
    main_inner(
        ["match", *map(str, photo_files), "-e", "orb", "--ratio", "0.8", "--max-distance", "60",
         "--no-cross-check", "-o", "fast_threshold=10", "-n", "300", "--json", "--arrays", "-q"]
    )  # fmt: skip
    out, err = capsys.readouterr()
    assert err == ""
    assert out.count("\n") == 1
    document = json.loads(out)
    jsonschema.validate(document, schema("match"))
    (method,) = document["methods"]
    assert method["matcher"] == {
        "name": "nearest",
        "cross_check": False,
        "ratio": 0.8,
        "max_distance": 60,
        "ratio_both": False,
    }
    assert method["settings"]["fast_threshold"] == 10
    assert method["settings"]["max_keypoints"] == 300
    assert [stage["stage"] for stage in document["funnel"]][2:] == ["nearest", "ratio", "distance"]
    assert max(document["arrays"]["distance"]) <= 60
    assert document["seconds"]["read"] > 1e-4


def test_match_ends_with_the_verdict(
    photo_files: Photos, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = tmp_path / "r.npz"
    arguments = ["match", *map(str, photo_files), "--model", "homography", "--max-error", "3"]
    assert main_inner([*arguments, "--save", str(result)]) == 0
    lines = capsys.readouterr().out.splitlines()
    geometry, verdict = load_npz(result).geometry, load_npz(result).verdict
    assert (geometry.model, geometry.max_error) == ("homography", 3)
    assert lines[-1] == str(verdict)
    assert ["inliers", str(geometry.count)] in [line.split() for line in lines]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(("answer", "code"), [("yes", 0), ("no", 3), ("unsure", 4)])
def test_the_exit_code_is_the_verdict_where_it_is_asked_for(
    answer: str, code: int, photo_files: Photos, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdict = tp.Verdict(answer=answer, probability=0.5, reasons=("because",))
    monkeypatch.setattr(stages, "judge", lambda *_, **__: verdict)
    arguments = ["match", *map(str, photo_files), "-e", "orb", "-q"]
    assert main_inner([*arguments, "--exit-code"]) == code
    assert main_inner(arguments) == 0


def test_match_saves(photo_files: Photos, tmp_path: Path) -> None:
    for name in ("r.npz", "m.csv"):
        main_inner(["match", *map(str, photo_files), "-e", "orb", "--save", str(tmp_path / name), "-q"])
    result = load_npz(tmp_path / "r.npz")
    assert isinstance(result, tp.MatchResult)
    assert result.geometry is not None
    with (tmp_path / "m.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(result.geometry.matches)
    assert [row["inlier"] == "True" for row in rows] == result.geometry.inliers.tolist()
    main_inner(["match", *map(str, photo_files), "--no-verify", "--save", str(tmp_path / "m.csv"), "-q"])
    assert "inlier" not in (tmp_path / "m.csv").read_text()


def test_extract_one_photo(photo_files: Photos, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture, features = tmp_path / "k.svg", tmp_path / "f.npz"
    main_inner(
        [
            "extract",
            str(photo_files[0]),
            "-e",
            "orb",
            "-n",
            "100",
            "--draw",
            str(picture),
            "--save",
            str(features),
        ]
    )
    assert capsys.readouterr().out == f"{photo_files[0]}: 100 orb keypoints, 400x300 pixels\n"
    assert len(load_npz(features)) == 100
    assert picture.read_text().startswith("<?xml")


def test_extract_with_a_mask(photo_files: Photos, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mask = np.zeros((300, 400), np.uint8)
    mask[:, :200] = 255
    PIL.Image.fromarray(mask).save(tmp_path / "mask.png")
    main_inner(["extract", str(photo_files[0]), "--mask", str(tmp_path / "mask.png"), "--json", "--arrays"])
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, schema("features"))
    assert 0 < max(x for x, _ in document["arrays"]["xy"]) < 202


def test_extract_many_goes_on_after_a_bad_one(
    photo_files: Photos, tmp_path: Path, tiepoint: Tiepoint
) -> None:
    (tmp_path / "bad.jpg").write_text("no photo")
    run = tiepoint(
        "extract", photo_files[0], tmp_path / "bad.jpg", photo_files[1],
        "-e", "orb", "--save", tmp_path / "f", "--draw", tmp_path / "p", "--json", "-q",
    )  # fmt: skip
    assert run.code == 1
    assert len([json.loads(line) for line in run.out.splitlines()]) == 2
    assert run.err.count("\n") == 2
    assert "bad.jpg: " in run.err
    assert "1 of 3 photos failed" in run.err
    assert sorted(p.name for p in (tmp_path / "f").iterdir()) == ["building 1.png.npz", "building 2.png.npz"]
    assert sorted(p.name for p in (tmp_path / "p").iterdir()) == ["building 1.png.png", "building 2.png.png"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo terminal")
def test_results_reach_a_file_while_a_terminal_shows_progress(photo_files: Photos, tmp_path: Path) -> None:
    import pty

    terminal, shown = pty.openpty()
    target = tmp_path / "out.jsonl"
    with target.open("w") as out:
        command = [sys.executable, "-m", "tiepoint", "extract", *map(str, photo_files), "-e", "orb", "--json"]
        subprocess.run(command, stdout=out, stderr=shown, check=True, timeout=60)
    os.close(shown)
    os.close(terminal)
    assert [json.loads(line)["keypoints"] > 0 for line in target.read_text().splitlines()] == [True, True]


def test_methods(capsys: pytest.CaptureFixture[str]) -> None:
    main_inner(["methods"])
    out = capsys.readouterr().out
    assert "sift" in out
    assert "nearest" in out
    main_inner(["methods", "-v"])
    out = capsys.readouterr().out
    assert "Lowe, IJCV 2004" in out
    assert core.describe() in out
    main_inner(["methods", "orb"])
    assert "-o fast_threshold=20" in capsys.readouterr().out
    main_inner(["methods", "nearest"])
    assert "-o ratio=none" in capsys.readouterr().out
    main_inner(["methods", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert {e["name"]: e["available"] for e in document["extractors"]}["sift"] is True
    main_inner(["methods", "sift", "--json"])
    assert json.loads(capsys.readouterr().out)["options"][0]["name"] == "max_keypoints"


def test_demo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main_inner(["demo", "--output", str(tmp_path / "d"), "--width", "600"])
    out = capsys.readouterr().out
    rows = {
        line.split()[0]: line.split()
        for line in out.splitlines()
        if line.strip().startswith(("orb", "sift")) and "%" in line
    }
    assert len(rows) == 2
    assert out.count("  same scene: ") == 2
    for row in rows.values():
        matches, right, filtered, right_filtered = int(row[1]), int(row[2]), int(row[5]), int(row[6])
        assert int(row[10]) > 0.8 * int(row[9]) > 100
        assert matches > filtered >= right_filtered > 100
        assert right_filtered / filtered > 0.85 > right / matches
    pictures = [Path(line.strip()) for line in out.partition("Look at the pictures:")[2].split("\n") if line]
    assert len(pictures) == 10
    assert all(picture.is_file() for picture in pictures)


def test_version_and_help(tiepoint: Tiepoint) -> None:
    assert tiepoint("--version").out == f"tiepoint {tp.__version__}\n"
    for verb in ("extract", "match", "align", "methods"):
        assert "Examples:" in tiepoint(verb, "--help").out
    assert tiepoint().code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["match", "a.jpg"],
        ["mtach"],
        ["match", "a", "b", "--nosuch"],
        ["match", "a", "b", "-v", "-q"],
        ["match", "a", "b", "--ratio", "x"],
        ["match", "a", "b", "-e", "xfeat", "--ratio", "0.9"],
        ["match", "a", "b", "-e", "xfeat", "--max-distance", "0.5"],
        ["match", "a", "b", "--matcher", "loftr", "--no-ratio"],
        ["match", "a", "b", "--matcher", "nearest"],
        ["match", "a", "b", "--top", "3"],
        ["match", "a", "b", "--draw", "m.png", "--top", "-1"],
        ["match", "a", "b", "--draw", "m.png", "--width", "0"],
        ["match", "a", "b", "--arrays"],
        ["match", "a", "b", "--model", "plane"],
        ["match", "a", "b", "--no-verify", "--exit-code"],
        ["match", "a", "b", "--no-verify", "--model", "affine"],
        ["match", "a", "b", "--no-verify", "--max-error", "2"],
        ["align", "a", "b"],
        ["align", "a", "b", "--json", "--width", "200"],
        ["align", "a", "b", "--json", "--mode", "blend"],
        ["align", "a", "b", "-o", "x.gif", "--mode", "blend"],
        ["align", "a", "b", "-o", "x.png", "--mode", "blink"],
        ["align", "a", "b", "-o", "x.png", "--model", "fundamental"],
        ["extract", "a", "-n", "3", "-o", "max_keypoints=4"],
    ],
)
def test_wrong_usage_is_code_2(arguments: list[str], tiepoint: Tiepoint) -> None:
    run = tiepoint(*arguments)
    assert run.code == 2
    assert "Traceback" not in run.err


def test_photo_names_of_all_kinds(photo_files: Photos, tmp_path: Path, tiepoint: Tiepoint) -> None:
    for name in ("-dash.png", "with space.png", "Übergröße 寺.png", "new\nline.png", "$HOME_{x}.png"):
        (tmp_path / name).write_bytes(photo_files[0].read_bytes())
        run = tiepoint(
            "match", "-e", "orb", "-q", "--draw", "m.png", "--", name, photo_files[1], cwd=tmp_path
        )
        assert run.code == 0, (name, run)
        assert tiepoint("extract", "-e", "orb", "--", name, cwd=tmp_path).out.count("\n") == 1
        assert run.err == ""


def test_a_terminal_without_letters_for_a_name(
    photo_files: Photos, tmp_path: Path, tiepoint: Tiepoint
) -> None:
    (tmp_path / "寺.png").write_bytes(photo_files[0].read_bytes())
    env = {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    run = tiepoint("extract", "-e", "orb", "寺.png", cwd=tmp_path, env=env)
    assert run.code == 0
    assert "\\u5bfa.png" in run.out
