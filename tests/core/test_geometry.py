"""The kernels of geometry against NumPy's, at sizes around every piece that they work in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import tiepoint as tp
from tiepoint import core
from tiepoint.geometry.consistency import _counts_alike, _gathered, agreement
from tiepoint.geometry.refine import _homography, _Lines, refined
from tiepoint.geometry.residuals import sampson
from tiepoint.geometry.spread import coverage

pytestmark = pytest.mark.skipif(
    core.kernel("refined_homography") is None, reason="installed without the compiled core"
)

Array = NDArray[Any]
SIZES = (0, 1, 2, 3, 4, 5, 7, 8, 9, 127, 128, 129, 131, 300)
H = np.array([[0.9, 0.1, 20], [-0.05, 0.95, 30], [1e-4, 5e-5, 1]])
F = np.array([[1e-7, 2e-6, -1e-3], [-3e-6, 1e-7, 2e-3], [1e-3, -2e-3, 0.05]])


@pytest.fixture
def numpy_alone(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], Any]:
    """Return what calls a function as if there were no compiled core."""

    def call(function: Callable[[], Any]) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(core, "_missing", "left out by a test")
            return function()

    return call


def near(rng: np.random.Generator, m: int) -> tuple[Array, Array]:
    """Matches near H, every third of them wrong."""
    xy0 = rng.uniform(0, 600, (m, 2))
    mapped = np.column_stack([xy0, np.ones(m)]) @ H.T
    xy1 = mapped[:, :2] / mapped[:, 2:] + rng.normal(0, 0.5, (m, 2))
    xy1[::3] = rng.uniform(0, 600, (len(xy1[::3]), 2))
    return xy0, xy1


@pytest.mark.parametrize("m", SIZES)
@pytest.mark.parametrize(("model", "matrix"), [("homography", H), ("fundamental", F)])
def test_residuals(model: str, matrix: Array, m: int, numpy_alone: Any, rng: np.random.Generator) -> None:
    xy0, xy1 = near(rng, m)
    horizon = matrix.copy()
    horizon[2] = [-1 / 300, 0, 1]  # crosses photo 0
    for one in (matrix, -matrix, horizon, -horizon, np.zeros((3, 3))):
        expected = numpy_alone(lambda one=one: sampson(model, one, xy0, xy1))
        np.testing.assert_allclose(sampson(model, one, xy0, xy1), expected, rtol=1e-9, atol=1e-9)


def test_a_point_on_the_horizon_is_infinitely_far(numpy_alone: Any) -> None:
    horizon = np.array([[1.0, 0, 0], [0, 0, 0], [0, 0, 0]])
    here = np.array([[0.0, 3], [2, 5]])
    assert np.isinf(sampson("homography", horizon, here, 0 * here)[0])
    assert np.isinf(numpy_alone(lambda: sampson("homography", horizon, here, 0 * here))[0])


@pytest.mark.parametrize("m", [*SIZES, 5000])
@pytest.mark.parametrize("weighed", [False, True])
def test_a_refined_homography(m: int, weighed: bool, numpy_alone: Any, rng: np.random.Generator) -> None:
    xy0, xy1 = near(rng, m)
    factors = rng.uniform(0.1, 1, m) if weighed else None
    first = H * (1 + rng.normal(0, 1e-4, (3, 3)))
    found = refined("homography", first, xy0, xy1, 2.0, factors)
    expected = numpy_alone(lambda: refined("homography", first, xy0, xy1, 2.0, factors))
    if m >= 30:  # of few matches it is open
        assert np.abs(found / found[2, 2] - first / first[2, 2]).max() > 1e-7
        np.testing.assert_allclose(found / found[2, 2], expected / expected[2, 2], rtol=1e-7, atol=1e-9)
    if m < 4:
        assert (found == first).all()


def test_exact_matches_and_matches_at_one_place(numpy_alone: Any, rng: np.random.Generator) -> None:
    xy0 = rng.uniform(0, 600, (40, 2))
    first = np.array([[1.0, 0, 1], [0, 1, 0], [0, 0, 1]])
    found = refined("homography", first, xy0, xy0, 2.0)
    assert np.abs(found / found[2, 2] - np.eye(3)).max() < 1e-9
    here = np.full((9, 2), 5.0)
    assert (refined("homography", np.eye(3), here, here, 2.0) == np.eye(3)).all()
    assert (numpy_alone(lambda: refined("homography", np.eye(3), here, here, 2.0)) == np.eye(3)).all()


def test_the_last_step_is_where_the_gradient_ends(rng: np.random.Generator) -> None:
    """One more step of NumPy's changes nothing."""
    x0, x1 = (part.T / 300 - 1 for part in near(rng, 400))
    start = (
        np.linalg.inv([[300, 0, 300], [0, 300, 300], [0, 0, 1]])
        @ H
        @ [[300, 0, 300], [0, 300, 300], [0, 0, 1]]
    )
    start = start / np.linalg.norm(start)
    matrix = core.kernel("refined_homography")(
        start, x0.T.copy(), x1.T.copy(), None, 0.01, 1.0, 0.0, 200
    ).reshape(3, 3)
    matrix = matrix / np.linalg.norm(matrix)
    again = _homography(matrix, x0, x1, 0.01, 1e9, None)
    assert np.abs(again / np.linalg.norm(again) - matrix).max() < 1e-6


