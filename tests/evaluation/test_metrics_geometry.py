"""Homographies, poses, lines, curves and intervals, against loops, closed forms and a rendered pair."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tiepoint.errors import DataError, OptionError
from tiepoint.evaluation import RenderedPair
from tiepoint.evaluation.metrics import (
    auc,
    bootstrap_interval,
    corner_error,
    correctness,
    epipolar_errors,
    fundamental_from_pose,
    pose_auc,
    relative_pose_error,
)

Float = NDArray[np.floating[Any]]

IDENTITY = np.eye(3)
SIZE = (640, 480)


def turn(axis: Float, degrees: float) -> Float:
    """Rotation about an axis, by Rodrigues' formula."""
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = math.radians(degrees)
    return np.asarray(IDENTITY + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross, np.float64)


def dot(matrix: Float, vector: list[float]) -> list[float]:
    return [sum(float(m) * v for m, v in zip(row, vector, strict=True)) for row in matrix]


def test_corner_error_as_defined(rng: np.random.Generator) -> None:
    for _ in range(50):
        true = IDENTITY + rng.normal(0, [[0.1, 0.1, 30], [0.1, 0.1, 30], [1e-4, 1e-4, 0]])
        estimate = true * rng.uniform(-2, 2) + rng.normal(
            0, [[0.01, 0.01, 3], [0.01, 0.01, 3], [1e-6, 1e-6, 0]]
        )
        expected = 0.0
        for x, y in ((0, 0), (640, 0), (640, 480), (0, 480)):
            u, v, w = dot(estimate, [x, y, 1])
            a, b, c = dot(true, [x, y, 1])
            expected += math.hypot(u / w - a / c, v / w - b / c) / 4
        assert corner_error(estimate, true, SIZE) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_corner_error_by_hand() -> None:
    assert corner_error(np.diag([1.01, 1, 1]), IDENTITY, (100, 80)) == pytest.approx(0.5)  # 0, 1, 1, 0 px
    assert corner_error(IDENTITY, 5 * IDENTITY, SIZE) == 0.0
    for noise in (0.7, 4.0):
        shifted = np.array([[1.0, 0, 0.6 * noise], [0, 1, -0.8 * noise], [0, 0, 1]])
        assert corner_error(shifted, IDENTITY, SIZE) == pytest.approx(noise)


@pytest.mark.parametrize(
    "failed",
    [
        None,
        np.full((3, 3), np.nan),
        np.full((3, 3), np.inf),
        np.zeros((3, 3)),
        np.array([[1, 0, 0], [0, 1, 0], [-1 / 640, 0, 1]]),
    ],
    ids=["none", "nan", "inf", "zero", "corner at infinity"],
)
def test_a_failure_is_infinitely_wrong(failed: Float | None) -> None:
    assert corner_error(failed, IDENTITY, SIZE) == math.inf


def area_by_definition(errors: list[float], threshold: float) -> float:
    points = [(0.0, 0.0)]
    for found, error in enumerate(sorted(errors), start=1):
        if error < threshold:
            points.append((error, found / len(errors)))
    points.append((threshold, points[-1][1]))
    area = 0.0
    for (x0, y0), (x1, y1) in pairwise(points):
        area += (x1 - x0) * (y0 + y1) / 2
    return area / threshold


