"""Records to the rows of a table: averages over pairs, each with how far it may be off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.evaluation import metrics
from tiepoint.evaluation.bench.contenders import Contender
from tiepoint.evaluation.bench.measure import THRESHOLDS, Record

Float = NDArray[np.float64]

HOMOGRAPHY_THRESHOLDS = (1.0, 3.0, 5.0)  # pixels
POSE_THRESHOLDS = (5.0, 10.0, 20.0)  # degrees
CONFIDENCE = 0.95  # of the intervals
_AVERAGED = (
    "repeatability",
    "localisation",
    "matching_score",
    "recall",
    "precision",
    "distinctiveness",
    "inliers",
)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number of a table, and the interval that it lies in with 95 % confidence.

    Examples
    --------
    >>> from tiepoint.evaluation.bench import Figure
    >>> Figure(value=0.5, low=0.4, high=0.6)
    Figure(value=0.5, low=0.4, high=0.6)
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Row:
    """What one contender reached.

    Attributes
    ----------
    label : str
    extractor, matcher : dict
        Name and options.
    pairs, failed : int
        Measured, and not measured because a photo could not be read.
    figures : dict of Figure
        Those that the truth of the data set tells, by name: "keypoints", "matches", "repeatability",
        "localisation", "matching_score", "recall", "precision", "mma@1" to "mma@10", "distinctiveness",
        "homography_auc@1" (3, 5), "homography_correct@1" (3, 5), "pose_auc@5" (10, 20), "inliers",
        "matches_same", "matches_different", "seconds_image", "seconds_pair".
    peak_memory : int | None
        Bytes of the process that extracted and matched, libraries and all.
    sequences : dict of dict
        The same names by sequence, values only.
    ratio_right, ratio_wrong : list of float | None
        Of right and of wrong nearest neighbours, the share whose ratio of best to second best is at most
        1/50, 2/50, ... 1.

    Examples
    --------
    >>> from tiepoint.evaluation.bench import Figure, Row
    >>> row = Row(label="orb", extractor={}, matcher={}, pairs=1, failed=0, peak_memory=None, sequences={},
    ...           ratio_right=None, ratio_wrong=None, figures={"mma@3": Figure(value=1, low=1, high=1)})
    >>> row.figures["mma@3"].value
    1
    """

    label: str
    extractor: dict[str, Any]
    matcher: dict[str, Any]
    pairs: int
    failed: int
    figures: dict[str, Figure]
    peak_memory: int | None
    sequences: dict[str, dict[str, float]]
    ratio_right: list[float] | None
    ratio_wrong: list[float] | None


def summed_up(contenders: Sequence[Contender], records: Sequence[Record]) -> tuple[Row, ...]:
    """Sum up the records of a run, one row for each contender.

    Pairs whose photos could not be read are left out and counted. The intervals are percentiles of a
    bootstrap over pairs; pairs of one sequence are alike, so they are rather too narrow.

    Parameters
    ----------
    contenders : sequence of Contender
    records : sequence of dict
        From `run_bench`.

    Returns
    -------
    tuple of Row

    Examples
    --------
    >>> from tiepoint.evaluation.bench import contenders, summed_up
    >>> rows = contenders("orb")
    >>> records = [{"contender": rows[0].key, "pair": str(n), "sequence": "towns", "keypoints0": 10,
    ...             "keypoints1": 10, "matches": n, "seconds_extract0": 0.1, "seconds_extract1": 0.1,
    ...             "seconds_match": 0.01, "peak_memory": None} for n in range(5)]
    >>> summed_up(rows, records)[0].figures["matches"].value
    2.0
    """
    return tuple(
        _row(contender, [record for record in records if record["contender"] == contender.key])
        for contender in contenders
    )


def _row(contender: Contender, records: list[Record]) -> Row:
    measured = [record for record in records if "error" not in record]
    sequences = list(dict.fromkeys(record["sequence"] for record in measured))
    peaks = [record["peak_memory"] for record in records if record["peak_memory"] is not None]
    right, wrong = (_pooled(measured, name) for name in ("ratio_right", "ratio_wrong"))
    return Row(
        label=contender.label,
        extractor={"name": contender.extractor.name, **contender.extractor.settings()},
        matcher={"name": contender.matcher.name, **contender.matcher.settings()},
        pairs=len(measured),
        failed=len(records) - len(measured),
        figures={name: _figure(*column) for name, column in _columns(measured).items()},
        peak_memory=max(peaks, default=None),
        sequences={
            name: {
                key: float(statistic(values))
                for key, (values, statistic) in _columns(
                    [record for record in measured if record["sequence"] == name]
                ).items()
            }
            for name in sequences
        },
        ratio_right=right,
        ratio_wrong=wrong,
    )


Statistic = Callable[[Float], float]
Columns = dict[str, tuple[Float, Statistic]]


def _columns(records: list[Record]) -> Columns:
    """Return, for each figure, its values for each pair and what makes one number of them."""
    columns: Columns = {}
    if not records:
        return columns

    def add(name: str, values: list[Any], statistic: Statistic = np.mean) -> None:
        columns[name] = np.array(values, np.float64), statistic

    add("keypoints", [(record["keypoints0"] + record["keypoints1"]) / 2 for record in records])
    add("matches", [record["matches"] for record in records])
    for name in _AVERAGED:
        values = [record[name] for record in records if record.get(name) is not None]
        if values:
            add(name, values)
    if "mma" in records[0]:
        for number, threshold in enumerate(THRESHOLDS):
            add(f"mma@{threshold:g}", [record["mma"][number] for record in records])
    if "corner_error" in records[0]:
        errors = [estimate_error(record) for record in records]
        for threshold in HOMOGRAPHY_THRESHOLDS:
            add(f"homography_auc@{threshold:g}", errors, area_up_to(threshold))
            add(f"homography_correct@{threshold:g}", [error <= threshold for error in errors])
    if "rotation_error" in records[0]:
        errors = [estimate_error(record) for record in records]
        for threshold in POSE_THRESHOLDS:
            add(f"pose_auc@{threshold:g}", errors, area_up_to(threshold))
    for which, name in ((True, "matches_same"), (False, "matches_different")):
        values = [record["matches"] for record in records if record.get("same") is which]
        if values:
            add(name, values)
    add(
        "seconds_image", [(record["seconds_extract0"] + record["seconds_extract1"]) / 2 for record in records]
    )
    add("seconds_pair", [record["seconds_match"] + record.get("seconds_estimate", 0) for record in records])
    return columns


def _figure(values: Float, statistic: Statistic) -> Figure:
    low, high = metrics.bootstrap_interval(values, statistic, level=CONFIDENCE)
    return Figure(value=float(statistic(values)), low=float(low), high=float(high))


def area_up_to(threshold: float) -> Statistic:
    """Return the function from errors to the area under the curve of those up to a threshold."""
    return lambda errors: float(metrics.auc(errors, (threshold,))[0])


def estimate_error(record: Record) -> float:
    """Return how far off an estimate is: pixels at the corners, or the larger angle; infinite if none."""
    names = ("corner_error",) if "corner_error" in record else ("rotation_error", "translation_error")
    return max(np.inf if record[name] is None else float(record[name]) for name in names)


def _pooled(records: list[Record], name: str) -> list[float] | None:
    counts = np.sum([record[name] for record in records if name in record], axis=0, dtype=np.float64)
    total = np.sum(counts)
    return (np.cumsum(counts) / total).tolist() if np.ndim(counts) and total else None
