"""LightGlue: a network that looks at the keypoints of both photos at once, by kornia."""

from __future__ import annotations

import copy
import math
import re
from dataclasses import dataclass, replace
from functools import partial
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tiepoint import weights
from tiepoint.errors import DataError
from tiepoint.matchers.base import Matched, Matcher, View
from tiepoint.memory import physical_memory
from tiepoint.networks import pytorch
from tiepoint.networks.pytorch import TorchNetwork
from tiepoint.options import option
from tiepoint.types import Features, Matches

_DESCRIPTOR_LENGTH = 128
# Peak memory for a pair of keypoints in bytes, as measured: the last step has several tables of all pairs.
_BYTES_PER_PAIR = 32


def _build(*, with_shape: bool) -> Any:
    """Make the network; ``with_shape``: it reads the size and the angle of a keypoint, too."""
    from kornia.feature import LightGlue as Network

    network = Network(None, input_dim=_DESCRIPTOR_LENGTH, add_scale_ori=with_shape)
    for layer in network.transformers:
        layer.cross_attn.forward = partial(_cross_attention, layer.cross_attn)
    return network


def _cross_attention(block: Any, x0: Any, x1: Any, mask: Any = None) -> tuple[Any, Any]:  # noqa: ARG001
    """Do what kornia's block does, without its tables of all pairs, which it writes down on a CPU."""
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    def heads(x: Any) -> Any:
        return x.unflatten(-1, (block.heads, -1)).transpose(1, 2)

    query0, query1 = heads(block.to_qk(x0)), heads(block.to_qk(x1))
    message0 = scaled_dot_product_attention(query0, query1, heads(block.to_v(x1)))
    message1 = scaled_dot_product_attention(query1, query0, heads(block.to_v(x0)))
    heard = (block.to_out(message.transpose(1, 2).flatten(-2)) for message in (message0, message1))
    return tuple(
        x + block.ffn(torch.cat([x, message], -1)) for x, message in zip((x0, x1), heard, strict=True)
    )


def _renamed(name: str) -> str | None:
    """Take the name in the published files, where all layers of a kind stand together."""
    if re.fullmatch(r"log_assignment\.\d+\.r", name):
        return None  # left over from the training
    return re.sub(r"^(self_attn|cross_attn)\.(\d+)\.", r"transformers.\2.\1.", name)


def _with_weights(name: str, *, with_shape: bool = False) -> TorchNetwork:
    return TorchNetwork(
        weights=name,
        build=partial(_build, with_shape=with_shape),
        renamed=_renamed,
        computed=frozenset({"confidence_thresholds"}),
    )


_SIFT = _with_weights("sift-lightglue", with_shape=True)
_NETWORKS = {
    "aliked": _with_weights("aliked-lightglue"),
    "disk": _with_weights("disk-lightglue"),
    "sift": _SIFT,
    "rootsift": _SIFT,
}
# The longest side of the photos on which SIFT's keypoints were found for the training.
_SIFT_SIDE = 1024


