"""``tiepoint methods``: what there is, what is missing, and every option."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tiepoint.cli import terminal

if TYPE_CHECKING:
    from tiepoint.extractors import Extractor

EXAMPLES = """
    \b
    Examples:
      tiepoint methods           what there is, and what to install for the rest
      tiepoint methods sift      the options of one, with their defaults
      tiepoint methods --json
"""


def methods(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Show the options of this one.")
    ] = None,
    as_json: terminal.Json = False,
    verbose: terminal.Verbose = False,
) -> None:
    """List the extractors and matchers, or the options of one."""
    talk = terminal.Talk(verbose=verbose, quiet=False)
    with terminal.quiet_libraries(talk):
        from tiepoint.extractors import EXTRACTORS
        from tiepoint.matchers import MATCHERS

        if name is not None:
            registry = MATCHERS if name in MATCHERS.names() else EXTRACTORS
            _print_options(registry.load(name), as_json=as_json)
            return
        extractors = [EXTRACTORS.load(known) for known in EXTRACTORS.names()]
        if as_json:
            terminal.print_json(
                {
                    "schema_version": 1,
                    "kind": "methods",
                    "extractors": [_facts(extractor) for extractor in extractors],
                    "matchers": [
                        {"name": known, "summary": MATCHERS.load(known).summary} for known in MATCHERS.names()
                    ],
                }
            )
            return
        here = [e for e in extractors if e.missing() is None]
        _print_section("Extractors", [(e.name, e.summary, e.source if verbose else "") for e in here])
        away = [e for e in extractors if e.missing() is not None]
        for install in sorted({e.missing() or "" for e in away}):
            these = [e for e in away if e.missing() == install]
            rows = [(e.name, e.summary, e.source if verbose else "") for e in these]
            _print_section(f"Extractors not installed; get them with: {install}", rows)
        matchers = [(known, MATCHERS.load(known).summary, "") for known in MATCHERS.names()]
        _print_section("Matchers", matchers)
        sys.stdout.write("Options of one: tiepoint methods NAME\n")


def _print_section(title: str, rows: list[tuple[str, str, str]]) -> None:
    sys.stdout.write(f"{title}\n")
    terminal.print_columns(rows, indent="  ")
    sys.stdout.write("\n")


def _facts(extractor: type[Extractor]) -> dict[str, Any]:
    install = extractor.missing()
    return {
        "name": extractor.name,
        "available": install is None,
        "install": install,
        "metric": extractor.metric,
        "summary": extractor.summary,
        "source": extractor.source,
        "options": {fact.name: _plain(fact.default) for fact in extractor.facts()},
    }


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float | str | None) else str(value)


def _print_options(method: type[Any], *, as_json: bool) -> None:
    facts = method.facts()
    if as_json:
        terminal.print_json(
            {
                "schema_version": 1,
                "kind": "options",
                "name": method.name,
                "options": [
                    {"name": f.name, "type": f.type, "default": _plain(f.default), "meaning": f.doc}
                    for f in facts
                ],
            }
        )
        return
    sys.stdout.write(f"{method.name}: {method.summary}\n")
    if hasattr(method, "source"):
        sys.stdout.write(f"{method.source}\n")
    if hasattr(method, "missing") and method.missing() is not None:
        sys.stdout.write(f"not installed; get it with: {method.missing()}\n")
    rows = [(f"-o {f.name}={_shown(f.default)}", f.type, f.doc) for f in facts]
    sys.stdout.write("\n")
    terminal.print_columns(rows, indent="  ")


def _shown(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return str(value)


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command(epilog=EXAMPLES)(methods)
