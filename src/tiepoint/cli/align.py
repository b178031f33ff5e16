"""``tiepoint align``: one photo laid over another."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tiepoint.cli import terminal
from tiepoint.cli.answer import found
from tiepoint.cli.saving import check_suffix, check_target, same_file
from tiepoint.errors import OptionError, TiepointError

if TYPE_CHECKING:
    from tiepoint.types import Geometry, MatchResult

EXAMPLES = """
    \b
    Examples:
      tiepoint align building_1.jpg building_2.jpg -o aligned.png
      tiepoint align A.jpg B.jpg -o flicker.gif
      tiepoint align A.jpg B.jpg -o difference.jpg --mode difference --width 1200
      tiepoint align scan_1.png scan_2.png --model similarity --transform transform.json
"""

MODELS = ("homography", "affine", "similarity")
MODES = ("blend", "checkerboard", "difference", "warped")


def align(
    photo0: Annotated[str, typer.Argument(metavar="A", help="The photo that stays.")],
    photo1: Annotated[str, typer.Argument(metavar="B", help="The photo that is laid over it.")],
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write both on the frame of A: .png or .jpg; .gif shows them in turn.",
        ),
    ] = None,
    mode: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=f"Of the picture: {', '.join(MODES)}. Default: {MODES[0]}."),
    ] = None,
    width: Annotated[
        int | None,
        typer.Option(
            metavar="PIXELS",
            min=64,
            max=20_000,
            help="Reduce the picture to this width. Default of a .gif: 1000.",
        ),
    ] = None,
    transform: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the transform, both ways: .json.")
    ] = None,
    model: Annotated[
        str, typer.Option(metavar="NAME", help=f"What takes A to B: {', '.join(MODELS)}.")
    ] = MODELS[0],
    max_error: terminal.MaxError = None,
    extractor: terminal.Extractor = "rootsift",
    max_keypoints: terminal.MaxKeypoints = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="NAME=VALUE", help="Any option of the extractor."),
    ] = None,
    as_json: terminal.Json = False,
    allow_truncated: terminal.AllowTruncated = False,
    max_pixels: terminal.MaxPixels = None,
    verbose: terminal.Verbose = False,
    quiet: terminal.Quiet = False,
) -> None:
    """Warp photo B onto photo A; for photos of something flat, or taken from one place."""
    talk = terminal.Talk(verbose=verbose, quiet=quiet)
    terminal.chosen_model(model, MODELS)
    _check(output, mode, width, transform, as_json=as_json, photos=[photo0, photo1])
    with terminal.quiet_libraries(talk):
        from tiepoint.formats import align_document
        from tiepoint.images import read_image
        from tiepoint.pipeline import match

        chosen = terminal.chosen_extractor(extractor, option, max_keypoints)
        reading = terminal.reading_options(allow_truncated=allow_truncated, max_pixels=max_pixels)
        images = [read_image(photo, **reading) for photo in (photo0, photo1)]
        result = match(*images, extractor=chosen, model=model, max_error=max_error)
        for remark in result.log:
            talk.warn(remark)
        geometry = result.geometry
        if geometry is None or not geometry:
            raise TiepointError(_nothing(geometry))
        if result.verdict is not None and result.verdict.answer != "yes":
            talk.warn(f"{result.verdict} ({result.verdict.reasons[0]}); look at it before you trust it")
        if output is not None:
            talk.note(f"picture: {_save(Path(output), result, geometry, mode, width)}")
        document = align_document(result)
        if transform is not None:
            talk.note(f"transform: {_write_json(Path(transform), document)}")
        if as_json:
            terminal.print_json(document)
        else:
            _print(result, geometry, document["median_residual"])


def _check(
    output: str | None,
    mode: str | None,
    width: int | None,
    transform: str | None,
    *,
    as_json: bool,
    photos: list[str],
) -> None:
    """Refuse what cannot be done before any work is."""
    if output is None and transform is None and not as_json:
        raise typer.BadParameter("say what is wanted: -o FILE, --transform FILE.json or --json")
    if output is None and (mode is not None or width is not None):
        raise typer.BadParameter("--mode and --width are about the picture; add -o FILE")
    if mode is not None and mode not in MODES:
        raise typer.BadParameter(f"--mode is one of {', '.join(MODES)}, not {mode}")
    if output is not None:
        from tiepoint.plotting import alignment_format

        if alignment_format(output) == "gif" and mode is not None:
            raise typer.BadParameter("a .gif shows both photos in turn; leave --mode out, or name a .png")
        check_target("-o", output, photos)
    if transform is not None:
        check_suffix("--transform", transform, (".json",))
        check_target("--transform", transform, photos)
        if output is not None and same_file(output, transform):
            raise OptionError(f"-o and --transform both name {output}")


def _nothing(geometry: Geometry | None) -> str:
    reason = "nothing was found" if geometry is None else geometry.reason
    return (
        f"the photos cannot be aligned: {reason}; if they show the same flat thing, try another --extractor, "
        "a larger --max-error or photos that overlap more (tiepoint match --draw shows what matches)"
    )


def _save(path: Path, result: MatchResult, geometry: Geometry, mode: str | None, width: int | None) -> Path:
    from tiepoint.geometry import facing, warp
    from tiepoint.plotting import save_alignment

    assert geometry.matrix is not None
    H_1_from_0 = facing(geometry.matrix, geometry.matches.xy0[geometry.inliers])
    warped, covered = warp(result.image1, H_1_from_0, result.image0.size)
    return save_alignment(
        path,
        result.image0,
        warped,
        covered,
        mode=mode or MODES[0],  # type: ignore[arg-type]  # checked above
        width=width,
    )


def _write_json(path: Path, document: dict[str, Any]) -> Path:
    from tiepoint.files import write_bytes

    return write_bytes(path, (json.dumps(document, allow_nan=False, indent=1) + "\n").encode())


def _print(result: MatchResult, geometry: Geometry, median: float) -> None:
    sys.stdout.write(f"{found(geometry)}, median {median:.2f}\n")
    if result.verdict is not None:
        sys.stdout.write(f"{result.verdict}\n")


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command(epilog=EXAMPLES)(align)
