"""Progress bars on standard error, for a person who waits."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tiepoint.cli import terminal

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn


@contextmanager
def downloading(talk: terminal.Talk) -> Iterator[Callable[[str, int, int | None], None] | None]:
    """Show how much of each file is there, on a terminal."""
    if not shown(talk):
        yield None
        return
    from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn, TimeRemainingColumn

    tasks: dict[str, TaskID] = {}
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with bar(*columns) as progress:

        def step(name: str, done: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=total)
            progress.update(tasks[name], completed=done, total=total)

        yield step


def shown(talk: terminal.Talk) -> bool:
    """Whether there is anybody to see a bar."""
    return not talk.quiet and sys.stderr.isatty()


def bar(*columns: ProgressColumn) -> Progress:
    """Return a bar of these columns, which goes away when it is done."""
    from rich.console import Console
    from rich.progress import Progress

    # Left to itself, rich takes over standard output too, also where that is a file.
    return Progress(
        *columns,
        console=Console(file=sys.stderr),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),
    )
