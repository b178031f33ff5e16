"""Which candidate to take: successive halving on one part of the pairs, figures from the other part."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from statistics import fmean, median

from tiepoint.errors import DataError
from tiepoint.evaluation.metrics.inputs import above_zero
from tiepoint.evaluation.tune.candidates import ratios_for, settings_to_try
from tiepoint.evaluation.tune.changes import at_most
from tiepoint.evaluation.tune.choice import choose, default_runner, rows_of
from tiepoint.evaluation.tune.plan import LARGEST_SEED, MEGAPIXELS, chosen_photos, kept_aside, planned
from tiepoint.evaluation.tune.race import Clock, Round, Runner, cut, run
from tiepoint.evaluation.tune.recipes import draw_changes
from tiepoint.evaluation.tune.results import PhotoFacts, Tuning
from tiepoint.evaluation.tune.trials import Trial
from tiepoint.evaluation.tune.workers import crew, how_many
from tiepoint.types import Image
from tiepoint.types._arrays import checked_count

Progress = Callable[[str, float], None]


def tune(
    photos: Iterable[Image],
    *,
    extractors: Sequence[str] | None = None,
    budget: float = 120.0,
    workers: int | None = None,
    without: Collection[str] = (),
    seed: int = 0,
    progress: Progress | None = None,
) -> Tuning:
    """Find out which extractor, with which options and which ratio of the matcher, suits photos best.

    Second photos of known geometry are made of the photos: from other places, turned, nearer and further,
    in other light, with noise. All candidates go through a few small ones, the better half through more and
    larger ones, and so on, until a few are left. These go through pairs by which nothing was chosen, of
    other photos where there are two or more, and only the figures of those are reported.

    Of candidates whose scores on the pairs tuned on are within one standard error of the best one's, the
    fastest is recommended if it takes at most four fifths of the best one's time.

    Parameters
    ----------
    photos : iterable of Image
        One or more, of the kind that is to be matched. They are reduced to gray and 2 megapixels, one by one
        as they come; of more than ten, ten are taken. So extractors that look at colour do without it.
    extractors : sequence of str, optional
        Names; by default all that are here. Each is tried with the matcher that it comes with.
    budget : float
        Seconds. The plan follows from it; what then does not fit is listed in the result.
    workers : int, optional
        Processes, of one thread each; by default one for each CPU. 0: in this process, with as many threads
        as the libraries like. Processes need ``if __name__ == "__main__":`` in a script that calls this.
    without : collection of str
        Kinds of change that these photos never go through, such as "rotation"; see ``KINDS``.
    seed : int
        Others, up to 1073741823, give other changes.
    progress : callable, optional
        Told what is going on, in words, and which share of the budget is gone.

    Returns
    -------
    Tuning
        The same for the same arguments, but for what depends on measured times: what does not fit the
        budget, and which of equally good candidates is faster.

    Raises
    ------
    DataError
        If there is no photo.
    OptionError
        If a name is unknown or an option out of range.
    MissingError
        If a named extractor is not installed.

    References
    ----------
    Halving: Jamieson, Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization",
    AISTATS 2016. The rule of one standard error: Breiman et al., "Classification and regression trees",
    1984.

    Examples
    --------
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.evaluation.tune import tune
    >>> scene = render_demo(width=240, height=180)
    >>> result = tune([scene.image0, scene.image1], extractors=["orb"], budget=30, workers=0)
    >>> result.recommended.candidate.extractor.name
    'orb'
    """
    checked_count("seed", seed, most=LARGEST_SEED)
    seconds, hands = above_zero("budget", budget), how_many(workers)
    runners = [Runner(extractor=one, ratios=ratios_for(one)) for one in settings_to_try(extractors)]
    draw_changes(1, without=without)  # a wrong name is told before the photos are read
    tried = [(photo.size, at_most(photo, MEGAPIXELS)) for photo in photos]
    if not tried:
        raise DataError("tuning needs at least one photo")
    clock = Clock(start=time.perf_counter(), budget=seconds, workers=max(1, hands))
    used = chosen_photos(len(tried))
    images = [tried[k][1] for k in used]
    rounds = planned(len(images), clock.budget, seed=seed, without=without)

    def scale(trial: Trial) -> float:
        return trial.megapixels * 1e6 / (images[trial.photo].width * images[trial.photo].height)

    def told(this: Round, who: Sequence[Runner]) -> Callable[[], None]:
        inside = sum(not runner.fate for runner in who)
        words = f"round {this.number} of {len(rounds)}, {inside} candidate{'s' * (inside != 1)}"
        return lambda: progress(words, min(1.0, clock.gone)) if progress else None

    complete = True
    with crew(images, hands) as workbenches:
        for k, this in enumerate(rounds[:-1], start=1):
            complete &= run(workbenches, runners, this, clock, scale, told(this, runners))
            if k < len(rounds) - 1:
                cut(runners, rounds[:k])
        chosen = choose(runners, rounds[:-1], default_runner())
        last, finalists = rounds[-1], chosen.finalists
        complete &= run(workbenches, finalists, last, clock, scale, told(last, finalists))
    rows, choice = rows_of(runners, chosen, rounds)
    return Tuning(
        photos=_photo_facts(tried, used, chosen.recommended),
        rows=rows,
        **choice,
        budget=clock.budget,
        seconds=clock.gone * clock.budget,
        complete=complete,
        seed=seed,
        without=tuple(without),
        workers=hands,
    )


def _photo_facts(
    tried: Sequence[tuple[tuple[int, int], Image]], used: Sequence[int], recommended: Runner | None
) -> tuple[PhotoFacts, ...]:
    facts = []
    aside = kept_aside(len(used))
    for k, (size, image) in enumerate(tried):
        number = used.index(k) if k in used else None
        role = "not used" if number is None else "kept aside" if number in aside else "tuned on"
        outcomes = [] if recommended is None or number is None else recommended.of_photo(number)
        facts.append(
            PhotoFacts(
                name=image.path or f"photo {k + 1}",
                path=image.path,
                size=size,
                tried_at=image.size,
                role=role,
                found=fmean(one.found for one in outcomes) if outcomes else None,
                right=median(one.right for one in outcomes) if outcomes else None,
            )
        )
    return tuple(facts)
