"""Results as JSON documents, the ones that ``--json`` prints; the schemas lie beside this file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from tiepoint.errors import DataError, OptionError
from tiepoint.formats.exif import exif_to_json
from tiepoint.formats.lists import listed
from tiepoint.formats.verified import geometry_document, transform_document, verdict_document
from tiepoint.types import Features, Image, Matches, MatchResult
from tiepoint.types.matches import PER_MATCH

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
        Whether to list the keypoints and descriptors themselves; what is not known is None.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.formats import features_document
    >>> image = render_demo().image0
    >>> document = features_document(image, tp.extract(image, "orb", max_keypoints=200))
    >>> document["keypoints"], document["descriptor"]
    (200, {'length': 32, 'dtype': 'uint8', 'metric': 'hamming'})
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


def match_document(result: MatchResult, *, arrays: bool = False) -> dict[str, Any]:
    """Return the document of a matched pair; its schema is ``match.json``.

    Parameters
    ----------
    result : MatchResult
    arrays : bool
        Whether to list the matches themselves, and those of the geometry; what is not known is None.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.formats import match_document
    >>> scene = render_demo()
    >>> result = tp.match(scene.image0, scene.image1, extractor="orb", max_keypoints=500)
    >>> document = match_document(result)
    >>> document["methods"][0]["extractor"], document["candidates"], document["funnel"][0]
    ('orb', 500, {'stage': 'keypoints 0', 'count': 500})
    """
    geometry = result.geometry
    document: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "kind": "match",
        "photos": [_photo(result.image0), _photo(result.image1)],
        "methods": [dict(method) for method in result.methods],
        "funnel": [{"stage": stage, "count": count} for stage, count in result.matches.funnel],
        "candidates": len(result.candidates),
        "matches": len(result.matches),
        "geometry": None if geometry is None else geometry_document(geometry, arrays=arrays),
        "verdict": None if result.verdict is None else verdict_document(result.verdict),
        "seconds": dict(result.seconds),
        "log": list(result.log),
    }
    if arrays:
        document["arrays"] = _arrays(result.matches, PER_MATCH)
    return document


def align_document(result: MatchResult) -> dict[str, Any]:
    """Return the document of one photo aligned on another; its schema is ``align.json``.

    Raises
    ------
    DataError
        If the result has no geometry that takes points of one photo to the other.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.formats import align_document
    >>> scene = render_demo()
    >>> document = align_document(tp.match(scene.image0, scene.image1, model="homography"))
    >>> document["kind"], document["model"], document["photos"][0]["width"]
    ('align', 'homography', 800)
    """
    if result.geometry is None:
        raise DataError("this result has no geometry; match with verify=True")
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "align",
        "photos": [_photo(result.image0), _photo(result.image1)],
        **transform_document(result.geometry),
        "verdict": None if result.verdict is None else verdict_document(result.verdict),
    }


def schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a kind of document, such as "features" or "match".

    Raises
    ------
    OptionError
        If there is no such kind of document.

    Examples
    --------
    >>> from tiepoint.formats import schema
    >>> schema("match")["title"]
    'tiepoint match'
    """
    folder = files("tiepoint.formats").joinpath("schema")
    kinds = sorted(file.name.removesuffix(".json") for file in folder.iterdir())
    if kind not in kinds:
        raise OptionError(f"there is no schema {kind!r}; there are: {', '.join(kinds)}")
    loaded: dict[str, Any] = json.loads(folder.joinpath(f"{kind}.json").read_text(encoding="utf-8"))
    return loaded


def _photo(image: Image) -> dict[str, Any]:
    return {
        "path": image.path,
        "width": image.width,
        "height": image.height,
        "exif": None if image.exif is None else exif_to_json(image.exif),
    }


def _arrays(noun: Features | Matches, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: listed(getattr(noun, name)) for name in names}
