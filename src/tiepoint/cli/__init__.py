"""The command line: words from the terminal in, words and files out; nothing is computed here."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence


def main() -> None:
    """Run the command ``tiepoint``; an error is one sentence on standard error and exit code 1."""
    # While modules are imported, Ctrl-C ends the process without a word, as it does later.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # A notebook names its own backend for every process it starts; what is drawn here needs no screen.
    os.environ["MPLBACKEND"] = "agg"
    from tiepoint.cli.app import run

    signal.signal(signal.SIGINT, signal.default_int_handler)
    run()


def main_inner(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code; errors are raised as they are."""
    from tiepoint.cli.app import run_inner

    return run_inner(arguments)
