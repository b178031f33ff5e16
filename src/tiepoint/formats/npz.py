"""Features, Matches and whole results in one ``.npz`` file: no pickle, with a format version.

The file holds the arrays under dotted names ("matches.xy0") and one JSON text, ``header``, for all
the rest. NumPy alone can read it.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from tiepoint.errors import ReadError, TiepointError
from tiepoint.files import write_bytes
from tiepoint.types import Exif, Features, Image, Matches, MatchResult

FORMAT_VERSION = 1

Storable = Features | Matches | MatchResult
_KINDS: dict[str, type[Any]] = {
    "features": Features,
    "matches": Matches,
    "match_result": MatchResult,
    "image": Image,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def save_npz(path: str | os.PathLike[str], noun: Storable) -> Path:
    """Write Features, Matches or a MatchResult (with its photos' pixels) to an ``.npz`` file.

    Raises
    ------
    WriteError
        If the file cannot be written; an older one of that name is then untouched.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.formats import load_npz, save_npz
    >>> features = tp.extract(render_demo().image0, "orb", max_keypoints=100)
    >>> path = save_npz("features.npz", features)
    >>> load_npz(path)
    Features(100 orb, 32 x uint8 hamming, photo 800x600)
    """
    arrays: dict[str, Any] = {}
    header = {"format": "tiepoint", "version": FORMAT_VERSION, **_packed(noun, "", arrays)}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, header=np.array(json.dumps(header)), **arrays)
    return write_bytes(path, buffer.getvalue())


def load_npz(path: str | os.PathLike[str], *, max_bytes: int = 4 << 30) -> Any:
    """Read what :func:`save_npz` wrote.

    Parameters
    ----------
    path : path
    max_bytes : int
        Refuse a file that unpacks to more than this.

    Returns
    -------
    Features, Matches or MatchResult

    Raises
    ------
    ReadError
        If the file is missing, broken, not one of tiepoint's, or of a newer format.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > max_bytes:
            raise ReadError(
                f"{path}: unpacks to {unpacked} bytes, more than {max_bytes}; raise max_bytes if it is yours"
            )
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        header = json.loads(str(arrays.pop("header")))
        if header["format"] != "tiepoint":
            raise KeyError("format")
        version = header["version"]
    except ReadError:
        raise
    except OSError as error:
        raise ReadError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error
    except (KeyError, TypeError):
        raise ReadError(f"{path}: is no file of tiepoint's: it has no header") from None
    except (
        ValueError,
        EOFError,
        MemoryError,
        RecursionError,
        zipfile.BadZipFile,
        NotImplementedError,
    ) as error:
        raise ReadError(f"{path}: is no .npz file, or a broken one: {error}") from error
    except Exception as error:  # zlib.error and what else a broken archive may raise
        raise ReadError(f"{path}: is a broken .npz file: {error}") from error
    if version != FORMAT_VERSION:
        raise ReadError(
            f"{path}: is of format {version}, but this tiepoint reads {FORMAT_VERSION}; update tiepoint"
        )
    try:
        return _unpacked(header, "", arrays)
    except (KeyError, TypeError, ValueError, AttributeError, TiepointError) as error:
        raise ReadError(f"{path}: its parts do not fit together: {error}") from error


def _packed(noun: Any, prefix: str, arrays: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON part of a noun; its arrays go into ``arrays`` under ``prefix``."""
    header: dict[str, Any] = {"kind": _NAMES[type(noun)]}
    for f in fields(noun):
        value = getattr(noun, f.name)
        if isinstance(value, np.ndarray):
            arrays[prefix + f.name] = value
        elif type(value) in _NAMES:
            header[f.name] = _packed(value, f"{prefix}{f.name}.", arrays)
        elif isinstance(value, Exif):
            time = None if value.time is None else value.time.isoformat()
            header[f.name] = {**asdict(value), "time": time}
        elif value is not None:
            header[f.name] = value
    return header


def _unpacked(header: dict[str, Any], prefix: str, arrays: dict[str, Any]) -> Any:
    kind = _KINDS[header["kind"]]
    values: dict[str, Any] = {}
    for f in fields(kind):
        stored = header.get(f.name)
        if prefix + f.name in arrays:
            values[f.name] = arrays[prefix + f.name]
        elif isinstance(stored, dict) and stored.get("kind") in _KINDS:
            values[f.name] = _unpacked(stored, f"{prefix}{f.name}.", arrays)
        elif f.name == "exif" and stored is not None:
            time = stored["time"]
            values["exif"] = Exif(**{**stored, "time": time and datetime.fromisoformat(time)})
        elif stored is not None:
            values[f.name] = stored
    return kind(**values)
