"""The rows of a pair's page: every candidate, and behind them what was matched without being one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.plotting.pages.view.packing import packed
from tiepoint.plotting.pages.view.thresholds import kept_of
from tiepoint.types import Features, Matches, MatchResult

NOT_JUDGED, REJECTED, AGREES = 0, 1, 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """One row a match, as a page counts, colours and draws them.

    Attributes
    ----------
    parts : tuple[Matches, ...]
        Whose matches the rows are, in their order: the candidates, and what is not among these.
    candidates : int
        How many of the rows are candidates, the first ones; thresholds act on these.
    kept : ndarray, (R,) bool
        Which are among the result's matches.
    judged : ndarray, (R,) uint8
        What the geometry says of them: 0 nothing, 1 that they are rejected, 2 that they agree.
    residual : ndarray, (R,) float32
        In pixels; NaN where the geometry has not looked.
    guided : ndarray, (R,) bool
        Which were won by guided matching.
    """

    parts: tuple[Matches, ...]
    candidates: int
    kept: NDArray[np.bool_]
    judged: NDArray[np.uint8]
    residual: NDArray[np.float32]
    guided: NDArray[np.bool_]

    def column(self, name: str) -> NDArray[Any] | None:
        """Return a field of all rows; NaN in those that lack it, None where all do."""
        values = [getattr(part, name) for part in self.parts]
        if all(value is None for value, part in zip(values, self.parts, strict=True) if len(part)):
            return None
        filled = [
            np.full((len(part), *_shape(name)), -1 if name == "pairs" else np.nan) if value is None else value
            for value, part in zip(values, self.parts, strict=True)
        ]
        return np.concatenate(filled).astype(np.int32 if name == "pairs" else np.float32)

    @property
    def sources(self) -> NDArray[np.str_]:
        """The name of the method of each row."""
        return np.concatenate([part.source for part in self.parts])


def _shape(name: str) -> tuple[int, ...]:
    return (2,) if name in ("xy0", "xy1", "pairs") else ()


def rows_of(result: MatchResult) -> Rows:
    """Return the rows of a result: each match once, whichever sets it is in.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.plotting.pages.view.rows import rows_of
    >>> scene = render_demo()
    >>> result = tp.match(scene.image0, scene.image1, extractor="orb", max_keypoints=300)
    >>> rows = rows_of(result)
    >>> rows.candidates, int(rows.kept.sum()) == len(result.matches)
    (300, True)
    >>> int((rows.judged == 2).sum()) == result.geometry.count
    True
    """
    parts = [result.candidates]
    kept, at = _added(parts, result.matches)
    geometry = result.geometry
    judged = np.zeros(len(kept), np.uint8)
    residual = np.full(len(kept), np.nan, np.float32)
    guided = np.zeros(len(kept), np.bool_)
    if geometry is not None:
        _, at = _added(parts, geometry.matches)
        more = sum(map(len, parts)) - len(kept)
        kept, guided = (np.pad(flags, (0, more)) for flags in (kept, guided))
        judged = np.pad(judged, (0, more))
        residual = np.pad(residual, (0, more), constant_values=np.nan)
        judged[at] = np.where(geometry.inliers, AGREES, REJECTED)
        if geometry.residuals is not None:
            residual[at] = geometry.residuals
        guided[at[geometry.own :]] = True
    return Rows(
        parts=tuple(parts),
        candidates=len(result.candidates),
        kept=kept,
        judged=judged,
        residual=residual,
        guided=guided,
    )


def _added(parts: list[Matches], matches: Matches) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Add to the parts what of the matches is in none of them; return what is kept, and each one's row."""
    at = np.full(len(matches), -1, np.intp)
    start, flags = 0, []
    for part in parts:
        kept, row = kept_of(part, matches)
        new = (row >= 0) & (at < 0)
        at[new] = row[new] + start
        start += len(part)
        flags.append(kept)
    missing = at < 0
    if missing.any():
        parts.append(matches[missing])
        at[missing] = start + np.arange(np.count_nonzero(missing))
        flags.append(np.ones(np.count_nonzero(missing), np.bool_))
    return np.concatenate(flags), at


def row_arrays(
    rows: Rows,
    mutual: NDArray[np.bool_] | None,
    features: tuple[Features | None, Features | None] = (None, None),
) -> dict[str, Any]:
    """Return the rows as a page holds them; what no row has, and what the keypoints tell, is left out."""
    names = [
        "xy0",
        "xy1",
        "pairs",
        "distance",
        "second_distance",
        "score",
        "size0",
        "size1",
        "angle0",
        "angle1",
    ]
    for photo, found in enumerate(features):
        if _are_keypoints(rows, photo, found):
            names = [name for name in names if not name.endswith(str(photo))]
    arrays: dict[str, NDArray[Any] | None] = {name: rows.column(name) for name in names}
    arrays.update(kept=rows.kept, judged=rows.judged, mutual=mutual)
    arrays["residual"] = rows.residual if np.isfinite(rows.residual).any() else None
    arrays["guided"] = rows.guided if rows.guided.any() else None
    methods, method = np.unique(rows.sources, return_inverse=True)
    if 1 < len(methods) < 256:
        arrays["method"] = method.astype(np.uint8)
    return {
        "count": len(rows.kept),
        "candidates": rows.candidates,
        "arrays": {name: packed(array) for name, array in arrays.items() if array is not None},
        "methods": [str(name) for name in methods],
    }


def _are_keypoints(rows: Rows, photo: int, features: Features | None) -> bool:
    """Tell whether the ends of all rows in a photo are keypoints, as they were extracted."""
    pairs = rows.column("pairs")
    if features is None or pairs is None or (pairs[:, photo] < 0).any():
        return False
    xy = rows.column(f"xy{photo}")
    return xy is not None and np.array_equal(xy, features.xy[pairs[:, photo]])


def keypoint_arrays(features: Features | None, *, scored: bool = False) -> dict[str, Any] | None:
    """Return the keypoints of a photo as a page holds them, with their scores if these are asked for."""
    if features is None:
        return None
    arrays = {"xy": features.xy, "size": features.size, "angle": features.angle}
    if scored:
        arrays["score"] = features.score
    return {
        "count": len(features),
        "arrays": {name: packed(array) for name, array in arrays.items() if array is not None},
    }
