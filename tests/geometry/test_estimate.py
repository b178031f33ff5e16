"""The estimators against matches whose geometry is known, and against input that has none."""

from __future__ import annotations

import hashlib
import math
import pickle
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import tiepoint as tp
from tests.geometry.two_views import (
    CAMERA0,
    CAMERA1,
    H_1_FROM_0,
    R_1_FROM_0,
    T_1_FROM_0,
    Array,
    degrees_between,
    planar,
    spatial,
    there,
    turn,
    warp,
)
from tiepoint.geometry import (
    ESTIMATORS,
    Estimate,
    Estimator,
    estimate_homography,
    estimate_relative_pose,
    get_estimator,
)

NAMES = ESTIMATORS.names()
CORNERS = np.array([[0, 0], [800, 0], [800, 800], [0, 800]], float)


@pytest.mark.parametrize("name", NAMES)
def test_homography_among_wrong_matches(name: str, rng: np.random.Generator) -> None:
    xy0, xy1 = planar(rng)
    found = estimate_homography(xy0, xy1, estimator=name)
    assert found
    assert found.matrix is not None
    assert found.matrix[2, 2] == 1
    assert np.linalg.norm(warp(found.matrix, CORNERS) - warp(H_1_FROM_0, CORNERS), axis=1).max() < 0.5
    assert found.inliers[150:].mean() > 0.95
    assert found.inliers[:150].mean() < 0.05
    assert found.R is None
    assert found.t is None
    assert found.reason is None


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_homography_of_exact_matches(name: str, dtype: type, rng: np.random.Generator) -> None:
    xy0, xy1 = planar(rng, wrong=0, noise=0)
    found = estimate_homography(xy0.astype(dtype), xy1.astype(dtype), estimator=name)
    assert found.inliers.all()
    # OpenCV computes in float32.
    assert np.abs(warp(there(found.matrix), CORNERS) - warp(H_1_FROM_0, CORNERS)).max() < 1e-2


@pytest.mark.parametrize("name", NAMES)
def test_four_matches_are_enough(name: str) -> None:
    xy0 = np.array([[0, 0], [600, 0], [600, 400], [0, 400]])  # integers are taken, too
    found = estimate_homography(xy0, warp(H_1_FROM_0, xy0), estimator=name)
    assert found.inliers.sum() == 4
    np.testing.assert_allclose(there(found.matrix), H_1_FROM_0, rtol=1e-3)


@pytest.mark.parametrize("max_error", [1.0, 3.0])
@pytest.mark.parametrize("name", NAMES)
def test_max_error_is_the_distance_in_photo_1(name: str, max_error: float, rng: np.random.Generator) -> None:
    xy0, xy1 = planar(rng, m=2000, wrong=0, noise=0.7 * max_error)
    found = estimate_homography(xy0, xy1, estimator=name, max_error=max_error)
    assert found.matrix is not None
    there1, there0 = warp(found.matrix, xy0), warp(np.linalg.inv(found.matrix), xy1)
    error1 = np.array([math.dist(a, b) for a, b in zip(there1, xy1, strict=True)])
    error0 = np.array([math.dist(a, b) for a, b in zip(there0, xy0, strict=True)])
    # PoseLib and, up to some version, OpenCV's RANSAC count the inliers before the last refinement.
    least = {"poselib": 0.95, "opencv": 0.75, "magsac": 0.999}[name]
    assert np.mean((error1 < max_error) == found.inliers) >= least
    assert np.mean((error0 < max_error) == found.inliers) < 0.7