@pytest.mark.parametrize("m", SIZES)
def test_a_step_along_epipolar_lines(m: int, numpy_alone: Any, rng: np.random.Generator) -> None:
    x0, x1 = (part.T / 300 - 1 for part in near(rng, m))
    lines, ways = _Lines(x0, x1), rng.normal(size=(5, 3, 3))
    matrix = rng.normal(size=(3, 3))
    found = lines.normal(matrix, ways, 0.5)
    expected = numpy_alone(lambda: lines.normal(matrix, ways, 0.5))
    assert (found is None) == (expected is None)
    if m > 100:
        assert found is not None
        np.testing.assert_allclose(found.equations, expected.equations, rtol=1e-8)
        np.testing.assert_allclose(found.right, expected.right, rtol=1e-8)
        assert (found.total, found.squares) == pytest.approx((expected.total, expected.squares), rel=1e-8)


@pytest.mark.parametrize("m", [*(size for size in SIZES if size), 63, 64, 65, 401, 4097])
@pytest.mark.parametrize("grid", [False, True])
def test_keypoints_that_turn_alike(m: int, grid: bool, rng: np.random.Generator) -> None:
    turn = (rng.normal(170, 50, m) + 180) % 360 - 180
    growth = rng.normal(0, 0.7, m)
    if grid:  # ties
        turn, growth = np.round(turn / 7) * 7, np.round(growth * 3) / 3
    step = -(-m // 400)
    off = (turn[::step, None] - turn + 180) % 360 - 180
    expected = ((np.abs(off) <= 30) & (np.abs(growth[::step, None] - growth) <= 0.7)).sum(axis=1)
    assert core.kernel("counts_alike")(turn, growth, step, 30.0, 0.7).tolist() == expected.tolist()
    assert _counts_alike(turn, growth, step).tolist() == expected.tolist()
    assert _gathered(turn, growth) == (expected.argmax() * step, expected.max())


@pytest.mark.parametrize("m", SIZES)
@pytest.mark.parametrize("mirrored", [False, True])
def test_keypoints_that_go_along(m: int, mirrored: bool, numpy_alone: Any, rng: np.random.Generator) -> None:
    known: dict[str, Any] = {
        name: (rng.uniform(0, 360, m) if name.startswith("angle") else rng.uniform(2, 6, m)).astype(
            np.float32
        )
        for name in ("angle0", "angle1", "size0", "size1")
    }
    xy = rng.uniform(0, 600, (m, 2)).astype(np.float32)
    matches = tp.Matches(
        xy0=xy, xy1=xy, source="hand", image_size0=(600, 600), image_size1=(600, 600), **known
    )
    matrix = np.diag([-1.0, 1, 1]) @ H if mirrored else H
    everyone = np.ones(m, bool)
    found = agreement(matches, everyone, matrix)
    assert found == numpy_alone(lambda: agreement(matches, everyone, matrix))
    if m >= 100:
        assert found is not None
        assert 0 < found < 0.5


@pytest.mark.parametrize("m", SIZES)
@pytest.mark.parametrize("kind", ["any", "grid", "line", "place"])
def test_coverage(m: int, kind: str, numpy_alone: Any, rng: np.random.Generator) -> None:
    xy = rng.uniform(0, 600, (m, 2))
    if kind == "grid":
        xy = np.rint(xy / 100) * 100
    elif kind == "line":
        xy[:, 1] = 2 * xy[:, 0] + 1
    elif kind == "place":
        xy[:] = 7.5
    points = xy.astype(np.float32)
    expected = numpy_alone(lambda: coverage(points, (1500, 1500)))
    assert coverage(points, (1500, 1500)) == pytest.approx(expected, abs=1e-12)


def test_what_does_not_fit_is_refused() -> None:
    two, three = np.zeros((2, 2)), np.zeros((3, 2))
    for name in ("transfer_residuals", "epipolar_residuals"):
        with pytest.raises(ValueError, match="number of points"):
            core.kernel(name)(H, two, three)
    with pytest.raises(ValueError, match="number of points"):
        core.kernel("refined_homography")(H, two, three, None, 1.0, 1.0, 1.0, 1)
    with pytest.raises(ValueError, match="factor"):
        core.kernel("refined_homography")(H, two, two, np.ones(3), 1.0, 1.0, 1.0, 1)
    with pytest.raises(ValueError, match="number of points"):
        core.kernel("epipolar_normal")(H, H[None], two, np.zeros((2, 3)), 1.0)
    with pytest.raises(ValueError, match="nine"):
        core.kernel("epipolar_normal")(H, np.zeros((10, 3, 3)), two, two, 1.0)
    with pytest.raises(ValueError, match="growth"):
        core.kernel("counts_alike")(np.zeros(3), np.zeros(2), 1, 30.0, 0.7)
    with pytest.raises(TypeError):
        core.kernel("spread_area")(np.zeros((3, 3), np.float32))
    one = np.zeros(1, np.float32)
    with pytest.raises(ValueError, match="sizes"):
        core.kernel("carried_along")(H, np.zeros((2, 2), np.float32), one, one, one, one, 30.0, 0.7)
