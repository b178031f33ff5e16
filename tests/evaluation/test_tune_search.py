"""The search: who goes on, what is held out, what does not fit, what is recommended."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import ArrayLike

import tiepoint as tp
from tiepoint.evaluation import RenderedPair
from tiepoint.evaluation.tune import (
    Candidate,
    Change,
    Outcome,
    Trial,
    Tuning,
    candidates,
    plan,
    settings_to_try,
    tune,
)
from tiepoint.evaluation.tune.candidates import ratios_for
from tiepoint.evaluation.tune.choice import choose
from tiepoint.evaluation.tune.plan import LARGEST_SEED, chosen_photos, kept_aside, planned
from tiepoint.evaluation.tune.race import Clock, Round, Runner, cut, in_common, run
from tiepoint.evaluation.tune.trials import Failure, Workbench
from tiepoint.evaluation.tune.workers import Report, Task
from tiepoint.extractors import EXTRACTORS, Extractor, get_extractor
from tiepoint.matchers import MATCHERS
from tiepoint.options import option
from tiepoint.types import Features, Image, Metric


@dataclass(frozen=True, kw_only=True)
class Fake(Extractor):
    """An extractor of which only the name counts."""

    name: ClassVar[str] = "fake"
    metric: ClassVar[Metric] = "l2"

    quality: float = option(1.0, "its score")
    cost: float = option(1.0, "seconds for a pair")


@dataclass(frozen=True, kw_only=True)
class Fraud(Fake):
    name: ClassVar[str] = "fraud"


@dataclass(frozen=True, kw_only=True)
class Stranger(Extractor):
    name: ClassVar[str] = "stranger"
    metric: ClassVar[Metric] = "l2"

    quality: float = option(0.5, "its score")
    cost: float = option(0.1, "seconds for a pair")


def outcome(trial: Trial, ratio: float | None, quality: float, cost: float) -> Outcome:
    off = 0.005 * (1 - quality)
    return Outcome(trial=trial, ratio=ratio, matches=4096, right=4096, off=off, seconds=cost)


class FakeCrew:
    """Does what extractors claim of themselves; a ratio of 0.8 is best, and trials scatter a little."""

    def __init__(self, *, slow: float = 0.0, broken: str = "") -> None:
        self.slow, self.broken = slow, broken
        self.tasks: list[Task] = []

    def carry_out(self, next_task: Callable[[], Task | None]) -> Iterator[Report]:
        while (task := next_task()) is not None:
            self.tasks.append(task)
            time.sleep(self.slow)
            one = task.extractor
            assert isinstance(one, Fake | Stranger)
            if one.name == self.broken:
                failure = Failure(trial=task.trials[0], reason="it is broken")
                yield Report(task=task, outcomes=(), failure=failure, seconds=1)
                continue
            done = []
            for trial in task.trials:
                scatter = 0.01 * (zlib.crc32(f"{one.quality} {trial.change.name}".encode()) % 5 - 2)
                for ratio in task.ratios:
                    worse = 0.0 if ratio == 0.8 else 0.1
                    done.append(outcome(trial, ratio, one.quality - worse + scatter, one.cost))
            yield Report(task=task, outcomes=tuple(done), failure=None, seconds=one.cost * len(task.trials))


def a_round(number: int, groups: int, *, keep: int = 2, until: float = 1.0) -> Round:
    def trial(k: int) -> Trial:
        return Trial(photo=0, megapixels=1, change=Change(name=f"{number}.{k}"))

    return Round(
        number=number,
        groups=tuple((trial(2 * k), trial(2 * k + 1)) for k in range(groups)),
        until=until,
        keep=keep,
        ratios=2,
    )


def runners(*extractors: Extractor) -> list[Runner]:
    return [Runner(extractor=one, ratios=(None, 0.9, 0.8)) for one in extractors]


def go(crew: FakeCrew, who: list[Runner], this: Round, budget: float = 1e6) -> bool:
    clock = Clock(start=time.perf_counter(), budget=budget, workers=1)
    return run(crew, who, this, clock, lambda _: 1.0, lambda: None)


def test_the_better_go_on_with_their_better_ratios() -> None:
    who = runners(*(Fake(quality=quality) for quality in (0.5, 0.9, 0.7, 0.3)))
    this = a_round(1, 2)
    assert go(FakeCrew(), who, this)
    cut(who, [this])
    assert [runner.fate for runner in who] == [
        "others did better in round 1",
        "",
        "",
        "others did better in round 1",
    ]
    assert all(0.8 in runner.ratios and len(runner.ratios) == 2 for runner in who if not runner.fate)


def test_one_of_each_good_extractor_goes_on() -> None:
    who = runners(Fake(quality=0.9), Fake(quality=0.8), Fake(quality=0.7), Stranger(quality=0.2))
    this = a_round(1, 2)
    go(FakeCrew(), who, this)
    cut(who, [this])
    assert [bool(runner.fate) for runner in who] == [False, False, True, False]


def test_everybody_goes_through_the_same_pairs_one_after_the_other() -> None:
    crew = FakeCrew()
    who = runners(Fake(quality=0.9), Stranger())
    go(crew, who, a_round(1, 3))
    assert [(task.runner, task.trials[0].change.name) for task in crew.tasks] == [
        (0, "1.0"), (1, "1.0"), (0, "1.2"), (1, "1.2"), (0, "1.4"), (1, "1.4")
    ]  # fmt: skip


def test_who_breaks_is_out_and_says_why() -> None:
    who = runners(Fake(), Stranger())
    this = a_round(1, 2)
    go(FakeCrew(broken="fake"), who, this)
    assert who[0].fate == "failed: it is broken"
    assert not who[1].fate
    cut(who, [this])
    assert choose(who, [this], None).recommended is who[1]


def test_who_takes_too_much_of_the_time_is_out() -> None:
    who = runners(Fake(cost=50), *(Fake(quality=0.1 * k) for k in range(1, 9)))
    assert not go(FakeCrew(), who, a_round(1, 4), budget=150)
    assert who[0].fate == "too slow for the budget, in round 1"
    assert not any(runner.fate for runner in who[1:])
    alike = runners(Fake(cost=50), Fake(cost=49), Fake(cost=48))
    assert go(FakeCrew(), alike, a_round(1, 4), budget=150)


def test_nobody_is_left() -> None:
    who = runners(Fake(), Stranger())
    this = a_round(1, 2)
    go(FakeCrew(broken="fake"), who, this)
    go(FakeCrew(broken="stranger"), who, a_round(2, 2))
    assert all(runner.fate for runner in who)
    assert in_common([], [this]) == []
    assert choose(who, [this], Runner(extractor=Fake(), ratios=(0.8,))).finalists == []


def test_when_time_is_up_those_who_were_not_tried_are_listed() -> None:
    who = runners(*(Fake(quality=0.1 * k, cost=1e-6) for k in range(1, 9)))
    this = a_round(1, 4)
    assert not go(FakeCrew(slow=0.02), who, this, budget=0.1)
    tried = [runner for runner in who if not runner.fate]
    assert 0 < len(tried) < 8
    assert {runner.fate for runner in who if runner.fate} == {"time ran out before it was tried in round 1"}
    cut(who, [this])
    assert choose(who, [this], None).best is tried[-1]


def test_pairs_that_not_all_went_through_do_not_count() -> None:
    who = runners(*(Fake(quality=0.1 * k, cost=1e-6) for k in range(1, 5)))
    this = a_round(1, 40)
    assert not go(FakeCrew(slow=0.01), who, this, budget=0.1)
    assert not any(runner.fate for runner in who)
    done = [sum(runner.done(group) for group in this.groups) for runner in who]
    assert max(done) - min(done) <= 1
    assert choose(who, [this], None).best is who[3]


def test_the_fastest_within_the_noise_is_recommended() -> None:
    who = runners(Fake(quality=0.8, cost=2), Fake(quality=0.799, cost=1), Stranger(quality=0.5, cost=0.1))
    this = a_round(3, 6)
    go(FakeCrew(), who, this)
    chosen = choose(who, [this], None)
    assert chosen.best is who[0]
    assert chosen.recommended is who[1]
    assert chosen.other is who[2]
    assert [runner.ratios for runner in who] == [(0.8,)] * 3


def test_a_little_faster_is_no_reason() -> None:
    who = runners(Fake(quality=0.8, cost=1), Fake(quality=0.799, cost=0.9))
    this = a_round(3, 6)
    go(FakeCrew(), who, this)
    assert choose(who, [this], None).recommended is who[0]


def test_a_kin_is_no_other_extractor() -> None:
    who = runners(Fake(quality=0.8), Fraud(quality=0.7), Stranger(quality=0.1))
    this = a_round(3, 6)
    go(FakeCrew(), who, this)
    chosen = choose(who, [this], None)
    assert chosen.other is who[2]
    assert who[1].fate == "others did better in round 3"


def test_a_default_that_is_a_finalist_does_not_run_twice() -> None:
    who = runners(Fake(quality=0.8), Stranger(quality=0.1))
    this = a_round(3, 6)
    go(FakeCrew(), who, this)
    chosen = choose(who, [this], Runner(extractor=Fake(quality=0.8), ratios=(0.8,)))
    assert chosen.default is who[0]
    assert len(chosen.finalists) == 2
    chosen = choose(who, [this], Runner(extractor=Fake(quality=0.8), ratios=(0.7,)))
    assert len(chosen.finalists) == 3


def test_the_plan_keeps_photos_and_changes_aside() -> None:
    rounds = planned(5, 120, seed=0, without=())
    tuned = [trial for this in rounds[:-1] for group in this.groups for trial in group]
    aside = [trial for group in rounds[-1].groups for trial in group]
    assert {trial.photo for trial in tuned} == {0, 2, 4}
    assert {trial.photo for trial in aside} == {1, 3}
    assert len({trial.change for trial in tuned}) == len(tuned)
    settings = [{**trial.change.settings(), "name": "", "seed": 0} for trial in tuned]
    assert not any({**trial.change.settings(), "name": "", "seed": 0} in settings for trial in aside)
    assert all(len({trial.photo for trial in group}) == 1 for this in rounds for group in this.groups)
    assert [this.until for this in rounds] == sorted(this.until for this in rounds)


def test_a_single_photo_keeps_changes_aside() -> None:
    rounds = planned(1, 120, seed=0, without=())
    tuned = {trial.change for this in rounds[:-1] for group in this.groups for trial in group}
    aside = {trial.change for group in rounds[-1].groups for trial in group}
    assert not tuned & aside


def test_the_plan_grows_with_the_budget() -> None:
    def size(budget: float) -> int:
        return sum(len(group) for this in planned(3, budget, seed=0, without=()) for group in this.groups)

    assert size(1) == size(30) < size(60) < size(120) < size(240) < size(480) == size(1e5)


def test_the_largest_seed_has_a_plan() -> None:
    assert planned(2, 1, seed=LARGEST_SEED, without=()) != planned(2, 1, seed=0, without=())


@pytest.mark.parametrize("count", [1, 2, 3, 10, 11, 500])
def test_photos_are_taken_at_even_distances(count: int) -> None:
    used = chosen_photos(count)
    assert len(used) == len(set(used)) == min(count, 10)
    assert used[0] == 0
    assert used[-1] == count - 1
    assert len(kept_aside(len(used))) in (0, 1) if count < 4 else len(kept_aside(len(used))) >= 2


def test_the_grid_begins_with_the_defaults_of_all() -> None:
    here = [one.name for one in EXTRACTORS.listing() if one.missing is None]
    here = [name for name in here if MATCHERS.load(EXTRACTORS.load(name).matcher).missing() is None]
    settings = settings_to_try()
    assert [one.name for one in settings[: len(here)]] == here
    assert [one for one in settings[: len(here)] if one != get_extractor(one.name)] == []
    assert len(set(settings)) == len(settings)
    assert {one.name for one in settings_to_try(["orb", "orb"])} == {"orb"}


def test_the_grid_is_of_options_that_there_are() -> None:
    assert set(candidates._GRID) <= set(EXTRACTORS.names())
    for name, settings in candidates._GRID.items():
        for options in settings:
            get_extractor(name, **options)


def test_what_is_not_here_is_refused_by_name() -> None:
    with pytest.raises(tp.OptionError, match="there is no extractor 'srf'"):
        settings_to_try(["orb", "srf"])
    missing = [one for one in EXTRACTORS.listing() if one.missing is not None]
    if missing:
        with pytest.raises(tp.MissingError, match=f"{missing[0].name} cannot be tried: .* pip install"):
            settings_to_try([missing[0].name])


@pytest.mark.parametrize(
    ("candidate", "line"),
    [
        (Candidate(extractor=get_extractor("orb")), "--extractor orb --no-ratio"),
        (
            Candidate(extractor=get_extractor("sift", max_keypoints=8192, spread=True), ratio=0.85),
            "--extractor sift --max-keypoints 8192 -o spread=true --ratio 0.85",
        ),
        (Candidate(extractor=get_extractor("xfeat")), "--extractor xfeat"),
    ],
)
def test_the_command_line_says_what_was_tried(candidate: Candidate, line: str) -> None:
    assert candidate.command("A.jpg", "B.jpg") == f"tiepoint match A.jpg B.jpg {line}"
    assert candidate.command("-a.jpg", "it's.jpg") == f"tiepoint match {line} -- -a.jpg 'it'\"'\"'s.jpg'"


def test_a_learned_extractor_is_tried_with_its_own_matcher() -> None:
    candidate = Candidate(extractor=get_extractor("xfeat", max_keypoints=1024))
    assert candidate.matcher.name == "lighterglue"
    assert candidate.words == "xfeat max_keypoints=1024, lighterglue"
    assert ratios_for(candidate.extractor) == (None,)
    assert len(ratios_for(get_extractor("orb"))) > 1


def test_learned_ones_take_part(scene: RenderedPair, weights_of: Callable[..., None]) -> None:
    weights_of("xfeat", "lighterglue")
    changes = Change(name="a", kind="zoom in", zoom=1.3)
    measured = Workbench([scene.image0]).measure(
        get_extractor("xfeat"),
        ratios_for(get_extractor("xfeat")),
        Trial(photo=0, megapixels=0.1, change=changes),
    )
    assert isinstance(measured, list)
    [outcome] = measured
    assert outcome.found
    assert outcome.right > 0.8 * outcome.matches > 40


def test_scores_reward_accuracy_and_right_matches_and_punish_wrong_ones() -> None:
    trial = Trial(photo=0, megapixels=1, change=Change(name="x"))
    perfect = Outcome(trial=trial, ratio=None, matches=2048, right=2048, off=0.0, seconds=1)
    assert perfect.score == 1
    assert replace(perfect, matches=4096, right=4096).score == 1
    assert 0.9 < replace(perfect, matches=1024, right=1024).score < 0.92
    assert replace(perfect, matches=4096).score < replace(perfect, matches=1024, right=1024).score
    assert replace(perfect, off=0.0025).score == pytest.approx(0.5)
    assert replace(perfect, off=0.006).score == 0
    assert replace(perfect, off=0.006).found
    for failed in (replace(perfect, off=None), replace(perfect, off=0.02)):
        assert failed.score == 0
        assert not failed.found
    assert replace(perfect, matches=0, right=0, off=None).score == 0


def test_a_trial_is_measured_against_the_truth(scene: RenderedPair) -> None:
    bench = Workbench([scene.image0])
    turned = Trial(photo=0, megapixels=0.1, change=Change(name="a", kind="rotation", roll=90))
    none, strict = bench_outcomes(bench, turned, (None, 0.7))
    assert none.found
    assert strict.found
    assert none.off is not None
    assert none.off < 0.003
    assert 0 < strict.matches < none.matches
    assert strict.right / strict.matches > none.right / none.matches
    assert none.seconds > 0
    # The ratio asked afterwards keeps what the matcher would have kept.
    first, second = bench._pair(turned)
    direct = tp.match(first, second.image, extractor="sift", matcher=Candidate(
        extractor=get_extractor("sift"), ratio=0.7).matcher)  # fmt: skip
    assert len(direct.matches) == strict.matches


def bench_outcomes(bench: Workbench, trial: Trial, ratios: tuple[float | None, ...]) -> list[Outcome]:
    measured = bench.measure(get_extractor("sift"), ratios, trial)
    assert isinstance(measured, list)
    return measured


def test_nothing_found_is_an_outcome(flat: Image) -> None:
    trial = Trial(photo=0, megapixels=0.1, change=Change(name="a", noise=0))
    measured = Workbench([flat]).measure(get_extractor("orb"), (None, 0.8), trial)
    assert isinstance(measured, list)
    assert [(one.matches, one.right, one.off, one.score) for one in measured] == [(0, 0, None, 0)] * 2


@dataclass(frozen=True, kw_only=True)
class Weak(Fake):
    def extract(self, image: Image, mask: ArrayLike | Image | None = None) -> Features:  # noqa: ARG002
        raise tp.DataError("weak does not like this photo")


def test_an_extractor_that_a_photo_is_too_much_for(scene: RenderedPair) -> None:
    trial = Trial(photo=0, megapixels=0.1, change=Change(name="a"))
    failed = Workbench([scene.image0]).measure(Weak(), (None,), trial)
    assert failed == Failure(trial=trial, reason="weak does not like this photo")


@pytest.fixture(scope="module")
def few() -> Iterator[pytest.MonkeyPatch]:
    """The fewest changes there can be, however long it takes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "_USUAL_BUDGET", 1e9)
        yield patch


