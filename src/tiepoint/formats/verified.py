"""Geometry, verdict and alignment as JSON: what the matches agree on, and what follows from it."""

from __future__ import annotations

from typing import Any

import numpy as np

from tiepoint.errors import DataError
from tiepoint.formats.lists import listed
from tiepoint.types import Geometry, Verdict

_ARRAYS = ("xy0", "xy1", "pairs")


def geometry_document(geometry: Geometry, *, arrays: bool = False) -> dict[str, Any]:
    """Return a geometry as a part of the document of a matched pair.

    Parameters
    ----------
    geometry : Geometry
    arrays : bool
        Whether to list the matches that it was judged on, those won by guided matching last.

    Examples
    --------
    >>> import numpy as np
    >>> import tiepoint as tp
    >>> from tiepoint.formats.verified import geometry_document
    >>> points = np.array([[20, 30]], np.float32)
    >>> matches = tp.Matches(xy0=points, xy1=points, source="by hand",
    ...                      image_size0=(160, 120), image_size1=(160, 120))
    >>> document = geometry_document(tp.verify(matches, model="homography"))
    >>> document["matches"], document["inliers"], document["matrix"]
    (1, 0, None)
    """
    document: dict[str, Any] = {
        "model": geometry.model,
        "matrix": listed(geometry.matrix),
        "R": listed(geometry.R),
        "t": listed(geometry.t),
        "matches": len(geometry.matches),
        "inliers": geometry.count,
        "guided": geometry.guided,
        "predicted": geometry.predicted,
        "guided_by_chance": geometry.guided_by_chance,
        "log_false_alarms": geometry.log_false_alarms,
        "max_error": geometry.max_error,
        "reason": geometry.reason,
        "configuration": geometry.configuration,
        "coverage": list(geometry.coverage),
        "agreement": geometry.agreement,
        "rival": geometry.rival,
        "repeated": geometry.repeated,
        "mirrored": geometry.mirrored,
        "notes": list(geometry.notes),
    }
    if arrays:
        document["arrays"] = {
            **{name: listed(getattr(geometry.matches, name)) for name in _ARRAYS},
            "inliers": listed(geometry.inliers),
            "residuals": listed(geometry.residuals),
        }
    return document


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as a part of a document.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.formats.verified import verdict_document
    >>> verdict_document(tp.Verdict(answer="unsure", probability=None, reasons=("few matches agree",)))
    {'answer': 'unsure', 'probability': None, 'reasons': ['few matches agree']}
    """
    return {
        "answer": verdict.answer,
        "probability": verdict.probability,
        "reasons": list(verdict.reasons),
    }


def transform_document(geometry: Geometry) -> dict[str, Any]:
    """Return what takes points of one photo to the other, both ways, as a part of a document.

    Raises
    ------
    DataError
        If the geometry takes no points to points: it is none, or its model is of a scene in depth.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.formats.verified import transform_document
    >>> scene = render_demo()
    >>> result = tp.match(scene.image0, scene.image1, model="homography")
    >>> document = transform_document(result.geometry)
    >>> document["model"], len(document["H_1_from_0"])
    ('homography', 3)
    """
    H_1_from_0 = geometry.matrix
    if not geometry.planar or H_1_from_0 is None or geometry.residuals is None:
        raise DataError("only a homography, an affinity or a similarity takes points to points")
    H_0_from_1 = np.linalg.inv(H_1_from_0)
    # As Geometry scales: to 1 at the end, but not where that would blow up the rest.
    norm = np.linalg.norm(H_0_from_1)
    last = H_0_from_1[2, 2]
    H_0_from_1 /= last if abs(last) > 1e-9 * norm else norm
    return {
        "model": geometry.model,
        "H_1_from_0": listed(H_1_from_0),
        "H_0_from_1": listed(H_0_from_1),
        "matches": len(geometry.matches),
        "inliers": geometry.count,
        "median_residual": float(np.median(geometry.residuals[geometry.inliers])) if geometry.count else None,
        "max_error": geometry.max_error,
    }
