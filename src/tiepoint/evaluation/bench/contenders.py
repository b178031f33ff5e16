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
    """Read the rows of a table: every extractor with every matcher, or with the one behind its plus sign.

    Parameters
    ----------
    extractors, matchers : str
        Names between commas, each with its options behind colons, such as
        "orb,rootsift:contrast_threshold=0.02:spread=true,xfeat+lighterglue".
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
    rows = []
    for words in _named(extractors, EXTRACTORS):
        name, plus, own = words.partition("+")
        extractor = _parsed(name, EXTRACTORS, common)
        for m_words in _named(own if plus else matchers, MATCHERS):
            label = words if plus else f"{words}, {m_words}"
            rows.append(Contender(label=label, extractor=extractor, matcher=_parsed(m_words, MATCHERS, {})))
    seen: set[str] = set()
    for row in rows:
        if row.key in seen:
            raise OptionError(f"{row.label} comes twice; name it once")
        seen.add(row.key)
    return tuple(rows)


def _named(text: str, registry: Registry[Kind]) -> list[str]:
    found = [part.strip() for part in text.split(",") if part.strip()]
    if not found:
        raise OptionError(f"{text!r} names no {registry.kind}; there is: {', '.join(registry.names())}")
    return found


def _parsed(words: str, registry: Registry[Kind], common: dict[str, Any]) -> Kind:
    name, *options = words.split(":")
    return registry.get(name, {**common, **registry.load(name).parse(options)})


def _key(method: Method) -> str:
    return f"{method.name} {json.dumps(method.settings(), sort_keys=True)}"
