"""From geometry to an answer: do two photos show the same scene, how sure is that, and why."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from tiepoint.geometry.consistency import largest_group
from tiepoint.types import Geometry, Matches, Verdict

COEFFICIENTS = "verdict.json"


@dataclass(frozen=True)
class Family:
    """A fitted logistic model: p = 1 / (1 + exp(-(intercept + sum of weights times evidence))).

    Attributes
    ----------
    name : str
    sources : tuple[str, ...]
        Whose matches it was fitted on, as :class:`tiepoint.Matches` names them.
    intercept : float
    weights : Mapping[str, float]
        By the names that :func:`evidence` gives.
    yes, no : float
        From which probability on, and up to which one, the answer is more than "unsure".
    """

    name: str
    sources: tuple[str, ...]
    intercept: float
    weights: Mapping[str, float]
    yes: float
    no: float

    def probability(self, values: Mapping[str, float]) -> float:
        """Return the probability for what :func:`evidence` gave; with doubts, a coin's toss at the most."""
        total = self.intercept + sum(weight * values[name] for name, weight in self.weights.items())
        probability = 0.5 * (1 + math.tanh(0.5 * total))
        return min(probability, MOST_IN_DOUBT) if doubts(values) else probability


def judge(geometry: Geometry, *, extractor: str | None = None) -> Verdict:
    """Say whether two photos show the same scene.

    Parameters
    ----------
    geometry : Geometry
        From :func:`tiepoint.verify`, best with the features, which add to the evidence.
    extractor : str, optional
        What the matches were made with, by default the source that they name; where there is no match, that
        is not known.

    Returns
    -------
    Verdict
        "unsure" without a probability for matches of an extractor, or of a mixture of extractors, that no
        model was fitted on.

    Notes
    -----
    The probability is that of a logistic model, fitted on pairs of photos of which half show the same scene
    (``benchmarks/verdict.py``, ``docs/verifying.md``). Where you expect fewer, as in a search through
    thousands, it is too high.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> scene = render_demo()
    >>> result = tp.match(scene.image0, scene.image1, verify=False)
    >>> geometry = tp.verify(result.matches, features0=result.features0, features1=result.features1)
    >>> tp.judge(geometry).answer
    'yes'
    """
    # Matches won by guided matching are of the extractor, whatever the matcher of the others.
    sources = {str(name) for name in np.unique(geometry.matches[: geometry.own].source)} or {extractor or ""}
    family = family_of(sources)
    if family is None:
        reasons = (_not_fitted(sources), *_reasons(geometry))
        return Verdict(answer="unsure", probability=None, reasons=reasons)
    probability = family.probability(evidence(geometry))
    answer = "unsure"
    if geometry and probability >= family.yes:
        answer = "yes"
    elif probability <= family.no:
        fewest = _fewest_keypoints(geometry)
        if fewest < _ENOUGH_KEYPOINTS:
            reason = f"a photo with {fewest} keypoints says too little for a no"
            return Verdict(answer="unsure", probability=probability, reasons=(reason, *_reasons(geometry)))
        answer = "no"
    return Verdict(answer=answer, probability=probability, reasons=_reasons(geometry))


def evidence(geometry: Geometry) -> dict[str, float]:
    """Return what the probability is computed from, by name; every value is 0 where nothing is known.

    ``beyond chance``
        Minus the logarithm to base 10 of the false alarms to expect, 0 to 30.
    ``alike``
        Logarithm to base 2 of how many of the matches turn and grow alike, whatever the model, over 4: so
        many do in any two photos.
    ``inliers``
        Logarithm to base 2 of how many matches agree with the model, without those won by guided matching.
    ``share``
        Share of the matches that agree with the model, likewise.
    ``confidence``
        Mean of what a learned matcher gives for its own confidence in them, 0 to 1.
    ``second method``
        Logarithm to base 2 of 1 and how many of them the second most fruitful method has found, where the
        matches are those of several methods.
    ``predicted``
        Logarithm to base 2 of the matches won by guided matching, over those that a wrong model wins.
    ``agreement``
        Share of the inliers that turn and grow as the model says.
    ``coverage``
        Logarithm to base 2 of 1 and 1000 times the share of the photo that they cover, where that is larger.
    ``look-alikes``
        Share of the inliers that have a look-alike in their own photo.
    ``rival``
        Inliers of the strongest other model, over those of this one.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.verdict import evidence
    >>> scene = render_demo()
    >>> evidence(tp.match(scene.image0, scene.image1).geometry)["agreement"] > 0.8
    True
    """
    values = dict.fromkeys(EVIDENCE, 0.0)
    if geometry.log_false_alarms is not None:
        values["beyond chance"] = min(30.0, max(0.0, -geometry.log_false_alarms))
    own = geometry.own
    values["alike"] = math.log2(max(1.0, _alike(geometry.matches[:own]) / _ALWAYS_ALIKE))
    if not geometry:
        return values
    count = int(np.count_nonzero(geometry.inliers[:own]))
    values["inliers"] = math.log2(1 + count)
    values["share"] = count / max(1, own)
    agreeing = geometry.matches[:own][geometry.inliers[:own]]
    if agreeing.score is not None and count:
        values["confidence"] = float(agreeing.score.mean())
    values["second method"] = math.log2(1 + _of_second_method(agreeing))
    if geometry.predicted is not None and geometry.guided_by_chance is not None:
        values["predicted"] = math.log2((1 + geometry.predicted) / (1 + geometry.guided_by_chance))
    values["agreement"] = geometry.agreement or 0.0
    values["coverage"] = math.log2(1 + 1000 * max(geometry.coverage))
    values["look-alikes"] = geometry.repeated or 0.0
    values["rival"] = geometry.rival / max(1, count)
    return values


