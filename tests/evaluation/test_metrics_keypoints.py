"""Repeatability and localisation error, against their definitions written with loops."""

from __future__ import annotations

import math
import tracemalloc
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tiepoint.errors import DataError, OptionError
from tiepoint.evaluation.metrics import localisation_error, nearest, repeatability
from tiepoint.evaluation.metrics.nearest import nearest_within, pairs_within

Float = NDArray[np.floating[Any]]

SIZE0, SIZE1 = (320, 240), (300, 260)
IDENTITY = np.eye(3)
TILTED = np.array([[0.9, 0.12, 8.0], [-0.1, 0.95, 30.0], [2e-4, -1e-4, 1.0]])
# Sends what is right of x = 200 behind the camera.
HORIZON = np.array([[1.0, 0, 0], [0, 1, 0], [-1 / 200, 0, 1]])


def sent(matrix: Float, x: float, y: float) -> tuple[float, float] | None:
    u, v, w = (float(row[0] * x + row[1] * y + row[2]) for row in matrix)
    return (u / w, v / w) if w > 0 else None


def inside(point: tuple[float, float] | None, size: tuple[int, int]) -> bool:
    return point is not None and all(-0.5 <= c <= n - 0.5 for c, n in zip(point, size, strict=True))


def by_definition(
    xy0: Float, xy1: Float, matrix: Float, top: int | None, limit: float
) -> tuple[float, float | None]:
    back = np.linalg.inv(matrix)
    kept0, kept1 = [], []
    for x, y in xy0.tolist():
        there = sent(matrix, x, y)
        if there and inside((x, y), SIZE0) and inside(there, SIZE1):
            kept0.append(there)
    for x, y in xy1.tolist():
        if inside((x, y), SIZE1) and inside(sent(back, x, y), SIZE0):
            kept1.append((x, y))
    kept0, kept1 = kept0[:top], kept1[:top]
    gaps = []
    for mine, others in ((kept0, kept1), (kept1, kept0)):
        for point in mine:
            gap = min((math.dist(point, other) for other in others), default=math.inf)
            if gap <= limit:
                gaps.append(gap)
    total = len(kept0) + len(kept1)
    return (len(gaps) / total if total else 0.0), (sum(gaps) / len(gaps) if gaps else None)


def apply(matrix: Float, xy: Float) -> Float:
    q = np.column_stack([xy, np.ones(len(xy))]) @ matrix.T
    return np.asarray(q[:, :2] / q[:, 2:], np.float64)


def grid(step: float = 40.0) -> Float:
    """Points so far apart that none is mistaken for its neighbour."""
    x, y = np.meshgrid(np.arange(20.0, 300, step), np.arange(20.0, 230, step))
    return np.column_stack([x.ravel(), y.ravel()])


def displaced(xy: Float, by: float, rng: np.random.Generator) -> Float:
    angle = rng.uniform(0, 2 * np.pi, len(xy))
    return xy + by * np.column_stack([np.cos(angle), np.sin(angle)])


@pytest.mark.parametrize("top", [None, 30])
@pytest.mark.parametrize("limit", [1.0, 3.0, 8.0])
@pytest.mark.parametrize("matrix", [IDENTITY, TILTED, HORIZON], ids=["identity", "tilted", "horizon"])
def test_as_defined(matrix: Float, limit: float, top: int | None, rng: np.random.Generator) -> None:
    xy0 = rng.uniform([-1, -1], SIZE0, (150, 2))
    xy1 = np.vstack(
        [apply(matrix, xy0[:60]) + rng.normal(0, 2, (60, 2)), rng.uniform([-1, -1], SIZE1, (70, 2))]
    )
    expected = by_definition(xy0, xy1, matrix, top, limit)
    assert expected[0] > 0
    given = repeatability(xy0, xy1, matrix, SIZE0, SIZE1, top=top, max_error=limit)
    assert given == pytest.approx(expected[0], abs=1e-9)
    error = localisation_error(xy0, xy1, matrix, SIZE0, SIZE1, top=top, max_error=limit)
    assert error == pytest.approx(expected[1], abs=1e-9)


