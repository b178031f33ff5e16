"""What is tried: every extractor that is here, with a few values of its main options, and its matcher."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from tiepoint.errors import MissingError, OptionError
from tiepoint.extractors import EXTRACTORS, Extractor, get_extractor
from tiepoint.matchers import MATCHERS, Matcher, NearestNeighbour, get_matcher
from tiepoint.options import Options

RATIOS: tuple[float | None, ...] = (None, 0.95, 0.9, 0.85, 0.8, 0.7)

_Settings = tuple[dict[str, Any], ...]

# Fewer keypoints or more, in one place or spread; what lets more in comes with more to let in.
_ANY: _Settings = (
    {},
    {"max_keypoints": 2048},
    {"max_keypoints": 8192},
    {"spread": True},
)
_GRID: dict[str, _Settings] = {
    "sift": (
        {},
        {"max_keypoints": 8192, "contrast_threshold": 0.02},
        {"max_keypoints": 2048},
        {"max_keypoints": 8192, "contrast_threshold": 0.01, "edge_threshold": 15.0},
    ),
    "rootsift": (
        {},
        {"max_keypoints": 8192, "contrast_threshold": 0.02},
        {"max_keypoints": 2048},
        {"contrast_threshold": 0.02, "spread": True},
        {"contrast_threshold": 0.02},
        {"max_keypoints": 8192, "contrast_threshold": 0.01, "edge_threshold": 15.0},
        {"max_keypoints": 8192, "contrast_threshold": 0.01, "spread": True},
        {"max_keypoints": 16384, "contrast_threshold": 0.01, "edge_threshold": 15.0},
        {"upright": True},
    ),
    "orb": (
        {},
        {"max_keypoints": 8192, "fast_threshold": 10},
        {"max_keypoints": 2048},
        {"spread": True},
        {"fast_threshold": 7, "levels": 12},
        {"upright": True},
    ),
    "akaze": (
        {},
        {"max_keypoints": 8192, "threshold": 0.0003},
        {"max_keypoints": 2048},
        {"threshold": 0.0003, "spread": True},
        {"upright": True},
    ),
    "kaze": ({}, {"max_keypoints": 8192, "threshold": 0.0003}, {"extended": True}),
    "brisk": ({}, {"max_keypoints": 8192, "threshold": 15}, {"threshold": 50}, {"spread": True}),
    "beblid": ({}, {"max_keypoints": 8192}, {"detector": "sift"}),
    "teblid": ({}, {"max_keypoints": 8192}, {"detector": "sift"}, {"spread": True}),
    "freak": ({}, {"detector": "sift"}),
    "daisy": ({}, {"upright": True}),
    "latch": ({}, {"max_keypoints": 8192}),
    "vgg": ({},),
    "boostdesc": ({},),
    # With their own matchers, whose time grows with the square of the keypoints.
    "xfeat": ({}, {"max_keypoints": 4096}, {"max_keypoints": 1024}),
    "xfeat-star": ({},),
    "aliked": ({}, {"max_keypoints": 1024}),
    "disk": ({}, {"max_keypoints": 1024}),
}


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """An extractor with its options, and the ratio of the matcher where that is the nearest neighbour.

    Examples
    --------
    >>> from tiepoint.evaluation.tune import Candidate
    >>> from tiepoint.extractors import get_extractor
    >>> candidate = Candidate(extractor=get_extractor("sift", contrast_threshold=0.02), ratio=0.8)
    >>> candidate.words
    'sift contrast_threshold=0.02, ratio 0.8'
    >>> candidate.command("a photo.jpg", "B.jpg")
    "tiepoint match 'a photo.jpg' B.jpg --extractor sift -o contrast_threshold=0.02 --ratio 0.8"
    """

    extractor: Extractor
    ratio: float | None = None

    @property
    def words(self) -> str:
        """What tables call it: all that is not as it is by default."""
        how = "no ratio" if self.ratio is None else f"ratio {self.ratio:g}"
        if not is_by_nearest(self.extractor):
            how = self.extractor.matcher
        return f"{settings_words(self.extractor)}, {how}"

    @property
    def matcher(self) -> Matcher:
        """Cross-checked nearest neighbours with this ratio, or the extractor's own matcher."""
        if is_by_nearest(self.extractor):
            return NearestNeighbour(ratio=self.ratio)
        return get_matcher(self.extractor.matcher)

    def command(self, photo0: str, photo1: str) -> str:
        """Return the line to type for two photos."""
        words = ["tiepoint", "match", photo0, photo1, "--extractor", self.extractor.name]
        if photo0.startswith("-") or photo1.startswith("-"):
            words[2:4] = []
        for name, value in _changed(self.extractor):
            words += ["--max-keypoints", str(value)] if name == "max_keypoints" else ["-o", f"{name}={value}"]
        if is_by_nearest(self.extractor):
            words += ["--no-ratio"] if self.ratio is None else ["--ratio", f"{self.ratio:g}"]
        if len(words) > 2 and words[2] != photo0:
            words += ["--", photo0, photo1]
        return shlex.join(words)


