"""Who is recommended once the rounds are over, and the rows of the table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev

from tiepoint.evaluation.tune.candidates import Candidate
from tiepoint.evaluation.tune.race import NO_TIME, Round, Runner, akin, in_common
from tiepoint.evaluation.tune.results import Row, figures_of
from tiepoint.evaluation.tune.trials import Trial
from tiepoint.extractors import EXTRACTORS, get_extractor
from tiepoint.pipeline.auto import CLASSICAL
from tiepoint.pipeline.stages import RATIO

FASTER = (
    0.8  # of the best one's time: from there on a candidate is worth a score that is lower within the noise
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Chosen:
    """The last few, who go through the pairs kept aside; None where there is nobody of that kind."""

    recommended: Runner | None
    best: Runner | None
    other: Runner | None
    default: Runner | None

    @property
    def finalists(self) -> list[Runner]:
        """Return them, each once."""
        who = (self.recommended, self.best, self.other, self.default)
        return list(dict.fromkeys(runner for runner in who if runner is not None))


def default_runner() -> Runner | None:
    """Return what `tiepoint match` begins with when it is told nothing; None if it cannot run.

    The learned methods that follow it there, where its answer is not a clear yes, are no part of what the
    others are compared with.
    """
    if EXTRACTORS.load(CLASSICAL).missing() is not None:
        return None
    return Runner(extractor=get_extractor(CLASSICAL), ratios=(RATIO,))


def choose(runners: Sequence[Runner], rounds: Sequence[Round], default: Runner | None) -> Chosen:
    """Choose by the pairs that all who are left have been through; each keeps its best ratio from here on.

    Recommended is the fastest of those within one standard error of the best, if it takes at most four
    fifths of its time; else the best. Beside it goes the best extractor of another kind: of those that are
    faster by as much, if there are any.
    """
    inside = [runner for runner in runners if not runner.fate]
    trials = in_common(inside, rounds)
    if not trials:
        for runner in inside:
            runner.fate = NO_TIME
        return Chosen(recommended=None, best=None, other=None, default=None)
    order = sorted(inside, key=lambda runner: -runner.score(trials))
    for runner in order:
        runner.ratios = (runner.best_ratio(trials),)
    best = order[0]
    limit = FASTER * _seconds(best, trials)
    quick = [
        runner for runner in order if _as_good(runner, best, trials) and _seconds(runner, trials) <= limit
    ]
    recommended = min(quick, key=lambda runner: _seconds(runner, trials), default=best)
    others = [runner for runner in order if not akin(runner, recommended)]
    faster = [r for r in others if _seconds(r, trials) <= FASTER * _seconds(recommended, trials)]
    other = next(iter(faster or others), None)
    if default is not None:
        # The same candidate once more would only cost time.
        same = [r for r in order if r.extractor == default.extractor and r.ratios == default.ratios]
        default = same[0] if same else default
    chosen = Chosen(recommended=recommended, best=best, other=other, default=default)
    for runner in inside:
        if runner not in chosen.finalists:
            runner.fate = f"others did better in round {rounds[-1].number}"
    return chosen


def rows_of(
    runners: Sequence[Runner], chosen: Chosen, rounds: Sequence[Round]
) -> tuple[tuple[Row, ...], dict[str, Row | None]]:
    """Return all rows, best first, and those of the chosen ones by what they were chosen as."""
    finalists = chosen.finalists
    aside = in_common([runner for runner in finalists if not runner.fate], rounds[-1:])
    everybody = dict.fromkeys([*runners, *finalists])
    rows = {runner: _row(runner, rounds[:-1], aside if runner in finalists else []) for runner in everybody}
    order = sorted(rows.values(), key=_rank)
    roles: dict[str, Row | None] = {
        role: None if (runner := getattr(chosen, role)) is None else rows[runner]
        for role in ("recommended", "best", "other", "default")
    }
    return tuple(order), roles


def _row(runner: Runner, rounds: Sequence[Round], aside: Sequence[Trial]) -> Row:
    tuned_on = in_common([runner], rounds)
    ratio = runner.best_ratio(tuned_on) if tuned_on else runner.ratios[0]
    held_out = [] if runner.fate else [runner.outcomes[ratio][trial] for trial in aside]
    return Row(
        candidate=Candidate(extractor=runner.extractor, ratio=ratio),
        round=runner.round,
        fate=runner.fate or ("went through all rounds" if tuned_on else "only to compare with"),
        tuned=figures_of([runner.outcomes[ratio][trial] for trial in tuned_on]) if tuned_on else None,
        held_out=figures_of(held_out) if held_out else None,
        scores=tuple(outcome.score for outcome in held_out),
    )


def _rank(row: Row) -> tuple[bool, int, float]:
    figures = row.held_out or row.tuned
    return row.held_out is None, -row.round, 0.0 if figures is None else -figures.score


def _as_good(runner: Runner, best: Runner, trials: Sequence[Trial]) -> bool:
    """Tell whether the difference of two means is within one standard error of it; pairs are the same."""
    apart = [b.score - r.score for b, r in zip(best.on(trials), runner.on(trials), strict=True)]
    return len(apart) > 1 and fmean(apart) <= stdev(apart) / math.sqrt(len(apart))


def _seconds(runner: Runner, trials: Sequence[Trial]) -> float:
    """Return the median time of the largest pairs."""
    largest = max(trial.megapixels for trial in trials)
    return median(one.seconds for one in runner.on(trials) if one.trial.megapixels == largest)
