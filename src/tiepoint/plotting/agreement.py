"""Which matches agree on the geometry and which do not: what is shown of both, and the words for it."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from tiepoint.plotting.legend import Keys
from tiepoint.plotting.lines import mark_matches
from tiepoint.plotting.outline import border, mark_border
from tiepoint.plotting.photo import caption
from tiepoint.plotting.scene import Pen, Scene
from tiepoint.plotting.selection import checked_top, funnel_line, methods, ranked, shown_of, strongest
from tiepoint.plotting.style import AGREE, OUTLINE, REJECTED
from tiepoint.types import Geometry, Matches, MatchResult

_MOST_AGREE, _MOST_REJECTED, _SOME_REJECTED = 60, 30, 5
_REJECTED_WEIGHT = 0.6


def agreement_scene(
    result: MatchResult, geometry: Geometry, top: int | None, title: str | None, *, outline: bool = True
) -> Scene:
    """Return the picture of the matches of a geometry: those that agree above those that are rejected.

    Parameters
    ----------
    result : MatchResult
        With the photos, and the verdict if there is one.
    geometry : Geometry
    top : int | None
        Draw so many: the strongest of those that agree, and if these are fewer, the strongest rejected;
        None draws at most 60, and of the rejected the same share, but at least 5 and at most 30: then the
        picture is about as right as the matches are.
    title : str | None
        None writes what is shown.
    outline : bool
        Whether to draw, for the model of a plane, the border of each photo in the other.
    """
    agree, rejected = geometry.matches[geometry.inliers], geometry.matches[~geometry.inliers]
    shown = strongest(agree, checked_top(top, _MOST_AGREE))
    most = _rejected(len(shown), len(agree), len(rejected)) if top is None else top - len(shown)
    others = strongest(rejected, most)
    if title is None:
        title = _title(result, geometry, len(shown), len(others))
    borders = _borders(geometry) if outline else ()

    def mark(pen: Pen) -> None:
        draw = partial(mark_matches, pen)
        draw(others, _of_one(REJECTED, others), numbered=False, weight=_REJECTED_WEIGHT, order=1.8)
        draw(shown, _of_one(AGREE, shown), numbered=True)
        for photo, parts in enumerate(borders):
            mark_border(pen, photo, parts)

    photos = (result.image0, result.image1)
    entries = [(AGREE, f"{len(agree)} agree"), (REJECTED, f"{len(rejected)} rejected")]
    if any(map(len, borders)):
        entries.append((OUTLINE, "border of the other photo"))
    return Scene(photos, title, tuple(map(caption, photos)), mark, Keys(tuple(entries)))


def _rejected(shown: int, agree: int, rejected: int) -> int:
    """Return how many rejected matches to draw at most, beside those shown of all that agree."""
    share = shown / agree if agree else 1.0
    return min(_MOST_REJECTED, max(_SOME_REJECTED, round(share * rejected)))


def _title(result: MatchResult, geometry: Geometry, shown: int, others: int) -> str:
    matches, count = geometry.matches, geometry.count
    who = methods(matches, result)
    rejected = len(matches) - count
    if geometry:
        line = f"{shown_of(shown, count, 'match', ranked(matches))} that agree{'s' if count == 1 else ''}"
        if others:
            line += f", {others}{'' if others == rejected else f' of {rejected}'} rejected"
    else:
        line = f"{shown_of(others, rejected, 'match', ranked(matches))}, none to trust: {geometry.reason}"
    funnel = list(matches.funnel)
    if geometry.guided:
        funnel.append(("with guided", len(matches)))
    funnel.append(("agree", count))
    lines = [] if result.verdict is None else [str(result.verdict)]
    return "\n".join([*lines, f"{who}: {line}" if who else line, funnel_line(tuple(funnel))])


def _borders(geometry: Geometry) -> tuple[NDArray[np.float64], ...]:
    """Return the border of photo 1 in photo 0, and that of photo 0 in photo 1."""
    H_1_from_0 = geometry.matrix
    if not geometry.planar or H_1_from_0 is None:
        return ()
    matches, size0, size1 = geometry.matches, geometry.matches.image_size0, geometry.matches.image_size1
    H_0_from_1 = np.linalg.inv(H_1_from_0).astype(np.float64)
    return (
        border(H_0_from_1, matches.xy1[geometry.inliers], size1, size0),
        border(H_1_from_0, matches.xy0[geometry.inliers], size0, size1),
    )


def _of_one(colour: str, matches: Matches) -> NDArray[np.float64]:
    from matplotlib.colors import to_rgb

    return np.tile(np.array(to_rgb(colour)), (len(matches), 1))
