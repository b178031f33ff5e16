"""Geometry from matches: tiepoint beside OpenCV, PoseLib and pycolmap on the same matches, and its time.

Homographies: Oxford's graf, wall, boat and leuven, 1 to k for k = 2..6, 20 pairs; poses: fountain-P11, the 40
pairs that turn less than 60 degrees, at 1536x1024. At most 4096 keypoints, mutual and ratio 0.85. Every
estimator gets its best known threshold. pycolmap, which tiepoint does not need, is measured where installed.

    python benchmarks/geometry.py                      the tables; photos from TIEPOINT_DATA
    python benchmarks/geometry.py --write docs/verifying.md
    python benchmarks/geometry.py --check docs/verifying.md    exit with 1 if the accuracies have changed
    python benchmarks/geometry.py --small              one sequence, two pairs for poses, for CI
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import poselib
from estimates import ROOTSIFT, Photos, three
from numpy.typing import NDArray
from tables import markdown, publish

import tiepoint as tp
from tiepoint import core
from tiepoint.evaluation import metrics
from tiepoint.evaluation.bench import Protocol, contenders, truth_reduced
from tiepoint.evaluation.datasets import Dataset, PoseTruth, load_dataset
from tiepoint.geometry.fit import fit
from tiepoint.matchers import NearestNeighbour, View
from tiepoint.types import Features, Matches

Floats = NDArray[np.float64]
SEED = 0
CONFIDENCE, MOST_SAMPLES = 0.9999, 10_000
OPENCV = {
    "OpenCV RANSAC": "RANSAC",
    "OpenCV MAGSAC++": "USAC_MAGSAC",
    "OpenCV USAC accurate": "USAC_ACCURATE",
}
NOT_INSTALLED = "not installed"


@dataclass(frozen=True)
class Pair:
    """Two photos' features and matches, and what is true of them."""

    features0: Features
    features1: Features
    matches: Matches
    truth: Any

    @property
    def points(self) -> tuple[Floats, Floats]:
        """The matches as (M, 2) float64."""
        return self.matches.xy0.astype(np.float64), self.matches.xy1.astype(np.float64)


def pairs_of(dataset: Dataset, features: str, short_side: int | None) -> list[Pair]:
    """Extract and match."""
    [row] = contenders(features, "nearest:ratio=0.85", max_keypoints=4096)
    photos = Photos(row.extractor, Protocol(short_side=short_side))
    pairs = []
    for pair in dataset:
        (one, reduced0), (other, reduced1) = photos(pair.photo0), photos(pair.photo1)
        matches = row.matcher.match(View(features=one.features), View(features=other.features))
        truth = truth_reduced(pair.truth, reduced0, reduced1)
        pairs.append(Pair(one.features, other.features, matches, truth))
    return pairs


# Homographies: a function from a pair to a matrix or None.


def opencv_homography(flag: str, pair: Pair) -> Floats | None:
    """Call OpenCV."""
    matrix, _ = cv2.findHomography(
        *pair.points, getattr(cv2, flag), 3.0, maxIters=MOST_SAMPLES, confidence=CONFIDENCE
    )
    return None if matrix is None else np.asarray(matrix)


def poselib_homography(pair: Pair) -> Floats | None:
    """Call PoseLib."""
    return np.asarray(
        poselib.estimate_homography(*pair.points, {"max_reproj_error": 2.0, "seed": SEED}, {})[0]
    )


def pycolmap_homography(pair: Pair) -> Floats | None:
    """Call pycolmap."""
    found = pycolmap().estimate_homography_matrix(*pair.points, ransac_of_pycolmap(4.0))
    return None if found is None else np.asarray(found["H"])


def tiepoint_homography(guided: bool, pair: Pair) -> Floats | None:
    """Call tiepoint, with the features or without."""
    features0, features1 = (pair.features0, pair.features1) if guided else (None, None)
    return tp.verify(pair.matches, model="homography", features0=features0, features1=features1).matrix


def oracle(pair: Pair) -> Floats | None:
    """Do least squares on all nearest neighbours that the truth confirms: no estimator knows more."""
    views = View(features=pair.features0), View(features=pair.features1)
    candidates = NearestNeighbour(cross_check=False).match(*views)
    xy0, xy1 = candidates.xy0.astype(np.float64), candidates.xy1.astype(np.float64)
    mapped = np.column_stack([xy0, np.ones(len(xy0))]) @ pair.truth.H_1_from_0.T
    right = np.linalg.norm(mapped[:, :2] / mapped[:, 2:] - xy1, axis=1) < 3
    return np.asarray(cv2.findHomography(xy0[right], xy1[right], 0)[0])


