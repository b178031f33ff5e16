"""The building: a west front with a rose window between two towers, and the nave behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tiepoint.evaluation.scene import ornaments
from tiepoint.evaluation.scene.camera import Float
from tiepoint.evaluation.scene.canvas import (
    Canvas,
    Texture,
    colour,
    lay_blocks,
    lay_tiles,
    plaster,
    speckle,
    weather,
)
from tiepoint.evaluation.scene.surfaces import Surface

Point = tuple[float, float, float]

_STONE = ("#c2a67c", "#b3946a", "#cdb68d", "#a4876a", "#b89c84", "#8f7758", "#a8906f", "#c4a98f")
_SLATE = ("#536579", "#43525f", "#66788a", "#4f5a68", "#5c6f74")
_TILE = ("#a5543a", "#8e4530", "#b8694a", "#95503f", "#7c4334")


@dataclass(frozen=True, kw_only=True, eq=False)
class Patch:
    """A surface with what covers it.

    Attributes
    ----------
    surface : Surface
    texture : Texture
    normal : ndarray, (3,) float64 | None
        The direction that light falls on it from, where that is not the surface's own: leaves take
        that of the crown they belong to. None: the surface's own.
    shade : float
        Share of all light that reaches it; less than 1 deep inside a crown.
    casts : bool
        Whether it throws a shadow.
    """

    surface: Surface
    texture: Texture
    normal: Float | None = None
    shade: float = 1.0
    casts: bool = True


def rectangle(origin: Point, u: Point, up: Point, texture: Texture, *, taper: float = 1.0) -> Patch:
    """Return a patch from its bottom left corner, its bottom edge and its left edge."""
    corner, bottom, left = (np.array(v, np.float64) for v in (origin, u, up))
    surface = Surface(origin=corner, u=bottom, up=left, taper=taper, cutout=texture.cutout)
    return Patch(surface=surface, texture=texture)


def triangle(left: Point, right: Point, apex: Point, texture: Texture) -> Patch:
    """Return an isosceles triangle on the edge from ``left`` to ``right``, counter-clockwise from outside."""
    start, end, top = (np.array(p, np.float64) for p in (left, right, apex))
    surface = Surface(origin=start, u=end - start, up=top - (start + end) / 2, taper=0.0)
    return Patch(surface=surface, texture=texture)


def box(
    x: tuple[float, float], y: tuple[float, float], z: tuple[float, float], texture: Texture
) -> Iterator[Patch]:
    """Yield the four walls and the lid of a box."""
    dx, dy, dz = x[1] - x[0], y[1] - y[0], z[1] - z[0]
    yield rectangle((x[0], y[0], z[0]), (dx, 0, 0), (0, 0, dz), texture)
    yield rectangle((x[1], y[0], z[0]), (0, dy, 0), (0, 0, dz), texture)
    yield rectangle((x[1], y[1], z[0]), (-dx, 0, 0), (0, 0, dz), texture)
    yield rectangle((x[0], y[1], z[0]), (0, -dy, 0), (0, 0, dz), texture)
    yield rectangle((x[0], y[0], z[1]), (dx, 0, 0), (0, dy, 0), texture)


def spire(
    cx: float, cy: float, z: float, radius: float, height: float, textures: Sequence[Texture], sides: int = 8
) -> Iterator[Patch]:
    """Yield the faces of a pyramid, which take the textures in turn."""
    turn = np.pi / sides
    ring = [
        (cx + radius * np.cos(a), cy + radius * np.sin(a), z)
        for a in 2 * np.pi * np.arange(sides + 1) / sides + turn
    ]
    for k in range(sides):
        yield triangle(ring[k], ring[k + 1], (cx, cy, z + height), textures[k % len(textures)])


def masonry(width: float, height: float, rng: np.random.Generator, density: float = 36.0) -> Canvas:
    """Return a wall of weathered stone blocks."""
    canvas = Canvas(width, height, density)
    lay_blocks(canvas, rng, _STONE, course=0.52, length=(0.55, 1.4), spread=0.24)
    return canvas


def weathered(canvas: Canvas, rng: np.random.Generator) -> Canvas:
    """Return the canvas after some centuries of rain: what was cut alike has become distinct."""
    weather(canvas, rng, strength=0.4)
    speckle(canvas, rng, each=0.42, radius=(0.06, 0.3))
    return canvas


def roof(width: float, height: float, rng: np.random.Generator, *, slate: bool) -> Texture:
    """Return a roof of slate or of red tiles."""
    canvas = Canvas(width, height, 24.0)
    lay_tiles(canvas, rng, _SLATE if slate else _TILE, row=0.42, width=0.36)
    weather(canvas, rng, strength=0.25)
    return canvas.texture(flat=True)


def cathedral(rng: np.random.Generator) -> Iterator[Patch]:
    """Yield the patches of the whole building; its front stands on y = 0 and looks to -y."""
    yield from _tower(rng, -13.0, -6.0, with_clock=True)
    yield from _tower(rng, 6.0, 13.0, with_clock=False)
    yield from _front(rng)
    yield from _nave(rng)


def _tower(rng: np.random.Generator, x0: float, x1: float, *, with_clock: bool) -> Iterator[Patch]:
    y0, y1, top = -1.2, 5.8, 21.0
    # Both cameras stand left of the right tower's right wall, and before the back walls.
    inner = [((x1, y0, 0.0), (0.0, y1 - y0, 0.0), False)] if x1 < 0 else []
    for origin, u, ornate in (
        ((x0, y0, 0.0), (x1 - x0, 0.0, 0.0), True),
        ((x0, y1, 0.0), (0.0, y0 - y1, 0.0), False),
        *inner,
    ):
        texture = _tower_wall(rng, x1 - x0, top, front=ornate, with_clock=ornate and with_clock)
        yield rectangle(origin, u, (0, 0, top), texture)
    plain = weathered(masonry(7, 1, rng, 30), rng).texture(flat=True)
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    yield from box((x0 - 0.25, x1 + 0.25), (y0 - 0.25, y1 + 0.25), (top, top + 0.7), plain)
    slate = [roof(2.6, 11.5, rng, slate=True) for _ in range(8)]
    yield from spire(cx, cy, top + 0.7, 3.35, 11.0, slate)
    small = weathered(masonry(1, 1.6, rng, 30), rng).texture(flat=True)
    small_slate = [roof(1.2, 2.7, rng, slate=True) for _ in range(3)]
    for px in (x0 + 0.45, x1 - 0.45):
        for py in (y0 + 0.45, y1 - 0.45):
            yield from box((px - 0.5, px + 0.5), (py - 0.5, py + 0.5), (top + 0.7, top + 2.0), small)
            yield from spire(px, py, top + 2.0, 0.8, 2.6, small_slate, sides=4)
    gold = Canvas(0.3, 0.3)
    plaster(gold, rng, "#d9a441")
    for half in (0.09, 0.5):  # a cross: the upright, then the arms
        z = top + 11.6 if half < 0.2 else top + 12.5
        tall = 1.6 if half < 0.2 else 0.18
        yield from box((cx - half, cx + half), (cy - 0.09, cy + 0.09), (z, z + tall), gold.texture(flat=True))


def _tower_wall(
    rng: np.random.Generator, width: float, height: float, *, front: bool, with_clock: bool
) -> Texture:
    canvas = masonry(width, height, rng)
    middle = width / 2
    for x0, x1 in ((0.0, 0.85), (width - 0.85, width)):
        ornaments.pilaster(canvas, rng, x0, x1, 0, height)
    ornaments.window(canvas, rng, middle, 2.2, 2.0, 2.6)
    ornaments.cornice(canvas, 7.3, 7.9)
    for dx in (-1.25, 1.25):
        ornaments.window(canvas, rng, middle + dx, 8.8, 1.5, 2.2)
    ornaments.cornice(canvas, 13.3, 13.9)
    for dx in (-1.25, 1.25):
        ornaments.louvres(canvas, middle + dx, 14.4, 1.6, 2.6 if front else 3.4)
    if front and not with_clock:
        ornaments.rose(canvas, rng, middle, 19.05, 0.85, petals=6)
    ornaments.cornice(canvas, height - 0.8, height, jut=0.4)
    ornaments.cornice(canvas, 0, 0.9, jut=0.3, teeth=0)
    weathered(canvas, rng)
    if with_clock:
        ornaments.clock(canvas, middle, 19.05, 0.95)
    return canvas.texture()


def _front(rng: np.random.Generator) -> Iterator[Patch]:
    canvas = masonry(12, 15, rng)
    ornaments.portal(canvas, rng, 6.0, 2.6, 2.7)
    for x in (1.7, 10.3):
        ornaments.portal(canvas, rng, x, 0.9, 1.9)
    ornaments.arcade(canvas, rng, 7.3, 1.08, 1.3)
    ornaments.cornice(canvas, 6.6, 7.2)
    ornaments.cornice(canvas, 9.5, 9.9, jut=0.25, teeth=0.4)
    ornaments.rose(canvas, rng, 6.0, 12.3, 2.0)
    for x in (1.8, 10.2):
        ornaments.window(canvas, rng, x, 10.4, 1.5, 2.0)
    ornaments.cornice(canvas, 14.5, 15, jut=0.35)
    yield rectangle((-6, 0, 0), (12, 0, 0), (0, 0, 15), weathered(canvas, rng).texture())
    gable = masonry(12, 5, rng)
    ornaments.window(gable, rng, 6.0, 0.7, 1.3, 1.3)
    _gable_rim(gable)
    yield triangle((-6, 0, 15), (6, 0, 15), (0, 0, 20), weathered(gable, rng).texture())
    steps = Canvas(12, 1.2, 24)
    lay_blocks(steps, rng, ("#b9b0a2", "#c6bdae", "#a89f92"), course=0.6, length=(0.9, 1.8))
    for k, z in enumerate((0.2, 0.4)):
        yield from box((-5.8 + 0.4 * k, 5.8 - 0.4 * k), (-2.4 + 0.6 * k, 0), (0, z), steps.texture(flat=True))


def _gable_rim(canvas: Canvas) -> None:
    edge = (1 - canvas.z / canvas.height) * canvas.width / 2 - np.abs(canvas.x - canvas.width / 2)
    rim = edge < 0.9
    stones = np.floor(canvas.z * 2.2 + np.zeros_like(canvas.x)).astype(np.intp) % 2
    canvas.albedo[rim] = (colour(ornaments.TRIM) * (0.85 + 0.25 * stones)[..., None])[rim]
    canvas.relief[rim] = 0.25


def _nave(rng: np.random.Generator) -> Iterator[Patch]:
    back, eaves, ridge = 34.0, 14.2, 19.4
    long = back - 0.3
    slope = roof(long, 7.9, rng, slate=False)
    yield rectangle((-6, back, eaves), (0, -long, 0), (6, 0, ridge - eaves), slope)
    yield rectangle((6, 0.3, eaves), (0, long, 0), (-6, 0, ridge - eaves), slope)
    # Neither camera sees the other side of the nave: it has a roof, which may throw a shadow, and no more.
    long = back - 5.8
    upper, lower = masonry(long, eaves - 9.4, rng, 24), masonry(long, 7.2, rng, 24)
    for x in np.arange(2.2, long - 1.2, 4.4):
        ornaments.window(upper, rng, float(x), 0.9, 1.6, 1.6)
        ornaments.window(lower, rng, float(x), 1.5, 1.8, 2.4)
        ornaments.pilaster(lower, rng, float(x) + 1.8, float(x) + 2.6, 0, 7.2)
    ornaments.cornice(upper, eaves - 9.9, eaves - 9.4)
    ornaments.cornice(lower, 6.7, 7.2)
    walls = [weathered(canvas, rng).texture() for canvas in (upper, lower)]
    yield rectangle((-6, back, 9.4), (0, -long, 0), (0, 0, eaves - 9.4), walls[0])
    yield rectangle((-10.6, back, 0), (0, -long, 0), (0, 0, 7.2), walls[1])
    yield rectangle((-10.9, back, 7.0), (0, -long, 0), (4.9, 0, 2.4), roof(long, 5.4, rng, slate=False))
