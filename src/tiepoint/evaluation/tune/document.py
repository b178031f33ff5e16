"""What tuning gives as a JSON document and as a table: docs/tuning.md describes the fields."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from tiepoint.evaluation.tune.advice import advice, command
from tiepoint.evaluation.tune.results import Difference, Figures, PhotoFacts, Row, Tuning, difference

SCHEMA_VERSION = 1
_ROLES = ("recommended", "best", "other", "default")


def tuning_document(tuning: Tuning) -> dict[str, Any]:
    """Return the document that ``tiepoint tune --json`` prints; what is not known is None.

    Examples
    --------
    >>> import numpy as np
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation.tune import tune, tuning_document
    >>> photo = tp.Image(pixels=np.zeros((240, 320), np.uint8))
    >>> result = tune([photo], extractors=["orb"], budget=0.001, workers=0)  # no time for anything
    >>> document = tuning_document(result)
    >>> document["kind"], document["photos"][0]["width"], document["complete"], document["command"]
    ('tune', 320, False, None)
    """
    chosen, default = tuning.recommended, tuning.default
    apart = None if chosen is None or default is None or chosen is default else difference(chosen, default)
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "tune",
        "photos": [_photo(photo) for photo in tuning.photos],
        "budget": tuning.budget,
        "seconds": tuning.seconds,
        "complete": tuning.complete,
        "workers": tuning.workers,
        "seed": tuning.seed,
        "without": list(tuning.without),
        **{role: _number(tuning, getattr(tuning, role)) for role in _ROLES},
        "over_default": _apart(apart),
        "command": command(tuning),
        "advice": list(advice(tuning)),
        "rows": [_row(row) for row in tuning.rows],
    }


def tuning_csv(tuning: Tuning) -> str:
    """Return all rows as CSV with a header line; what is not known is empty.

    Examples
    --------
    >>> import numpy as np
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation.tune import tune, tuning_csv
    >>> photo = tp.Image(pixels=np.zeros((240, 320), np.uint8))
    >>> result = tune([photo], extractors=["orb"], budget=0.001, workers=0)  # no time for anything
    >>> tuning_csv(result).split(",")[:5]
    ['candidate', 'extractor', 'settings', 'matcher', 'ratio']
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    header = ["candidate", "extractor", "settings", "matcher", "ratio", "roles", "round", "fate"]
    columns = [(part, name) for part in ("held_out", "tuned") for name in _COLUMNS]
    writer.writerow([*header, *(f"{part}_{name}" for part, name in columns)])
    for row in tuning.rows:
        entry = _row(row)
        roles = " ".join(role for role in _ROLES if getattr(tuning, role) is row)
        writer.writerow(
            [
                row.words,
                row.candidate.extractor.name,
                json.dumps(entry["settings"]),
                entry["matcher"],
                entry["ratio"],
                roles,
                row.round,
                row.fate,
                *((entry[part] or {}).get(name) for part, name in columns),
            ]
        )
    return text.getvalue()


_COLUMNS = (
    "trials",
    "score",
    "score_low",
    "score_high",
    "found",
    "found_low",
    "found_high",
    "matches",
    "right",
    "precision",
    "off",
    "seconds",
)


def _photo(photo: PhotoFacts) -> dict[str, Any]:
    return {
        "path": photo.path,
        "width": photo.size[0],
        "height": photo.size[1],
        "tried_width": photo.tried_at[0],
        "tried_height": photo.tried_at[1],
        "role": photo.role,
        "found": photo.found,
        "right": photo.right,
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "candidate": row.words,
        "extractor": row.candidate.extractor.name,
        "settings": row.candidate.extractor.settings(),
        "matcher": row.candidate.matcher.name,
        "ratio": row.candidate.ratio,
        "round": row.round,
        "fate": row.fate,
        "held_out": _figures(row.held_out),
        "tuned": _figures(row.tuned),
    }


def _figures(figures: Figures | None) -> dict[str, Any] | None:
    if figures is None:
        return None
    return {
        "trials": figures.trials,
        "score": figures.score,
        "score_low": figures.score_interval[0],
        "score_high": figures.score_interval[1],
        "found": figures.found,
        "found_low": figures.found_interval[0],
        "found_high": figures.found_interval[1],
        "matches": figures.matches,
        "right": figures.right,
        "precision": figures.precision,
        "off": figures.off,
        "seconds": figures.seconds,
        "score_by_kind": dict(figures.score_by_kind),
    }


def _number(tuning: Tuning, row: Row | None) -> int | None:
    return None if row is None else next(k for k, other in enumerate(tuning.rows) if other is row)


def _apart(apart: Difference | None) -> dict[str, float] | None:
    if apart is None:
        return None
    return {"score": apart.mean, "low": apart.interval[0], "high": apart.interval[1]}
