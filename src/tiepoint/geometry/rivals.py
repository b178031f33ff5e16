"""What speaks against a model: another one that explains nearly as much, and look-alikes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tiepoint.geometry.chance import Facts, fewest_beyond_chance, more_than_chance
from tiepoint.geometry.fit import Fit, count_least, fit_checked
from tiepoint.types import Features, Matches

_MOST_LOOKED_AT = 300  # inliers
_SAME_PLACE = 0.75  # of a keypoint's diameter


def rival(
    found: Fit,
    matches: Matches,
    inliers: NDArray[np.bool_],
    max_error: float,
    facts: Facts | None = None,
) -> int:
    """Return how many matches agree on another model of the same kind, of those that this one leaves over.

    As many as chance would give are none.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> scene = render_demo()
    >>> tp.match(scene.image0, scene.image1).geometry.rival < 20
    True
    """
    left = ~inliers
    rows = np.flatnonzero(left)
    count, rest = np.count_nonzero(inliers), len(rows)
    # What cannot even be half as strong is no rival.
    if rest < max(count_least(found.model) + 1, count / 2):
        return 0
    facts = facts or Facts(matches)
    model = "fundamental" if found.model == "essential" else found.model
    different = int(np.count_nonzero(facts.different & left))
    other = fit_checked(
        model,
        matches.xy0.take(rows, axis=0).astype(np.float64),
        matches.xy1.take(rows, axis=0).astype(np.float64),
        max_error,
        share=min(1.0, count / 2 / rest),
        fewest=fewest_beyond_chance(model, different, max_error, matches),
    )
    if not other:
        return 0
    of_all = np.zeros_like(left)
    of_all[rows] = other.inliers
    placed = replace(other, inliers=of_all)
    return other.count if more_than_chance(placed, matches, max_error, left, facts) else 0


def repeated(matches: Matches, inliers: NDArray[np.bool_], features0: Features, features1: Features) -> float:
    """Return the share of the inliers that have a look-alike elsewhere in one of their own photos.

    A look-alike is nearer, by descriptor, than the match is: what was matched could as well have been that.

    Parameters
    ----------
    matches : Matches
        With ``pairs`` and ``distance``.
    inliers : ndarray, (M,) bool
    features0, features1 : Features

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.geometry.rivals import repeated
    >>> scene = render_demo()
    >>> result = tp.match(scene.image0, scene.image1)
    >>> found = result.geometry
    >>> repeated(found.matches, found.inliers, result.features0, result.features1) < 0.5
    True
    """
    chosen = np.flatnonzero(inliers)
    if matches.pairs is None or matches.distance is None or not len(chosen):
        return 0.0
    chosen = chosen[:: -(-len(chosen) // _MOST_LOOKED_AT)]
    limit = matches.distance[chosen]
    alike = np.zeros(len(chosen), np.bool_)
    for photo, features in enumerate((features0, features1)):
        alike |= _nearest_elsewhere(features, matches.pairs[chosen, photo]) < limit
    return float(alike.mean())


def _nearest_elsewhere(features: Features, chosen: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return the distance from each chosen keypoint to the most similar one at another place."""
    distance = descriptor_distances(features, chosen, features)
    across, down = (features.xy[chosen, axis, None] - features.xy[:, axis] for axis in (0, 1))
    same_place = (_SAME_PLACE * features.size[chosen, None]) ** 2
    distance[across * across + down * down <= same_place] = np.inf
    return np.asarray(distance.min(axis=1, initial=np.inf), np.float64)


def descriptor_distances(
    features0: Features, rows: NDArray[np.int32], features1: Features
) -> NDArray[np.float32]:
    """Return the distances from some descriptors to all of another set, (K, N)."""
    a, b = features0.descriptors[rows], features1.descriptors
    if features0.metric == "hamming":
        bits0, bits1 = (np.unpackbits(part, axis=1).astype(np.float32) for part in (a, b))
        both = bits0 @ bits1.T
        return np.asarray(bits0.sum(axis=1)[:, None] + bits1.sum(axis=1) - 2 * both)
    a, b = a.astype(np.float32), b.astype(np.float32)
    if features0.metric == "cosine":
        a, b = (part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-12) for part in (a, b))
        return np.asarray(1 - a @ b.T)
    squared = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2 * (a @ b.T)
    return np.asarray(np.sqrt(np.maximum(squared, 0)))
