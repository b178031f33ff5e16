"""Matches between two photos: the tie points."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tiepoint.errors import DataError, OptionError
from tiepoint.types._arrays import (
    Noun,
    checked,
    checked_count,
    checked_index,
    checked_inside,
    checked_or_none,
    checked_size,
    read_only,
)
from tiepoint.types.features import Features

Funnel = tuple[tuple[str, int], ...]

# The fields with one entry a match.
PER_MATCH = ("xy0", "xy1", "pairs", "distance", "second_distance", "score",
              "size0", "size1", "angle0", "angle1", "source")  # fmt: skip
_OF_ONE_METHOD = ("pairs", "distance", "second_distance", "score")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Matches(Noun):
    """Tie points: positions in photo 0 and in photo 1 that are held to show the same thing.

    Attributes
    ----------
    xy0, xy1 : ndarray, (M, 2) float32
        Positions in pixels of the upright photos; (0, 0) is the centre of the top-left pixel.
    pairs : ndarray, (M, 2) int32 | None
        Indices into the Features of photo 0 and photo 1; None for a matcher without keypoints.
    distance : ndarray, (M,) float32 | None
        Between the two descriptors: Euclidean, Hamming (bits) or 1 - cosine.
    second_distance : ndarray, (M,) float32 | None
        To the second nearest descriptor of photo 1; infinite where photo 1 has only one.
    score : ndarray, (M,) float32 | None
        A learned matcher's own confidence; larger is better.
    size0, size1, angle0, angle1 : ndarray, (M,) float32 | None
        Of the keypoints, as in Features.
    source : ndarray, (M,) str
        The method that found each match; one plain string stands for all.
    image_size0, image_size1 : (int, int)
        Width and height of the photos in pixels.
    funnel : tuple[tuple[str, int], ...]
        (stage, count), in order: how many were left after each stage.

    Raises
    ------
    DataError
        If shapes, dtypes or values do not fit.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> scene = render_demo()
    >>> matches = tp.match(scene.image0, scene.image1, extractor="orb").matches
    >>> few = matches.where(ratio=0.7, max_distance=40).strongest(10)
    >>> few.xy0.shape, len(few) < len(matches)
    ((10, 2), True)
    """

    xy0: NDArray[np.float32]
    xy1: NDArray[np.float32]
    pairs: NDArray[np.int32] | None = None
    distance: NDArray[np.float32] | None = None
    second_distance: NDArray[np.float32] | None = None
    score: NDArray[np.float32] | None = None
    size0: NDArray[np.float32] | None = None
    size1: NDArray[np.float32] | None = None
    angle0: NDArray[np.float32] | None = None
    angle1: NDArray[np.float32] | None = None
    source: NDArray[np.str_] | str
    image_size0: tuple[int, int]
    image_size1: tuple[int, int]
    funnel: Funnel = field(default=())

    def __post_init__(self) -> None:
        self._set("xy0", checked("xy0", self.xy0, shape=(None, 2), dtype=np.float32))
        m = len(self.xy0)
        self._set("xy1", checked("xy1", self.xy1, shape=(m, 2), dtype=np.float32))
        self._set("pairs", checked_or_none("pairs", self.pairs, shape=(m, 2), dtype=np.int32))
        if self.pairs is not None and m and self.pairs.min() < 0:
            raise DataError("pairs must be indices from 0 up, but one is negative")
        for name in ("distance", "score", "size0", "size1", "angle0", "angle1"):
            self._set(name, checked_or_none(name, getattr(self, name), shape=(m,), dtype=np.float32))
        second = checked_or_none(
            "second_distance", self.second_distance, shape=(m,), dtype=np.float32, finite=False
        )
        if second is not None and np.isnan(second).any():
            raise DataError("second_distance must hold distances, but holds NaN")
        self._set("second_distance", second)
        source = self.source
        if isinstance(source, str):
            source = np.broadcast_to(np.array(source), (m,))
        self._set("source", checked("source", source, shape=(m,), dtype=np.str_))
        for name in ("image_size0", "image_size1"):
            self._set(name, checked_size(name, getattr(self, name)))
        checked_inside("xy0", self.xy0, self.image_size0)
        checked_inside("xy1", self.xy1, self.image_size1)
        try:
            funnel = tuple((str(stage), operator.index(count)) for stage, count in self.funnel)
        except (TypeError, ValueError) as error:
            raise DataError(f"funnel must be pairs of a stage and a count, not {self.funnel!r}") from error
        self._set("funnel", funnel)

    def __len__(self) -> int:
        return len(self.xy0)

    def __getitem__(self, index: ArrayLike | slice) -> Matches:
        """Return those matches that a mask, indices or a slice select, in that order."""
        chosen = checked_index("matches", len(self), index)
        values = ((name, getattr(self, name)) for name in PER_MATCH)
        kept: dict[str, Any] = {name: None if v is None else v[chosen] for name, v in values}
        return replace(self, **kept)

    @staticmethod
    def between(
        features0: Features,
        features1: Features,
        pairs: NDArray[np.int32],
        *,
        distance: NDArray[np.float32] | None = None,
        second_distance: NDArray[np.float32] | None = None,
        source: str,
        funnel: Funnel = (),
    ) -> Matches:
        """Build the matches of two sets of features from pairs of their indices.

        Parameters
        ----------
        features0, features1 : Features
            Of photo 0 and photo 1.
        pairs : ndarray, (M, 2) int32
            Indices into ``features0`` and ``features1``.
        distance, second_distance : ndarray, (M,) float32 | None
        source : str
            The method's name.
        funnel : tuple[tuple[str, int], ...]
            (stage, count), in order.

        Raises
        ------
        DataError
            If a pair points outside of the features, or the arrays do not fit each other.

        Examples
        --------
        >>> import numpy as np
        >>> import tiepoint as tp
        >>> from tiepoint.evaluation import render_demo
        >>> scene = render_demo()
        >>> features = [tp.extract(image, "orb") for image in (scene.image0, scene.image1)]
        >>> tp.Matches.between(*features, np.array([[0, 7], [5, 2]], np.int32), source="hand")
        Matches(2 by hand)
        """
        pairs = checked("pairs", pairs, shape=(None, 2), dtype=np.int32)
        check_pairs(pairs, features0, features1)
        rows0, rows1 = pairs[:, 0], pairs[:, 1]
        return Matches(
            xy0=features0.xy[rows0],
            xy1=features1.xy[rows1],
            pairs=pairs,
            distance=distance,
            second_distance=second_distance,
            size0=features0.size[rows0],
            size1=features1.size[rows1],
            angle0=None if features0.angle is None else features0.angle[rows0],
            angle1=None if features1.angle is None else features1.angle[rows1],
            source=source,
            image_size0=features0.image_size,
            image_size1=features1.image_size,
            funnel=funnel,
        )

    @property
    def ratio(self) -> NDArray[np.float32] | None:
        """Distance over second distance, (M,) float32, 0 (distinct) to 1; None where not known.

        Two equal descriptors in photo 1 at distance 0 cannot be told apart: their ratio is 1.
        """
        if self.distance is None or self.second_distance is None:
            return None
        same = self.second_distance == 0
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = self.distance / self.second_distance
        return read_only(np.where(same, np.float32(1), ratio))

    def strongest(self, n: int) -> Matches:
        """Return the ``n`` best matches, best first; ties keep their order.

        Ranked by the matcher's score, else by the ratio to the second nearest (how distinct the
        match is), else by distance.

        Raises
        ------
        OptionError
            If ``n`` is no whole number from 0 up.
        DataError
            If there is nothing to rank them by.
        """
        rank: NDArray[Any] | None = self.distance
        if self.score is not None:
            rank = -self.score
        elif self.ratio is not None:
            rank = self.ratio
        if rank is None:
            raise DataError("these matches have neither score nor distance to rank them by")
        return self[np.argsort(rank, kind="stable")[: checked_count("n", n)]]

    def where(self, *, max_distance: float | None = None, ratio: float | None = None) -> Matches:
        """Return the matches that pass stricter thresholds, without matching again.

        Parameters
        ----------
        max_distance : float | None
            Keep a distance of at most this, in the unit of ``distance``.
        ratio : float | None
            Keep what is nearer than ``ratio`` times the second distance (Lowe 2004).

        Raises
        ------
        OptionError
            If a threshold is no number or out of its range.
        DataError
            If the matches do not have the distances that a threshold is for.

        Examples
        --------
        >>> import numpy as np
        >>> import tiepoint as tp
        >>> points = np.array([[20, 30], [100, 80]], np.float32)
        >>> matches = tp.Matches(xy0=points, xy1=points, source="by hand",
        ...                      distance=np.array([30, 50], np.float32),
        ...                      second_distance=np.array([60, 60], np.float32),
        ...                      image_size0=(160, 120), image_size1=(160, 120))
        >>> matches.where(ratio=0.8).funnel
        (('ratio', 1),)
        """
        check_thresholds(ratio, max_distance)
        kept = self
        if ratio is not None:
            if kept.distance is None or kept.second_distance is None:
                raise DataError("a ratio test needs the second distance, which these matches do not have")
            kept = kept.filtered("ratio", passes_ratio(kept.distance, kept.second_distance, ratio))
        if max_distance is not None:
            if kept.distance is None:
                raise DataError("a distance threshold needs distances, which these matches do not have")
            kept = kept.filtered("distance", passes_distance(kept.distance, max_distance))
        return kept

    def filtered(self, stage: str, mask: NDArray[np.bool_]) -> Matches:
        """Return what the mask selects, with one more stage in the funnel.

        Parameters
        ----------
        stage : str
            A word for what was asked, such as "mutual".
        mask : ndarray, (M,) bool
            True for the matches to keep.

        Examples
        --------
        >>> import numpy as np
        >>> import tiepoint as tp
        >>> points = np.array([[20, 30], [100, 80]], np.float32)
        >>> matches = tp.Matches(xy0=points, xy1=points, source="by hand",
        ...                      image_size0=(160, 120), image_size1=(160, 120))
        >>> left = matches.filtered("left half", matches.xy0[:, 0] < 80)
        >>> left.funnel
        (('left half', 1),)
        """
        kept = self[mask]
        return replace(kept, funnel=(*self.funnel, (stage, len(kept))))

    @staticmethod
    def union(*parts: Matches) -> Matches:
        """Join the matches of several methods on the same two photos.

        A tie point that is there twice to the bit is kept once, from the first that has it. Indices,
        distances and scores of different methods cannot be compared, so ``pairs``, ``distance``,
        ``second_distance`` and ``score`` are left out; any other field is kept where every part has it.

        Raises
        ------
        DataError
            If there is nothing to join, or the photos are of different sizes.

        Examples
        --------
        >>> import numpy as np
        >>> import tiepoint as tp
        >>> def found(by, *points):
        ...     xy = np.array(points, np.float32)
        ...     return tp.Matches(xy0=xy, xy1=xy, source=by, image_size0=(160, 120), image_size1=(160, 120))
        >>> tp.Matches.union(found("orb", (20, 30), (100, 80)), found("sift", (100, 80), (5, 5)))
        Matches(3 by orb, sift)
        """
        if not parts:
            raise DataError("a union needs at least one set of matches")
        first = parts[0]
        for part in parts[1:]:
            if (part.image_size0, part.image_size1) != (first.image_size0, first.image_size1):
                raise DataError("a union needs matches of the same two photos, but their sizes differ")
        points = np.concatenate([np.hstack([part.xy0, part.xy1]) for part in parts])
        _, keep = np.unique(points, axis=0, return_index=True)
        keep.sort()
        joined: dict[str, Any] = {}
        for name in PER_MATCH:
            values = [getattr(part, name) for part in parts]
            known = name not in _OF_ONE_METHOD and all(v is not None for v in values)
            joined[name] = np.concatenate(values)[keep] if known else None
        return replace(first, **joined, funnel=(("union", len(keep)),))

    def __repr__(self) -> str:
        sources = ", ".join(str(s) for s in np.unique(self.source)) or "none"
        return f"Matches({len(self)} by {sources})"

    def _repr_html_(self) -> str:
        from tiepoint.plotting.notebook import matches_html

        return matches_html(self)


def passes_ratio(
    distance: NDArray[np.float32], second_distance: NDArray[np.float32], ratio: float
) -> NDArray[np.bool_]:
    """Apply Lowe's ratio test: the nearest must be nearer than ``ratio`` times the second nearest.

    In double precision, as ``m.distance < ratio * n.distance`` is in Python.
    """
    passed: NDArray[np.bool_] = distance.astype(np.float64) < ratio * second_distance.astype(np.float64)
    return passed


def passes_distance(distance: NDArray[np.float32], max_distance: float) -> NDArray[np.bool_]:
    """Tell which distances are at most this; in double precision, as Python compares them."""
    passed: NDArray[np.bool_] = distance <= np.float64(max_distance)
    return passed


def check_thresholds(ratio: float | None, max_distance: float | None, *, ratio_both: bool = False) -> None:
    """Refuse thresholds that make no sense, in one sentence."""
    if ratio is not None and not (_is_number(ratio) and 0 < ratio <= 1):
        raise OptionError(f"ratio must be above 0 and at most 1, not {ratio!r}")
    if max_distance is not None and not (_is_number(max_distance) and max_distance >= 0):
        raise OptionError(f"max_distance must be at least 0, not {max_distance!r}")
    if ratio_both and ratio is None:
        raise OptionError("ratio_both needs a ratio, such as ratio=0.8")


def check_pairs(pairs: NDArray[np.int32], features0: Features | None, features1: Features | None) -> None:
    """Refuse indices that point outside of the features, where these are known."""
    for photo, features in enumerate((features0, features1)):
        index = pairs[:, photo]
        if features is not None and len(index) and not 0 <= index.min() <= index.max() < len(features):
            raise DataError(
                f"these matches point outside of the {len(features)} features of photo {photo}; "
                "were they made from other features?"
            )


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
