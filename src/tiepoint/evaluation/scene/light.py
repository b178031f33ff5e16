"""The light of a time of day: sun, sky, and the shadows that they throw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiepoint.evaluation.scene.camera import Float, PinholeCamera, look_at
from tiepoint.evaluation.scene.canvas import Colour, Texture
from tiepoint.evaluation.scene.noise import Map, fractal_noise
from tiepoint.evaluation.scene.surfaces import RayCaster, Surface

_SCENE_MIDDLE, _SCENE_RADIUS = (2.0, 4.0, 9.0), 38.0
_BIAS = 0.12  # metres: about two texels of the shadow map, so that no wall shades itself
_RELIEF_STEPS = 10
# Relief is lit more gently than its depth would have it: light that comes from the other side then
# changes a wall's look, but leaves most of what a descriptor holds on to.
_SLOPE, _RELIEF_SHADE = 0.25, 0.42
_CLOUDS = 512


@dataclass(frozen=True, kw_only=True, eq=False)
class Daylight:
    """The light of a time of day, in linear colours.

    Attributes
    ----------
    to_sun : ndarray, (3,) float64
        Unit direction to the sun; x to the right of the building's front, y away behind it, z up.
    sun, sky, bounce : ndarray, (3,) float32
        Light from the sun, from the sky above, and back from the ground.
    zenith, horizon, cloud : ndarray, (3,) float32
        Colours of the sky and of its clouds.
    exposure : float
        What light is multiplied by before it meets the sensor.
    clouds : float
        Share of the sky that they cover, about.
    """

    to_sun: Float
    sun: Colour
    sky: Colour
    bounce: Colour
    zenith: Colour
    horizon: Colour
    cloud: Colour
    exposure: float
    clouds: float


def daylight(
    *, azimuth: float, elevation: float, exposure: float, clouds: float, **colours: tuple[float, float, float]
) -> Daylight:
    """Return a light; ``azimuth`` is from the front's own direction to its right, in degrees."""
    a, e = np.deg2rad(azimuth), np.deg2rad(elevation)
    to_sun = np.array([np.sin(a) * np.cos(e), -np.cos(a) * np.cos(e), np.sin(e)])
    arrays = {name: np.array(value, np.float32) for name, value in colours.items()}
    return Daylight(to_sun=to_sun, exposure=exposure, clouds=clouds, **arrays)


def relief_light(texture: Texture, surface: Surface, light: Daylight) -> Map:
    """Return how much sun each texel gets, (h, w) float32 from 0 to 1: its slope and small shadows."""
    assert texture.relief is not None
    relief = texture.relief
    rows, columns = relief.shape
    u, up = surface.u / np.linalg.norm(surface.u), surface.up / np.linalg.norm(surface.up)
    lu, lv = float(light.to_sun @ u), float(light.to_sun @ up)
    ln = float(light.to_sun @ np.cross(u, up))
    if ln <= 0:
        return np.zeros(relief.shape, np.float32)
    texel = float(np.linalg.norm(surface.u)) / columns
    dx, dz = np.zeros_like(relief), np.zeros_like(relief)
    dx[:, 1:-1] = (relief[:, 2:] - relief[:, :-2]) / np.float32(2 * texel)
    dz[1:-1] = (relief[:-2] - relief[2:]) / np.float32(2 * texel)
    np.clip(dx, -_SLOPE, _SLOPE, out=dx)
    np.clip(dz, -_SLOPE, _SLOPE, out=dz)
    facing = (ln - dx * np.float32(lu) - dz * np.float32(lv)) / np.sqrt(1 + dx * dx + dz * dz)
    lit = np.clip(facing, 0, 1)
    rise = ln / max(1e-6, float(np.hypot(lu, lv)))
    reach = min(1.6, float(relief.max() - relief.min()) / rise)
    shaded = np.zeros(relief.shape, np.bool_)
    for k in range(1, _RELIEF_STEPS + 1):
        away = reach * k / _RELIEF_STEPS
        step = away / max(1e-6, float(np.hypot(lu, lv))) / texel
        right, above = round(lu * step), round(lv * step)
        if right == above == 0:
            continue
        here, there = _shifted(rows, columns, -above, right)
        shaded[here] |= relief[there] > relief[here] + np.float32(away * rise + 0.01)
    lit[shaded] *= np.float32(1 - _RELIEF_SHADE)
    return np.asarray(lit, np.float32)


