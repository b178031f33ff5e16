"""Local features: keypoints and their descriptors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tiepoint.errors import DataError
from tiepoint.types._arrays import (
    Noun,
    checked,
    checked_count,
    checked_index,
    checked_inside,
    checked_json,
    checked_or_none,
    checked_size,
)

Metric = Literal["hamming", "l2", "cosine"]
METRICS: tuple[Metric, ...] = get_args(Metric)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Features(Noun):
    """The keypoints of one photo, a descriptor for each, and how they were made.

    Attributes
    ----------
    xy : ndarray, (N, 2) float32
        Positions in pixels of the upright photo, x right, y down; (0, 0) is the centre of the
        top-left pixel.
    size : ndarray, (N,) float32
        Diameter of the region that was described, in pixels.
    angle : ndarray, (N,) float32 | None
        Orientation in degrees, clockwise as seen (from +x to +y); None where the extractor gives none.
    score : ndarray, (N,) float32 | None
        The detector's response; larger is stronger. Comparable within one photo and extractor only.
    descriptors : ndarray, (N, D) uint8 or float32
        Row i describes keypoint i.
    metric : {"hamming", "l2", "cosine"}
        How descriptors are compared; with "hamming" they are uint8, eight bits a byte.
    image_size : (int, int)
        Width and height of the photo in pixels.
    extractor : str
        Its name, as in :func:`tiepoint.extract`.
    settings : Mapping[str, Any]
        The options and the version of the extractor that made them; can be written as JSON.

    Raises
    ------
    DataError
        If shapes, dtypes or values do not fit; the message says what was expected and what came.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> features = tp.extract(render_demo().image0, "orb", max_keypoints=200)
    >>> len(features.strongest(50))
    50
    """

    xy: NDArray[np.float32]
    size: NDArray[np.float32]
    angle: NDArray[np.float32] | None = None
    score: NDArray[np.float32] | None = None
    descriptors: NDArray[Any]
    metric: Metric
    image_size: tuple[int, int]
    extractor: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._set("xy", checked("xy", self.xy, shape=(None, 2), dtype=np.float32))
        n = len(self.xy)
        self._set("size", checked("size", self.size, shape=(n,), dtype=np.float32))
        self._set("angle", checked_or_none("angle", self.angle, shape=(n,), dtype=np.float32))
        self._set("score", checked_or_none("score", self.score, shape=(n,), dtype=np.float32))
        if not isinstance(self.metric, str) or self.metric not in METRICS:
            raise DataError(f"metric must be one of {', '.join(METRICS)}, not {self.metric!r}")
        dtype = np.uint8 if self.metric == "hamming" else (np.uint8, np.float32)
        self._set("descriptors", checked("descriptors", self.descriptors, shape=(n, None), dtype=dtype))
        self._set("image_size", checked_size("image_size", self.image_size))
        checked_inside("xy", self.xy, self.image_size)
        if n and self.size.min() < 0:
            raise DataError(f"size is a diameter in pixels, but reaches down to {self.size.min():g}")
        if not isinstance(self.extractor, str):
            raise DataError(f"extractor must be a name, not {self.extractor!r}")
        if not isinstance(self.settings, Mapping):
            raise DataError(f"settings must be values that JSON can hold, by name, not {self.settings!r}")
        self._set("settings", checked_json("settings", dict(self.settings)))

    def __len__(self) -> int:
        return len(self.xy)

    def __getitem__(self, index: ArrayLike | slice) -> Features:
        """Return those features that a mask, indices or a slice select, in that order."""
        chosen = checked_index("features", len(self), index)
        return replace(
            self,
            xy=self.xy[chosen],
            size=self.size[chosen],
            angle=None if self.angle is None else self.angle[chosen],
            score=None if self.score is None else self.score[chosen],
            descriptors=self.descriptors[chosen],
        )

    def strongest(self, n: int) -> Features:
        """Return the ``n`` features of the highest score, strongest first; ties keep their order.

        Raises
        ------
        OptionError
            If ``n`` is no whole number from 0 up.
        DataError
            If the extractor gives no score.
        """
        if self.score is None:
            raise DataError(f"features of {self.extractor} have no score to rank them by")
        return self[np.argsort(-self.score, kind="stable")[: checked_count("n", n)]]

    def __repr__(self) -> str:
        width, height = self.image_size
        n, length = self.descriptors.shape
        return (
            f"Features({n} {self.extractor}, {length} x {self.descriptors.dtype.name} {self.metric}, "
            f"photo {width}x{height})"
        )

    def _repr_html_(self) -> str:
        from tiepoint.plotting.notebook import features_html

        return features_html(self)
