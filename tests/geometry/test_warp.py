"""Warps against what they must be: shifted arrays, turned arrays, and a sampler in plain loops."""

from __future__ import annotations

import math
import sys
import tracemalloc
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tiepoint.errors import DataError
from tiepoint.geometry import facing, warp
from tiepoint.types import Image

Array = NDArray[Any]


def shift(dx: float, dy: float) -> Array:
    return np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1.0]])


def photo(rng: np.random.Generator, width: int, height: int) -> Array:
    return rng.integers(0, 256, (height, width, 3), np.uint8)


def sampled(pixels: Array, H_1_from_0: Array, size0: tuple[int, int]) -> tuple[Array, Array]:
    """Each pixel by itself, straight from the definition."""
    height, width = pixels.shape[:2]
    out = np.zeros((size0[1], size0[0], 3))
    covered = np.zeros((size0[1], size0[0]), bool)
    for y0 in range(size0[1]):
        for x0 in range(size0[0]):
            u, v, w = H_1_from_0 @ [x0, y0, 1]
            if w <= 0 or not (-0.5 <= u / w < width - 0.5 and -0.5 <= v / w < height - 0.5):
                continue
            x, y = u / w, v / w
            total = np.zeros(3)
            for row in (math.floor(y), math.floor(y) + 1):
                for column in (math.floor(x), math.floor(x) + 1):
                    pixel = pixels[min(max(row, 0), height - 1), min(max(column, 0), width - 1)]
                    total += (1 - abs(y - row)) * (1 - abs(x - column)) * pixel
            out[y0, x0], covered[y0, x0] = total, True
    return out, covered


def test_whole_pixels_are_shifted_to_the_bit(rng: np.random.Generator) -> None:
    pixels = photo(rng, 40, 30)
    warped, covered = warp(pixels, shift(3, -2), (40, 30))
    assert np.array_equal(warped[2:, :37], pixels[:28, 3:])
    assert covered[2:, :37].all()
    assert covered.sum() == 28 * 37
    assert (warped[~covered] == 0).all()
    same, all_of_it = warp(pixels, np.eye(3), (40, 30))
    assert np.array_equal(same, pixels)
    assert all_of_it.all()


