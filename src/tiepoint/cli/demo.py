"""``tiepoint demo``: the whole way on two rendered photos whose truth is known."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from tiepoint.cli import terminal
from tiepoint.files import make_folder

if TYPE_CHECKING:
    from tiepoint.evaluation import RenderedPair
    from tiepoint.types import Matches, MatchResult

EXTRACTORS = ("orb", "sift")
RATIO = 0.8
MAX_ERROR = 3.0  # pixels


def demo(
    output: Annotated[
        str, typer.Option("--output", metavar="FOLDER", help="Where the pictures go.")
    ] = "tiepoint-demo",
    width: terminal.Width = None,
    verbose: terminal.Verbose = False,
    quiet: terminal.Quiet = False,
) -> None:
    """Render two views of a building, match and judge them, and count what is right; no photo needed."""
    talk = terminal.Talk(verbose=verbose, quiet=quiet)
    folder = make_folder(output)
    with terminal.quiet_libraries(talk):
        from tiepoint.evaluation import render_demo
        from tiepoint.images import read_image, write_image
        from tiepoint.pipeline import match
        from tiepoint.plotting import save_keypoints, save_matches

        talk.note("rendering two views of a building ...")
        scene = render_demo()
        paths = [folder / "building_1.png", folder / "building_2.png"]
        for path, image in zip(paths, (scene.image0, scene.image1), strict=True):
            write_image(path, image)
        # From here on as with any two photos: only the count at the end knows the truth.
        photos = [read_image(path) for path in paths]
        rows = [["", "matches", "right", f"ratio {RATIO}", "right", "agree", "right"]]
        verdicts = []
        for extractor in EXTRACTORS:
            talk.note(f"extracting and matching with {extractor} ...")
            result = match(*photos, extractor=extractor, matcher="nearest", verify=False)
            # The distances are kept, so a stricter filter needs no second matching.
            filtered = replace(result, matches=result.matches.where(ratio=RATIO))
            judged, agreeing = _judged(filtered)
            counted = [_counts(scene, matches) for matches in (result.matches, filtered.matches, agreeing)]
            rows.append([extractor, *(cell for pair in counted for cell in pair)])
            verdicts.append([extractor, str(judged.verdict)])
            if result.features0 is not None:
                keypoints = folder / f"keypoints_{extractor}.png"
                paths.append(save_keypoints(keypoints, photos[0], result.features0, width=width))
            for name, shown in (("matches", result), ("matches_ratio", filtered), ("matches_agree", judged)):
                paths.append(save_matches(folder / f"{name}_{extractor}.png", shown, width=width))
    sys.stdout.write("Two rendered photos of one building, 4096 keypoints at most in each.\n")
    sys.stdout.write(
        "Matches are cross-checked nearest neighbours, then those that pass the ratio\n"
        "test, then those that agree on one geometry, which also wins some back.\n"
        "Right is within 3 pixels of the truth.\n\n"
    )
    terminal.print_columns(rows, indent="  ")
    sys.stdout.write("\nDo they show the same scene? What the matches alone say:\n")
    terminal.print_columns(verdicts, indent="  ")
    sys.stdout.write("\nLook at the pictures:\n")
    for path in paths:
        sys.stdout.write(f"  {path}\n")


def _judged(result: MatchResult) -> tuple[MatchResult, Matches]:
    """Return the result with geometry and verdict, and the matches that agree."""
    from tiepoint.geometry import verify
    from tiepoint.verdict import judge

    geometry = verify(result.matches, features0=result.features0, features1=result.features1)
    judged = replace(result, geometry=geometry, verdict=judge(geometry))
    return judged, geometry.matches[geometry.inliers]


def _counts(scene: RenderedPair, matches: Matches) -> tuple[str, str]:
    right = int(scene.correct(matches.xy0, matches.xy1, max_error=MAX_ERROR).sum())
    share = f" ({100 * right / len(matches):.0f} %)" if len(matches) else ""
    return str(len(matches)), f"{right}{share}"


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(demo)
