"""The tensors of a PyTorch checkpoint as NumPy arrays, without PyTorch and without trust in the file."""

from __future__ import annotations

import io
import math
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from tiepoint.errors import ReadError, reason
from tiepoint.weights.pickled import LONGEST_NAME, RefusedError, Tensor, read_pickle

MAX_BYTES = 1 << 31
"""The most bytes that the tensors of a file may take, unless the caller says otherwise."""

_DEEPEST = 32
_MOST_ENTRIES = 200_000
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001
# What zipfile and zlib raise for a broken archive; RuntimeError: encrypted, or packed in an unknown way.
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, RuntimeError, OverflowError)

# What a storage holds: as it lies in the file, and as it is returned.
_DTYPES: dict[str, tuple[np.dtype[Any], np.dtype[Any]]] = {
    "float64": (np.dtype("<f8"), np.dtype(np.float64)),
    "float32": (np.dtype("<f4"), np.dtype(np.float32)),
    "float16": (np.dtype("<f2"), np.dtype(np.float32)),
    "bfloat16": (np.dtype("<u2"), np.dtype(np.float32)),
    "int64": (np.dtype("<i8"), np.dtype(np.int64)),
    "int32": (np.dtype("<i4"), np.dtype(np.int32)),
    "int16": (np.dtype("<i2"), np.dtype(np.int16)),
    "int8": (np.dtype("i1"), np.dtype(np.int8)),
    "uint8": (np.dtype("u1"), np.dtype(np.uint8)),
    "bool": (np.dtype("u1"), np.dtype(np.bool_)),
}

_Storages = Mapping[str, memoryview]


def read_checkpoint(
    source: str | os.PathLike[str] | bytes, *, max_bytes: int = MAX_BYTES
) -> dict[str, NDArray[Any]]:
    """Return the tensors of a file that ``torch.save`` wrote, a zip archive or as before PyTorch 1.6.

    Dictionaries in dictionaries are laid flat: the tensor ``{"extractor": {"conv.bias": ...}}`` is
    ``"extractor.conv.bias"``. What is no tensor (numbers, strings, lists, None) is left out.

    Nothing in the file is executed, and no memory is taken for what it only claims to have.

    Parameters
    ----------
    source : path | bytes
        The file, or what is in it.
    max_bytes : int
        The most bytes that the file, and its tensors together, may take.

    Returns
    -------
    dict[str, ndarray]
        In the file's order; each C-contiguous, writeable and an array of its own. float16 and bfloat16
        become float32, which holds all their values; the other dtypes stay.

    Raises
    ------
    ReadError
        If the file is missing, too large, broken, no checkpoint, or holds anything but tensors.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.weights import read_checkpoint
    >>> try:
    ...     read_checkpoint(b"not a checkpoint")
    ... except tp.ReadError as error:
    ...     print(error)
    the checkpoint is neither a zip archive nor one of PyTorch's older format
    """
    name, data = _opened(source, max_bytes)
    return tensors_in(data, name, max_bytes)


def tensors_in(data: bytes, name: str, max_bytes: int) -> dict[str, NDArray[Any]]:
    """Return the tensors of a checkpoint's bytes; ``name`` is how messages begin."""
    try:
        state, storages = _zipped(data) if data[:2] == b"PK" else _legacy(data)
        return _arrays(state, storages, max_bytes)
    except RefusedError as error:
        raise ReadError(f"{name} {error}") from error
    except MemoryError as error:
        raise ReadError(f"{name} needs more than the free memory") from error
    except _BROKEN as error:
        raise ReadError(f"{name} is broken") from error


def _opened(source: str | os.PathLike[str] | bytes, max_bytes: int) -> tuple[str, bytes]:
    if isinstance(source, bytes):
        name, data = "the checkpoint", source
    else:
        name, path = f"{source}:", Path(source)
        try:
            size = path.stat().st_size
            data = path.read_bytes() if size <= max_bytes else b""
        except OSError as error:
            raise ReadError(f"{name} cannot be read: {reason(error)}") from error
        if size > max_bytes:
            raise ReadError(f"{name} has {size} bytes, more than {max_bytes}; raise max_bytes if it is yours")
    if len(data) > max_bytes:
        raise ReadError(
            f"{name} has {len(data)} bytes, more than {max_bytes}; raise max_bytes if it is yours"
        )
    return name, data


