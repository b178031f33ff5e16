"""The parts of XFeat, each against plain loops; no weights are needed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tiepoint.extractors.xfeat import peaks as peaks_module
from tiepoint.extractors.xfeat import photo as photo_module
from tiepoint.extractors.xfeat.peaks import heat_map, peaks
from tiepoint.extractors.xfeat.photo import brightness, divisible, interpolated
from tiepoint.extractors.xfeat.sampling import bicubic_units, bilinear, in_cells
from tiepoint.images.scaling import positions_in_photo

Floats = NDArray[np.float32]


def slow_heat_map(cells: Floats) -> Floats:
    height, width, _ = cells.shape
    heat = np.zeros((8 * height, 8 * width), np.float32)
    for y in range(8 * height):
        for x in range(8 * width):
            heat[y, x] = cells[y // 8, x // 8, 8 * (y % 8) + x % 8]
    return heat


def slow_peaks(heat: Floats, threshold: float) -> list[tuple[int, int]]:
    height, width = heat.shape
    found = []
    for y in range(height):
        for x in range(width):
            around = heat[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3]
            if heat[y, x] > threshold and heat[y, x] >= around.max():
                found.append((x, y))
    return found


def random_cells(rng: np.random.Generator, height: int, width: int) -> Floats:
    logits = 3 * rng.standard_normal((height, width, 65))
    powers = np.exp(logits)
    return np.asarray(powers / powers.sum(axis=2, keepdims=True), np.float32)


def test_the_heat_map_is_that_of_the_cells(rng: np.random.Generator) -> None:
    cells = random_cells(rng, 3, 5)
    assert np.array_equal(heat_map(cells), slow_heat_map(cells))


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (6, 1), (5, 4)])
@pytest.mark.parametrize("strip", [1, 700, 1 << 20])
def test_peaks_are_the_highest_of_their_squares(
    shape: tuple[int, int], strip: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peaks_module, "_STRIP_VALUES", strip)
    cells = random_cells(rng, *shape)
    heat = slow_heat_map(cells)
    places, values = peaks(cells, 0.02)
    expected = slow_peaks(heat, 0.02)
    assert len(expected) >= shape[0] * shape[1]
    assert list(map(tuple, places.tolist())) == expected
    assert values.tolist() == [float(heat[y, x]) for x, y in expected]


def test_equal_neighbours_are_both_peaks_and_nothing_hot_is_none() -> None:
    cells = np.zeros((2, 2, 65), np.float32)
    cells[0, 0, [9, 10]] = 0.5
    assert peaks(cells, 0.05)[0].tolist() == [[1, 1], [2, 1]]
    assert len(peaks(cells, 0.5)[0]) == 0
    assert peaks(np.zeros((2, 3, 65), np.float32), 0.0)[0].shape == (0, 2)


def cubic(t: float) -> float:
    """Keys' kernel with a = -0.75, as the paper writes it."""
    a, t = -0.75, abs(t)
    if t <= 1:
        return (a + 2) * t**3 - (a + 3) * t**2 + 1
    return a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a if t < 2 else 0.0


def slow_sample(values: Any, x: float, y: float, kernel: Any, reach: int) -> Any:
    height, width = values.shape[:2]
    total = np.zeros(values.shape[2:])
    for row in range(math.floor(y) - reach, math.floor(y) + reach + 2):
        for column in range(math.floor(x) - reach, math.floor(x) + reach + 2):
            if 0 <= row < height and 0 <= column < width:  # outside there is zero
                total = total + values[row, column] * kernel(x - column) * kernel(y - row)
    return total


