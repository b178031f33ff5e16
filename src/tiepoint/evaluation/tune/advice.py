"""The recommendation in words: what to take, why, what it costs, and when something else is better."""

from __future__ import annotations

from collections.abc import Iterator

from tiepoint.evaluation.tune.plan import MEGAPIXELS, MOST_PHOTOS
from tiepoint.evaluation.tune.race import is_late
from tiepoint.evaluation.tune.results import Figures, Row, Tuning, difference
from tiepoint.images import printable
from tiepoint.pipeline.auto import CLASSICAL

# Below these nothing is called good: the share of pairs whose homography was found, and right matches in the
# median pair.
HELPLESS_FOUND, FEW_RIGHT = 0.5, 50
BARE = 30  # matches in the median pair: with fewer there is nothing in the photo to find
_NOTABLE = 0.03  # of a score
_CLEAR = 0.05  # of a score in one kind of change, which few pairs are of
_ABOUT_AUTO = (
    "The command names one extractor, which then works alone; without --extractor tiepoint match begins "
    f"with {CLASSICAL} and goes on with learned methods, where their weights are, until it can say yes."
)
_NAMED = 4  # settings that are named before "and so many more"


def advice(tuning: Tuning) -> tuple[str, ...]:
    """Return the advice, a few sentences, the most important first.

    Examples
    --------
    >>> import numpy as np
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation.tune import advice, tune
    >>> squares = np.random.default_rng(0).integers(0, 256, (30, 40), np.uint8)
    >>> photo = tp.Image(pixels=np.kron(squares, np.ones((8, 8), np.uint8)))
    >>> result = tune([photo], extractors=["orb"], budget=30, workers=0)
    >>> print(advice(result)[0])  # doctest: +ELLIPSIS
    Take orb...
    """
    return tuple(_sentences(tuning))


def command(tuning: Tuning) -> str | None:
    """Return the command line to use, for the first two photos; None if nothing can be recommended.

    Examples
    --------
    >>> import numpy as np
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation.tune import command, tune
    >>> photo = tp.Image(pixels=np.zeros((240, 320), np.uint8))
    >>> result = tune([photo], extractors=["orb"], budget=0.001, workers=0)  # no time for anything
    >>> print(command(result))
    None
    """
    chosen = tuning.recommended
    if chosen is None or (chosen.held_out is not None and not chosen.held_out.found):
        return None
    paths = [photo.path for photo in tuning.photos if photo.path is not None][:2]
    photo0, photo1 = [*paths, *["A.jpg", "B.jpg"][len(paths) :]]
    return chosen.candidate.command(photo0, photo1)


def _sentences(tuning: Tuning) -> Iterator[str]:
    chosen = tuning.recommended
    if chosen is None or chosen.held_out is None:
        yield from _unfinished(tuning, chosen)
        yield from _left_out(tuning)
        return
    figures = chosen.held_out
    yield from _verdict(chosen, figures)
    yield _evidence(tuning, figures)
    if not figures.found:
        return
    yield from _against_default(tuning, chosen, figures)
    yield from _against_best(tuning, chosen, figures)
    yield from _against_other(tuning, figures)
    yield _ABOUT_AUTO
    yield from _about_photos(tuning)
    yield from _left_out(tuning)


def _unfinished(tuning: Tuning, chosen: Row | None) -> Iterator[str]:
    more = f"give it more with --budget {2 * tuning.budget:g}, or fewer extractors with --extractor."
    if chosen is None or chosen.tuned is None:
        yield f"Time ran out before anything could be recommended; {more}"
    else:
        yield (
            f"So far {chosen.words} did best, with a score of {chosen.tuned.score:.2f}, but time ran out "
            f"before it could be held against pairs that it was not chosen by; {more}"
        )


def _verdict(chosen: Row, figures: Figures) -> Iterator[str]:
    if figures.found >= HELPLESS_FOUND and figures.right >= FEW_RIGHT:
        yield f"Take {chosen.words}."
        return
    if figures.matches < BARE:
        yield (
            "These photos have too little texture for any of the extractors that were tried: the best one "
            f"finds {figures.matches:.0f} matches in the median pair. "
            "Take photos from nearer, sharper, with more in view."
        )
    elif figures.found < HELPLESS_FOUND:
        yield (
            "Nothing that was tried works well on these photos: with the best, "
            f"{100 * (1 - figures.found):.0f} % of the pairs fail. There is texture, but too much of it "
            "looks alike, or it is lost when the light or the viewpoint changes; "
            "take photos with more overlap."
        )
    else:
        yield (
            f"These photos give few matches: with the best, {figures.right:.0f} right ones in the median "
            "pair. Two photos that overlap less than the pairs made here will hardly be matched."
        )
    if figures.found:
        yield f"Of what there is, {chosen.words} did best."


