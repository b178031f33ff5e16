"""The command ``tiepoint``: its verbs, and how an error becomes one sentence and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any, TextIO, cast

import typer

from tiepoint import __version__
from tiepoint.cli import align, bench, demo, extract, match, methods, tune, view, weights
from tiepoint.cli.terminal import plain_output
from tiepoint.errors import TiepointError, printable, reason

# Plain help: drawing it with rich would take longer than all the rest of `tiepoint --help`.
app = typer.Typer(
    name="tiepoint",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
extract.add_to(app)
match.add_to(app)
view.add_to(app)
align.add_to(app)
methods.add_to(app)
demo.add_to(app)
bench.add_to(app)
tune.add_to(app)
weights.add_to(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tiepoint {__version__}")
        raise typer.Exit


@app.callback()
def tiepoint(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """From two photos to tie points that can be trusted.

    \b
    Try it without a photo:     tiepoint demo
    Match two photos:           tiepoint match A.jpg B.jpg --draw matches.png
    Look at the matches:        tiepoint view A.jpg B.jpg -o pair.html
    Lay one over the other:     tiepoint align A.jpg B.jpg -o aligned.gif
    Look at what is detected:   tiepoint extract A.jpg --draw keypoints.png
    Advice for your photos:     tiepoint tune photos/
    See what there is:          tiepoint methods

    Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 an error
    in one sentence, 2 a command line that cannot be understood; 3 and 4 only of match --exit-code.
    """  # noqa: D301 - the \b is for the help, which would run the lines together


def run_inner(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code; errors are raised as they are."""
    code = app(args=arguments if arguments is None else list(arguments), standalone_mode=False)
    return code if isinstance(code, int) else 0


def run() -> None:
    """Run the command line; an error is one sentence on standard error and exit code 1."""
    plain_output()
    output = _Output(sys.stdout)
    sys.stdout = cast(TextIO, output)
    try:
        try:
            app()  # ends by SystemExit, with code 2 for wrong usage
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader (`| head`) has gone, which is its right; Python must not complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except TiepointError as error:
        _fail(str(error))
    except MemoryError:
        _fail("there is not enough memory for this; try smaller photos, or -o max_size=2000")
    except OSError as error:
        if error is output.trouble:
            _fail(f"standard output cannot be written: {reason(error)}")
        if os.environ.get("TIEPOINT_DEBUG"):
            raise
        _fail(_in_words(error))
    except Exception as error:
        if os.environ.get("TIEPOINT_DEBUG"):
            raise
        _fail(
            f"this is a bug in tiepoint: {type(error).__name__}: {error}; "
            "please report it, with what the same command prints under TIEPOINT_DEBUG=1"
        )


class _Output:
    """Standard output that keeps its last error: an OSError does not say which stream it comes from."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.trouble: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError as error:
            self.trouble = error
            raise

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self.trouble = error
            raise


def _in_words(error: OSError) -> str:
    """Return a sentence about a file or a device that nobody foresaw trouble with."""
    where = "the system says" if error.filename is None else printable(str(error.filename))
    return f"{where}: {reason(error)}; the same command under TIEPOINT_DEBUG=1 shows what it was for"


def _fail(sentence: str) -> None:
    sys.stderr.write(f"tiepoint: {' '.join(sentence.split())}\n")
    if not sys.stdout.closed:
        try:
            sys.stdout.flush()
        except OSError:  # the disk under standard output is full: said already
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(1)
