"""One round: who is in goes through the same pairs, pair by pair, until all are done or time is up."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean, median

from tiepoint.evaluation.tune.trials import Outcome, Trial
from tiepoint.evaluation.tune.workers import Crew, Report, Task
from tiepoint.extractors import Extractor

NO_TIME, TOO_SLOW = "time ran out before it was tried", "too slow for the budget"
_UNLIKE = 3
# Too slow is who takes so many times its share of a round's time, and so many times what is usual.
SHARES, SLOW = 3.0, 3.0

Group = tuple[Trial, ...]


@dataclass(frozen=True, kw_only=True)
class Round:
    """Pairs that everybody goes through, and how many go on.

    Attributes
    ----------
    number : int
    groups : tuple of tuples of Trial
        Those of a group are of one photo: its own features are extracted once for them.
    until : float
        Share of the budget after which nothing is begun any more.
    keep : int
        Settings that go on to the next round.
    ratios : int
        Ratios that go on with each.
    """

    number: int
    groups: tuple[Group, ...]
    until: float
    keep: int
    ratios: int


@dataclass(kw_only=True, eq=False)
class Runner:
    """One setting on its way through the rounds.

    Attributes
    ----------
    extractor : Extractor
    ratios : tuple of float | None
        Those that are still tried.
    outcomes : dict
        By ratio and trial.
    round : int
        The last one that it was in.
    fate : str
        Why it is out; empty while it is in.
    busy : float
        Seconds of work in this round.
    pace : float
        Seconds for a trial and a megapixel, in its last task.
    """

    extractor: Extractor
    ratios: tuple[float | None, ...]
    outcomes: dict[float | None, dict[Trial, Outcome]] = field(default_factory=dict)
    round: int = 0
    fate: str = ""
    busy: float = 0.0
    pace: float = 0.0

    def best_ratio(self, trials: Collection[Trial]) -> float | None:
        """Return the ratio of the highest mean score, of equals the first."""
        return max(self.ratios, key=lambda ratio: self._score(ratio, trials))

    def best_ratios(self, count: int, trials: Collection[Trial]) -> tuple[float | None, ...]:
        """Return the ratios of the highest mean scores, in their order."""
        best = sorted(self.ratios, key=lambda ratio: -self._score(ratio, trials))[:count]
        return tuple(ratio for ratio in self.ratios if ratio in best)

    def on(self, trials: Collection[Trial]) -> list[Outcome]:
        """Return the outcomes of these trials with the best ratio."""
        return [self.outcomes[self.best_ratio(trials)][trial] for trial in trials]

    def score(self, trials: Collection[Trial]) -> float:
        """Return the mean score with the best ratio."""
        return fmean(outcome.score for outcome in self.on(trials))

    def _score(self, ratio: float | None, trials: Collection[Trial]) -> float:
        return fmean(self.outcomes[ratio][trial].score for trial in trials)

    def of_photo(self, photo: int) -> list[Outcome]:
        """Return all outcomes of a photo, with the ratio that was chosen in the end."""
        return [one for trial, one in self.outcomes.get(self.ratios[0], {}).items() if trial.photo == photo]

    def done(self, group: Group) -> bool:
        """Tell whether it has been through a group."""
        return all(trial in self.outcomes.get(self.ratios[0], {}) for trial in group)

    def add(self, report: Report) -> None:
        """Take down what came of a task."""
        self.busy += report.seconds
        if report.failure is not None:
            self.fate = f"failed: {report.failure.reason}"
            return
        self.pace = report.seconds / sum(trial.megapixels for trial in report.task.trials)
        for outcome in report.outcomes:
            self.outcomes.setdefault(outcome.ratio, {})[outcome.trial] = outcome


@dataclass(frozen=True, kw_only=True)
class Clock:
    """The budget, and how much of it is gone.

    Attributes
    ----------
    start : float
        By ``time.perf_counter``.
    budget : float
        Seconds.
    workers : int
        How many seconds of work a second has.
    """

    start: float
    budget: float
    workers: int

    @property
    def gone(self) -> float:
        """Share of the budget."""
        return (time.perf_counter() - self.start) / self.budget

    def work_until(self, share: float) -> float:
        """Return the seconds of work that are left until a share of the budget is gone."""
        return max(0.0, share - self.gone) * self.budget * self.workers


def run(
    crew: Crew,
    runners: Sequence[Runner],
    this: Round,
    clock: Clock,
    scale: Callable[[Trial], float],
    progress: Callable[[], None],
) -> bool:
    """Send all who are in through a round; return whether they went through all of it.

    Those who were not through the first pairs when time was up are out, and so is who is too slow. Who is
    left has been through the same pairs as all others, up to those that only some had done.

    Parameters
    ----------
    scale : callable
        The share of a photo's pixels that a trial looks at: of them, and so of the keypoints.
    progress : callable
        Called at the beginning and after each task.
    """
    for runner in runners:
        if not runner.fate:
            runner.round, runner.busy = this.number, 0.0
    inside = [number for number, runner in enumerate(runners) if not runner.fate]
    share = SHARES * clock.work_until(this.until) / max(len(inside), 1)
    queue = [(number, group) for group in this.groups for number in inside]
    position = 0

    def next_task() -> Task | None:
        nonlocal position
        while position < len(queue):
            if clock.gone >= this.until:
                return None
            number, group = queue[position]
            position += 1
            runner = runners[number]
            expected = runner.pace * sum(trial.megapixels for trial in group)
            if clock.gone + expected / clock.budget > 1:
                return None
            usual = median(one.pace for one in (runners[k] for k in inside) if not one.fate or one is runner)
            if not runner.fate and runner.pace > SLOW * usual and runner.busy + expected > share:
                runner.fate = f"{TOO_SLOW}, in round {this.number}"
            if not runner.fate:
                extractor = _scaled(runner.extractor, scale(group[0]))
                return Task(runner=number, extractor=extractor, ratios=runner.ratios, trials=group)
        return None

    progress()
    for report in crew.carry_out(next_task):
        runners[report.task.runner].add(report)
        progress()
    return _even_out(runners, this)


def _even_out(runners: Sequence[Runner], this: Round) -> bool:
    """Leave those in who have been through the first pairs of a round, if there is anyone."""
    inside = [runner for runner in runners if not runner.fate]
    through = [runner for runner in inside if runner.done(this.groups[0])]
    for runner in inside:
        if through and runner not in through:
            runner.fate = f"{NO_TIME} in round {this.number}"
    late = any(runner.round == this.number and is_late(runner.fate) for runner in runners)
    return not late and all(runner.done(group) for runner in inside for group in this.groups)


def is_late(fate: str) -> bool:
    """Tell whether it was for lack of time that somebody went no further."""
    return fate.startswith((NO_TIME, TOO_SLOW))


def _scaled(extractor: Extractor, share: float) -> Extractor:
    """Ask a part of a photo's pixels for a part of its keypoints."""
    if share >= 1 or extractor.max_keypoints is None:
        return extractor
    return replace(extractor, max_keypoints=max(1, math.ceil(share * extractor.max_keypoints)))


