from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Run:
    code: int
    out: str
    err: str


Tiepoint = Callable[..., Run]


@pytest.fixture(scope="session")
def tiepoint() -> Tiepoint:
    """Run the command in a process of its own, as a person would."""

    def run(*arguments: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> Run:
        done = subprocess.run(
            [sys.executable, "-m", "tiepoint", *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            timeout=120,
            check=False,
        )
        return Run(done.returncode, done.stdout, done.stderr)

    return run


def sentence(run: Run) -> str:
    """The one sentence of a failure; anything else on standard error fails the test."""
    lines = run.err.splitlines()
    assert run.code == 1, run
    assert len(lines) == 1, run.err
    assert lines[0].startswith("tiepoint: ")
    assert "Traceback" not in run.err
    assert "bug" not in run.err
    return lines[0]
