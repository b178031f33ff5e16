"""``tiepoint match``: the matches between two photos, and whether they show the same scene."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tiepoint.cli import terminal
from tiepoint.cli.answer import exit_code, print_answer
from tiepoint.cli.saving import check_names, check_view, save_result

if TYPE_CHECKING:
    from tiepoint.extractors import Extractor

EXAMPLES = """
    \b
    Examples:
      tiepoint match building_1.jpg building_2.jpg --draw matches.png --top 10
      tiepoint match A.jpg B.jpg --extractor orb --ratio 0.9
      tiepoint match A.jpg B.jpg --no-ratio --max-distance 200 --no-cross-check --json
      tiepoint match A.jpg B.jpg --save matches.csv
      tiepoint match A.jpg B.jpg --exit-code -q > answer.txt && echo "the same scene"
"""

MODELS = ("auto", "homography", "fundamental", "essential", "affine", "similarity")


def match(
    photo0: Annotated[str, typer.Argument(metavar="A", help="The first photo.")],
    photo1: Annotated[str, typer.Argument(metavar="B", help="The second photo.")],
    extractor: Annotated[
        str,
        typer.Option(
            "--extractor",
            "-e",
            metavar="NAME",
            help="Local features, or auto; see: tiepoint methods.",
        ),
    ] = "auto",
    matcher: Annotated[
        str | None,
        typer.Option("--matcher", metavar="NAME", help="Else the one that suits the extractor."),
    ] = None,
    max_keypoints: terminal.MaxKeypoints = None,
    option: terminal.ExtractorOptions = None,
    ratio: Annotated[
        float | None,
        typer.Option(metavar="R", help="Keep what is nearer than R times the second nearest; else 0.8."),
    ] = None,
    no_ratio: Annotated[
        bool, typer.Option("--no-ratio", help="No ratio test: all that the cross-check leaves, many wrong.")
    ] = False,
    ratio_both: Annotated[bool, typer.Option("--ratio-both", help="The ratio must hold both ways.")] = False,
    max_distance: Annotated[
        float | None, typer.Option(metavar="D", help="Keep matches whose distance is at most D.")
    ] = None,
    cross_check: Annotated[
        bool,
        typer.Option(
            "--cross-check/--no-cross-check", help="Keep a match only if it is the nearest both ways."
        ),
    ] = True,
    model: Annotated[
        str,
        typer.Option(metavar="NAME", help=f"What the matches are to agree on: {', '.join(MODELS)}."),
    ] = "auto",
    max_error: terminal.MaxError = None,
    no_verify: Annotated[
        bool, typer.Option("--no-verify", help="Matches only: look for no geometry, give no verdict.")
    ] = False,
    use_exit_code: Annotated[
        bool,
        typer.Option("--exit-code", help="End with the verdict's code: 0 yes, 3 no, 4 unsure; else 0."),
    ] = False,
    draw: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write a picture of the matches: .png, .jpg, .pdf or .svg."),
    ] = None,
    view: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write a page to look at them: .html; see: tiepoint view."),
    ] = None,
    top: terminal.Top = None,
    width: terminal.Width = None,
    save: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write the result: .npz (all of it) or .csv (the matches)."),
    ] = None,
    as_json: terminal.Json = False,
    arrays: terminal.Arrays = False,
    allow_truncated: terminal.AllowTruncated = False,
    max_pixels: terminal.MaxPixels = None,
    verbose: terminal.Verbose = False,
    quiet: terminal.Quiet = False,
) -> None:
    """Match two photos and say whether they show the same scene; draw the matches, save them."""
    talk = terminal.Talk(verbose=verbose, quiet=quiet)
    terminal.check_companions(draw=draw is not None, top=top, width=width, as_json=as_json, arrays=arrays)
    check_names([photo0, photo1], draw=draw, save=save)
    if view is not None:
        check_view("--view", view, [photo0, photo1])
    if no_ratio and ratio is not None:
        raise typer.BadParameter("--ratio and --no-ratio do not go together")
    if no_verify and (use_exit_code or model != "auto" or max_error is not None):
        raise typer.BadParameter(
            "--exit-code, --model and --max-error are about the geometry; leave --no-verify out"
        )
    terminal.chosen_model(model, MODELS)
    with terminal.quiet_libraries(talk):
        from tiepoint.formats import match_document
        from tiepoint.images import read_image
        from tiepoint.matchers import MATCHERS, NearestNeighbour
        from tiepoint.pipeline import AUTO
        from tiepoint.pipeline import match as match_photos
        from tiepoint.pipeline.stages import RATIO
        from tiepoint.plotting import save_matches, save_matches_view

        nearest = NearestNeighbour(
            cross_check=cross_check,
            ratio=None if no_ratio else RATIO if ratio is None else ratio,
            max_distance=max_distance,
            ratio_both=ratio_both,
        )
        filters = nearest != NearestNeighbour(ratio=RATIO) or ratio is not None
        chosen: str | Extractor = extractor
        used = matcher or nearest.name
        if extractor != AUTO:
            chosen = terminal.chosen_extractor(extractor, option, max_keypoints)
            used = matcher or chosen.matcher
            max_keypoints = None
        elif option or (matcher is not None and MATCHERS.load(matcher).takes_features):
            raise typer.BadParameter("auto chooses its methods: -o and --matcher go with --extractor NAME")
        if filters and used != nearest.name:
            raise typer.BadParameter(
                "--ratio, --max-distance and --cross-check are for the matcher nearest, not for "
                f"{used}; add --matcher nearest or leave them out"
            )
        reading = terminal.reading_options(allow_truncated=allow_truncated, max_pixels=max_pixels)
        start = time.perf_counter()
        images = [read_image(photo, **reading) for photo in (photo0, photo1)]
        seconds = time.perf_counter() - start
        result = match_photos(
            *images,
            extractor=chosen,
            matcher=nearest if used == nearest.name and (filters or matcher) else matcher,
            verify=not no_verify,
            model=model,
            max_error=max_error,
            max_keypoints=max_keypoints,
        )
        result = replace(result, seconds={**result.seconds, "read": seconds})
        for remark in result.log:
            talk.note(remark)
        if as_json:
            terminal.print_json(match_document(result, arrays=arrays))
        else:
            print_answer(result)
        if no_ratio and no_verify and len(result.matches):
            talk.note("without a ratio test expect many wrong ones among these")
        if draw is not None:
            talk.note(f"picture: {save_matches(Path(draw), result, top=top, width=width)}")
        if view is not None:
            talk.note(f"page: {save_matches_view(view, result)}")
        if save is not None:
            talk.note(f"result: {save_result(Path(save), result)}")
        talk.detail(", ".join(f"{stage} {value:.3f} s" for stage, value in result.seconds.items()))
    if use_exit_code and result.verdict is not None:
        raise typer.Exit(exit_code(result.verdict))


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command(epilog=EXAMPLES)(match)
