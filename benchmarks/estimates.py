"""Homographies and relative poses from matches: ours beside figures that others measured.

Homographies: Oxford's graf, wall, boat and leuven, 1 to k for k = 2..6, 20 pairs; short side 480.
Poses: fountain-P11, the 40 pairs that turn less than 60 degrees, at 1536x1024. At most 4096 keypoints, mutual
and ratio 0.85. The figures beside ours were measured independently, with other code, for the same settings.
For homographies every estimator is run with ten seeds: how much its figures scatter is how much a comparison
can tell.

    python benchmarks/estimates.py                     the tables; photos from TIEPOINT_DATA
    python benchmarks/estimates.py --write docs/benchmarks.md
    python benchmarks/estimates.py --check docs/benchmarks.md    exit with 1 if ours have changed
    python benchmarks/estimates.py --small             one sequence, two seeds, for CI
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tables import markdown, publish

from tiepoint.evaluation import metrics
from tiepoint.evaluation.bench import (
    Extracted,
    Protocol,
    contenders,
    measure_features,
    reduced,
    timed_features,
    truth_reduced,
)
from tiepoint.evaluation.datasets import Dataset, HomographyTruth, load_dataset
from tiepoint.extractors import Extractor
from tiepoint.geometry import estimate_homography
from tiepoint.images import read_image
from tiepoint.matchers import View

# Descriptors as those of the independent figures: not rounded to bytes.
ROOTSIFT = "rootsift:contrast_threshold=0.02:quantise=false"
ESTIMATORS = (("poselib", 2.0), ("opencv", 3.0), ("magsac", 3.0))
INDEPENDENT = {
    "rootsift": "0.564, 0.751, 773",
    "orb": "0.348, 0.674, 903",
    ("rootsift", "poselib"): "35.8 / 57.7 / 66.2",
    ("rootsift", "opencv"): "31.2 / 54.5 / 66.3",
    ("rootsift", "magsac"): "31.0 / 53.9 / 65.5",
    ("orb", "poselib"): "22.2 / 46.3 / 58.4",
    ("orb", "opencv"): "11.4 / 42.1 / 56.5",
    ("orb", "magsac"): "22.9 / 44.2 / 58.2",
}
INDEPENDENT_POSES = {
    "poselib": "98.5 / 99.3 / 99.6",
    "opencv": "93.6 / 96.8 / 98.4",
    "magsac": "94.1 / 97.1 / 98.5",
}


class Photos:
    """Reduced photos and their features, each extracted once."""

    def __init__(self, extractor: Extractor, protocol: Protocol) -> None:
        self.extractor, self.protocol = extractor, protocol
        self.seen: dict[Path, tuple[Extracted, NDArray[np.float64]]] = {}

    def __call__(self, photo: Path) -> tuple[Extracted, NDArray[np.float64]]:
        """Return the features, and the matrix that reduced the photo."""
        if photo not in self.seen:
            image, matrix = reduced(read_image(photo), self.protocol.short_side, exact=self.protocol.exact)
            self.seen[photo] = timed_features(image, self.extractor), matrix
        return self.seen[photo]


def tables(dataset: Dataset, seeds: int) -> tuple[str, str]:
    """Measure; return the table of matches and that of homographies."""
    rows = contenders(f"{ROOTSIFT},orb", "nearest:ratio=0.85", max_keypoints=4096)
    of_matches, of_homographies = [], []
    for row in rows:
        name = row.extractor.name
        photos = Photos(row.extractor, Protocol())
        matches, truths, records = [], [], []
        for pair in dataset:
            (extracted0, reduced0), (extracted1, reduced1) = photos(pair.photo0), photos(pair.photo1)
            truth = truth_reduced(pair.truth, reduced0, reduced1)
            assert isinstance(truth, HomographyTruth)
            records.append(measure_features(extracted0, extracted1, truth, row.matcher))
            views = View(features=extracted0.features), View(features=extracted1.features)
            matches.append(row.matcher.match(*views))
            truths.append(truth)
        mma = np.mean([record["mma"] for record in records], axis=0)
        count = np.mean([record["matches"] for record in records])
        corners = [record["corner_error"] for record in records]
        correct = metrics.correctness(np.array([np.inf if error is None else error for error in corners]))
        of_matches.append(
            [name, f"{mma[0]:.3f}", f"{mma[2]:.3f}", f"{count:.0f}", INDEPENDENT[name], three(correct)],
        )
        for estimator, max_error in ESTIMATORS:
            areas = []
            for seed in range(seeds):
                errors = []
                for found, truth in zip(matches, truths, strict=True):
                    estimate = estimate_homography(
                        found.xy0, found.xy1, estimator=estimator, max_error=max_error, seed=seed
                    )
                    errors.append(metrics.corner_error(estimate.matrix, truth.H_1_from_0, found.image_size0))
                areas.append(metrics.auc(np.array(errors)))
            scatter = np.array(areas)
            of_homographies.append(
                [
                    f"{name}, {estimator} {max_error:g} px",
                    three(scatter[0]),
                    INDEPENDENT[name, estimator],
                    three(scatter.mean(axis=0)),
                    three(scatter.std(axis=0, ddof=1)),
                ]
            )
    return (
        markdown(
            ["features", "MMA@1", "MMA@3", "matches a pair", "independently", "right within 1 / 3 / 5 px, %"],
            of_matches,
        ),
        markdown(
            ["AUC@1 / 3 / 5 px", "tiepoint", "independently", f"mean of {seeds} seeds", "scatter of seeds"],
            of_homographies,
        ),
    )


def poses(dataset: Dataset) -> str:
    """Measure relative poses; return their table."""
    [row] = contenders(ROOTSIFT, "nearest:ratio=0.85", max_keypoints=4096)
    photos = Photos(row.extractor, Protocol(short_side=None))
    lines = []
    for estimator, _ in ESTIMATORS:
        protocol = Protocol.build({"short_side": None, "estimator": estimator, "max_error": 1.0})
        records = [
            measure_features(
                photos(pair.photo0)[0], photos(pair.photo1)[0], pair.truth, row.matcher, protocol
            )
            for pair in dataset
        ]
        angles = [
            np.array([np.inf if record[name] is None else record[name] for record in records])
            for name in ("rotation_error", "translation_error")
        ]
        lines.append(
            [
                f"rootsift, {estimator} 1 px",
                three(metrics.pose_auc(*angles)),
                INDEPENDENT_POSES[estimator],
                f"{np.median(np.maximum(*angles)):.3f}",
            ]
        )
    return markdown(["AUC@5 / 10 / 20 degrees", "tiepoint", "independently", "median, degrees"], lines)


def three(areas: NDArray[np.float64]) -> str:
    """Return areas in percent."""
    return " / ".join(f"{100 * area:.1f}" for area in areas)


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
    dataset = load_dataset(Path(data) / "homography")
    if arguments.small:
        dataset = dataset.subset("graf")
    matches, homographies = tables(dataset, 2 if arguments.small else 10)
    turned = load_dataset(Path(data) / "pose" / "fountain-P11")
    if arguments.small:
        turned = replace(turned, pairs=turned.pairs[:2])
    page = arguments.write or arguments.check
    publish("matches", matches, page, check=arguments.check is not None)
    publish("homographies", homographies, page, check=arguments.check is not None)
    publish("poses", poses(turned), page, check=arguments.check is not None)


if __name__ == "__main__":
    main()
