from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import PIL.Image
import pytest

import tiepoint as tp
from tests.cli.conftest import Tiepoint, sentence
from tiepoint.cli import main_inner
from tiepoint.errors import OptionError, TiepointError
from tiepoint.evaluation import RenderedPair
from tiepoint.formats import schema
from tiepoint.pipeline import stages
from tiepoint.plotting.layout import NARROWEST, WIDEST

Photos = tuple[Path, Path]
H_1_FROM_0 = np.array([[0.9, 0.15, 20], [-0.1, 0.85, 60], [1e-4, 2e-4, 1]])


@pytest.fixture(scope="module")
def flat_pair(scene: RenderedPair, tmp_path_factory: pytest.TempPathFactory) -> Photos:
    """A photo, and a larger one that shows it as if it lay on a table: the truth is H_1_FROM_0."""
    from tiepoint.geometry import warp

    folder = tmp_path_factory.mktemp("flat")
    pixels, covered = warp(scene.image0, np.linalg.inv(H_1_FROM_0), (430, 380))
    pixels[~covered] = 90
    paths = folder / "a.png", folder / "b.png"
    for path, photo in zip(paths, (np.asarray(scene.image0), pixels), strict=True):
        PIL.Image.fromarray(photo).save(path)
    return paths


def align(pair: Photos, *arguments: str | Path) -> int:
    return main_inner(["align", *map(str, (*pair, *arguments))])


def test_the_transform_is_the_true_one(
    flat_pair: Photos, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "t.json"
    assert align(flat_pair, "--transform", target, "--json", "-q") == 0
    document = json.loads(capsys.readouterr().out)
    assert json.loads(target.read_text()) == document
    jsonschema.validate(document, schema("align"))
    corners = np.array([[0, 0, 1], [399, 0, 1], [399, 299, 1], [0, 299, 1.0]]).T
    for name, truth in (("H_1_from_0", H_1_FROM_0), ("H_0_from_1", np.linalg.inv(H_1_FROM_0))):
        there, wanted = (matrix @ corners for matrix in (np.array(document[name]), truth))
        assert np.abs(there[:2] / there[2] - wanted[:2] / wanted[2]).max() < 1
    assert document["inliers"] > 50
    assert 0 < document["median_residual"] < 1
    assert [photo["width"] for photo in document["photos"]] == [400, 430]


@pytest.mark.parametrize("mode", ["blend", "checkerboard", "difference", "warped"])
def test_the_photo_comes_to_lie_on_the_other(mode: str, flat_pair: Photos, tmp_path: Path) -> None:
    target = tmp_path / "aligned.png"
    assert align(flat_pair, "-o", target, "--mode", mode, "-q") == 0
    with PIL.Image.open(flat_pair[0]) as photo, PIL.Image.open(target) as picture:
        a, b = np.asarray(photo).astype(int), np.asarray(picture).astype(int)
    inner = slice(20, -20), slice(20, -20)
    expected = np.zeros_like(a) if mode == "difference" else a
    assert np.abs(b[..., :3] - expected)[inner].mean() < 6
    assert b.shape[2] == (4 if mode == "warped" else 3)


def test_a_gif_and_the_words(flat_pair: Photos, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "flicker.gif"
    assert align(flat_pair, "-o", target, "--width", "200", "--model", "affine", "--max-error", "40") == 0
    out, err = capsys.readouterr()
    with PIL.Image.open(target) as gif:
        assert (gif.size, gif.n_frames) == ((200, 150), 2)  # type: ignore[attr-defined]
    assert f"picture: {target}" in err
    first, last = out.splitlines()
    assert "matches agree on an affine map within 40 pixels, median" in first
    assert last.startswith("same scene: ")


def test_a_doubtful_verdict_is_a_warning(
    flat_pair: Photos, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    verdict = tp.Verdict(answer="unsure", probability=0.4, reasons=("few agree",))
    monkeypatch.setattr(stages, "judge", lambda *_, **__: verdict)
    assert align(flat_pair, "-o", tmp_path / "a.jpg") == 0
    assert (tmp_path / "a.jpg").exists()
    assert "warning: same scene: unsure, p = 0.40 (few agree); look at it before" in capsys.readouterr().err


def test_photos_of_any_sizes(flat_pair: Photos, tmp_path: Path) -> None:
    with PIL.Image.open(flat_pair[1]) as photo:
        photo.resize((4300, 3800)).save(tmp_path / "large.png")
    with PIL.Image.open(flat_pair[0]) as photo:
        photo.convert("L").save(tmp_path / "gray.png")
    pair = tmp_path / "gray.png", tmp_path / "large.png"
    assert align(pair, "-n", "1500", "-o", tmp_path / "a.png", "-q") == 0
    with PIL.Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (400, 300)
    assert align((pair[1], pair[0]), "-n", "1500", "-o", tmp_path / "a.gif", "-q") == 0
    with PIL.Image.open(tmp_path / "a.gif") as picture:
        assert picture.size == (1000, 884)


def test_photos_that_do_not_fit_are_one_sentence(
    flat_pair: Photos, tmp_path: Path, tiepoint: Tiepoint, rng: np.random.Generator
) -> None:
    PIL.Image.fromarray(rng.integers(0, 256, (200, 200), np.uint8)).save(tmp_path / "noise.png")
    PIL.Image.new("L", (200, 200), 90).save(tmp_path / "flat.png")
    for name in ("noise.png", "flat.png"):
        run = tiepoint("align", flat_pair[0], tmp_path / name, "-q", "-o", tmp_path / "a.png")
        assert "the photos cannot be aligned: " in sentence(run)
        assert "try another --extractor" in run.err
        assert not (tmp_path / "a.png").exists()


@pytest.mark.parametrize("width", [-1, 0, NARROWEST - 1, WIDEST + 1])
def test_a_width_that_no_picture_has_is_refused_before_any_work(width: int, tiepoint: Tiepoint) -> None:
    run = tiepoint("align", "nowhere.png", "nowhere.png", "-o", "a.png", "--width", str(width))
    assert run.code == 2, run
    assert "--width" in run.err
    assert str(min(max(width, NARROWEST), WIDEST)) in run.err  # the bound, however typer words it


def test_targets_that_cannot_be_written(flat_pair: Photos, tmp_path: Path, tiepoint: Tiepoint) -> None:
    photo = flat_pair[0]
    before = photo.read_bytes()
    targets: dict[str, list[str | Path]] = {
        "would overwrite the photo itself": ["-o", photo],
        "is written as PNG, JPEG or GIF": ["-o", tmp_path / "a.tif"],
        "contrast_threshold=0.02: an alignment is written": ["-o", "contrast_threshold=0.02"],
        "end the name with .json": ["--transform", tmp_path / "t.txt"],
        "there is no folder": ["-o", tmp_path / "no" / "a.png"],
        "is a folder": ["--transform", tmp_path / "d.json"],
    }
    (tmp_path / "d.json").mkdir()
    for words, arguments in targets.items():
        with pytest.raises(OptionError, match=words):
            align(flat_pair, *arguments)
    assert photo.read_bytes() == before
    with pytest.raises(TiepointError, match="there is no such file"):
        align((tmp_path / "none.png", photo), "--json")
    run = tiepoint("align", *flat_pair, "-q", "-o", tmp_path / "no" / "a.png")
    assert "make it first" in sentence(run)
