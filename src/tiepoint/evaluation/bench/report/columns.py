"""Which figures are shown, under which heads, and how their numbers are written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tiepoint.evaluation.bench.summary import Figure, Row


@dataclass(frozen=True, kw_only=True)
class Column:
    """One figure: its name in `Row.figures`, its head in a table, what it means.

    Attributes
    ----------
    name, head, meaning : str
    scale : float
        What the number is multiplied by before it is written: 100 for percent, 1000 for milliseconds.
    digits : int
        After the point.
    interval : bool
        Whether a small table shows its interval.

    Examples
    --------
    >>> from tiepoint.evaluation.bench import Figure
    >>> from tiepoint.evaluation.bench.report import Column
    >>> auc = Column(name="homography_auc@5", head="AUC@5", meaning="", scale=100, digits=1, interval=True)
    >>> auc.value(Figure(value=0.662, low=0.5, high=0.82)), auc.half(Figure(value=0.662, low=0.5, high=0.82))
    ('66.2', '16.0')
    """

    name: str
    head: str
    meaning: str
    scale: float = 1.0
    digits: int = 3
    interval: bool = False

    def value(self, figure: Figure) -> str:
        """Write the value."""
        return self.number(figure.value)

    def half(self, figure: Figure) -> str:
        """Write half the width of the interval."""
        return self.number((figure.high - figure.low) / 2)

    def number(self, value: float) -> str:
        """Write a number of this figure."""
        return f"{self.scale * value:.{self.digits}f}"


_MATCHES = Column(name="matches", head="matches", meaning="matches of a pair", digits=0)
_SECONDS = (
    Column(name="seconds_image", head="s/img", meaning="seconds to extract a photo", digits=2),
    Column(
        name="seconds_pair",
        head="ms/pair",
        meaning="milliseconds to match a pair and to estimate its geometry",
        scale=1000,
        digits=0,
    ),
)


def _share(name: str, head: str, meaning: str) -> Column:
    return Column(name=name, head=head, meaning=meaning)


def _mma(pixels: int) -> Column:
    return _share(
        f"mma@{pixels}",
        f"MMA@{pixels}",
        f"share of the matches of a pair within {pixels} px of the truth; 0 where there is none",
    )


def _area(kind: str, threshold: int, unit: str) -> Column:
    return Column(
        name=f"{kind}_auc@{threshold}",
        head=f"AUC@{threshold}",
        meaning=f"area under the curve of pairs by their error, up to {threshold} {unit}, percent",
        scale=100,
        digits=1,
        interval=True,
    )


def _correct(pixels: int) -> Column:
    return Column(
        name=f"homography_correct@{pixels}",
        head=f"right@{pixels}",
        meaning=f"pairs whose homography takes the corners to {pixels} px of where they are, percent",
        scale=100,
        digits=1,
    )


def _few(column: str, head: str, meaning: str) -> Column:
    return Column(name=column, head=head, meaning=meaning, digits=0, interval=True)


_REPEATABILITY = _share(
    "repeatability", "rep.", "keypoints found again within 3 px where both photos show the place"
)
_PRECISION = _share("precision", "precision", "share of the matches that are right")
_HOMOGRAPHY_AREAS = tuple(_area("homography", pixels, "px of the corners") for pixels in (1, 3, 5))
_POSE_AREAS = tuple(_area("pose", degrees, "degrees of rotation and direction") for degrees in (5, 10, 20))
_LABELS = (
    _few("matches_same", "same", "matches of pairs that show the same thing"),
    _few("matches_different", "different", "matches of pairs that do not; all of them wrong"),
)

ALL = (
    Column(name="keypoints", head="keypoints", meaning="keypoints of a photo", digits=0),
    _MATCHES,
    *_LABELS,
    Column(
        name="inliers", head="inliers", meaning="matches that the estimated geometry agrees with", digits=0
    ),
    *(_mma(pixels) for pixels in range(1, 11)),
    _REPEATABILITY,
    Column(
        name="localisation", head="localis.", meaning="how far repeated keypoints are off, px", digits=2
    ),
    _share("matching_score", "M.score", "right matches among the keypoints that both photos show"),
    _PRECISION,
    _share("recall", "recall", "right matches among those that were possible"),
    _share(
        "distinctiveness",
        "distinct.",
        "area between the curves of right and of wrong nearest neighbours by their ratio",
    ),
    *_HOMOGRAPHY_AREAS,
    *(_correct(pixels) for pixels in (1, 3, 5)),
    *_POSE_AREAS,
    *_SECONDS,
)  # fmt: skip

_SHOWN = {
    "homography_auc@5": (_MATCHES, _mma(1), _mma(3), _REPEATABILITY, *_HOMOGRAPHY_AREAS, *_SECONDS),
    "pose_auc@20": (_MATCHES, _PRECISION, *_POSE_AREAS, *_SECONDS),
    "keypoints": (ALL[0], *_LABELS, *_SECONDS),
}


def columns_of(rows: Iterable[Row], *, everything: bool = False) -> tuple[Column, ...]:
    """Return what a table of these rows shows: a few columns for the kind of truth, or all there is.

    Examples
    --------
    >>> from tiepoint.evaluation.bench import Figure, Row
    >>> from tiepoint.evaluation.bench.report import columns_of
    >>> figure = Figure(value=0.5, low=0.4, high=0.6)
    >>> row = Row(label="orb", extractor={}, matcher={}, pairs=9, failed=0, peak_memory=None, sequences={},
    ...           ratio_right=None, ratio_wrong=None,
    ...           figures=dict.fromkeys(("matches", "precision", "pose_auc@5", "pose_auc@20"), figure))
    >>> [column.head for column in columns_of([row])]
    ['matches', 'precision', 'AUC@5', 'AUC@20']
    """
    known = set(figure_names(rows))
    if everything:
        return tuple(column for column in ALL if column.name in known)
    kind = next((name for name in _SHOWN if name in known), "keypoints")
    return tuple(column for column in _SHOWN[kind] if column.name in known)


def figure_names(rows: Iterable[Row]) -> tuple[str, ...]:
    """Return the names of all figures of any row, each once.

    Examples
    --------
    >>> from tiepoint.evaluation.bench.report import figure_names
    >>> figure_names([])
    ()
    """
    return tuple(dict.fromkeys(name for row in rows for name in row.figures))


def short_labels(labels: Sequence[str]) -> tuple[tuple[str, ...], str | None]:
    """Return labels without the matcher where all have the same one, and that matcher.

    Examples
    --------
    >>> from tiepoint.evaluation.bench.report import short_labels
    >>> short_labels(["orb, nearest:ratio=0.8", "sift, nearest:ratio=0.8"])
    (('orb', 'sift'), 'nearest:ratio=0.8')
    >>> short_labels(["orb, nearest", "orb, nearest:ratio=0.8"])
    (('orb, nearest', 'orb, nearest:ratio=0.8'), None)
    """
    parts = [label.partition(", ") for label in labels]
    matchers = {matcher for _, _, matcher in parts}
    if len(matchers) == 1 and "" not in matchers:
        return tuple(extractor for extractor, _, _ in parts), matchers.pop()
    return tuple(labels), None
