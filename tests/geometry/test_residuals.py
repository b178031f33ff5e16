"""Sampson distances against the definition, against plain loops, and where they are exact."""

from __future__ import annotations

import numpy as np
import pytest

from tests.geometry.two_views import H_1_FROM_0, Array, planar, spatial, warp
from tiepoint.geometry.fit import fit
from tiepoint.geometry.residuals import sampson

pytestmark = pytest.mark.usefixtures("with_and_without_core")


def by_definition(errors: object, xy0: Array, xy1: Array) -> Array:
    """sqrt(e' (J J')^-1 e), the derivative J by differences, one match at a time."""
    distances = []
    for point in np.hstack([xy0, xy1]):
        e = np.atleast_1d(errors(point))  # type: ignore[operator]
        steps = np.eye(4) * 1e-4
        j = np.stack(
            [
                np.atleast_1d(errors(point + s) - errors(point - s)) / 2e-4  # type: ignore[operator]
                for s in steps
            ],
            axis=1,
        )
        distances.append(np.sqrt(e @ np.linalg.solve(j @ j.T, e)))
    return np.array(distances)


def test_of_a_homography_as_defined(rng: np.random.Generator) -> None:
    xy0, xy1 = planar(rng, m=60, wrong=20, noise=2)

    def errors(point: Array) -> Array:
        x, y, w = H_1_FROM_0 @ [*point[:2], 1]
        return np.array([x - point[2] * w, y - point[3] * w])

    np.testing.assert_allclose(
        sampson("homography", H_1_FROM_0, xy0, xy1), by_definition(errors, xy0, xy1), rtol=1e-5
    )


@pytest.mark.parametrize("model", ["fundamental", "essential"])
def test_of_a_fundamental_matrix_as_defined(model: str, rng: np.random.Generator) -> None:
    xy0, xy1 = spatial(rng, m=60, wrong=20)
    f = rng.normal(size=(3, 3)) * [[1e-6, 1e-6, 1e-3], [1e-6, 1e-6, 1e-3], [1e-3, 1e-3, 1]]

    def error(point: Array) -> float:
        return float([*point[2:], 1] @ f @ [*point[:2], 1])

    np.testing.assert_allclose(sampson(model, f, xy0, xy1), by_definition(error, xy0, xy1), rtol=1e-5)


@pytest.mark.parametrize("model", ["affine", "similarity"])
def test_of_a_linear_map_it_is_the_distance_in_four_dimensions(model: str, rng: np.random.Generator) -> None:
    a = np.array([[0.8, -0.6, 30], [0.6, 0.8, 7], [0, 0, 1]]) @ np.diag([2, 2, 1])
    xy0, xy1 = rng.uniform(0, 500, (40, 2)), rng.uniform(0, 500, (40, 2))
    # The nearest pair that obeys it, by least squares.
    stacked = np.vstack([np.eye(2), a[:2, :2]])
    for x, y, distance in zip(xy0, xy1, sampson(model, a, xy0, xy1), strict=True):
        target = np.r_[x, y - a[:2, 2]]
        nearest = stacked @ np.linalg.lstsq(stacked, target)[0]
        assert distance == pytest.approx(np.linalg.norm(nearest - target))


def test_scale_of_the_matrix_does_not_matter(rng: np.random.Generator) -> None:
    xy0, xy1 = planar(rng, m=50, wrong=20)
    for model in ("homography", "fundamental"):
        np.testing.assert_allclose(
            sampson(model, -3e5 * H_1_FROM_0, xy0, xy1), sampson(model, H_1_FROM_0, xy0, xy1), rtol=1e-9
        )


def test_behind_the_horizon_is_infinitely_far() -> None:
    h = np.array([[1, 0, 0], [0, 1, 0], [0.01, 0, -1]])  # the horizon is x = 100
    xy0 = np.array([[150, 10], [180, 20], [200, 70], [300, 5], [50, 50], [100, 3]], float)
    with np.errstate(divide="ignore"):
        xy1 = np.where(xy0[:, :1] == 100, 1.0, warp(h, xy0))
    distance = sampson("homography", h, xy0, xy1)
    assert distance[:4].max() < 1e-9
    assert np.isinf(distance[4:]).all()


def test_at_both_epipoles_every_line_passes() -> None:
    f = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 0]])  # both epipoles are the origin
    assert sampson("fundamental", f, np.zeros((1, 2)), np.zeros((1, 2))).tolist() == [0]


def test_nothing_of_nothing() -> None:
    none = np.zeros((0, 2))
    for model in ("homography", "fundamental"):
        assert sampson(model, np.eye(3), none, none).shape == (0,)


def test_residuals_of_a_fit_are_those(rng: np.random.Generator) -> None:
    xy0, xy1 = planar(rng)
    found = fit("homography", xy0, xy1, 2.0)
    assert found.matrix is not None
    assert found.residuals is not None
    np.testing.assert_array_equal(found.residuals, sampson("homography", found.matrix, xy0, xy1))
    np.testing.assert_array_equal(found.inliers, found.residuals <= 2)
