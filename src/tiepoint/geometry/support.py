"""Further matches that a model predicts, held against those that a wrong model would win."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiepoint.geometry.consistency import along
from tiepoint.geometry.fit import Fit
from tiepoint.geometry.guided import guided_pairs
from tiepoint.geometry.residuals import PLANAR
from tiepoint.types import Features, Matches

_SHIFT = 0.06  # of the photo's diagonal
_FEWEST_BEYOND_CHANCE = 4
_PROOF = 20


@dataclass(frozen=True)
class Won:
    """What guided matching won."""

    matches: Matches
    """Those that were not matched before."""

    by_chance: float
    """How many a displaced model wins."""

    @property
    def worth(self) -> bool:
        """Whether most of them have to be right."""
        return len(self.matches) >= 2 * self.by_chance + _FEWEST_BEYOND_CHANCE

    @property
    def beyond_doubt(self) -> bool:
        """Whether they prove the model alone, though the matches that it was found on are few."""
        return len(self.matches) >= 3 * self.by_chance + _PROOF


def win(
    fit: Fit, matches: Matches, features0: Features, features1: Features, radius: float, ratio: float
) -> Won:
    """Match again near a model, and near the same model moved to where it must be wrong.

    Parameters
    ----------
    fit : Fit
        That was found.
    matches : Matches
        Which have been tried already; inliers keep their keypoints to themselves.
    features0, features1 : Features
    radius : float
        Largest Sampson distance in pixels.
    ratio : float
        To the second nearest near the model.
    """
    assert fit.matrix is not None
    won = _guided(fit, fit.matrix, matches, features0, features1, radius, ratio)
    by_chance = [
        len(_guided(fit, matrix, matches, features0, features1, radius, ratio))
        for matrix in _displaced(fit, matches)
    ]
    return Won(won, float(np.mean(by_chance)))


def _guided(
    fit: Fit,
    matrix: NDArray[np.float64],
    matches: Matches,
    features0: Features,
    features1: Features,
    radius: float,
    ratio: float,
) -> Matches:
    pairs, distance, second = guided_pairs(fit.model, matrix, features0, features1, radius, ratio=ratio)
    new = _new(pairs, matches, fit.inliers)
    won = Matches.between(
        features0,
        features1,
        pairs[new],
        distance=distance[new],
        second_distance=second[new],
        source=features0.extractor,
    )
    # A homography says itself how keypoints turn and grow.
    return won if fit.model in PLANAR else won[along(matches, fit.inliers, won)]


def _new(pairs: NDArray[np.int32], matches: Matches, inliers: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which pairs use no keypoint of an inlier."""
    assert matches.pairs is not None
    taken = matches.pairs[inliers]
    return np.asarray(~np.isin(pairs[:, 0], taken[:, 0]) & ~np.isin(pairs[:, 1], taken[:, 1]))


def _displaced(fit: Fit, matches: Matches) -> list[NDArray[np.float64]]:
    """Return the model with photo 1 moved along, to both sides."""
    assert fit.matrix is not None
    across = _across(fit, matches)
    shift = _SHIFT * np.hypot(*matches.image_size1) * across
    moved = []
    for dx, dy in (shift, -shift):
        move = np.array([[1.0, 0, dx], [0, 1, dy], [0, 0, 1]])
        if fit.model in PLANAR:
            moved.append(move @ fit.matrix)
        else:
            moved.append(np.linalg.inv(move).T @ fit.matrix)
    return moved


def _across(fit: Fit, matches: Matches) -> NDArray[np.float64]:
    """Return the direction, a unit vector in photo 1, in which a move changes most."""
    if fit.model in PLANAR:
        return np.array([0.8, 0.6])
    assert fit.matrix is not None
    lines = fit.matrix[:2, :2] @ matches.xy0[fit.inliers].T + fit.matrix[:2, 2:]
    lines = lines / np.maximum(np.linalg.norm(lines, axis=0), 1e-300)
    # Of the normals, which may point either way.
    return np.asarray(np.linalg.eigh(lines @ lines.T)[1][:, -1])
