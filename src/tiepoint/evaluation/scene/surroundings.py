"""What stands around the building: a tree, hedges, lamps, houses, ground and hills."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from tiepoint.evaluation.scene.building import Patch, box, rectangle, roof, triangle
from tiepoint.evaluation.scene.camera import Float
from tiepoint.evaluation.scene.canvas import Canvas, Texture, colour, grass, lay_blocks, plaster, weather
from tiepoint.evaluation.scene.noise import fractal_noise
from tiepoint.evaluation.scene.surfaces import Surface

_LEAVES = ("#5f8a34", "#4c722b", "#769c3c", "#3f622b", "#8aa845")


def leaf_cluster(rng: np.random.Generator, size: int = 80, leaves: int = 55) -> Texture:
    """Return a bunch of leaves with gaps between them."""
    albedo = np.zeros((size, size, 3), np.float32)
    solid = np.zeros((size, size), np.bool_)
    greens = np.stack([colour(c) for c in _LEAVES])
    rows, columns = np.mgrid[:size, :size].astype(np.float32)
    for k in range(leaves):
        away, turn = size * 0.42 * np.sqrt(rng.random()), rng.uniform(0, 2 * np.pi)
        cx, cy = size / 2 + away * np.cos(turn), size / 2 + away * np.sin(turn)
        angle, length = rng.uniform(0, np.pi), rng.uniform(0.06, 0.12) * size
        reach = int(length) + 2
        at = (
            slice(max(0, int(cy) - reach), int(cy) + reach + 1),
            slice(max(0, int(cx) - reach), int(cx) + reach + 1),
        )
        dx, dy = columns[at] - cx, rows[at] - cy
        along = dx * np.cos(angle) + dy * np.sin(angle)
        across = dy * np.cos(angle) - dx * np.sin(angle)
        leaf = (along / length) ** 2 + (across / (0.55 * length)) ** 2 < 1
        tone = rng.uniform(0.65, 1.25) * (0.6 + 0.4 * k / leaves)  # the first ones lie below
        rib = np.where(np.abs(across) < 0.5, 1.25, 1.0)
        albedo[at][leaf] = (greens[rng.integers(len(greens))] * tone * rib[..., None])[leaf]
        solid[at] |= leaf
    albedo[~solid] = albedo[solid].mean(axis=0)
    return Texture(albedo=albedo, cutout=solid)


def tree(
    rng: np.random.Generator, kinds: Sequence[Texture], x: float, y: float, *, height: float = 11.5
) -> Iterator[Patch]:
    """Yield a trunk and a crown of leaf clusters on a handful of globes."""
    bark = Canvas(1.2, 5, 40)
    bark.albedo[:] = colour("#6d5540")
    bark.albedo *= (0.5 + fractal_noise(rng, bark.relief.shape, (30, 3), 3))[..., None]
    texture = bark.texture(flat=True)
    ring = 2 * np.pi * np.arange(7) / 6
    for a, b in pairwise(ring):
        foot = (x + 0.48 * np.cos(a), y + 0.48 * np.sin(a), 0.0)
        edge = (0.48 * (np.cos(b) - np.cos(a)), 0.48 * (np.sin(b) - np.sin(a)), 0.0)
        lean = -0.10 * (np.cos(a) + np.cos(b)), -0.10 * (np.sin(a) + np.sin(b))
        yield rectangle(foot, edge, (lean[0], lean[1], height * 0.55), texture, taper=0.6)
    s = height / 11.5
    globes = [(0, 0, 8.3, 3.0), (-2.3, 0.4, 6.6, 2.2), (2.3, -0.3, 6.9, 2.3), (0.3, -1.6, 6.3, 2.2),
              (-0.9, 0.9, 10.1, 1.9), (1.3, 0.6, 9.7, 1.8), (0.4, 2.0, 6.8, 2.1)]  # fmt: skip
    centres = np.array([(x + s * gx, y + s * gy, s * gz) for gx, gy, gz, _ in globes])
    radii = s * np.array([g[3] for g in globes])
    yield from _foliage(rng, kinds, centres, radii, leaf=1.9 * s, per_area=0.62)


def bush(
    rng: np.random.Generator, kinds: Sequence[Texture], x: float, y: float, radius: float
) -> Iterator[Patch]:
    """Yield a clipped round bush."""
    centre = np.array([[x, y, radius * 0.75]])
    yield from _foliage(rng, kinds, centre, np.array([radius]), leaf=1.0 * radius, per_area=2.2 / radius**2)


def _foliage(
    rng: np.random.Generator,
    kinds: Sequence[Texture],
    centres: Float,
    radii: Float,
    *,
    leaf: float,
    per_area: float,
) -> Iterator[Patch]:
    middle, reach = centres.mean(axis=0), float((radii + 1).max())
    bottom, top = float((centres[:, 2] - radii).min()), float((centres[:, 2] + radii).max())
    for centre, radius in zip(centres, radii, strict=True):
        for _ in range(round(per_area * 4 * np.pi * radius**2)):
            out = rng.normal(size=3)
            out /= np.linalg.norm(out)
            at = centre + out * radius * rng.uniform(0.8, 1.02)
            inside = np.linalg.norm(at - centres, axis=1) < 0.7 * radii
            if inside.any() or at[2] < 0.2:
                continue
            facing = out + 0.45 * rng.normal(size=3)
            facing /= np.linalg.norm(facing)
            u = np.cross([0.0, 0.0, 1.0] if abs(facing[2]) < 0.9 else [0.0, 1.0, 0.0], facing)
            u *= leaf * rng.uniform(0.8, 1.2) / np.linalg.norm(u)
            up = np.cross(facing, u)
            spin = rng.uniform(0, 2 * np.pi)
            u, up = np.cos(spin) * u + np.sin(spin) * up, np.cos(spin) * up - np.sin(spin) * u
            kind = kinds[int(rng.integers(len(kinds)))]
            depth = 0.55 + 0.45 * min(1.0, float(np.linalg.norm(at - middle)) / reach)
            depth *= 0.7 + 0.4 * (at[2] - bottom) / (top - bottom)
            normal = out + 0.35 * rng.normal(size=3) + [0, 0, 0.25]
            yield Patch(
                surface=Surface(origin=at - (u + up) / 2, u=u, up=up, cutout=kind.cutout),
                texture=kind,
                normal=normal / np.linalg.norm(normal),
                shade=float(depth * rng.uniform(0.85, 1.15)),
            )
    # Light that comes in at the gaps of a crown meets leaves inside it, which lie in the dark.
    for centre, radius in zip(centres, radii, strict=True):
        for facing in np.eye(3):
            u = np.roll(facing, 1) * radius * 1.5
            up = np.roll(facing, 2) * radius * 1.5
            yield Patch(
                surface=Surface(origin=centre - (u + up) / 2, u=u, up=up, cutout=kinds[0].cutout),
                texture=kinds[0],
                normal=np.array([0.0, 0.0, -1.0]),
                shade=0.35,
            )


def lamp(rng: np.random.Generator, x: float, y: float) -> Iterator[Patch]:
    """Yield a street lamp."""
    iron, glass = Canvas(0.5, 0.5), Canvas(0.5, 0.5)
    plaster(iron, rng, "#2c3a35")
    plaster(glass, rng, "#f4e7bd")
    for half, z0, z1, texture in (
        (0.18, 0.0, 0.5, iron), (0.07, 0.5, 3.2, iron), (0.22, 3.2, 3.3, iron),
        (0.18, 3.3, 3.8, glass), (0.26, 3.8, 3.95, iron),
    ):  # fmt: skip
        yield from box((x - half, x + half), (y - half, y + half), (z0, z1), texture.texture(flat=True))


def house(
    rng: np.random.Generator, x: float, y: float, width: float, height: float, code: str
) -> Iterator[Patch]:
    """Yield a town house whose front looks to -y."""
    depth, rise = 9.0, width * 0.42
    front = Canvas(width, height, 24)
    plaster(front, rng, code, grain=0.16)
    front.albedo[(front.z < 0.8) & (front.x > -1)] = colour("#8c8478")
    columns, floors = max(2, int(width / 2.4)), max(2, int(height / 3.0))
    shutters = ("#4f6f5a", "#7a4b3a", "#4a5f7d", "#8a7a4a")[rng.integers(4)]
    for floor in range(floors):
        for column in range(columns):
            cx = (column + 0.5) * width / columns
            z = 0.9 + floor * (height - 0.6) / floors
            if floor == 0 and column == columns // 2:
                _panel(front, cx, 0.0, 1.2, 2.4, "#5a3b2a", "#e8e0d0")
                continue
            closed = rng.random() < 0.2
            for side in (-0.25, 0.25) if closed else (-0.75, 0.75):
                _panel(front, cx + side, z, 0.45, 1.6, shutters, shutters)
            if not closed:
                panes = ("#33424f", "#52687c", "#222a32", "#6b5f4a")[rng.integers(4)]
                _panel(front, cx, z, 0.95, 1.6, panes, "#f2ede2")
                _bar(front, cx, z, 1.6)
    weather(front, rng, strength=0.3)
    gable = Canvas(width, rise, 24)
    plaster(gable, rng, code, grain=0.16)
    _panel(gable, width / 2, 0.25 * rise, 0.8, 1.0, "#33424f", "#f2ede2")
    yield rectangle((x, y, 0), (width, 0, 0), (0, 0, height), front.texture())
    yield triangle((x, y, height), (x + width, y, height), (x + width / 2, y, height + rise), gable.texture())
    end = Canvas(depth, height, 14)
    plaster(end, rng, code, grain=0.2)
    wall = end.texture(flat=True)
    yield rectangle((x, y + depth, 0), (0, -depth, 0), (0, 0, height), wall)
    yield rectangle((x + width, y, 0), (0, depth, 0), (0, 0, height), wall)
    tiles = roof(depth + 0.6, 1.1 * np.hypot(rise, width / 2), rng, slate=False)
    over, drop = 1.06, rise * 0.06
    half = width / 2 * over
    for sign, start, u in ((-1, y + depth, -depth - 0.3), (1, y - 0.3, depth + 0.3)):
        edge = x + width / 2 + sign * half
        yield rectangle((edge, start, height - drop), (0, u, 0), (-sign * half, 0, rise + drop), tiles)
    brick = Canvas(0.8, 1.8, 30)
    lay_blocks(brick, rng, ("#9a4f3a", "#84432f", "#ab6048"), course=0.14, length=(0.25, 0.3))
    cx = x + width * rng.uniform(0.25, 0.4)
    yield from box(
        (cx, cx + 0.8), (y + 3, y + 3.8), (height + 0.3 * rise, height + rise + 0.5), brick.texture(flat=True)
    )


def ground(rng: np.random.Generator) -> Iterator[Patch]:
    """Yield fields, lawns and a paved square."""
    far = Canvas(800, 330, 1.0)
    grass(far, rng)
    yield _floor(far, -300, -70, 0.0)
    paving = Canvas(24, 31, 26)
    lay_blocks(
        paving, rng, ("#b9a995", "#a99a88", "#c7b8a2", "#9c9186", "#b59c86"),
        course=0.9, length=(0.7, 1.5), joint=0.03, mortar="#7a7263", spread=0.10,
    )  # fmt: skip
    weather(paving, rng, strength=0.22)
    _inlay(paving, 12.0, 17.0)
    yield _floor(paving, -12, -32, 0.02)
    for x, width in ((-46.0, 34.0), (12.0, 34.0)):
        lawn = Canvas(width, 38, 15)
        grass(lawn, rng, flowers=0.5)
        path = np.abs(lawn.z - 25 - 0.6 * np.sin(lawn.x * 0.3)) < 1.1
        lawn.albedo[path] = colour("#c2ad88") * rng.uniform(0.8, 1.15, (int(path.sum()), 1))
        yield _floor(lawn, x, -32, 0.02)


def hills(rng: np.random.Generator) -> Iterator[Patch]:
    """Yield wooded hills far away, two ranges."""
    for distance, tall, code in ((150.0, 22.0, "#4a6636"), (255.0, 46.0, "#526f55")):
        canvas = Canvas(distance * 5, tall, 420 / distance)
        plaster(canvas, rng, code, grain=0.5)
        shape = canvas.relief.shape
        skyline = 0.3 + 0.6 * fractal_noise(rng, (2, shape[1]), (2, 0.4 * distance * canvas.density), 7)[:1]
        texture = Texture(albedo=canvas.albedo, cutout=canvas.z / tall < skyline)
        patch = rectangle((-distance * 1.5, distance, 0), (distance * 5, 0, 0), (0, 0, tall), texture)
        yield Patch(surface=patch.surface, texture=texture, casts=False)


def town(rng: np.random.Generator) -> Iterator[Patch]:
    """Yield all that is not the building itself."""
    yield from ground(rng)
    yield from hills(rng)
    for x, y, width, height, code in (
        (-40.0, 17.0, 8.0, 7.5, "#d9b27a"), (-31.5, 15.0, 7.0, 8.5, "#d99a86"),
        (-24.0, 18.0, 6.5, 7.0, "#e3d6b4"), (18.0, 12.0, 7.0, 8.5, "#c9d0c0"),
        (25.5, 10.5, 8.0, 7.2, "#e0b878"), (34.0, 12.0, 7.0, 9.0, "#b9c4d3"),
        (41.5, 11.0, 8.0, 7.8, "#dba58f"),
    ):  # fmt: skip
        yield from house(rng, x, y, width, height, code)
    kinds = [leaf_cluster(rng) for _ in range(5)]
    yield from tree(rng, kinds, 15.0, -9.0)
    for x, y, radius in (
        (-15.2, -3.0, 1.2),
        (-17.6, -2.2, 0.9),
        (-15.5, 2.5, 1.0),
        (9.5, -2.6, 0.8),
        (-9.5, -2.6, 0.8),
    ):
        yield from bush(rng, kinds, x, y, radius)
    for x in (-12.4, 12.4):
        for y in (-9.0, -19.0):
            yield from lamp(rng, x, y)


def _floor(canvas: Canvas, x: float, y: float, z: float) -> Patch:
    patch = rectangle((x, y, z), (canvas.width, 0, 0), (0, canvas.height, 0), canvas.texture(flat=True))
    return Patch(surface=patch.surface, texture=patch.texture, casts=False)


def _inlay(canvas: Canvas, cx: float, cz: float) -> None:
    """Lay a compass star of darker and lighter stone into a pavement."""
    albedo, _, x, z = canvas.part(cx - 5, cx + 5, cz - 5, cz + 5)
    r, angle = np.hypot(x - cx, z - cz), np.arctan2(z - cz, x - cx)
    ray = np.abs(np.mod(angle * 8 / (2 * np.pi) + 0.5, 1) - 0.5) * 2
    star = r < 1.2 + 3.0 * (1 - ray) ** 2
    ring = np.abs(r - 4.5) < 0.25
    albedo[ring] *= 0.5
    albedo[star] = albedo[star] * np.array([1.05, 0.72, 0.6], np.float32)


def _panel(canvas: Canvas, cx: float, z: float, width: float, height: float, code: str, frame: str) -> None:
    for margin, paint, out in ((0.1, frame, 0.05), (0.0, code, -0.06 if code != frame else 0.05)):
        albedo, relief, _, _ = canvas.part(
            cx - width / 2 - margin, cx + width / 2 + margin, z - margin, z + height + margin
        )
        albedo[:] = colour(paint)
        relief[:] = out


def _bar(canvas: Canvas, cx: float, z: float, height: float) -> None:
    for x0, x1, z0, z1 in ((cx - 0.04, cx + 0.04, z, z + height), (cx - 0.45, cx + 0.45, z + 0.9, z + 0.98)):
        albedo, _, _, _ = canvas.part(x0, x1, z0, z1)
        albedo[:] = colour("#f2ede2")
