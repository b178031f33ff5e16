"""What the verbs share: the flags, talk on standard error, silence from C libraries, progress."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

if TYPE_CHECKING:
    from tiepoint.extractors import Extractor as ExtractorObject

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
MaxError = Annotated[
    float | None,
    typer.Option(metavar="PX", help="Largest residual of an inlier in pixels; else 2, more in large photos."),
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
Top = Annotated[int | None, typer.Option("--top", min=1, metavar="N", help="Draw only the N strongest.")]
Width = Annotated[
    int | None,
    typer.Option("--width", min=64, max=20_000, metavar="PIXELS", help="Width of the picture (PNG, JPEG)."),
]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Say more, and let C libraries speak.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing but results and errors.")]


def plain_output() -> None:
    """Let any file name be printed, also where the terminal's encoding has no letters for it.

    A stream that was closed before the start (``>&-``) is None in Python; it becomes one that takes all.
    """
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115 - as long as the process
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115
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
            _say(sentence)

    def detail(self, sentence: str) -> None:
        """Say something that only -v shows."""
        if self.verbose:
            _say(sentence)

    def warn(self, sentence: str) -> None:
        """Say what the user should know; -q suppresses it."""
        self.note(f"warning: {sentence}")

    def error(self, sentence: str) -> None:
        """Say what failed while the rest goes on; -q does not suppress it."""
        _say(f"tiepoint: {' '.join(sentence.split())}")

    def progress(self, items: list[str], what: str) -> Iterator[str]:
        """Go through items with a progress bar, if there is more than one and a terminal to show it."""
        if len(items) < 2 or self.quiet or not sys.stderr.isatty():
            yield from items
            return
        from rich.console import Console
        from rich.progress import Progress

        # Left to itself, rich takes over standard output too, also where that is a file.
        with Progress(
            *Progress.get_default_columns(),
            console=Console(file=sys.stderr),
            transient=True,
            redirect_stdout=sys.stdout.isatty(),
        ) as bar:
            yield from bar.track(items, description=what)


def _say(sentence: str) -> None:
    # A full disk under standard error must not lose the results: what cannot be said now is dropped, and
    # the stream is closed without what a failed write has left in its buffer.
    try:
        sys.stderr.write(f"{sentence}\n")
        sys.stderr.flush()
    except OSError:
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - as long as the process


@contextmanager
def quiet_libraries(talk: Talk) -> Iterator[None]:
    """Keep what libtiff, libpng and OpenCV write to descriptor 2 by themselves off the terminal.

    Python's own ``sys.stderr`` keeps its way there. Only for the command line, which owns its
    process: descriptors belong to all threads.
    """
    if talk.verbose:
        yield
        return
    # Matplotlib complains in its log about folders and settings that no picture here depends on.
    logging.getLogger("matplotlib").setLevel(logging.CRITICAL)
    if not _is_descriptor_2(sys.stderr):
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
        with suppress(OSError):
            spoken.close()
        os.dup2(saved, 2)
        os.close(saved)


def _is_descriptor_2(stream: TextIO) -> bool:
    try:
        return stream.fileno() == 2
    except (AttributeError, OSError, ValueError):
        return False


def chosen_extractor(name: str, words: list[str] | None, max_keypoints: int | None) -> ExtractorObject:
    """Return the extractor that the flags ask for."""
    from tiepoint.extractors import EXTRACTORS, get_extractor

    options = EXTRACTORS.load(name).parse(words or [])
    if max_keypoints is not None:
        if "max_keypoints" in options:
            raise typer.BadParameter("--max-keypoints and -o max_keypoints say the same; give one of them")
        options["max_keypoints"] = max_keypoints
    return get_extractor(name, **options)


def check_companions(*, draw: bool, top: int | None, width: int | None, as_json: bool, arrays: bool) -> None:
    """Refuse flags that would do nothing without another one."""
    if not draw and (top is not None or width is not None):
        raise typer.BadParameter("--top and --width are about the picture; add --draw FILE")
    if arrays and not as_json:
        raise typer.BadParameter("--arrays is about the JSON document; add --json")


def chosen_model(name: str, models: tuple[str, ...]) -> str:
    """Return the name of a geometric model, or refuse one that there is not."""
    if name not in models:
        raise typer.BadParameter(f"--model is one of {', '.join(models)}, not {name}")
    return name


def reading_options(*, allow_truncated: bool, max_pixels: int | None) -> dict[str, Any]:
    """Return the options of read_image that were asked for; the rest keeps its defaults."""
    return {"allow_truncated": allow_truncated, **({} if max_pixels is None else {"max_pixels": max_pixels})}


def print_json(document: Mapping[str, Any]) -> None:
    """Print one JSON document on one line."""
    sys.stdout.write(json.dumps(document, allow_nan=False) + "\n")


def print_columns(rows: Iterable[Sequence[str]], *, indent: str = "") -> None:
    """Print rows with their columns lined up; numbers to the right."""
    table = [tuple(str(cell) for cell in row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = [
            cell.rjust(width) if cell[:1].isdigit() else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        ]
        sys.stdout.write(f"{indent}{'  '.join(cells).rstrip()}\n")