def _fewest_keypoints(geometry: Geometry) -> int:
    """Return how many keypoints the poorer photo has; 0 where the matches do not tell."""
    counts = dict(geometry.matches.funnel)
    return min(counts.get("keypoints 0", 0), counts.get("keypoints 1", 0))


def _of_second_method(matches: Matches) -> int:
    """Count the matches of the method that has found the second most of them; 0 where there is one method."""
    counts = np.sort(np.unique(matches.source, return_counts=True)[1])
    return int(counts[-2]) if len(counts) > 1 else 0


def _alike(matches: Matches) -> int:
    """Count the largest group that turns and grows alike, of matches as distinct as the fitted ones were."""
    if matches.ratio is not None:
        matches = matches[matches.ratio < _RATIO]
    return largest_group(matches)


def doubts(values: Mapping[str, float]) -> tuple[str, ...]:
    """Return what speaks against a geometry however many matches agree, in words.

    A fit to photos of different places does not learn this: there, nothing agrees in the first place.

    Examples
    --------
    >>> from tiepoint.verdict import EVIDENCE, doubts
    >>> doubts(dict.fromkeys(EVIDENCE, 0.0) | {"inliers": 5.0, "coverage": 7.0, "rival": 0.9})
    ('ambiguous: nearly as many of the other matches agree on another geometry',)
    """
    found = []
    if values["inliers"] and values["coverage"] < math.log2(1 + 1000 * _SMALL):
        found.append(f"they lie in {_SMALL:.0%} of both photos or less, which leaves the rest open")
    if values["predicted"] < 0:
        found.append("looking where it says finds fewer matches than looking elsewhere")
    if values["rival"] >= _NEARLY:
        found.append("ambiguous: nearly as many of the other matches agree on another geometry")
    return tuple(found)


MOST_IN_DOUBT = 0.5
EVIDENCE = (
    "beyond chance",
    "alike",
    "inliers",
    "share",
    "confidence",
    "second method",
    "predicted",
    "agreement",
    "coverage",
    "look-alikes",
    "rival",
)


@cache
def families() -> tuple[Family, ...]:
    """Return the fitted models, from the file beside this module."""
    document = json.loads(files("tiepoint").joinpath(COEFFICIENTS).read_text(encoding="utf-8"))
    return tuple(
        Family(name=name, **{**entry, "sources": tuple(entry["sources"])})
        for name, entry in document["families"].items()
    )


def family_of(sources: Iterable[str]) -> Family | None:
    """Return the model for matches of these sources; None where none was fitted.

    A union may be of some of a family's methods: another may have found nothing. One method alone is judged
    by its own family only.

    Examples
    --------
    >>> from tiepoint.verdict import family_of
    >>> family_of(["rootsift"]).name, family_of(["by hand"])
    ('rootsift', None)
    """
    asked = set(sources)
    fitting = (one for one in families() if asked <= set(one.sources))
    smallest = min(fitting, key=lambda one: len(one.sources), default=None)
    return None if smallest is None or len(asked) == 1 < len(smallest.sources) else smallest


def _not_fitted(sources: set[str]) -> str:
    names = " and ".join(sorted(source for source in sources if source))
    fitted = ", ".join(family.name for family in families())
    if not names:
        return "there is not a single match to judge by"
    return f"no probability is known for matches of {names}, only for those of {fitted}"


def _reasons(geometry: Geometry) -> tuple[str, ...]:
    """Say in words what speaks for and against, the weightiest first."""
    if not geometry:
        return (f"no geometry was found: {geometry.reason}",)
    values = evidence(geometry)
    own = geometry.own
    count = int(np.count_nonzero(geometry.inliers[:own]))
    said = [*doubts(values)]
    seen = _SEEN.get(geometry.configuration or "", _SEEN[geometry.model])
    said.append(f"{count} of {own} matches agree on {seen}")
    if geometry.predicted is not None and geometry.guided_by_chance is not None:
        said.append(
            f"where it says to look there are {geometry.predicted} more; "
            f"where a wrong one would say, {geometry.guided_by_chance:.0f}"
        )
    if geometry.agreement is not None:
        said.append(f"{geometry.agreement:.0%} of them turn and grow as it says")
    in0, in1 = (f"{share:.0%}" if share >= 0.01 else "less than 1%" for share in geometry.coverage)
    said.append(f"they spread over {in0} of the first photo and {in1} of the second")
    if values["look-alikes"] >= _MANY:
        said.append(
            f"{geometry.repeated:.0%} of them have a look-alike in their own photo: beware of repetition"
        )
    if geometry.rival:
        said.append(
            f"{geometry.rival} other matches agree on another geometry: of a thing that moved, perhaps"
        )
    return tuple(said)


_RATIO, _ALWAYS_ALIKE, _ENOUGH_KEYPOINTS = 0.8, 4, 300
_MANY, _NEARLY, _SMALL = 0.4, 0.6, 0.03
_SEEN = {
    "general": "one movement of the camera through a scene with depth",
    "planar or panoramic": "one homography: something flat, or a camera that only turned",
    "planar": "one homography: something flat",
    "panoramic": "one homography: the camera only turned",
    "homography": "a homography",
    "fundamental": "a fundamental matrix",
    "essential": "a relative pose",
    "affine": "an affinity",
    "similarity": "a similarity",
}
