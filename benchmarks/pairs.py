"""Every method on the hard pairs: how many matches agree, what the verdict says, how much it computes.

pairs/: photos of one scene, and one pair that is not. wxbs/: 19 pairs with correspondences made by hand,
which confirm a geometry if their median distance from it is below 5 pixels. A method that is not installed
is left out. auto takes what there is, so it comes twice: from an environment without PyTorch and one with it.
With --turned, photos/cyprus_arch, where one photo is upside down and one lies on its side.

    python benchmarks/pairs.py --to pairs.jsonl               photos from TIEPOINT_DATA; can be resumed
    python benchmarks/pairs.py --to pairs.jsonl --write docs/learned.md
    python benchmarks/pairs.py --turned
    python benchmarks/pairs.py --small                        three pairs, and what must hold of them, for CI
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from tables import markdown, publish

import tiepoint as tp
from tiepoint.evaluation.calibration import attempts, confirmed, real_pairs
from tiepoint.evaluation.calibration.photos import LabelledPair
from tiepoint.extractors import EXTRACTORS
from tiepoint.pipeline.auto import LEARNED

METHODS = (
    "rootsift",
    "sift",
    "orb",
    "xfeat+nearest",
    "xfeat-star",
    "xfeat+lighterglue",
    "disk+lightglue",
    "aliked+lightglue",
    "auto",
    "auto with PyTorch",
)
# What must hold of auto wherever XFeat's weights are.
MUST = {"kn_church": ("yes",), "fresco": ("yes",), "negative_chartres_notredame": ("no", "unsure")}


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--methods", nargs="+", default=METHODS, metavar="METHOD")
    parser.add_argument("--to", type=Path, metavar="FILE")
    parser.add_argument("--write", type=Path, metavar="PAGE")
    parser.add_argument("--turned", action="store_true")
    parser.add_argument("--small", action="store_true")
    chosen = parser.parse_args()
    folder = os.environ.get("TIEPOINT_DATA")
    if not folder:
        sys.exit("set TIEPOINT_DATA to the folder with the photos")
    root = Path(folder)
    if chosen.small:
        return small(root)
    if chosen.turned:
        return turned(root)
    rows = measured(root, chosen.methods, chosen.to)
    publish("hard pairs", hard(rows), chosen.write, check=False)
    publish("wxbs", wide(rows), chosen.write, check=False)
    return 0


def installed(method: str) -> bool:
    """Tell whether a method can run here."""
    if method.startswith("auto"):
        # It takes what is there, so that one environment shows one of the two.
        return (EXTRACTORS.load("aliked").missing() is None) == (method != "auto")
    return not any(one.extractor.missing() or one.matcher.missing() for one in attempts(method))


def matched(method: str, photo0: Path, photo1: Path) -> tp.MatchResult:
    """Match two photos by a method of the table."""
    if method.startswith("auto"):
        return tp.match(photo0, photo1)
    (one,) = attempts(method)
    return tp.match(photo0, photo1, extractor=one.extractor, matcher=one.matcher)


def measured(root: Path, methods: list[str], path: Path | None) -> list[dict[str, Any]]:
    """Return a row for every method and pair; those in the file are not measured again."""
    rows: list[dict[str, Any]] = []
    if path is not None and path.exists():
        rows = [json.loads(line) for line in path.read_text().splitlines()]
    done = {(row["method"], row["pair"]) for row in rows}
    for method in filter(installed, methods):
        for pair in hard_pairs(root):
            name = pair.photo0.folder
            if (method, name) in done:
                continue
            row = {"method": method, "pair": name, **one_row(method, pair)}
            rows.append(row)
            print(row, file=sys.stderr)
            if path is not None:
                with path.open("a") as file:
                    file.write(json.dumps(row) + "\n")
    return [row for row in rows if row["method"] in methods]


def hard_pairs(root: Path) -> list[LabelledPair]:
    """Return those pairs of pairs/ and wxbs/ that lie in one folder."""
    return [
        pair
        for pair in real_pairs(root)
        if pair.photo0.folder == pair.photo1.folder and pair.photo0.folder.startswith(("pairs/", "wxbs/"))
    ]


def one_row(method: str, pair: LabelledPair) -> dict[str, Any]:
    """Measure one pair."""
    start = time.process_time()
    result = matched(method, pair.photo0.path, pair.photo1.path)
    seconds = time.process_time() - start
    assert result.geometry is not None
    assert result.verdict is not None
    return {
        "matches": len(result.matches),
        "inliers": result.geometry.count,
        "answer": result.verdict.answer,
        "probability": result.verdict.probability,
        "right": confirmed(result.geometry, pair.truth),
        "seconds": round(seconds, 2),
    }


def hard(rows: list[dict[str, Any]]) -> str:
    """Return the table of pairs/: matches that agree, of all, and the answer."""
    methods = list(dict.fromkeys(row["method"] for row in rows))
    cells = {
        (row["pair"], row["method"]): f"{row['inliers']} of {row['matches']}, {row['answer']}" for row in rows
    }
    names = [name for name in dict.fromkeys(row["pair"] for row in rows) if name.startswith("pairs/")]
    body = [[name.removeprefix("pairs/"), *(cells[name, method] for method in methods)] for name in names]
    return markdown(["pair", *methods], body)


def wide(rows: list[dict[str, Any]]) -> str:
    """Return the table of wxbs/: how many geometries are right, and what the verdict makes of them."""
    body = []
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method]
        wxbs = [row for row in own if row["pair"].startswith("wxbs/")]
        right = [row for row in wxbs if row["right"]]
        wrong = [row for row in wxbs if not row["right"]]
        body.append(
            [
                method,
                f"{len(right)} of {len(wxbs)}",
                str(sum(row["answer"] == "yes" for row in right)),
                str(sum(row["answer"] == "yes" for row in wrong)),
                f"{np.median([row['seconds'] for row in own]):.1f}",
            ]
        )
    return markdown(
        ["method", "confirmed", "of these yes", "yes, but not confirmed", "CPU seconds a pair, median"], body
    )


def turned(root: Path) -> int:
    """Match every two photos of cyprus_arch."""
    wrong = 0
    for photo0, photo1 in combinations(sorted((root / "photos" / "cyprus_arch").glob("*.*")), 2):
        result = matched("auto", photo0, photo1)
        print(photo0.name, photo1.name, result.verdict, *result.log[-1:])
        wrong += result.verdict is None or result.verdict.answer != "yes"
    return int(wrong > 0)


def small(root: Path) -> int:
    """Judge a few pairs with auto; without the weights there is nothing to hold it to."""
    if not installed(LEARNED[0]):
        sys.exit("XFeat is not here; get it with: tiepoint weights fetch xfeat")
    wrong = 0
    for pair in hard_pairs(root):
        allowed = MUST.get(pair.photo0.path.parent.name)
        if allowed is not None:
            row = one_row("auto", pair)
            wrong += row["answer"] not in allowed
            print(pair.photo0.folder, row, "" if row["answer"] in allowed else f"<- must be {allowed}")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
