"""What the verbs share: the flags, talk on standard error, silence from C libraries, progress."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, TextIO

import typer

Extractor = Annotated[
    str, typer.Option("--extractor", "-e", metavar="NAME", help="Local features; see: tiepoint methods.")
]
MaxKeypoints = Annotated[
    int | None,
    typer.Option("--max-keypoints", "-n", metavar="N", help="Keep at most so many keypoints in a photo."),
]
ExtractorOptions = Annotated[
    list[str] | None,
    typer.Option(
        "-o",
        "--option",
        metavar="NAME=VALUE",
        help="Any option of the extractor, such as contrast_threshold=0.02; see: tiepoint methods NAME.",
    ),
]
AllowTruncated = Annotated[
    bool, typer.Option("--allow-truncated", help="Read a photo that is cut off as far as it goes.")
]
MaxPixels = Annotated[
    int | None,
    typer.Option("--max-pixels", metavar="N", help="Refuse photos of more pixels; else 178 million."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON; docs/json.md describes it.")]
Arrays = Annotated[bool, typer.Option("--arrays", help="With --json: list the points themselves.")]
Top = Annotated[int | None, typer.Option("--top", metavar="N", help="Draw only the N strongest.")]
Width = Annotated[
    int | None, typer.Option("--width", metavar="PIXELS", help="Width of the picture (PNG, JPEG).")
]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Say more, and let C libraries speak.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing but results and errors.")]


def plain_output() -> None:
    """Let any file name be printed, also where the terminal's encoding has no letters for it."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


class Talk:
    """What is said beside the results, on standard error."""

    def __init__(self, *, verbose: bool, quiet: bool) -> None:
        if verbose and quiet:
            raise typer.BadParameter("-v and -q do not go together")
        self.verbose, self.quiet = verbose, quiet

    def note(self, sentence: str) -> None:
        """Say something useful; -q suppresses it."""
        if not self.quiet:
            sys.stderr.write(f"{sentence}\n")

    def detail(self, sentence: str) -> None:
        """Say something that only -v shows."""
        if self.verbose:
            sys.stderr.write(f"{sentence}\n")

    def warn(self, sentence: str) -> None:
        """Say what the user should know; -q suppresses it."""
        self.note(f"warning: {sentence}")

    def error(self, sentence: str) -> None:
        """Say what failed while the rest goes on; -q does not suppress it."""
        sys.stderr.write(f"tiepoint: {' '.join(sentence.split())}\n")

    def progress(self, items: list[str], what: str) -> Iterable[str]:
        """Go through items with a progress bar, if there is more than one and a terminal to show it."""
        if len(items) < 2 or self.quiet or not sys.stderr.isatty():
            return items
        from rich.console import Console
        from rich.progress import track

        return track(items, description=what, console=Console(file=sys.stderr), transient=True)


@contextmanager
def quiet_libraries(talk: Talk) -> Iterator[None]:
    """Keep what libtiff, libpng and OpenCV write to descriptor 2 by themselves off the terminal.

    Python's own ``sys.stderr`` keeps its way there. Only for the command line, which owns its
    process: descriptors belong to all threads.
    """
    if talk.verbose or not _is_descriptor_2(sys.stderr):
        yield
        return
    python_stderr = sys.stderr
    python_stderr.flush()
    saved = os.dup(2)
    spoken = os.fdopen(
        os.dup(2), "w", buffering=1, encoding=python_stderr.encoding, errors="backslashreplace"
    )
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
    sys.stderr = spoken
    try:
        yield
    finally:
        sys.stderr = python_stderr
        spoken.close()
        os.dup2(saved, 2)
        os.close(saved)


def _is_descriptor_2(stream: TextIO) -> bool:
    try:
        return stream.fileno() == 2
    except (AttributeError, OSError, ValueError):
        return False


def reading_options(*, allow_truncated: bool, max_pixels: int | None) -> dict[str, Any]:
    """Return the options of read_image that were asked for; the rest keeps its defaults."""
    return {"allow_truncated": allow_truncated, **({} if max_pixels is None else {"max_pixels": max_pixels})}


def print_json(document: Mapping[str, Any]) -> None:
    """Print one JSON document on one line."""
    sys.stdout.write(json.dumps(document, allow_nan=False) + "\n")


def print_columns(rows: Iterable[tuple[str, ...]], *, indent: str = "") -> None:
    """Print rows with their columns lined up; numbers to the right."""
    table = [tuple(str(cell) for cell in row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = [
            cell.rjust(width) if cell[:1].isdigit() else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        ]
        sys.stdout.write(f"{indent}{'  '.join(cells).rstrip()}\n")
