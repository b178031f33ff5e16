from __future__ import annotations

import io
import json
import zipfile
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiepoint as tp
from tiepoint.evaluation import RenderedPair
from tiepoint.formats import FORMAT_VERSION, load_npz, save_npz


@pytest.fixture(scope="module")
def result(scene: RenderedPair) -> tp.MatchResult:
    exif = tp.Exif(
        focal_length=35.0, camera_model="X", time=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), orientation=6
    )
    photo = tp.Image(pixels=scene.image0.pixels, path="Notre Dame ü.jpg", exif=exif)
    return tp.match(photo, scene.image1, extractor="orb", max_keypoints=200)


def assert_same(a: Any, b: Any) -> None:
    """Hold two nouns against each other, field by field, down to dtypes."""
    assert type(a) is type(b)
    for f in fields(a):
        x, y = getattr(a, f.name), getattr(b, f.name)
        if isinstance(x, np.ndarray):
            assert x.dtype == y.dtype
            assert np.array_equal(x, y), f.name
        elif isinstance(x, tp.Features | tp.Matches | tp.Image):
            assert_same(x, y)
        else:
            assert x == y, f.name


def test_round_trips(result: tp.MatchResult, tmp_path: Path) -> None:
    for noun in (result, result.matches, result.features0):
        assert noun is not None
        assert_same(load_npz(save_npz(tmp_path / "a b.npz", noun)), noun)


def test_empty_and_unknown_fields_round_trip(flat: tp.Image, tmp_path: Path) -> None:
    nothing = tp.extract(flat, "sift", upright=True)
    assert_same(load_npz(save_npz(tmp_path / "x.npz", nothing)), nothing)
    empty = tp.match(flat, flat).matches
    assert_same(load_npz(save_npz(tmp_path / "x.npz", empty)), empty)


def test_numpy_alone_reads_it_without_pickle(result: tp.MatchResult, tmp_path: Path) -> None:
    with np.load(save_npz(tmp_path / "x.npz", result), allow_pickle=False) as archive:
        assert np.array_equal(archive["matches.xy0"], result.matches.xy0)
        assert json.loads(str(archive["header"]))["version"] == FORMAT_VERSION


def changed(path: Path, **changes: Any) -> Path:
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    header = json.loads(str(arrays["header"]))
    for name, value in changes.items():
        if name in arrays:
            arrays[name] = value
        else:
            header[name] = value
    arrays["header"] = np.array(json.dumps(header))
    np.savez(path, **arrays)
    return path


def test_broken_files_are_refused_in_one_sentence(result: tp.MatchResult, tmp_path: Path) -> None:
    good = save_npz(tmp_path / "good.npz", result.matches).read_bytes()
    plain = io.BytesIO()
    np.savez(plain, a=np.zeros(3))
    pickled = io.BytesIO()
    np.savez(pickled, header=np.array([{}], dtype=object))
    cases = {
        "empty": b"",
        "text": b"no archive",
        "cut": good[: len(good) // 2],
        "flipped": good[:300] + bytes(255 - b for b in good[300:320]) + good[320:],
        "strange": plain.getvalue(),
        "pickled": pickled.getvalue(),
    }
    for name, content in cases.items():
        path = tmp_path / f"{name}.npz"
        path.write_bytes(content)
        with pytest.raises(tp.ReadError) as error:
            load_npz(path)
        assert str(error.value).startswith(str(path))
        assert "\n" not in str(error.value)


def test_missing_newer_and_inconsistent_files(result: tp.MatchResult, tmp_path: Path) -> None:
    with pytest.raises(tp.ReadError, match="cannot be read: no such file"):
        load_npz(tmp_path / "none.npz")
    with pytest.raises(tp.ReadError, match="cannot be read: is a directory"):
        load_npz(tmp_path)
    newer = changed(save_npz(tmp_path / "x.npz", result.matches), version=2)
    with pytest.raises(tp.ReadError, match="is of format 2, but this tiepoint reads 1; update tiepoint"):
        load_npz(newer)
    other = changed(save_npz(tmp_path / "x.npz", result.matches), xy0=np.zeros((3, 2), np.float32))
    with pytest.raises(tp.ReadError, match="its parts do not fit together: xy1 must be"):
        load_npz(other)
    kind = changed(save_npz(tmp_path / "x.npz", result.matches), kind="cake")
    with pytest.raises(tp.ReadError, match="do not fit together"):
        load_npz(kind)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.npy", bytes(50_000_000))
    assert path.stat().st_size < 100_000
    with pytest.raises(tp.ReadError, match="unpacks to 50000000 bytes, more than 1000000; raise max_bytes"):
        load_npz(path, max_bytes=1_000_000)