def _shifted(
    rows: int, columns: int, down: int, right: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    def pair(n: int, shift: int) -> tuple[slice, slice]:
        low, high = max(0, -shift), max(max(0, -shift), n - max(0, shift))
        return slice(low, high), slice(low + shift, high + shift)

    (r0, r1), (c0, c1) = pair(rows, down), pair(columns, right)
    return (r0, c0), (r1, c1)


@dataclass(frozen=True, kw_only=True, eq=False)
class ShadowMap:
    """What the sun sees: its camera, far away, and the z-depth (n, n) float32 of what it shines on."""

    camera: PinholeCamera
    depth: Map

    @classmethod
    def of(cls, surfaces: Sequence[Surface], light: Daylight, size: int) -> ShadowMap:
        """Look at the scene from the sun, in ``size`` x ``size`` pixels."""
        far = 400.0
        x, y, z = np.array(_SCENE_MIDDLE) + far * light.to_sun
        camera = look_at(
            position=(x, y, z),
            target=_SCENE_MIDDLE,
            focal=far * size / (2 * _SCENE_RADIUS),
            width=size,
            height=size,
        )
        pixels = np.arange(size, dtype=np.float32)
        hits = RayCaster.of(surfaces, camera).grid(pixels, pixels)
        return cls(camera=camera, depth=hits.depth.astype(np.float32, copy=False))

    def sunlit(self, points: Map) -> Map:
        """Return the share of sun that reaches world points (N, 3) float32, from 0 to 1."""
        matrix = (self.camera.K @ self.camera.pose.R).astype(np.float32)
        offset = (self.camera.K @ self.camera.pose.t).astype(np.float32)
        q = points @ matrix.T + offset
        depth = q[:, 2] - np.float32(_BIAS)
        x, y = q[:, 0] / q[:, 2], q[:, 1] / q[:, 2]
        last = np.float32(self.depth.shape[0] - 2)
        inside = (x >= 0) & (y >= 0) & (x <= last) & (y <= last)
        x, y = np.clip(x, 0, last), np.clip(y, 0, last)
        column, row = x.astype(np.int32), y.astype(np.int32)
        fx, fy = x - column, y - row
        base = row * np.int32(self.depth.shape[1]) + column
        flat = self.depth.ravel()
        taps = [
            (np.take(flat, base + shift) >= depth).astype(np.float32)
            for shift in (0, 1, self.depth.shape[1], self.depth.shape[1] + 1)
        ]
        upper = taps[0] + (taps[1] - taps[0]) * fx
        lower = taps[2] + (taps[3] - taps[2]) * fx
        return np.where(inside, upper + (lower - upper) * fy, np.float32(1))


def cloud_cover(rng: np.random.Generator) -> Map:
    """Return how thick the clouds are, on a plane overhead, (n, n) float32 from 0 to 1."""
    return fractal_noise(rng, (_CLOUDS, _CLOUDS), (60, 60), 5)


def sky(directions: Map, light: Daylight, cover: Map) -> Map:
    """Return the colour of the sky, (..., 3) float32, in unit ``directions`` (..., 3)."""
    up = np.clip(directions[..., 2:], 0, 1)
    colours = light.horizon + (light.zenith - light.horizon) * (1 - np.exp(-3.2 * up))
    glow = np.clip(directions @ light.to_sun.astype(np.float32), 0, 1)[..., None]
    colours += light.sun * (0.10 * glow**4)
    # Clouds lie on a plane overhead, so that they shrink towards the horizon.
    plane = directions[..., :2] / (directions[..., 2:] + 0.22)
    column = ((plane[..., 0] * 80 + _CLOUDS / 2) % (_CLOUDS - 1)).astype(np.float32)
    row = ((plane[..., 1] * 130) % (_CLOUDS - 1)).astype(np.float32)
    thick = _bilinear(cover, row, column)
    thin = _bilinear(cover, np.clip(row - 9, 0, _CLOUDS - 2), np.clip(column + 9, 0, _CLOUDS - 2))
    amount = np.clip((thick - (1 - light.clouds)) * 7.0, 0, 1)[..., None]
    amount = amount * amount * (3 - 2 * amount) * np.clip(up * 9 - 0.3, 0, 1)
    shaded = light.cloud * (0.86 + 0.6 * np.clip(thick - thin, -0.25, 0.25))[..., None]
    return np.asarray(colours + (shaded - colours) * (0.85 * amount), np.float32)


def _bilinear(grid: Map, row: Map, column: Map) -> Map:
    r, c = row.astype(np.intp), column.astype(np.intp)
    fr, fc = row - r, column - c
    upper = grid[r, c] + (grid[r, c + 1] - grid[r, c]) * fc
    lower = grid[r + 1, c] + (grid[r + 1, c + 1] - grid[r + 1, c]) * fc
    return np.asarray(upper + (lower - upper) * fr, np.float32)


def develop(linear: Map, exposure: float) -> Map:
    """Turn light into what a camera would write, from 0 to 1: a soft shoulder, then the sRGB curve."""
    x = linear * np.float32(exposure)
    # Narkowicz 2015, "ACES filmic tone mapping curve".
    film = np.clip(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0, 1)
    return np.where(film <= 0.0031308, 12.92 * film, 1.055 * film ** (1 / 2.4) - 0.055).astype(np.float32)


def sensor(photo: Map, rng: np.random.Generator, *, noise: float) -> NDArray[np.uint8]:
    """Add the noise of a sensor, ``noise`` grey levels strong, and round to 8 bits."""
    levels = 255 * photo + np.float32(noise) * rng.standard_normal(photo.shape, np.float32)
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)