@pytest.mark.parametrize("name", NAMES)
def test_relative_pose_among_wrong_matches(name: str, rng: np.random.Generator) -> None:
    xy0, xy1 = spatial(rng)
    found = estimate_relative_pose(xy0, xy1, CAMERA0, CAMERA1, estimator=name)
    assert found.matrix is not None
    assert found.R is not None
    assert found.t is not None
    assert np.degrees(np.arccos((np.trace(found.R.T @ R_1_FROM_0) - 1) / 2)) < 0.5
    assert degrees_between(found.t, T_1_FROM_0) < 2
    assert np.linalg.norm(found.t) == pytest.approx(1)
    assert np.linalg.det(found.R) == pytest.approx(1)
    np.testing.assert_allclose(found.R @ found.R.T, np.eye(3), atol=1e-9)
    for column in range(3):
        np.testing.assert_allclose(found.matrix[:, column], np.cross(found.t, found.R[:, column]), atol=1e-12)
    assert found.inliers[120:].mean() > 0.8
    assert found.inliers[:120].mean() < 0.1


def sampson_distance(essential: Array, ray0: Array, ray1: Array) -> float:
    """Hartley and Zisserman, section 11.4.3, for one match."""
    line1, line0 = essential @ ray0, essential.T @ ray1
    return abs(float(ray1 @ line1)) / math.sqrt(line1[0] ** 2 + line1[1] ** 2 + line0[0] ** 2 + line0[1] ** 2)


@pytest.mark.parametrize("max_error", [0.5, 1.5])
@pytest.mark.parametrize("name", NAMES)
def test_max_error_is_the_sampson_distance(name: str, max_error: float, rng: np.random.Generator) -> None:
    xy0, xy1 = spatial(rng, m=2000, wrong=0, noise=0.9)
    found = estimate_relative_pose(xy0, xy1, CAMERA0, CAMERA1, estimator=name, max_error=max_error)
    assert found.matrix is not None
    rays0, rays1 = (
        np.linalg.solve(camera, np.vstack([xy.T, np.ones(len(xy))])).T
        for xy, camera in ((xy0, CAMERA0), (xy1, CAMERA1))
    )
    harmonic_mean = 2 / (1 / 910 + 1 / 500)
    pixels = np.array([sampson_distance(found.matrix, a, b) for a, b in zip(rays0, rays1, strict=True)])
    pixels *= harmonic_mean
    slack = {"poselib": 0.2, "opencv": 0.01, "magsac": 0.01}[name]
    assert pixels[found.inliers].max() < max_error + slack
    assert pixels[~found.inliers].min() > max_error - slack


@pytest.mark.parametrize("name", NAMES)
def test_five_matches_may_give_a_pose(name: str, rng: np.random.Generator) -> None:
    xy0, xy1 = spatial(rng, m=5, wrong=0, noise=0)
    found = estimate_relative_pose(xy0, xy1, CAMERA0, CAMERA1, estimator=name)
    assert len(found.inliers) == 5
    assert bool(found) == (found.inliers.sum() == 5)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_input_gives_the_same_result(name: str, rng: np.random.Generator) -> None:
    plane, space = planar(rng, noise=1.5), spatial(rng, noise=1)
    first = (
        estimate_homography(*plane, estimator=name),
        estimate_relative_pose(*space, CAMERA0, CAMERA1, estimator=name),
    )
    estimate_homography(*planar(rng), estimator=name)
    again = (
        estimate_homography(*plane, estimator=name),
        estimate_relative_pose(*space, CAMERA0, CAMERA1, estimator=name),
    )
    for a, b in zip(first, again, strict=True):
        assert np.array_equal(there(a.matrix), there(b.matrix))
        assert np.array_equal(a.inliers, b.inliers)
        assert a.iterations == b.iterations


@pytest.mark.parametrize("name", NAMES)
def test_the_same_in_another_process(name: str) -> None:
    code = (
        "import numpy as np\n"
        "from tests.geometry.two_views import planar\n"
        "from tiepoint.geometry import estimate_homography\n"
        f"found = estimate_homography(*planar(np.random.default_rng(5), noise=1.5), estimator={name!r})\n"
        "import hashlib; print(hashlib.sha256(found.matrix.tobytes()).hexdigest())"
    )
    there = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    here = estimate_homography(*planar(np.random.default_rng(5), noise=1.5), estimator=name)
    assert here.matrix is not None
    assert there.stdout.strip() == hashlib.sha256(here.matrix.tobytes()).hexdigest()


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_has_a_say(name: str, rng: np.random.Generator) -> None:
    xy0, xy1 = planar(rng, m=100, wrong=80, noise=2)
    found = [estimate_homography(xy0, xy1, estimator=name, seed=seed, max_iterations=5) for seed in range(8)]
    assert len({estimate.inliers.tobytes() for estimate in found}) > 1


