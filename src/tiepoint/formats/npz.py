"""Features, Matches and whole results in one ``.npz`` file: no pickle, with a format version.

The file holds the arrays under dotted names ("matches.xy0") and one JSON text, ``header``, for all
the rest. NumPy alone can read it.
"""

from __future__ import annotations

import io
import json
import os
import textwrap
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import numpy as np

from tiepoint.errors import DataError, ReadError, TiepointError
from tiepoint.files import write_bytes
from tiepoint.formats.archive import Arrays, read_arrays
from tiepoint.formats.exif import exif_from_json, exif_to_json
from tiepoint.types import Exif, Features, Geometry, Image, Matches, MatchResult, Verdict

FORMAT_VERSION = 1

Storable = Features | Matches | MatchResult
_KINDS: dict[str, type[Any]] = {"features": Features, "matches": Matches, "match_result": MatchResult}
# The fields that are nouns themselves.
_PARTS: dict[str, type[Any]] = {
    "image0": Image,
    "image1": Image,
    "features0": Features,
    "features1": Features,
    "candidates": Matches,
    "matches": Matches,
    "geometry": Geometry,
    "verdict": Verdict,
}
# Lists and dicts take up to eight times the memory of the JSON text, at four bytes a letter.
_JSON_GROWTH = 8


def save_npz(path: str | os.PathLike[str], noun: Storable) -> Path:
    """Write Features, Matches or a MatchResult (with its photos' pixels) to an ``.npz`` file.

    Raises
    ------
    DataError
        If it is something else.
    WriteError
        If the file cannot be written; an older one of that name is then untouched.

    Examples
    --------
    >>> import tempfile
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.formats import load_npz, save_npz
    >>> features = tp.extract(render_demo().image0, "orb", max_keypoints=100)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     load_npz(save_npz(f"{folder}/features.npz", features))
    Features(100 orb, 32 x uint8 hamming, photo 800x600)
    """
    if not isinstance(noun, Storable):
        raise DataError(f"an .npz file holds Features, Matches or a MatchResult, not {type(noun).__name__}")
    arrays: dict[str, Any] = {}
    kind = next(name for name, kind in _KINDS.items() if isinstance(noun, kind))
    header = {
        "format": "tiepoint",
        "version": FORMAT_VERSION,
        "kind": kind,
        **_packed(noun, "", arrays),
    }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, header=np.array(json.dumps(header)), **arrays)
    return write_bytes(path, buffer.getvalue())


def load_npz(path: str | os.PathLike[str], *, max_bytes: int = 4 << 30) -> Any:
    """Read what :func:`save_npz` wrote; nothing in a file that came from elsewhere is trusted.

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

    Examples
    --------
    >>> import tempfile
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.formats import load_npz, save_npz
    >>> scene = render_demo()
    >>> result = tp.match(scene.image0, scene.image1, extractor="orb")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = load_npz(save_npz(f"{folder}/result.npz", result))
    >>> len(again.matches) == len(result.matches)
    True
    """
    arrays = read_arrays(path, max_bytes)
    header = _header(path, arrays, max_bytes)
    version, kind = header["version"], header.get("kind")
    if version != FORMAT_VERSION:
        raise ReadError(
            f"{path}: is of format {version}, but this tiepoint reads {FORMAT_VERSION}; update tiepoint"
        )
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ReadError(f"{path}: holds none of {', '.join(_KINDS)}")
    try:
        return _unpacked(_KINDS[kind], header, "", arrays)
    except TiepointError as error:
        said = textwrap.shorten(str(error), 300, placeholder=" ...")
        raise ReadError(f"{path}: its parts do not fit together: {said}") from error


def _header(path: str | os.PathLike[str], arrays: Arrays, max_bytes: int) -> dict[str, Any]:
    """Take the header out of the arrays."""
    text = arrays.pop("header", np.array(""))
    if text.nbytes * _JSON_GROWTH > max_bytes:
        raise ReadError(
            f"{path}: its header of {text.nbytes} bytes is too large; raise max_bytes if it is yours"
        )
    try:
        header = json.loads(str(text))
    except (ValueError, RecursionError):
        header = None
    if isinstance(header, dict) and header.get("format") == "tiepoint" and type(header.get("version")) is int:
        return header
    raise ReadError(f"{path}: is no file of tiepoint's: it has no header that says so")


def _packed(noun: Any, prefix: str, arrays: Arrays) -> dict[str, Any]:
    """Return the JSON part of a noun; its arrays go into ``arrays`` under ``prefix``."""
    header: dict[str, Any] = {}
    for f in fields(noun):
        value = getattr(noun, f.name)
        if isinstance(value, np.ndarray):
            arrays[prefix + f.name] = value
        elif f.name in _PARTS and value is not None:
            header[f.name] = _packed(value, f"{prefix}{f.name}.", arrays)
        elif isinstance(value, Exif):
            header[f.name] = exif_to_json(value)
        elif value is not None:
            header[f.name] = value
    return header


def _unpacked(kind: type[Any], header: object, prefix: str, arrays: Arrays) -> Any:
    """Build the noun that :func:`_packed` took apart."""
    if not isinstance(header, dict):
        raise DataError(f"{prefix.rstrip('.')} must be a {kind.__name__}")
    values: dict[str, Any] = {}
    for f in fields(kind):
        name, stored = prefix + f.name, header.get(f.name)
        if f.name in _PARTS:
            if stored is not None:
                values[f.name] = _unpacked(_PARTS[f.name], stored, f"{name}.", arrays)
        elif name in arrays:
            values[f.name] = arrays[name]
        elif f.name == "exif" and stored is not None:
            values[f.name] = exif_from_json(stored)
        elif stored is not None:
            values[f.name] = stored
    for f in fields(kind):
        if f.name not in values and f.default is MISSING and f.default_factory is MISSING:
            raise DataError(f"{prefix}{f.name} is missing")
    return kind(**values)
