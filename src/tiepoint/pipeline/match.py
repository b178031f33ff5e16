"""Two photos to tie points and a verdict: read, extract, match, verify, judge, in a row."""

from __future__ import annotations

from dataclasses import replace

from tiepoint.errors import OptionError
from tiepoint.extractors import Extractor, get_extractor
from tiepoint.images import Photo
from tiepoint.matchers import Matcher, get_matcher
from tiepoint.pipeline.auto import CLASSICAL, match_auto
from tiepoint.pipeline.stages import Attempt, Stages, Verification, usual_matcher
from tiepoint.types import MatchResult

AUTO = "auto"


def match(
    photo0: Photo,
    photo1: Photo,
    *,
    extractor: str | Extractor = AUTO,
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
        A name that ``tiepoint methods`` lists, or an object with its options. "auto" begins with RootSIFT;
        where the answer is not a clear yes and learned methods are installed, it tries these, too, and
        ``log`` says what it did.
    matcher : str or Matcher, optional
        By default the one that suits the extractor: a learned one, or nearest neighbours with cross-check
        and ratio test at 0.8, after which nine of ten matches were right in the measurements. "nearest" is
        the cross-check alone. With "auto" it is that of RootSIFT; one that takes no features, such as
        "loftr", stands alone.
    verify : bool
        Look for the geometry that the matches agree on, and judge it; else ``geometry`` and ``verdict``
        are None.
    model : str
        Of the geometry, see :func:`tiepoint.verify`.
    max_error : float, optional
        In pixels, see :func:`tiepoint.verify`.
    max_keypoints : int, optional
        At most so many keypoints in each photo, for an extractor given by name; for each that "auto" tries.

    Returns
    -------
    MatchResult
        All nearest neighbours are in ``candidates``, what passed the filters in ``matches``, which of these
        agree in ``geometry``, the answer in ``verdict``. Where the answer is not yes, or many matches do not
        agree, the mirror image of photo 1 is tried, too; ``geometry.mirrored`` tells. Of keypoints without
        an angle, as learned ones, photo 1 is also tried turned by right angles; ``log`` tells. Matches of
        several methods have no ``pairs``, and the features are None.

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
    verification = Verification(verify, model, max_error)
    chosen_matcher = None if matcher is None else get_matcher(matcher)
    if chosen_matcher is not None and not chosen_matcher.takes_features:
        if extractor != AUTO or max_keypoints is not None:
            raise OptionError(
                f"the matcher {chosen_matcher.name} looks at the photos themselves: leave the extractor and "
                "max_keypoints out"
            )
        extractor = CLASSICAL  # which is never asked for features
    if extractor == AUTO:
        stages = Stages.read(photo0, photo1, verification)
        result = match_auto(stages, matcher=chosen_matcher, max_keypoints=max_keypoints)
    else:
        options = {} if max_keypoints is None else {"max_keypoints": max_keypoints}
        chosen = get_extractor(extractor, **options)
        attempt = Attempt(chosen, chosen_matcher or usual_matcher(chosen))
        stages = Stages.read(photo0, photo1, verification)
        result = stages.tried_all_ways(attempt)
    return replace(result, seconds=stages.seconds)
