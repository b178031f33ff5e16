"""What draws the samples for a model, and from which matches."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import OptionError
from tiepoint.geometry.estimate import ESTIMATORS, Estimator, get_estimator

Indices = NDArray[np.intp]

_LEAST_SAMPLES = 100
# A homography is refined by us anyway. Samples for it are cheap enough to find a twentieth of the matches.
_POSELIB: dict[bool, dict[str, Any]] = {False: {"refine": False}, True: {"max_iterations": 10_000}}
_SAMPLED = 300  # matches, of many


def some_of(everyone: Indices, seed: int, ranked: bool) -> Indices:
    """Return those of many matches that a model is looked for among; best first, if they were.

    They are spread over the better half, not the very best: these may come from one corner of the photo.
    """
    if len(everyone) <= _SAMPLED:
        return everyone
    if not ranked:
        return np.random.default_rng(seed).permutation(len(everyone))[:_SAMPLED]
    half = max(_SAMPLED, len(everyone) // 2)
    return everyone[np.linspace(0, half - 1, _SAMPLED).astype(np.intp)]


def samples(share: float, size: int) -> int:
    """Return how many samples make it next to certain that some are of right matches only."""
    if not 0 < share <= 1:
        raise OptionError(f"share must be above 0 and at most 1, not {share!r}")
    missed = -math.log1p(-min(share**size, 1 - 1e-9))
    return min(10_000, math.ceil(3 * math.log(10_000) / missed))


def estimator_for(
    model: str, estimator: str | Estimator | None, seed: int, ranked: bool, *, quick: bool = False
) -> Estimator:
    """Return what draws the samples: for each model what proved best, with what spares time here."""
    if isinstance(estimator, Estimator):
        return estimator
    name = estimator
    if name is None:
        name = "poselib" if _by_poselib(model, quick) else "magsac"
    if name == "poselib":
        return made(name, seed=seed, min_iterations=_LEAST_SAMPLES, **_POSELIB[model == "essential"])
    if name == "magsac" and model != "essential":
        return made(name, seed=seed, progressive=ranked)
    return made(name, seed=seed)


def _by_poselib(model: str, quick: bool) -> bool:
    if model == "homography" and quick:
        return False
    return model in ("homography", "essential") and _has_poselib()


@lru_cache
def _has_poselib() -> bool:
    return ESTIMATORS.load("poselib").missing() is None


@lru_cache
def made(name: str, **options: Any) -> Estimator:
    """Return an estimator, which is frozen: to check its options once is enough."""
    return get_estimator(name, **options)
