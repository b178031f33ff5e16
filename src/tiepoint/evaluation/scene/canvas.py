"""A canvas in metres, and the materials that cover one: stone, tiles, plaster, paving, grass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiepoint.evaluation.scene.noise import Map, fractal_noise, value_noise

Colour = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Texture:
    """What covers a patch.

    Attributes
    ----------
    albedo : ndarray, (h, w, 3) float32
        Share of light that comes back, linear; first row on top.
    relief : ndarray, (h, w) float32 | None
        How far the surface stands out, in metres. The patch stays flat for the geometry: relief
        makes light and small shadows only. None: flat.
    cutout : ndarray, (h, w) bool | None
        Where there is anything at all; None: everywhere.
    """

    albedo: Map
    relief: Map | None = None
    cutout: NDArray[np.bool_] | None = None


class Canvas:
    """A texture being painted; positions are metres from the bottom left corner, z up."""

    def __init__(self, width: float, height: float, density: float = 40.0) -> None:
        columns, rows = max(2, round(width * density)), max(2, round(height * density))
        self.width, self.height, self.density = width, height, density
        self.albedo: Map = np.full((rows, columns, 3), 0.5, np.float32)
        self.relief: Map = np.zeros((rows, columns), np.float32)
        self.x: Map = ((np.arange(columns, dtype=np.float32) + 0.5) * np.float32(width / columns))[None, :]
        self.z: Map = ((rows - 0.5 - np.arange(rows, dtype=np.float32)) * np.float32(height / rows))[:, None]

    def part(self, x0: float, x1: float, z0: float, z1: float) -> tuple[Map, Map, Map, Map]:
        """Return albedo and relief (views to paint on), x and z of the texels in a rectangle."""
        columns = slice(*np.searchsorted(self.x[0], [x0, x1]))
        upward = self.z[::-1, 0]
        low, high = np.searchsorted(upward, [z0, z1])
        rows = slice(len(upward) - int(high), len(upward) - int(low))
        return self.albedo[rows, columns], self.relief[rows, columns], self.x[:, columns], self.z[rows]

    def texture(self, *, flat: bool = False) -> Texture:
        """Return what was painted; hollows get a little less of the sky's light."""
        hollow = np.clip(1 + np.minimum(self.relief, 0) * np.float32(0.9), 0.45, 1)
        return Texture(albedo=self.albedo * hollow[..., None], relief=None if flat else self.relief)


def colour(code: str) -> Colour:
    """Turn ``"#rrggbb"`` as seen on a screen into linear light, (3,) float32."""
    srgb = np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4).astype(np.float32)


def lay_blocks(
    canvas: Canvas,
    rng: np.random.Generator,
    palette: tuple[str, ...],
    *,
    course: float,
    length: tuple[float, float],
    spread: float = 0.13,
    joint: float = 0.022,
    mortar: str = "#a89880",
    jut: float = 0.008,
) -> None:
    """Cover the canvas with courses of blocks, each of its own length, colour and depth.

    That no two blocks are alike is what makes a place on a wall recognisable.
    """
    colours = np.stack([colour(c) for c in palette])
    mortar_colour = colour(mortar)
    course = canvas.height / max(1, round(canvas.height / course))
    x = canvas.x[0]
    for bottom in np.arange(0, canvas.height - course / 2, course):
        albedo, relief, _, z = canvas.part(0, canvas.width, bottom, bottom + course)
        count = int(canvas.width / length[0]) + 3
        joints = np.cumsum(rng.uniform(*length, count)) - rng.uniform(0, length[1])
        block = np.searchsorted(joints, x)
        edges = np.concatenate([[-10.0], joints, [canvas.width + 10]])
        tone = np.exp(rng.normal(0, spread, len(edges))).astype(np.float32)
        own = colours[rng.integers(len(colours), size=len(edges))] * tone[:, None]
        depth = rng.uniform(-jut, jut, len(edges)).astype(np.float32)
        aside = np.minimum(x - edges[block], edges[block + 1] - x)[None, :]
        upright = np.minimum(z - bottom, bottom + course - z)
        between = np.minimum(aside, upright) < joint
        albedo[:] = np.where(between[..., None], mortar_colour, own[block][None])
        relief[:] = np.where(between, np.float32(-0.01), depth[block][None])


