"""``tiepoint bench``: extractors and matchers side by side on pairs whose truth is known."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tiepoint.cli import bars, terminal
from tiepoint.errors import TiepointError
from tiepoint.files import make_folder

if TYPE_CHECKING:
    from tiepoint.evaluation.bench import Contender, Protocol
    from tiepoint.evaluation.bench.report import Report
    from tiepoint.evaluation.datasets import Dataset

EXAMPLES = """
    \b
    Examples:
      tiepoint bench hpatches --download --out bench/
      tiepoint bench hpatches --sequence 'v_*' --extractor orb,sift:contrast_threshold=0.02
      tiepoint bench my_pairs.csv --extractor sift --matcher nearest,nearest:ratio=0.8
      tiepoint bench fountain-P11/ --short-side none --estimator opencv --csv > table.csv
"""

EXTRACTORS = ("orb", "sift", "rootsift", "akaze")
RATIO = 0.85
WIDE = 120  # letters in a line of a file

Step = Callable[[int, int], None]


def bench(
    dataset: Annotated[
        str,
        typer.Argument(
            metavar="DATASET",
            help="hpatches, oxford, strecha, megadepth1500; or a folder like one, or a list of pairs.",
        ),
    ],
    extractor: Annotated[
        str | None,
        typer.Option(
            "--extractor",
            "-e",
            metavar="NAMES",
            help="Names between commas, options behind colons: orb,sift:contrast_threshold=0.02. "
            f"Default: those of {', '.join(EXTRACTORS)} that are installed.",
        ),
    ] = None,
    matcher: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help=f"Written likewise. Default: nearest:ratio={RATIO}."),
    ] = None,
    ratio: Annotated[
        float | None, typer.Option(metavar="R", help="Short for --matcher nearest:ratio=R.")
    ] = None,
    max_keypoints: Annotated[
        int,
        typer.Option(
            "--max-keypoints", "-n", metavar="N", help="For extractors that do not say it themselves."
        ),
    ] = 4096,
    short_side: Annotated[
        str,
        typer.Option(
            metavar="PIXELS", help="Reduce photos to this shorter side; none leaves them as they are."
        ),
    ] = "480",
    estimator: Annotated[
        str,
        typer.Option(metavar="NAME", help="Of homographies and relative poses: poselib, opencv or magsac."),
    ] = "poselib",
    max_error: Annotated[
        float | None,
        typer.Option(metavar="PIXELS", help="Of the estimator. Default: 2 for poselib, 3 for the others."),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the estimator's random samples.")] = 0,
    exact: Annotated[
        bool,
        typer.Option(
            "--exact", help="Carry the truth to reduced photos exactly, not as published tables do."
        ),
    ] = False,
    sequence: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN", help="Only these sequences, such as v_graffiti or 'i_*'; may be repeated."
        ),
    ] = None,
    root: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Local copy of the data set that is given by name.")
    ] = None,
    download: Annotated[
        bool, typer.Option("--download", help="Fetch the data set if it is not on this machine.")
    ] = False,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER",
            help="Keep records, table, page and pictures there; the same command goes on where it stopped.",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Processes, of one thread each. Default: one for each CPU."),
    ] = None,
    as_json: terminal.Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the table as CSV, with all figures.")] = False,
    verbose: terminal.Verbose = False,
    quiet: terminal.Quiet = False,
) -> None:
    """Measure extractors and matchers on a data set with known truth."""
    talk = terminal.Talk(verbose=verbose, quiet=quiet)
    if ratio is not None and matcher is not None:
        raise typer.BadParameter("--ratio is short for a --matcher; give one of them")
    if as_json and as_csv:
        raise typer.BadParameter("--json and --csv do not go together")
    with terminal.quiet_libraries(talk):
        from tiepoint.evaluation.bench import Protocol, contenders
        from tiepoint.evaluation.bench.report import failure_words, save_report
        from tiepoint.evaluation.datasets import load_dataset

        protocol = Protocol(
            short_side=_side(short_side),
            estimator=estimator,  # type: ignore[arg-type]  # checked there, in words
            max_error=max_error,
            seed=seed,
            exact=exact,
        )
        rows = contenders(
            _installed(talk) if extractor is None else extractor,
            f"nearest:ratio={RATIO if ratio is None else ratio}" if matcher is None else matcher,
            max_keypoints=max_keypoints,
        )
        with bars.downloading(talk) as progress:
            pairs = load_dataset(dataset, root, download=download, progress=progress)
        if sequence:
            pairs = pairs.subset(*sequence)
        for note in pairs.notes:
            talk.note(note)
        folder = None if out is None else make_folder(out)
        report = _measured(pairs, rows, protocol, folder, workers, talk)
        _print(report, as_json=as_json, as_csv=as_csv)
        if folder is not None:
            for path in save_report(report, folder):
                talk.note(f"written: {path}")
    if (failed := failure_words(report)) is not None:
        for label, pair, sentence in report.errors:
            talk.detail(f"{pair}, {label}: {sentence}")
        _, _, sentence = report.errors[0]
        talk.error(f"{failed}, the first because: {sentence}")
        raise typer.Exit(1)


def _measured(
    dataset: Dataset,
    rows: tuple[Contender, ...],
    protocol: Protocol,
    folder: Path | None,
    workers: int | None,
    talk: terminal.Talk,
) -> Report:
    from tiepoint.evaluation.bench import run_bench
    from tiepoint.evaluation.bench.report import Report, usable_cpus

    workers = workers or usable_cpus()
    kept: list[int] = []
    try:
        with _measuring(talk) as show:

            def step(done: int, total: int) -> None:
                if not kept:
                    kept.append(done)
                    if done:
                        talk.note(f"{done} of {total} measurements are there from an earlier run")
                show(done, total)

            records = run_bench(dataset, rows, protocol, folder=folder, workers=workers, progress=step)
    except KeyboardInterrupt:
        if folder is not None:
            talk.note("stopped; the same command goes on from here")
        raise
    report = Report.of(dataset, protocol, rows, records, workers=workers, resumed=kept[0] if kept else 0)
    if records and len(report.errors) == len(records):
        _, pair, sentence = report.errors[0]
        raise TiepointError(f"none of the {len(records)} measurements succeeded; {pair}: {sentence}")
    return report


def _print(report: Report, *, as_json: bool, as_csv: bool) -> None:
    from tiepoint.evaluation.bench.report import report_csv, report_document, report_text

    if as_json:
        terminal.print_json(report_document(report))
    elif as_csv:
        sys.stdout.write(report_csv(report))
    else:
        from rich.console import Console

        width = Console(file=sys.stdout).width if sys.stdout.isatty() else WIDE
        encoding = (sys.stdout.encoding or "ascii").lower()
        sys.stdout.write(report_text(report, width=width, ascii_only=not encoding.startswith("utf")))


def _side(text: str) -> int | None:
    from tiepoint.evaluation.bench import Protocol

    if text.strip() == "0":
        return None
    side: int | None = Protocol.parse([f"short_side={text}"])["short_side"]
    return side


def _installed(talk: terminal.Talk) -> str:
    from tiepoint.extractors import EXTRACTORS as KNOWN

    missing = {name: command for name in EXTRACTORS if (command := KNOWN.load(name).missing())}
    for name, command in missing.items():
        talk.note(f"{name} is left out, it is not installed; get it with: {command}")
    return ",".join(name for name in EXTRACTORS if name not in missing)


@contextmanager
def _measuring(talk: terminal.Talk) -> Iterator[Step]:
    """Show how many measurements there are and the time left, on a terminal."""
    if not bars.shown(talk):
        yield lambda *_: None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("measuring"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with bars.bar(*columns) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command(epilog=EXAMPLES)(bench)
