"""The last digits of a model: robust least squares on the matches near it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from tiepoint import core
from tiepoint.geometry.residuals import sampson

Floats = NDArray[np.float64]

_STEPS = 10
_REACH = 10.0  # times max_error: what is farther off at first does not come near
_STABLE = 0.005  # pixels: how little changes when nothing is left to do
# From which slope on, of the logarithms, residuals are held to be in proportion to sizes: ORB's slopes are
# 0.4 to 0.8, SIFT's 0 to 0.4. With fewer matches the slope is anything.
_PROPORTION, _ENOUGH = 0.6, 30
# Of the sum of weights, what a step has to keep; and how much more damping the next one gets otherwise.
_KEPT, _DAMPING, _SMALLER = 0.9, 1e-6, 1000.0
_LEAST = {"homography": 4, "affine": 3, "similarity": 2, "fundamental": 7}


def weights(squared: Floats, max_error: float) -> Floats:
    """Return what each match counts, (M,), from its squared residual: Cauchy's weights, cut off.

    Half of ``max_error`` is the scale, at which a match counts for a half; beyond 1.5 ``max_error`` it counts
    for nothing. Both were chosen on photos, see docs/verifying.md.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.geometry.refine import weights
    >>> weights(np.array([0.0, 1, 4, 16]), max_error=2.0).tolist()
    [1.0, 0.5, 0.2, 0.0]
    """
    scaled = squared / (0.5 * max_error) ** 2
    return np.asarray((scaled <= 9.0) / (1 + scaled))


def importance(residuals: Floats, sizes: Floats, max_error: float) -> Floats | None:
    """Return factors on the weights of matches, (M,), if coarse keypoints prove to be placed worse; or None.

    Detectors that place a keypoint on the pixels of a reduced photo, as ORB does, are off in proportion to
    its size. Those that interpolate are not: for them the size says little, and the few large keypoints,
    which often lie apart from the others, are worth more than their precision. Which kind it is, the
    residuals say.

    Parameters
    ----------
    residuals : ndarray, (M,) float64
        Of a model, in pixels.
    sizes : ndarray, (M,) float64
        Of the keypoints, above 0.
    max_error : float

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.geometry.refine import importance
    >>> sizes = np.geomspace(30, 120, 200)
    >>> off = np.random.default_rng(0).uniform(0, 0.01, 200) * sizes
    >>> float(importance(off, sizes, 2.0)[-1] / importance(off, sizes, 2.0)[0]).__round__(4)
    0.0625
    >>> importance(off[::-1], sizes, 2.0) is None
    True
    """
    near = np.flatnonzero((residuals <= 1.5 * max_error) & (sizes > 0))
    if len(near) < _ENOUGH:
        return None
    size, off = np.log(sizes.take(near)), np.log(residuals.take(near) + 0.025 * max_error)
    size -= size.mean()
    spread = float(size @ size)
    if spread == 0 or float(size @ off) < _PROPORTION * spread:
        return None
    return np.asarray((np.median(sizes[near]) / np.where(sizes > 0, sizes, np.inf)) ** 2)


def refined(
    model: str,
    matrix: Floats,
    xy0: Floats,
    xy1: Floats,
    max_error: float,
    factors: Floats | None = None,
) -> Floats:
    """Return the homography, affinity, similarity or fundamental matrix that fits best near a first one.

    Each step weighs the matches by their distance to the model so far (see :func:`weights`) and makes the
    weighed sum of squared Sampson distances least: iteratively reweighted least squares.

    Parameters
    ----------
    model : {"homography", "affine", "similarity", "fundamental"}
    matrix : ndarray, (3, 3) float64
        In pixels.
    xy0, xy1 : ndarray, (M, 2) float64
        All matches; those far away have no say.
    max_error : float
        In pixels.
    factors : ndarray, (M,) float64 | None
        On the weight of each match, see :func:`importance`; for homographies only.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.geometry.refine import refined
    >>> xy0 = np.random.default_rng(0).uniform(0, 600, (50, 2))
    >>> np.abs(refined("affine", np.eye(3), xy0, 1.001 * xy0, 2.0) - np.diag([1.001, 1.001, 1])).max() < 1e-9
    np.True_
    """
    compiled = core.kernel("refined_homography") if model == "homography" else None
    if compiled is not None:
        moved = compiled(matrix, xy0, xy1, factors, max_error, _REACH * max_error, _STABLE, _STEPS)
        return np.asarray(moved.reshape(3, 3))
    near = np.flatnonzero(sampson(model, matrix, xy0, xy1) <= _REACH * max_error)
    if len(near) < _LEAST[model]:
        return matrix
    # Around their centres, in one unit for both photos, so that distances keep their proportion.
    x0, x1 = xy0.T.take(near, axis=1), xy1.T.take(near, axis=1)
    centre0, centre1 = x0.mean(axis=1), x1.mean(axis=1)
    x0, x1 = x0 - centre0[:, None], x1 - centre1[:, None]
    unit = math.sqrt((np.vdot(x0, x0) + np.vdot(x1, x1)) / len(near))
    if unit == 0:
        return matrix
    x0, x1, limit, stable = x0 / unit, x1 / unit, max_error / unit, _STABLE / unit
    to0, from0 = _frame(centre0, unit), _from_frame(centre0, unit)
    to1, from1 = _frame(centre1, unit), _from_frame(centre1, unit)
    if model == "fundamental":
        moved = _fundamental(from1.T @ matrix @ from0, _Lines(x0, x1), limit, stable)
        return np.asarray(to1.T @ moved @ to0)
    start = to1 @ matrix @ from0
    if model == "homography":
        factors = None if factors is None else factors[near]
        moved = _homography(start / np.linalg.norm(start), x0, x1, limit, stable, factors)
        return np.asarray(from1 @ moved @ to0)
    return np.asarray(from1 @ _linear(model, start, x0.T, x1.T, limit, stable) @ to0)


def refined_pose(
    rotation: Floats,
    translation: Floats,
    xy0: Floats,
    xy1: Floats,
    camera0: Floats,
    camera1: Floats,
    max_error: float,
) -> tuple[Floats, Floats]:
    """Return the pose ``cam1_from_cam0`` that fits best near a first one, in the same way.

    Parameters
    ----------
    rotation, translation : ndarray, (3, 3) and (3,) float64
        The translation of length 1.
    xy0, xy1 : ndarray, (M, 2) float64
        In pixels.
    camera0, camera1 : ndarray, (3, 3) float64
    max_error : float
        In pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.geometry.refine import refined_pose
    >>> points = np.random.default_rng(0).uniform([-2, -2, 4], [2, 2, 8], (50, 3))
    >>> xy0, xy1 = (700 * p[:, :2] / p[:, 2:] for p in (points, points + [1, 0, 0]))
    >>> camera = np.diag([700.0, 700, 1])
    >>> near = np.array([1, 0.01, 0]) / np.hypot(1, 0.01)
    >>> np.abs(refined_pose(np.eye(3), near, xy0, xy1, camera, camera, 9.0)[1] - [1, 0, 0]).max() < 1e-6
    np.True_
    """
    back0, back1 = np.linalg.inv(camera0), np.linalg.inv(camera1)

    def tangent(pose: _Pose) -> tuple[Floats, Floats]:
        now = cross(pose.t) @ pose.R
        ways = [cross(pose.t) @ cross(axis) @ pose.R for axis in np.eye(3)]
        ways += [cross(axis) @ pose.R for axis in _across(pose.t)]
        return back1.T @ now @ back0, back1.T @ np.stack(ways) @ back0

    def along(pose: _Pose, move: Floats) -> _Pose:
        moved = pose.t + move[3:] @ _across(pose.t)
        return _Pose(_turn(move[:3]) @ pose.R, moved / np.linalg.norm(moved))

    lines = _Lines(xy0.T, xy1.T)
    return lines.fitted(_Pose(rotation, translation), tangent, along, max_error, _STABLE)


class _Pose(NamedTuple):
    R: Floats
    t: Floats


def _across(direction: Floats) -> Floats:
    """Return two directions at right angles to one, (2, 3)."""
    return np.asarray(np.linalg.svd(direction[None])[2][1:])


def _homography(
    h: Floats, x0: Floats, x1: Floats, max_error: float, stable: float, factors: Floats | None
) -> Floats:
    """Solve for the homography, of norm 1, as src/core/geometry/refine.cpp does.

    In each step the metric of the Sampson distance is that of the one before.
    """
    (x, y), (u, v) = x0, x1
    point = np.stack([x, y, np.ones_like(x)])
    kinds = np.empty((6, len(x)))
    for _ in range(_STEPS):
        # The two errors of a match are linear in h; [[a, b], [b, c]] is their covariance if the points' is 1.
        e, f, w = h @ point
        e, f = e - u * w, f - v * w
        ex, ey = h[0, 0] - u * h[2, 0], h[0, 1] - u * h[2, 1]
        fx, fy = h[1, 0] - v * h[2, 0], h[1, 1] - v * h[2, 1]
        ww = w * w
        a, b, c = ex * ex + ey * ey + ww, ex * fx + ey * fy, fx * fx + fy * fy + ww
        determinant = np.maximum(a * c - b * b, 1e-12)  # in units of the spread; 0 on the horizon
        squared = (c * e * e - 2 * b * e * f + a * f * f) / determinant
        weight = weights(squared, max_error)
        share = (weight if factors is None else weight * factors) / determinant
        # The 9 x 9 normal equations are six kinds of moments of the points, 3 x 3 each.
        p, q, r = np.multiply(c, share, out=kinds[0]), -b * share, np.multiply(a, share, out=kinds[2])
        pu_qv, qu_rv = p * u + q * v, q * u + r * v
        kinds[1], kinds[3], kinds[4], kinds[5] = q, -pu_qv, -qu_rv, u * pu_qv + v * qu_rv
        moments = ((kinds[:, None, :] * point).reshape(18, -1) @ point.T).reshape(6, 3, 3)
        normal = moments[_BLOCKS].transpose(0, 2, 1, 3).reshape(9, 9)
        total = float(weight.sum())
        if not np.isfinite(normal).all() or not total > 0:
            break
        best = np.linalg.eigh(normal)[1][:, 0].reshape(3, 3)
        move = best * math.copysign(1, np.vdot(best, h)) - h
        h = h + _stride(total, float(weight @ weight), 2) * move
        if np.abs(move).max() <= stable * abs(h[2, 2]):
            break
    return h


def _stride(total: float, squares: float, dimensions: int) -> float:
    """Return how many times as far as least squares with fixed weights Newton's method would go.

    With the weights fixed every step falls short, since they change in its favour. What the second derivative
    of Cauchy's loss is across a residual is the weight w itself, along it w (2 w - 1). Of the weights, their
    sum and that of their squares are known.
    """
    along = 2 * squares - total
    return min(max(dimensions * total / max((dimensions - 1) * total + along, 1e-300), 1.0), 2.0)


_BLOCKS = np.array([[0, 1, 3], [1, 2, 4], [3, 4, 5]])


def _linear(model: str, matrix: Floats, xy0: Floats, xy1: Floats, max_error: float, stable: float) -> Floats:
    """Solve for the affinity or the similarity."""
    for _ in range(_STEPS):
        weight = weights(sampson(model, matrix, xy0, xy1) ** 2, max_error)
        if np.count_nonzero(weight) < _LEAST[model]:
            break
        centre0, centre1 = (np.average(xy, axis=0, weights=weight) for xy in (xy0, xy1))
        centred = xy0 - centre0, xy1 - centre1
        if model == "affine":
            linear = _affine(*centred, weight)
        else:
            linear = _similarity(*centred, weight, mirrored=bool(np.linalg.det(matrix[:2, :2]) < 0))
        if linear is None:
            break
        before, matrix = matrix, np.eye(3)
        matrix[:2, :2], matrix[:2, 2] = linear, centre1 - linear @ centre0
        if np.abs(matrix - before).max() <= stable:
            break
    return matrix


def _affine(xy0: Floats, xy1: Floats, weight: Floats) -> Floats | None:
    """Solve for the linear part between centred points; Hartley and Zisserman, algorithm 4.7."""
    both = np.hstack([xy0, xy1])
    vectors = np.linalg.eigh((both.T * weight) @ both)[1]
    b, c = vectors[:2, 2:], vectors[2:, 2:]  # the plane in four dimensions that the matches lie in
    if abs(np.linalg.det(b)) < 1e-12:
        return None
    return np.asarray(c @ np.linalg.inv(b))


def _similarity(xy0: Floats, xy1: Floats, weight: Floats, *, mirrored: bool) -> Floats | None:
    """Solve for the linear part between centred points; Umeyama, PAMI 1991."""
    u, _, vt = np.linalg.svd((xy1.T * weight) @ xy0)
    turn = u @ np.diag([1, np.sign(np.linalg.det(u @ vt)) * (-1 if mirrored else 1)]) @ vt
    # Umeyama holds photo 0 to be exact. Both are equally precise: the scale is the slope of the long axis of
    # the lengths there and here.
    shared = float(weight @ (xy1 * (xy0 @ turn.T)).sum(axis=1))
    more = float(weight @ (xy1**2).sum(axis=1) - weight @ (xy0**2).sum(axis=1))
    if not shared > 0:
        return None
    return np.asarray((more + np.hypot(more, 2 * shared)) / (2 * shared) * turn)


class _Rank2(NamedTuple):
    """A matrix ``U diag(1, s, 0) V'``."""

    u: Floats
    s: float
    vt: Floats

    @property
    def matrix(self) -> Floats:
        return np.asarray(self.u @ np.diag([1, self.s, 0]) @ self.vt)