@dataclass(frozen=True, kw_only=True)
class LightGlue(Matcher):
    """LightGlue: matches the keypoints of ALIKED, DISK or SIFT, each in the light of all others.

    The extractor's name chooses the weights. Candidates are the pairs of which each is the best of the
    other; matches are those whose score is above ``min_score``. For SIFT the network reads RootSIFT
    descriptors (those of "sift" are turned into them), and the angle and the size of each keypoint, as if the
    longest side of the photo were 1024 pixels.

    References
    ----------
    Lindenberger, Sarlin, Pollefeys, "LightGlue: local feature matching at light speed", ICCV 2023. Network
    and weights are those of kornia and of the authors (Apache-2.0), and so are the defaults.

    Examples
    --------
    >>> from tiepoint.matchers import get_matcher
    >>> get_matcher("lightglue").min_score
    0.1
    """

    name: ClassVar[str] = "lightglue"
    summary: ClassVar[str] = "learned: every keypoint in the light of all others; for aliked, disk, sift"
    source: ClassVar[str] = "Lindenberger, Sarlin and Pollefeys, ICCV 2023"

    min_score: float = option(
        0.1,
        "keep a match with a score above this, 0 to 1; higher gives fewer and surer",
        at_least=0,
        at_most=1,
    )
    depth_confidence: float | None = option(
        0.95,
        "stop after the layer at which so large a share of the keypoints is sure; none runs all nine",
        above=0,
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
        """Say what has to be installed before this matcher can run; None if nothing has to.

        The weights for one extractor are enough; those for another are asked for when its features come.
        """
        known = [network.missing() for network in _NETWORKS.values()]
        return None if None in known else pytorch.missing("aliked-n16", "aliked-lightglue")

    @classmethod
    def missing_for(cls, extractor: str) -> str | None:
        """Say what has to be installed or fetched to match these features, such as their own weights."""
        return _network(extractor).missing()

    def used(self, extractor: str) -> dict[str, Any]:
        """Return what makes the matches of an extractor's features: options, version, weights."""
        network = _network(extractor)
        return {
            **self.settings(),
            "version": pytorch.version(),
            "weights": weights.provenance(network.weights),
        }

    def match_with_candidates(self, view0: View, view1: View) -> Matched:
        """Return the pairs that are best for each other, and those of them whose score is high enough.

        Raises
        ------
        MissingError
            If PyTorch, kornia or the weights are not there.
        DataError
            If the features are not both of one extractor that there are weights for, or too many for the
            memory.
        """
        pytorch.require(self.name, self.missing(), "nearest")
        features0, features1 = view0.features, view1.features
        network = _network(_same_extractor(features0, features1))
        for features in (features0, features1):
            _check(features)
        pytorch.require(f"{self.name} for features of {features0.extractor}", network.missing(), "nearest")
        pairs, score = _NO_PAIRS, _NO_SCORES
        if len(features0) and len(features1):
            pairs, score = self._run(network, features0, features1)
        found = Matches.between(
            features0,
            features1,
            pairs,
            source=f"{features0.extractor}+{self.name}",
            funnel=(
                ("keypoints 0", len(features0)),
                ("keypoints 1", len(features1)),
                (self.name, len(pairs)),
            ),
        )
        candidates = replace(found, score=score)
        return Matched(candidates, candidates.filtered("score", score > self.min_score))

    def _run(
        self, network: TorchNetwork, features0: Features, features1: Features
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return pairs of indices, (M, 2), in order of photo 0's features, and their scores, (M,)."""
        counts = len(features0), len(features1)
        need, have = _BYTES_PER_PAIR * max(counts) ** 2, physical_memory()
        if have is not None and need > have:
            fits = math.isqrt(have // (2 * _BYTES_PER_PAIR))
            raise DataError(
                f"lightglue needs about {need / 2**30:.1f} GiB of memory for {counts[0]} and {counts[1]} "
                f"keypoints, but this machine has {have / 2**30:.1f}; {_with_fewer(fits)}"
            )
        with pytorch.running(
            f"lightglue ran out of memory on {counts[0]} and {counts[1]} keypoints; "
            f"{_with_fewer(max(counts) // 2)}"
        ):
            module = self._with_options(network.ready())
            given = {f"image{i}": _as_input(f) for i, f in enumerate((features0, features1))}
            result = module(given)
            return (
                result["matches"][0].numpy().astype(np.int32).reshape(-1, 2),
                result["scores"][0].numpy().astype(np.float32),
            )

    def _with_options(self, module: Any) -> Any:
        """Return a network with these options and the same tensors; the one that is shared stays as it is."""
        own = copy.copy(module)
        own.conf = SimpleNamespace(
            **{
                **vars(module.conf),
                "filter_threshold": 0.0,
                "depth_confidence": -1 if self.depth_confidence is None else self.depth_confidence,
                "width_confidence": -1 if self.width_confidence is None else self.width_confidence,
            }
        )
        return own


def _with_fewer(keypoints: int) -> str:
    return f"extract fewer keypoints, such as max_keypoints={keypoints}, or match with 'nearest'"


_NO_PAIRS = np.empty((0, 2), np.int32)
_NO_SCORES = np.empty(0, np.float32)


def _network(extractor: str) -> TorchNetwork:
    if extractor not in _NETWORKS:
        raise DataError(
            f"lightglue has weights for features of {', '.join(sorted(_NETWORKS))}, not of {extractor}; "
            "extract with one of these, or match with 'nearest'"
        )
    return _NETWORKS[extractor]


def _same_extractor(features0: Features, features1: Features) -> str:
    if features0.extractor != features1.extractor:
        raise DataError(
            f"features of {features0.extractor} cannot be matched with features of {features1.extractor}; "
            "extract both photos with the same extractor"
        )
    return features0.extractor


def _check(features: Features) -> None:
    length = features.descriptors.shape[1]
    if length != _DESCRIPTOR_LENGTH:
        raise DataError(
            f"lightglue was trained on descriptors of {_DESCRIPTOR_LENGTH} numbers, but these of "
            f"{features.extractor} have {length}; extract with the default model, or match with 'nearest'"
        )
    if _NETWORKS[features.extractor] is _SIFT and features.angle is None:
        raise DataError(
            f"lightglue needs the angles of {features.extractor}'s keypoints, but these have none; "
            "extract without the option upright, or match with 'nearest'"
        )


def _as_input(features: Features) -> dict[str, Any]:
    """Return features as the network takes them."""
    size = np.array(features.image_size, np.float32)
    # Half a pixel outside is still the photo, but not for the network.
    given = {"keypoints": np.clip(features.xy, 0, size), "descriptors": _unit_descriptors(features)}
    if _NETWORKS[features.extractor] is _SIFT and features.angle is not None:
        given["scales"] = features.size * np.float32(_SIFT_SIDE / max(features.image_size))
        given["oris"] = np.radians(features.angle)
    given["image_size"] = size
    return {name: pytorch.to_tensor(array)[None] for name, array in given.items()}


def _unit_descriptors(features: Features) -> NDArray[np.float32]:
    """Return descriptors, (N, D) float32, as the network was trained on them: of length 1."""
    values = features.descriptors.astype(np.float32)
    if features.extractor == "sift":
        values = np.sqrt(values)
    if _NETWORKS[features.extractor] is _SIFT:
        values /= np.maximum(np.linalg.norm(values, axis=1, keepdims=True), np.float32(1e-6))
    return values
