"""Two views to Matches: nearest neighbours and their filters."""

from __future__ import annotations

from typing import Any

from tiepoint.errors import DataError
from tiepoint.matchers.base import Matched, Matcher, View
from tiepoint.matchers.descriptors import match_descriptors, match_one_to_many
from tiepoint.matchers.nearest import NearestNeighbour
from tiepoint.registry import Registry
from tiepoint.types import Features, Matches

__all__ = [
    "MATCHERS",
    "Matched",
    "Matcher",
    "NearestNeighbour",
    "View",
    "get_matcher",
    "match_descriptors",
    "match_features",
    "match_one_to_many",
]

MATCHERS = Registry(
    "matcher",
    Matcher,
    {
        "nearest": "tiepoint.matchers.nearest:NearestNeighbour",
        "lighterglue": "tiepoint.matchers.lighterglue:LighterGlue",
        "xfeat-star": "tiepoint.matchers.xfeat_star:XFeatStarMatcher",
        "lightglue": "tiepoint.matchers.lightglue:LightGlue",
        "loftr": "tiepoint.matchers.loftr:Loftr",
    },
    group="tiepoint.matchers",
)


def get_matcher(matcher: str | Matcher | None = None, **options: Any) -> Matcher:
    """Return a matcher: by its name and options, or the object that was given; None is "nearest".

    Examples
    --------
    >>> from tiepoint.matchers import get_matcher
    >>> get_matcher(ratio=0.8).ratio
    0.8
    """
    return MATCHERS.get("nearest" if matcher is None else matcher, options)


def match_features(
    features0: Features, features1: Features, matcher: str | Matcher | None = None, **options: Any
) -> Matches:
    """Match the features of two photos.

    Parameters
    ----------
    features0, features1 : Features
        Of the same extractor.
    matcher : str or Matcher, optional
        By default nearest neighbours with cross-check.
    **options
        Options of the named matcher: ``ratio``, ``max_distance``, ``cross_check``, ``ratio_both``.

    Returns
    -------
    Matches
        Those that passed the filters, in order of photo 0's features; empty where there are none.

    Raises
    ------
    DataError
        If the features come from different extractors.
    OptionError
        If the name or an option is unknown or out of range.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> scene = render_demo()
    >>> orb = [tp.extract(image, "orb", max_keypoints=500) for image in (scene.image0, scene.image1)]
    >>> matches = tp.match_features(*orb, ratio=0.8)
    >>> len(matches) == dict(matches.funnel)["ratio"]
    True
    """
    chosen = get_matcher(matcher, **options)
    for features in (features0, features1):
        if not isinstance(features, Features):
            raise DataError(f"Features are matched, not {type(features).__name__}; extract them first")
    return chosen.match(View(features=features0), View(features=features1))
