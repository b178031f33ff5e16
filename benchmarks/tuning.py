"""Whether the advice of `tiepoint tune` holds on the photos' own pairs.

tune only sees changed copies of photos, whose geometry is known. Here it gets five photos of a place and its
usual two minutes. Then the real pairs of that place are matched with what it recommends and with others, and
relative poses estimated. A pair is found if the rotation is within 3 degrees of the reference:

- sceaux_castle, cyprus_arch: nobody measured the cameras. The focal length is that of the EXIF data; of each
  pair the estimate with the most inliers is the reference, if a third photo bears it out: going by way of it
  turns the camera by the same rotation, within 2 degrees. A pair that no method finds is thus left out.
- fountain-P11: the measured cameras, of the pairs that turn less than 60 degrees. Nothing about tune was
  chosen on these photos.

    python benchmarks/tuning.py                        the table; photos from TIEPOINT_DATA
    python benchmarks/tuning.py --write docs/tuning.md
    python benchmarks/tuning.py --small                one place, few photos, for CI; exit with 1 if what is
                                                       recommended finds fewer pairs than all others
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tables import markdown, publish

from tiepoint import match_features
from tiepoint.evaluation.datasets import PoseTruth, load_dataset
from tiepoint.evaluation.tune import Candidate, Tuning, tune
from tiepoint.extractors import get_extractor
from tiepoint.geometry import Estimate, estimate_relative_pose
from tiepoint.images import read_image
from tiepoint.types import Image

OWN = ("sceaux_castle", "cyprus_arch")
TUNED_ON = 5
MAX_ERROR = 1.5  # pixels; lens distortion is left in
FOUND_WITHIN = 3.0  # degrees, of a rotation
BORNE_OUT_WITHIN = 2.0
ROLES = {
    "recommended": "recommended",
    "default": "default of `match`",
    "best": "highest score",
    "other": "of another kind",
}

Matrix = NDArray[np.float64]
Pair = tuple[int, int]
Estimates = dict[Pair, Estimate]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Photos of one place.

    Attributes
    ----------
    name : str
    images : list[Image]
    cameras : list of ndarray, (3, 3)
        Intrinsics.
    rotations : dict | None
        The true rotation between the photos of each pair to judge by; None where nobody knows it.
    """

    name: str
    images: list[Image]
    cameras: list[Matrix]
    rotations: dict[Pair, Matrix] | None = None

    def pairs(self) -> list[Pair]:
        """Return the pairs to match: those with a known rotation, or all."""
        return list(self.rotations or combinations(range(len(self.images)), 2))


class Run(NamedTuple):
    """What one method made of all pairs; CPU seconds to extract two photos, match and estimate."""

    estimates: Estimates
    seconds: float


def own_place(folder: Path, most: int | None = None) -> Place:
    """Read the photos of a folder; their focal lengths from EXIF, for 36 mm of the longer side."""
    images = [read_image(path) for path in sorted(folder.iterdir())[:most]]
    cameras = []
    for image in images:
        assert image.exif is not None
        assert image.exif.focal_length_35mm is not None
        focal = image.exif.focal_length_35mm / 36 * max(image.size)
        cameras.append(
            np.array([[focal, 0, (image.width - 1) / 2], [0, focal, (image.height - 1) / 2], [0, 0, 1]])
        )
    return Place(name=folder.name, images=images, cameras=cameras)


def measured_place(folder: Path) -> Place:
    """Read photos whose cameras were measured."""
    cameras: dict[Path, Matrix] = {}
    turns: dict[tuple[Path, Path], Matrix] = {}
    for pair in load_dataset(folder):
        assert isinstance(pair.truth, PoseTruth)
        cameras |= {pair.photo0: pair.truth.K0, pair.photo1: pair.truth.K1}
        turns[pair.photo0, pair.photo1] = pair.truth.R
    paths = sorted(cameras)
    return Place(
        name=folder.name,
        images=[read_image(path) for path in paths],
        cameras=[cameras[path] for path in paths],
        rotations={(paths.index(photo0), paths.index(photo1)): R for (photo0, photo1), R in turns.items()},
    )


def tuned(place: Place, budget: float | None) -> Tuning:
    """Tune on a few of the photos, evenly chosen."""
    chosen = np.linspace(0, len(place.images) - 1, TUNED_ON).round().astype(int)
    images = [place.images[k] for k in np.unique(chosen)]
    return tune(images) if budget is None else tune(images, budget=budget)


def methods(tuning: Tuning) -> dict[Candidate, str]:
    """Return what to match with, and what each stands for."""
    roles: dict[Candidate, list[str]] = {}
    for role in ("recommended", "default", "best", "other"):
        row = getattr(tuning, role)
        if row is not None:
            roles.setdefault(row.candidate, []).append(ROLES[role])
    for name, ratio in (("orb", 0.8), ("sift", None)):
        roles.setdefault(Candidate(extractor=get_extractor(name), ratio=ratio), ["to compare"])
    return {candidate: ", ".join(words) for candidate, words in roles.items()}


