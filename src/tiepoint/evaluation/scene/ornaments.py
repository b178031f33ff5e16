"""What a mason adds to a wall: pointed windows, a rose, a portal, a clock, arcades and cornices."""

from __future__ import annotations

import numpy as np

from tiepoint.evaluation.scene.canvas import Canvas, colour
from tiepoint.evaluation.scene.noise import Map

TRIM = "#dccbab"
_GLASS = ("#2b3d55", "#35506e", "#22324a", "#3f5a74", "#4a4a5e")
_STAINED = ("#8c2f39", "#2f4a8c", "#c79a3a", "#3d6b5a", "#6b3d78", "#2f6f8c")


def arch_depth(x: Map, z: Map, width: float, spring: float) -> Map:
    """Return how far inside a pointed arch (negative: outside) points are, in metres.

    ``x`` is from the middle, ``z`` from the sill; the arch begins to close at ``spring``. Its two
    sides are circles about the opposite corners: the equilateral arch of the Gothic.
    """
    side = width / 2 - np.abs(x)
    crown = width - np.hypot(np.abs(x) + width / 2, np.maximum(z - spring, 0))
    return np.minimum(np.where(z < spring, side, crown), z).astype(np.float32)


def arch_height(width: float, spring: float) -> float:
    """Return how high a pointed arch reaches above its sill, in metres."""
    return spring + width * 3**0.5 / 2


def window(
    canvas: Canvas,
    rng: np.random.Generator,
    cx: float,
    sill: float,
    width: float,
    spring: float,
    lights: int = 2,
) -> None:
    """Paint a pointed window with mullions, a traced head and leaded panes."""
    top = sill + arch_height(width, spring)
    margin = 0.4
    albedo, relief, x, z = canvas.part(
        cx - width / 2 - margin, cx + width / 2 + margin, sill - 0.35, top + margin
    )
    x, z = x - np.float32(cx), z - np.float32(sill)
    d = arch_depth(x, z, width, spring)
    _voussoirs(albedo, relief, x, z, d, spring, rim=0.32)
    reveal = (d >= 0) & (d < 0.2)
    albedo[reveal] = colour(TRIM) * 0.85
    relief[reveal] = (-2.2 * d)[reveal]
    pane = d >= 0.2
    lead = _pane_colours(rng, x, z, 0.28)
    albedo[pane] = lead[pane]
    relief[pane] = -0.5
    bars = np.zeros(d.shape, np.bool_)
    part_width = (width - 0.4) / lights
    for k in range(lights):
        middle = (k + 0.5) * part_width - (width - 0.4) / 2
        bars |= np.abs(arch_depth(x - np.float32(middle), z, part_width, spring - 0.1)) < 0.07
    eye = spring + 0.42 * width
    ring = np.hypot(x, z - eye)
    bars |= np.abs(ring - 0.19 * width) < 0.06
    bars |= (np.abs(np.mod(z, 1.25) - 0.6) < 0.035) & (z < spring)
    bars &= pane
    albedo[bars] = colour(TRIM) * 0.95
    relief[bars] = -0.3
    ledge = (z < 0) & (z > -0.3) & (np.abs(x) < width / 2 + 0.35)
    albedo[ledge] = colour("#e4d6b8")
    relief[ledge] = 0.2


def louvres(canvas: Canvas, cx: float, sill: float, width: float, spring: float) -> None:
    """Paint a belfry opening: a pointed arch with slats that let the sound of the bells out."""
    top = sill + arch_height(width, spring)
    albedo, relief, x, z = canvas.part(cx - width / 2 - 0.4, cx + width / 2 + 0.4, sill - 0.3, top + 0.4)
    x, z = x - np.float32(cx), z - np.float32(sill)
    d = arch_depth(x, z, width, spring)
    _voussoirs(albedo, relief, x, z, d, spring, rim=0.3)
    inside = d >= 0
    slat = np.mod(z, 0.5) / 0.5
    wood = colour("#5b4a3c") * (0.35 + 0.9 * slat)[..., None]
    albedo[inside] = np.broadcast_to(wood, albedo.shape)[inside]
    relief[inside] = np.broadcast_to(-0.45 + 0.2 * (1 - slat), d.shape)[inside]
    frame = (d >= 0) & (d < 0.16)
    albedo[frame] = colour(TRIM) * 0.8
    relief[frame] = -0.1


