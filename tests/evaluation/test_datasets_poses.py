"""Strecha's scenes and MegaDepth-1500 as they lie on a disk: small ones made here, and a real one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.evaluation.layouts import photo, refused
from tests.evaluation.test_datasets_types import turned
from tiepoint.errors import DataError, OptionError, ReadError, TiepointError
from tiepoint.evaluation.datasets import (
    Dataset,
    PoseTruth,
    load_dataset,
    load_megadepth1500,
    load_strecha,
)

# Strecha


def camera(angle: float, centre: tuple[float, float, float]) -> dict[str, Any]:
    """A camera at ``centre``, tilted and then turned about its own vertical."""
    rotation = turned(angle) @ turned(20, axis=0)
    return {
        "width": 4,
        "height": 3,
        "K": [[5.0, 0, 1.5], [0, 5.0, 1], [0, 0, 1]],
        "R": rotation.tolist(),
        "t": (-rotation @ centre).tolist(),
        "centre": centre,
    }


CAMERAS = {"c.png": camera(70, (0, 0, 1)), "a.png": camera(0, (1, 2, 3)), "b.png": camera(35, (4, 0, 0))}


def scene(folder: Path, cameras: dict[str, dict[str, Any]] = CAMERAS) -> Path:
    for name in cameras:
        photo(folder / name)
    listing = {"cameras": [{"file": name, **entry} for name, entry in cameras.items()]}
    (folder / "cameras.json").write_text(json.dumps(listing))
    return folder


def camera_file(path: Path, entry: dict[str, Any], distortion: str = "0 0 0") -> None:
    """In the layout of the original archives."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [*entry["K"], None, *np.transpose(entry["R"]).tolist(), entry["centre"]]
    lines = [distortion if row is None else " ".join(map(repr, row)) for row in rows]
    path.write_text("\n".join([*lines, f"{entry['width']} {entry['height']}"]) + "\n")


def check_poses(dataset: Dataset) -> None:
    """A point of the world must be seen by both cameras where the pose between them says."""
    for pair in dataset:
        assert isinstance(pair.truth, PoseTruth)
        first, second = CAMERAS[pair.photo0.name], CAMERAS[pair.photo1.name]
        point = np.array([0.3, -0.7, 9.0])
        seen0, seen1 = (np.array(c["R"]) @ (point - c["centre"]) for c in (first, second))
        np.testing.assert_allclose(pair.truth.R @ seen0 + pair.truth.t, seen1, atol=1e-12)
        assert pair.truth.K0.tolist() == first["K"]


def test_strecha_takes_the_pairs_that_turn_little(tmp_path: Path) -> None:
    dataset = load_dataset(scene(tmp_path / "tower"))
    assert dataset.name == "strecha"
    assert [pair.name for pair in dataset] == ["tower/a-b", "tower/b-c"]  # a and c turn by 70 degrees
    assert dataset.notes == ("2 of 3 pairs: those that turn less than 60 degrees.",)
    check_poses(dataset)
    assert len(load_dataset(tmp_path, max_turn=70.01)) == 3
    assert len(load_dataset(tmp_path, max_turn=35.01)) == 2
    refused(DataError, "no two cameras turn less than 34.99 degrees", tmp_path, max_turn=34.99)
    with pytest.raises(OptionError, match="max_turn must be above 0"):
        load_strecha(tmp_path, max_turn=0)


@pytest.mark.parametrize(
    ("cameras", "photos"),
    [(".", "."), ("urd", "urd"), ("gt_dense_cameras", "images"), ("camera", "png"), ("cameras", ".")],
)
def test_the_camera_files_of_the_archives(cameras: str, photos: str, tmp_path: Path) -> None:
    folder = tmp_path / "fountain_dense"
    for name, entry in CAMERAS.items():
        photo(folder / photos / name)
        camera_file(folder / cameras / f"{name}.camera", entry)
    for root in (tmp_path, folder):
        dataset = load_dataset(root)
        assert [pair.name for pair in dataset] == ["fountain-P11/a-b", "fountain-P11/b-c"]
        assert dataset.pairs[0].photo0.samefile(folder / photos / "a.png")
        check_poses(dataset)