LINE = np.column_stack([np.linspace(10, 500, 60), np.linspace(20, 300, 60)])
DOT = np.full((50, 2), 7.0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("xy0", "words"),
    [
        (np.empty((0, 2)), "0 matches and no more; a homography needs 4"),
        (LINE[:3], "3 matches and no more; a homography needs 4"),
        (DOT, "the 50 matches meet in 1 points of photo 0; a homography needs 4"),
        (np.repeat([[1, 2], [300, 4], [5, 600.0]], 30, axis=0), "the 90 matches meet in 3 points of photo 0"),
        (LINE, "the 60 matches lie on one line in photo 0"),
        (LINE.astype(np.float32), "the 60 matches lie on one line in photo 0"),
        (np.vstack([LINE, [[400, 30]]]), "lie on one line"),
    ],
    ids=["none", "three", "a dot", "copies of three", "line", "rounded line", "line and a point"],
)
def test_points_that_determine_no_homography(name: str, xy0: Array, words: str) -> None:
    found = estimate_homography(xy0, warp(H_1_FROM_0, xy0).astype(xy0.dtype), estimator=name)
    assert not found
    assert found.reason is not None
    assert words in found.reason
    assert found.matrix is None
    assert found.inliers.tolist() == [False] * len(xy0)


@pytest.mark.parametrize("name", NAMES)
def test_many_points_on_few(name: str, rng: np.random.Generator) -> None:
    xy0 = rng.uniform(0, 600, (50, 2))
    found = estimate_homography(xy0, np.full((50, 2), 9.0), estimator=name)
    assert found.reason == "the 50 matches meet in 1 points of photo 1; a homography needs 4"
    grid = np.array([[x, y] for x in (10.0, 200) for y in (10.0, 200)])
    crossed = estimate_homography(np.tile(grid, (4, 1)), np.repeat(grid, 4, axis=0), estimator=name)
    assert crossed.inliers.sum() <= 4


def test_copies_count_once() -> None:
    xy0 = np.array([[0, 0], [300, 0], [300, 200.0]])
    found = estimate_homography(np.repeat(xy0, [1, 1, 9], axis=0), np.repeat(xy0, [1, 1, 9], axis=0) + 1)
    assert found.reason == "the 11 matches meet in 3 points of photo 0; a homography needs 4"
    xy0 = np.array([[0, 0], [300, 0], [300, 200], [0, 200.0]])
    assert estimate_homography(np.repeat(xy0, 9, axis=0), np.repeat(xy0, 9, axis=0) + 1)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("xy0", "words"),
    [
        (np.empty((0, 2)), "0 matches and no more; a relative pose needs 5"),
        (LINE[:4], "4 matches and no more"),
        (DOT, "the 50 matches meet in 1 points of photo 0; a relative pose needs 5"),
        (np.repeat(LINE[:4], 9, axis=0), "the 36 matches meet in 4 points of photo 0"),
        (LINE, "the 60 matches lie on one line in photo 0"),
    ],
    ids=["none", "four", "a dot", "copies of four", "line"],
)
def test_points_that_determine_no_pose(name: str, xy0: Array, words: str) -> None:
    found = estimate_relative_pose(xy0, warp(H_1_FROM_0, xy0), CAMERA0, CAMERA1, estimator=name)
    assert not found
    assert found.reason is not None
    assert words in found.reason
    assert found.R is None
    assert found.t is None
    assert found.matrix is None