def rose(
    canvas: Canvas, rng: np.random.Generator, cx: float, cz: float, radius: float, petals: int = 12
) -> None:
    """Paint a rose window: rings of stone around petals of stained glass."""
    reach = radius + 0.6
    albedo, relief, x, z = canvas.part(cx - reach, cx + reach, cz - reach, cz + reach)
    x, z = x - np.float32(cx), z - np.float32(cz)
    r, angle = np.hypot(x, z), np.arctan2(z, x)
    rim = (r < radius + 0.5) & (r >= radius)
    stones = np.floor(angle / (2 * np.pi) * 36).astype(np.intp) % 2
    albedo[rim] = (colour(TRIM) * (0.82 + 0.3 * stones)[..., None])[rim]
    relief[rim] = 0.16 - 0.3 * np.abs(r[rim] - radius - 0.25)
    inside = r < radius
    sector = np.floor((angle + np.pi) / (2 * np.pi) * petals).astype(np.intp) % petals
    band = np.minimum(r / radius * 7, 7).astype(np.intp)
    glass = np.stack([colour(c) for c in _STAINED])
    pattern = rng.integers(len(glass), size=(petals, 8))
    shade = rng.uniform(0.6, 1.3, (petals, 8))
    albedo[inside] = (glass[pattern[sector, band]] * (0.75 * shade[sector, band])[..., None])[inside]
    relief[inside] = -0.5
    turn = np.mod(angle * petals / (2 * np.pi), 1) - 0.5  # across one petal, -0.5 to 0.5
    px, pr = r * np.sin(turn * 2 * np.pi / petals), r * np.cos(turn * 2 * np.pi / petals)
    size = radius * np.sin(np.pi / petals) * 0.72
    bars = np.abs(np.hypot(px, pr - 0.76 * radius) - size) < 0.075
    bars |= (np.abs(np.abs(turn) - 0.5) * r * 2 * np.pi / petals < 0.07) & (r > 0.3 * radius)
    bars |= np.abs(r - 0.3 * radius) < 0.1
    bars |= np.abs(r - 0.14 * radius) < 0.06
    bars |= r > radius - 0.14
    bars &= inside
    albedo[bars] = colour(TRIM)
    relief[bars] = -0.22


def portal(canvas: Canvas, rng: np.random.Generator, cx: float, width: float, spring: float) -> None:
    """Paint a door in stepped arches, with a carved field above it."""
    steps, tread = 4, 0.3
    outer = width + 2 * steps * tread
    top = spring + outer
    albedo, relief, x, z = canvas.part(cx - outer / 2 - 0.4, cx + outer / 2 + 0.4, 0, top)
    x = x - np.float32(cx)
    d = arch_depth(x, z + np.float32(2), outer, spring + 2)  # the sill lies out of sight
    _voussoirs(albedo, relief, x, z, d, spring, rim=0.34)
    for k in range(steps):
        ring = (d >= k * tread) & (d < (k + 1) * tread)
        beads = 0.86 + 0.14 * np.sign(np.sin(np.arctan2(z - spring, x) * (34 - 4 * k)))
        tone = np.where(z > spring, beads, 1.0) * (1.0, 0.8, 0.95, 0.75)[k]
        albedo[ring] = (colour(TRIM) * tone[..., None])[ring]
        relief[ring] = -0.16 * (k + 1) + 0.3 * np.minimum(d - k * tread, (k + 1) * tread - d)[ring]
    field = d >= steps * tread
    door = field & (z < spring - 0.1)
    carved = field & ~door
    planks = rng.uniform(0.75, 1.2, 40)[np.floor((x + 20) / 0.22).astype(np.intp) % 40]
    wood = colour("#7a4a2a") * np.broadcast_to(planks, d.shape)[..., None]
    wood *= np.where(np.abs(np.mod(x, 0.22) - 0.11) > 0.095, 0.5, 1.0)[..., None]
    albedo[door] = wood[door]
    relief[door] = -0.8
    iron = door & ((np.abs(np.mod(z, 1.0) - 0.5) < 0.06) | (np.abs(x) < 0.05))
    albedo[iron] = colour("#2d2a2a")
    figures = np.abs(np.sin(x * 5.2)) * np.abs(np.cos((z - spring) * 3.1))
    albedo[carved] = (colour("#c9b48c") * (0.55 + 0.6 * figures)[..., None])[carved]
    relief[carved] = (-0.75 + 0.25 * figures)[carved]


def clock(canvas: Canvas, cx: float, cz: float, radius: float) -> None:
    """Paint a clock that stopped at ten past ten: it tells the same in the morning and the evening."""
    reach = radius + 0.3
    albedo, relief, x, z = canvas.part(cx - reach, cx + reach, cz - reach, cz + reach)
    x, z = x - np.float32(cx), z - np.float32(cz)
    r, angle = np.hypot(x, z), np.arctan2(x, z)
    gold = colour("#d9a441")
    albedo[r < reach] = gold
    relief[r < reach] = 0.18
    face = r < radius
    albedo[face] = colour("#1f3152")
    relief[face] = 0.06
    hour = np.abs(np.mod(angle * 12 / (2 * np.pi) + 0.5, 1) - 0.5) * r * 2 * np.pi / 12
    marks = face & (r > 0.74 * radius) & (r < 0.93 * radius) & (hour < 0.065 * radius)
    marks |= np.abs(r - 0.68 * radius) < 0.025 * radius
    for degrees, length, thick in ((305.0, 0.5, 0.06), (60.0, 0.8, 0.045)):
        sx, sz = np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))
        along, across = x * sx + z * sz, x * sz - z * sx
        marks |= (along > -0.12 * radius) & (along < length * radius) & (np.abs(across) < thick * radius)
    albedo[marks] = colour("#f2e3b8")
    relief[marks] = 0.1