def akin(runner: Runner, other: Runner) -> bool:
    """Tell whether one's extractor is a kind of the other's, as RootSIFT is of SIFT."""
    one, two = type(runner.extractor), type(other.extractor)
    return issubclass(one, two) or issubclass(two, one)


def in_common(runners: Sequence[Runner], rounds: Sequence[Round]) -> list[Trial]:
    """Return the trials of these rounds that all of some runners have been through, in order."""
    groups = [group for one in rounds for group in one.groups if runners]
    return [trial for group in groups if all(runner.done(group) for runner in runners) for trial in group]


def cut(runners: Sequence[Runner], rounds: Sequence[Round]) -> None:
    """After the last of these rounds, leave in who did best, and with each the ratios that did best.

    Of the three best kinds of extractors one setting each goes on in any case, so that there is something to
    compare with in the end.
    """
    this = rounds[-1]
    inside = [runner for runner in runners if not runner.fate]
    trials = in_common(inside, rounds)
    if not trials:
        return
    order = sorted(inside, key=lambda runner: -runner.score(trials))
    kept = order[: this.keep]
    unlike: list[Runner] = []
    for runner in order:
        if not any(akin(runner, other) for other in unlike):
            unlike.append(runner)
    kept += unlike[:_UNLIKE]
    for runner in inside:
        if runner not in kept:
            runner.fate = f"others did better in round {this.number}"
        else:
            runner.ratios = runner.best_ratios(this.ratios, trials)
