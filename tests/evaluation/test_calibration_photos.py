"""Labelled photos: a small folder made here, and the real one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import tiepoint as tp
from tiepoint.evaluation.calibration import LabelledPair, labelled_photos, real_pairs
from tiepoint.evaluation.datasets import HomographyTruth, PoseTruth


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two folders of one scene, one of another, two pairs; a hand has made correspondences of one."""
    scenes = {"photos/arch": "arch", "photos/arch_at_night": "arch", "photos/bridge": "bridge"}
    pairs = {
        "easy": {"same_scene": True, "scenes": ["tower", "tower"]},
        "odd": {"same_scene": "partly", "scenes": ["fresco", "parody"]},
        "wrong": {"same_scene": False, "scenes": ["arch", "tower"]},
    }
    for folder in (*scenes, *(f"pairs/{name}" for name in pairs)):
        (tmp_path / folder).mkdir(parents=True)
        for k in (1, 2):
            PIL.Image.new("L", (8, 6)).save(tmp_path / folder / f"{k}.png")
        (tmp_path / folder / "notes.txt").write_text("no photo")
    (tmp_path / "scenes.json").write_text(json.dumps(scenes))
    (tmp_path / "pairs" / "pairs.json").write_text(json.dumps(pairs))
    np.savetxt(tmp_path / "pairs" / "easy" / "corrs.txt", [[1, 2, 3, 4], [5, 6, 7, 8]])
    return tmp_path


def by_name(root: Path) -> dict[str, LabelledPair]:
    return {pair.name: pair for pair in real_pairs(root)}


def test_photos_and_what_they_show(root: Path) -> None:
    photos = labelled_photos(root)
    assert [photo.scene for photo in photos] == [
        *["arch"] * 4, *["bridge"] * 2, *["tower"] * 2, "fresco", "parody", "arch", "tower",
    ]  # fmt: skip
    assert photos[0].path == root / "photos" / "arch" / "1.png"
    assert photos[6].folder == "pairs/easy"


def test_every_two_photos_are_a_pair(root: Path) -> None:
    pairs = by_name(root)
    assert len(pairs) == 12 * 11 // 2
    partly = pairs.pop("pairs/odd/1 pairs/odd/2")
    assert partly.same is None
    assert all(pair.same is (pair.photo0.scene == pair.photo1.scene) for pair in pairs.values())
    assert pairs["photos/arch/1 photos/arch_at_night/2"].same is True
    assert pairs["photos/arch/1 pairs/wrong/1"].same is True
    assert pairs["photos/arch/1 pairs/wrong/2"].same is False
    assert pairs["photos/arch/1 pairs/odd/1"].same is False


def test_truth_belongs_to_its_pair(root: Path) -> None:
    known = {name: pair.truth for name, pair in by_name(root).items() if pair.truth is not None}
    assert list(known) == ["pairs/easy/1 pairs/easy/2"]
    assert np.asarray(known["pairs/easy/1 pairs/easy/2"]).tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]


@pytest.mark.parametrize("name", ["scenes.json", "pairs/pairs.json"])
def test_a_list_that_cannot_be_read_is_told(name: str, root: Path) -> None:
    (root / name).write_text("{")
    with pytest.raises(tp.ReadError, match=r"\.json: cannot be read"):
        labelled_photos(root)
    (root / name).unlink()
    with pytest.raises(tp.ReadError, match=r"\.json: cannot be read"):
        list(real_pairs(root))


def test_a_folder_without_photos_is_told(root: Path) -> None:
    for photo in (root / "photos" / "bridge").glob("*.png"):
        photo.unlink()
    with pytest.raises(tp.ReadError, match="bridge: has no photo"):
        labelled_photos(root)
    (root / "photos" / "bridge" / "notes.txt").unlink()
    (root / "photos" / "bridge").rmdir()
    with pytest.raises(tp.ReadError, match="bridge: "):
        labelled_photos(root)


@pytest.mark.parametrize("scenes", [["tower"], ["tower", "tower", "tower"]])
def test_a_pair_has_two_scenes(scenes: list[str], root: Path) -> None:
    pairs = {"easy": {"same_scene": True, "scenes": scenes}}
    (root / "pairs" / "pairs.json").write_text(json.dumps(pairs))
    with pytest.raises(tp.ReadError, match="easy: "):
        labelled_photos(root)


def test_the_real_photos(data: Path) -> None:
    pairs = list(real_pairs(data))
    assert len({pair.name for pair in pairs}) == len(pairs)
    kinds = [type(pair.truth) for pair in pairs if pair.same]
    assert kinds.count(np.ndarray) == 20  # wxbs/, and one of pairs/
    assert kinds.count(HomographyTruth) == 4 * 15  # six photos of each of four sequences
    assert kinds.count(PoseTruth) >= 30
    # Whatever has a truth shows the same scene.
    assert all(pair.same for pair in pairs if pair.truth is not None)
    known = [pair for pair in pairs if isinstance(pair.truth, HomographyTruth)]
    for pair in known:
        assert pair.photo0.folder == pair.photo1.folder


def test_joined_homographies_are_one_after_the_other(data: Path) -> None:
    truths = {
        pair.name: pair.truth.H_1_from_0
        for pair in real_pairs(data)
        if isinstance(pair.truth, HomographyTruth)
    }
    name = "homography/graf/{} homography/graf/{}"
    two, four, between = (truths[name.format(a, b)] for a, b in ((1, 2), (1, 4), (2, 4)))
    joined = between @ two
    assert joined / joined[2, 2] == pytest.approx(four / four[2, 2], rel=1e-6, abs=1e-9)