def matched(place: Place, candidate: Candidate) -> Run:
    """Extract, match and estimate with one method."""
    start = time.process_time()
    features = [candidate.extractor.extract(image) for image in place.images]
    of_photos = time.process_time() - start
    estimates = {}
    for i, j in place.pairs():
        matches = match_features(features[i], features[j], candidate.matcher)
        estimates[i, j] = estimate_relative_pose(
            matches.xy0, matches.xy1, place.cameras[i], place.cameras[j], max_error=MAX_ERROR
        )
    of_pairs = time.process_time() - start - of_photos
    return Run(estimates, 2 * of_photos / len(features) + of_pairs / len(estimates))


def references(runs: Sequence[Run]) -> dict[Pair, Matrix]:
    """Return the rotation of each pair on which the estimates by way of a third photo agree."""
    best: dict[Pair, Matrix] = {}
    for i, j in runs[0].estimates:
        strongest = max((run.estimates[i, j] for run in runs), key=lambda one: int(one.inliers.sum()))
        if strongest.R is not None:
            best |= {(i, j): strongest.R, (j, i): strongest.R.T}
    photos = {i for pair in best for i in pair}

    def borne_out(i: int, j: int) -> bool:
        return any(
            angle(best[k, j] @ best[i, k], best[i, j]) < BORNE_OUT_WITHIN
            for k in photos
            if (i, k) in best and (k, j) in best
        )

    return {(i, j): R for (i, j), R in best.items() if i < j and borne_out(i, j)}


def angle(R: Matrix, R_true: Matrix) -> float:
    """Return the angle between two rotations in degrees."""
    cosine = (np.trace(R.T @ R_true) - 1) / 2
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def inliers_where_found(run: Run, rotations: dict[Pair, Matrix]) -> NDArray[np.int_]:
    """Return the inliers of each pair; -1 where the rotation is wrong or there is none."""
    counts = []
    for pair, R_true in rotations.items():
        found = run.estimates[pair]
        right = found.R is not None and angle(found.R, R_true) <= FOUND_WITHIN
        counts.append(int(found.inliers.sum()) if right else -1)
    return np.array(counts)


class Line(NamedTuple):
    """What is shown of one method."""

    candidate: Candidate
    roles: str
    found: float
    inliers: float
    seconds: float


def judged(place: Place, tuning: Tuning) -> tuple[list[Line], int]:
    """Match a place with all methods; return a line of each and the number of pairs judged by."""
    roles = methods(tuning)
    runs = {candidate: matched(place, candidate) for candidate in roles}
    rotations = place.rotations or references(list(runs.values()))
    lines = []
    for candidate, run in runs.items():
        counts = inliers_where_found(run, rotations)
        median = float(np.median(np.maximum(counts, 0)))
        lines.append(Line(candidate, roles[candidate], float((counts >= 0).mean()), median, run.seconds))
    return lines, len(rotations)


def rows(place: Place, tuning: Tuning, lines: Sequence[Line], judged_by: int) -> list[list[str]]:
    """Write the lines of one place for the table."""
    title = (
        f"{place.name}: {judged_by} of {len(place.pairs())} pairs; tuned on {len(tuning.photos)} photos in "
        f"{tuning.seconds:.0f} s"
    )
    return [
        [title, "", "", "", ""],
        *(
            [
                line.candidate.words,
                line.roles,
                f"{100 * line.found:.0f}",
                f"{line.inliers:.0f}",
                f"{line.seconds:.2f}",
            ]
            for line in lines
        ),
    ]


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--write", type=Path, metavar="PAGE")
    where.add_argument("--small", action="store_true")
    arguments = parser.parse_args()
    data = os.environ.get("TIEPOINT_DATA")
    if not data:
        sys.exit("TIEPOINT_DATA does not name the folder of real photos")
    photos = Path(data, "photos")
    if arguments.small:
        places = [own_place(photos / OWN[0], most=4)]
    else:
        places = [
            *(own_place(photos / name) for name in OWN),
            measured_place(Path(data, "pose", "fountain-P11")),
        ]
    table = []
    for place in places:
        tuning = tuned(place, 10 if arguments.small else None)
        if tuning.recommended is None:
            sys.exit(f"{place.name}: the time did not do for a recommendation")
        lines, judged_by = judged(place, tuning)
        table += rows(place, tuning, lines, judged_by)
        if arguments.small and lines[0].found < min(line.found for line in lines[1:]):
            sys.exit(f"{lines[0].candidate.words} is recommended, and found fewer pairs than any other")
    head = ["method", "which is", "pairs found, %", "inliers in the median pair", "CPU seconds a pair"]
    publish("own pairs", markdown(head, table), arguments.write, check=False)


if __name__ == "__main__":
    main()