def test_perfect_keypoints_score_one() -> None:
    xy0 = grid(11)
    xy1 = apply(TILTED, xy0)
    assert repeatability(xy0, xy1[::-1], TILTED, SIZE0, SIZE1) == 1.0
    assert localisation_error(xy0, xy1[::-1], TILTED, SIZE0, SIZE1) == pytest.approx(0, abs=1e-9)
    assert repeatability(xy1, xy0, np.linalg.inv(TILTED), SIZE1, SIZE0) == 1.0


def test_random_keypoints_meet_by_chance_only(rng: np.random.Generator) -> None:
    # Poisson: some other point lies within 3 px with probability 1 - exp(-density * 9 pi).
    size = (640, 480)
    for count in (1000, 30):
        xy0, xy1 = rng.uniform(-0.5, [639.5, 479.5], (2, count, 2))
        chance = 1 - math.exp(-count / (640 * 480) * 9 * math.pi)
        assert repeatability(xy0, xy1, IDENTITY, size, size) == pytest.approx(chance, abs=0.03)
    # Within a disc of radius 3 the mean distance from the centre is 2.
    xy0, xy1 = rng.uniform(-0.5, [639.5, 479.5], (2, 1000, 2))
    assert localisation_error(xy0, xy1, IDENTITY, size, size) == pytest.approx(2.0, abs=0.2)


@pytest.mark.parametrize("noise", [0.5, 1.7, 2.99, 3.01, 6.0])
def test_noise_moves_the_error_and_ends_repeatability(noise: float, rng: np.random.Generator) -> None:
    xy0 = grid()
    xy1 = displaced(apply(TILTED, xy0), noise, rng)
    assert repeatability(xy0, xy1, TILTED, (320, 300), (320, 300)) == (1.0 if noise < 3 else 0.0)
    error = localisation_error(xy0, xy1, TILTED, (320, 300), (320, 300))
    assert error == (pytest.approx(noise, abs=1e-9) if noise < 3 else None)


def test_the_threshold_itself_is_repeated() -> None:
    xy0 = np.array([[10.0, 10.0]])
    assert repeatability(xy0, xy0 + np.array([3.0, 0.0]), IDENTITY, SIZE0, SIZE1) == 1.0
    assert repeatability(xy0, xy0 + np.array([3.0, 0.001]), IDENTITY, SIZE0, SIZE1) == 0.0


def test_several_may_share_one_partner() -> None:
    assert repeatability([[10, 10], [12, 10]], [[11, 10]], IDENTITY, SIZE0, SIZE1) == 1.0


def test_top_counts_in_the_shared_region() -> None:
    right = np.array([[1.0, 0, 250], [0, 1, 0], [0, 0, 1]])
    xy0 = [[200, 5], [220, 5], [10, 10], [20, 40]]  # the two strongest leave the photo
    xy1 = [[5, 5], [260, 10], [290, 90]]  # the strongest comes from beside photo 0
    assert repeatability(xy0, xy1, right, SIZE0, SIZE1, top=1) == 1.0
    assert repeatability(xy0, xy1, right, SIZE0, SIZE1, top=2) == 0.5
    assert repeatability(xy0, xy1, right, SIZE0, SIZE1, top=0) == 0.0


def test_the_photo_reaches_to_the_outer_edge_of_its_pixels() -> None:
    edge, beyond = [[-0.5, -0.5], [319.5, 239.5]], [[-0.51, 0.0], [319.51, 0.0]]
    assert repeatability(edge, edge, IDENTITY, SIZE0, SIZE0) == 1.0
    assert repeatability(beyond, beyond, IDENTITY, SIZE0, SIZE0) == 0.0


def test_a_homography_has_no_sign_and_no_scale(rng: np.random.Generator) -> None:
    xy0, xy1 = rng.uniform(0, 200, (2, 100, 2))
    expected = repeatability(xy0, xy1, HORIZON, SIZE0, SIZE1)
    assert 0 < expected < 1
    for factor in (-1.0, 1e-3, -5e4):
        assert repeatability(xy0, xy1, factor * HORIZON, SIZE0, SIZE1) == pytest.approx(expected, abs=1e-9)


def test_an_affine_map_may_mirror() -> None:
    mirror = np.array([[-1.0, 0, 319], [0, 1, 0], [0, 0, 1]])
    xy0 = grid()
    for factor in (1.0, -2.0):
        assert repeatability(xy0, apply(mirror, xy0), factor * mirror, SIZE0, SIZE0) == 1.0