def test_cameras_that_are_none_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "tower"
    for name, entry in CAMERAS.items():
        photo(folder / name)
        camera_file(folder / f"{name}.camera", entry)
    file = folder / "b.png.camera"
    good = file.read_text()
    camera_file(file, CAMERAS["b.png"], distortion="0.1 0 0")
    refused(DataError, "tower/b.png.camera: has lens distortion", tmp_path)
    for text, error, words in (
        (good + "7", ReadError, "should have 26 numbers, but has 27"),
        (good.replace("4 3\n", "4.5 3\n"), DataError, "width and height in whole pixels"),
        (good.replace("5.0 0 1.5", "0.0 0 1.5"), DataError, "must be a camera matrix"),
        ("x" + good, ReadError, "is no number"),
    ):
        assert text != good
        file.write_text(text)
        refused(error, f"tower/b.png.camera: .*{words}", tmp_path)
    file.write_text(good)
    (folder / "b.png").unlink()
    refused(ReadError, "tower/b.png: there is no such photo", tmp_path)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"R": np.ones((3, 3)).tolist()}, DataError, "cameras.json: b.png: R must be a rotation"),
        ({"R": [1, 2]}, DataError, "R must be"),
        ({"K": [[1, 2], [3]]}, ReadError, "should be"),
        ({"K": "x"}, ReadError, "should be"),
        ({"t": [0, 0, float("nan")]}, DataError, "finite"),
        ({"width": "wide"}, ReadError, "should be"),
        ({"file": 5}, ReadError, "should be"),
        ({"file": "d.png"}, ReadError, "d.png: there is no such photo"),
        ({"file": "\0"}, ReadError, "there is no such photo"),
    ],
)
def test_a_listing_of_cameras_that_is_none_is_named(
    change: dict[str, Any], error: type[TiepointError], words: str, tmp_path: Path
) -> None:
    scene(tmp_path / "tower", {**CAMERAS, "b.png": {**CAMERAS["b.png"]}})
    listing = json.loads((tmp_path / "tower" / "cameras.json").read_text())
    next(entry for entry in listing["cameras"] if entry["file"] == "b.png").update(change)
    (tmp_path / "tower" / "cameras.json").write_text(json.dumps(listing))
    refused(error, words, tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cameras": 5}', '{"cameras": [5]}', "[" * 100_000, "{'"])
def test_json_that_is_no_listing_of_cameras(text: str, tmp_path: Path) -> None:
    (tmp_path / "cameras.json").write_text(text)
    refused(ReadError, "cameras.json: should be", tmp_path)


def test_photos_that_were_resized_without_their_cameras(tmp_path: Path) -> None:
    photo(scene(tmp_path / "tower") / "a.png", (8, 6))
    refused(DataError, "a.png: has 8x6 pixels, but its camera is for 4x3", tmp_path)


def test_one_photo_is_no_pair(tmp_path: Path) -> None:
    scene(tmp_path, {"a.png": CAMERAS["a.png"]})
    refused(ReadError, "no two photos", tmp_path)
    (tmp_path / "cameras.json").write_text('{"cameras": []}')
    refused(ReadError, "no two photos", tmp_path)


def test_fountain_p11_has_40_pairs(data: Path, tmp_path: Path) -> None:
    folder = data / "pose" / "fountain-P11"
    dataset = load_dataset(folder)
    assert len(dataset) == 40
    assert dataset.sequences == ("fountain-P11",)
    # The angle by the trace of the rotation, from the file itself.
    cameras = json.loads((folder / "cameras.json").read_text())["cameras"]
    near = set()
    for a, b in combinations(cameras, 2):
        trace = np.trace(np.array(b["R"]) @ np.array(a["R"]).T)
        if np.degrees(np.arccos((trace - 1) / 2)) < 60:
            near.add(f"fountain-P11/{a['file'][:4]}-{b['file'][:4]}")
    assert {pair.name for pair in dataset} == near
    for file in folder.glob("*.*"):  # the original files besides must say the same
        if file.suffix in (".jpg", ".camera"):
            shutil.copy(file, tmp_path)
    again = load_strecha(tmp_path)
    assert len(again) == 40
    for pair, other in zip(dataset, again, strict=True):
        assert isinstance(pair.truth, PoseTruth)
        assert isinstance(other.truth, PoseTruth)
        for name in ("K0", "K1", "R", "t"):
            np.testing.assert_allclose(getattr(pair.truth, name), getattr(other.truth, name), atol=1e-9)


# MegaDepth-1500

LISTED = ("0015/images/a.jpg", "0015/images/b.jpg", "0022/images/c.jpg", "0022/images/d.jpg")


def listed(folder: Path, rows: Iterable[str], images: str = "images") -> Path:
    for name in LISTED:
        photo(folder / images / name)
    (folder / "pairs_calibrated.txt").write_text("\n".join(rows))
    return folder


def row(name0: str, name1: str, *, square: bool = False) -> str:
    rotation, shift = turned(10), [1.0, 2.0, 3.0]
    k0, k1 = "100 0 50 0 101 40 0 0 1", "200 0 51 0 201 41 0 0 1"
    if square:
        matrix = np.block([[rotation, np.array(shift)[:, None]], [np.zeros((1, 3)), np.ones((1, 1))]])
        numbers = matrix.ravel().tolist()
    else:
        numbers = [*rotation.ravel().tolist(), *shift]
    return f"{name0} {name1} {k0} {k1} {' '.join(map(repr, numbers))}"


@pytest.mark.parametrize("square", [False, True])
@pytest.mark.parametrize("images", ["images", "."])
def test_megadepth_as_it_is_listed(square: bool, images: str, tmp_path: Path) -> None:
    rows = [row(*LISTED[:2], square=square), "", "# a comment", row(*LISTED[2:], square=square)]
    dataset = load_dataset(listed(tmp_path, rows, images))
    assert dataset.name == "megadepth1500"
    assert [pair.name for pair in dataset] == ["0015/a-b", "0022/c-d"]
    assert dataset.sequences == ("0015", "0022")
    assert dataset.notes == ("The list has 2 pairs, not the 1500 of the full one.",)
    pair = dataset.pairs[1]
    assert pair.photo0.samefile(tmp_path / images / LISTED[2])
    assert isinstance(pair.truth, PoseTruth)
    assert pair.truth.K0.tolist() == [[100, 0, 50], [0, 101, 40], [0, 0, 1]]
    assert pair.truth.K1.tolist() == [[200, 0, 51], [0, 201, 41], [0, 0, 1]]
    assert np.array_equal(pair.truth.R, turned(10))
    assert pair.truth.t.tolist() == [1, 2, 3]


def test_a_list_of_another_name_and_photos_elsewhere(tmp_path: Path) -> None:
    listed(tmp_path / "photos", [])
    (tmp_path / "scannet.txt").write_text(row(*LISTED[:2]) + "\n" + row(*LISTED[:2]))
    dataset = load_dataset(tmp_path / "scannet.txt", images=tmp_path / "photos" / "images")
    assert [pair.name for pair in dataset] == ["0015/a-b", "0015/a-b (2)"]
    assert len(load_megadepth1500(tmp_path / "scannet.txt", images=tmp_path / "photos" / "images")) == 2
    with pytest.raises(ReadError, match=f"{tmp_path}/0015/images/a.jpg: there is no such photo"):
        load_dataset(tmp_path / "scannet.txt", images=tmp_path)


def test_megadepth_in_the_newer_form(tmp_path: Path) -> None:
    cameras = {}
    for k, name in enumerate(LISTED):
        photo(tmp_path / "images" / name)
        cameras[name] = turned(5 * k, axis=k % 3), np.array([k, 1.0, 2.0])
    lines = []
    for k, (name, (rotation, shift)) in enumerate(cameras.items()):
        model = "PINHOLE 40 30 100 101 20 15" if k % 2 else "SIMPLE_PINHOLE 40 30 100 20 15"
        lines.append(f"{name} {' '.join(map(repr, [*rotation.ravel().tolist(), *shift.tolist()]))} {model}")
    (tmp_path / "views.txt").write_text("\n".join(lines))
    (tmp_path / "pairs.txt").write_text(f"{LISTED[0]} {LISTED[1]}\n{LISTED[3]} {LISTED[2]}\n")
    dataset = load_dataset(tmp_path)
    assert [pair.name for pair in dataset] == ["0015/a-b", "0022/d-c"]
    truth = dataset.pairs[1].truth
    assert isinstance(truth, PoseTruth)
    # COLMAP's (20, 15) lies half a pixel to the right of and below ours of the same numbers.
    assert truth.K0.tolist() == [[100, 0, 19.5], [0, 101, 14.5], [0, 0, 1]]
    assert truth.K1.tolist() == [[100, 0, 19.5], [0, 100, 14.5], [0, 0, 1]]
    point = np.array([0.5, 0.6, 7.0])
    seen0, seen1 = (cameras[LISTED[k]][0] @ point + cameras[LISTED[k]][1] for k in (3, 2))
    np.testing.assert_allclose(truth.R @ seen0 + truth.t, seen1, atol=1e-12)

    (tmp_path / "pairs.txt").write_text(f"{LISTED[0]} other.jpg")
    refused(ReadError, "pairs.txt, line 1: should name two of the views", tmp_path)
    (tmp_path / "views.txt").write_text(lines[0] + "\n" + lines[1].replace("PINHOLE", "FISHEYE"))
    refused(DataError, "views.txt, line 2: the camera must be PINHOLE or SIMPLE_PINHOLE, not FISH", tmp_path)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (("2.0 3.0", "2.0"), ReadError, "line 2: should have 30 numbers, but has 29"),
        (("2.0 3.0", "2.0 3.0 4.0"), ReadError, "line 2: should have 34 numbers, but has 31"),
        (("2.0 3.0", "2.0 x"), ReadError, "line 2: 'x' is no number"),
        (("100 0 50", "0 0 50"), DataError, "line 2: K0 must be a camera matrix"),
        (("200 0 51", "nan 0 51"), DataError, "line 2: K1 must be finite"),
        ((repr(float(np.cos(np.radians(10)))), "0.5"), DataError, "line 2: R must be a rotation"),
        (("b.jpg", "e.jpg"), ReadError, "images/0015/images/e.jpg: there is no such photo"),
    ],
)
def test_a_line_that_is_wrong_is_named(
    change: tuple[str, str], error: type[TiepointError], words: str, tmp_path: Path
) -> None:
    wrong = row(*LISTED[:2]).replace(*change)
    assert wrong != row(*LISTED[:2])
    refused(error, words, listed(tmp_path, [row(*LISTED[2:]), wrong]))


def test_a_pose_whose_last_row_is_no_such_row(tmp_path: Path) -> None:
    wrong = row(*LISTED[:2], square=True).removesuffix("1.0") + "2.0"
    refused(DataError, "line 1: the last row of the pose must be 0 0 0 1", listed(tmp_path, [wrong]))


def test_an_empty_list_is_told(tmp_path: Path) -> None:
    refused(ReadError, "lists no pair", listed(tmp_path, ["# nothing"]))