@pytest.mark.parametrize("degrees", [0, 12])
@pytest.mark.parametrize("name", NAMES)
def test_a_camera_that_only_turned_has_no_direction(
    name: str, degrees: float, rng: np.random.Generator
) -> None:
    xy0 = rng.uniform(0, 800, (300, 2))
    matrix = CAMERA0 @ turn(np.array([0, 1.0, 0.2]), degrees) @ np.linalg.inv(CAMERA0)
    assert not estimate_relative_pose(xy0, warp(matrix, xy0), CAMERA0, CAMERA0, estimator=name)


@pytest.mark.parametrize("noise", [0.1, 0.5])
def test_errors_do_not_look_like_a_movement(noise: float, rng: np.random.Generator) -> None:
    xy0 = rng.uniform(0, 800, (300, 2))
    matrix = CAMERA0 @ turn(np.array([0, 1.0, 0.2]), 12) @ np.linalg.inv(CAMERA0)
    inexact = warp(matrix, xy0) + rng.normal(0, noise, (300, 2))
    assert not estimate_relative_pose(xy0 + rng.normal(0, noise, (300, 2)), inexact, CAMERA0, CAMERA0)


def test_turning_alone_is_named(rng: np.random.Generator) -> None:
    xy0 = rng.uniform(0, 800, (300, 2))
    found = estimate_relative_pose(xy0, xy0, CAMERA0, CAMERA0)
    assert found.reason == "turning alone explains the matches, so the direction of movement is open"


@pytest.mark.parametrize("name", NAMES)
def test_chaos_never_raises(name: str, rng: np.random.Generator) -> None:
    for m in (4, 5, 6, 7, 8, 50):
        xy0, xy1 = rng.uniform(0, 600, (2, m, 2))
        assert estimate_homography(xy0, xy1, estimator=name).inliers.sum() < 10
        pose = estimate_relative_pose(xy0, xy1, CAMERA0, CAMERA1, estimator=name, max_iterations=200)
        assert bool(pose) == (pose.reason is None)