def homographies(groups: dict[str, list[Pair]]) -> str:
    """Measure corner errors; return their table."""
    methods: dict[str, Callable[[Pair], Floats | None] | None] = {
        f"{name}, 3 px": partial(opencv_homography, flag) for name, flag in OPENCV.items()
    }
    methods["PoseLib, 2 px"] = poselib_homography
    methods["pycolmap, 4 px"] = pycolmap_homography if has_pycolmap() else None
    methods["**tiepoint**"] = partial(tiepoint_homography, False)
    methods["**tiepoint**, guided"] = partial(tiepoint_homography, True)
    methods["least squares on what the truth confirms"] = oracle
    lines = []
    for name, method in methods.items():
        line = [name]
        for pairs in groups.values():
            if method is None:
                line.append(NOT_INSTALLED)
                continue
            errors = [
                metrics.corner_error(method(pair), pair.truth.H_1_from_0, pair.matches.image_size0)
                for pair in pairs
            ]
            line.append(three(metrics.auc(np.array(errors))))
        lines.append(line)
    return markdown(["AUC@1 / 3 / 5 px", *groups], lines)


# Relative poses: a function from a pair to R and t, or None.
Pose = tuple[Floats, Floats] | None


def opencv_pose(flag: str, pair: Pair) -> Pose:
    """Call OpenCV; its essential matrix is taken apart by itself, too."""
    truth: PoseTruth = pair.truth
    xy0, xy1 = (
        cv2.undistortPoints(xy[:, None], k, None)[:, 0]
        for xy, k in zip(pair.points, (truth.K0, truth.K1), strict=True)
    )
    focal = (truth.K0[0, 0] + truth.K0[1, 1] + truth.K1[0, 0] + truth.K1[1, 1]) / 4
    essential, mask = cv2.findEssentialMat(
        xy0, xy1, np.eye(3), getattr(cv2, flag), CONFIDENCE, 1.0 / focal, MOST_SAMPLES
    )
    if essential is None:
        return None
    _, rotation, translation, *_ = cv2.recoverPose(essential[:3], xy0, xy1, np.eye(3), 1e9, mask=mask)
    return np.asarray(rotation), np.asarray(translation).ravel()


def poselib_pose(pair: Pair) -> Pose:
    """Call PoseLib."""
    cameras = [
        {"model": "PINHOLE", "width": -1, "height": -1, "params": [k[0, 0], k[1, 1], k[0, 2], k[1, 2]]}
        for k in (pair.truth.K0, pair.truth.K1)
    ]
    options = {"max_epipolar_error": 1.0, "seed": SEED}
    pose, _ = poselib.estimate_relative_pose(*pair.points, *cameras, options, {})
    return np.asarray(pose.R), np.asarray(pose.t)


def pycolmap_pose(pair: Pair) -> Pose:
    """Call pycolmap; its pixels are half a pixel on, which is so in points and camera alike."""
    cameras = [
        pycolmap().Camera(model="PINHOLE", width=1, height=1, params=[k[0, 0], k[1, 1], k[0, 2], k[1, 2]])
        for k in (pair.truth.K0, pair.truth.K1)
    ]
    found = pycolmap().estimate_essential_matrix(*pair.points, *cameras, ransac_of_pycolmap(1.0))
    if found is None:
        return None
    moved = found["cam2_from_cam1"]
    return np.asarray(moved.rotation.matrix()), np.asarray(moved.translation)


def tiepoint_pose(guided: bool, max_error: float | None, pair: Pair) -> Pose:
    """Call tiepoint, with the features or without."""
    features0, features1 = (pair.features0, pair.features1) if guided else (None, None)
    found = tp.verify(
        pair.matches,
        model="essential",
        camera0=pair.truth.K0,
        camera1=pair.truth.K1,
        max_error=max_error,
        features0=features0,
        features1=features1,
    )
    return None if found.R is None or found.t is None else (found.R, found.t)


def poses(pairs: list[Pair]) -> str:
    """Measure relative poses; return their table."""
    methods: dict[str, Callable[[Pair], Pose] | None] = {
        f"{name}, 1 px": partial(opencv_pose, flag) for name, flag in OPENCV.items()
    }
    methods["PoseLib, 1 px"] = poselib_pose
    methods["pycolmap, 1 px"] = pycolmap_pose if has_pycolmap() else None
    methods["**tiepoint**, 1 px"] = partial(tiepoint_pose, False, 1.0)
    methods["**tiepoint**, by default"] = partial(tiepoint_pose, False, None)
    methods["**tiepoint**, by default, guided"] = partial(tiepoint_pose, True, None)
    lines = []
    for name, method in methods.items():
        if method is None:
            lines.append([name, NOT_INSTALLED, NOT_INSTALLED])
            continue
        errors = np.array([pose_errors(method(pair), pair.truth) for pair in pairs])
        lines.append([name, three(metrics.pose_auc(*errors.T)), f"{np.median(errors.max(axis=1)):.3f}"])
    return markdown(["", "AUC@5 / 10 / 20 degrees", "median, degrees"], lines)


def pose_errors(pose: Pose, truth: PoseTruth) -> tuple[float, float]:
    """Return the errors of rotation and of direction, in degrees; infinite where there is no pose."""
    if pose is None:
        return np.inf, np.inf
    return metrics.relative_pose_error(*pose, truth.R, truth.t)


# Time.