def lay_tiles(
    canvas: Canvas,
    rng: np.random.Generator,
    palette: tuple[str, ...],
    *,
    row: float = 0.35,
    width: float = 0.3,
    spread: float = 0.16,
) -> None:
    """Cover the canvas with overlapping roof tiles, row over row."""
    colours = np.stack([colour(c) for c in palette])
    level = np.floor(canvas.z / row).astype(np.intp)
    inside = canvas.z / row - level
    shifted = canvas.x / width + 0.5 * (level % 2)
    column = np.floor(shifted).astype(np.intp)
    shape = (int(level.max()) + 1, int(column.max()) + 1)
    tone = np.exp(rng.normal(0, spread, shape)).astype(np.float32)
    # Neighbours come from one batch: patches of colour are seen from where single tiles are not.
    batch = fractal_noise(rng, shape, (9, 9), 3) + rng.uniform(-0.25, 0.25, shape)
    kind = np.clip((batch * len(colours)).astype(np.intp), 0, len(colours) - 1)
    own = colours[kind] * tone[..., None]
    canvas.albedo[:] = own[level, column]
    lip = np.float32(1) - np.float32(0.55) * np.exp(-inside / 0.12)
    gap = 1 - 0.4 * (np.abs(shifted - column - 0.5) > 0.45)
    canvas.albedo *= (lip * gap)[..., None].astype(np.float32)
    canvas.relief[:] = 0.04 * (1 - inside)


def plaster(canvas: Canvas, rng: np.random.Generator, code: str, *, grain: float = 0.12) -> None:
    """Cover the canvas with one colour that weather has made uneven."""
    canvas.albedo[:] = colour(code)
    weather(canvas, rng, strength=grain, cell=2.0)


def weather(canvas: Canvas, rng: np.random.Generator, *, strength: float, cell: float = 3.0) -> None:
    """Stain the canvas: broad patches, streaks that the rain drew, and fine grain."""
    shape = canvas.relief.shape
    wide = cell * canvas.density
    stain = fractal_noise(rng, shape, (wide, wide * 0.7), 3) - 0.5
    streak = value_noise(rng, shape, (wide * 0.9, 0.2 * canvas.density)) - 0.5
    blotch = fractal_noise(rng, shape, (0.5 * canvas.density, 0.6 * canvas.density), 2) - 0.5
    grain = rng.random(shape, np.float32) - np.float32(0.5)
    factor = 1 + np.float32(strength) * (1.6 * stain + 0.6 * streak + 0.8 * blotch + 0.2 * grain)
    canvas.albedo *= np.clip(factor, 0.3, 1.7)[..., None]


def speckle(canvas: Canvas, rng: np.random.Generator, *, each: float, radius: tuple[float, float]) -> None:
    """Strew pits and lichen: round marks, one on every ``each`` square metres, dark or pale.

    None grows on what lies deep in the wall: panes, slats and doors.
    """
    tones = np.stack(
        [colour(c) for c in ("#5f5344", "#74634d", "#ecdfc4", "#6f6a48", "#86714f", "#57524a", "#f0e4cc")]
    )
    for _ in range(int(canvas.width * canvas.height / each)):
        x, z = rng.uniform(0, canvas.width), rng.uniform(0, canvas.height)
        long, wide = rng.uniform(*radius, 2)
        albedo, relief, px, pz = canvas.part(x - wide, x + wide, z - long, z + long)
        away = ((px - x) / wide) ** 2 + ((pz - z) / long) ** 2
        cover = np.clip(1.5 * (1 - away), 0, rng.uniform(0.35, 0.75)) * (relief > -0.2)
        albedo += (tones[rng.integers(len(tones))] - albedo) * cover[..., None]


def grass(canvas: Canvas, rng: np.random.Generator, *, flowers: float = 0.0) -> None:
    """Cover the canvas with grass, mown in stripes; ``flowers`` is how many stand on a square metre."""
    shape = canvas.relief.shape
    d = canvas.density
    broad = fractal_noise(rng, shape, (5 * d, 5 * d), 4)[..., None]
    blades = (0.5 * fractal_noise(rng, shape, (0.5 * d, 0.25 * d), 3) + 0.5 * rng.random(shape, np.float32))[
        ..., None
    ]
    dark, light, dry = colour("#4d6b2c"), colour("#8aa548"), colour("#a9a35a")
    canvas.albedo[:] = dark + (light - dark) * blades + (dry - light) * np.clip(broad * 1.6 - 0.75, 0, 0.6)
    canvas.albedo *= (1 + 0.10 * np.sign(np.sin(canvas.x * np.float32(2.1))))[..., None]
    count = int(flowers * canvas.width * canvas.height)
    rows, columns = rng.integers(0, shape[0] - 1, count), rng.integers(0, shape[1] - 1, count)
    petals = np.stack([colour(c) for c in ("#fff6e0", "#f3d34a", "#e86a5a")])[rng.integers(3, size=count)]
    for dr in (0, 1):
        for dc in (0, 1):
            canvas.albedo[rows + dr, columns + dc] = petals