def _fundamental(matrix: Floats, lines: _Lines, max_error: float, stable: float) -> Floats:
    """Move among the matrices of rank 2; Bartoli and Sturm, PAMI 2004."""
    u, (first, second, _), vt = np.linalg.svd(matrix)
    if not first > 0:
        return matrix

    def tangent(now: _Rank2) -> tuple[Floats, Floats]:
        middle = np.diag([1, now.s, 0])
        ways = [now.u @ cross(axis) @ middle @ now.vt for axis in np.eye(3)]
        ways += [now.u @ middle @ cross(axis).T @ now.vt for axis in np.eye(3)]
        ways.append(np.outer(now.u[:, 1], now.vt[1]))
        return now.matrix, np.stack(ways)

    def along(now: _Rank2, move: Floats) -> _Rank2:
        return _Rank2(now.u @ _turn(move[:3]), now.s + move[6], _turn(move[3:6]).T @ now.vt)

    return lines.fitted(_Rank2(u, second / first, vt), tangent, along, max_error, stable).matrix


class _Normal(NamedTuple):
    """The normal equations of one step along K directions, and the weights they come from."""

    equations: Floats  # (K, K)
    right: Floats  # (K,)
    total: float
    squares: float

    def step(self, damping: float) -> Floats | None:
        """Return how far to go along each direction, (K,); None where the equations do not tell."""
        damped = self.equations.copy()
        damped[np.diag_indices(len(damped))] *= 1 + damping
        try:
            move = np.asarray(-np.linalg.solve(damped, self.right), np.float64)
        except np.linalg.LinAlgError:
            return None
        return move * _stride(self.total, self.squares, 1) if np.isfinite(move).all() else None

    def changed_by(self, move: Floats) -> float:
        """Return by how much a step changes Sampson distances: the root of their mean square."""
        return math.sqrt(max(float(move @ self.equations @ move), 0.0) / self.total)


