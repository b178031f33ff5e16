"""Who takes part: extractors and matchers written as words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TypeVar

from tiepoint.errors import OptionError
from tiepoint.extractors import EXTRACTORS, Extractor
from tiepoint.matchers import MATCHERS, Matcher
from tiepoint.options import Method
from tiepoint.registry import Registry

Kind = TypeVar("Kind", bound=Method)


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One row of a table: an extractor and a matcher, and what they are called there.

    Examples
    --------
    >>> from tiepoint.evaluation.bench import contenders
    >>> [row.label for row in contenders("orb,sift", "nearest:ratio=0.8")]
    ['orb, nearest:ratio=0.8', 'sift, nearest:ratio=0.8']
    """

    label: str
    extractor: Extractor
    matcher: Matcher

    @property
    def key(self) -> str:
        """What tells it from all others: every option of both."""
        return f"{_key(self.extractor)} {_key(self.matcher)}"


def contenders(
    extractors: str, matchers: str = "nearest", *, max_keypoints: int | None = None
) -> tuple[Contender, ...]:
    """Read the rows of a table: every extractor with every matcher.

    Parameters
    ----------
    extractors, matchers : str
        Names between commas, each with its options behind colons, such as
        "orb,rootsift:contrast_threshold=0.02:spread=true".
    max_keypoints : int | None
        For the extractors that do not say it themselves.

    Raises
    ------
    OptionError
        If a name or an option is unknown or out of range, or a row comes twice.

    Examples
    --------
    >>> from tiepoint.evaluation.bench import contenders
    >>> rows = contenders("rootsift:contrast_threshold=0.02", "nearest:ratio=0.85", max_keypoints=2048)
    >>> rows[0].extractor.contrast_threshold, rows[0].extractor.max_keypoints, rows[0].matcher.ratio
    (0.02, 2048, 0.85)
    """
    common = {} if max_keypoints is None else {"max_keypoints": max_keypoints}
    rows = tuple(
        Contender(label=f"{e_words}, {m_words}", extractor=extractor, matcher=matcher)
        for e_words, extractor in _parsed(extractors, EXTRACTORS, common)
        for m_words, matcher in _parsed(matchers, MATCHERS, {})
    )
    seen: set[str] = set()
    for row in rows:
        if row.key in seen:
            raise OptionError(f"{row.label} comes twice; name it once")
        seen.add(row.key)
    return rows


def _parsed(text: str, registry: Registry[Kind], common: dict[str, Any]) -> list[tuple[str, Kind]]:
    found = []
    for words in filter(None, (part.strip() for part in text.split(","))):
        name, *options = words.split(":")
        found.append((words, registry.get(name, {**common, **registry.load(name).parse(options)})))
    if not found:
        raise OptionError(f"{text!r} names no {registry.kind}; there is: {', '.join(registry.names())}")
    return found


def _key(method: Method) -> str:
    return f"{method.name} {json.dumps(method.settings(), sort_keys=True)}"