@pytest.mark.parametrize(("n0", "n1"), [(0, 0), (0, 3), (3, 0)])
def test_nothing_is_repeated_of_nothing(n0: int, n1: int) -> None:
    xy0, xy1 = grid()[:n0], grid()[:n1]
    assert repeatability(xy0, xy1, IDENTITY, SIZE0, SIZE1) == 0.0
    assert localisation_error(xy0, xy1, IDENTITY, SIZE0, SIZE1) is None
    assert repeatability([], [], IDENTITY, SIZE0, SIZE1) == 0.0


@pytest.mark.parametrize("together", [1, 7, 1 << 18])
@pytest.mark.parametrize("radius", [0.5, 2.0, 100.0])
def test_nearest_as_defined(
    radius: float, together: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearest, "_TOGETHER", together)  # small blocks, so that their borders are met
    xy, others = rng.integers(0, 20, (40, 2)).astype(float), rng.integers(0, 20, (30, 2)).astype(float)
    xy[3] = np.inf
    index, distance = nearest_within(xy, others, radius)
    found = [
        (int(i), int(j), float(d))
        for block in pairs_within(xy, others, radius)
        for i, j, d in zip(*block, strict=True)
    ]
    expected = []
    for i, point in enumerate(xy):
        gaps = [math.dist(point, other) for other in others] if i != 3 else [math.inf] * 30
        best = min(range(30), key=gaps.__getitem__)
        assert index[i] == (best if gaps[best] <= radius else -1)
        assert distance[i] == (pytest.approx(gaps[best]) if gaps[best] <= radius else math.inf)
        expected += [(i, j) for j, gap in enumerate(gaps) if gap <= radius]
    assert sorted((i, j) for i, j, _ in found) == expected
    assert all(d == pytest.approx(math.dist(xy[i], others[j])) for i, j, d in found)


def test_memory_stays_bounded(rng: np.random.Generator) -> None:
    xy0, xy1 = rng.uniform(0, 240, (2, 10_000, 2))
    tracemalloc.start()
    repeatability(xy0, xy1, IDENTITY, SIZE0, SIZE1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6  # all distances would take 800 MB


GOOD: dict[str, Any] = {
    "xy0": [[1, 2]],
    "xy1": [[1, 2]],
    "H_1_from_0": IDENTITY,
    "image_size0": SIZE0,
    "image_size1": SIZE1,
}


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"xy0": [1, 2]}, DataError, "xy0 must be positions of shape (N, 2), not (2,)"),
        ({"xy1": [[1, 2, 3]]}, DataError, "xy1 must be positions of shape (N, 2), not (1, 3)"),
        ({"xy1": [[1, 2], [3]]}, DataError, "xy1 must hold numbers, not object"),
        ({"xy0": [["a", "b"]]}, DataError, "xy0 must hold numbers"),
        ({"xy0": [[1, np.nan]]}, DataError, "xy0 must be finite"),
        ({"xy1": [[1, np.inf]]}, DataError, "xy1 must be finite"),
        ({"H_1_from_0": np.eye(2)}, DataError, "H_1_from_0 must be of shape (3, 3), not (2, 2)"),
        ({"H_1_from_0": np.ones((3, 3))}, DataError, "H_1_from_0 must be invertible"),
        ({"H_1_from_0": np.full((3, 3), np.nan)}, DataError, "H_1_from_0 must be finite"),
        ({"image_size0": (0, 5)}, DataError, "image_size0 must be (width, height) in whole pixels"),
        ({"image_size1": 7}, DataError, "image_size1 must be (width, height) in whole pixels"),
        ({"max_error": 0}, OptionError, "max_error must be a number above 0 and finite, not 0"),
        ({"max_error": np.inf}, OptionError, "max_error must be a number above 0 and finite"),
        ({"max_error": "3"}, OptionError, "max_error must be a number above 0 and finite, not '3'"),
        ({"top": -1}, OptionError, "top must be a whole number from 0 up, not -1"),
        ({"top": 2.5}, OptionError, "top must be a whole number"),
    ],
)
def test_wrong_input_is_refused_in_words(wrong: dict[str, Any], error: type[Exception], words: str) -> None:
    for metric in (repeatability, localisation_error):
        with pytest.raises(error) as refused:
            metric(**(GOOD | wrong))
        assert words in str(refused.value)
