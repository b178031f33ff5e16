"""One method on two photos: extract, match, verify, judge, each timed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.extractors import Extractor
from tiepoint.geometry import verify as verify_matches
from tiepoint.geometry.cameras import camera_of
from tiepoint.images import Photo, read_image
from tiepoint.matchers import Matcher, NearestNeighbour, View, get_matcher
from tiepoint.pipeline.moves import MIRRORED, TURNS, Move, carried_back
from tiepoint.types import Features, Geometry, Image, MatchResult, Verdict
from tiepoint.verdict import judge

# The ratio test where nothing else is asked for. docs/benchmarks.md shows the measurements behind it.
RATIO = 0.8
# Share of the matches that agree, from which on nobody asks for the mirror image.
_MOST_OF_THEM = 0.6
_TIMES_AS_MANY = 4  # as agree on the photo as it is
_FEW = 30  # of a photo that is turned, fewer matches agree


@dataclass(frozen=True)
class Verification:
    """What is asked of the geometry; see :func:`tiepoint.verify`."""

    wanted: bool = True
    model: str = "auto"
    max_error: float | None = None


@dataclass(frozen=True)
class Attempt:
    """An extractor and a matcher."""

    extractor: Extractor
    matcher: Matcher

    @property
    def source(self) -> str:
        """What :class:`tiepoint.Matches` calls the matches of these two."""
        if not self.matcher.takes_features:
            return self.matcher.name
        if self.matcher.name == NearestNeighbour.name:
            return self.extractor.name
        return f"{self.extractor.name}+{self.matcher.name}"


@dataclass
class Stages:
    """Two photos on which methods are tried; features of photo 0 are kept from one try to the next.

    Attributes
    ----------
    image0, image1 : Image
    verification : Verification
    seconds : dict[str, float]
        Wall-clock seconds per stage, of all tries.
    """

    image0: Image
    image1: Image
    verification: Verification
    seconds: dict[str, float]
    _known: dict[Extractor, Features] = field(default_factory=dict)
    _inner: float = 0.0

    @classmethod
    def read(cls, photo0: Photo, photo1: Photo, verification: Verification) -> Stages:
        """Read both photos."""
        start = time.perf_counter()
        image0, image1 = (read_image(photo) for photo in (photo0, photo1))
        return cls(image0, image1, verification, {"read": time.perf_counter() - start})

    def tried(self, attempt: Attempt, move: Move | None = None) -> MatchResult:
        """Return what one method finds, perhaps with photo 1 moved; all in the coordinates of the photos."""
        image1 = self.image1 if move is None else move.of(self.image1)
        view0 = View(image=self.image0, features=partial(self._features0, attempt.extractor))
        view1 = View(image=image1, features=partial(self._extracted, attempt.extractor, image1))
        with self._clock("match"):
            candidates, matches = attempt.matcher.match_with_candidates(view0, view1)
        features0, features1 = view0.extracted, view1.extracted
        result = MatchResult(
            image0=self.image0,
            image1=image1,
            features0=features0,
            features1=features1,
            candidates=candidates,
            matches=matches,
            log=_remarks([features0, features1]),
            methods=(_described(attempt, features0),),
        )
        result = self.judged(result, attempt.source)
        return result if move is None else carried_back(result, self.image1, move)

    def judged(self, result: MatchResult, source: str) -> MatchResult:
        """Verify and judge the matches of a result, if that is asked for; ``source`` is what made them."""
        if not self.verification.wanted:
            return result
        with self._clock("verify"):
            model = self.verification.model
            cameras = _cameras(result.image0, result.image1) if model == "essential" else {}
            geometry = verify_matches(
                result.matches,
                model=model,
                max_error=self.verification.max_error,
                features0=result.features0,
                features1=result.features1,
                **cameras,
            )
            return replace(result, geometry=geometry, verdict=judge(geometry, extractor=source))

    def tried_all_ways(self, attempt: Attempt) -> MatchResult:
        """Return what one method finds; where that is little, with photo 1 turned and mirrored, too."""
        result = self.tried(attempt)
        if result.geometry is None or result.verdict is None or result.verdict.probability is None:
            return result  # without a probability nothing is a yes, turned or not
        if may_be_turned(result.geometry, result.verdict):
            result = next((turned for turned in self._turned(attempt) if is_yes(turned)), result)
        if _settled(result):
            return result
        other = self.tried(attempt, MIRRORED)
        # A symmetric front is seen in the mirror as well, by learned matchers even better than as it is. What
        # is shown mirrored has hardly any match as it is.
        needed = _TIMES_AS_MANY * agreeing(result)
        return other if is_yes(other) and agreeing(other) > needed else result

    def _turned(self, attempt: Attempt) -> Iterator[MatchResult]:
        """Yield what one method finds with photo 1 turned by each of the right angles."""
        for move in TURNS:
            turned = self.tried(attempt, move)
            remark = f"photo 1 was {move.called} for {attempt.source}, which cannot match turned photos"
            yield replace(turned, log=(*turned.log, remark))

    def _features0(self, extractor: Extractor) -> Features:
        if extractor not in self._known:
            self._known[extractor] = self._extracted(extractor, self.image0)
        return self._known[extractor]

    def _extracted(self, extractor: Extractor, image: Image) -> Features:
        with self._clock("extract"):
            return extractor.extract(image)

    @contextmanager
    def _clock(self, stage: str) -> Iterator[None]:
        """Time a stage; one inside another is not counted twice."""
        start, outer, self._inner = time.perf_counter(), self._inner, 0.0
        try:
            yield
        finally:
            elapsed = time.perf_counter() - start
            self.seconds[stage] = self.seconds.get(stage, 0.0) + elapsed - self._inner
            self._inner = outer + elapsed


def usual_matcher(extractor: Extractor) -> Matcher:
    """Return the matcher for an extractor where none is asked for: of descriptors, with the ratio test."""
    if extractor.matcher == NearestNeighbour.name:
        return NearestNeighbour(ratio=RATIO)
    return get_matcher(extractor.matcher)


def is_yes(result: MatchResult) -> bool:
    """Tell whether the verdict is yes."""
    return result.verdict is not None and result.verdict.answer == "yes"


def agreeing(result: MatchResult) -> int:
    """Count the inliers among the matches, without those won by guided matching."""
    return 0 if result.geometry is None else _agreeing(result.geometry)


def _agreeing(geometry: Geometry) -> int:
    return int(np.count_nonzero(geometry.inliers[: geometry.own]))


def may_be_turned(geometry: Geometry, verdict: Verdict) -> bool:
    """Tell whether as little agrees as where one photo is turned, of matches that do not survive that.

    Those are the matches whose keypoints have no angle. Without a probability no turn would be a yes either.
    """
    if verdict.probability is None or verdict.answer == "yes":
        return False
    return geometry.matches.angle0 is None and _agreeing(geometry) < _FEW


def _described(attempt: Attempt, features: Features | None) -> dict[str, Any]:
    """Return what made the matches, as plain data."""
    extractor, matcher = attempt.extractor, attempt.matcher
    described: dict[str, Any] = {"extractor": None, "settings": {}}
    if matcher.takes_features:
        settings = extractor.settings() if features is None else dict(features.settings)
        described = {"extractor": extractor.name, "settings": settings}
    return {**described, "matcher": {"name": matcher.name, **matcher.used(extractor.name)}}


def _settled(result: MatchResult) -> bool:
    """Whether nothing speaks for looking at the mirror image: a symmetric front matches its own, too."""
    return is_yes(result) and agreeing(result) >= _MOST_OF_THEM * len(result.matches)


def _cameras(image0: Image, image1: Image) -> dict[str, NDArray[np.float64]]:
    """Return the cameras that the photos' EXIF blocks tell of, by the names of verify's parameters."""
    known = {"camera0": camera_of(image0), "camera1": camera_of(image1)}
    return {name: camera for name, camera in known.items() if camera is not None}


def _remarks(features: list[Features | None]) -> tuple[str, ...]:
    return tuple(
        f"photo {number} has no features: nothing in it stands out for {found.extractor}"
        for number, found in enumerate(features)
        if found is not None and len(found) == 0
    )
