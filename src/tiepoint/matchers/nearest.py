"""Nearest neighbours of descriptors, with the usual filters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tiepoint.errors import DataError
from tiepoint.matchers.base import Matched, Matcher, View
from tiepoint.matchers.descriptors import all_pairs, check_descriptors, filters
from tiepoint.matchers.neighbours import Nearest, nearest_both_ways
from tiepoint.options import option
from tiepoint.types import Features, Funnel, Matches
from tiepoint.types.matches import check_thresholds


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
            nothing = _matches(features0, features1, _NOBODY, (*counts, ("nearest", 0)))
            return Matched(nothing, nothing)
        check_descriptors(features0.descriptors, features1.descriptors, features0.metric)
        from0, from1 = nearest_both_ways(
            features0.descriptors, features1.descriptors, features0.metric, second_back=self.ratio_both
        )
        funnel: Funnel = (*counts, ("nearest", len(features0)))
        candidates = _matches(features0, features1, from0, funnel)
        keep = np.ones(len(candidates), bool)
        for stage, passed in filters(from0, from1, **self.settings()):
            keep &= passed
            funnel = (*funnel, (stage, int(keep.sum())))
        return Matched(candidates, replace(candidates[keep], funnel=funnel))


_NOBODY = Nearest(
    index=np.empty(0, np.int32), distance=np.empty(0, np.float32), second_distance=np.empty(0, np.float32)
)


def _matches(features0: Features, features1: Features, nearest: Nearest, funnel: Funnel) -> Matches:
    return Matches.between(
        features0,
        features1,
        all_pairs(nearest),
        distance=nearest.distance,
        second_distance=nearest.second_distance,
        source=features0.extractor,
        funnel=funnel,
    )


def _check_same_kind(features0: Features, features1: Features) -> None:
    if (features0.extractor, features0.metric) != (features1.extractor, features1.metric):
        raise DataError(
            f"features of {features0.extractor} ({features0.metric}) cannot be matched with features of "
            f"{features1.extractor} ({features1.metric}); extract both photos with the same extractor"
        )
