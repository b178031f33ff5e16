"""``tiepoint tune``: which extractor and options suit one's own photos."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tiepoint.cli import terminal
from tiepoint.cli.saving import check_suffix, check_target
from tiepoint.errors import ReadError, TiepointError, printable, reason

if TYPE_CHECKING:
    from tiepoint.evaluation.tune import Tuning
    from tiepoint.types import Image

EXAMPLES = """
    \b
    Examples:
      tiepoint tune building_1.jpg building_2.jpg
      tiepoint tune photos/ --budget 600 --save tuning.csv
      tiepoint tune photos/*.jpg --extractor orb,akaze --without rotation
      tiepoint tune photos/ --json > tuning.json
"""

# Of the files in a folder; a file that is named is read whatever it is called.
SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp", ".pgm", ".ppm", ".heic", ".avif")


def tune(
    photos: Annotated[
        list[str], typer.Argument(metavar="PHOTO", help="Photos of the kind to be matched, or a folder.")
    ],
    budget: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long it may take, after the photos are read.")
    ] = 120.0,
    extractor: Annotated[
        str | None,
        typer.Option(
            "--extractor", "-e", metavar="NAMES", help="Only these, between commas. Default: all installed."
        ),
    ] = None,
    without: Annotated[
        str | None,
        typer.Option(
            metavar="KINDS",
            help="Changes that these photos never go through, between commas, such as rotation or 'zoom in'.",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            max=256,
            help="Processes, of one thread each; 0 starts none. Default: one for each CPU.",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, max=2**30 - 1, help="Another one makes other changes.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; docs/tuning.md describes it.")] = False,
    save: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write all figures: .csv, or .json as --json has it.")
    ] = None,
    allow_truncated: terminal.AllowTruncated = False,
    max_pixels: terminal.MaxPixels = None,
    verbose: terminal.Verbose = False,
    quiet: terminal.Quiet = False,
) -> None:
    """Try the extractors on changed copies of your photos, and recommend one."""
    talk = terminal.Talk(verbose=verbose, quiet=quiet)
    with terminal.quiet_libraries(talk):
        from tiepoint.evaluation.tune import tune as tune_photos
        from tiepoint.evaluation.tune import tuning_document
        from tiepoint.evaluation.tune.plan import chosen_photos

        found = _files(photos)
        if save is not None:
            check_target("--save", save, found)
            check_suffix("--save", save, (".csv", ".json"))
        files = [found[k] for k in chosen_photos(len(found))]
        if len(files) < len(found):
            talk.note(f"of {len(found)} photos {len(files)} are used, at even distances")
        reading = _Reading(files, talk, allow_truncated=allow_truncated, max_pixels=max_pixels)
        with _progress(talk) as show:
            tuning = tune_photos(
                reading,
                extractors=None if extractor is None else _names(extractor),
                budget=budget,
                workers=workers,
                without=() if without is None else _names(without),
                seed=seed,
                progress=show,
            )
        if as_json:
            terminal.print_json(tuning_document(tuning))
        else:
            _print(tuning, verbose=verbose)
        if save is not None:
            talk.note(f"figures: {_save(Path(save), tuning)}")
        talk.detail(f"{tuning.seconds:.0f} seconds on {tuning.workers} workers")
    if reading.failed:
        talk.error(f"{reading.failed} of {len(files)} photos failed")
        raise typer.Exit(1)


class _Reading:
    """Photos, read when their turn comes; one that cannot be is a sentence, and the rest goes on."""

    def __init__(
        self, files: list[str], talk: terminal.Talk, *, allow_truncated: bool, max_pixels: int | None
    ) -> None:
        self.failed = 0
        self._files, self._talk = files, talk
        self._options = terminal.reading_options(allow_truncated=allow_truncated, max_pixels=max_pixels)

    def __iter__(self) -> Iterator[Image]:
        from tiepoint.images import read_image

        for file in self._files:
            try:
                image = read_image(file, **self._options)
            except TiepointError as error:
                if len(self._files) == 1:
                    raise
                self.failed += 1
                self._talk.error(str(error))
            else:
                yield image
        if self.failed == len(self._files):
            raise ReadError(f"none of the {self.failed} photos can be read")


def _files(photos: list[str]) -> list[str]:
    """Return the photos that are named, those of a folder in the order of their names."""
    files = []
    for photo in photos:
        if not os.path.isdir(photo):  # noqa: PTH112 - Path.is_dir raises for a name that is too long
            files.append(photo)
            continue
        try:
            inside = sorted(path for path in Path(photo).iterdir() if path.suffix.lower() in SUFFIXES)
        except OSError as error:
            name = printable(photo)
            raise ReadError(
                f"{name}: this folder cannot be read: {reason(error)}; give another one, or photos"
            ) from error
        if not inside:
            raise ReadError(f"{printable(photo)}: there is no photo in this folder ({' '.join(SUFFIXES)})")
        files += map(str, inside)
    return files


def _save(path: Path, tuning: Tuning) -> Path:
    import json

    from tiepoint.evaluation.tune import tuning_csv, tuning_document
    from tiepoint.files import write_bytes

    if path.suffix.lower() == ".csv":
        return write_bytes(path, tuning_csv(tuning).encode())
    return write_bytes(path, (json.dumps(tuning_document(tuning), allow_nan=False, indent=1) + "\n").encode())


def _names(words: str) -> list[str]:
    return [word for part in words.split(",") if (word := part.strip())]


def _print(tuning: Tuning, *, verbose: bool) -> None:
    from tiepoint.evaluation.tune import advice, command, tables

    for sentence in advice(tuning):
        sys.stdout.write(f"{sentence}\n")
    line = command(tuning)
    if line is not None:
        sys.stdout.write(f"\n  {line}\n")
    for title, rows in tables(tuning, fates=verbose):
        sys.stdout.write(f"\n{title}\n")
        terminal.print_columns(rows, indent="  ")


@contextmanager
def _progress(talk: terminal.Talk) -> Iterator[Callable[[str, float], None]]:
    """Show the round and how much of the budget is gone, on a terminal; elsewhere -v names the rounds."""
    said: list[str] = []

    def say(words: str, _: float) -> None:
        if words not in said:
            said.append(words)
            talk.detail(words)

    if talk.quiet or not sys.stderr.isatty():
        yield say
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    # Left to itself, rich takes over standard output too, also where that is a file.
    with Progress(
        *columns, console=Console(file=sys.stderr), transient=True, redirect_stdout=sys.stdout.isatty()
    ) as bar:
        task = bar.add_task("reading", total=1.0)
        yield lambda words, gone: bar.update(task, description=words, completed=gone)


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command(epilog=EXAMPLES)(tune)
