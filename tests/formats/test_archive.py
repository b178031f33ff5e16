from __future__ import annotations

import io
import re
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiepoint as tp
from tiepoint.formats.archive import Arrays, read_arrays

MAX = 1_000_000


def npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def with_head(head: str, data: bytes = b"") -> bytes:
    """An array file of any head."""
    text = head.encode("latin-1") + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


def claimed(shape: str = "(2,)", dtype: str = "'<f4'", order: str = "False", data: bytes = bytes(8)) -> bytes:
    return with_head(f"{{'descr': {dtype}, 'fortran_order': {order}, 'shape': {shape}, }}", data)


def packed(path: Path, content: bytes, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a.npy", content)
    return path


def refused(path: Path, max_bytes: int = MAX) -> str:
    tracemalloc.start()
    try:
        with pytest.raises(tp.ReadError) as error:
            read_arrays(path, max_bytes)
        assert tracemalloc.get_traced_memory()[1] < max_bytes + 4_000_000
    finally:
        tracemalloc.stop()
    assert re.fullmatch(rf"{re.escape(str(path))}: \w.{{1,200}}", str(error.value))
    return str(error.value)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_come_back_as_numpy_saved_them(
    save: Callable[..., None], tmp_path: Path, rng: np.random.Generator
) -> None:
    arrays: Arrays = {
        "floats": rng.random((5, 3)).astype(np.float32),
        "fortran": np.asfortranarray(rng.random((5, 3))),
        "foreign": np.arange(4, dtype=np.dtype(np.int32).newbyteorder()),
        "bytes": rng.integers(0, 256, (1500, 1000), dtype=np.uint8),  # more than one piece
        "words": np.array(["ü", "ab", ""]),
        "foreign words": np.array(["ü", "ab"]).astype(np.dtype("U2").newbyteorder()),
        "text": np.array("{}"),
        "flags": np.array([True, False]),
        "nothing": np.empty((0, 7), np.float32),
        "number": np.array(5, np.uint16),
    }
    save(tmp_path / "x.npz", **arrays)
    again = read_arrays(tmp_path / "x.npz", 10_000_000)
    assert list(again) == list(arrays)
    for name, array in arrays.items():
        assert again[name].shape == array.shape
        assert again[name].dtype == array.dtype.newbyteorder("=")
        assert np.array_equal(again[name], array), name


@pytest.mark.parametrize(
    "content",
    [
        claimed("(1000000000000,)"),
        claimed("(99999999999999999999999999,)"),
        claimed("(1000000000, 1000000000, 1000000000)"),
        claimed("(-2,)"),
        claimed("(-1, -2)"),
        claimed("(3,)"),
        claimed("(1,)"),
        claimed("2"),
        claimed("(2.0,)"),
        claimed("(True, 2)"),
        claimed("[2]"),
        claimed("(" + "2, " * 60 + ")"),
        claimed("(" + "1" * 5000 + "x)"),
        claimed(dtype="'|O'"),
        claimed(dtype="'<U0'", shape="(1000000000000,)", data=b""),
        claimed(dtype="'<U99999999'"),
        claimed(dtype="'<U999999999'"),
        claimed(dtype="'<U1'", data=b"\xff" * 8),
        claimed(dtype="'<q9'"),
        claimed(dtype="[('a', '<f4')]"),
        claimed(dtype="5"),
        claimed(order="1"),
        with_head("[]"),
        with_head(""),
        with_head("(" * 60_000),
        with_head("-" * 60_000 + "1"),
        with_head("'\\d'"),
        npy(np.zeros(2))[:-1],
        npy(np.zeros(2)) + b"x",
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff",
        b"\x93NUMPY\x01\x00",
        b"PK",
        b"",
    ],
)
def test_arrays_that_claim_what_is_not_there_are_refused(content: bytes, tmp_path: Path) -> None:
    assert "is no .npz file, or a broken one" in refused(packed(tmp_path / "x.npz", content))


def test_pickles_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=np.array([{}], object))
    assert "broken" in refused(tmp_path / "x.npz")


def test_bombs_are_refused_before_they_are_unpacked(tmp_path: Path) -> None:
    bomb = packed(tmp_path / "bomb.npz", npy(np.zeros(50_000_000, np.uint8)))
    assert bomb.stat().st_size < 100_000
    assert "unpacks to 50000128 bytes, more than 1000000; raise max_bytes" in refused(bomb)
    # The archive lies about its size.
    lie = bomb.read_bytes().replace((50_000_128).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    bomb.write_bytes(lie)
    assert "broken" in refused(bomb)
    # These two methods cannot be unpacked in pieces.
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        packed(bomb, npy(np.zeros(50_000_000, np.uint8)), method)
        assert "broken" in refused(bomb, 60_000_000)


def test_an_archive_in_an_archive_is_no_array(tmp_path: Path) -> None:
    inner = packed(tmp_path / "inner.npz", npy(np.zeros(2)))
    assert "broken" in refused(packed(tmp_path / "outer.npz", inner.read_bytes()))


def test_two_arrays_of_one_name_are_refused(tmp_path: Path) -> None:
    for names in (("a.npy", "a.npy"), ("a.npy", "a")):
        with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
            for name in names:
                if name in archive.namelist():
                    with pytest.warns(UserWarning, match="Duplicate name"):
                        archive.writestr(name, npy(np.zeros(2)))
                else:
                    archive.writestr(name, npy(np.zeros(2)))
        assert "two arrays of one name" in refused(tmp_path / "x.npz")


@pytest.mark.parametrize("flag", [1, 32, 64])
def test_encrypted_and_patched_archives_are_refused(flag: int, tmp_path: Path) -> None:
    path = packed(tmp_path / "x.npz", npy(np.zeros(2)))
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.find(mark) + offset] |= flag
    path.write_bytes(content)
    assert "broken" in refused(path)


@pytest.mark.parametrize(
    "content", [b"", b"no archive", b"PK\x05\x06" + bytes(17), b"PK\x05\x06" + b"\xff" * 18]
)
def test_what_is_no_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_bytes(content)
    refused(tmp_path / "x.npz")


def test_missing_files_and_folders_are_told(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.npz").endswith("none.npz: cannot be read: no such file or directory")
    assert refused(tmp_path).endswith("cannot be read: is a directory")


@pytest.mark.parametrize("part", ["anywhere", "directory"])
def test_any_changed_bytes_give_arrays_or_one_sentence(
    part: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = tmp_path / "x.npz"
    np.savez_compressed(
        path, a=np.arange(20, dtype=np.float32), b=np.array("text"), c=np.zeros((3, 4), np.uint8)
    )
    good = path.read_bytes()
    start = 0 if part == "anywhere" else good.find(b"PK\x01\x02")
    told = 0
    for _ in range(2000):
        content = np.frombuffer(good, np.uint8).copy()
        content[rng.integers(start, len(good), rng.integers(1, 6))] = rng.choice([0, 1, 127, 128, 255])
        path.write_bytes(content.tobytes())
        sentence = complaint(path)
        if sentence is not None:
            assert re.fullmatch(rf"{re.escape(str(path))}: \w.{{1,200}}", sentence)
            told += 1
    assert 1000 < told < 2000


def complaint(path: Path) -> str | None:
    try:
        read_arrays(path, MAX)
    except tp.ReadError as error:
        return str(error)
    return None
