"""Two photos to tie points: read, extract, match, in a row."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from tiepoint.extractors import Extractor, get_extractor
from tiepoint.images import Photo, read_image
from tiepoint.matchers import Matcher, NearestNeighbour, View, get_matcher
from tiepoint.types import Features, Image, MatchResult

# What is used where nothing else is asked for. docs/benchmarks.md shows the measurements behind it.
EXTRACTOR = "rootsift"
RATIO = 0.8


def match(
    photo0: Photo,
    photo1: Photo,
    *,
    extractor: str | Extractor = EXTRACTOR,
    matcher: str | Matcher | None = None,
    max_keypoints: int | None = None,
) -> MatchResult:
    """Match two photos.

    Parameters
    ----------
    photo0, photo1 : Image, path, array, bytes, ...
        Anything that :func:`tiepoint.read_image` takes.
    extractor : str or Extractor
        A name that ``tiepoint methods`` lists, or an object with its options. RootSIFT by default: at the
        cost of SIFT it finds more right matches and fewer wrong ones.
    matcher : str or Matcher, optional
        By default nearest neighbours with cross-check and ratio test at 0.8, after which nine of ten
        matches were right in the measurements. "nearest" is the cross-check alone.
    max_keypoints : int, optional
        At most so many keypoints in each photo, for an extractor given by name.

    Returns
    -------
    MatchResult
        All nearest neighbours are in ``candidates``, what passed the filters in ``matches``.

    Raises
    ------
    ReadError
        If a photo cannot be read.
    OptionError
        If a name or an option is unknown or out of range.
    MissingError
        If the extractor's backend is not installed.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> scene = render_demo()
    >>> result = tp.match(scene.image0, scene.image1, extractor="orb", max_keypoints=500)
    >>> [stage for stage, count in result.matches.funnel]
    ['keypoints 0', 'keypoints 1', 'nearest', 'mutual', 'ratio']
    """
    options = {} if max_keypoints is None else {"max_keypoints": max_keypoints}
    chosen = get_extractor(extractor, **options)
    chosen_matcher = NearestNeighbour(ratio=RATIO) if matcher is None else get_matcher(matcher)

    clock = _Clock()
    with clock("read"):
        images = [read_image(photo) for photo in (photo0, photo1)]

    def features_of(image: Image) -> Features:
        with clock("extract"):
            return chosen.extract(image)

    views = [View(image=image, features=partial(features_of, image)) for image in images]
    with clock("match"):
        candidates, matches = chosen_matcher.match_with_candidates(*views)
    features = [view.extracted for view in views]
    return MatchResult(
        image0=images[0],
        image1=images[1],
        features0=features[0],
        features1=features[1],
        candidates=candidates,
        matches=matches,
        seconds=clock.seconds,
        log=_remarks(features),
    )


def _remarks(features: list[Features | None]) -> tuple[str, ...]:
    return tuple(
        f"photo {number} has no features: nothing in it stands out for {found.extractor}"
        for number, found in enumerate(features)
        if found is not None and len(found) == 0
    )


class _Clock:
    """Wall-clock seconds per stage; a stage inside another is not counted twice."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._inner = 0.0

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start, outer, self._inner = time.perf_counter(), self._inner, 0.0
        try:
            yield
        finally:
            elapsed = time.perf_counter() - start
            self.seconds[stage] = self.seconds.get(stage, 0.0) + elapsed - self._inner
            self._inner = outer + elapsed