def test_half_a_pixel_is_the_mean_of_two(rng: np.random.Generator) -> None:
    pixels = photo(rng, 40, 30)
    warped, covered = warp(pixels, shift(0.5, 0), (40, 30))
    # Position 39.5 is the photo's very edge.
    assert covered[:, :39].all()
    assert not covered[:, 39].any()
    assert np.array_equal(warped[:, :39], (pixels[:, :-1].astype(int) + pixels[:, 1:] + 1) // 2)
    # Half a pixel past the first centre is still on the photo, and as its first pixel.
    warped, covered = warp(pixels, shift(-0.5, -0.5), (40, 30))
    assert covered.all()
    assert np.array_equal(warped[0, 0], pixels[0, 0])


@pytest.mark.parametrize(("turns", "H_1_from_0"), [
    (1, [[0, -1, 39], [1, 0, 0], [0, 0, 1]]),
    (2, [[-1, 0, 39], [0, -1, 29], [0, 0, 1]]),
    (3, [[0, 1, 0], [-1, 0, 29], [0, 0, 1]]),
])  # fmt: skip
def test_quarter_turns_are_those_of_the_array(
    turns: int, H_1_from_0: list[list[float]], rng: np.random.Generator
) -> None:
    pixels = photo(rng, 40, 30)
    size0 = (30, 40) if turns % 2 else (40, 30)
    warped, covered = warp(pixels, np.array(H_1_from_0), size0)
    assert covered.all()
    # H takes the turned photo back to the one that was turned.
    assert np.array_equal(warped, np.rot90(pixels, turns))


@pytest.mark.parametrize("scale", [1.0, -0.001, 1e6])
def test_a_perspective_is_that_of_plain_loops(scale: float, rng: np.random.Generator) -> None:
    pixels = photo(rng, 50, 40)
    H = np.array([[0.9, 0.1, 2], [-0.08, 0.8, 3], [4e-3, 2e-3, 1]])
    expected, inside = sampled(pixels, H, (60, 45))
    warped, covered = warp(pixels, H * abs(scale), (60, 45))
    assert np.array_equal(covered, inside)
    assert np.abs(warped[covered] - expected[covered]).max() <= 0.51
    # The other sign is the other side of the horizon.
    assert scale > 0 or not warp(pixels, H * scale, (60, 45))[1].any()


def test_what_is_behind_the_horizon_is_not_covered(rng: np.random.Generator) -> None:
    pixels = photo(rng, 50, 40)
    for row in ([0.05, 0, -1], [0, 0.06, -1], [-0.05, 0, 1], [0.05, -0.03, 0.0], [0.04, 0.02, -1.03]):
        H = np.array([[1, 0, 0], [0, 1, 0], row])
        expected, inside = sampled(pixels, H, (50, 40))
        warped, covered = warp(pixels, H, (50, 40))
        # Right at the edge of the photo the last bit decides.
        assert (covered != inside).sum() <= 4
        both = covered & inside
        assert np.abs(warped[both] - expected[both]).max() <= 0.51


def test_strips_do_not_show(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = photo(rng, 60, 50)
    H = np.array([[0.7, 0.2, 3], [-0.2, 0.7, 12], [1e-3, -2e-3, 1]])
    whole = warp(pixels, H, (70, 65))
    # The package has the function under the module's name.
    monkeypatch.setattr(sys.modules["tiepoint.geometry.warp"], "_STRIP_PIXELS", 200)
    in_strips = warp(pixels, H, (70, 65))
    assert all(np.array_equal(a, b) for a, b in zip(whole, in_strips, strict=True))


def test_a_fine_pattern_shrinks_to_its_mean() -> None:
    # A checkerboard of single pixels, seen ten times as small: without averaging black or white.
    pixels = (np.indices((400, 600)).sum(axis=0) % 2 * 255).astype(np.uint8)
    small = np.diag([10.0, 10, 1])
    warped, covered = warp(pixels, small, (60, 40))
    assert covered.all()
    assert np.abs(warped.astype(int) - 127).max() <= 1


@pytest.mark.parametrize("width", [600, 605, 609])
def test_a_reduced_photo_stays_in_its_place(width: int) -> None:
    ramp = np.tile(np.linspace(0, 250, width), (200, 1)).astype(np.uint8)
    H = np.array([[5, 0, 2.0], [0, 5, 2.0], [0, 0, 1]])  # centres of blocks of five
    warped, covered = warp(ramp, H, (width // 5 + 3, 40))
    x = 5 * np.arange(width // 5 + 3) + 2
    assert np.array_equal(covered[0], x < width - 0.5)
    wanted = x[covered[0]] * 250 / (width - 1)
    assert np.abs(warped[20, covered[0], 0] - wanted)[1:-2].max() < 1.5


def test_pairs_of_all_sizes_and_kinds(rng: np.random.Generator) -> None:
    tiny = photo(rng, 1, 1)
    assert warp(tiny, np.eye(3), (1, 1))[0].tolist() == tiny.tolist()
    pixels16 = np.full((20, 30), 65535, np.uint16)
    pixels16[0, 0] = 0
    assert np.array_equal(warp(pixels16, np.eye(3), (30, 20))[0][..., 1], pixels16 // 257)
    image = Image(pixels=photo(rng, 30, 20))
    enlarged, covered = warp(image, np.diag([0.01, 0.01, 1]), (2900, 1900))
    assert enlarged.shape == (1900, 2900, 3)
    assert covered.all()
    assert not warp(image, np.zeros((3, 3)), (30, 20))[1].any()
    nowhere, none = warp(image, shift(1e9, 0), (30, 20))
    assert not none.any()
    assert not nowhere.any()


def test_memory_is_that_of_the_result(rng: np.random.Generator) -> None:
    pixels = photo(rng, 300, 200)
    tracemalloc.start()
    warped, covered = warp(pixels, np.diag([0.1, 0.1, 1]), (3000, 4000))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < warped.nbytes + covered.nbytes + 60e6


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        (np.eye(2), r"H_1_from_0 must be \(3, 3\) float64"),
        (np.full((3, 3), np.nan), "finite"),
        ("eye", "numbers"),
    ],
)
def test_what_is_no_homography_is_refused(matrix: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        warp(np.zeros((4, 5), np.uint8), matrix, (5, 4))
    with pytest.raises(DataError, match="size0"):
        warp(np.zeros((4, 5), np.uint8), np.eye(3), (0, 4))


def test_facing_puts_most_points_before_the_horizon() -> None:
    H = np.array([[1, 0, 0], [0, 1, 0], [0.1, 0, -1.0]])
    assert np.array_equal(facing(H, np.array([[20.0, 3], [30, 3], [1, 3]])), H)
    assert np.array_equal(facing(H, np.array([[2.0, 3], [3, 3], [30, 3]])), -H)
    assert np.array_equal(facing(H, np.empty((0, 2))), H)
