"""What the world is made of, flat patches, and where rays meet them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.evaluation.scene.camera import Float, PinholeCamera

Mask = NDArray[np.bool_]
Real = NDArray[np.floating[Any]]
_NEAR = 0.05  # metres before the camera within which a corner has no pixel worth computing
_ROUNDING = 1e-3  # pixels by which a box is widened


@dataclass(frozen=True, kw_only=True, eq=False)
class Surface:
    """A flat patch: the points ``origin + s * u + v * up`` with s and v from 0 to 1.

    Attributes
    ----------
    origin, u, up : ndarray, (3,) float64
        Bottom left corner as seen from outside, the whole bottom edge, the whole left edge; metres.
        Outside is where ``cross(u, up)`` points.
    taper : float
        Width of the top edge over that of the bottom edge: 1 is a parallelogram, 0 a triangle.
    cutout : ndarray, (h, w) bool | None
        Where the patch is solid, first row on top; None: everywhere.
    """

    origin: Float
    u: Float
    up: Float
    taper: float = 1.0
    cutout: Mask | None = None

    def solid(self, s: Real, v: Real) -> Mask:
        """Tell where the cutout is solid at patch coordinates ``s`` and ``v``."""
        if self.cutout is None:
            return np.ones(s.shape, np.bool_)
        rows, columns = self.cutout.shape
        column = np.clip((s * columns).astype(np.intp), 0, columns - 1)
        row = np.clip(((1 - v) * rows).astype(np.intp), 0, rows - 1)
        return np.asarray(self.cutout[row, column], np.bool_)


@dataclass(frozen=True, kw_only=True, eq=False)
class Hits:
    """What rays met first, in arrays of one shape.

    Attributes
    ----------
    inverse_depth : ndarray, float32 or float64
        1 / z-depth in 1 / metres; 0 for sky.
    s, v : ndarray, float32 or float64
        Where on the surface, times the inverse depth.
    patch : ndarray, int32
        Index of the surface; -1 for sky.
    """

    inverse_depth: Real
    s: Real
    v: Real
    patch: NDArray[np.int32]

    @classmethod
    def sky(cls, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Hits:
        """Return hits of nothing, to be filled."""
        inverse_depth, s, v = np.zeros((3, *shape), dtype)
        return cls(inverse_depth=inverse_depth, s=s, v=v, patch=np.full(shape, -1, np.int32))

    @property
    def depth(self) -> Real:
        """z-depth in metres; infinite for sky."""
        far = np.full(self.patch.shape, np.inf, self.inverse_depth.dtype)
        return np.divide(1, self.inverse_depth, out=far, where=self.patch >= 0)


@dataclass(frozen=True, kw_only=True, eq=False)
class RayCaster:
    """Surfaces as one camera sees them.

    Attributes
    ----------
    surfaces : tuple[Surface, ...]
    maps : ndarray, (P, 3, 3) float64
        Times (x, y, 1) gives (s, v, 1) / z of a surface: all three are linear in the pixel.
    boxes : ndarray, (P, 4) float64
        Left, top, right, bottom of the pixels that a surface may cover.
    """

    surfaces: tuple[Surface, ...]
    maps: Float
    boxes: Float

    @classmethod
    def of(cls, surfaces: Sequence[Surface], camera: PinholeCamera) -> RayCaster:
        """Look at ``surfaces`` through ``camera``."""
        o, u, up = (np.array([getattr(s, name) for s in surfaces]) for name in ("origin", "u", "up"))
        rotation, translation = camera.pose
        frames = np.stack([u @ rotation.T, up @ rotation.T, o @ rotation.T + translation], axis=2)
        matrices = camera.K @ frames
        # A patch seen exactly edge-on covers no pixel, and its matrix cannot be inverted.
        scale = np.linalg.norm(matrices, axis=1).prod(axis=1)
        thin = np.abs(np.linalg.det(matrices)) < 1e-12 * scale
        matrices[thin] = np.eye(3)
        maps = np.asarray(np.linalg.inv(matrices), np.float64)
        maps[thin] = 0
        corners = np.stack([o, o + u, o + u + up, o + up], axis=1)
        xy, depth = camera.project(corners.reshape(-1, 3))
        xy, behind = xy.reshape(-1, 4, 2), depth.reshape(-1, 4) < _NEAR
        xy[behind] = 0
        boxes = np.hstack([xy.min(axis=1) - _ROUNDING, xy.max(axis=1) + _ROUNDING])
        everywhere = np.array([-np.inf, -np.inf, np.inf, np.inf])
        boxes[behind.any(axis=1)] = everywhere  # it reaches behind the camera
        boxes[behind.all(axis=1) | thin] = -everywhere
        return cls(surfaces=tuple(surfaces), maps=maps, boxes=boxes)

    def grid(self, x: Real, y: Real) -> Hits:
        """Cast the rays through all crossings of the columns ``x`` (W,) and rows ``y`` (H,), ascending.

        It computes in the precision of ``x`` and ``y``: float32 is enough to look at, and quicker.
        """
        hits = Hits.sky((len(y), len(x)), x.dtype)
        maps = self.maps.astype(x.dtype)
        first_column, last_column = np.searchsorted(x, self.boxes[:, 0::2]).T
        first_row, last_row = np.searchsorted(y, self.boxes[:, 1::2]).T
        for index in np.flatnonzero((first_column < last_column) & (first_row < last_row)):
            at = slice(first_row[index], last_row[index]), slice(first_column[index], last_column[index])
            across, down = x[None, at[1]], y[at[0], None]
            s, v, w = (m[0] * across + (m[1] * down + m[2]) for m in maps[index])
            hit = _hit(self.surfaces[index], s, v, w, hits.inverse_depth[at])
            np.copyto(hits.inverse_depth[at], w, where=hit)
            np.copyto(hits.s[at], s, where=hit)
            np.copyto(hits.v[at], v, where=hit)
            np.copyto(hits.patch[at], np.int32(index), where=hit)
        return hits

    def points(self, xy: Float) -> Hits:
        """Cast the rays through any pixel positions (N, 2)."""
        hits = Hits.sky((len(xy),), xy.dtype)
        x, y = xy[:, 0], xy[:, 1]
        for index, (left, top, right, bottom) in enumerate(self.boxes):
            near = np.flatnonzero((x >= left) & (x <= right) & (y >= top) & (y <= bottom))
            if not len(near):
                continue
            s, v, w = (m[0] * x[near] + (m[1] * y[near] + m[2]) for m in self.maps[index])
            hit = _hit(self.surfaces[index], s, v, w, hits.inverse_depth[near])
            at = near[hit]
            hits.inverse_depth[at], hits.s[at], hits.v[at] = w[hit], s[hit], v[hit]
            hits.patch[at] = index
        return hits


def _hit(surface: Surface, s: Real, v: Real, w: Real, nearest: Real) -> Mask:
    """Tell which rays meet the patch before ``nearest``; ``s`` and ``v`` are still divided by depth."""
    hit: Mask = (w > nearest) & (v >= 0) & (v <= w)
    if surface.taper == 1:
        hit &= (s >= 0) & (s <= w)
    else:
        hit &= np.abs(2 * s - w) <= w - (1 - surface.taper) * v
    if surface.cutout is not None:
        where = np.nonzero(hit)
        depth = 1 / w[where]
        hit[where] = surface.solid(s[where] * depth, v[where] * depth)
    return hit