@pytest.fixture
def places(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Places all over a map of 7 x 5 cells, beyond its edges, and right on cells."""
    x = np.concatenate([rng.uniform(-0.5, 6.5, 600), [-0.5, 0, 3, 6, 6.49]])
    y = np.concatenate([rng.uniform(-0.5, 4.5, 600), [-0.5, 0, 2, 4, 4.49]])
    return x.astype(np.float32), y.astype(np.float32)


def test_bilinear_sampling(places: tuple[Floats, Floats], rng: np.random.Generator) -> None:
    values = rng.random((5, 7)).astype(np.float32)
    expected = [
        slow_sample(values, x, y, lambda t: max(0.0, 1 - abs(t)), 0) for x, y in np.column_stack(places)
    ]
    assert bilinear(values, *places) == pytest.approx(np.array(expected), abs=1e-6)


def test_bicubic_sampling(places: tuple[Floats, Floats], rng: np.random.Generator) -> None:
    vectors = rng.standard_normal((5, 7, 6)).astype(np.float32)
    units = vectors / np.linalg.norm(vectors, axis=2, keepdims=True)
    expected = np.array([slow_sample(units, x, y, cubic, 1) for x, y in np.column_stack(places)])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert bicubic_units(vectors, *places) == pytest.approx(expected, abs=2e-5)


def test_sampling_of_nothing_and_of_zeros() -> None:
    nowhere = np.empty(0, np.float32)
    vectors = np.zeros((4, 4, 3), np.float32)
    assert bilinear(vectors[..., 0], nowhere, nowhere).shape == (0,)
    assert bicubic_units(vectors, nowhere, nowhere).shape == (0, 3)
    assert np.array_equal(
        bicubic_units(vectors, np.ones(2, np.float32), np.ones(2, np.float32)), np.zeros((2, 3))
    )


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_sampling_is_torchs_grid_sample(mode: str, rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    height, width = 6, 9
    vectors = rng.standard_normal((height, width, 4)).astype(np.float32)
    pixels = rng.integers(0, (8 * width, 8 * height), (500, 2))
    grid = 2 * (torch.tensor(pixels).float() / torch.tensor([8.0 * width - 1, 8.0 * height - 1])) - 1
    x, y = in_cells(pixels[:, 0], 8 * width, width), in_cells(pixels[:, 1], 8 * height, height)
    table = torch.tensor(vectors).permute(2, 0, 1)[None]
    if mode == "bilinear":
        ours = np.column_stack([bilinear(vectors[..., i], x, y) for i in range(4)])
    else:
        ours = bicubic_units(vectors, x, y)
        table = torch.nn.functional.normalize(table, dim=1)
    theirs = torch.nn.functional.grid_sample(table, grid[None, :, None], mode=mode, align_corners=False)
    theirs = theirs[0, :, :, 0].T
    if mode == "bicubic":
        theirs = torch.nn.functional.normalize(theirs, dim=1)
    assert ours == pytest.approx(theirs.numpy(), abs=2e-5)


def test_pixels_among_cells_reach_from_edge_to_edge() -> None:
    x = in_cells(np.arange(64), 64, 8)
    assert x[[0, -1]].tolist() == [-0.5, 7.5]
    assert np.diff(x) == pytest.approx(np.full(63, 8 / 63), abs=1e-5)


def slow_interpolated(
    values: Floats, size: tuple[int, int], step: tuple[float, float]
) -> NDArray[np.float64]:
    height, width = values.shape
    result = np.zeros((size[1], size[0]))
    for row in range(size[1]):
        for column in range(size[0]):
            x, y = (max(0.0, (place + 0.5) * s - 0.5) for place, s in zip((column, row), step, strict=True))
            for j in (math.floor(y), math.floor(y) + 1):
                for i in (math.floor(x), math.floor(x) + 1):
                    weight = (1 - abs(x - i)) * (1 - abs(y - j))
                    result[row, column] += weight * values[min(j, height - 1), min(i, width - 1)]
    return result


@pytest.mark.parametrize(("old", "new"), [((39, 50), (32, 32)), ((20, 17), (32, 64)), ((33, 64), (32, 64))])
def test_interpolation(old: tuple[int, int], new: tuple[int, int], rng: np.random.Generator) -> None:
    values = rng.random((old[1], old[0])).astype(np.float32)
    expected = slow_interpolated(values, new, (old[0] / new[0], old[1] / new[1]))
    assert interpolated(values, new) == pytest.approx(expected, abs=1e-5)
    torch_like = slow_interpolated(values, (int(old[0] * 0.6), int(old[1] * 0.6)), (1 / 0.6, 1 / 0.6))
    ours = interpolated(values, (int(old[0] * 0.6), int(old[1] * 0.6)), (1 / 0.6, 1 / 0.6))
    assert ours == pytest.approx(torch_like, abs=1e-5)


def test_positions_are_where_the_interpolation_took_the_value_from() -> None:
    """A photo whose values are its columns, or rows: a pixel of the scaled photo tells where it is."""
    columns = np.repeat(np.arange(45, dtype=np.float32)[None], 39, axis=0)
    rows = np.repeat(np.arange(39, dtype=np.float32)[:, None], 45, axis=1)
    size = divisible(45, 39)
    pixels = np.stack(np.meshgrid(np.arange(32), np.arange(32)), axis=-1).reshape(-1, 2)
    xy = positions_in_photo(pixels, size, (45, 39))
    seen = np.stack([interpolated(values, size).ravel() for values in (columns, rows)], axis=-1)
    assert xy == pytest.approx(seen, abs=1e-4)


@pytest.mark.parametrize(
    ("size", "expected"),
    [((640, 480), (640, 480)), ((667, 1000), (640, 992)), ((63, 31), (32, 32)), ((0.6, 100.8), (32, 96))],
)
def test_divisible_sizes(size: tuple[float, float], expected: tuple[int, int]) -> None:
    assert divisible(*size) == expected


@pytest.mark.parametrize("strip", [1, 100, 1 << 18])
def test_brightness_is_the_mean_of_the_channels(
    strip: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_module, "_STRIP_VALUES", strip)
    colour = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    assert brightness(colour) == pytest.approx(colour.mean(axis=2) / 255, abs=1e-6)
    assert brightness(colour[..., 0]) == pytest.approx(colour[..., 0] / 255, abs=1e-6)
