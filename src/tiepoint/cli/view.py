"""``tiepoint view``: one offline page to look at a pair, or at the keypoints of one photo."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tiepoint.cli import terminal
from tiepoint.cli.saving import check_view

if TYPE_CHECKING:
    from tiepoint.extractors import Extractor

EXAMPLES = """
    \b
    Examples:
      tiepoint view building_1.jpg building_2.jpg -o pair.html
      tiepoint view A.jpg B.jpg --extractor orb --max-keypoints 2000
      tiepoint view A.jpg B.jpg --full --keep-location
      tiepoint view building_1.jpg --extractor sift
"""

MODELS = ("auto", "homography", "fundamental", "essential", "affine", "similarity")
_OF_ONE = "sift"
# Bytes of a default name: file systems end at 255, and something may be added to it.
_MOST_BYTES = 200


def view(
    photo0: Annotated[str, typer.Argument(metavar="A", help="The first photo.")],
    photo1: Annotated[
        str | None, typer.Argument(metavar="B", help="The second one; without it: the keypoints of A.")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="The page: .html; else A-B.view.html in this folder."
        ),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Keep all pixels of the photos; else the page is below 4 MB.")
    ] = False,
    keep_location: Annotated[
        bool, typer.Option("--keep-location", help="Show where the photos were taken (GPS).")
    ] = False,
    extractor: Annotated[
        str | None,
        typer.Option(
            "--extractor",
            "-e",
            metavar="NAME",
            help=f"See: tiepoint methods. Default: that of match; {_OF_ONE} for one photo.",
        ),
    ] = None,
    matcher: Annotated[
        str | None,
        typer.Option("--matcher", metavar="NAME", help="Else the one that suits the extractor."),
    ] = None,
    max_keypoints: terminal.MaxKeypoints = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="NAME=VALUE", help="Any option of the extractor."),
    ] = None,
    model: Annotated[
        str,
        typer.Option(metavar="NAME", help=f"What the matches are to agree on: {', '.join(MODELS)}."),
    ] = "auto",
    max_error: terminal.MaxError = None,
    allow_truncated: terminal.AllowTruncated = False,
    max_pixels: terminal.MaxPixels = None,
    verbose: terminal.Verbose = False,
    quiet: terminal.Quiet = False,
) -> None:
    """Write one HTML page that shows two photos, their matches and the verdict; it needs no network."""
    talk = terminal.Talk(verbose=verbose, quiet=quiet)
    terminal.chosen_model(model, MODELS)
    photos = [photo0] if photo1 is None else [photo0, photo1]
    if photo1 is None and (matcher is not None or model != "auto" or max_error is not None):
        raise typer.BadParameter("--matcher, --model and --max-error are for two photos; name the second one")
    target = output if output is not None else default_name(photos)
    check_view("-o", target, photos)
    with terminal.quiet_libraries(talk):
        from tiepoint.images import read_image
        from tiepoint.pipeline import AUTO, match
        from tiepoint.plotting import save_keypoints_view, save_matches_view

        if extractor is None:
            extractor = _OF_ONE if photo1 is None else AUTO
        chosen = _chosen(extractor, option, max_keypoints, matcher, AUTO, pair=photo1 is not None)
        reading = terminal.reading_options(allow_truncated=allow_truncated, max_pixels=max_pixels)
        images = [read_image(photo, **reading) for photo in photos]
        shown: dict[str, Any] = {"full": full, "keep_location": keep_location}
        if photo1 is None:
            assert not isinstance(chosen, str)
            features = chosen.extract(images[0])
            if len(features) == 0:
                talk.warn(f"nothing in this photo stands out for {extractor}")
            path = save_keypoints_view(target, images[0], features, **shown)
        else:
            result = match(
                *images,
                extractor=chosen,
                matcher=matcher,
                model=model,
                max_error=max_error,
                max_keypoints=max_keypoints if chosen == AUTO else None,
            )
            for remark in result.log:
                talk.note(remark)
            path = save_matches_view(target, result, **shown)
            count = len(result.matches)
            talk.note(f"{count} match{'' if count == 1 else 'es'}; {result.verdict}")
        sys.stdout.write(f"{path}\n")


def default_name(photos: list[str]) -> str:
    """Return the name of the page of these photos, in this folder; long names keep their beginnings."""
    stems = [Path(photo).stem for photo in photos]
    if len(os.fsencode("-".join(stems))) > _MOST_BYTES:
        stems = [_cut(stem, _MOST_BYTES // len(stems)) for stem in stems]
    return f"{'-'.join(stems)}.view.html"


def _cut(name: str, most: int) -> str:
    """Return the beginning of a name, of at most so many bytes and of whole characters."""
    while len(os.fsencode(name)) > most:
        name = name[:-1]
    return name


def _chosen(
    name: str,
    words: list[str] | None,
    max_keypoints: int | None,
    matcher: str | None,
    auto: str,
    *,
    pair: bool,
) -> str | Extractor:
    if name != auto:
        return terminal.chosen_extractor(name, words, max_keypoints)
    if not pair:
        raise typer.BadParameter("auto chooses a method for two photos; name an --extractor for one")
    if words or matcher is not None:
        raise typer.BadParameter("auto chooses its methods: --option and --matcher go with --extractor NAME")
    return name


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command(epilog=EXAMPLES)(view)
