"""Classical and learned methods side by side, where the truth is known, and published figures beside them.

Homographies: Oxford's graf, wall, boat and leuven, 1 to k for k = 2..6, 20 pairs; short side 480.
Poses: fountain-P11, the 40 pairs that turn less than 60 degrees, at 1536x1024. At most 4096 keypoints.
Homographies by PoseLib at 2 px, poses at 1 px. A method that is not installed is left out.

    python benchmarks/side_by_side.py --keep FOLDER      the tables; photos from TIEPOINT_DATA; can be resumed
    python benchmarks/side_by_side.py --keep FOLDER --write docs/learned.md
    python benchmarks/side_by_side.py --small            one pair of each, for CI
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from tables import markdown, publish

from tiepoint.evaluation.bench import Contender, Protocol, Row, contenders, run_bench, summed_up
from tiepoint.evaluation.datasets import Dataset, load_dataset

# Of other photos, and so only the order of the methods can be compared: AUC@1/3/5 px on HPatches, short side
# 480, by PoseLib; AUC@5/10/20 degrees on MegaDepth-1500, by OpenCV's RANSAC.
PUBLISHED = {
    "xfeat+nearest": ("", "42.6 / 56.4 / 67.7 (XFeat's paper)"),
    "xfeat-star+xfeat-star": ("", "50.2 / 65.4 / 77.1 (XFeat's paper)"),
    "aliked+lightglue": ("", "52.3 / 68.8 / 81.0 (glue-factory)"),
    "disk+lightglue": ("28.6 / 60.5 / 72.9 (a survey)", ""),
}
METHODS = (
    "sift+nearest:ratio=0.85",
    "rootsift+nearest:ratio=0.85",
    "orb+nearest:ratio=0.85",
    "xfeat+nearest",
    "xfeat-star+xfeat-star",
    "xfeat+lighterglue",
    "disk+lightglue",
    "aliked+lightglue",
)
MOST_KEYPOINTS = 4096


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="records, for another time")
    parser.add_argument("--write", type=Path, metavar="PAGE")
    parser.add_argument("--small", action="store_true")
    chosen = parser.parse_args()
    folder = os.environ.get("TIEPOINT_DATA")
    if not folder:
        sys.exit("set TIEPOINT_DATA to the folder with the photos")
    flat, deep = (load_dataset(Path(folder) / name) for name in ("homography", "pose/fountain-P11"))
    if chosen.small:
        flat, deep = (replace(dataset, pairs=dataset.pairs[:1]) for dataset in (flat, deep))
    rows = [row for method in METHODS for row in contenders(method, max_keypoints=MOST_KEYPOINTS)]
    rows = [row for row in rows if row.extractor.missing() is None and row.matcher.missing() is None]
    of_flat = measured(flat, rows, Protocol(), chosen.keep)
    of_deep = measured(deep, rows, Protocol(short_side=None, max_error=1.0), chosen.keep)
    publish("side by side, homographies", homographies(of_flat), chosen.write, check=False)
    publish("side by side, poses", poses(of_deep), chosen.write, check=False)


def measured(
    dataset: Dataset, rows: list[Contender], protocol: Protocol, keep: Path | None
) -> tuple[Row, ...]:
    """Measure every method on a data set."""
    folder = None if keep is None else keep / dataset.name
    return summed_up(rows, run_bench(dataset, rows, protocol, folder=folder))


def homographies(rows: tuple[Row, ...]) -> str:
    """Return the table of Oxford's sequences."""
    head = ["method", "keypoints", "matches", "MMA@1", "MMA@3", "AUC@1 / 3 / 5 px", "published, HPatches"]
    body = [
        [
            row.label,
            f"{row.figures['keypoints'].value:.0f}",
            f"{row.figures['matches'].value:.0f}",
            f"{row.figures['mma@1'].value:.3f}",
            f"{row.figures['mma@3'].value:.3f}",
            three(row, "homography_auc", (1, 3, 5)),
            PUBLISHED.get(row.label, ("", ""))[0],
        ]
        for row in rows
    ]
    return markdown(head, body)


def poses(rows: tuple[Row, ...]) -> str:
    """Return the table of the fountain."""
    head = [
        "method",
        "matches",
        "near their line",
        "AUC@5 / 10 / 20 degrees",
        "published, MegaDepth-1500",
    ]
    body = [
        [
            row.label,
            f"{row.figures['matches'].value:.0f}",
            f"{row.figures['precision'].value:.2f}",
            three(row, "pose_auc", (5, 10, 20)),
            PUBLISHED.get(row.label, ("", ""))[1],
        ]
        for row in rows
    ]
    return markdown(head, body)


def three(row: Row, name: str, at: tuple[int, ...]) -> str:
    """Return areas in percent."""
    return " / ".join(f"{100 * row.figures[f'{name}@{limit}'].value:.1f}" for limit in at)


if __name__ == "__main__":
    main()