_Model = TypeVar("_Model", bound=tuple[Any, ...])


class _Lines:
    """Matches (2, M) and (2, M) on epipolar lines, prepared for many steps."""

    def __init__(self, x0: Floats, x1: Floats) -> None:
        self.x0, self.x1 = np.ascontiguousarray(x0), np.ascontiguousarray(x1)

    def fitted(
        self,
        start: _Model,
        tangent: Callable[[_Model], tuple[Floats, Floats]],
        along: Callable[[_Model, Floats], _Model],
        max_error: float,
        stable: float,
    ) -> _Model:
        """Return the model that fits best near a first one, by steps of Gauss and Newton.

        Where the matches leave the model nearly open, as those on one plane do, a step can lead far away: one
        that loses matches is taken back, and done smaller (Levenberg and Marquardt).

        ``tangent`` gives the matrix of a model and the directions in which it can move, (K, 3, 3); ``along``
        a model moved so far along each, (K,).
        """
        model, here, damping = start, self.normal(*tangent(start), max_error), _DAMPING
        for _ in range(_STEPS):
            move = None if here is None else here.step(damping)
            if here is None or move is None:
                break
            moved = along(model, move)
            if here.changed_by(move) < stable:
                return moved
            there = self.normal(*tangent(moved), max_error)
            if there is not None and there.total >= _KEPT * here.total:
                model, here, damping = moved, there, _DAMPING
            else:
                damping *= _SMALLER
        return model

    def normal(self, matrix: Floats, ways: Floats, max_error: float) -> _Normal | None:
        """Set up the normal equations, as src/core/geometry/refine.cpp does; None with too few matches."""
        k, compiled = len(ways), core.kernel("epipolar_normal")
        if compiled is not None:
            equations, right, total, squares, count = compiled(matrix, ways, self.x0, self.x1, max_error)
            return _Normal(equations.reshape(k, k), right, total, squares) if count >= k else None
        x0, x1 = (np.vstack([x, np.ones(x.shape[1])]) for x in (self.x0, self.x1))
        lines1, lines0 = matrix[:2] @ x0, matrix[:, :2].T @ x1  # their normals
        products = (x1[:, None, :] * x0).reshape(9, -1)
        value = matrix.ravel() @ products
        square = (lines1 * lines1).sum(axis=0) + (lines0 * lines0).sum(axis=0)
        square = np.maximum(square, np.finfo(np.float64).tiny)
        weight = weights(value * value / square, max_error)
        near = np.flatnonzero(weight)
        if len(near) < k:
            return None
        value, square, weight, x0, x1 = (part[..., near] for part in (value, square, weight, x0, x1))
        lines1, lines0 = lines1[:, near] * (value / square), lines0[:, near] * (value / square)
        # By the nine entries: the value by them is x1 x0', half the square lines1 x0' + x1 lines0'.
        by_entry = products[:, near].reshape(3, 3, -1)
        by_entry[:2] -= lines1[:, None] * x0
        by_entry[:, :2] -= x1[:, None] * lines0
        length = np.sqrt(square)
        gradient = (ways.reshape(-1, 9) @ by_entry.reshape(9, -1)) / length
        weighed = gradient * weight
        equations, right = weighed @ gradient.T, weighed @ (value / length)
        return _Normal(equations, right, float(weight.sum()), float(weight @ weight))


def cross(vector: Floats) -> Floats:
    """Return the matrix whose product with another vector is the cross product, (3, 3)."""
    x, y, z = vector
    return np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])


def _turn(vector: Floats) -> Floats:
    """Return the rotation about a vector by its length, by Rodrigues' formula."""
    angle = float(np.linalg.norm(vector))
    if angle < 1e-12:
        return np.eye(3) + cross(vector)
    k = cross(vector / angle)
    return np.asarray(np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k)


def _frame(centre: Floats, unit: float) -> Floats:
    """Return what takes points to their places around a centre, in a unit."""
    return np.array([[1 / unit, 0, -centre[0] / unit], [0, 1 / unit, -centre[1] / unit], [0, 0, 1]])


def _from_frame(centre: Floats, unit: float) -> Floats:
    return np.array([[unit, 0, centre[0]], [0, unit, centre[1]], [0, 0, 1]])