@pytest.fixture(scope="module")
def tuning(scene: RenderedPair, few: pytest.MonkeyPatch) -> Tuning:
    few.setattr(candidates, "_GRID", {"orb": ({},), "sift": ({}, {"max_keypoints": 300})})
    return tune([scene.image0, scene.image1], extractors=["orb", "sift"], budget=600, workers=0)


def test_tune_reports_on_what_was_kept_aside(tuning: Tuning) -> None:
    assert tuning.complete
    assert tuning.recommended is not None
    assert tuning.recommended.candidate.extractor.name == "sift"
    held_out = tuning.recommended.held_out
    assert held_out is not None
    assert held_out.trials == 6
    low, high = held_out.score_interval
    assert low <= held_out.score <= high
    assert held_out.found_interval[1] < 1 or held_out.found == 1
    assert held_out.found_interval[0] < 1
    assert tuning.default is not None
    assert tuning.default.candidate.words == "rootsift, ratio 0.8"
    assert tuning.default.tuned is None
    assert [photo.role for photo in tuning.photos] == ["tuned on", "kept aside"]
    assert len(tuning.rows) == 4
    finalists = [row for row in tuning.rows if row.held_out is not None]
    assert tuning.rows[: len(finalists)] == tuple(finalists)
    assert all(row.fate for row in tuning.rows)


