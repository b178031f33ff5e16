"""Which candidates are mutual: the cross-check as a flag, so that a page can switch it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.types import Features, Matches

_ROWS = 1024


def mutual_flags(
    candidates: Matches, features0: Features | None, features1: Features | None
) -> NDArray[np.bool_] | None:
    """Tell which candidates are the nearest to each other in both directions.

    A candidate says what is nearest in photo 1; here is asked what is nearest in photo 0. That takes the
    descriptors: where they or the pairs are not known, neither is the answer. Of equals the first counts,
    as in matching.

    Parameters
    ----------
    candidates : Matches
        Nearest neighbours of the features of photo 0.
    features0, features1 : Features | None

    Returns
    -------
    ndarray, (M,) bool | None

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.plotting.pages.view.mutual import mutual_flags
    >>> scene = render_demo()
    >>> result = tp.match(scene.image0, scene.image1, extractor="orb", max_keypoints=300)
    >>> mutual = mutual_flags(result.candidates, result.features0, result.features1)
    >>> int(mutual.sum()) == dict(result.matches.funnel)["mutual"]
    True
    """
    pairs, distance = candidates.pairs, candidates.distance
    if pairs is None or distance is None or features0 is None or features1 is None:
        return None
    if dict(candidates.funnel).get("nearest") != len(candidates):
        return None  # of another matcher, which does not choose by the nearest
    if not len(pairs):
        return np.zeros(0, np.bool_)
    if features0.descriptors.shape[1:] != features1.descriptors.shape[1:]:
        return None
    # Of all that have the same nearest only the nearest of them can be mutual.
    order = np.lexsort((pairs[:, 0], distance, pairs[:, 1]))
    _, first = np.unique(pairs[order, 1], return_index=True)
    hopeful = order[first]
    rows = _comparable(features0)
    columns = _comparable(features1)[pairs[hopeful, 1]]
    best = np.full(len(hopeful), np.inf)
    nearest = np.zeros(len(hopeful), np.intp)
    for top in range(0, len(rows), _ROWS):
        part = rows[top : top + _ROWS]
        squared = (part * part).sum(axis=1)[:, None] - 2 * (part @ columns.T)
        index = squared.argmin(axis=0)
        found = squared[index, np.arange(len(hopeful))]
        nearer = found < best  # of equals the one before
        best, nearest = np.where(nearer, found, best), np.where(nearer, index + top, nearest)
    flags = np.zeros(len(pairs), np.bool_)
    flags[hopeful] = nearest == pairs[hopeful, 0]
    return flags


def _comparable(features: Features) -> NDArray[Any]:
    """Return descriptors whose Euclidean distances have the order of their own.

    Whole numbers stay exact; floats get double precision.
    """
    descriptors = features.descriptors
    if features.metric == "hamming":
        return np.unpackbits(descriptors, axis=1).astype(np.float32)
    values: NDArray[Any] = descriptors.astype(np.float64)
    if features.metric == "cosine":
        norms = np.linalg.norm(values, axis=1, keepdims=True)
        values = np.hstack([values / np.where(norms == 0, 1, norms), norms == 0])
    return values
