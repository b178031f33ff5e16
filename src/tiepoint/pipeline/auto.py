"""Which methods to try on two photos, in what order, and when to stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from tiepoint.errors import TiepointError
from tiepoint.extractors import EXTRACTORS
from tiepoint.matchers import Matcher
from tiepoint.pipeline.moves import TURNS, Move
from tiepoint.pipeline.stages import Attempt, Stages, agreeing, is_yes, usual_matcher
from tiepoint.types import Matches, MatchResult
from tiepoint.verdict import family_of

CLASSICAL = "rootsift"
# The quickest first.
LEARNED = ("xfeat", "aliked")
_LIKELY = 0.5


class _Tried(NamedTuple):
    """What came of the methods so far: each one's result, and that of all their matches together."""

    parts: tuple[MatchResult, ...]
    result: MatchResult

    @property
    def probability(self) -> float:
        verdict = self.result.verdict
        return 0.0 if verdict is None or verdict.probability is None else verdict.probability

    def better_than(self, other: _Tried) -> bool:
        return self._rank() > other._rank()

    def _rank(self) -> tuple[bool, float, int]:
        return is_yes(self.result), self.probability, agreeing(self.result)


def match_auto(
    stages: Stages, *, matcher: Matcher | None = None, max_keypoints: int | None = None
) -> MatchResult:
    """Match two photos with one method after the other, until the answer is yes or nothing is left to try.

    RootSIFT comes first: it is quick, precise, and right whenever it says yes. Then, where their weights are
    there, XFeat with LighterGlue, whose matches are joined with RootSIFT's; XFeat on photo 1 turned by right
    angles, since learned features do not survive that; and ALIKED with LightGlue. A method is left out where
    the verdict has no probability for the union with it. Without verification the first method is the last.

    Parameters
    ----------
    stages : Stages
        The two photos.
    matcher : Matcher, optional
        Of the first method.
    max_keypoints : int, optional
        For each method.

    Returns
    -------
    MatchResult
        Its ``log`` says what was tried and what came of it.

    Examples
    --------
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.pipeline.auto import match_auto
    >>> from tiepoint.pipeline.stages import Stages, Verification
    >>> scene = render_demo()
    >>> match_auto(Stages.read(scene.image0, scene.image1, Verification())).verdict.answer
    'yes'
    """
    options = {} if max_keypoints is None else {"max_keypoints": max_keypoints}
    classical = EXTRACTORS.get(CLASSICAL, options)
    beginning = Attempt(classical, matcher or usual_matcher(classical))
    first = stages.tried_all_ways(beginning)
    if first.verdict is None or is_yes(first):
        return first
    tried = _Tried((first,), first)
    log = [*first.log, f"{CLASSICAL}: {_said(first)}"]
    lacking, sources = [], [beginning.source]
    move: Move | None = None
    for name in LEARNED:
        extractor = EXTRACTORS.load(name).build(options)
        attempt = Attempt(extractor, usual_matcher(extractor))
        if family_of([*sources, attempt.source]) is None:
            continue  # nobody knows what a probability their union has
        command = type(extractor).missing() or attempt.matcher.missing_for(name)
        if command is not None:
            lacking.append(command)
            continue
        alone = tried
        try:
            tried = _with(stages, alone, stages.tried(attempt, move))
        except TiepointError as error:  # spoiled weights, too little memory: what was found is not lost
            log.append(f"{_called(attempt)} could not be run: {error}")
            continue
        sources.append(attempt.source)
        log.append(f"and {_called(attempt)}{_moved(move)}: {_said(tried.result)}")
        if not is_yes(tried.result) and move is None:
            turned, turn = _turned(stages, alone, attempt)
            # Of three turns one finds a little more by chance: it must be likely before others follow it.
            if turned.probability >= _LIKELY and turned.better_than(tried):
                tried, move = turned, turn
                log.append(f"and {_called(attempt)}{_moved(move)}: {_said(tried.result)}")
            else:
                log.append("photo 1 turned by right angles: no better")
        if is_yes(tried.result):
            break
    else:
        if lacking:
            log.append(f"learned features find more in hard pairs; get them with: {lacking[0]}")
    return replace(tried.result, log=tuple(log))


def _turned(stages: Stages, tried: _Tried, attempt: Attempt) -> tuple[_Tried, Move]:
    """Try photo 1 turned by right angles, and return what came of the best turn."""
    results = []
    for move in TURNS:
        results.append((stages.tried(attempt, move), move))
        if is_yes(results[-1][0]):
            break
    best, move = max(results, key=lambda one: (is_yes(one[0]), agreeing(one[0])))
    return _with(stages, tried, best), move


def _with(stages: Stages, tried: _Tried, part: MatchResult) -> _Tried:
    """Join the matches of one more method with those before, and judge them together."""
    if not len(part.matches):  # what is known of the others' keypoints is not given up for nothing
        return tried
    parts = (*tried.parts, part)
    matches = join_matches([one.matches for one in parts])
    joined = replace(
        part,
        features0=None,
        features1=None,
        candidates=join_matches([one.candidates for one in parts]),
        matches=matches,
        geometry=None,
        verdict=None,
        methods=tuple(method for one in parts for method in one.methods),
    )
    return _Tried(parts, _agreed(stages.judged(joined, CLASSICAL), parts[0]))


def _agreed(joined: MatchResult, first: MatchResult) -> MatchResult:
    """Take a no back where the first method has left it open: it looks at more than places."""
    verdict = joined.verdict
    if verdict is None or verdict.answer != "no" or first.verdict is None or first.verdict.answer == "no":
        return joined
    reasons = (f"{CLASSICAL} alone leaves it open", *verdict.reasons)
    return replace(joined, verdict=replace(verdict, answer="unsure", reasons=reasons))


def join_matches(parts: Sequence[Matches]) -> Matches:
    """Join the matches of several methods; the funnel says what each of them gave.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.pipeline.auto import join_matches
    >>> scene = render_demo()
    >>> photos = scene.image0, scene.image1
    >>> parts = [tp.match(*photos, extractor=name, verify=False).matches for name in ("orb", "rootsift")]
    >>> [stage for stage, count in join_matches(parts).funnel]
    ['keypoints 0', 'keypoints 1', 'orb', 'rootsift', 'union']
    """
    union = Matches.union(*parts)
    photos = [
        (stage, sum(dict(part.funnel).get(stage, 0) for part in parts))
        for stage in ("keypoints 0", "keypoints 1")
    ]
    each = [("+".join(np.unique(part.source)), len(part)) for part in parts if len(part)]
    return replace(union, funnel=(*photos, *each, ("union", len(union))))


def _called(attempt: Attempt) -> str:
    return f"{attempt.extractor.name} with {attempt.matcher.name}"


def _moved(move: Move | None) -> str:
    return "" if move is None else f", photo 1 {move.called}"


def _said(result: MatchResult) -> str:
    return f"{result.verdict}, {agreeing(result)} of {len(result.matches)} matches agree"