def times(pairs: Iterable[Pair], rounds: int) -> str:
    """Measure how long 2000 matches take, half of them wrong; return their table.

    The methods take turns, so that what else the machine does hits all of them alike; medians.
    """
    lines = []
    for name, matches in [("made", made(2000)), *[("graf 1 and 3", some(pair, 2000)) for pair in pairs]]:
        share = tp.verify(matches, model="homography", max_error=2.0).inliers.mean()
        for model, called in (("homography", "homography"), ("fundamental", "fundamental matrix")):
            contestants = (
                partial(magsac, model, matches),
                partial(fit, model, matches.xy0, matches.xy1, 2.0, quality=matches.ratio),
                partial(tp.verify, matches, model=model, max_error=2.0),
            )
            lines.append(
                [
                    f"{len(matches)} {name}, {100 * share:.0f} % on one homography",
                    called,
                    *(f"{taken:.1f}" for taken in in_turn(contestants, rounds)),
                ]
            )
    return markdown(
        ["matches", "model", "OpenCV's MAGSAC++, ms", "the model alone, ms", "tiepoint.verify, ms"], lines
    )


def magsac(model: str, matches: Matches) -> object:
    """Call OpenCV as its users do."""
    if model == "homography":
        return cv2.findHomography(
            matches.xy0, matches.xy1, cv2.USAC_MAGSAC, 2.0, maxIters=MOST_SAMPLES, confidence=CONFIDENCE
        )
    return cv2.findFundamentalMat(matches.xy0, matches.xy1, cv2.USAC_MAGSAC, 2.0, CONFIDENCE, MOST_SAMPLES)


def in_turn(contestants: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """Return the median time of each in milliseconds."""
    taken: list[list[float]] = [[] for _ in contestants]
    for call in contestants:
        call()
    for _ in range(rounds):
        for call, own in zip(contestants, taken, strict=True):
            start = time.perf_counter()
            call()
            own.append(1000 * (time.perf_counter() - start))
    return [statistics.median(own) for own in taken]


def made(m: int) -> Matches:
    """Make matches of a plane, with an error of half a pixel, every second one wrong."""
    rng = np.random.default_rng(SEED)
    h = np.array([[0.9, 0.1, 20], [-0.05, 0.95, 30], [1e-4, 5e-5, 1]])
    xy0 = rng.uniform(0, 639, (m, 2)) * [1, 479 / 639]
    mapped = np.column_stack([xy0, np.ones(m)]) @ h.T
    xy1 = mapped[:, :2] / mapped[:, 2:] + rng.normal(0, 0.5, (m, 2))
    xy1[::2] = rng.uniform(0, 479, (m // 2, 2))
    size = 700, 700
    distance = rng.uniform(0.3, 0.8, m).astype(np.float32)
    return Matches(
        xy0=xy0.astype(np.float32),
        xy1=np.clip(xy1, 0, 699).astype(np.float32),
        distance=distance,
        second_distance=(distance / rng.uniform(0.4, 0.85, m)).astype(np.float32),
        source="made",
        image_size0=size,
        image_size1=size,
    )


def some(pair: Pair, m: int) -> Matches:
    """Return mutual nearest neighbours without a ratio test, of which many are wrong."""
    views = View(features=pair.features0), View(features=pair.features1)
    matches = NearestNeighbour().match(*views)
    return matches[np.random.default_rng(SEED).permutation(len(matches))[:m]]


def has_pycolmap() -> bool:
    """Tell whether pycolmap is installed."""
    return importlib.util.find_spec("pycolmap") is not None


def pycolmap() -> Any:
    """Return the module."""
    return importlib.import_module("pycolmap")


def ransac_of_pycolmap(max_error: float) -> Any:
    """Return pycolmap's options."""
    options = pycolmap().RANSACOptions()
    options.max_error, options.confidence, options.random_seed = max_error, CONFIDENCE, SEED
    return options


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--write", type=Path, metavar="PAGE")
    where.add_argument("--check", type=Path, metavar="PAGE")
    where.add_argument("--small", action="store_true")
    arguments = parser.parse_args()
    data = os.environ.get("TIEPOINT_DATA")
    if not data:
        sys.exit("TIEPOINT_DATA does not name the folder of real photos")
    oxford = load_dataset(Path(data) / "homography")
    fountain = load_dataset(Path(data) / "pose" / "fountain-P11")
    if arguments.small:
        oxford, fountain = oxford.subset("graf"), replace(fountain, pairs=fountain.pairs[:2])
    groups = {
        "RootSIFT, short side 480": pairs_of(oxford, ROOTSIFT, 480),
        "ORB, short side 480": pairs_of(oxford, "orb", 480),
    }
    if not arguments.small:
        groups["RootSIFT, original size"] = pairs_of(oxford, ROOTSIFT, None)
    page = arguments.write or arguments.check
    check = arguments.check is not None
    publish("verified homographies", homographies(groups), page, check=check)
    publish("verified poses", poses(pairs_of(fountain, ROOTSIFT, None)), page, check=check)
    graf = pairs_of(replace(oxford, pairs=oxford.subset("graf").pairs[1:2]), ROOTSIFT, None)
    print(f"level of the compiled core: {core.level()}")
    table = times(graf, 5 if arguments.small else 51)
    publish("verified times", table, None if check else page, check=False)


if __name__ == "__main__":
    main()
