"""Two photos to tie points and a verdict: read, extract, match, verify, judge, in a row."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tiepoint.extractors import Extractor, get_extractor
from tiepoint.geometry import verify as verify_matches
from tiepoint.geometry.cameras import camera_of
from tiepoint.images import Photo, read_image
from tiepoint.matchers import Matcher, NearestNeighbour, View, get_matcher
from tiepoint.pipeline.mirror import carried_back, mirror_image
from tiepoint.types import Features, Image, MatchResult
from tiepoint.verdict import judge

# What is used where nothing else is asked for. docs/benchmarks.md shows the measurements behind it.
EXTRACTOR = "rootsift"
RATIO = 0.8
# Share of the matches that agree, from which on nobody asks for the mirror image.
_MOST_OF_THEM = 0.6


def match(
    photo0: Photo,
    photo1: Photo,
    *,
    extractor: str | Extractor = EXTRACTOR,
    matcher: str | Matcher | None = None,
    verify: bool = True,
    model: str = "auto",
    max_error: float | None = None,
    max_keypoints: int | None = None,
) -> MatchResult:
    """Match two photos, and judge whether they show the same scene.

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
    verify : bool
        Look for the geometry that the matches agree on, and judge it; else ``geometry`` and ``verdict``
        are None.
    model : str
        Of the geometry, see :func:`tiepoint.verify`.
    max_error : float, optional
        In pixels, see :func:`tiepoint.verify`.
    max_keypoints : int, optional
        At most so many keypoints in each photo, for an extractor given by name.

    Returns
    -------
    MatchResult
        All nearest neighbours are in ``candidates``, what passed the filters in ``matches``, which of these
        agree in ``geometry``, the answer in ``verdict``. Where the answer is not yes, or many matches do not
        agree, the mirror image of photo 1 is tried, too; ``geometry.mirrored`` tells.

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
        image0, image1 = (read_image(photo) for photo in (photo0, photo1))

    def features_of(image: Image) -> Features:
        with clock("extract"):
            return chosen.extract(image)

    def matched(view0: View, view1: View) -> MatchResult:
        with clock("match"):
            candidates, matches = chosen_matcher.match_with_candidates(view0, view1)
        features0, features1 = view0.extracted, view1.extracted
        geometry = verdict = None
        if verify:
            with clock("verify"):
                cameras = _cameras(image0, image1) if model == "essential" else {}
                geometry = verify_matches(
                    matches,
                    model=model,
                    max_error=max_error,
                    features0=features0,
                    features1=features1,
                    **cameras,
                )
                verdict = judge(geometry, extractor=chosen.name)
        return MatchResult(
            image0=view0.image,
            image1=view1.image,
            features0=features0,
            features1=features1,
            candidates=candidates,
            matches=matches,
            geometry=geometry,
            verdict=verdict,
            log=_remarks([features0, features1]),
        )

    view0 = View(image=image0, features=partial(features_of, image0))
    result = matched(view0, View(image=image1, features=partial(features_of, image1)))
    if not _settled(result):
        mirror = mirror_image(image1)
        other = matched(view0, View(image=mirror, features=partial(features_of, mirror)))
        if _is_yes(other) and (not _is_yes(result) or _agreeing(other) > 2 * _agreeing(result)):
            result = carried_back(other, image1)
    return replace(result, seconds=clock.seconds)


def _settled(result: MatchResult) -> bool:
    """Whether nothing speaks for looking at the mirror image: a symmetric front matches its own, too."""
    if result.geometry is None:
        return True
    return _is_yes(result) and _agreeing(result) >= _MOST_OF_THEM * len(result.matches)


def _is_yes(result: MatchResult) -> bool:
    return result.verdict is not None and result.verdict.answer == "yes"


def _agreeing(result: MatchResult) -> int:
    """Count the inliers among the matches, without those won by guided matching."""
    geometry = result.geometry
    if geometry is None:
        return 0
    return int(np.count_nonzero(geometry.inliers[: len(geometry.matches) - geometry.guided]))


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
