"""Which extractor, how many keypoints, which ratio: what the defaults of `tiepoint match` rest on.

The photos of three places (sacre_coeur, sceaux_castle, cyprus_arch), none of which is reported elsewhere,
at 0.8 megapixels; of each, changes with known geometry: other views, zoom, turns, light, blur, noise.
Keypoints and ratio are varied on one extraction with many: the strongest, and the nearest below a ratio.

    python benchmarks/defaults.py                       the table; photos from TIEPOINT_DATA
    python benchmarks/defaults.py --write docs/benchmarks.md
    python benchmarks/defaults.py --small               few photos and changes, for CI
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tables import markdown, publish

import tiepoint as tp
from tiepoint.evaluation import metrics
from tiepoint.evaluation.bench import timed_features
from tiepoint.evaluation.tune import at_most, draw_changes, pair
from tiepoint.extractors import get_extractor
from tiepoint.geometry import estimate_homography
from tiepoint.images import read_image
from tiepoint.matchers import View, get_matcher

MEGAPIXELS = 0.8
EXTRACTORS = {
    "orb": ("orb", {}),
    "sift": ("sift", {}),
    "rootsift": ("rootsift", {}),
    "rootsift, contrast 0.02": ("rootsift", {"contrast_threshold": 0.02}),
}
KEYPOINTS = (1000, 2000, 4096, 8192)
RATIOS = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7)

Setting = tuple[str, int, float]


class Outcome(NamedTuple):
    """Of one pair of photos under one setting."""

    corner_error: float
    right: int
    matches: int
    seconds: float


def outcomes(photo: Path, number: int, changes: int) -> dict[Setting, list[Outcome]]:
    """Measure all settings on the changes of one photo."""
    tp.set_threads(1)
    image = at_most(read_image(photo), MEGAPIXELS)
    found = defaultdict(list)
    for change in draw_changes(changes, seed=number):
        first, (second, truth) = pair(image, change)
        for label, (name, options) in EXTRACTORS.items():
            extractor = get_extractor(name, max_keypoints=max(KEYPOINTS), **options)
            sides = [timed_features(side, extractor) for side in (first, second)]
            for most in KEYPOINTS:
                kept = [side.features.strongest(most) for side in sides]
                mutual = get_matcher().match(*(View(features=features) for features in kept))
                for ratio in RATIOS:
                    matches = mutual if ratio == 1 else mutual.where(ratio=ratio)
                    errors = metrics.matching_errors(matches.xy0, matches.xy1, truth)
                    matrix = estimate_homography(matches.xy0, matches.xy1).matrix
                    found[label, most, ratio].append(
                        Outcome(
                            metrics.corner_error(matrix, truth, first.size),
                            int((errors <= 3).sum()),
                            len(matches),
                            sum(side.seconds for side in sides) / 2,
                        )
                    )
    return dict(found)


def row(setting: Setting, found: list[Outcome]) -> list[str]:
    """Sum up the pairs of one setting."""
    label, most, ratio = setting
    errors = np.array([outcome.corner_error for outcome in found])
    low, high = metrics.bootstrap_interval(errors, lambda some: float(metrics.auc(some, (3.0,))[0]))
    precision = [outcome.right / outcome.matches if outcome.matches else 0.0 for outcome in found]
    return [
        label,
        str(most),
        "none" if ratio == 1 else f"{ratio:g}",
        f"{100 * metrics.auc(errors, (3.0,))[0]:.1f}",
        f"{100 * low:.0f} to {100 * high:.0f}",
        f"{100 * np.mean(errors <= 10):.1f}",
        f"{100 * np.mean(precision):.1f}",
        f"{np.mean([outcome.right for outcome in found]):.0f}",
        f"{1e3 * np.mean([outcome.seconds for outcome in found]):.0f}",
    ]


def shown(setting: Setting) -> bool:
    """Tell whether a setting is in the table: the default's neighbours, one thing changed at a time."""
    label, most, ratio = setting
    return (ratio == 0.8) + (most == 4096) == 2 or (label == "rootsift" and (ratio == 0.8 or most == 4096))


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--all", action="store_true", help="print every setting")
    parser.add_argument("--changes", type=int, default=4, help="of each photo")
    parser.add_argument("--write", type=Path, metavar="PAGE")
    arguments = parser.parse_args()
    data = os.environ.get("TIEPOINT_DATA")
    if not data:
        sys.exit("TIEPOINT_DATA does not name the folder of real photos")
    photos = sorted(
        path for path in Path(data, "photos").glob("*/*") if path.suffix.lower() in {".jpg", ".jpeg"}
    )
    changes = arguments.changes
    if arguments.small:
        photos, changes = photos[::15], 2
    found: dict[Setting, list[Outcome]] = defaultdict(list)
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for done in pool.map(outcomes, photos, range(len(photos)), [changes] * len(photos)):
            for setting, results in done.items():
                found[setting] += results
    head = [
        "extractor",
        "keypoints",
        "ratio",
        "AUC@3 px",
        "95 %",
        "right homographies, %",
        "right matches, %",
        "right matches",
        "ms a photo",
    ]
    rows = [row(setting, results) for setting, results in found.items() if arguments.all or shown(setting)]
    print(f"{len(photos)} photos, {changes} changes each")
    publish("defaults", markdown(head, rows), arguments.write, check=False)


if __name__ == "__main__":
    main()
