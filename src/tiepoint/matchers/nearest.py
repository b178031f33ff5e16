"""Nearest neighbours of descriptors, with the usual filters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tiepoint.errors import DataError
from tiepoint.matchers.base import Matched, Matcher, View
from tiepoint.matchers.descriptors import (
    all_pairs,
    check_descriptors,
    check_thresholds,
    mutual,
    passes_ratio_back,
)
from tiepoint.matchers.neighbours import nearest_both_ways
from tiepoint.options import option
from tiepoint.types import Features, Matches


@dataclass(frozen=True, kw_only=True)
class NearestNeighbour(Matcher):
    """Exact nearest neighbours, cross-checked by default; ratio test and distance threshold on request.

    References
    ----------
    The ratio test: Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.matchers import NearestNeighbour
    >>> NearestNeighbour(ratio=0.8)
    NearestNeighbour(cross_check=True, ratio=0.8, max_distance=None, ratio_both=False)
    """

    name: ClassVar[str] = "nearest"
    summary: ClassVar[str] = "exact nearest neighbours, cross-check, ratio test, distance threshold"

    cross_check: bool = option(True, "keep a match only if each is the nearest to the other")
    ratio: float | None = option(
        None,
        "keep what is nearer than this times the second nearest; 0.8 in Lowe's paper",
        above=0,
        at_most=1,
    )
    max_distance: float | None = option(
        None, "keep a distance of at most this (Euclidean, bits, or 1 - cosine)", at_least=0
    )
    ratio_both: bool = option(False, "the ratio must hold from both photos")

    def __post_init__(self) -> None:
        Matcher.__post_init__(self)
        check_thresholds(self.ratio, self.max_distance, ratio_both=self.ratio_both)

    def match_with_candidates(self, view0: View, view1: View) -> Matched:
        """Return all nearest neighbours of photo 0's features, and those that pass the filters.

        Raises
        ------
        DataError
            If the two sets of features come from different extractors.
        """
        features0, features1 = view0.features, view1.features
        _check_same_kind(features0, features1)
        counts = (("keypoints 0", len(features0)), ("keypoints 1", len(features1)))
        if len(features0) == 0 or len(features1) == 0:
            nothing = _tie_points(features0[:0], features1[:0], (*counts, ("nearest", 0)))
            return Matched(nothing, nothing)
        from0, from1 = nearest_both_ways(features0.descriptors, features1.descriptors, features0.metric)
        candidates = _tie_points(
            features0,
            features1[from0.index],
            (*counts, ("nearest", len(features0))),
            pairs=all_pairs(from0),
            distance=from0.distance,
            second_distance=from0.second_distance,
        )
        matches = candidates
        # Filters that look back from photo 1 come first: they need all candidates.
        if self.cross_check:
            matches = matches.stage("mutual", mutual(from0, from1))
        if self.ratio is not None and self.ratio_both:
            back = passes_ratio_back(from0, from1, self.ratio)
            assert matches.pairs is not None
            matches = matches.stage("ratio back", back[matches.pairs[:, 0]])
        return Matched(candidates, matches.where(ratio=self.ratio, max_distance=self.max_distance))


def _check_same_kind(features0: Features, features1: Features) -> None:
    if (features0.extractor, features0.metric) != (features1.extractor, features1.metric):
        raise DataError(
            f"features of {features0.extractor} ({features0.metric}) cannot be matched with features of "
            f"{features1.extractor} ({features1.metric}); extract both photos with the same extractor"
        )
    check_descriptors(features0.descriptors, features1.descriptors, features0.metric)


def _tie_points(
    features0: Features,
    features1: Features,
    funnel: tuple[tuple[str, int], ...],
    *,
    pairs: np.ndarray | None = None,
    distance: np.ndarray | None = None,
    second_distance: np.ndarray | None = None,
) -> Matches:
    """Join features row by row: row i of the one is matched with row i of the other."""
    none = np.empty(0, np.float32)
    return Matches(
        xy0=features0.xy,
        xy1=features1.xy,
        pairs=np.empty((0, 2), np.int32) if pairs is None else pairs,
        distance=none if distance is None else distance,
        second_distance=none if second_distance is None else second_distance,
        size0=features0.size,
        size1=features1.size,
        angle0=features0.angle,
        angle1=features1.angle,
        source=features0.extractor,
        image_size0=features0.image_size,
        image_size1=features1.image_size,
        funnel=funnel,
    )
