"""Errors, accuracy, score, precision, recall and distinctiveness, against loops and by hand."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tiepoint.errors import DataError, OptionError
from tiepoint.evaluation.metrics import (
    distinctiveness,
    matching_errors,
    matching_score,
    mean_matching_accuracy,
    possible_matches,
    precision,
    recall,
)

Float = NDArray[np.floating[Any]]

SIZE0, SIZE1 = (320, 240), (300, 260)
IDENTITY = np.eye(3)
TILTED = np.array([[0.9, 0.12, 8.0], [-0.1, 0.95, 30.0], [2e-4, -1e-4, 1.0]])


def sent(matrix: Float, point: list[float]) -> tuple[float, float]:
    u, v, w = (float(row[0] * point[0] + row[1] * point[1] + row[2]) for row in matrix)
    return (u / w, v / w) if w > 0 else (math.inf, math.inf)


def inside(point: tuple[float, float] | list[float], size: tuple[int, int]) -> bool:
    return all(-0.5 <= c <= n - 0.5 for c, n in zip(point, size, strict=True))


def apply(matrix: Float, xy: Float) -> Float:
    q = np.column_stack([xy, np.ones(len(xy))]) @ matrix.T
    return np.asarray(q[:, :2] / q[:, 2:], np.float64)


class Scene:
    """Keypoints of two photos, of which the first 80 belong together, and matches of all kinds."""

    def __init__(self, rng: np.random.Generator, noise: float = 1.5) -> None:
        self.xy0 = rng.uniform([0, 0], SIZE0, (120, 2))
        found = apply(TILTED, self.xy0[:80]) + rng.normal(0, noise, (80, 2))
        self.xy1 = np.vstack([found, rng.uniform([0, 0], SIZE1, (30, 2))])
        right = np.column_stack([np.arange(0, 80, 2), np.arange(0, 80, 2)])
        wrong = np.column_stack([rng.permutation(120)[:50], rng.integers(0, 110, 50)])
        self.pairs = rng.permutation(np.vstack([right, wrong]))

    @property
    def errors(self) -> Float:
        return matching_errors(self.xy0[self.pairs[:, 0]], self.xy1[self.pairs[:, 1]], TILTED)


@pytest.fixture
def made(rng: np.random.Generator) -> Scene:
    return Scene(rng)


def test_errors_as_defined(made: Scene) -> None:
    expected = [math.dist(sent(TILTED, made.xy0[i].tolist()), made.xy1[j]) for i, j in made.pairs]
    np.testing.assert_allclose(made.errors, expected, rtol=0, atol=1e-9)


def test_errors_by_hand() -> None:
    matrix = np.array([[1, 0, 2], [0, 1, 0], [0.01, 0, 1]])  # (100, 0) goes to (102, 0) / 2
    assert matching_errors([[100, 0], [0, 0]], [[51, 3], [2, 0]], matrix).tolist() == [3.0, 0.0]


def test_behind_the_camera_is_infinitely_wrong() -> None:
    matrix = np.array([[1.0, 0, 0], [0, 1, 0], [-0.01, 0, 1]])
    xy0 = [[99, 5], [100, 5], [101, 5]]  # in front, on the horizon, behind
    for signed in (matrix, -matrix):
        errors = matching_errors(xy0, [[9900, 500], [0, 0], [-10100, -500]], signed)
        assert errors[0] == pytest.approx(0, abs=1e-9)
        assert errors[1:].tolist() == [math.inf, math.inf]


def test_the_corner_beyond_the_horizon_does_not_turn_the_photo_inside_out() -> None:
    # Camera 0 stands 2 m above the ground and looks ahead, with the sky in its upper half; camera 1 looks
    # down from 10 m. The columns: the ground's axes (right, ahead) and its origin, as each camera sees them.
    camera = np.array([[300.0, 0, 160], [0, 300, 120], [0, 0, 1]])
    view0 = camera @ np.array([[1.0, 0, 0], [0, 0, 2], [0, 1, 0]])
    view1 = camera @ np.array([[1.0, 0, 0], [0, -1, 6], [0, 0, 10]])
    matrix = view1 @ np.linalg.inv(view0)
    matrix /= matrix[2, 2]  # as OpenCV scales it, though the top-left pixel shows the sky
    ground = np.array([[0.0, 6.0], [1.5, 9.0], [-2.0, 5.0]])
    xy0, xy1 = apply(view0, ground), apply(view1, ground)
    np.testing.assert_allclose(matching_errors(xy0, xy1, matrix), 0, atol=1e-9)
    sky = [[0, 0], [160, 119]]
    assert matching_errors(sky, apply(matrix, np.array(sky)), matrix).tolist() == [math.inf, math.inf]


@pytest.mark.parametrize("factor", [1.0, -3.0, 1e-6, 1e6])
def test_a_homography_has_no_sign_and_no_scale(made: Scene, factor: float) -> None:
    xy0, xy1 = made.xy0[made.pairs[:, 0]], made.xy1[made.pairs[:, 1]]
    np.testing.assert_allclose(matching_errors(xy0, xy1, factor * TILTED), made.errors, rtol=1e-12)


def test_accuracy_as_defined(made: Scene) -> None:
    expected = []
    for threshold in range(1, 11):
        right = 0
        for error in made.errors.tolist():
            right += error <= threshold
        expected.append(right / len(made.errors))
    np.testing.assert_allclose(mean_matching_accuracy(made.errors), expected, rtol=0, atol=1e-9)
    assert precision(made.errors) == pytest.approx(expected[2], abs=1e-9)
    assert precision(made.errors, max_error=7) == pytest.approx(expected[6], abs=1e-9)


def test_accuracy_by_hand() -> None:
    errors = [0.2, 1.0, 1.001, 9.0, np.inf]
    assert mean_matching_accuracy(errors, [1, 2, 10]).tolist() == [0.4, 0.6, 0.8]
    assert mean_matching_accuracy(errors, 1).tolist() == [0.4]
    assert precision(errors) == 0.6


@pytest.mark.parametrize("noise", [0.0, 0.4, 2.5, 7.5])
def test_noise_moves_the_step(noise: float, rng: np.random.Generator) -> None:
    xy0, angle = rng.uniform([0, 0], SIZE0, (50, 2)), rng.uniform(0, 7, 50)
    xy1 = apply(TILTED, xy0) + noise * np.column_stack([np.cos(angle), np.sin(angle)])
    errors = matching_errors(xy0, xy1, TILTED)
    np.testing.assert_allclose(errors, noise, rtol=0, atol=1e-9)
    assert mean_matching_accuracy(errors).tolist() == [float(noise < t) for t in range(1, 11)]


def test_no_match_is_no_accuracy() -> None:
    assert mean_matching_accuracy([]).tolist() == [0.0] * 10
    assert matching_errors([], [], IDENTITY).shape == (0,)
    assert precision([]) == 0.0
    assert recall([], [], [[0, 0]]) == 0.0
    assert recall([[0, 0]], [0.1], []) == 0.0
    assert recall([], [], []) == 0.0
    assert possible_matches([], [], IDENTITY).shape == (0, 2)
    assert matching_score([], [], [], IDENTITY, SIZE0, SIZE1) == 0.0
    assert matching_score([[5, 5]], [], [], IDENTITY, SIZE0, SIZE1) == 0.0
    assert matching_score([[5, 5]], [[5, 5]], [], IDENTITY, SIZE0, SIZE1) == 0.0


@pytest.mark.parametrize("limit", [1.0, 3.0])
def test_score_as_defined(made: Scene, limit: float) -> None:
    back = np.linalg.inv(TILTED)
    shares = []
    for own, other, way, sizes, columns in (
        (made.xy0, made.xy1, TILTED, (SIZE0, SIZE1), (0, 1)),
        (made.xy1, made.xy0, np.asarray(back, np.float64), (SIZE1, SIZE0), (1, 0)),
    ):
        shared = right = 0
        for index, point in enumerate(own.tolist()):
            there = sent(way, point)
            if inside(point, sizes[0]) and inside(there, sizes[1]):
                shared += 1
                mates = [pair[columns[1]] for pair in made.pairs.tolist() if pair[columns[0]] == index]
                right += any(math.dist(there, other[mate]) <= limit for mate in mates)
        shares.append(right / shared)
    expected = sum(shares) / 2
    given = matching_score(made.xy0, made.xy1, made.pairs, TILTED, SIZE0, SIZE1, max_error=limit)
    assert 0 < given < 1
    assert given == pytest.approx(expected, abs=1e-9)


def test_score_by_hand() -> None:
    right = np.array([[1.0, 0, 100], [0, 1, 0], [0, 0, 1]])
    xy0 = [[50, 50], [60, 50], [70, 90], [250, 50], [199, 10]]  # the fourth leaves the photo
    xy1 = [[150, 51], [160, 50], [20, 20]]  # the third comes from beside photo 0
    pairs = [[0, 0], [1, 1], [2, 1], [3, 2]]
    # Photo 0: 2 of 4; photo 1: 2 of 2.
    assert matching_score(xy0, xy1, pairs, right, SIZE0, SIZE1) == 0.75
    assert matching_score(xy1, xy0, np.array(pairs)[:, ::-1], np.linalg.inv(right), SIZE1, SIZE0) == 0.75
    # A keypoint counts once.
    assert matching_score(xy0, xy1, [[0, 0], [0, 0]], right, SIZE0, SIZE1) == (1 / 4 + 1 / 2) / 2


def test_score_measures_each_direction_in_its_own_photo() -> None:
    half = np.diag([0.5, 0.5, 1.0])
    # 2 px off in photo 1 are 4 px in photo 0.
    assert matching_score([[100, 100]], [[52, 50]], [[0, 0]], half, SIZE0, SIZE1) == 0.5


def test_possible_as_defined(made: Scene) -> None:
    for limit in (1.0, 3.0, 30.0):
        warped = [sent(TILTED, point) for point in made.xy0.tolist()]
        ends = made.xy1.tolist()
        expected = []
        for i, here in enumerate(warped):
            j = min(range(len(ends)), key=lambda k, here=here: math.dist(here, ends[k]))  # type: ignore[misc]
            i_back = min(range(len(warped)), key=lambda k, j=j: math.dist(warped[k], ends[j]))  # type: ignore[misc]
            if i_back == i and math.dist(here, ends[j]) <= limit:
                expected.append([i, j])
        assert possible_matches(made.xy0, made.xy1, TILTED, max_error=limit).tolist() == expected
        assert 0 < len(expected) <= 110


def test_possible_is_one_to_one_where_points_coincide() -> None:
    assert possible_matches([[5, 5], [5, 5]], [[5, 5], [5, 5]], IDENTITY).tolist() == [[0, 0]]


@pytest.mark.parametrize("limit", [1.0, 3.0])
def test_recall_as_defined(made: Scene, limit: float) -> None:
    possible = possible_matches(made.xy0, made.xy1, TILTED, max_error=limit)
    errors = made.errors.tolist()
    found = 0
    for i, _ in possible.tolist():
        found += any(
            pair[0] == i and error <= limit for pair, error in zip(made.pairs.tolist(), errors, strict=True)
        )
    given = recall(made.pairs, errors, possible, max_error=limit)
    assert 0 < given < 1
    assert given == pytest.approx(found / len(possible), abs=1e-9)


def test_recall_by_hand() -> None:
    possible = [[0, 0], [1, 1], [2, 2], [3, 3]]
    assert recall([[0, 0], [1, 1], [2, 9]], [0.1, 2.9, 50.0], possible) == 0.5
    # Another keypoint on the same place is as right; one more match to the same keypoint is no more.
    assert recall([[0, 7], [0, 0]], [0.1, 0.1], possible) == 0.25
    # Right by distance, but not one that had a partner of its own.
    assert recall([[8, 0]], [1.0], possible) == 0.0


def test_perfect_matches_score_one(rng: np.random.Generator) -> None:
    xy0 = rng.uniform([20, 20], [250, 180], (200, 2))
    xy1 = apply(TILTED, xy0)
    pairs = np.column_stack([np.arange(200), np.arange(200)])
    possible = possible_matches(xy0, xy1, TILTED)
    errors = matching_errors(xy0, xy1, TILTED)
    assert possible.tolist() == pairs.tolist()
    assert mean_matching_accuracy(errors, 0.001).tolist() == [1.0]
    assert precision(errors) == recall(pairs, errors, possible) == 1.0
    assert matching_score(xy0, xy1, pairs, TILTED, SIZE0, SIZE1) == 1.0


def test_random_matches_score_about_zero(rng: np.random.Generator) -> None:
    xy0, xy1 = rng.uniform([0, 0], [640, 480], (2, 500, 2))
    pairs = np.column_stack([np.arange(500), rng.permutation(500)])
    errors = matching_errors(xy0, xy1[pairs[:, 1]], IDENTITY)
    assert mean_matching_accuracy(errors).max() < 0.01
    assert precision(errors) < 0.01
    assert recall(pairs, errors, possible_matches(xy0, xy1, IDENTITY)) < 0.1
    assert matching_score(xy0, xy1, pairs, IDENTITY, (640, 480), (640, 480)) < 0.01


def test_distinctiveness_as_defined(rng: np.random.Generator) -> None:
    ratio, correct = rng.beta(4, 2, 300), rng.random(300) < 0.6
    ratio[correct] *= rng.uniform(0.3, 1, correct.sum())
    curves = distinctiveness(ratio, correct)
    right = [r for r, c in zip(ratio.tolist(), correct, strict=True) if c]
    wrong = [r for r, c in zip(ratio.tolist(), correct, strict=True) if not c]
    # Between two steps both curves are level.
    steps = sorted({0.0, 1.0, *right, *wrong})
    area = 0.0
    for low, high in pairwise(steps):
        share_right = sum(r <= low for r in right) / len(right)
        share_wrong = sum(r <= low for r in wrong) / len(wrong)
        area += (share_right - share_wrong) * (high - low)
    assert curves.area == pytest.approx(area, abs=1e-9)
    assert curves.right is not None
    assert curves.wrong is not None
    for curve, values in ((curves.right, right), (curves.wrong, wrong)):
        expected = [sum(v <= x for v in values) / len(values) for x in curves.ratio.tolist()]
        np.testing.assert_allclose(curve, expected, rtol=0, atol=1e-9)
    assert curves.area == pytest.approx(np.trapezoid(curves.right - curves.wrong, curves.ratio), abs=0.01)


def test_distinctiveness_by_hand() -> None:
    assert distinctiveness([0.0, 1.0], [True, False]).area == 1.0
    assert distinctiveness([1.0, 0.0], [True, False]).area == -1.0
    assert distinctiveness([0.3, 0.7, 0.3, 0.7], [True, True, False, False]).area == 0.0
    assert distinctiveness([0.25, 0.75, 1.0], [True, True, False]).area == 0.5


def test_distinctiveness_of_noise_is_about_zero(rng: np.random.Generator) -> None:
    area = distinctiveness(rng.random(20_000), rng.random(20_000) < 0.5).area
    assert area == pytest.approx(0, abs=0.015)


@pytest.mark.parametrize(("correct", "curve"), [([True, True], "right"), ([False, False], "wrong")])
def test_distinctiveness_needs_both_kinds(correct: list[bool], curve: str) -> None:
    curves = distinctiveness([0.5, 0.6], correct)
    assert curves.area is None
    assert [name for name in ("right", "wrong") if getattr(curves, name) is not None] == [curve]
    assert distinctiveness([], []).area is None


A, B = [[1.0, 2.0]], [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda: matching_errors(A, B, IDENTITY),
            DataError,
            "xy0 and xy1 must be of one length, not 1 and 2",
        ),
        (lambda: matching_errors(A, [[np.nan, 0]], IDENTITY), DataError, "xy1 must be finite"),
        (lambda: matching_errors(A, A, [[1, 2], [3, 4]]), DataError, "H_1_from_0 must be of shape (3, 3)"),
        (lambda: mean_matching_accuracy([-1.0]), DataError, "errors must be from 0 up or infinite"),
        (lambda: mean_matching_accuracy([np.nan]), DataError, "holds NaN or a negative number"),
        (lambda: mean_matching_accuracy(B), DataError, "errors must be of shape (N,), not (2, 2)"),
        (
            lambda: mean_matching_accuracy([1.0], [0]),
            OptionError,
            "thresholds must be finite numbers above 0",
        ),
        (lambda: mean_matching_accuracy([1.0], [np.inf]), OptionError, "thresholds must be finite"),
        (lambda: precision([1.0], max_error=-1), OptionError, "max_error must be a number above 0"),
        (lambda: recall([[0, 0]], [], []), DataError, "1 pairs need as many errors, not 0"),
        (lambda: recall([[0.5, 0]], [1.0], []), DataError, "pairs must be pairs of indices of shape (M, 2)"),
        (lambda: recall([[-1, 0]], [1.0], []), DataError, "pairs must hold indices from 0"),
        (lambda: recall([[0, 0]], [1.0], [0]), DataError, "possible must be pairs of indices"),
        (lambda: recall([[0, 0], [1]], [1.0], []), DataError, "pairs must be pairs of indices"),
        (
            lambda: matching_score(A, B, [[0, 2]], IDENTITY, SIZE0, SIZE1),
            DataError,
            "pairs must hold indices from 0 to 1 of the keypoints of photo 1, but holds 2 to 2",
        ),
        (lambda: possible_matches(A, B, np.zeros((3, 3))), DataError, "H_1_from_0 must be invertible"),
        (lambda: distinctiveness([1.5], [True]), DataError, "ratio must be from 0 to 1"),
        (lambda: distinctiveness([np.nan], [True]), DataError, "ratio must be from 0 to 1"),
        (
            lambda: distinctiveness([0.5], [1]),
            DataError,
            "ratio and correct must be numbers and truth values",
        ),
        (lambda: distinctiveness([0.5], [True, False]), DataError, "of one length, not shapes (1,) and (2,)"),
    ],
)
def test_wrong_input_is_refused_in_words(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error) as refused:
        call()
    assert words in str(refused.value)
