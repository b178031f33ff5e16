"""Is one row better than another, or were the pairs just kind to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiepoint.evaluation import metrics
from tiepoint.evaluation.bench.contenders import Contender
from tiepoint.evaluation.bench.measure import Record
from tiepoint.evaluation.bench.summary import (
    CONFIDENCE,
    HOMOGRAPHY_THRESHOLDS,
    POSE_THRESHOLDS,
    Figure,
    area_up_to,
    estimate_error,
)

Float = NDArray[np.float64]

FEWEST_PAIRS = 8  # of fewer, a bootstrap tells equal rows apart far more often than its confidence says


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How far a row is from the best one.

    Attributes
    ----------
    label : str
    pairs : int
        Measured by both.
    difference : Figure
        This row's figure less that of the best, over these pairs; below 0 where it is worse.
    apart : bool
        Whether the interval leaves out 0: with other pairs of the kind it would hardly turn round. Never of
        fewer than eight pairs, of which a bootstrap makes too narrow intervals.

    Examples
    --------
    >>> from tiepoint.evaluation.bench import Difference, Figure
    >>> behind = Figure(value=-0.05, low=-0.1, high=0.01)
    >>> Difference(label="orb", pairs=20, difference=behind, apart=False).apart
    False
    """

    label: str
    pairs: int
    difference: Figure
    apart: bool


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """All rows against the best one, by one figure.

    Attributes
    ----------
    figure : str
        Its name in `Row.figures`.
    best : str
        The label of the row where it is largest.
    others : tuple of Difference
        In the order of the rows.

    Examples
    --------
    >>> from tiepoint.evaluation.bench import Comparison
    >>> Comparison(figure="homography_auc@5", best="sift", others=()).best
    'sift'
    """

    figure: str
    best: str
    others: tuple[Difference, ...]


def compared(contenders: Sequence[Contender], records: Sequence[Record]) -> Comparison | None:
    """Compare all rows to the best one, on the same pairs.

    By the area under the curve of errors up to 5 pixels (homographies) or 20 degrees (relative poses). The
    pairs are resampled for both rows at once: most of what makes a figure uncertain is that some pairs are
    hard, and those are hard for both.

    Parameters
    ----------
    contenders : sequence of Contender
    records : sequence of dict
        From `run_bench`.

    Returns
    -------
    Comparison | None
        None where no estimate is of any use, or not two rows share two pairs or more.

    Examples
    --------
    >>> from tiepoint.evaluation.bench import compared, contenders
    >>> rows = contenders("orb,sift")
    >>> errors = {rows[0].key: [1, 4, 9, 9], rows[1].key: [1, 1, 2, 3]}
    >>> records = [{"contender": key, "pair": str(k), "corner_error": error}
    ...            for key, those in errors.items() for k, error in enumerate(those)]
    >>> result = compared(rows, records)
    >>> result.best, result.others[0].label, round(result.others[0].difference.value, 3)
    ('sift, nearest', 'orb, nearest', -0.375)
    """
    errors = [_errors(contender, records) for contender in contenders]
    if any("corner_error" in record for record in records):
        figure, threshold = "homography_auc", max(HOMOGRAPHY_THRESHOLDS)
    else:
        figure, threshold = "pose_auc", max(POSE_THRESHOLDS)
    area = area_up_to(threshold)

    def ahead(both: Float) -> float:
        return area(both[:, 0]) - area(both[:, 1])

    reached = [area(np.array([*row.values()])) if row else 0.0 for row in errors]
    if max(reached, default=0.0) == 0:
        return None
    best = int(np.argmax(reached))
    others = []
    for contender, row in zip(contenders, errors, strict=True):
        shared = [pair for pair in row if pair in errors[best]]
        if contender is contenders[best] or len(shared) < 2:
            continue
        both = np.array([[row[pair], errors[best][pair]] for pair in shared])
        low, high = metrics.bootstrap_interval(both, ahead, level=CONFIDENCE)
        others.append(
            Difference(
                label=contender.label,
                pairs=len(shared),
                difference=Figure(value=ahead(both), low=low, high=high),
                apart=len(shared) >= FEWEST_PAIRS and (low > 0 or high < 0),
            )
        )
    if not others:
        return None
    return Comparison(figure=f"{figure}@{threshold:g}", best=contenders[best].label, others=tuple(others))


def _errors(contender: Contender, records: Sequence[Record]) -> dict[str, float]:
    """Return the error of what was estimated of each pair, in pixels or degrees; infinite for a failure."""
    return {
        record["pair"]: estimate_error(record)
        for record in records
        if record["contender"] == contender.key and ("corner_error" in record or "rotation_error" in record)
    }
