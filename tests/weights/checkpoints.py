"""Checkpoints written instruction by instruction, without PyTorch: right ones, and ones that never were."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

STORAGES = {
    "float64": "DoubleStorage",
    "float32": "FloatStorage",
    "float16": "HalfStorage",
    "int64": "LongStorage",
    "int32": "IntStorage",
    "int16": "ShortStorage",
    "int8": "CharStorage",
    "uint8": "ByteStorage",
    "bool": "BoolStorage",
    "bfloat16": "BFloat16Storage",
}


@dataclass(frozen=True)
class Global:
    """What is to be imported: "torch FloatStorage"."""

    words: str


@dataclass(frozen=True)
class Call:
    function: Any
    arguments: Any


@dataclass(frozen=True)
class Reference:
    """A persistent id."""

    to: Any


@dataclass(frozen=True)
class Raw:
    """Instructions as they are."""

    code: bytes


def code_of(value: Any) -> bytes:
    """The instructions that make a value, in protocol 2."""
    match value:
        case None:
            return b"N"
        case bool():
            return b"\x88" if value else b"\x89"
        case int() if 0 <= value < 256:
            return b"K" + bytes([value])
        case int():
            data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            return b"\x8a" + bytes([len(data)]) + data
        case float():
            return b"G" + struct.pack(">d", value)
        case str():
            return b"X" + struct.pack("<I", len(value.encode())) + value.encode()
        case dict():
            return b"}(" + b"".join(code_of(key) + code_of(item) for key, item in value.items()) + b"u"
        case list():
            return b"](" + b"".join(map(code_of, value)) + b"e"
        case tuple():
            return b"(" + b"".join(map(code_of, value)) + b"t"
        case Global(words):
            return b"c" + words.replace(" ", "\n").encode() + b"\n"
        case Call(function, arguments):
            return code_of(function) + code_of(arguments) + b"R"
        case Reference(to):
            return code_of(to) + b"Q"
        case Raw(code):
            return code
        case _:
            raise TypeError(type(value).__name__)


def pickled(value: Any) -> bytes:
    return b"\x80\x02" + code_of(value) + b"."


def storage(dtype: str, key: str, count: int, *more: Any) -> Reference:
    return Reference(("storage", Global(f"torch {STORAGES[dtype]}"), key, "cpu", count, *more))


def tensor(
    of: Any, size: tuple[Any, ...], stride: tuple[Any, ...] | None = None, offset: Any = 0, *more: Any
) -> Call:
    if stride is None:
        stride = tuple(int(np.prod(size[i + 1 :])) for i in range(len(size)))
    hooks = Call(Global("collections OrderedDict"), ())
    return Call(Global("torch._utils _rebuild_tensor_v2"), (of, offset, size, stride, False, hooks, *more))


def zipped(
    state: Any,
    storages: Mapping[str, bytes],
    *,
    order: bytes | None = b"little",
    packing: int = zipfile.ZIP_STORED,
) -> bytes:
    """A file as PyTorch writes it since 1.6."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", packing) as archive:
        archive.writestr("small/data.pkl", pickled(state))
        if order is not None:
            archive.writestr("small/byteorder", order)
        for key, data in storages.items():
            archive.writestr(f"small/data/{key}", data)
        archive.writestr("small/version", "3\n")
    return stream.getvalue()


def legacy(
    state: Any, storages: Mapping[str, tuple[int, bytes]], *, protocol: int = 1001, **machine: Any
) -> bytes:
    """A file as PyTorch wrote it before 1.6; of each storage, the count and the bytes."""
    facts = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}, **machine}
    parts = [0x1950A86A20F9469CFC6C, protocol, facts, state, list(storages)]
    return b"".join(map(pickled, parts)) + b"".join(
        struct.pack("<q", count) + data for count, data in storages.values()
    )


def of_arrays(arrays: Mapping[str, NDArray[Any]], *, old: bool = False) -> bytes:
    """A file with these tensors, each with a storage of its own."""
    state: dict[str, Any] = {}
    data: dict[str, bytes] = {}
    for number, (name, array) in enumerate(arrays.items()):
        of = storage(array.dtype.name, str(number), array.size, *([None] if old else []))
        state[name] = tensor(of, array.shape)
        data[str(number)] = array.tobytes()
    if not old:
        return zipped(state, data)
    return legacy(
        state, {key: (arrays[name].size, data[key]) for key, name in zip(data, arrays, strict=True)}
    )
