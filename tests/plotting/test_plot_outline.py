from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tiepoint.plotting.outline import border

Array = NDArray[Any]
SOME = np.array([[20.0, 15]])


def walked(H_1_from_0: Array, size0: tuple[int, int], size1: tuple[int, int], sign: float = 1) -> Array:
    """Points along photo 0's border, a step at a time, that photo 1 shows."""
    right, bottom = size0[0] - 0.5, size0[1] - 0.5
    corners = np.array([[-0.5, -0.5], [right, -0.5], [right, bottom], [-0.5, bottom]])
    steps = np.linspace(0, 1, 5001)[:, None]
    points = np.concatenate(
        [a + steps * (b - a) for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)]
    )
    u, v, w = sign * H_1_from_0 @ np.vstack([points.T, np.ones(len(points))])
    kept = w > 1e-9
    xy = np.column_stack([u[kept] / w[kept], v[kept] / w[kept]])
    inside = (xy >= -0.5).all(axis=1) & (xy <= np.array(size1) - 0.5).all(axis=1)
    return np.asarray(xy[inside])


def distance(points: Array, parts: Array) -> Array:
    """From each point to the nearest of the parts."""
    start, along = parts[:, 0], parts[:, 1] - parts[:, 0]
    away = points[:, None] - start
    share = np.clip((away * along).sum(-1) / (along * along).sum(-1), 0, 1)
    return np.asarray(np.linalg.norm(away - share[..., None] * along, axis=-1).min(axis=1))


@pytest.mark.parametrize(
    "H_1_from_0",
    [
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        [[0.5, 0.1, 5], [-0.1, 0.5, 8], [0, 0, 1]],
        [[3, 0, -20], [0, 3, -30], [0, 0, 1]],  # all of photo 1 is inside: no border in it
        [[1, 0, 15], [0.2, 1, -12], [0.004, 0.002, 1]],
        [[0.6, 0, 10], [0, 0.8, 5], [-0.03, 0, 1]],  # the right corners are behind the horizon
        [[0.6, 0, 10], [0, 0.8, 5], [0, -0.05, 1]],  # the lower ones are
        [[1, 0, 1e6], [0, 1, 0], [0, 0, 1]],  # nowhere
    ],
)
@pytest.mark.parametrize("sign", [1.0, -2.5])
def test_the_border_is_where_its_points_are(H_1_from_0: Any, sign: float) -> None:
    matrix, size0, size1 = np.array(H_1_from_0, float), (40, 30), (50, 36)
    parts = border(sign * matrix, SOME, size0, size1)
    there = walked(matrix, size0, size1)
    if not len(there):
        assert not len(parts)
        return
    assert distance(there, parts).max() < 0.02
    ends = parts.reshape(-1, 2)
    assert (ends >= -0.5 - 1e-9).all()
    assert (ends <= np.array(size1) - 0.5 + 1e-9).all()
    # And nothing more: each part's middle is near a point that was walked.
    middles = parts.mean(axis=1)
    steps = np.linalg.norm(middles[:, None] - there, axis=-1).min(axis=1)
    assert steps.max() < 0.5


def test_points_tell_which_side_of_the_horizon_is_seen() -> None:
    matrix, size = np.array([[1, 0, 0], [0, 1, 0], [0.1, 0, -2.0]]), (40, 30)
    for x, sign in ((35.0, 1), (5.0, -1)):
        parts = border(matrix, np.array([[x, 3.0]]), size, size)
        there = walked(matrix, size, size, sign)
        assert len(there) > 100
        assert distance(there, parts).max() < 0.05
