"""Pairs of photos put to the verdict: what evidence there is, and what is true."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tiepoint.evaluation.calibration.methods import Methods
from tiepoint.evaluation.calibration.photos import Truth, labelled_photos, real_pairs
from tiepoint.evaluation.calibration.truth import confirmed
from tiepoint.evaluation.datasets import HomographyTruth
from tiepoint.evaluation.tune import draw_changes, pair
from tiepoint.images import read_image
from tiepoint.types import Geometry
from tiepoint.verdict import evidence

_MADE_OF_A_PHOTO = 2


@dataclass(frozen=True)
class Trial:
    """One pair, as it goes into the fit.

    Attributes
    ----------
    name : str
        Of the photos; of a changed copy, what was changed.
    kind : str
        "same" (two photos of one scene), "made" (a photo and a changed copy) or "different".
    scenes : (str, str)
    found : bool
        Whether a geometry was found.
    right : bool | None
        Whether the truth confirms it; None where nobody knows.
    evidence : dict[str, float]
        See :func:`tiepoint.verdict.evidence`.
    """

    name: str
    kind: str
    scenes: tuple[str, str]
    found: bool
    right: bool | None
    evidence: dict[str, float]

    @property
    def label(self) -> bool:
        """What the probability is to say: the same scene, and not by a geometry that is known to be wrong."""
        return self.kind != "different" and not (self.found and self.right is False)

    @property
    def turned(self) -> bool:
        """Whether the copy was turned."""
        return self.kind == "made" and ("turned" in self.name or "rotation" in self.name)

    def document(self) -> dict[str, object]:
        """Return it as plain data for JSON."""
        return asdict(self)


def trials(
    root: Path, methods: Methods, *, negatives: int | None = None, done: Iterable[str] = ()
) -> Iterator[Trial]:
    """Yield a trial for every pair of the photos, in a fixed order.

    For a union, of those in which each of its methods found a match: the others are judged by fewer methods.

    Parameters
    ----------
    root : Path
        A folder with ``scenes.json`` and ``pairs/pairs.json``.
    methods : Methods
    negatives : int, optional
        So many pairs of different scenes, drawn at random, and those that lie in one folder; else all.
    done : iterable of str
        Names of trials to leave out.
    """
    skip = set(done)
    pairs = list(real_pairs(root))
    same = [one for one in pairs if one.same]
    different = [one for one in pairs if one.same is False]
    if negatives is not None and negatives < len(different):
        chosen = np.zeros(len(different), np.bool_)
        chosen[np.random.default_rng(0).choice(len(different), negatives, replace=False)] = True
        # Whoever put two scenes into one folder wanted them compared.
        different = [
            one for k, one in enumerate(different) if chosen[k] or one.photo0.folder == one.photo1.folder
        ]
    for one in (*same, *different):
        if one.name not in skip:
            kind = "same" if one.same else "different"
            scenes = one.photo0.scene, one.photo1.scene
            geometry = methods.geometry(one.name, one.photo0.path, one.photo1.path)
            if methods.all_took_part(geometry):
                yield _trial(one.name, kind, scenes, geometry, one.truth)
    yield from _made(root, methods, skip)


def _made(root: Path, methods: Methods, skip: set[str]) -> Iterator[Trial]:
    photos = labelled_photos(root)
    changes = draw_changes(_MADE_OF_A_PHOTO * len(photos), seed=7)
    for number, change in enumerate(changes):
        photo = photos[number // _MADE_OF_A_PHOTO]
        name = f"{photo.folder}/{photo.path.stem} {change.name}"
        if name in skip:
            continue
        first, (second, matrix) = pair(read_image(photo.path), change)
        geometry = methods.geometry(name, first, second)
        if methods.all_took_part(geometry):
            truth = HomographyTruth(H_1_from_0=matrix)
            yield _trial(name, "made", (photo.scene, photo.scene), geometry, truth)


def _trial(name: str, kind: str, scenes: tuple[str, str], geometry: Geometry, truth: Truth) -> Trial:
    return Trial(name, kind, scenes, bool(geometry), confirmed(geometry, truth), evidence(geometry))
