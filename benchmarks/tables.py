"""Markdown tables between markers in the docs: written by a benchmark, and held against it in CI."""

from __future__ import annotations

import sys
from pathlib import Path


def markdown(header: list[str], rows: list[list[str]]) -> str:
    """Return a markdown table; every column but the first is aligned to the right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def publish(name: str, table: str, page: Path | None, *, check: bool) -> None:
    """Print a table; put it between its markers in ``page``, or exit if the page shows another."""
    print(f"\n{table}\n")
    if page is None:
        return
    start, end = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->"
    text = page.read_text(encoding="utf-8")
    before, found, rest = text.partition(start)
    shown, found_end, after = rest.partition(end)
    if not (found and found_end):
        sys.exit(f"{page} has no place for {name}")
    if check and shown != table:
        sys.exit(f"{page} shows another table than {name} gives today:\n{shown}")
    if not check:
        page.write_text(before + start + table + end + after, encoding="utf-8")
