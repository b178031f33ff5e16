"""Which photos, how many changes, at what size: the plan, which follows from the budget alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from tiepoint.evaluation.tune.changes import Change
from tiepoint.evaluation.tune.race import Round
from tiepoint.evaluation.tune.recipes import draw_changes
from tiepoint.evaluation.tune.trials import Trial
from tiepoint.options import LARGEST_INTEGER

MEGAPIXELS = 2.0  # larger photos are reduced to so many
MOST_PHOTOS = 10  # of more, so many are taken
LARGEST_SEED = LARGEST_INTEGER // 2  # changes have seeds of up to twice as many and one

_TOGETHER = 3  # changes of one photo in a group
_USUAL_BUDGET = 120.0  # seconds; for others the numbers of groups below are multiplied, up to these factors
_LEAST, _MOST = 0.25, 4.0
# Megapixels, groups, the share of the budget after which no pair is begun, settings and ratios that go on.
# The last round is the one on the pairs kept aside, with those who were chosen.
_ROUNDS = (
    (0.5, 2, 0.28, 10, 3),
    (1.0, 2, 0.45, 4, 2),
    (2.0, 4, 0.72, 4, 1),
    (2.0, 8, 1.00, 4, 1),
)


def chosen_photos(count: int) -> list[int]:
    """Return which of so many photos are used: all, or ten at even distances.

    Examples
    --------
    >>> from tiepoint.evaluation.tune.plan import chosen_photos
    >>> chosen_photos(3), chosen_photos(30)
    ([0, 1, 2], [0, 3, 6, 10, 13, 16, 19, 23, 26, 29])
    """
    if count <= MOST_PHOTOS:
        return list(range(count))
    return [round(k * (count - 1) / (MOST_PHOTOS - 1)) for k in range(MOST_PHOTOS)]


def kept_aside(count: int) -> list[int]:
    """Return which of the used photos candidates are not chosen by: two of five, none of a single one.

    Examples
    --------
    >>> from tiepoint.evaluation.tune.plan import kept_aside
    >>> kept_aside(1), kept_aside(2), kept_aside(10)
    ([], [1], [1, 3, 6, 8])
    """
    return [k for k in range(count) if k % 5 in (1, 3)]


def planned(count: int, budget: float, *, seed: int, without: Collection[str]) -> tuple[Round, ...]:
    """Return the rounds for so many photos; the last one is of the pairs kept aside.

    Examples
    --------
    >>> from tiepoint.evaluation.tune.plan import planned
    >>> [sum(map(len, one.groups)) for one in planned(5, 120, seed=0, without=())]
    [6, 6, 12, 24]
    >>> [sum(map(len, one.groups)) for one in planned(5, 10, seed=0, without=())]
    [3, 3, 3, 6]
    """
    factor = min(max(budget / _USUAL_BUDGET, _LEAST), _MOST)
    groups = [max(1, round(factor * row[1])) for row in _ROUNDS]
    aside = kept_aside(count)
    open_ = [k for k in range(count) if k not in aside]
    # Seeds, so that no change of the pairs kept aside is one of the others.
    fresh = draw_changes(_TOGETHER * groups[-1], seed=2 * seed + 1, without=without)
    drawn = draw_changes(_TOGETHER * sum(groups[:-1]), seed=2 * seed, without=without)
    rounds = []
    begun = 0
    for number, (row, size) in enumerate(zip(_ROUNDS, groups, strict=True), start=1):
        megapixels, _, until, keep, ratios = row
        last = number == len(_ROUNDS)
        changes, photos, first = (fresh, aside or open_, 0) if last else (drawn, open_, begun)
        trials = [_group(changes, photos, first + k, megapixels) for k in range(size)]
        rounds.append(Round(number=number, groups=tuple(trials), until=until, keep=keep, ratios=ratios))
        begun += size
    return tuple(rounds)


def _group(
    changes: Sequence[Change], photos: Sequence[int], number: int, megapixels: float
) -> tuple[Trial, ...]:
    photo = photos[number % len(photos)]
    part = changes[_TOGETHER * number : _TOGETHER * (number + 1)]
    return tuple(Trial(photo=photo, megapixels=megapixels, change=change) for change in part)
