"""Which of many are shown, and the words that say so."""

from __future__ import annotations

import numpy as np

from tiepoint.types import Funnel, Matches, MatchResult
from tiepoint.types._arrays import checked_count

# Names as their papers write them; any other is shown as it is.
_NAMES = {name.lower(): name for name in (
    "SIFT", "RootSIFT", "ORB", "AKAZE", "KAZE", "BRISK", "BEBLID", "TEBLID", "FREAK", "DAISY", "LATCH", "VGG",
    "BoostDesc", "SuperPoint", "ALIKED", "DISK", "XFeat", "LightGlue", "LoFTR",
)}  # fmt: skip


def checked_top(top: int | None, most: int) -> int:
    """Return how many to draw at most: ``top``, or ``most`` for None."""
    return most if top is None else checked_count("top", top, least=1)


def ranked(matches: Matches) -> bool:
    """Tell whether there is anything to say which of the matches are the strongest."""
    return any(values is not None for values in (matches.score, matches.ratio, matches.distance))


def strongest(matches: Matches, most: int) -> Matches:
    """Return the strongest matches, best first; the first, where nothing ranks them."""
    return matches.strongest(most) if ranked(matches) else matches[:most]


def methods(matches: Matches, result: MatchResult | Matches) -> str:
    """Return the names of the methods that found the matches; without any, of what was looked for."""
    names = [method_name(str(name)) for name in np.unique(matches.source)]
    if not names and isinstance(result, MatchResult) and result.features0 is not None:
        names = [method_name(result.features0.extractor)]
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} methods"


def shown_of(shown: int, total: int, noun: str, ranked: bool) -> str:
    """Say how many are shown: "10 strongest of 812 matches"."""
    plural = "es" if noun.endswith("ch") else "s"
    if total == 0:
        return f"no {noun}{plural}"
    counted = f"{total} {noun}{'' if total == 1 else plural}"
    if shown == total:
        return counted
    return f"{shown} strongest of {counted}" if ranked else f"{shown} of {counted}"


def method_name(name: str) -> str:
    """Return a method's name as its paper writes it."""
    return _NAMES.get(name.lower(), name)


def funnel_line(funnel: Funnel) -> str:
    """Return the funnel in words: "3945 and 4097 keypoints → 3945 nearest → 1570 mutual"."""
    stages = [f"{count} {stage}" for stage, count in funnel]
    if [stage for stage, _ in funnel[:2]] == ["keypoints 0", "keypoints 1"]:
        stages[:2] = [f"{funnel[0][1]} and {funnel[1][1]} keypoints"]
    return " → ".join(stages)
