"""The answer as it is printed: what each stage left, what speaks for it and against it, the verdict."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING

from tiepoint.cli import terminal

if TYPE_CHECKING:
    from tiepoint.types import Geometry, MatchResult, Verdict

EXIT_CODES = {"yes": 0, "no": 3, "unsure": 4}

_CALLED = {"fundamental": "fundamental matrix", "essential": "essential matrix", "affine": "affine map"}
_SCENES = {
    "general": "a scene in depth, and a camera that moved",
    "planar or panoramic": "something flat, or a camera that only turned",
    "planar": "something flat",
    "panoramic": "a camera that only turned",
    "watermark": "a watermark",
}
_STAGES = {"keypoints 0": "keypoints in A", "keypoints 1": "keypoints in B"}
_WIDTH = 80  # also where nothing is shown on a terminal: what is printed must not depend on it


def print_answer(result: MatchResult) -> None:
    """Print what each stage left, and where it was asked for, the geometry, the reasons and the verdict."""
    rows = [(_STAGES.get(stage, stage), str(count)) for stage, count in result.matches.funnel]
    geometry, verdict = result.geometry, result.verdict
    if geometry is not None:
        if geometry.guided:
            rows.append(("with guided", str(len(geometry.matches))))
        rows.append(("inliers", str(geometry.count)))
    terminal.print_columns(rows)
    if geometry is None:
        sys.stdout.write(f"{len(result.matches)} matches\n")
        return
    for sentence in (found(geometry),) if verdict is None else verdict.reasons:
        _print_sentence(sentence)
    for note in geometry.notes:
        _print_sentence(note)
    if verdict is not None:
        sys.stdout.write(f"{verdict}\n")


def found(geometry: Geometry) -> str:
    """Return what was found, in one sentence."""
    if not geometry:
        return f"no geometry: {geometry.reason}"
    article = "an" if geometry.model[0] in "ae" else "a"
    sentence = f"{geometry.count} of {len(geometry.matches)} matches agree on "
    sentence += (
        f"{article} {_CALLED.get(geometry.model, geometry.model)} within {geometry.max_error:.3g} pixels"
    )
    return f"{sentence}: {_SCENES[geometry.configuration]}" if geometry.configuration else sentence


def exit_code(verdict: Verdict) -> int:
    """Return the code that stands for the answer: 0 yes, 3 no, 4 unsure."""
    return EXIT_CODES[verdict.answer]


def _print_sentence(sentence: str) -> None:
    lines = textwrap.wrap(sentence, _WIDTH, initial_indent="  ", subsequent_indent="    ")
    sys.stdout.write("".join(f"{line}\n" for line in lines))