def test_auc_and_correctness_as_defined(rng: np.random.Generator) -> None:
    for count in (1, 2, 17, 200):
        errors = [float(e) for e in rng.exponential(4, count)] + [math.inf] * (count // 4)
        thresholds = [0.5, 1.0, 3.0, 5.0, 20.0]
        expected = [area_by_definition(errors, t) for t in thresholds]
        np.testing.assert_allclose(auc(errors, thresholds), expected, rtol=0, atol=1e-9)
        shares = [sum(e <= t for e in errors) / len(errors) for t in thresholds]
        np.testing.assert_allclose(correctness(errors, thresholds), shares, rtol=0, atol=1e-9)


def test_auc_by_hand() -> None:
    assert auc([0.0, 0.0]).tolist() == [1.0, 1.0, 1.0]
    assert auc([math.inf, 9.0]).tolist() == [0.0, 0.0, 0.0]
    assert auc([1.0], [2]).tolist() == [0.75]  # a triangle of 1 x 1 and a square
    assert auc([5.0], [5]).tolist() == [0.0]  # an error of the threshold itself is not below it
    assert auc([1.0, 2.0], [4]) == pytest.approx((0.25 + 0.75 + 2 * 1) / 4)
    assert correctness([1.0, 3.0, 3.1, math.inf]).tolist() == [0.25, 0.5, 0.75]
    # Errors spread evenly up to the threshold: the diagonal.
    assert auc(np.linspace(0, 10, 1001)[1:], 10) == pytest.approx(0.5, abs=2e-3)


def test_nothing_is_rounded() -> None:
    assert auc([1 / 3, 1 / 7, math.inf])[0] == pytest.approx(
        area_by_definition([1 / 3, 1 / 7, math.inf], 1), abs=1e-15
    )


def pose_error_by_definition(r: Float, t: Float, r_true: Float, t_true: Float) -> tuple[float, float]:
    trace = sum(float(r[k, i]) * float(r_true[k, i]) for k in range(3) for i in range(3))
    rotation = math.degrees(math.acos(max(-1.0, min(1.0, (trace - 1) / 2))))
    along = sum(float(a) * float(b) for a, b in zip(t, t_true, strict=True))
    lengths = math.hypot(*map(float, t)) * math.hypot(*map(float, t_true))
    translation = math.degrees(math.acos(max(-1.0, min(1.0, along / lengths))))
    return rotation, min(translation, 180 - translation)


def test_pose_error_as_defined(rng: np.random.Generator) -> None:
    for _ in range(100):
        r_true = turn(rng.normal(size=3), rng.uniform(0, 180))
        r = r_true @ turn(rng.normal(size=3), rng.uniform(1, 179))
        t, t_true = rng.normal(size=(2, 3)) * rng.uniform(0.1, 10, (2, 1))
        expected = pose_error_by_definition(r, t, r_true, t_true)
        assert relative_pose_error(r, t, r_true, t_true) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("noise", [0.0, 1e-7, 0.3, 5.0, 80.0, 180.0])
def test_turning_by_an_angle_gives_the_angle(noise: float, rng: np.random.Generator) -> None:
    r_true, t_true = turn(rng.normal(size=3), 40), rng.normal(size=3)
    across = np.cross(t_true, rng.normal(size=3))
    rotation, translation = relative_pose_error(
        turn(rng.normal(size=3), noise) @ r_true, turn(across, noise) @ t_true, r_true, t_true
    )
    assert rotation == pytest.approx(noise, abs=1e-9)
    assert translation == pytest.approx(min(noise, 180 - noise), abs=1e-9)


def test_pose_error_by_hand() -> None:
    r, t = turn(np.array([0.0, 0, 1]), 90), np.array([1.0, 0, 0])
    assert relative_pose_error(r, t, r, t) == (0.0, 0.0)
    assert relative_pose_error(r, -3 * t, r, t) == (0.0, 0.0)  # t and -t are one
    assert relative_pose_error(r, [[1], [1], [0]], IDENTITY, t) == pytest.approx((90, 45))
    assert relative_pose_error(None, t, r, t) == relative_pose_error(r, None, r, t) == (math.inf, math.inf)
    assert relative_pose_error(r, [0, 0, 0], r, t) == (0.0, math.inf)


def test_pose_auc_takes_the_larger_angle(rng: np.random.Generator) -> None:
    rotation, translation = rng.exponential(6, (2, 60))
    rotation[3] = math.inf
    larger = [max(pair) for pair in zip(rotation.tolist(), translation.tolist(), strict=True)]
    expected = [area_by_definition(larger, t) for t in (5, 10, 20)]
    np.testing.assert_allclose(pose_auc(rotation, translation), expected, rtol=0, atol=1e-9)


def test_the_rendered_pair_lies_on_its_epipolar_lines(scene: RenderedPair, rng: np.random.Generator) -> None:
    (r0, t0), (r1, t1) = scene.cam0_from_world, scene.cam1_from_world
    r = r1 @ r0.T
    f = fundamental_from_pose(r, t1 - r @ t0, scene.K0, scene.K1)
    xy0 = rng.uniform([0, 0], [399, 299], (200, 2))
    xy1, visible = scene.transfer(xy0)
    assert visible.sum() > 50
    assert epipolar_errors(xy0[visible], xy1[visible], f).max() < 1e-6
    assert np.median(epipolar_errors(xy0[visible], rng.permutation(xy1[visible]), f)) > 20


def test_epipolar_errors_as_defined(rng: np.random.Generator) -> None:
    f = rng.normal(size=(3, 3)) * [[1e-6, 1e-6, 1e-3], [1e-6, 1e-6, 1e-3], [1e-3, 1e-3, 1]]
    xy0, xy1 = rng.uniform(0, 640, (2, 50, 2))
    for given, p, q in zip(epipolar_errors(xy0, xy1, f), xy0.tolist(), xy1.tolist(), strict=True):
        a, b, c = dot(f, [*p, 1.0])
        d, e, g = dot(f.T, [*q, 1.0])
        in1 = abs(a * q[0] + b * q[1] + c) / math.hypot(a, b)
        in0 = abs(d * p[0] + e * p[1] + g) / math.hypot(d, e)
        assert given == pytest.approx((in0 + in1) / 2, rel=1e-9, abs=1e-9)


def test_epipolar_errors_by_hand() -> None:
    # Two equal cameras side by side: a point keeps its row.
    camera = np.array([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]])
    f = fundamental_from_pose(IDENTITY, [1, 0, 0], camera, camera)
    errors = epipolar_errors([[100, 50]] * 3, [[30, 50], [30, 57], [999, 43]], f)
    np.testing.assert_allclose(errors, [0, 7, 7], atol=1e-9)
    # One camera in front of the other: lines through the middle, where the epipole lies on each of them.
    ahead = fundamental_from_pose(IDENTITY, [0, 0, 1], IDENTITY, IDENTITY)
    assert epipolar_errors([[0, 0], [0, 0], [1, 0]], [[0, 0], [5, 5], [0, 0]], ahead).tolist() == [
        0.0,
        0.0,
        0.0,
    ]
    assert epipolar_errors([[1, 0]], [[0, 3]], ahead) == pytest.approx(
        2.0
    )  # 3 from one line, 1 from the other
    assert epipolar_errors([], [], ahead).shape == (0,)
    nowhere = [[0, 0, 0], [0, 0, 0], [0, 0, 1]]
    assert epipolar_errors([[1, 1]], [[1, 1]], nowhere).tolist() == [math.inf]


