"""HPatches and Oxford's sequences as they lie on a disk: small ones made here, and the real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.evaluation.layouts import refused, sequence
from tiepoint.errors import DataError, OptionError, ReadError, TiepointError
from tiepoint.evaluation.datasets import Dataset, HomographyTruth, load_dataset, load_hpatches, load_oxford
from tiepoint.evaluation.datasets.hpatches import LARGE_SEQUENCES
from tiepoint.evaluation.datasets.oxford import SEQUENCES


def homographies(dataset: Dataset) -> dict[str, Any]:
    found = {}
    for pair in dataset:
        assert isinstance(pair.truth, HomographyTruth)
        found[pair.name] = pair.truth.H_1_from_0.tolist()
    return found


def test_hpatches_leaves_the_large_sequences_out(tmp_path: Path) -> None:
    for name in ("v_wall", "i_dome", "i_dc", "v_talent"):
        sequence(tmp_path / name, "{}.ppm")
    (tmp_path / ".DS_Store").touch()
    (tmp_path / "references.txt").touch()
    dataset = load_dataset(tmp_path)
    assert dataset.name == "hpatches"
    assert [pair.name for pair in dataset] == [
        f"{name}/1-{k}" for name in ("i_dome", "v_wall") for k in range(2, 7)
    ]
    assert homographies(dataset)["v_wall/1-4"] == [[1, 0, 4], [0, 1, -4], [0, 0, 1]]
    assert dataset.pairs[0].photo0 == tmp_path / "i_dome" / "1.ppm"
    assert dataset.pairs[0].photo1 == tmp_path / "i_dome" / "2.ppm"
    assert "8 sequences of large photos are left out: i_contruction, i_crownnight" in dataset.notes[0]
    assert dataset.notes[1] == "Only 2 of the 108 sequences are there."
    assert "CVPR 2017" in (dataset.citation or "")
    everything = load_dataset(tmp_path, keep_large=True)
    assert everything.sequences == ("i_dc", "i_dome", "v_talent", "v_wall")
    assert everything.notes == ("Only 4 of the 116 sequences are there.",)
    assert load_dataset(tmp_path).subset("v_*").sequences == ("v_wall",)


def test_the_full_hpatches_has_540_pairs(tmp_path: Path) -> None:
    # 57 and 59 sequences, the counts of the paper; links stand for photos.
    made = sequence(tmp_path / "made", "{}.ppm")
    large = sorted(LARGE_SEQUENCES)
    assert sum(name.startswith("i_") for name in large) == 5
    lights = [name for name in large if name[0] == "i"] + [f"i_{k}" for k in range(52)]
    views = [name for name in large if name[0] == "v"] + [f"v_{k}" for k in range(56)]
    for name in (*lights, *views):
        (tmp_path / "release" / name).mkdir(parents=True)
        for file in made.iterdir():
            (tmp_path / "release" / name / file.name).hardlink_to(file)
    dataset = load_hpatches(tmp_path / "release")
    assert len(dataset) == 540
    assert (len(dataset.subset("i_*")), len(dataset.subset("v_*"))) == (260, 280)
    assert len(dataset.notes) == 1


def test_one_sequence_of_hpatches(tmp_path: Path) -> None:
    folder = sequence(tmp_path / "i_dc")
    refused(ReadError, "only sequences of large photos; keep_large=True", folder)
    assert len(load_dataset(folder, keep_large=True)) == 5
    with pytest.raises(OptionError, match="'keep_lage'; did you mean 'keep_large'"):
        load_dataset(folder, keep_lage=True)


def test_both_layouts_of_oxford_are_recognised(tmp_path: Path) -> None:
    sequence(tmp_path / "graf", "img{}.ppm", "H1to{}p")
    sequence(tmp_path / "boat", "img{}.pgm", "H1to{}p")
    sequence(tmp_path / "wall")
    for k in range(2, 7):  # OpenCV's copy has its own besides
        (tmp_path / "graf" / f"H1to{k}p.xml").write_text("<xml/>")
    dataset = load_dataset(tmp_path)
    assert dataset.name == "oxford"
    assert dataset.sequences == ("boat", "graf", "wall")
    assert len(dataset) == 15
    assert homographies(dataset)["graf/1-6"] == [[1, 0, 6], [0, 1, -6], [0, 0, 1]]
    assert dataset.pairs[0].photo1 == tmp_path / "boat" / "img2.pgm"
    assert load_dataset(tmp_path / "graf").sequences == ("graf",)


def test_ubc_has_no_matrices_because_nothing_moves(tmp_path: Path) -> None:
    sequence(tmp_path / "ubc", "img{}.ppm", "H1to{}p")
    for file in (tmp_path / "ubc").glob("H*"):
        file.unlink()
    sequence(tmp_path / "graf", "img{}.ppm", "H1to{}p")
    dataset = load_oxford(tmp_path)
    assert len(dataset) == 10
    assert homographies(dataset)["ubc/1-3"] == np.eye(3).tolist()
    assert "ubc" in dataset.notes[0]


def test_sequences_of_ones_own_have_any_name_and_number(tmp_path: Path) -> None:
    sequence(tmp_path / "my house", numbers=range(1, 4))
    sequence(tmp_path / "long", numbers=range(1, 13))
    dataset = load_oxford(tmp_path)
    assert [pair.name for pair in dataset.subset("my house")] == ["my house/1-2", "my house/1-3"]
    assert [pair.name for pair in dataset.subset("long")][-1] == "long/1-12"


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        ("1.png", r"graf/1\.\*: there is no such photo"),
        ("4.png", r"graf/4\.\*: there is no such photo"),
        ("6.png", r"graf/6\.\*: there is no such photo"),
        ("H_1_3", "graf/H_1_3: there is no such file"),
        ("H_1_6", "graf/H_1_6: there is no such file"),
    ],
)
@pytest.mark.parametrize("name", ["graf", "v_graf", "my graf"])
def test_what_is_missing_is_named(lost: str, words: str, name: str, tmp_path: Path) -> None:
    sequence(tmp_path / name)
    (tmp_path / name / lost).unlink()
    refused(ReadError, words, tmp_path)


def test_a_sequence_without_its_last_photo_and_matrix_is_not_whole(tmp_path: Path) -> None:
    for name in ("graf", "v_graf"):
        sequence(tmp_path / name / name, numbers=range(1, 6))
        refused(ReadError, "6", tmp_path / name)


def test_a_sequence_without_any_matrix_is_told_of(tmp_path: Path) -> None:
    for name in ("graf", "wall"):
        sequence(tmp_path / name)
    for file in (tmp_path / "wall").glob("H*"):
        file.unlink()
    refused(ReadError, "wall/H_1_2: there is no such file", tmp_path)


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("1 0 0\n0 1 0\n0 0 x", ReadError, "'x' is no number"),
        ("1 0 0\n0 1 0\n0 0", ReadError, "should have 9 numbers, but has 8"),
        ("", ReadError, "but has 0"),
        ("1 0 0 0 1 0 0 0 1 1", ReadError, "but has 10"),
        ("1 2 3 2 4 6 0 0 1", DataError, "singular"),
        ("1 0 0 0 1 0 0 0 nan", DataError, "finite"),
        ("9" * 200_000, ReadError, "more than 100000 bytes"),
        (b"\xff\xfe\x00", ReadError, "is no text"),
    ],
)
def test_matrices_that_are_none_are_named(
    text: str | bytes, error: type[TiepointError], words: str, tmp_path: Path
) -> None:
    sequence(tmp_path / "graf")
    data = text.encode() if isinstance(text, str) else text
    (tmp_path / "graf" / "H_1_5").write_bytes(data)
    refused(error, f"graf/H_1_5: .*{words}", tmp_path)


def test_a_matrix_may_have_a_byte_order_mark_and_any_line_ends(tmp_path: Path) -> None:
    sequence(tmp_path / "graf")
    (tmp_path / "graf" / "H_1_2").write_bytes(b"\xef\xbb\xbf1 0 2\r\n0\t1 3\r\n0 0 1.0e0\r\n")
    assert homographies(load_oxford(tmp_path))["graf/1-2"] == [[1, 0, 2], [0, 1, 3], [0, 0, 1]]


def test_the_real_oxford_sequences(data: Path) -> None:
    dataset = load_dataset(data / "homography")
    assert dataset.name == "oxford"
    assert len(dataset) == 20
    assert dataset.sequences == ("boat", "graf", "leuven", "wall")
    assert set(dataset.sequences) <= set(SEQUENCES)
    for pair in dataset:
        assert isinstance(pair.truth, HomographyTruth)
        number = pair.name[-1]
        folder = data / "homography" / pair.sequence
        assert (pair.photo0, pair.photo1) == (folder / "1.png", folder / f"{number}.png")
        assert np.array_equal(pair.truth.H_1_from_0, np.loadtxt(folder / f"H_1_{number}"))
