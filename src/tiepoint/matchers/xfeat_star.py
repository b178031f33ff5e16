"""Matching XFeat*'s cells: mutual nearest neighbours, then how far the two cells are displaced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import DataError, MissingError
from tiepoint.matchers.base import Matched, Matcher, View
from tiepoint.matchers.neighbours import nearest_both_ways
from tiepoint.networks import Graph, Network
from tiepoint.networks.graph import Tensors
from tiepoint.options import option
from tiepoint.types import Features, Matches

EXTRACTOR = "xfeat-star"
DESCRIPTOR = 64
CELL = 8
"""Side of a cell, in pixels of the photo as the network saw it."""

# The pixel of the cell, from its first, that stands for two cells that are not displaced. The makers' code
# takes the fourth, and so moves a photo that is matched with itself by a pixel of the cell.
STAYS = CELL // 2 - 1

# Where linear layers stand in the published sequence; after all but the last come a batch norm and a ReLU.
_LAYERS = (0, 3, 6, 9, 12)
_EPSILON = 1e-5
_TEMPERATURE = 3
_ROWS = 8192

Floats = NDArray[np.float32]


def build_fine(tensors: Tensors) -> bytes:
    """Write the graph that tells from two cells' descriptors where in cell 0 the middle of cell 1 is.

    Input: ``both`` (M, 128), the two descriptors side by side. Output: ``logits`` (M, 64), for the pixels
    of the cell, row by row.
    """
    graph = Graph("xfeat-star")
    x = graph.input("both", (None, 2 * DESCRIPTOR))
    for layer in _LAYERS:
        linear, bias = (_of(tensors, layer, name) for name in ("weight", "bias"))
        last = layer == _LAYERS[-1]
        if not last:
            deviation = np.sqrt(_of(tensors, layer + 1, "running_var") + _EPSILON)
            linear = linear / deviation[:, None]
            bias = (bias - _of(tensors, layer + 1, "running_mean")) / deviation
        constants = (graph.constant(array.astype(np.float32)) for array in (linear, bias))
        x = graph.add("Gemm", x, *constants, transB=1)
        x = x if last else graph.add("Relu", x)
    graph.output("logits", x)
    return graph.to_bytes()


def _of(tensors: Tensors, layer: int, name: str) -> NDArray[np.float64]:
    tensor = tensors.get(f"fine_matcher.{layer}.{name}")
    if tensor is None:
        raise DataError(f"the weights of xfeat lack fine_matcher.{layer}.{name}")
    return np.asarray(tensor, np.float64)


NETWORK = Network(name="xfeat-star-fine", weights="xfeat", build=build_fine, version=1)


@dataclass(frozen=True, kw_only=True)
class XFeatStarMatcher(Matcher):
    """Matches the cells of XFeat*, and places each match to a part of a pixel.

    Pairs of cells are mutual nearest neighbours by the product of their descriptors. For each pair a small
    network tells how far photo 0's cell is displaced against photo 1's; photo 0's point moves by that. So
    the points are no longer the keypoints, and ``pairs`` is None. Candidates are all pairs whose point is
    still on the photo; matches are those whose displacement the network is sure of.

    References
    ----------
    Potje, Cadar, Araujo, Martins, Nascimento, "XFeat: Accelerated Features for Lightweight Image Matching",
    CVPR 2024, section 3.3.

    Examples
    --------
    >>> from tiepoint.matchers import get_matcher
    >>> get_matcher("xfeat-star").min_score
    0.25
    """

    name: ClassVar[str] = "xfeat-star"
    summary: ClassVar[str] = "mutual nearest cells of xfeat-star, displaced to a part of a pixel"
    source: ClassVar[str] = "Potje et al., CVPR 2024"

    min_score: float = option(
        0.25, "keep a match whose displacement has a probability above this", at_least=0, at_most=1
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
        """Return the pairs of cells that are best for each other, and those that are placed surely.

        Raises
        ------
        MissingError
            If ONNX Runtime or the weights are not here; the message has the command that gets them.
        DataError
            If the features are not XFeat*'s.
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
        rows0 = rows1 = np.empty(0, np.intp)
        if len(features0) and len(features1):
            rows0, rows1 = mutual_by_product(features0.descriptors, features1.descriptors)
        mutual = len(rows0)
        both = np.hstack([features0.descriptors[rows0], features1.descriptors[rows1]])
        offset, score = _displacement(both)
        size0 = features0.size[rows0]
        xy0 = np.asarray(features0.xy[rows0] + offset * (size0 / CELL)[:, None], np.float32)
        inside = ((xy0 >= -1) & (xy0 <= np.array(features0.image_size))).all(axis=1)
        rows1 = rows1[inside]
        candidates = Matches(
            xy0=xy0[inside],
            xy1=features1.xy[rows1],
            score=score[inside],
            size0=size0[inside],
            size1=features1.size[rows1],
            source=f"{EXTRACTOR}+{self.name}",
            image_size0=features0.image_size,
            image_size1=features1.image_size,
            funnel=(("keypoints 0", len(features0)), ("keypoints 1", len(features1)), ("mutual", mutual)),
        )
        return Matched(candidates, candidates.filtered(self.name, score[inside] > self.min_score))


def mutual_by_product(
    descriptors0: Floats, descriptors1: Floats
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows of either set that have the largest product with each other, in order of the first."""
    # With one more number each, all rows of a set are equally long, and then the nearest is the one with
    # the largest product.
    padded0, padded1 = _equally_long(descriptors0, 0), _equally_long(descriptors1, 1)
    from0, from1 = nearest_both_ways(padded0, padded1, "l2", second_back=False)
    rows0 = np.flatnonzero(from1.index[from0.index] == np.arange(len(from0.index)))
    return rows0, from0.index[rows0].astype(np.intp)


def _equally_long(descriptors: Floats, place: int) -> Floats:
    """Append two numbers: one that makes up the length, in a place of its own for each set, and zero."""
    squared = np.einsum("nd,nd->n", descriptors, descriptors, dtype=np.float64)
    added = np.zeros((len(descriptors), 2), np.float32)
    added[:, place] = np.sqrt(squared.max() - squared)
    return np.hstack([descriptors, added])


def _displacement(both: Floats) -> tuple[Floats, Floats]:
    """Return the displacement (M, 2) in pixels that the network saw, and its largest probability (M,)."""
    offset, score = np.empty((len(both), 2), np.float32), np.empty(len(both), np.float32)
    row, column = np.divmod(np.arange(CELL * CELL, dtype=np.float32), CELL)
    places = np.column_stack([column, row]) - STAYS
    for top in range(0, len(both), _ROWS):
        part = slice(top, top + _ROWS)
        logits = NETWORK.run(both=both[part])["logits"] * _TEMPERATURE
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        probability = powers / powers.sum(axis=1, keepdims=True)
        offset[part], score[part] = probability @ places, probability.max(axis=1)
    return offset, score


def _check(features: Features) -> None:
    if features.extractor != EXTRACTOR:
        raise DataError(
            f"the matcher {EXTRACTOR} is for features of {EXTRACTOR}, not of {features.extractor}; "
            f"extract both photos with {EXTRACTOR}, or match with 'nearest'"
        )
    kind = features.descriptors.shape[1], features.descriptors.dtype.name
    if kind != (DESCRIPTOR, "float32"):
        raise DataError(
            f"the matcher {EXTRACTOR} takes descriptors of {DESCRIPTOR} float32 numbers, but these have "
            f"{kind[0]} of {kind[1]}; extract them with {EXTRACTOR}"
        )
