"""How many of the first matches are right, and what the usual filters do about it.

Runs on the rendered scene, whose truth is known, and, where TIEPOINT_DATA names the folder of real
photos, on the Oxford sequences graf, wall, boat and leuven (1 to 2..6, 20 pairs, true homographies).
A match is right within 3 pixels of the truth.

    python benchmarks/first_matches.py                           print
    python benchmarks/first_matches.py --write docs/tutorial.md  and put the tables into the page
    python benchmarks/first_matches.py --check docs/tutorial.md  and fail if the page shows others
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tables import markdown, publish

import tiepoint as tp
from tiepoint.evaluation import render_demo

SEQUENCES = ("graf", "wall", "boat", "leuven")
EXTRACTORS = ("orb", "sift")
MAX_ERROR = 3.0


@dataclass(frozen=True)
class Case:
    """A matched pair, and which of its matches are right."""

    matches: tp.Matches
    right: NDArray[np.bool_]


def rendered(extractor: str) -> Iterator[Case]:
    """Match the rendered pair."""
    scene = render_demo()
    matches = tp.match(scene.image0, scene.image1, extractor=extractor, matcher="nearest").matches
    yield Case(matches, scene.correct(matches.xy0, matches.xy1, max_error=MAX_ERROR))


def oxford(folder: Path, extractor: str, sequences: tuple[str, ...]) -> Iterator[Case]:
    """Match the first photo of each sequence with the other five."""
    for sequence in sequences:
        features = [tp.extract(folder / sequence / f"{i}.png", extractor) for i in range(1, 7)]
        for k in range(2, 7):
            matches = tp.match_features(features[0], features[k - 1])
            H = np.loadtxt(folder / sequence / f"H_1_{k}")
            projected = np.column_stack([matches.xy0, np.ones(len(matches))]) @ H.T
            error = np.linalg.norm(projected[:, :2] / projected[:, 2:] - matches.xy1, axis=1)
            yield Case(matches, error <= MAX_ERROR)


def top(case: Case, n: int, rank: Callable[[tp.Matches], NDArray[np.float32]]) -> NDArray[np.bool_]:
    """Return which of the first n are right, in an order that is given by a number, least first."""
    return case.right[np.argsort(rank(case.matches), kind="stable")[:n]]


def by_distance(matches: tp.Matches) -> NDArray[np.float32]:
    """Rank as the tutorials do."""
    assert matches.distance is not None
    return matches.distance


def by_ratio(matches: tp.Matches) -> NDArray[np.float32]:
    """Rank as Matches.strongest does."""
    assert matches.ratio is not None
    return matches.ratio


def share(parts: list[NDArray[np.bool_]]) -> str:
    """Return the mean over pairs of the share that is right; a pair without matches counts as 0."""
    return f"{100 * np.mean([part.mean() if len(part) else 0.0 for part in parts]):.0f} %"


def ranking_table(cases: dict[str, list[Case]]) -> str:
    """Return: of the first 10, 50, 200 and of all, how many are right, by distance and by ratio."""
    rows = []
    for name, pairs in cases.items():
        for title, rank in (("distance", by_distance), ("ratio", by_ratio)):
            firsts = [share([top(case, n, rank) for case in pairs]) for n in (10, 50, 200)]
            rows.append([f"{name}, by {title}", *firsts, share([case.right for case in pairs])])
    return markdown(["cross-checked matches", "first 10", "first 50", "first 200", "all"], rows)


def filter_table(cases: dict[str, list[Case]]) -> str:
    """Return how many matches a filter leaves in a pair, and how many of these are right."""
    limits = {"orb": 40.0, "sift": 150.0}
    rows = []
    for name, pairs in cases.items():
        limit = next(
            value for extractor, value in limits.items() if name.upper().startswith(extractor.upper())
        )
        for title, ratio, distance in (
            ("cross-check", None, None),
            (f"and distance at most {limit:g}", None, limit),
            ("and ratio 0.9", 0.9, None),
            ("and ratio 0.8", 0.8, None),
            ("and ratio 0.7", 0.7, None),
        ):
            kept = []
            for case in pairs:
                passed = np.ones(len(case.right), bool)
                if ratio is not None:
                    passed &= by_ratio(case.matches) < ratio
                if distance is not None:
                    passed &= by_distance(case.matches) <= distance
                kept.append(case.right[passed])
            rows.append([f"{name}, {title}", f"{np.mean([len(part) for part in kept]):.0f}", share(kept)])
    return markdown(["filter", "matches", "right"], rows)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", type=Path, metavar="PAGE")
    parser.add_argument("--check", type=Path, metavar="PAGE")
    parser.add_argument("--small", action="store_true", help="one sequence only, and no page")
    arguments = parser.parse_args()
    page = None if arguments.small else arguments.check or arguments.write
    check = arguments.check is not None

    scene = {extractor.upper(): list(rendered(extractor)) for extractor in EXTRACTORS}
    publish("first_matches.py: rendered, ranking", ranking_table(scene), page, check=check)
    publish("first_matches.py: rendered, filters", filter_table(scene), page, check=check)
    if not os.environ.get("TIEPOINT_DATA"):
        print("TIEPOINT_DATA is not set: the rows of the Oxford sequences were not run")
        return
    folder = Path(os.environ["TIEPOINT_DATA"]) / "homography"
    sequences = SEQUENCES[:1] if arguments.small else SEQUENCES
    real = {extractor.upper(): list(oxford(folder, extractor, sequences)) for extractor in EXTRACTORS}
    publish("first_matches.py: Oxford, ranking", ranking_table(real), page, check=check)
    publish("first_matches.py: Oxford, filters", filter_table(real), page, check=check)


if __name__ == "__main__":
    main()
