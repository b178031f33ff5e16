"""LighterGlue: from two sets of XFeat's features to matches."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import DataError, MissingError
from tiepoint.matchers.base import Matched, Matcher, View
from tiepoint.matchers.lighterglue.assignment import best_pairs
from tiepoint.matchers.lighterglue.layers import DESCRIPTOR, build_layers
from tiepoint.networks import Network
from tiepoint.options import option
from tiepoint.types import Features, Matches

EXTRACTOR = "xfeat"
NETWORK = Network(name="lighterglue", weights="lighterglue", build=build_layers, version=1)


@dataclass(frozen=True, kw_only=True)
class LighterGlue(Matcher):
    """LighterGlue: matches the keypoints of XFeat, each in the light of all others; without PyTorch.

    A LightGlue of six layers and width 96. Candidates are the pairs of which each is the best of the other;
    matches are those whose score is above ``min_score``. The time grows with the product of the numbers of
    keypoints, memory with their sum.

    References
    ----------
    Lindenberger, Sarlin, Pollefeys, "LightGlue: local feature matching at light speed", ICCV 2023; Potje,
    Cadar, Araujo, Martins, Nascimento, "XFeat: Accelerated Features for Lightweight Image Matching", CVPR
    2024, whose authors trained and published it (Apache-2.0). They drop keypoints at a ``width_confidence``
    of 0.95; at LightGlue's own 0.99 the matches are nearly those of the whole network.

    Examples
    --------
    >>> from tiepoint.matchers import get_matcher
    >>> get_matcher("lighterglue").min_score
    0.1
    """

    name: ClassVar[str] = "lighterglue"
    summary: ClassVar[str] = "learned: every keypoint in the light of all others; for xfeat"
    source: ClassVar[str] = "Lindenberger, Sarlin and Pollefeys, ICCV 2023; Potje et al., CVPR 2024"

    min_score: float = option(
        0.1,
        "keep a match with a score above this, 0 to 1; higher gives fewer and surer",
        at_least=0,
        at_most=1,
    )
    width_confidence: float | None = option(
        0.99,
        "drop keypoints that surely have no match from the layers to come; lower drops more, none drops none",
        above=0,
        at_most=1,
    )

    @classmethod
    def missing(cls) -> str | None:
        """Say what has to be installed or fetched before this matcher can run; None if nothing has to."""
        return NETWORK.missing()

    def used(self, extractor: str = EXTRACTOR) -> dict[str, Any]:
        """Return what makes the matches: options, version, weights and their licence."""
        del extractor
        return {**self.settings(), **NETWORK.provenance()}

    def match_with_candidates(self, view0: View, view1: View) -> Matched:
        """Return the pairs that are best for each other, and those of them whose score is high enough.

        Of candidates and matches, ``score`` is the network's confidence, 0 to 1, and ``distance`` that of the
        two descriptors, 1 - cosine.

        Raises
        ------
        MissingError
            If ONNX Runtime or the weights are not here; the message has the command that gets them.
        DataError
            If the features are not XFeat's.
        """
        features0, features1 = view0.features, view1.features
        for features in (features0, features1):
            _check(features)
        command = self.missing()
        if command is not None:
            raise MissingError(
                f"{self.name} needs something that is not here; get it with: {command}, "
                "or match with 'nearest'"
            )
        pairs, score = np.empty((0, 2), np.int32), np.empty(0, np.float32)
        if len(features0) and len(features1):
            pairs, score = self._run(features0, features1)
        found = Matches.between(
            features0,
            features1,
            pairs,
            distance=_distance(features0.descriptors[pairs[:, 0]], features1.descriptors[pairs[:, 1]]),
            source=f"{EXTRACTOR}+{self.name}",
            funnel=(
                ("keypoints 0", len(features0)),
                ("keypoints 1", len(features1)),
                (self.name, len(pairs)),
            ),
        )
        candidates = replace(found, score=score)
        return Matched(candidates, candidates.filtered("score", score > self.min_score))

    def _run(self, features0: Features, features1: Features) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return pairs of indices, (M, 2), in order of photo 0's features, and their scores, (M,)."""
        found = NETWORK.run(
            xy0=_from_middle(features0),
            descriptors0=features0.descriptors,
            xy1=_from_middle(features1),
            descriptors1=features1.descriptors,
            least=_least_logit(self.width_confidence),
        )
        pairs, score = best_pairs(
            found["tokens0"], found["matchability0"], found["tokens1"], found["matchability1"]
        )
        index0, index1 = found["index0"][pairs[:, 0]], found["index1"][pairs[:, 1]]
        return np.column_stack([index0, index1]).astype(np.int32), score


def _check(features: Features) -> None:
    if features.extractor != EXTRACTOR:
        raise DataError(
            f"lighterglue has weights for features of {EXTRACTOR}, not of {features.extractor}; "
            f"extract both photos with {EXTRACTOR}, or match with 'nearest'"
        )
    kind = features.descriptors.shape[1], features.descriptors.dtype.name
    if kind != (DESCRIPTOR, "float32"):
        raise DataError(
            f"lighterglue was trained on descriptors of {DESCRIPTOR} float32 numbers, but these have "
            f"{kind[0]} of {kind[1]}; extract them with {EXTRACTOR}"
        )


def _from_middle(features: Features) -> NDArray[np.float32]:
    """Return positions from the middle of the photo, in halves of its longer side."""
    size = np.array(features.image_size, np.float32)
    return np.asarray((features.xy - size / 2) / (size.max() / 2), np.float32)


def _least_logit(width_confidence: float | None) -> NDArray[np.float32]:
    """Return the logit of the probability of a partner below which a keypoint is dropped."""
    if width_confidence is None:
        return np.array([-np.inf], np.float32)
    with np.errstate(divide="ignore"):  # at 1 nothing is dropped
        return np.array([np.log1p(-width_confidence) - np.log(width_confidence)], np.float32)


def _distance(descriptors0: NDArray[np.float32], descriptors1: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return 1 - cosine of each row with its counterpart, (M,); 1 where one has no direction."""
    product = np.einsum("md,md->m", descriptors0, descriptors1, dtype=np.float64)
    lengths = np.linalg.norm(descriptors0, axis=1) * np.linalg.norm(descriptors1, axis=1).astype(np.float64)
    cosine = np.divide(product, lengths, out=np.zeros_like(product), where=lengths > 0)
    return np.asarray(np.clip(1 - cosine, 0, 2), np.float32)
