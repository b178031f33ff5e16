"""From patches, a camera and a light to a photo and its depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiepoint.evaluation.scene.building import Patch
from tiepoint.evaluation.scene.camera import Float, PinholeCamera
from tiepoint.evaluation.scene.canvas import Texture
from tiepoint.evaluation.scene.light import (
    Daylight,
    ShadowMap,
    cloud_cover,
    develop,
    relief_light,
    sensor,
    sky,
)
from tiepoint.evaluation.scene.noise import Map
from tiepoint.evaluation.scene.surfaces import Hits, RayCaster

_SAMPLES = 2  # rays a pixel, each way
_BAND = 1 << 18  # rays at a time: what they need stays small
_HAZE = 700.0  # metres after which the air hides about two thirds


@dataclass(frozen=True, kw_only=True, eq=False)
class Atlas:
    """All textures and their halvings, one after the other in one array.

    Attributes
    ----------
    texels : ndarray, (T, 4) float32
        Albedo, and the share of sun by relief.
    start, rows, columns : ndarray, (patches, levels) int32
        Where each level of a patch's texture begins, and its size.
    """

    texels: Map
    start: NDArray[np.int32]
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]

    @classmethod
    def of(cls, patches: Sequence[Patch], light: Daylight, levels: int = 6) -> Atlas:
        """Gather the textures of ``patches``; those without relief are kept once, however often used."""
        parts: list[Map] = []
        total = 0
        known: dict[int, list[tuple[int, int, int]]] = {}
        tables: list[list[tuple[int, int, int]]] = []
        for patch in patches:
            texture = patch.texture
            table = known.get(id(texture))
            if table is None:
                table = []
                level = _with_sun(texture, patch, light)
                for _ in range(levels):
                    table.append((total, level.shape[0], level.shape[1]))
                    parts.append(level.reshape(-1, 4))
                    total += level.shape[0] * level.shape[1]
                    level = _halved(level)
                if texture.relief is None:
                    known[id(texture)] = table
            tables.append(table)
        start, rows, columns = np.moveaxis(np.array(tables, np.int32), 2, 0)
        return cls(texels=np.concatenate(parts), start=start, rows=rows, columns=columns)

    def sample(self, patch: NDArray[np.int32], s: Map, v: Map, level: NDArray[np.int32]) -> Map:
        """Return the texels (N, 4) at patch coordinates, interpolated."""
        key = patch * np.int32(self.start.shape[1]) + level
        start, rows, columns = (np.take(t.ravel(), key) for t in (self.start, self.rows, self.columns))
        x = np.clip(s * columns - np.float32(0.5), 0, columns - 1)
        y = np.clip((1 - v) * rows - np.float32(0.5), 0, rows - 1)
        column = np.minimum(x.astype(np.int32), np.maximum(columns - 2, 0))
        row = np.minimum(y.astype(np.int32), np.maximum(rows - 2, 0))
        fx, fy = (x - column)[:, None], (y - row)[:, None]
        base = start + row * columns + column
        right = (columns > 1).astype(np.int32)
        below = np.where(rows > 1, columns, 0)
        upper = np.take(self.texels, base, axis=0)
        upper += (np.take(self.texels, base + right, axis=0) - upper) * fx
        lower = np.take(self.texels, base + below, axis=0)
        lower += (np.take(self.texels, base + below + right, axis=0) - lower) * fx
        upper += (lower - upper) * fy
        return np.asarray(upper, np.float32)


def _with_sun(texture: Texture, patch: Patch, light: Daylight) -> Map:
    level = np.empty((*texture.albedo.shape[:2], 4), np.float32)
    level[..., :3] = texture.albedo
    level[..., 3] = 1 if texture.relief is None else relief_light(texture, patch.surface, light)
    return level


def _halved(level: Map) -> Map:
    rows, columns = level.shape[0] // 2, level.shape[1] // 2
    if not rows or not columns:
        return level
    even = level[: 2 * rows, : 2 * columns]
    # Four strided sums: several times faster than a mean over two small axes.
    total = even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]
    return np.asarray(total * np.float32(0.25), np.float32)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Shader:
    """What does not change from ray to ray; arrays are over patches."""

    camera: PinholeCamera
    light: Daylight
    atlas: Atlas
    shadows: ShadowMap
    fineness: Map
    facing: Map
    ambient: Map

    @classmethod
    def of(cls, patches: Sequence[Patch], camera: PinholeCamera, light: Daylight) -> _Shader:
        casting = [p.surface for p in patches if p.casts]
        size = int(np.clip(1.6 * max(camera.width, camera.height), 256, 1400))
        fineness, facing, ambient = [], [], []
        atlas = Atlas.of(patches, light)
        for k, patch in enumerate(patches):
            surface = patch.surface
            across = np.cross(surface.u, surface.up)
            area = float(np.linalg.norm(across))
            own = across / area
            normal = own if patch.normal is None else patch.normal
            density = float(atlas.rows[k, 0]) * float(atlas.columns[k, 0]) / area
            distance = abs(float(own @ (surface.origin - camera.centre))) + 1e-6
            focal = camera.K[0, 0] * _SAMPLES
            # Texels under one ray, square root of their area: it grows with depth and with slant.
            fineness.append(0.5 * np.log2(density / (focal**2 * distance)))
            cosine = float(normal @ light.to_sun)
            if patch.normal is not None:
                cosine = 0.3 + 0.7 * cosine  # leaves let light through
            facing.append(1.0 if patch.texture.relief is not None else max(0.0, cosine))
            above = np.float32(0.5 + 0.5 * normal[2])
            ambient.append((light.bounce + (light.sky - light.bounce) * above) * np.float32(patch.shade))
            facing[-1] *= patch.shade
        return cls(
            camera=camera,
            light=light,
            atlas=atlas,
            shadows=ShadowMap.of(casting, light, size),
            fineness=np.array(fineness, np.float32),
            facing=np.array(facing, np.float32),
            ambient=np.array(ambient, np.float32),
        )

    def shade(self, hits: Hits, x: Map, y: Map) -> tuple[Map, NDArray[np.intp]]:
        """Return the light (N, 3) float32 that comes from what was hit, and the flat index of each ray."""
        row, column = np.nonzero(hits.patch >= 0)
        index = row * len(x) + column
        patch = np.take(hits.patch, index)
        depth = (1 / np.take(hits.inverse_depth, index)).astype(np.float32, copy=False)
        s = np.asarray(np.take(hits.s, index) * depth, np.float32)
        v = np.asarray(np.take(hits.v, index) * depth, np.float32)
        level = np.rint(self.fineness[patch] + np.float32(1.5) * np.log2(depth))
        level = np.clip(level, 0, self.atlas.start.shape[1] - 1).astype(np.int32)
        texels = self.atlas.sample(patch, s, v, level)
        direction = self.camera.world_from_pixel.astype(np.float32)
        rays = np.take(x[:, None] * direction[:, 0] + direction[:, 2], column, axis=0)
        rays += np.take(y[:, None] * direction[:, 1], row, axis=0)
        rays *= depth[:, None]
        points = rays + self.camera.centre.astype(np.float32)
        sun = self.facing[patch] * texels[:, 3] * self.shadows.sunlit(points)
        colours = texels[:, :3] * (self.light.sun * sun[:, None] + self.ambient[patch])
        air = (1 - np.exp(-depth / np.float32(_HAZE)))[:, None]
        colours += (self.light.horizon - colours) * air
        return np.asarray(colours, np.float32), index


def render(
    patches: Sequence[Patch],
    camera: PinholeCamera,
    light: Daylight,
    rng: np.random.Generator,
    *,
    noise: float,
) -> tuple[NDArray[np.uint8], Float]:
    """Return the photo, (H, W, 3) uint8 RGB, and the z-depth of its pixel centres, (H, W) float64."""
    caster = RayCaster.of([patch.surface for patch in patches], camera)
    shader = _Shader.of(patches, camera, light)
    cover = cloud_cover(rng)
    n = _SAMPLES
    fine_x = _fine(0, camera.width)
    linear = np.empty((camera.height, camera.width, 3), np.float32)
    depth = np.empty((camera.height, camera.width))
    band = max(1, _BAND // (camera.width * n * n))
    for top in range(0, camera.height, band):
        rows = np.arange(top, min(top + band, camera.height), dtype=np.float64)
        fine_y = _fine(top, top + len(rows))
        hits = caster.grid(fine_x, fine_y)
        light_in = np.zeros((len(fine_y) * len(fine_x), 3), np.float32)
        colours, index = shader.shade(hits, fine_x, fine_y)
        light_in[index] = colours
        fine = light_in.reshape(len(rows), n, camera.width, n, 3)
        mean = sum(fine[:, i, :, j] for i in range(n) for j in range(n)) / np.float32(n * n)
        free = (hits.patch < 0).reshape(len(rows), n, camera.width, n).mean(axis=(1, 3), dtype=np.float32)
        columns = np.arange(camera.width, dtype=np.float64)
        if free.any():
            mean += free[..., None] * sky(_directions(camera, columns, rows), light, cover)
        linear[top : top + len(rows)] = mean
        depth[top : top + len(rows)] = caster.grid(columns, rows).depth
    return sensor(develop(linear, light.exposure), rng, noise=noise), depth


def _directions(camera: PinholeCamera, x: Float, y: Float) -> Map:
    m = camera.world_from_pixel
    rays = x[None, :, None] * m[:, 0] + y[:, None, None] * m[:, 1] + m[:, 2]
    return np.asarray(rays / np.linalg.norm(rays, axis=2, keepdims=True), np.float32)


def _fine(start: int, stop: int) -> Map:
    positions = (np.arange(start * _SAMPLES, stop * _SAMPLES) + 0.5) / _SAMPLES - 0.5
    return positions.astype(np.float32)