def arcade(canvas: Canvas, rng: np.random.Generator, z0: float, pitch: float, spring: float) -> None:
    """Paint a row of niches across the canvas, a statue in each: alike, but no two the same."""
    count = max(1, int(canvas.width / pitch))
    left = (canvas.width - count * pitch) / 2
    albedo, relief, x, z = canvas.part(left, left + count * pitch, z0, z0 + spring + pitch)
    z = z - np.float32(z0)
    cell = np.floor((x - left) / pitch).astype(np.intp).clip(0, count - 1)
    dx = x - np.float32(left) - (cell + np.float32(0.5)) * np.float32(pitch)
    d = arch_depth(dx, z, pitch * 0.86, spring)
    _voussoirs(albedo, relief, dx, z, d, spring, rim=0.12)
    niche = d >= 0
    albedo[niche] = colour("#6e6252")
    relief[niche] = -0.4
    robes = np.stack([colour(c) for c in ("#d8cbb0", "#bda98a", "#a3917a", "#c9b7a0")])
    robe = robes[rng.integers(len(robes), size=count)] * rng.uniform(0.8, 1.2, (count, 1))
    tall = rng.uniform(0.95, 1.12, count)[cell] * spring
    lean = rng.uniform(-0.05, 0.05, count)[cell]
    body = np.abs(dx - lean) < 0.2 * pitch * (1.25 - 0.6 * z / tall)
    figure = niche & (z > 0.1) & (z < tall) & body
    figure |= niche & (np.hypot(dx - lean, z - tall - 0.08) < 0.11 * pitch + 0.03)
    folds = 0.85 + 0.15 * np.sin(dx * 60 + z * 4)
    albedo[figure] = (robe[cell[0]][None] * folds[..., None])[figure]
    relief[figure] = (-0.1 - 0.5 * np.abs(dx) * np.ones_like(z))[figure]


def cornice(canvas: Canvas, z0: float, z1: float, *, jut: float = 0.3, teeth: float = 0.55) -> None:
    """Paint a moulding that runs across the canvas, with a row of teeth under it (0: none)."""
    albedo, relief, x, z = canvas.part(0, canvas.width, z0, z1)
    up = (z - z0) / (z1 - z0)
    profile = np.where(up > 0.45, jut, jut * 0.55 + 0.1 * np.sin(up * 9))
    tone = np.where(up > 0.45, 1.05, 0.9)
    albedo[:] = colour(TRIM) * np.broadcast_to(tone, relief.shape)[..., None]
    relief[:] = profile
    if teeth:
        gap = (np.mod(x, teeth) < 0.42 * teeth) & (up < 0.45)
        relief[gap] = 0
        albedo[gap] *= 0.72


def pilaster(canvas: Canvas, rng: np.random.Generator, x0: float, x1: float, z0: float, z1: float) -> None:
    """Paint a strip of dressed stones that stands out from the wall and holds it."""
    albedo, relief, _, z = canvas.part(x0, x1, z0, z1)
    level = np.floor((z - z0) / 0.6).astype(np.intp)
    tone = rng.uniform(0.82, 1.14, int(level.max()) + 2)[level]
    seam = np.mod(z - z0, 0.6) < 0.04
    albedo[:] = colour(TRIM) * np.where(seam, 0.6, tone)[..., None]
    relief[:] = np.where(seam, 0.2, 0.24)


def _voussoirs(albedo: Map, relief: Map, x: Map, z: Map, d: Map, spring: float, rim: float) -> None:
    """Frame an arch with light stones, cut towards its middle above the spring."""
    frame = (d < 0) & (d >= -rim) & (z > 0)
    along = np.where(z > spring, np.arctan2(z - spring, x) * 6, z * np.ones_like(x) / 0.45)
    tone = np.where(np.floor(along).astype(np.intp) % 2 == 0, 1.08, 0.84)
    albedo[frame] = (colour(TRIM) * tone[..., None])[frame]
    relief[frame] = 0.12


def _pane_colours(rng: np.random.Generator, x: Map, z: Map, size: float) -> Map:
    """Return the colours of small lead-framed lozenges, (h, w, 3)."""
    a = np.floor((x + z) / size).astype(np.intp)
    b = np.floor((x - z) / size).astype(np.intp)
    glass = np.stack([colour(c) for c in _GLASS])
    table = rng.integers(len(glass), size=(64, 64))
    return np.asarray(glass[table[a % 64, b % 64]], np.float32)
