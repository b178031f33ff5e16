"""``tiepoint extract``: the local features of photos."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from tiepoint.cli import terminal
from tiepoint.cli.saving import check_names, save_features
from tiepoint.errors import OptionError, TiepointError

EXAMPLES = """
    \b
    Examples:
      tiepoint extract building_1.jpg --extractor orb --draw keypoints.png
      tiepoint extract building_1.jpg -e sift -n 1000 -o contrast_threshold=0.02 --save features.npz
      tiepoint extract photos/*.jpg --save features/ --draw pictures/
      tiepoint extract building_1.jpg --json --arrays > features.json
      tiepoint extract -- -photo-with-a-dash.jpg
"""


def extract(
    photos: Annotated[list[str], typer.Argument(metavar="PHOTO...", help="One photo or more.")],
    extractor: terminal.Extractor = "sift",
    max_keypoints: terminal.MaxKeypoints = None,
    option: terminal.ExtractorOptions = None,
    mask: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Picture of the photo's size; black is where not to look."),
    ] = None,
    draw: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Write a picture of the keypoints: .png, .jpg, .pdf or .svg; for several photos a folder.",
        ),
    ] = None,
    top: terminal.Top = None,
    width: terminal.Width = None,
    save: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Write the features: .npz or .csv; for several photos a folder (.npz)."
        ),
    ] = None,
    as_json: terminal.Json = False,
    arrays: terminal.Arrays = False,
    allow_truncated: terminal.AllowTruncated = False,
    max_pixels: terminal.MaxPixels = None,
    verbose: terminal.Verbose = False,
    quiet: terminal.Quiet = False,
) -> None:
    """Detect the local features of photos; draw them, save them."""
    talk = terminal.Talk(verbose=verbose, quiet=quiet)
    if len(photos) == 1:
        check_names(draw=draw, save=save)
    picture_of = _targets(photos, draw, ".png", "--draw")
    file_of = _targets(photos, save, ".npz", "--save")
    if mask is not None and len(photos) > 1:
        raise OptionError("a mask belongs to one photo; give one photo with --mask")
    with terminal.quiet_libraries(talk):
        from tiepoint.extractors import EXTRACTORS, get_extractor
        from tiepoint.formats import features_document
        from tiepoint.images import read_image
        from tiepoint.plotting import save_keypoints

        options = EXTRACTORS.load(extractor).parse(option or [])
        if max_keypoints is not None:
            options["max_keypoints"] = max_keypoints
        chosen = get_extractor(extractor, **options)
        reading = terminal.reading_options(allow_truncated=allow_truncated, max_pixels=max_pixels)
        looked = None if mask is None else read_image(mask).gray
        failed = 0
        for photo in talk.progress(photos, "extracting"):
            try:
                start = time.perf_counter()
                image = read_image(photo, **reading)
                read = time.perf_counter()
                features = chosen.extract(image, looked)
                seconds = {"read": read - start, "extract": time.perf_counter() - read}
                if draw is not None:
                    picture = save_keypoints(picture_of(photo), image, features, top=top, width=width)
                    talk.note(f"picture: {picture}")
                if save is not None:
                    talk.note(f"features: {save_features(file_of(photo), features)}")
            except TiepointError as error:
                if len(photos) == 1:
                    raise
                failed += 1
                talk.error(str(error))
                continue
            if len(features) == 0:
                talk.warn(f"{photo}: nothing in this photo stands out for {extractor}")
            if as_json:
                terminal.print_json(features_document(image, features, seconds=seconds, arrays=arrays))
            else:
                width_, height = image.size
                sys.stdout.write(
                    f"{photo}: {len(features)} {extractor} keypoints, {width_}x{height} pixels\n"
                )
            talk.detail(", ".join(f"{stage} {value:.3f} s" for stage, value in seconds.items()))
    if failed:
        talk.error(f"{failed} of {len(photos)} photos failed")
        raise typer.Exit(1)


def _targets(photos: list[str], target: str | None, suffix: str, flag: str) -> Callable[[str], Path]:
    """Return where the file for each photo goes, checked before any work is done."""
    if target is None:
        return Path
    folder = Path(target)
    if len(photos) == 1 and not folder.is_dir():
        return lambda _: folder
    if folder.suffix and not folder.is_dir():
        raise OptionError(
            f"{flag} names one file, {target}, but there are {len(photos)} photos; name a folder"
        )
    names = [Path(photo).name for photo in photos]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise OptionError(f"two photos are called {twice}, and {flag} would write one over the other")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(
            f"{flag} {target}: cannot be made a folder: {(error.strerror or '').lower()}"
        ) from error
    return lambda photo: folder / (Path(photo).name + suffix)


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command(epilog=EXAMPLES)(extract)
