"""Markdown tables between markers in the docs: written by a benchmark, and held against it in CI."""

from __future__ import annotations

import re
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
    start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    text = page.read_text(encoding="utf-8")
    before, found, rest = text.partition(start)
    shown, found_end, after = rest.partition(end)
    if not (found and found_end):
        sys.exit(f"{page} has no place for {name}")
    if check and not _alike(shown.strip(), table):
        sys.exit(f"{page} shows another table than {name} gives today:\n{shown}")
    if not check:
        page.write_text(f"{before}{start}{table}\n{end}{after}", encoding="utf-8")


def _alike(shown: str, table: str) -> bool:
    """Hold two tables against each other; another CPU rounds otherwise, which moves a match or two."""
    number = re.compile(r"\d+(?:\.\d+)?")
    if number.sub("#", shown) != number.sub("#", table):
        return False
    pairs = zip(number.findall(shown), number.findall(table), strict=True)
    return all(abs(float(a) - float(b)) <= max(2.0, 0.02 * float(b)) for a, b in pairs)
