"""``tiepoint extract``: the local features of photos."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from tiepoint.cli import terminal
from tiepoint.cli.saving import check_names, save_features
from tiepoint.errors import OptionError, TiepointError
from tiepoint.files import make_folder

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
    photos: Annotated[list[str], typer.Argument(metavar="PHOTO", help="One photo or more.")],
    extractor: terminal.Extractor = "sift",
    max_keypoints: terminal.MaxKeypoints = None,
    option: terminal.ExtractorOptions = None,
    mask: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Picture as large as the photo, best a PNG: 0 (black) is where not to look.",
        ),
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
    terminal.check_companions(draw=draw is not None, top=top, width=width, as_json=as_json, arrays=arrays)
    if mask is not None and len(photos) > 1:
        raise OptionError("a mask belongs to one photo; give one photo with --mask")
    with terminal.quiet_libraries(talk):
        from tiepoint.formats import features_document
        from tiepoint.images import printable, read_image
        from tiepoint.plotting import save_keypoints

        chosen = terminal.chosen_extractor(extractor, option, max_keypoints)
        picture_of = _targets(photos, draw, ".png", "draw")
        file_of = _targets(photos, save, ".npz", "save")
        reading = terminal.reading_options(allow_truncated=allow_truncated, max_pixels=max_pixels)
        looked = None if mask is None else read_image(mask)
        failed = 0
        for photo in talk.progress(photos, "extracting"):
            try:
                start = time.perf_counter()
                image = read_image(photo, **reading)
                read = time.perf_counter()
                features = chosen.extract(image, looked)
                seconds = {"read": read - start, "extract": time.perf_counter() - read}
                if picture_of is not None:
                    picture = save_keypoints(picture_of(photo), image, features, top=top, width=width)
                    talk.note(f"picture: {picture}")
                if file_of is not None:
                    talk.note(f"features: {save_features(file_of(photo), features)}")
            except TiepointError as error:
                if len(photos) == 1:
                    raise
                failed += 1
                talk.error(str(error))
                continue
            if len(features) == 0:
                talk.warn(f"{printable(photo)}: nothing in this photo stands out for {extractor}")
            if as_json:
                terminal.print_json(features_document(image, features, seconds=seconds, arrays=arrays))
            else:
                width_, height = image.size
                sys.stdout.write(
                    f"{printable(photo)}: {len(features)} {extractor} keypoints, {width_}x{height} pixels\n"
                )
            talk.detail(", ".join(f"{stage} {value:.3f} s" for stage, value in seconds.items()))
    if failed:
        talk.error(f"{failed} of {len(photos)} photos failed")
        raise typer.Exit(1)


def _targets(photos: list[str], target: str | None, suffix: str, flag: str) -> Callable[[str], Path] | None:
    """Return where the file for each photo goes, checked before any work is done."""
    if target is None:
        return None
    folder = Path(target)
    if len(photos) == 1 and not os.path.isdir(target):  # noqa: PTH112 - see check_names
        check_names(photos, **{"draw": None, "save": None, flag: target})
        return lambda _: folder
    if folder.suffix and not folder.is_dir():
        raise OptionError(
            f"--{flag} names one file, {target}, but there are {len(photos)} photos; name a folder"
        )
    name, count = Counter(Path(photo).name for photo in photos).most_common(1)[0]
    if count > 1:
        raise OptionError(f"two photos are called {name}, and --{flag} would write one over the other")
    make_folder(folder)
    return lambda photo: folder / (Path(photo).name + suffix)


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command(epilog=EXAMPLES)(extract)
