"""``tiepoint methods``: what there is, what is missing, and every option."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tiepoint.cli import terminal
from tiepoint.errors import OptionError
from tiepoint.options import nearest

if TYPE_CHECKING:
    from tiepoint.registry import Listed

EXAMPLES = """
    \b
    Examples:
      tiepoint methods           what there is, and what to install for the rest
      tiepoint methods sift      the options of one, with their defaults
      tiepoint methods --json
"""


def methods(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Show the options of this one.")] = None,
    as_json: terminal.Json = False,
    verbose: terminal.Verbose = False,
) -> None:
    """List the extractors and matchers, or the options of one."""
    talk = terminal.Talk(verbose=verbose, quiet=False)
    with terminal.quiet_libraries(talk):
        from tiepoint.extractors import EXTRACTORS
        from tiepoint.matchers import MATCHERS

        extractors, matchers = EXTRACTORS.listing(), MATCHERS.listing()
    if name is not None:
        _print_found(name, [*extractors, *matchers], as_json=as_json)
    elif as_json:
        _print_all_json(extractors, matchers)
    else:
        _print_all(extractors, matchers, verbose=verbose)


def _print_found(name: str, listed: list[Listed], *, as_json: bool) -> None:
    """Print what has this name: an extractor, a matcher, or one after the other."""
    found = [one for one in listed if one.name == name]
    if not found:
        raise OptionError(f"there is no method {name!r}; {nearest(name, [one.name for one in listed])}")
    for number, one in enumerate(found):
        if number and not as_json:
            sys.stdout.write("\n")
        _print_one(one, as_json=as_json)


def _print_all(extractors: list[Listed], matchers: list[Listed], *, verbose: bool) -> None:
    for kind, listed in (("Extractors", extractors), ("Matchers", matchers)):
        _print_section(kind, [one for one in listed if one.missing is None], verbose=verbose)
        away = [one for one in listed if one.missing is not None]
        for missing in sorted({one.missing or "" for one in away}):
            these = [one for one in away if one.missing == missing]
            _print_section(f"{kind} that are not here; get them with: {missing}", these, verbose=verbose)
    if verbose:
        from tiepoint.core import describe

        sys.stdout.write(f"{describe()}\n")
    sys.stdout.write("Options of one: tiepoint methods NAME\n")


def _print_section(title: str, listed: list[Listed], *, verbose: bool) -> None:
    sys.stdout.write(f"{title}\n")
    terminal.print_columns(
        [(one.name, one.summary, one.source if verbose else "") for one in listed], indent="  "
    )
    sys.stdout.write("\n")


def _print_all_json(extractors: list[Listed], matchers: list[Listed]) -> None:
    kinds = {"extractors": extractors, "matchers": matchers}
    terminal.print_json(
        {
            "schema_version": 1,
            "kind": "methods",
            **{kind: [_facts(one) for one in listed] for kind, listed in kinds.items()},
        }
    )


def _facts(one: Listed) -> dict[str, Any]:
    return {
        "name": one.name,
        "summary": one.summary,
        "source": one.source,
        "available": one.missing is None,
        "missing": one.missing,
        "options": [
            {"name": fact.name, "type": fact.type, "default": fact.default, "meaning": fact.doc}
            for fact in one.options
        ],
    }


def _print_one(one: Listed, *, as_json: bool) -> None:
    if as_json:
        terminal.print_json({"schema_version": 1, "kind": "method", **_facts(one)})
        return
    sys.stdout.write(f"{one.name}: {one.summary}\n")
    if one.source:
        sys.stdout.write(f"{one.source}\n")
    if one.missing is not None:
        sys.stdout.write(f"not here; get it with: {one.missing}\n")
    sys.stdout.write("\n")
    rows = [(f"-o {fact.name}={_shown(fact.default)}", fact.type, fact.doc) for fact in one.options]
    terminal.print_columns(rows, indent="  ")


def _shown(value: Any) -> str:
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command(epilog=EXAMPLES)(methods)