def _evidence(tuning: Tuning, figures: Figures) -> str:
    low, high = figures.found_interval
    aside = sum(photo.role == "kept aside" for photo in tuning.photos)
    where = f"of {aside} photo{'s' * (aside != 1)} " if aside else ""
    return (
        f"On {figures.trials} pairs {where}by which nothing was chosen, the homography came out right in "
        f"{100 * figures.found:.0f} % (95 % interval {100 * low:.0f} to {100 * high:.0f} %), with "
        f"{figures.right:.0f} right matches of {figures.matches:.0f} in the median pair."
    )


def _against_default(tuning: Tuning, chosen: Row, figures: Figures) -> Iterator[str]:
    default = tuning.default
    if default is chosen:
        yield "That is what tiepoint match begins with by default: for it nothing has to be set."
        return
    apart = None if default is None else difference(chosen, default)
    if default is None or default.held_out is None or apart is None:
        return
    low, high = apart.interval
    rival = f"what tiepoint match begins with by default, {default.words}"
    scores = (
        f"the score is {figures.score:.2f} against {default.held_out.score:.2f}, "
        f"the difference {apart.mean:+.2f} (95 % interval {low:+.2f} to {high:+.2f})"
    )
    times = _times(tuning, figures.seconds, default.held_out.seconds)
    if low > 0:
        clearly = "" if apart.mean >= _NOTABLE else "a little "
        yield f"It is {clearly}better than {rival}: {scores}. It takes {times}."
    elif high < 0:
        yield (
            f"But on these pairs {rival}, did better: {scores}. Take that, unless it was left out on purpose."
        )
    else:
        yield (
            f"It is not clearly better than {rival}: {scores}. "
            f"It takes {times}; staying with the default is as good a choice."
        )


def _against_best(tuning: Tuning, chosen: Row, figures: Figures) -> Iterator[str]:
    best = tuning.best
    if best is None or best is chosen or best.tuned is None or chosen.tuned is None or best.held_out is None:
        return
    yield (
        f"While choosing, {best.words} had a score higher by {best.tuned.score - chosen.tuned.score:.3f}, "
        f"which is within the noise, but it takes {_times(tuning, best.held_out.seconds, figures.seconds)}. "
        "Take it where time does not matter."
    )


def _against_other(tuning: Tuning, figures: Figures) -> Iterator[str]:
    other = tuning.other
    if other is None or other.held_out is None:
        return
    theirs = other.held_out
    better = [
        kind
        for kind, score in theirs.score_by_kind.items()
        if score > figures.score_by_kind.get(kind, 1.0) + _CLEAR
    ]
    when = []
    if theirs.seconds < 0.8 * figures.seconds:
        when.append(f"where time matters: it takes {_times(tuning, theirs.seconds, figures.seconds)}")
    if better:
        when.append(f"where what changes most is: {', '.join(better)}")
    yield (
        f"Of other extractors there is {other.words}: score {theirs.score:.2f}, "
        f"{100 * theirs.found:.0f} % of the pairs, {theirs.right:.0f} right matches. "
        + (f"Take it {' or '.join(when)}." if when else "Nothing speaks for it here.")
    )


def _about_photos(tuning: Tuning) -> Iterator[str]:
    poor = [photo for photo in tuning.photos if photo.right is not None and photo.right < FEW_RIGHT]
    if poor and len(poor) < len(tuning.photos):
        names = _listed([printable(photo.name, most=60) for photo in poor])
        yield f"Few right matches come from {names}: too little texture, or too little that is sharp."
    reduced = [photo for photo in tuning.photos if photo.tried_at != photo.size and photo.role != "not used"]
    if reduced:
        longest = max(max(photo.tried_at) for photo in reduced)
        yield (
            f"Photos were reduced to {MEGAPIXELS:g} megapixels. To match at that size too, add "
            f"-o max_size={longest}; without it, keypoints are more precise and more of them are wanted."
        )
    unused = sum(photo.role == "not used" for photo in tuning.photos)
    if unused:
        yield f"Of the {len(tuning.photos)} photos {MOST_PHOTOS} were used, at even distances."


def _left_out(tuning: Tuning) -> Iterator[str]:
    late = [row.words for row in tuning.rows if is_late(row.fate)]
    if late:
        yield (
            f"Not in the budget of {tuning.budget:g} seconds: {_listed(late)}; "
            f"--budget {2 * tuning.budget:g} goes further."
        )
    for row in tuning.rows:
        if row.fate.startswith("failed"):
            yield f"{row.words} {row.fate}."


def _times(tuning: Tuning, seconds: float, others: float) -> str:
    ratio = seconds / max(others, 1e-9)
    compared = f"{ratio:.1f} times as long" if ratio >= 1 else f"{100 * ratio:.0f} % of the time"
    threads = " on one thread" if tuning.workers else ""  # without workers it is for the libraries to choose
    return f"{seconds:.2f} seconds a pair{threads}, {compared}"


def _listed(words: list[str]) -> str:
    more = len(words) - _NAMED
    named = "; ".join(words[:_NAMED])
    return named + (f"; and {more} more" if more > 0 else "")