def test_bootstrap_as_defined(rng: np.random.Generator) -> None:
    values = rng.random(40)
    draws = np.random.default_rng(7)
    means = []
    for _ in range(200):
        drawn = [float(values[k]) for k in draws.integers(0, 40, 40)]
        means.append(sum(drawn) / 40)
    means.sort()
    given = bootstrap_interval(values, level=0.9, rounds=200, seed=7)
    assert given == pytest.approx((means[10], means[-11]), abs=1e-9)


def test_bootstrap_of_a_mean_in_closed_form(rng: np.random.Generator) -> None:
    values = rng.normal(3, 2, 400)
    low, high = bootstrap_interval(values, rounds=4000)
    half = 1.96 * values.std() / 20
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.03)
    narrow = bootstrap_interval(values, level=0.5, rounds=4000)
    assert low < narrow[0] < narrow[1] < high
    assert bootstrap_interval(values) == bootstrap_interval(values) != bootstrap_interval(values, seed=1)


def test_bootstrap_of_an_area_with_failures() -> None:
    errors = [0.3, 0.8, 1.2, 2.0, 2.9, 4.5, 30.0, math.inf, math.inf]

    def area(e: Float) -> float:
        return float(auc(e, 5)[0])

    low, high = bootstrap_interval(errors, area)
    assert 0 < low < area(np.array(errors)) < high < 1


