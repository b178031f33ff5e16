"""The arrays of an ``.npz`` file that may come from anywhere.

NumPy's own reader evaluates the text at the head of an array, and allocates what that claims before
it looks whether the file has it. This one reads plain arrays only, and never more than is there.
"""

from __future__ import annotations

import math
import os
import re
import struct
import zipfile
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import ReadError, reason

Arrays = dict[str, NDArray[Any]]

_MAGIC = b"\x93NUMPY\x01\x00"
# An array's head as NumPy writes it, for numbers and text.
_HEAD = re.compile(
    r"{'descr': '([|<>](?:[bu]1|[iu][248]|f[248]|U[1-9]\d{0,7}))', 'fortran_order': (True|False), "
    r"'shape': \(((?:\d{1,18}, ?)*(?:\d{1,18})?)\), } *\n"
)
# What zipfile and zlib raise for a broken archive; RuntimeError: encrypted, or packed in an unknown way.
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, RuntimeError, OverflowError)
_PIECE = 1 << 20


def read_arrays(path: str | os.PathLike[str], max_bytes: int) -> Arrays:
    """Return the arrays of an ``.npz`` file by name, which together take at most ``max_bytes``.

    Raises
    ------
    ReadError
        If the file is missing, broken or too large, or holds anything but plain arrays.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from tiepoint.formats.archive import read_arrays
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/some.npz", ones=np.ones(3))
    ...     read_arrays(f"{folder}/some.npz", max_bytes=10_000)
    {'ones': array([1., 1., 1.])}
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            unpacked = sum(entry.file_size for entry in entries)
            if unpacked > max_bytes:
                raise ReadError(
                    f"{path}: unpacks to {unpacked} bytes, more than {max_bytes}; "
                    "raise max_bytes if it is yours"
                )
            arrays = {entry.filename.removesuffix(".npy"): _array(archive, entry) for entry in entries}
    except OSError as error:
        raise ReadError(f"{path}: cannot be read: {reason(error)}") from error
    except MemoryError as error:
        raise ReadError(f"{path}: unpacks to more than the free memory") from error
    except _BROKEN as error:
        raise ReadError(f"{path}: is no .npz file, or a broken one") from error
    if len(arrays) < len(entries):
        raise ReadError(f"{path}: is a broken .npz file: it has two arrays of one name")
    return arrays


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> NDArray[Any]:
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("only these two are unpacked piece by piece, whatever the bytes say")
    with archive.open(entry) as stream:
        start = stream.read(len(_MAGIC) + 2)
        length = int.from_bytes(start[-2:], "little")
        head = _HEAD.fullmatch(stream.read(length).decode("latin-1"))
        if head is None or not start.startswith(_MAGIC):
            raise ValueError(f"{entry.filename} is no plain array")
        dtype = np.dtype(head[1])
        shape = tuple(int(n) for n in head[3].split(",") if n.strip())
        size = math.prod(shape) * dtype.itemsize
        if size != entry.file_size - len(start) - length:
            raise ValueError(f"{entry.filename} has more or less data than its shape says")
        data = np.empty(size, np.uint8)
        for at in range(0, size, _PIECE):
            piece = stream.read(min(_PIECE, size - at))
            if len(piece) < min(_PIECE, size - at):
                raise EOFError(f"{entry.filename} is cut")
            data[at : at + len(piece)] = np.frombuffer(piece, np.uint8)
    array = data.view(dtype).reshape(shape, order="F" if head[2] == "True" else "C")
    if not dtype.isnative:
        array = array.byteswap(inplace=True).view(dtype.newbyteorder("="))
    if dtype.kind == "U" and size and data.view(np.uint32).max() > 0x10FFFF:
        raise ValueError(f"{entry.filename} holds numbers that are no letters")
    return array