def is_by_nearest(extractor: Extractor) -> bool:
    """Tell whether an extractor's matcher is the nearest neighbour, which has a ratio to choose."""
    return extractor.matcher == NearestNeighbour.name


def ratios_for(extractor: Extractor) -> tuple[float | None, ...]:
    """Return the ratios to try: of other matchers than the nearest neighbour none."""
    return RATIOS if is_by_nearest(extractor) else (None,)


def settings_words(extractor: Extractor) -> str:
    """Return an extractor's name and the options that are not as they are by default."""
    return " ".join([extractor.name, *(f"{name}={value}" for name, value in _changed(extractor))])


def settings_to_try(names: Sequence[str] | None = None) -> tuple[Extractor, ...]:
    """Return the extractors to try, each with several settings; the defaults of all come first.

    Parameters
    ----------
    names : sequence of str, optional
        Only these; by default all that are here with their matchers.

    Raises
    ------
    OptionError
        If there is no extractor of a name, or no name.
    MissingError
        If a named one or its matcher is not here.

    Examples
    --------
    >>> from tiepoint.evaluation.tune import settings_to_try
    >>> [(one.max_keypoints, one.fast_threshold) for one in settings_to_try(["orb"])][:3]
    [(4096, 20), (8192, 10), (2048, 20)]
    """
    if names is None:
        here = [one.name for one in EXTRACTORS.listing() if one.missing is None]
        chosen = [name for name in here if _missing(name) is None]
    else:
        chosen = list(dict.fromkeys(names))
        if not chosen:
            raise OptionError(f"the list names no extractor; there is: {', '.join(EXTRACTORS.names())}")
        for name in chosen:
            missing = _missing(name)
            if missing is not None:
                raise MissingError(f"{name} cannot be tried: it is not here; get it with: {missing}")
    columns = [[get_extractor(name, **options) for options in _settings_of(name)] for name in chosen]
    rows = zip_longest(*columns)
    return tuple(extractor for row in rows for extractor in row if extractor is not None)


def _missing(name: str) -> str | None:
    extractor = EXTRACTORS.load(name)
    return extractor.missing() or MATCHERS.load(extractor.matcher).missing_for(name)


def _settings_of(name: str) -> _Settings:
    return _GRID.get(name, _ANY)


def _changed(extractor: Extractor) -> Iterator[tuple[str, str]]:
    for fact in type(extractor).facts():
        value = getattr(extractor, fact.name)
        if value != fact.default:
            yield fact.name, _written(value)


def _written(value: Any) -> str:
    """Write a value as the command line takes it."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Options):
        return str(getattr(value, "name", value))
    return f"{value:g}" if isinstance(value, float) else str(value)
