"""Methods by their names, on many pairs: what was made once is kept."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from tiepoint.extractors import Extractor, get_extractor
from tiepoint.files import make_folder
from tiepoint.formats import load_npz, save_npz
from tiepoint.geometry import verify
from tiepoint.images import read_image
from tiepoint.matchers import View, get_matcher
from tiepoint.pipeline.auto import join_matches
from tiepoint.pipeline.moves import TURNS, Move, geometry_back
from tiepoint.pipeline.stages import Attempt, may_be_turned, usual_matcher
from tiepoint.types import Features, Geometry, Image, Matches
from tiepoint.verdict import judge

_AS_IS = Move()


def attempts(method: str) -> tuple[Attempt, ...]:
    """Read a method, such as "rootsift", "xfeat+nearest" or, for their union, "rootsift,xfeat".

    Examples
    --------
    >>> from tiepoint.evaluation.calibration import attempts
    >>> [(one.extractor.name, one.matcher.name) for one in attempts("orb,sift+nearest")]
    [('orb', 'nearest'), ('sift', 'nearest')]
    """
    found = []
    for words in method.split(","):
        name, _, matcher = words.strip().partition("+")
        extractor = get_extractor(name)
        found.append(Attempt(extractor, get_matcher(matcher) if matcher else usual_matcher(extractor)))
    return tuple(found)


class Methods:
    """One or several methods with default options; features are kept, and on request the matches on disk.

    Parameters
    ----------
    method : str
        See :func:`attempts`.
    kept : Path, optional
        A folder for the matches of each pair, so that learned ones need not be made again for a union, or
        after a change of the verification.
    """

    def __init__(self, method: str, kept: Path | None = None) -> None:
        self._attempts = attempts(method)
        self._kept = kept
        self._features: dict[tuple[Path, Extractor, Move], Features] = {}

    def geometry(self, name: str, image0: Path | Image, image1: Path | Image) -> Geometry:
        """Match a pair of this name and verify it.

        A method that finds no match takes no part in a union, as in ``auto``. One method alone tries photo 1
        turned as :func:`tiepoint.match` does: by the verdict as it was fitted before.
        """
        parts = [(one, self._matches(name, one, image0, image1)) for one in self._attempts]
        parts = [(one, matches) for one, matches in parts if len(matches)] or parts[:1]
        if len(parts) > 1:
            return verify(join_matches([matches for _, matches in parts]))
        [(attempt, matches)] = parts
        found = self._verified(attempt, matches, image0, image1)
        if len(self._attempts) > 1 or not may_be_turned(found, judge(found, extractor=attempt.source)):
            return found
        turned = (self._turned(name, attempt, image0, image1, move) for move in TURNS)
        return next((one for one in turned if judge(one, extractor=attempt.source).answer == "yes"), found)

    def _turned(
        self, name: str, attempt: Attempt, image0: Path | Image, image1: Path | Image, move: Move
    ) -> Geometry:
        matches = self._matches(f"{name} {move.called}", attempt, image0, image1, move)
        found = self._verified(attempt, matches, image0, image1, move)
        return geometry_back(found, move, read_image(image1).size)

    def _verified(
        self,
        attempt: Attempt,
        matches: Matches,
        image0: Path | Image,
        image1: Path | Image,
        move: Move = _AS_IS,
    ) -> Geometry:
        if matches.pairs is None or matches.score is not None:  # then verify has no use for features
            return verify(matches)
        features0, features1 = self._of(image0, attempt.extractor), self._of(image1, attempt.extractor, move)
        return verify(matches, features0=features0, features1=features1)

    def all_took_part(self, geometry: Geometry) -> bool:
        """Tell whether each of the methods has found a match, or there is but one."""
        sources = {str(name) for name in np.unique(geometry.matches.source)}
        return len(self._attempts) == 1 or sources == {one.source for one in self._attempts}

    def _matches(
        self,
        name: str,
        attempt: Attempt,
        image0: Path | Image,
        image1: Path | Image,
        move: Move = _AS_IS,
    ) -> Matches:
        path = None
        if self._kept is not None:
            method = f"{attempt.extractor.name}+{attempt.matcher.name}"
            path = self._kept / method / f"{name.replace('/', '_').replace(' ', '__')}.npz"
            if path.exists():
                matches: Matches = load_npz(path)
                return matches
        views = [
            View(
                image=how.of(image) if isinstance(image, Image) else None,
                features=partial(self._of, image, attempt.extractor, how),
            )
            for image, how in ((image0, _AS_IS), (image1, move))
        ]
        matches = attempt.matcher.match(*views)
        if path is not None:
            save_npz(make_folder(path.parent) / path.name, matches)
        return matches

    def _of(self, image: Path | Image, extractor: Extractor, move: Move = _AS_IS) -> Features:
        if isinstance(image, Image):
            return extractor.extract(move.of(image))
        key = image, extractor, move
        if key not in self._features:
            self._features[key] = extractor.extract(move.of(read_image(image)))
        return self._features[key]