def test_bootstrap_over_rows_of_pairs(rng: np.random.Generator) -> None:
    right, total = rng.integers(0, 50, 30), np.full(30, 50)
    low, high = bootstrap_interval(
        np.column_stack([right, total]), lambda v: float(v[:, 0].sum() / v[:, 1].sum())
    )
    assert (low, high) == pytest.approx(bootstrap_interval(right / 50), abs=1e-9)
    assert bootstrap_interval([0.25]) == (0.25, 0.25)
    assert bootstrap_interval([math.inf, math.inf]) == (math.inf, math.inf)


FLAT = np.diag([1.0, 1.0, 0.0])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: corner_error(np.eye(2), IDENTITY, SIZE), DataError, "H_estimated must be of shape (3, 3)"),
        (lambda: corner_error(IDENTITY, np.eye(4), SIZE), DataError, "H_true must be of shape (3, 3)"),
        (lambda: corner_error(IDENTITY, IDENTITY * np.nan, SIZE), DataError, "H_true must be finite"),
        (lambda: corner_error(IDENTITY, FLAT, SIZE), DataError, "H_true must map the corners"),
        (
            lambda: corner_error(IDENTITY, IDENTITY, (0, 2)),
            DataError,
            "image_size0 must be (width, height)",
        ),
        (lambda: auc([]), DataError, "there is no pair"),
        (lambda: correctness([]), DataError, "there is no pair"),
        (lambda: auc([np.nan]), DataError, "holds NaN or a negative number"),
        (lambda: auc([1.0], -5), OptionError, "thresholds must be finite numbers above 0, not -5"),
        (lambda: auc(["1"]), DataError, "errors must hold numbers, not str"),
        (lambda: pose_auc([1.0], [1.0, 2.0]), DataError, "must be of one length, not 1 and 2"),
        (lambda: relative_pose_error(np.eye(2), [1, 0, 0], IDENTITY, [1, 0, 0]), DataError, "R must be of"),
        (
            lambda: relative_pose_error(IDENTITY, [1, 0], IDENTITY, [1, 0, 0]),
            DataError,
            "t must be of shape (3,)",
        ),
        (lambda: relative_pose_error(None, None, IDENTITY, [0, 0, 0]), DataError, "t_true is zero"),
        (lambda: fundamental_from_pose(IDENTITY, [0, 0, 0], IDENTITY, IDENTITY), DataError, "t is zero"),
        (
            lambda: fundamental_from_pose(IDENTITY, [1, 0, 0], IDENTITY, FLAT),
            DataError,
            "K1 must be invertible",
        ),
        (
            lambda: epipolar_errors([[1, 2]], [[1, 2]], [1, 2, 3]),
            DataError,
            "F_1_from_0 must be of shape (3, 3)",
        ),
        (lambda: epipolar_errors([[1, 2]], [], IDENTITY), DataError, "must be of one length, not 1 and 0"),
        (lambda: bootstrap_interval([]), DataError, "a value for each of at least one pair"),
        (lambda: bootstrap_interval([np.nan]), DataError, "and no NaN"),
        (
            lambda: bootstrap_interval([1.0], lambda v: float(v[0]) * np.nan),
            DataError,
            "the statistic is NaN",
        ),
        (
            lambda: bootstrap_interval([1.0], level=1),
            OptionError,
            "level must be a number above 0 and below 1",
        ),
        (lambda: bootstrap_interval([1.0], rounds=0), OptionError, "rounds must be a whole number from 1 up"),
        (lambda: bootstrap_interval([1.0], seed=-1), OptionError, "seed must be a whole number from 0 up"),
    ],
)
def test_wrong_input_is_refused_in_words(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error) as refused:
        call()
    assert words in str(refused.value)
