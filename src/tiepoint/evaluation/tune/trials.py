"""One trial: an extractor, with some ratios, on a photo and a change of it; what comes again is kept."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tiepoint.errors import TiepointError
from tiepoint.evaluation.bench import Extracted, timed_features
from tiepoint.evaluation.metrics import corner_error, matching_errors
from tiepoint.evaluation.tune.candidates import Candidate
from tiepoint.evaluation.tune.changes import Change, Changed, at_most, pair
from tiepoint.evaluation.tune.views import Matrix
from tiepoint.extractors import Extractor
from tiepoint.geometry import estimate_homography
from tiepoint.matchers import View
from tiepoint.types import Image, Matches

RIGHT_WITHIN = 3.0  # pixels of photo 1, of a match
RIGHT_OFF = 0.01  # of a homography that counts as found
WORTHLESS_OFF = 0.005  # of one that gets no mark for accuracy any more: 3 pixels of 600
FULL_MARKS = 2048  # right matches without a wrong one, beyond which more do not count
MAX_ERROR = 2.0  # pixels, of the estimator
# Of the estimator: where one match in ten is right, two of three runs find four of these.
MOST_SAMPLES = 10_000


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A pair to be made: of which photo, at how many megapixels, by which change."""

    photo: int
    megapixels: float
    change: Change


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a trial with one ratio.

    Attributes
    ----------
    trial : Trial
    ratio : float | None
    matches : int
    right : int
        Matches within 3 pixels of the truth.
    off : float | None
        Of the estimated homography: the mean error of photo 0's corners, over the size at which photo 0
        appears in photo 1 (the square root of its area). None if there is no homography.
    seconds : float
        To extract both photos, match and estimate: on one thread in a worker process, without workers on as
        many as the libraries like.

    Examples
    --------
    >>> from tiepoint.evaluation.tune import Change, Outcome, Trial
    >>> trial = Trial(photo=0, megapixels=2, change=Change(name="turned", roll=30))
    >>> outcome = Outcome(trial=trial, ratio=0.8, matches=320, right=256, off=0.001, seconds=0.4)
    >>> round(outcome.accuracy, 2), round(outcome.abundance, 2), round(outcome.score, 2)
    (0.8, 0.67, 0.54)
    """

    trial: Trial
    ratio: float | None
    matches: int
    right: int
    off: float | None
    seconds: float

    @property
    def found(self) -> bool:
        """Whether the homography is right: off by at most a hundredth."""
        return self.off is not None and self.off <= RIGHT_OFF

    @property
    def accuracy(self) -> float:
        """1 for a perfect homography, 0 for one that is off by half a hundredth or more, or for none."""
        return 0.0 if self.off is None else max(0.0, 1 - self.off / WORTHLESS_OFF)

    @property
    def abundance(self) -> float:
        """1 for 2048 right matches and no wrong one, an eleventh less for each halving; wrong ones cost."""
        precision = self.right / max(self.matches, 1)
        return min(1.0, math.log2(1 + self.right * precision**2) / math.log2(1 + FULL_MARKS))

    @property
    def score(self) -> float:
        """Accuracy times abundance, 0 to 1."""
        return self.accuracy * self.abundance


@dataclass(frozen=True, kw_only=True)
class Failure:
    """An extractor that a photo was too much for, and why."""

    trial: Trial
    reason: str


class Workbench:
    """Photos, and the pairs and features that were made of them last.

    Examples
    --------
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.evaluation.tune import Change, Trial, Workbench
    >>> from tiepoint.extractors import get_extractor
    >>> bench = Workbench([render_demo(width=400, height=300).image0])
    >>> trial = Trial(photo=0, megapixels=0.1, change=Change(name="turned", kind="rotation", roll=90))
    >>> [outcome] = bench.measure(get_extractor("sift"), [0.8], trial)
    >>> outcome.found, outcome.right > 0.9 * outcome.matches > 50
    (True, True)
    """

    def __init__(self, photos: Sequence[Image]) -> None:
        self._photos = tuple(photos)
        self._pair = lru_cache(maxsize=4)(self._made)
        # By what the first photo depends on: not on how the second was changed.
        self._first: dict[tuple[Extractor, int, float, int], Extracted] = {}

    def measure(
        self, extractor: Extractor, ratios: Sequence[float | None], trial: Trial
    ) -> list[Outcome] | Failure:
        """Extract and match once, then filter and estimate with each ratio."""
        image0, (image1, H_1_from_0) = self._pair(trial)
        try:
            extracted = [self._extracted_first(extractor, trial, image0), timed_features(image1, extractor)]
            start = time.perf_counter()
            matches = Candidate(extractor=extractor).matcher.match(
                *(View(features=one.features) for one in extracted)
            )
        except TiepointError as error:
            return Failure(trial=trial, reason=str(error))
        except MemoryError:
            return Failure(trial=trial, reason=f"{extractor.name} ran out of memory")
        seconds = sum(one.seconds for one in extracted) + time.perf_counter() - start
        # Of cross-checked neighbours the ratio can be asked afterwards as well.
        return [
            _judged(
                matches if ratio is None else matches.where(ratio=ratio),
                ratio,
                trial,
                image0.size,
                H_1_from_0,
                seconds,
            )
            for ratio in ratios
        ]

    def _made(self, trial: Trial) -> tuple[Image, Changed]:
        return pair(at_most(self._photos[trial.photo], trial.megapixels), trial.change)

    def _extracted_first(self, extractor: Extractor, trial: Trial, image: Image) -> Extracted:
        key = extractor, trial.photo, trial.megapixels, trial.change.seed
        if key not in self._first:
            while len(self._first) >= 24:
                del self._first[next(iter(self._first))]
            self._first[key] = timed_features(image, extractor)
        return self._first[key]


def _judged(
    matches: Matches,
    ratio: float | None,
    trial: Trial,
    size: tuple[int, int],
    H_1_from_0: Matrix,
    seconds: float,
) -> Outcome:
    start = time.perf_counter()
    found = estimate_homography(matches.xy0, matches.xy1, max_error=MAX_ERROR, max_iterations=MOST_SAMPLES)
    seconds += time.perf_counter() - start
    error = corner_error(found.matrix, H_1_from_0, size) / _size_in_1(H_1_from_0, size)
    errors = matching_errors(matches.xy0, matches.xy1, H_1_from_0)
    return Outcome(
        trial=trial,
        ratio=ratio,
        matches=len(matches),
        right=int((errors <= RIGHT_WITHIN).sum()),
        off=error if math.isfinite(error) else None,
        seconds=seconds,
    )


def _size_in_1(H_1_from_0: Matrix, size: tuple[int, int]) -> float:
    """Return the square root of the area that photo 0 would cover in photo 1, in pixels."""
    width, height = size
    corners = np.array([(0, 0, 1), (width, 0, 1), (width, height, 1), (0, height, 1)]) @ H_1_from_0.T
    x, y = (corners[:, :2] / corners[:, 2:]).T
    return math.sqrt(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)
