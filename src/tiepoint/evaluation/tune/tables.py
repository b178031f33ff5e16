"""The tables behind the advice, as rows of text."""

from __future__ import annotations

from tiepoint.evaluation.tune.results import Figures, Row, Tuning

Table = tuple[str, list[tuple[str, ...]]]


def tables(tuning: Tuning, *, fates: bool = False) -> tuple[Table, ...]:
    """Return titles and rows of text, the first row of each the header; what was not tried is listed last.

    Parameters
    ----------
    tuning : Tuning
    fates : bool
        Whether to say of each candidate why it went no further.

    Examples
    --------
    >>> import numpy as np
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation.tune import tables, tune
    >>> photo = tp.Image(pixels=np.zeros((240, 320), np.uint8))
    >>> result = tune([photo], extractors=["orb"], budget=0.001, workers=0)  # no time for anything
    >>> [(title, rows)] = tables(result)
    >>> title, rows[0]
    ('Not tried', ('orb', 'time ran out before it was tried'))
    """
    last = [row for row in tuning.rows if row.held_out is not None]
    others = [row for row in tuning.rows if row.held_out is None and row.tuned is not None]
    untried = [row for row in tuning.rows if row.held_out is None and row.tuned is None]
    parts: list[Table] = []
    if last:
        head = (*_HEAD, "when choosing", "candidate")
        lines = [_last(row, row.held_out, tuning) for row in last if row.held_out is not None]
        pairs = max(row.held_out.trials for row in last if row.held_out is not None)
        parts.append((f"The last ones, on {pairs} pairs kept aside", [head, *lines]))
    if others:
        head = ("round", "pairs", *_HEAD, "candidate")
        lines = [_earlier(row, row.tuned, fates=fates) for row in others if row.tuned is not None]
        parts.append(("The others, on the pairs chosen by; those of one round had the same", [head, *lines]))
    if untried:
        parts.append(("Not tried", [(row.words, row.fate) for row in untried]))
    return tuple(parts)


_HEAD: tuple[str, ...] = ("score", "95 %", "found", "right", "of", "off", "s/pair")


def _last(row: Row, figures: Figures, tuning: Tuning) -> tuple[str, ...]:
    roles = [role for role in ("recommended", "default") if getattr(tuning, role) is row]
    words = row.words + (f"  <- {', '.join(roles)}" if roles else "")
    return (*_cells(figures), "" if row.tuned is None else f"{row.tuned.score:.3f}", words)


def _earlier(row: Row, figures: Figures, *, fates: bool) -> tuple[str, ...]:
    words = f"{row.words}: {row.fate}" if fates else row.words
    return (str(row.round), str(figures.trials), *_cells(figures), words)


def _cells(figures: Figures) -> tuple[str, ...]:
    low, high = figures.score_interval
    return (
        f"{figures.score:.3f}",
        f"{low:.2f}-{high:.2f}",
        f"{100 * figures.found:.0f} %",
        f"{figures.right:.0f}",
        f"{figures.matches:.0f}",
        "" if figures.off is None else f"{1000 * figures.off:.2f}",
        f"{figures.seconds:.2f}",
    )