GOOD = np.array([[0, 0], [300, 0], [300, 200], [0, 200], [50, 60.0]])
NAN = np.where(np.arange(10).reshape(5, 2) == 3, np.nan, GOOD)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((GOOD, NAN), "xy1 must be finite, but holds NaN or infinity"),
        ((NAN, GOOD), "xy0 must be finite"),
        ((GOOD + math.inf, GOOD), "xy0 must be finite"),
        ((GOOD, GOOD[:4]), "xy1 must be (5, 2) float64, not (4, 2) float64"),
        ((GOOD.T, GOOD.T), "xy0 must be (N, 2) float64, not (2, 5) float64"),
        ((GOOD.tolist(), GOOD), "xy0 must be a NumPy array (N, 2) float64, not list"),
        ((GOOD > 0, GOOD), "xy0 must be (N, 2) float64, not (5, 2) bool"),
        ((GOOD, GOOD * 1e200), "xy1 must hold positions in pixels, but goes up to 3.0e+202"),
    ],
)
def test_wrong_points_are_refused(arguments: tuple[Any, Any], words: str) -> None:
    with pytest.raises(tp.DataError) as error:
        estimate_homography(*arguments)
    assert words in str(error.value)
    with pytest.raises(tp.DataError) as error:
        estimate_relative_pose(*arguments, CAMERA0, CAMERA1)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("camera", "words"),
    [
        (np.eye(4), "camera1 must be (3, 3) float64, not (4, 4) float64"),
        (CAMERA0 * np.nan, "camera1 must be finite"),
        (2 * CAMERA0, "camera1 must be [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]"),
        (CAMERA0 * [[-1], [1], [1]], "with fx and fy above 0"),
        (CAMERA0 + np.eye(3, k=1), "camera1 must be [[fx, 0, cx]"),
        (None, "camera1 must be a NumPy array (3, 3) float64, not NoneType"),
    ],
    ids=["shape", "NaN", "scale", "negative", "skew", "none"],
)
def test_wrong_cameras_are_refused(camera: Any, words: str) -> None:
    with pytest.raises(tp.DataError) as error:
        estimate_relative_pose(GOOD, GOOD, CAMERA0, camera)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"estimator": "posleib"}, "there is no estimator 'posleib'; did you mean 'poselib'?"),
        ({"estimator": "magsac", "min_iterations": 3}, "Magsac has no option 'min_iterations'"),
        ({"max_error": 0}, "max_error must be a number of pixels above 0, not 0"),
        ({"max_error": math.nan}, "max_error must be a number of pixels above 0, not nan"),
        ({"max_error": "2"}, "max_error must be a number of pixels above 0, not '2'"),
        ({"max_error": True}, "max_error must be a number of pixels above 0, not True"),
        ({"confidence": 1}, "confidence must be at most 0.999999"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"max_iterations": 0}, "max_iterations must be at least 1"),
        ({"estimator": get_estimator("opencv"), "seed": 1}, "Ransac(seed=...)"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(tp.OptionError) as error:
        estimate_homography(GOOD, GOOD, **options)
    assert words in str(error.value)


@dataclass(frozen=True, kw_only=True)
class Given(Estimator):
    """An estimator of another package, which finds what it is told."""

    name: ClassVar[str] = "given"
    matrix: ClassVar[Array] = np.array([[0, 0, 1e4], [0, 100, 0], [1, 0, 0.0]])

    def homography(self, xy0: Array, xy1: Array, max_error: float) -> Estimate:
        error = np.linalg.norm(warp(self.matrix, xy0) - xy1, axis=1)
        return Estimate(matrix=self.matrix, inliers=error < max_error, iterations=1)


def test_an_object_is_an_estimator_and_what_it_finds_is_checked(rng: np.random.Generator) -> None:
    xy0 = rng.uniform(100, 600, (20, 2))
    xy1 = warp(Given.matrix, xy0)
    found = estimate_homography(xy0, xy1, estimator=Given())
    assert found.matrix is not None
    assert np.linalg.norm(found.matrix) == pytest.approx(1)  # no 1 to scale to: the origin goes to infinity
    assert found.iterations == 1
    contradicted = estimate_homography(xy0, xy1 + 99, estimator=Given())
    assert contradicted.reason == "0 matches that agree and no more; a homography needs 4"
    assert contradicted.iterations == 1


def test_estimate_is_a_value(rng: np.random.Generator) -> None:
    found = estimate_relative_pose(*spatial(rng), CAMERA0, CAMERA1)
    copy = pickle.loads(pickle.dumps(found))
    assert repr(copy) == repr(found)
    assert np.array_equal(copy.matrix, there(found.matrix))
    for array in (found.matrix, found.R, found.t, found.inliers):
        assert array is not None
        assert not array.flags.writeable
    with pytest.raises(tp.DataError, match="either a matrix or a reason"):
        Estimate(inliers=np.zeros(3, bool))
    with pytest.raises(tp.DataError, match="either a matrix or a reason"):
        Estimate(matrix=np.eye(3), reason="none", inliers=np.zeros(3, bool))


def test_the_table_says_what_each_is() -> None:
    for listed in ESTIMATORS.listing():
        assert listed.missing is None
        assert listed.summary
        assert listed.source
        assert {"confidence", "max_iterations", "seed"} <= {fact.name for fact in listed.options}


@pytest.mark.parametrize("name", NAMES)
def test_real_photos(name: str, data: Path) -> None:
    folder = data / "homography" / "graf"
    features0, features1 = (tp.extract(folder / f"{k}.png", "sift", max_keypoints=2000) for k in (1, 2))
    matches = tp.match_features(features0, features1, ratio=0.85)
    found = estimate_homography(matches.xy0, matches.xy1, estimator=name)
    assert found.matrix is not None
    truth = np.loadtxt(folder / "H_1_2")
    corners = np.array([[0, 0], [800, 0], [800, 640], [0, 640.0]])
    assert np.linalg.norm(warp(found.matrix, corners) - warp(truth, corners), axis=1).mean() < 2
