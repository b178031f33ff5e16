"""What tuning gives: figures for each candidate, and which one is recommended."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from tiepoint.evaluation.metrics import bootstrap_interval
from tiepoint.evaluation.tune.candidates import Candidate, settings_words
from tiepoint.evaluation.tune.changes import KINDS
from tiepoint.evaluation.tune.trials import Outcome

Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Figures:
    """A candidate's trials in a few numbers.

    Attributes
    ----------
    trials : int
    score : float
        Mean of :attr:`Outcome.score`, 0 to 1: what candidates are ranked by.
    score_interval : (float, float)
        95 % by bootstrap over the trials. Those of one photo are alike, so the truth is rather wider.
    found : float
        Share of the trials in which the homography came out right, off by at most a hundredth.
    found_interval : (float, float)
        95 % by Wilson's formula: a bootstrap of nothing but successes knows no doubt.
    matches, right : float
        Medians: of all matches, and of those within 3 pixels of the truth.
    precision : float
        Mean share of the matches that are right; 0 where there is none.
    off : float | None
        Median error of the homographies that were found, over the photo's size. None if none was.
    seconds : float
        Median, for one pair: of :attr:`Outcome.seconds`, so on one thread if there were workers.
    score_by_kind : dict
        Mean score in the trials of each kind of change.
    """

    trials: int
    score: float
    score_interval: Interval
    found: float
    found_interval: Interval
    matches: float
    right: float
    precision: float
    off: float | None
    seconds: float
    score_by_kind: dict[str, float]


def figures_of(outcomes: Sequence[Outcome]) -> Figures:
    """Sum up at least one trial.

    Examples
    --------
    >>> from tiepoint.evaluation.tune import Change, Outcome, Trial, figures_of
    >>> trial = Trial(photo=0, megapixels=2, change=Change(name="turned", kind="rotation", roll=30))
    >>> half = [Outcome(trial=trial, ratio=None, matches=0, right=0, off=None, seconds=1),
    ...         Outcome(trial=trial, ratio=None, matches=2048, right=2048, off=0, seconds=2)]
    >>> figures = figures_of(half)
    >>> round(figures.score, 3), figures.found, figures.seconds
    (0.5, 0.5, 1.5)
    """
    scores, found = [o.score for o in outcomes], [float(o.found) for o in outcomes]
    off = [o.off for o in outcomes if o.off is not None and o.found]
    by_kind = {kind: [o.score for o in outcomes if o.trial.change.kind == kind] for kind in KINDS}
    return Figures(
        trials=len(outcomes),
        score=fmean(scores),
        score_interval=bootstrap_interval(scores),
        found=fmean(found),
        found_interval=_share_interval(sum(found), len(found)),
        matches=median(o.matches for o in outcomes),
        right=median(o.right for o in outcomes),
        precision=fmean(o.right / max(o.matches, 1) for o in outcomes),
        off=median(off) if off else None,
        seconds=median(o.seconds for o in outcomes),
        score_by_kind={kind: fmean(values) for kind, values in by_kind.items() if values},
    )


def _share_interval(hits: float, count: int) -> Interval:
    """Return Wilson's interval (JASA 1927) of a share, at 95 %."""
    z = 1.96
    share = hits / count
    middle = share + z * z / (2 * count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    whole = 1 + z * z / count
    return max(0.0, (middle - half) / whole), min(1.0, (middle + half) / whole)


@dataclass(frozen=True, kw_only=True, eq=False)
class Row:
    """One setting of an extractor, with the ratio that suited it best.

    Attributes
    ----------
    candidate : Candidate
    round : int
        The last one that it was in: 1 to 3, or 4 where it was held against the pairs kept aside.
    fate : str
        In words: why it went no further.
    tuned : Figures | None
        On the pairs that candidates were chosen by; only rows of one round had the same. None if time ran
        out before it was tried at all, or it failed.
    held_out : Figures | None
        On the pairs kept aside; None for those that were out before.
    scores : tuple[float, ...]
        Of the pairs kept aside, one by one and in the same order for all, to compare two candidates.
    """

    candidate: Candidate
    round: int
    fate: str
    tuned: Figures | None
    held_out: Figures | None = None
    scores: tuple[float, ...] = ()

    @property
    def words(self) -> str:
        """What tables call it; without a ratio where none was chosen."""
        tried = self.tuned is not None or self.held_out is not None
        return self.candidate.words if tried else settings_words(self.candidate.extractor)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How much better one candidate did than another on the same pairs.

    Attributes
    ----------
    mean : float
        Of the differences of their scores.
    interval : (float, float)
        95 % by bootstrap over the pairs.
    """

    mean: float
    interval: Interval


def difference(row: Row, other: Row) -> Difference | None:
    """Compare two candidates on the pairs kept aside; None where they have none in common.

    Examples
    --------
    >>> from tiepoint.evaluation.tune import Candidate, Row, difference
    >>> from tiepoint.extractors import get_extractor
    >>> sift, orb = (Candidate(extractor=get_extractor(name)) for name in ("sift", "orb"))
    >>> rows = [Row(candidate=one, round=4, fate="", tuned=None, scores=scores)
    ...         for one, scores in ((sift, (0.75, 0.5)), (orb, (0.5, 0.25)))]
    >>> difference(*rows)
    Difference(mean=0.25, interval=(0.25, 0.25))
    """
    apart = [a - b for a, b in zip(row.scores, other.scores, strict=False)]
    return Difference(mean=fmean(apart), interval=bootstrap_interval(apart)) if apart else None


@dataclass(frozen=True, kw_only=True)
class PhotoFacts:
    """One of the photos, and how it went with it.

    Attributes
    ----------
    name : str
        Its path, or its number where it has none.
    path : str | None
    size : (int, int)
        As it was given, in pixels.
    tried_at : (int, int)
        As it was tried, in pixels.
    role : str
        "tuned on", "kept aside", or "not used" where there were more than are needed.
    found : float | None
        Share of its pairs of which the recommended candidate found the homography.
    right : float | None
        Median number of right matches of the recommended candidate on its pairs.
    """

    name: str
    path: str | None
    size: tuple[int, int]
    tried_at: tuple[int, int]
    role: str
    found: float | None = None
    right: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Tuning:
    """What was tried on photos, and what came of it.

    Attributes
    ----------
    photos : tuple[PhotoFacts, ...]
    rows : tuple[Row, ...]
        One for each setting, best first: by round, then by score.
    recommended, default, best, other : Row | None
        Which to take; what `tiepoint match` begins with by itself; the highest score on the pairs tuned on,
        which may be a slower one; the best extractor of another kind that is faster, else the best at all.
        None where there is none.
    budget, seconds : float
        How long it might take and how long it took.
    complete : bool
        Whether all that was planned fitted the budget.
    seed : int
    without : tuple[str, ...]
        Kinds of change that were left out.
    workers : int
        Processes, of one thread each; 0: all was done in one, on as many threads as the libraries like.
    """

    photos: tuple[PhotoFacts, ...]
    rows: tuple[Row, ...]
    recommended: Row | None
    default: Row | None
    best: Row | None
    other: Row | None
    budget: float
    seconds: float
    complete: bool
    seed: int
    without: tuple[str, ...]
    workers: int
