"""Bad input: one sentence and exit code 1, or an empty result with a warning; never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from tests.cli.conftest import Tiepoint, sentence
from tiepoint import OptionError, ReadError
from tiepoint.cli import main_inner

Photos = tuple[Path, Path]


def test_missing_file_and_directory(photo_files: Photos, tmp_path: Path, tiepoint: Tiepoint) -> None:
    assert "nowhere.jpg: there is no such file" in sentence(tiepoint("match", "nowhere.jpg", photo_files[0]))
    assert str(tmp_path) in sentence(tiepoint("extract", tmp_path))


@pytest.mark.parametrize(
    ("size", "colour"), [((1, 1), 0), ((3, 60_000), 7), ((60_000, 3), 7), ((800, 600), 128), ((16, 16), 0)]
)
def test_photos_without_features_are_empty_results(
    size: tuple[int, int], colour: int, photo_files: Photos, tmp_path: Path, tiepoint: Tiepoint
) -> None:
    path = tmp_path / "flat.png"
    PIL.Image.new("L", size, colour).save(path)
    for extractor in ("orb", "sift"):
        run = tiepoint("match", path, photo_files[0], "-e", extractor, "--draw", tmp_path / "m.png")
        assert run.code == 0, run
        assert "photo 0 has no features" in run.err
        assert run.out.splitlines()[-1].startswith("same scene: ")
        assert ["inliers", "0"] in [line.split() for line in run.out.splitlines()]
    run = tiepoint("extract", path, "--draw", tmp_path / "k.jpg", "--save", tmp_path / "k.npz")
    assert run.code == 0
    assert "nothing in this photo stands out for sift" in run.err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no full disk to offer")  # noqa: PTH110
def test_a_full_disk(photo_files: Photos, tmp_path: Path, tiepoint: Tiepoint) -> None:
    for name in ("full.png", "full.pdf", "full.npz", "full.csv"):
        (tmp_path / name).symlink_to("/dev/full")
        flag = "--draw" if name.endswith(("png", "pdf")) else "--save"
        run = tiepoint("match", *photo_files, "-e", "orb", "-q", flag, tmp_path / name)
        assert f"{tmp_path / name}: cannot be written: no space left on device" in sentence(run)
    command = [sys.executable, "-m", "tiepoint", "match", *map(str, photo_files), "-e", "orb", "-q", "--json"]
    for unbuffered in ("", "1"):
        with open("/dev/full", "w") as full:  # noqa: PTH123
            done = subprocess.run(
                command,
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
                check=False,
            )
        assert done.returncode == 1
        assert done.stderr == "tiepoint: standard output cannot be written: no space left on device\n"


def test_unwritable_targets(photo_files: Photos, tmp_path: Path, tiepoint: Tiepoint) -> None:
    run = tiepoint("match", *photo_files, "-q", "-e", "orb", "--draw", tmp_path / "no" / "m.png")
    assert f"there is no folder {tmp_path / 'no'}; make it first" in sentence(run)
    assert run.out == ""  # told before any work was done
    for flag in ("--draw", "--save"):
        assert "needs the name of a file" in sentence(tiepoint("match", *photo_files, flag, ""))
        assert "is a folder; name a file in it" in sentence(tiepoint("match", *photo_files, flag, tmp_path))
    long = tmp_path / f"{'x' * 300}.png"
    assert "x.png: cannot be written: file name too long" in sentence(
        tiepoint("match", *photo_files, "-e", "orb", "-q", "--draw", long)
    )
    (tmp_path / "file").write_text("")
    run = tiepoint("demo", "--output", tmp_path / "file" / "x")
    assert "cannot be made a folder" in sentence(run)


def test_a_photo_is_never_overwritten(photo_files: Photos, tmp_path: Path, tiepoint: Tiepoint) -> None:
    photo = tmp_path / "own.png"
    photo.write_bytes(photo_files[0].read_bytes())
    (tmp_path / "link.png").symlink_to(photo)
    for target in (photo, tmp_path / "link.png", tmp_path / "." / "own.png"):
        for verb in (["match", photo_files[1]], ["extract"]):
            run = tiepoint(*verb, photo, "-e", "orb", "--draw", target)
            assert "would overwrite the photo itself; choose another name" in sentence(run)
    assert photo.read_bytes() == photo_files[0].read_bytes()


@pytest.mark.parametrize("backend", ["module://matplotlib_inline.backend_inline", "nonsense"])
def test_a_notebooks_matplotlib_backend_does_no_harm(
    backend: str, photo_files: Photos, tmp_path: Path, tiepoint: Tiepoint
) -> None:
    env = {"MPLBACKEND": backend, "MPLCONFIGDIR": "/proc/none", "HOME": "/proc/none"}
    run = tiepoint("match", *photo_files, "-e", "orb", "-q", "--draw", tmp_path / "m.png", env=env)
    assert (run.code, run.err) == (0, "")


def test_notes_that_cannot_be_said_do_not_lose_the_results(photo_files: Photos, tmp_path: Path) -> None:
    if not os.path.exists("/dev/full"):  # noqa: PTH110
        pytest.skip("the system has no full disk to offer")
    command = [
        sys.executable,
        "-m",
        "tiepoint",
        "match",
        *map(str, photo_files),
        "-e",
        "orb",
        "--draw",
        "m.png",
    ]
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=full, cwd=tmp_path, check=False)
    assert done.returncode == 0
    assert b"matches" in done.stdout
    assert (tmp_path / "m.png").exists()


def test_a_reader_that_leaves_early(photo_files: Photos) -> None:
    command = f"{sys.executable} -m tiepoint extract '{photo_files[0]}' --json --arrays -q | head -c 10"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout == '{"schema_v'


def test_closed_streams(photo_files: Photos, tmp_path: Path) -> None:
    for closed in (">&-", "2>&-", ">&- 2>&-"):
        command = f"{sys.executable} -m tiepoint extract '{photo_files[0]}' -e orb {closed}"
        done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-e", "sfit"], "there is no extractor 'sfit'; did you mean 'sift'"),
        (["-o", "levls=3", "-e", "orb"], "did you mean 'levels'"),
        (["-o", "levels=x", "-e", "orb"], "levels must be integer, not 'x'"),
        (["-n", "0"], "max_keypoints must be at least 1, not 0"),
        (["--ratio", "2"], "ratio must be at most 1, not 2"),
        (["--ratio", "nan"], "ratio must be a finite number"),
        (["--ratio-both", "--no-ratio"], "ratio_both needs a ratio"),
        (["--max-distance", "-1"], "max_distance must be at least 0"),
        (["--draw", "m.gif"], "m.gif: a picture is written as PNG, JPEG, PDF or SVG"),
        (["--save", "m.txt"], "--save m.txt: end the name with .npz or .csv"),
        (["--max-pixels", "100"], "raise max_pixels"),
    ],
)
def test_wrong_options(
    arguments: list[str], words: str, photo_files: Photos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises((OptionError, ReadError)) as error:
        main_inner(["match", *map(str, photo_files), "-q", *arguments])
    assert words in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_several_photos_need_folders(photo_files: Photos, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"names one file, .*, but there are 2 photos; name a folder"):
        main_inner(["extract", *map(str, photo_files), "--draw", str(tmp_path / "k.png")])
    with pytest.raises(OptionError, match=r"two photos are called building 1\.png"):
        main_inner(["extract", str(photo_files[0]), str(photo_files[0]), "--save", str(tmp_path / "f")])
    with pytest.raises(OptionError, match="a mask belongs to one photo"):
        main_inner(["extract", *map(str, photo_files), "--mask", str(photo_files[0])])


def test_what_c_libraries_write_stays_off_the_terminal(tmp_path: Path, tiepoint: Tiepoint) -> None:
    """A TIFF with an unknown tag: libtiff itself warns on descriptor 2."""
    path = tmp_path / "odd.tif"
    photo = PIL.Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 64), dtype=np.uint8))
    photo.save(path, compression="tiff_lzw", tiffinfo={65000: "x"})
    run = tiepoint("extract", path, "-e", "orb", "-q")
    assert run.code == 0
    assert run.err == ""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        # Not blamed on standard output, which is another file.
        (PermissionError(13, "Permission denied", "/some\nwhere"), r"/some\nwhere: permission denied; "),
        (OSError(28, "No space left on device"), "the system says: no space left on device; "),
        (
            ZeroDivisionError("something\nodd"),
            "this is a bug in tiepoint: ZeroDivisionError: something odd; please report",
        ),
    ],
)
def test_what_nobody_foresaw_is_a_sentence_and_shows_no_traceback(
    error: Exception,
    words: str,
    photo_files: Photos,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from tiepoint import cli

    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("tiepoint.pipeline.match", broken)
    monkeypatch.setattr(sys, "argv", ["tiepoint", "match", *map(str, photo_files)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 1
    err = capsys.readouterr().err
    assert err.startswith(f"tiepoint: {words}")
    assert err.count("\n") == 1
    monkeypatch.setenv("TIEPOINT_DEBUG", "1")
    with pytest.raises(type(error)):
        cli.main()