def test_a_worker_finds_what_this_process_finds(scene: RenderedPair, few: pytest.MonkeyPatch) -> None:
    few.setattr(candidates, "_GRID", {"orb": ({}, {"max_keypoints": 300})})
    said: list[tuple[str, float]] = []

    def progress(words: str, gone: float) -> None:
        said.append((words, gone))

    alone = tune([scene.image0], extractors=["orb"], budget=600, workers=0)
    other = tune([scene.image0], extractors=["orb"], budget=600, workers=1, progress=progress)
    assert other.complete
    assert other.workers == 1
    rows = [{row.words: row.tuned.score for row in t.rows if row.tuned} for t in (alone, other)]
    assert len(rows[0]) == 2
    assert rows[0] == rows[1]
    assert said[0][0] == "round 1 of 4, 2 candidates"
    assert [gone for _, gone in said] == sorted(gone for _, gone in said)


def test_no_time_for_anything(scene: RenderedPair) -> None:
    nothing = tune([scene.image0], extractors=["orb"], budget=1e-6, workers=0)
    assert nothing.recommended is None
    assert nothing.best is None
    assert not nothing.complete
    assert {row.fate for row in nothing.rows} == {"time ran out before it was tried"}


def test_photos_are_reduced_and_counted() -> None:
    large = tp.Image(pixels=np.zeros((1500, 2000, 3), np.uint8))
    small = tp.Image(pixels=np.zeros((64, 64), np.uint8), path="b.png")
    result = tune([large, *[small] * 11], extractors=["orb"], budget=1e-6, workers=0)
    assert result.photos[0].size == (2000, 1500)
    assert np.prod(result.photos[0].tried_at) == pytest.approx(2e6, rel=0.01)
    assert result.photos[1].path == "b.png"
    assert [photo.role for photo in result.photos].count("not used") == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"budget": 0}, "budget must be a number above 0"),
        ({"budget": float("nan")}, "budget must be a number above 0"),
        ({"workers": -1}, "workers must be a whole number from 0"),
        ({"seed": -1}, "seed must be a whole number from 0"),
        ({"seed": LARGEST_SEED + 1}, "seed must be a whole number from 0 to 1073741823, not 1073741824"),
        ({"extractors": ["srf"]}, "there is no extractor"),
        ({"without": ["rotate"]}, "there is no kind of change"),
    ],
)
def test_wrong_options_are_told_before_a_photo_is_read(options: dict[str, object], words: str) -> None:
    def photos() -> Iterator[Image]:
        yield pytest.fail("a photo was read")

    with pytest.raises(tp.OptionError, match=words):
        tune(photos(), **options)  # type: ignore[arg-type]


def test_no_photo_at_all() -> None:
    with pytest.raises(tp.DataError, match="at least one photo"):
        tune([])
