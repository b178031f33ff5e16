"""The verdict: its evidence measured on pairs of known truth, fitted, and its word held against the truth.

Pairs of one scene: of the folders in scenes.json and pairs/pairs.json, and of every photo with two changed
copies (viewpoint, zoom, light, small overlap, ...). Pairs of different scenes: all others. A geometry that
the known homography, the known cameras or the hand-made correspondences contradict counts as wrong.
Every probability in the table is that of a fit which has seen neither of the pair's scenes; true and false
pairs weigh the same.

    python benchmarks/verdict.py --measure sift --to sift.jsonl   photos from TIEPOINT_DATA; can be resumed
    python benchmarks/verdict.py --measure rootsift,xfeat+lighterglue --keep matches     of their union
    python benchmarks/verdict.py --fit *.jsonl                    fit, and write src/tiepoint/verdict.json
    python benchmarks/verdict.py --report *.jsonl --write docs/verifying.md   table and reliability diagram
    python benchmarks/verdict.py --small                          pairs/ with the fit as it is, for CI
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from tables import markdown, publish

import tiepoint as tp
from tiepoint.evaluation.calibration import (
    SIGNS,
    Bin,
    Methods,
    Trial,
    balanced,
    expected_calibration_error,
    fitted,
    held_out,
    labels,
    predicted,
    real_pairs,
    reliability,
    roc_auc,
    trials,
)
from tiepoint.verdict import COEFFICIENTS, families

ROOT = Path(__file__).parent.parent
YES, NO = 0.9, 0.04
MARGIN = 1.5  # of the odds of the worst pair of different scenes
_SERIES = tuple(
    zip(
        ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999"),
        "osD^vPX*",
        strict=True,
    )
)
ALLOWED = {
    ("yes",): "uttower stata_center lightglue_dsc xfeat_frame london_bridge montmartre",
    ("yes", "unsure"): "kn_church sacre_coeur toronto wxbs_berlin indoor_gcs",
    ("no", "unsure"): "negative_chartres_notredame",
}
DECIDED = {name: answers for answers, names in ALLOWED.items() for name in names.split()}


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--measure", metavar="METHOD")
    parser.add_argument("--to", type=Path, metavar="FILE")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="of the matches, for other methods")
    parser.add_argument("--negatives", type=int, help="at most so many pairs of different scenes")
    parser.add_argument("--fit", type=Path, nargs="+", metavar="FILE")
    parser.add_argument("--report", type=Path, nargs="+", metavar="FILE")
    parser.add_argument("--write", type=Path, metavar="PAGE")
    parser.add_argument("--small", action="store_true")
    chosen = parser.parse_args()
    if chosen.measure:
        path = chosen.to or Path(f"{chosen.measure}.jsonl")
        measure(chosen.measure, path, chosen.negatives, chosen.keep)
    if chosen.fit:
        fit(chosen.fit)
    if chosen.report:
        report(chosen.report, chosen.write)
    return small() if chosen.small else 0


def root() -> Path:
    """Return the folder with the photos."""
    folder = os.environ.get("TIEPOINT_DATA")
    if not folder:
        sys.exit("set TIEPOINT_DATA to the folder with the photos")
    return Path(folder)


def measure(method: str, path: Path, negatives: int | None, kept: Path | None) -> None:
    """Append a trial of each pair to a file."""
    methods = Methods(method, kept)
    if path.exists():  # of a line that was cut off only the beginning is there
        path.write_text("".join(line for line in path.read_text().splitlines(True) if line.endswith("\n")))
    done = [trial.name for trial in read(path)] if path.exists() else []
    with path.open("a") as file:
        for trial in trials(root(), methods, negatives=negatives, done=done):
            file.write(json.dumps({"method": method, **trial.document()}) + "\n")
            file.flush()


def read(path: Path) -> list[Trial]:
    """Read what measure has written."""
    found = []
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        entry.pop("method", None)
        found.append(Trial(**{**entry, "scenes": tuple(entry["scenes"])}))
    return found


def fit(paths: list[Path]) -> None:
    """Fit a family to each file, named after the sources of its matches, and write them beside the module."""
    target = ROOT / "src" / "tiepoint" / COEFFICIENTS
    entries: dict[str, Any] = json.loads(target.read_text())["families"]
    for path in paths:
        sources, measured = path.stem.split(","), read(path)
        model = fitted(measured)
        weights = {key: round(float(w), 4) for key, w in zip(SIGNS, model.weights, strict=True) if w}
        entries[path.stem] = {
            "sources": sources,
            "intercept": round(model.intercept, 4),
            "weights": weights,
            "yes": surely(measured),
            # Of a union's no, auto takes back what RootSIFT leaves open.
            "no": NO if len(sources) > 1 else surely_not(measured),
        }
    document = {"made by": "benchmarks/verdict.py --fit", "families": entries}
    target.write_text(json.dumps(document, indent=2) + "\n")


def surely(measured: list[Trial]) -> float:
    """Return from which probability on to say yes.

    No pair of different scenes comes near it held out, doubts or not: a doubt hangs on a single number, and
    on another machine all are a little different. No geometry that the truth contradicts has it at all.
    """
    different = np.array([one.kind == "different" for one in measured])
    contradicted = ~labels(measured) & ~different
    worst = max(held_out(measured, capped=False)[different], default=0.0)
    largest = max([MARGIN * worst / (1 - worst + MARGIN * worst), *predicted(measured)[contradicted]])
    return max(YES, math.ceil(100 * float(largest)) / 100)


def surely_not(measured: list[Trial]) -> float:
    """Return up to which probability to say no: no usual pair of one scene has so little."""
    same = [is_usual(one) and one.label for one in measured]
    return min(NO, max(0, math.ceil(1000 * float(predicted(measured)[same].min())) - 1) / 1000)


def report(paths: list[Path], page: Path | None) -> None:
    """Print the table, and write it and the diagram into the docs."""
    rows, bins = [], {}
    for path in paths:
        measured = read(path)
        rows.append(row(path.stem, measured))
        bins[path.stem] = reliability(held_out(measured), labels(measured), balanced(labels(measured)))
    head = [
        "matches of",
        "same",
        "different",
        "ROC AUC",
        "real ones, without wxbs",
        "calibration error",
        "p >= 0.9: right",
        "wrong",
        "of the same: found",
        "different: largest p",
        "yes from p on",
    ]
    text = markdown(head, rows)
    publish("verdict", text, page, check=False)
    for name, parts in bins.items():
        print(name, *(f"{part.probability:.2f}:{part.share:.2f} ({part.weight:.3f})" for part in parts))
    if page is not None:
        draw(bins, ROOT / "docs" / "pictures" / "reliability.png")


def row(name: str, measured: list[Trial]) -> list[str]:
    """Return a line of the table."""
    truth, probability = labels(measured), held_out(measured)
    weights = balanced(truth)
    different = np.array([trial.kind == "different" for trial in measured])
    usual = np.array([is_usual(trial) for trial in measured])
    sure = (probability >= YES) & np.array([trial.found for trial in measured])
    return [
        name,
        str(np.count_nonzero(~different)),
        str(np.count_nonzero(different)),
        f"{roc_auc(probability, truth):.4f}",
        f"{roc_auc(probability[usual], truth[usual]):.4f}",
        f"{expected_calibration_error(probability, truth, weights):.3f}",
        str(np.count_nonzero(sure & truth)),
        str(np.count_nonzero(sure & ~truth)),
        f"{np.mean([trial.found for trial in measured if trial.kind != 'different']):.0%}",
        f"{probability[different].max():.2f}",
        f"{surely(measured):.2f}",
    ]


def is_usual(trial: Trial) -> bool:
    """Tell whether this is a pair of real photos, and none of wxbs/, chosen because methods fail on them."""
    return trial.kind == "different" or (trial.kind == "same" and not trial.name.startswith("wxbs/"))


def draw(bins: dict[str, tuple[Bin, ...]], path: Path) -> None:
    """Draw the reliability diagram."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5.2), dpi=100, layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for ax, union in zip(axes, (False, True), strict=True):
        ax.plot([0, 1], [0, 1], color="0.7", zorder=1)
        chosen = {name: parts for name, parts in bins.items() if ("," in name) == union}
        for (name, parts), (colour, mark) in zip(chosen.items(), _SERIES, strict=False):
            said, was = [part.probability for part in parts], [part.share for part in parts]
            size = [12 + 120 * part.weight for part in parts]
            label = name.replace(",", ", ")
            ax.scatter(said, was, s=size, c=colour, marker=mark, alpha=0.8, label=label, zorder=2)
        ax.set(
            title="unions" if union else "one method",
            xlabel="probability, as said",
            ylabel="" if union else "share of pairs, as it was",
            xlim=(-0.03, 1.03),
            ylim=(-0.03, 1.03),
        )
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=1 if union else 2, frameon=False)
    figure.suptitle("area: how many pairs", fontsize="medium")
    figure.savefig(path)


def small() -> int:
    """Judge the pairs of pairs/ with the coefficients as they are."""
    wrong = 0
    for pair in real_pairs(root()):
        folder = pair.photo0.folder
        if folder != pair.photo1.folder or not folder.startswith("pairs/"):
            continue
        verdict = tp.match(pair.photo0.path, pair.photo1.path).verdict
        assert verdict is not None
        allowed = DECIDED.get(pair.photo0.path.parent.name, ("yes", "no", "unsure"))
        missed = verdict.answer not in allowed
        wrong += missed
        print(f"{pair.photo0.folder:36} {verdict}{'  <- must be ' + ' or '.join(allowed) if missed else ''}")
    print("families:", ", ".join(family.name for family in families()))
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