def _zipped(data: bytes) -> tuple[Any, _Storages]:
    """Read the format since PyTorch 1.6: a folder with ``data.pkl`` and a file for each storage."""
    archive = zipfile.ZipFile(io.BytesIO(data))
    entries = archive.infolist()
    members = {entry.filename: entry for entry in entries}
    if len(members) < len(entries):
        raise RefusedError("is a zip archive with two files of one name")
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise RefusedError("is a zip archive with packed files, which PyTorch does not write")
    if sum(entry.file_size for entry in entries) > len(data):
        raise RefusedError("is a zip archive that claims to hold more than it has")
    pickles = [name for name in members if name.count("/") == 1 and name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise RefusedError("is a zip archive, but no checkpoint: it has no data.pkl")
    folder = pickles[0].split("/")[0]
    order = members.get(f"{folder}/byteorder")
    if order is not None and archive.read(order).strip() != b"little":
        raise RefusedError("was written on a machine that keeps numbers the other way round")
    state, stored = read_pickle(io.BytesIO(archive.read(members[pickles[0]])))
    files = {key: members.get(f"{folder}/data/{key}") for key in stored}
    return state, {key: memoryview(archive.read(file)) for key, file in files.items() if file is not None}


def _legacy(data: bytes) -> tuple[Any, _Storages]:
    """Read the format before PyTorch 1.6: five pickles, then each storage behind its count."""
    stream = io.BytesIO(data)
    try:
        magic, _ = read_pickle(stream)
    except RefusedError:
        magic = None
    if magic != _LEGACY_MAGIC:
        raise RefusedError("is neither a zip archive nor one of PyTorch's older format")
    (protocol, _), (machine, _), (state, stored), (keys, _) = (read_pickle(stream) for _ in range(4))
    if protocol != _LEGACY_PROTOCOL or not isinstance(machine, dict) or not isinstance(keys, list):
        raise RefusedError("is of a version of PyTorch's older format that is not known here")
    if machine.get("little_endian") is not True:
        raise RefusedError("was written on a machine that keeps numbers the other way round")
    view, at = memoryview(data), stream.tell()
    storages: dict[str, memoryview] = {}
    for key in keys:
        if type(key) is not str or key not in stored or key in storages:
            raise RefusedError("has storages that no tensor is of, or one of them twice")
        (count,) = struct.unpack_from("<q", view, at)
        size = count * _DTYPES[stored[key].kind][0].itemsize
        if not 0 <= size <= len(view) - at - 8:
            raise RefusedError("is cut off: a storage has less in it than it should")
        storages[key] = view[at + 8 : at + 8 + size]
        at += 8 + size
    return state, storages


def _tensors(state: Any) -> dict[str, Tensor]:
    """Return the tensors of dictionaries in dictionaries, by their names with dots between."""
    if not isinstance(state, dict):
        raise RefusedError("is no dictionary of tensors")
    found: dict[str, Tensor] = {}
    _collect(state, (), found, [0])
    return found


def _collect(state: dict[Any, Any], path: tuple[str, ...], found: dict[str, Tensor], seen: list[int]) -> None:
    if len(path) > _DEEPEST:
        raise RefusedError(f"has dictionaries in dictionaries, more than {_DEEPEST} deep")
    for key, value in state.items():
        seen[0] += 1
        if seen[0] > _MOST_ENTRIES:
            raise RefusedError(f"has more than {_MOST_ENTRIES} entries")
        if isinstance(value, dict):
            _collect(value, (*path, str(key)), found, seen)
        elif isinstance(value, Tensor):
            name = ".".join((*path, str(key)))
            if len(name) > LONGEST_NAME:
                raise RefusedError(f"has a tensor whose name has more than {LONGEST_NAME} letters")
            if name in found:
                raise RefusedError(f"has two tensors of the name {name[:80]!r}")
            found[name] = value


def _arrays(state: Any, storages: _Storages, max_bytes: int) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    left = max_bytes
    for name, tensor in _tensors(state).items():
        left -= math.prod(tensor.size) * _DTYPES[tensor.storage.kind][1].itemsize
        if left < 0:
            raise RefusedError(f"has tensors of more than {max_bytes} bytes; raise max_bytes if it is yours")
        try:
            arrays[name] = _array(tensor, storages)
        except RefusedError as error:
            raise RefusedError(f"is broken: its tensor {name[:80]!r} {error}") from error
    return arrays


def _array(tensor: Tensor, storages: _Storages) -> NDArray[Any]:
    """Copy a tensor out of its storage, once it is known to lie inside of it."""
    stored, result = _DTYPES[tensor.storage.kind]
    data = storages.get(tensor.storage.key)
    if data is None:
        raise RefusedError("has no numbers")
    count = tensor.storage.count
    if len(data) != count * stored.itemsize:
        raise RefusedError(f"is of {count} numbers, but there are {len(data)} bytes of them")
    if min((tensor.offset, *tensor.size, *tensor.stride)) < 0:
        raise RefusedError("has negative sizes or strides")
    size = math.prod(tensor.size)
    reach = sum((n - 1) * step for n, step in zip(tensor.size, tensor.stride, strict=True)) if size else -1
    if size > count or tensor.offset + reach >= count:
        raise RefusedError(f"reaches beyond the {count} numbers that there are")
    if not size:
        return np.empty(tensor.size, result)
    view: NDArray[Any] = as_strided(
        np.frombuffer(data, stored)[tensor.offset :],
        tensor.size,
        # The step along an axis of one entry means nothing, and may be any number.
        [step * stored.itemsize if n > 1 else 0 for n, step in zip(tensor.size, tensor.stride, strict=True)],
        writeable=False,
    )
    array = np.empty(tensor.size, result)
    if tensor.storage.kind == "bfloat16":  # the upper half of a float32
        np.left_shift(view.astype(np.uint32), np.uint32(16), out=array.view(np.uint32))
    elif tensor.storage.kind == "bool":  # any byte but zero; NumPy takes only 0 and 1 for one
        np.not_equal(view, 0, out=array)
    else:
        array[...] = view
    return array
