"""Results as JSON documents, the ones that ``--json`` prints; the schemas lie beside this file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from importlib.resources import files
from typing import Any

import numpy as np

from tiepoint.types import Exif, Features, Image, Matches, MatchResult

SCHEMA_VERSION = 1


def features_document(
    image: Image, features: Features, *, seconds: Mapping[str, float] | None = None, arrays: bool = False
) -> dict[str, Any]:
    """Return the document of one photo's features; its schema is ``features.json``.

    Parameters
    ----------
    image : Image
    features : Features
    seconds : mapping, optional
        Wall-clock seconds per stage.
    arrays : bool
        Whether to list the keypoints and descriptors themselves.
    """
    document: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "kind": "features",
        "photo": _photo(image),
        "extractor": features.extractor,
        "settings": dict(features.settings),
        "keypoints": len(features),
        "descriptor": {
            "length": features.descriptors.shape[1],
            "dtype": features.descriptors.dtype.name,
            "metric": features.metric,
        },
        "seconds": dict(seconds or {}),
    }
    if arrays:
        document["arrays"] = _arrays(features, ("xy", "size", "angle", "score", "descriptors"))
    return document


def match_document(
    result: MatchResult, *, matcher: Mapping[str, Any] | None = None, arrays: bool = False
) -> dict[str, Any]:
    """Return the document of a matched pair; its schema is ``match.json``.

    Parameters
    ----------
    result : MatchResult
    matcher : mapping, optional
        The settings of the matcher.
    arrays : bool
        Whether to list the matches themselves.
    """
    features = result.features0
    document: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "kind": "match",
        "photos": [_photo(result.image0), _photo(result.image1)],
        "extractor": None if features is None else features.extractor,
        "settings": {} if features is None else dict(features.settings),
        "matcher": dict(matcher or {}),
        "funnel": [{"stage": stage, "count": count} for stage, count in result.matches.funnel],
        "candidates": len(result.candidates),
        "matches": len(result.matches),
        "seconds": dict(result.seconds),
        "log": list(result.log),
    }
    if arrays:
        names = tuple(
            f.name for f in fields(Matches) if isinstance(getattr(result.matches, f.name), np.ndarray)
        )
        document["arrays"] = _arrays(result.matches, names)
    return document


def schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the documents of a kind: "features" or "match"."""
    text = files("tiepoint.formats").joinpath("schema", f"{kind}.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _photo(image: Image) -> dict[str, Any]:
    return {
        "path": image.path,
        "width": image.width,
        "height": image.height,
        "exif": None if image.exif is None else _exif(image.exif),
    }


def _exif(exif: Exif) -> dict[str, Any]:
    values = {f.name: getattr(exif, f.name) for f in fields(exif)}
    return {**values, "time": None if exif.time is None else exif.time.isoformat()}


def _arrays(noun: Features | Matches, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _listed(getattr(noun, name)) for name in names}


def _listed(values: Any) -> Any:
    if values is None:
        return None
    if values.dtype == np.float32:
        # By way of their shortest text: 0.1 in float32 is to read 0.1, not 0.10000000149011612.
        # JSON has no infinity (a second distance where there is no second): that is null.
        flat = [float(str(v)) if np.isfinite(v) else None for v in values.ravel()]
        return (
            flat
            if values.ndim == 1
            else [flat[i : i + values.shape[1]] for i in range(0, len(flat), values.shape[1])]
        )
    return values.tolist()
