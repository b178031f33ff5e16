"""How it was measured and what follows from it, in words; for the terminal and for the page."""

from __future__ import annotations

from tiepoint.evaluation.bench.measure import EPIPOLAR_WITHIN, RIGHT_WITHIN
from tiepoint.evaluation.bench.report.columns import ALL, Column, short_labels
from tiepoint.evaluation.bench.report.document import Report
from tiepoint.evaluation.bench.summary import CONFIDENCE
from tiepoint.evaluation.datasets import LabelTruth

_ESTIMATORS = {"poselib": "PoseLib", "opencv": "OpenCV's RANSAC", "magsac": "OpenCV's MAGSAC"}


def protocol_facts(report: Report) -> list[tuple[str, str]]:
    """Return what was the same for all rows: terms and what there is to say."""
    protocol = report.protocol
    size = "as they are"
    if protocol.short_side is not None:
        how = "exactly" if protocol.exact else "about (0, 0), as in published tables"
        size = f"reduced to a short side of {protocol.short_side} px, and the truth with them {how}"
    facts = [("photos", size), ("keypoints", _keypoints(report))]
    matcher = short_labels([row.label for row in report.rows])[1]
    if matcher is not None:
        facts.append(("matcher", matcher))
    if any("homography_auc@5" in row.figures for row in report.rows):
        facts.append(("right", f"within {RIGHT_WITHIN:g} px of the truth"))
    elif report.estimates:
        facts.append(("right", f"within {EPIPOLAR_WITHIN:g} px of the epipolar lines"))
    labels = [pair.truth.same for pair in report.dataset if isinstance(pair.truth, LabelTruth)]
    if labels:
        facts.append(
            (
                "labels",
                f"pairs of the same thing: {labels.count(True)}, of different ones: {labels.count(False)}, "
                f"in part or unknown: {labels.count(None)}",
            )
        )
    if report.estimates:
        facts.append(
            (
                "estimator",
                f"{_ESTIMATORS[protocol.estimator]} at {protocol.limit:g} px, seed {protocol.seed}",
            )
        )
    facts.append(
        (
            "intervals",
            f"{100 * CONFIDENCE:g} %, by bootstrap over pairs; pairs of one sequence are alike, "
            "so they are rather too narrow",
        )
    )
    return facts


def machine_words(report: Report) -> list[tuple[str, str]]:
    """Return what it was measured on, and how much memory it took."""
    machine = report.machine
    versions = ", ".join(
        f"{name} {version or 'not installed'}" for name, version in machine["versions"].items()
    )
    processes = f"{report.workers} process{'es' * (report.workers != 1)}"
    facts = [
        ("times", f"of one thread, with {processes} at a time"),
        ("machine", f"{machine['cpu'] or 'unknown CPU'}, {machine['cpus']} CPUs, {machine['system']}"),
        ("versions", f"{versions}, Python {machine['python']}"),
    ]
    labels, _ = short_labels([row.label for row in report.rows])
    peaks = [
        f"{label} {row.peak_memory / 1e6:.0f} MB"
        for label, row in zip(labels, report.rows, strict=True)
        if row.peak_memory is not None
    ]
    if peaks:
        facts.append(("peak memory", f"{', '.join(peaks)}, of a process with all its libraries"))
    if report.resumed:
        facts.append(("resumed", f"{report.resumed} measurements are those of an earlier run"))
    return facts


def dataset_words(report: Report) -> str:
    """Return the size of the data set."""
    pairs, sequences = len(report.dataset), len(report.dataset.sequences)
    return f"{pairs} pair{'s' * (pairs != 1)} of {sequences} sequence{'s' * (sequences != 1)}"


def comparison_words(report: Report) -> list[str]:
    """Return which rows are behind the best one, and which cannot be told from it."""
    comparison = report.comparison
    if comparison is None:
        return []
    column = column_named(comparison.figure)
    short = dict(
        zip(
            (row.label for row in report.rows),
            short_labels([row.label for row in report.rows])[0],
            strict=True,
        )
    )
    best = next(row for row in report.rows if row.label == comparison.best)
    sentences = [
        f"Best by {column.head}: {short[comparison.best]}, {column.value(best.figures[comparison.figure])}."
    ]
    for apart, start in ((False, "Not told apart from it by these pairs"), (True, "Behind it")):
        those = [
            f"{short[other.label]} {_signed(column, other.difference.value)} "
            f"({_signed(column, other.difference.low)} to {_signed(column, other.difference.high)})"
            for other in comparison.others
            if other.apart is apart
        ]
        if those:
            sentences.append(f"{start}: {', '.join(those)}.")
    return sentences


def failure_words(report: Report) -> str | None:
    """Return how many could not be measured."""
    if not report.errors:
        return None
    total = sum(row.pairs + row.failed for row in report.rows)
    return f"{len(report.errors)} of {total} measurements failed"


def column_named(name: str) -> Column:
    """Return the column of a figure."""
    return next((column for column in ALL if column.name == name), Column(name=name, head=name, meaning=""))


def _signed(column: Column, value: float) -> str:
    text = column.number(value)
    if not text.strip("-0."):
        return text.removeprefix("-")
    return f"\N{MINUS SIGN}{text[1:]}" if text.startswith("-") else f"+{text}"


def _keypoints(report: Report) -> str:
    limits = {row.extractor.get("max_keypoints") for row in report.rows}
    if len(limits) == 1:
        limit = limits.pop()
        return "all" if limit is None else f"at most {limit} in a photo"
    return "at most " + ", ".join(f"{row.extractor.get('max_keypoints') or 'all'}" for row in report.rows)
