"""Matches between two photos: the tie points."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tiepoint.errors import DataError
from tiepoint.types._arrays import Noun, checked, checked_inside, checked_or_none, checked_size, read_only

Funnel = tuple[tuple[str, int], ...]

_PER_MATCH = ("xy0", "xy1", "pairs", "distance", "second_distance", "score",
              "size0", "size1", "angle0", "angle1", "source")  # fmt: skip


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
        self._set("funnel", tuple((str(stage), int(count)) for stage, count in self.funnel))

    def __len__(self) -> int:
        return len(self.xy0)

    def __getitem__(self, index: ArrayLike | slice) -> Matches:
        """Return those matches that a mask, indices or a slice select, in that order."""
        if not isinstance(index, slice):
            index = np.atleast_1d(np.asarray(index, dtype=None if np.size(index) else np.intp))
        try:
            chosen: dict[str, Any] = {
                name: None if values is None else values[index]
                for name in _PER_MATCH
                for values in [getattr(self, name)]
            }
        except IndexError as error:
            raise DataError(f"these {len(self)} matches cannot be indexed like that: {error}") from error
        return replace(self, **chosen)

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
        """
        rank: NDArray[Any] | None = self.distance
        if self.score is not None:
            rank = -self.score
        elif self.ratio is not None:
            rank = self.ratio
        if rank is None:
            raise DataError("these matches have neither score nor distance to rank them by")
        return self[np.argsort(rank, kind="stable")[: max(0, n)]]

    def where(self, *, max_distance: float | None = None, ratio: float | None = None) -> Matches:
        """Return the matches that pass stricter thresholds, without matching again.

        Parameters
        ----------
        max_distance : float | None
            Keep a distance of at most this, in the unit of ``distance``.
        ratio : float | None
            Keep what is nearer than ``ratio`` times the second distance (Lowe 2004).
        """
        kept = self
        if ratio is not None:
            if kept.distance is None or kept.second_distance is None:
                raise DataError("a ratio test needs the second distance, which these matches do not have")
            kept = kept.stage("ratio", passes_ratio(kept.distance, kept.second_distance, ratio))
        if max_distance is not None:
            if kept.distance is None:
                raise DataError("a distance threshold needs distances, which these matches do not have")
            kept = kept.stage("distance", kept.distance <= max_distance)
        return kept

    def stage(self, stage: str, mask: NDArray[np.bool_]) -> Matches:
        """Keep what the mask selects, and count it in the funnel."""
        funnel = (*self.funnel, (stage, int(mask.sum())))
        return replace(self[mask], funnel=funnel)

    @staticmethod
    def union(*parts: Matches) -> Matches:
        """Join the matches of several methods on the same two photos.

        A tie point that is there twice to the bit is kept once, from the first that has it. Indices
        and distances of different methods cannot be compared: a field is kept only where every part
        has it, and ``pairs``, ``distance`` and ``second_distance`` only where all have one source.
        """
        if not parts:
            raise DataError("a union needs at least one set of matches")
        first = parts[0]
        for part in parts[1:]:
            if (part.image_size0, part.image_size1) != (first.image_size0, first.image_size1):
                raise DataError("a union needs matches of the same two photos, but their sizes differ")
        joined: dict[str, Any] = {}
        one_source = len({name for part in parts for name in np.unique(part.source)}) <= 1
        for name in _PER_MATCH:
            values = [getattr(part, name) for part in parts]
            comparable = one_source or name not in ("pairs", "distance", "second_distance", "score")
            known = comparable and all(v is not None for v in values)
            joined[name] = np.concatenate(values) if known else None
        both = np.hstack([joined["xy0"], joined["xy1"]])
        _, keep = np.unique(both, axis=0, return_index=True)
        keep.sort()
        joined = {name: None if v is None else v[keep] for name, v in joined.items()}
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
