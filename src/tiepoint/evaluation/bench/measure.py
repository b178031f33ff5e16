"""One pair of photos with known truth, one extractor, one matcher: everything that is measured of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiepoint.evaluation import metrics
from tiepoint.evaluation.datasets import HomographyTruth, LabelTruth, PoseTruth, Truth
from tiepoint.extractors import Extractor
from tiepoint.geometry import estimate_homography, estimate_relative_pose
from tiepoint.matchers import Matcher, View
from tiepoint.options import Options, option
from tiepoint.types import Features, Image, Matches

Record = dict[str, Any]

RIGHT_WITHIN = 3.0  # pixels, of a match and of a repeated keypoint, as SuperPoint has it
EPIPOLAR_WITHIN = 1.0  # pixels, where only the cameras are known
THRESHOLDS = tuple(float(pixels) for pixels in range(1, 11))
RATIO_BINS = 50


@dataclass(frozen=True, kw_only=True)
class Protocol(Options):
    """What is the same for every row of a table.

    Examples
    --------
    >>> from tiepoint.evaluation.bench import Protocol
    >>> Protocol(estimator="opencv", max_error=3).settings()["estimator"]
    'opencv'
    """

    short_side: int | None = option(
        480, "reduce photos to this shorter side, in pixels; none leaves them as they are", at_least=16
    )
    top: int | None = option(
        300,
        "repeatability is of so many of the strongest shared keypoints; 300 in SuperPoint's paper",
        at_least=1,
    )
    estimator: Literal["poselib", "opencv", "magsac"] = option(
        "poselib", "what estimates homographies and relative poses"
    )
    max_error: float | None = option(
        None,
        "of the estimator, in pixels of the reduced photo; none is 2 for PoseLib, 3 for the others",
        above=0,
    )
    seed: int = option(0, "of the estimator's random samples", at_least=0)
    exact: bool = option(
        False,
        "carry the truth over to the reduced photos exactly; else (0, 0) stays (0, 0), as in published "
        "tables, which is up to half a pixel off",
    )

    @property
    def limit(self) -> float:
        """``max_error`` in pixels, chosen by the estimator where it is None."""
        if self.max_error is not None:
            return self.max_error
        return 2.0 if self.estimator == "poselib" else 3.0


class Extracted(NamedTuple):
    """The features of a photo, and how long it took to find them."""

    features: Features
    seconds: float


def timed_features(image: Image, extractor: Extractor) -> Extracted:
    """Extract, and look at the clock.

    Examples
    --------
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.evaluation.bench import timed_features
    >>> from tiepoint.extractors import get_extractor
    >>> photo = render_demo(width=400, height=300).image0
    >>> timed_features(photo, get_extractor("orb", max_keypoints=100)).features
    Features(100 orb, 32 x uint8 hamming, photo 400x300)
    """
    image.gray  # noqa: B018 - computed once and kept: it is not the extractor's time
    start = time.perf_counter()
    features = extractor.extract(image)
    return Extracted(features, time.perf_counter() - start)


def measure(
    image0: Image,
    image1: Image,
    truth: Truth,
    extractor: Extractor,
    matcher: Matcher,
    protocol: Protocol | None = None,
) -> Record:
    """Extract, match, estimate, and hold all of it against the truth.

    Parameters
    ----------
    image0, image1 : Image
        At the size at which they are to be measured; ``protocol.short_side`` is not applied here.
    truth : HomographyTruth | PoseTruth | LabelTruth
        In pixels of these images.
    extractor, matcher : Extractor, Matcher
    protocol : Protocol | None

    Returns
    -------
    dict
        What `measure_features` gives.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.evaluation.bench import measure
    >>> from tiepoint.evaluation.datasets import HomographyTruth
    >>> from tiepoint.extractors import get_extractor
    >>> from tiepoint.matchers import get_matcher
    >>> photo = render_demo(width=400, height=300).image0
    >>> same = HomographyTruth(H_1_from_0=np.eye(3))
    >>> record = measure(photo, photo, same, get_extractor("orb"), get_matcher())
    >>> record["precision"], record["repeatability"], record["corner_error"] < 0.01
    (1.0, 1.0, True)
    """
    extracted0, extracted1 = timed_features(image0, extractor), timed_features(image1, extractor)
    return measure_features(extracted0, extracted1, truth, matcher, protocol)


def measure_features(
    extracted0: Extracted,
    extracted1: Extracted,
    truth: Truth,
    matcher: Matcher,
    protocol: Protocol | None = None,
) -> Record:
    """Match, estimate, and hold all of it against the truth.

    Returns
    -------
    dict
        Numbers and lists that JSON can hold. Always: ``keypoints0``, ``keypoints1``, ``matches``,
        ``seconds_extract0``, ``seconds_extract1``, ``seconds_match``. With a homography:
        ``repeatability``, ``localisation`` (pixels | None), ``matching_score``, ``recall``, ``mma`` (at 1 to
        10 pixels), ``precision`` (at 3), ``distinctiveness`` (None where all or none
        of the nearest neighbours are right), ``ratio_right`` and ``ratio_wrong`` (how many of all nearest
        neighbours have a ratio of best to second best in each fiftieth of 0 to 1), ``corner_error``
        (pixels | None), ``inliers``, ``seconds_estimate``. With two cameras: ``precision`` (at one pixel
        from the epipolar lines), ``rotation_error`` and ``translation_error`` (degrees | None), ``inliers``,
        ``seconds_estimate``. With a label: ``same``.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.evaluation.bench import measure_features, timed_features
    >>> from tiepoint.evaluation.datasets import LabelTruth
    >>> from tiepoint.extractors import get_extractor
    >>> from tiepoint.matchers import get_matcher
    >>> photo = render_demo(width=400, height=300).image0
    >>> extracted = timed_features(photo, get_extractor("orb", max_keypoints=100))
    >>> measure_features(extracted, extracted, LabelTruth(same=True), get_matcher())["matches"]
    100
    """
    protocol = protocol or Protocol()
    features0, features1 = extracted0.features, extracted1.features
    start = time.perf_counter()
    candidates, matches = matcher.match_with_candidates(View(features=features0), View(features=features1))
    record: Record = {
        "keypoints0": len(features0),
        "keypoints1": len(features1),
        "matches": len(matches),
        "seconds_extract0": extracted0.seconds,
        "seconds_extract1": extracted1.seconds,
        "seconds_match": time.perf_counter() - start,
    }
    if isinstance(truth, HomographyTruth):
        record |= _under_homography(features0, features1, truth.H_1_from_0, protocol.top)
        record |= _matches_under_homography(candidates, matches, features0, features1, truth.H_1_from_0)
        record |= _estimated_homography(matches, truth.H_1_from_0, features0.image_size, protocol)
    elif isinstance(truth, PoseTruth):
        record |= _between_cameras(matches, truth, protocol)
    elif isinstance(truth, LabelTruth):
        record["same"] = truth.same
    return record


def _under_homography(
    features0: Features, features1: Features, H_1_from_0: NDArray[np.float64], top: int | None
) -> Record:
    ranked = [
        features if features.score is None else features.strongest(len(features))
        for features in (features0, features1)
    ]
    detected = (ranked[0].xy, ranked[1].xy, H_1_from_0, features0.image_size, features1.image_size)
    return {
        "repeatability": metrics.repeatability(*detected, top=top, max_error=RIGHT_WITHIN),
        "localisation": metrics.localisation_error(*detected, top=top, max_error=RIGHT_WITHIN),
    }


def _matches_under_homography(
    candidates: Matches,
    matches: Matches,
    features0: Features,
    features1: Features,
    H_1_from_0: NDArray[np.float64],
) -> Record:
    errors = metrics.matching_errors(matches.xy0, matches.xy1, H_1_from_0)
    record: Record = {
        "mma": metrics.mean_matching_accuracy(errors, THRESHOLDS).tolist(),
        "precision": metrics.precision(errors, max_error=RIGHT_WITHIN),
    }
    if matches.pairs is not None:
        xy = features0.xy, features1.xy
        possible = metrics.possible_matches(*xy, H_1_from_0, max_error=RIGHT_WITHIN)
        record["recall"] = metrics.recall(matches.pairs, errors, possible, max_error=RIGHT_WITHIN)
        record["matching_score"] = metrics.matching_score(
            *xy,
            matches.pairs,
            H_1_from_0,
            features0.image_size,
            features1.image_size,
            max_error=RIGHT_WITHIN,
        )
    if candidates.ratio is not None:
        right = metrics.matching_errors(candidates.xy0, candidates.xy1, H_1_from_0) <= RIGHT_WITHIN
        record["distinctiveness"] = metrics.distinctiveness(candidates.ratio, right).area
        for name, which in (("ratio_right", right), ("ratio_wrong", ~right)):
            counts, _ = np.histogram(candidates.ratio[which], bins=RATIO_BINS, range=(0, 1))
            record[name] = counts.tolist()
    return record


def _estimated_homography(
    matches: Matches, H_1_from_0: NDArray[np.float64], image_size: tuple[int, int], protocol: Protocol
) -> Record:
    start = time.perf_counter()
    found = estimate_homography(
        matches.xy0,
        matches.xy1,
        estimator=protocol.estimator,
        max_error=protocol.limit,
        seed=protocol.seed,
    )
    seconds = time.perf_counter() - start
    error = metrics.corner_error(found.matrix, H_1_from_0, image_size)
    return {
        "corner_error": _finite(error),
        "inliers": int(found.inliers.sum()),
        "seconds_estimate": seconds,
    }


def _between_cameras(matches: Matches, truth: PoseTruth, protocol: Protocol) -> Record:
    F_1_from_0 = metrics.fundamental_from_pose(truth.R, truth.t, truth.K0, truth.K1)
    errors = metrics.epipolar_errors(matches.xy0, matches.xy1, F_1_from_0)
    start = time.perf_counter()
    found = estimate_relative_pose(
        matches.xy0,
        matches.xy1,
        truth.K0,
        truth.K1,
        estimator=protocol.estimator,
        max_error=protocol.limit,
        seed=protocol.seed,
    )
    seconds = time.perf_counter() - start
    rotation, translation = metrics.relative_pose_error(found.R, found.t, truth.R, truth.t)
    return {
        "precision": metrics.precision(errors, max_error=EPIPOLAR_WITHIN),
        "rotation_error": _finite(rotation),
        "translation_error": _finite(translation),
        "inliers": int(found.inliers.sum()),
        "seconds_estimate": seconds,
    }


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
