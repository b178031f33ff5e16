"""Region repeatability, against closed forms for circles and the definition written with loops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tiepoint.errors import DataError, OptionError
from tiepoint.evaluation.metrics import region_repeatability
from tiepoint.evaluation.metrics.regions import overlap_with_circle

Float = NDArray[np.floating[Any]]

SIZE = (320, 240)
IDENTITY = np.eye(3)
TILTED = np.array([[0.85, 0.12, 18.0], [-0.1, 1.05, 20.0], [3e-4, -1e-4, 1.0]])


def lens(apart: float, radius: float) -> float:
    """Overlap of the unit circle with another one, in closed form."""
    if apart >= 1 + radius:
        return 0.0
    if apart <= abs(1 - radius):
        both = math.pi * min(1, radius) ** 2
    else:
        a = math.acos((apart**2 + 1 - radius**2) / (2 * apart))
        b = math.acos((apart**2 + radius**2 - 1) / (2 * apart * radius))
        both = a - math.sin(2 * a) / 2 + radius**2 * (b - math.sin(2 * b) / 2)
    return both / (math.pi * (1 + radius**2) - both)


def overlap_by_slices(cx: float, cy: float, shape: Float, radius: float, slices: int = 1500) -> float:
    """Overlap of a circle with an ellipse, by the lengths of their vertical slices."""
    a, b, c, d = (float(v) for v in shape.ravel())
    # The ellipse is p (x-cx)^2 + 2 q (x-cx)(y-cy) + r (y-cy)^2 = 1.
    determinant = a * d - b * c
    p = (d * d + c * c) / determinant**2
    q = -(b * d + a * c) / determinant**2
    r = (b * b + a * a) / determinant**2
    both, step = 0.0, 2 * radius / slices
    for k in range(slices):
        x = -radius + (k + 0.5) * step
        half = math.sqrt(radius * radius - x * x)
        e = x - cx
        under = q * q * e * e - r * (p * e * e - 1)
        if under > 0:
            middle, reach = cy - q * e / r, math.sqrt(under) / r
            both += max(0.0, min(half, middle + reach) - max(-half, middle - reach)) * step
    return both / (math.pi * radius**2 + math.pi * abs(determinant) - both)


def derivative(matrix: Float, x: float, y: float) -> tuple[float, float, Float]:
    """Where a point goes, and the derivative there by differences of far too small steps to matter."""

    def go(x: float, y: float) -> tuple[float, float]:
        u, v, w = (float(row[0] * x + row[1] * y + row[2]) for row in matrix)
        return u / w, v / w

    step = 1e-4
    (u, v), (ux, vx), (uy, vy) = go(x, y), go(x + step, y), go(x, y + step)
    (lx, mx), (ly, my) = go(x - step, y), go(x, y - step)
    slopes = [[ux - lx, uy - ly], [vx - mx, vy - my]]
    return u, v, np.array(slopes) / (2 * step)


def fits(x: float, y: float, half_width: float, half_height: float) -> bool:
    return (
        x - half_width >= -0.5
        and x + half_width <= SIZE[0] - 0.5
        and y - half_height >= -0.5
        and y + half_height <= SIZE[1] - 0.5
    )


def by_definition(xy0: Float, size0: Float, xy1: Float, size1: Float, matrix: Float, limit: float) -> float:
    kept: list[list[tuple[float, float, float, float, float, Float]]] = [[], []]
    back = np.linalg.inv(matrix)
    for side, xy, sizes, way in ((0, xy0, size0, matrix), (1, xy1, size1, back)):
        for (x, y), size in zip(xy.tolist(), sizes.tolist(), strict=True):
            radius = size / 2
            u, v, slopes = derivative(way, x, y)
            shape = slopes * radius
            wide, tall = math.hypot(*shape[0]), math.hypot(*shape[1])
            if fits(x, y, radius, radius) and fits(u, v, wide, tall):
                kept[side].append((x, y, radius, u, v, shape))
    errors = {}
    for i, (x, y, radius, *_) in enumerate(kept[0]):
        for j, (_, _, _, u, v, shape) in enumerate(kept[1]):
            if math.hypot(u - x, v - y) <= 4 * radius:
                error = 1 - overlap_by_slices(u - x, v - y, shape * (30 / radius), 30)
                assert abs(error - limit) > 1e-4, "too close to the threshold to compare two integrals"
                if error < limit:
                    errors[i, j] = error
    number = 0
    while errors:
        i, j = min(errors, key=errors.__getitem__)
        number += 1
        errors = {(k, m): e for (k, m), e in errors.items() if k != i and m != j}
    fewer = min(len(kept[0]), len(kept[1]))
    return number / fewer if fewer else 0.0


def repeated(
    xy0: Any, size0: Any, xy1: Any, size1: Any, matrix: Float = IDENTITY, limit: float = 0.4
) -> float:
    return region_repeatability(xy0, size0, xy1, size1, matrix, SIZE, SIZE, max_overlap_error=limit)


@pytest.mark.parametrize("limit", [0.2, 0.4, 0.7])
@pytest.mark.parametrize("matrix", [IDENTITY, TILTED], ids=["identity", "tilted"])
def test_as_defined(matrix: Float, limit: float, rng: np.random.Generator) -> None:
    xy0 = rng.uniform([0, 0], SIZE, (45, 2))
    q = np.column_stack([xy0, np.ones(45)]) @ matrix.T
    xy1 = np.vstack(
        [(q[:, :2] / q[:, 2:])[:35] + rng.normal(0, 3, (35, 2)), rng.uniform([0, 0], SIZE, (10, 2))]
    )
    size0, size1 = rng.uniform(4, 40, (2, 45))
    size1[:35] = size0[:35] * rng.uniform(0.7, 1.4, 35)
    expected = by_definition(xy0, size0, xy1, size1, matrix, limit)
    assert 0 < expected < 1
    assert repeated(xy0, size0, xy1, size1, matrix, limit) == pytest.approx(expected, abs=1e-9)


def test_overlap_of_circles_in_closed_form(rng: np.random.Generator) -> None:
    apart, radius, angle = rng.uniform(0, 2, 2000), rng.uniform(0.6, 1.6, 2000), rng.uniform(0, 7, 2000)
    offset = apart[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    given = overlap_with_circle(offset, radius[:, None, None] * np.eye(2))
    expected = np.array([lens(*pair) for pair in zip(apart, radius, strict=True)])
    assert np.abs(given - expected).max() < 1e-3
    assert np.abs(given - expected)[expected > 0.4].max() < 1e-4
    assert given[apart > 1 + radius].max() == 0
    assert np.abs(given - expected)[apart < np.abs(1 - radius)].max() < 1e-12


def test_overlap_of_ellipses_by_slices(rng: np.random.Generator) -> None:
    shape = rng.normal(0, 0.4, (60, 2, 2)) + np.diag([0.9, 1.1])
    offset = rng.normal(0, 0.2, (60, 2))
    given = overlap_with_circle(offset, shape)
    for value, (cx, cy), ellipse in zip(given, offset.tolist(), shape, strict=True):
        expected = overlap_by_slices(cx, cy, ellipse, 1.0, 6000)
        assert value == pytest.approx(expected, abs=1e-4 if expected > 0.4 else 5e-3)
    assert (given > 0.4).sum() > 10


def test_distant_centres_cannot_pass(rng: np.random.Generator) -> None:
    # The bound by which pairs are left out before their overlap is computed.
    turn = rng.uniform(0, 7, 20_000)
    rotation = np.moveaxis(np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]), 2, 0)
    shape = rotation * rng.uniform(0.4, 2.5, (20_000, 1, 2))
    offset = np.column_stack([rng.uniform(0, 1.2, 20_000), np.zeros(20_000)])
    error = 1 - overlap_with_circle(offset, shape)
    for limit in (0.1, 0.25, 0.4, 0.5):
        passing = offset[error < limit - 1e-3, 0]
        assert len(passing) > 10
        assert passing.max() < limit / (1 - limit)


@pytest.mark.parametrize(
    ("limit", "just_right", "too_large"), [(0.4, 1.285, 1.295), (0.2, 1.115, 1.12), (0.6, 1.575, 1.585)]
)
def test_concentric_circles(limit: float, just_right: float, too_large: float) -> None:
    # The overlap is the ratio of areas, k^2: 1 / sqrt(1 - 0.4) is 1.2910, and so on.
    xy = [[100, 100]]
    for factor, expected in ((just_right, 1.0), (too_large, 0.0)):
        assert repeated(xy, [20], xy, [20 * factor], limit=limit) == expected
        assert repeated(xy, [20 * factor], xy, [20], limit=limit) == expected


@pytest.mark.parametrize("size", [8, 20, 60])
def test_the_tolerance_in_position_is_the_same_for_all_sizes(size: float) -> None:
    # Equal circles of radius 30 overlap by 0.6 when they are this far apart.
    low, high = 0.0, 30.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if lens(middle / 30, 1) > 0.6 else (low, middle)
    assert low == pytest.approx(12, abs=0.2)
    xy = np.array([[100.0, 100.0]])
    assert repeated(xy, [size], xy + np.array([low - 0.02, 0]), [size]) == 1.0
    assert repeated(xy, [size], xy + np.array([0, low + 0.02]), [size]) == 0.0


def test_no_region_is_compared_beyond_four_radii() -> None:
    xy = np.array([[100.0, 100.0]])
    assert repeated(xy, [4], xy + np.array([8.0, 0]), [4]) == 1.0
    assert repeated(xy, [4], xy + np.array([8.1, 0]), [4]) == 0.0


def test_regions_are_mapped_with_the_homography() -> None:
    zoom = np.array([[2.0, 0, 0], [0, 2.0, 0], [0, 0, 1]])
    assert repeated([[40, 30]], [10], [[80, 60]], [20], zoom) == 1.0
    assert repeated([[40, 30]], [10], [[80, 60]], [10], zoom) == 0.0
    # A circle squeezed to half its width overlaps by half, whichever circle one compares.
    squeezed = np.diag([0.5, 1.0, 1.0])
    assert repeated([[100, 100]], [20], [[50, 100]], [20], squeezed, 0.49) == 0.0
    assert repeated([[100, 100]], [20], [[50, 100]], [20], squeezed, 0.51) == 1.0


def test_each_region_is_used_once() -> None:
    twice = [[100, 100], [101, 100]]
    assert repeated(twice, [20, 20], [[100, 100]], [20]) == 1.0
    assert repeated(twice, [20, 20], [[100, 100], [200, 200]], [20, 20]) == 0.5
    # The best overlap goes first, though it leaves the other two without a partner.
    chain0, chain1 = [[100, 100], [109, 100]], [[107, 100], [116, 100]]
    assert repeated(chain0, [20, 20], chain1, [20, 20]) == 0.5
    assert repeated(chain0[:1], [20], chain1[:1], [20]) == repeated(chain0[1:], [20], chain1[1:], [20]) == 1.0


def test_ties_go_to_the_lowest_index() -> None:
    # Enlarged to a radius of 30, both regions of photo 0 hold the small one of photo 1: the same overlap.
    # Only the one at 100 meets the other region of photo 1, and less well.
    xy1, size1 = [[101, 100], [90, 100]], [25, 30]
    assert repeated([[100, 100], [103, 101]], [30, 30], xy1, size1) == 1 / 2
    assert repeated([[103, 101], [100, 100]], [30, 30], xy1, size1) == 1.0


def test_only_regions_wholly_on_both_photos_count() -> None:
    edge, cut = [[9.5, 100]], [[9.4, 100]]
    assert repeated(edge, [20], edge, [20]) == 1.0
    assert repeated(cut, [20], cut, [20]) == 0.0
    # In photo 1 the region sticks out.
    left = np.array([[1.0, 0, -50], [0, 1, 0], [0, 0, 1]])
    assert repeated([[55, 100], [100, 100]], [20, 20], [[50, 100]], [20], left) == 1.0


def test_perfect_regions_score_one(rng: np.random.Generator) -> None:
    turn = 0.4
    similarity = 1.3 * np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    matrix = np.block([[similarity, np.array([[20.0], [-40.0]])], [np.zeros((1, 2)), np.ones((1, 1))]])
    xy0 = rng.uniform([0, 0], SIZE, (200, 2))
    size0 = rng.uniform(5, 20, 200)
    assert repeated(xy0, size0, xy0 @ similarity.T + [20, -40], 1.3 * size0, matrix) == 1.0


def test_random_regions_score_about_zero(rng: np.random.Generator) -> None:
    scores = []
    for _ in range(20):
        xy0, xy1 = rng.uniform([10, 10], [310, 230], (2, 10, 2))
        scores.append(repeated(xy0, np.full(10, 5), xy1, np.full(10, 5)))
    # 10 regions, each met within 4 radii = 10 px by 10 / (300 x 220) x 314 others.
    assert np.mean(scores) < 0.1


@pytest.mark.parametrize(("noise", "expected"), [(3.0, 1.0), (11.8, 1.0), (12.1, 0.0)])
def test_noise_ends_it_where_the_overlap_does(
    noise: float, expected: float, rng: np.random.Generator
) -> None:
    x, y = np.meshgrid(np.arange(40.0, 290, 60), np.arange(40.0, 210, 60))
    xy0, angle = np.column_stack([x.ravel(), y.ravel()]), rng.uniform(0, 7, x.size)
    xy1 = xy0 + noise * np.column_stack([np.cos(angle), np.sin(angle)])
    assert repeated(xy0, np.full(x.size, 12), xy1, np.full(x.size, 12)) == expected


@pytest.mark.parametrize(("n0", "n1"), [(0, 0), (0, 2), (2, 0)])
def test_nothing_is_repeated_of_nothing(n0: int, n1: int) -> None:
    xy = np.array([[50.0, 50.0], [90.0, 50.0]])
    assert repeated(xy[:n0], np.full(n0, 10), xy[:n1], np.full(n1, 10)) == 0.0


def test_what_is_behind_the_camera_is_not_shared() -> None:
    horizon = np.array([[1.0, 0, 0], [0, 1, 0], [-1 / 200, 0, 1]])
    assert repeated([[250, 100]], [10], [[100, 50]], [10], horizon) == 0.0


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"size0": [10, 10]}, DataError, "size0 must hold one number for each of the 1 keypoints"),
        ({"size1": [[10]]}, DataError, "size1 must hold one number for each of the 1 keypoints"),
        ({"size1": [0]}, DataError, "size1 must be above 0, but one is 0"),
        ({"size0": [np.nan]}, DataError, "size0 must be finite"),
        ({"xy0": [[1, 2, 3]]}, DataError, "xy0 must be positions of shape (N, 2)"),
        ({"H_1_from_0": np.zeros((3, 3))}, DataError, "H_1_from_0 must be invertible"),
        ({"max_overlap_error": 0}, OptionError, "max_overlap_error must be a number above 0 and below 1"),
        ({"max_overlap_error": 1.0}, OptionError, "max_overlap_error must be a number above 0 and below 1"),
    ],
)
def test_wrong_input_is_refused_in_words(wrong: dict[str, Any], error: type[Exception], words: str) -> None:
    good: dict[str, Any] = {
        "xy0": [[50, 50]], "size0": [10], "xy1": [[50, 50]], "size1": [10],
        "H_1_from_0": IDENTITY, "image_size0": SIZE, "image_size1": SIZE,
    }  # fmt: skip
    with pytest.raises(error) as refused:
        region_repeatability(**(good | wrong))
    assert words in str(refused.value)
