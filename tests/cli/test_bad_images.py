"""All files of badimages/, alone and in pairs, through the command line with its memory limited."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

# Runs in a process of its own, so that a crash of a decoder cannot take the tests with it; it prints
# a line before each command, so that the file is known.
WORKER = r"""
import contextlib, io, json, resource, sys, time
from pathlib import Path

resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
from tiepoint import TiepointError
from tiepoint.cli import main_inner

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

folder, good = Path(sys.argv[1]), sys.argv[2]
files = sorted(folder.iterdir())
commands = [["extract", "-e", "orb", "-q", "--", str(f)] for f in files]
commands += [["match", "-e", "orb", "-q", "--", str(a), str(b)] for a, b in zip(files, files[1:] + files[:1])]
commands += [["match", "-e", "orb", "-q", "--", str(f), good] for f in files]
main_inner(["extract", "-e", "orb", "-q", good])
for command in commands:
    print(json.dumps({"command": command}), flush=True)
    start, before = time.perf_counter(), peak()
    error = None
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as err:
        try:
            main_inner(command)
        except TiepointError as refused:
            error = str(refused)
    print(json.dumps({
        "error": error, "err": err.getvalue(),
        "seconds": time.perf_counter() - start, "grown": peak() - before,
    }), flush=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits its memory by Linux's means")
def test_every_bad_image_alone_and_in_pairs(data: Path) -> None:
    good = data / "pairs" / "stata_center" / "1.png"
    done = subprocess.run(
        [sys.executable, "-c", WORKER, str(data / "badimages"), str(good)],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    commands, outcomes = lines[0::2], lines[1::2]
    assert done.returncode == 0, (commands[-1], done.stderr[-2000:])
    assert len(outcomes) == 3 * 224
    refused = 0
    for command, outcome in zip(commands, outcomes, strict=True):
        case = (command, outcome)
        assert outcome["err"] == "", case
        if outcome["error"] is not None:
            refused += 1
            assert "\n" not in outcome["error"], case
            assert any(name in outcome["error"] for name in command["command"][-2:]), case
            assert outcome["seconds"] < 2, case
            assert outcome["grown"] < 1024, case
        assert outcome["seconds"] < 20, case
    assert refused > 224


def test_the_command_itself_refuses_with_code_1(data: Path) -> None:
    for name in (
        "own_text.jpg",
        "own_jpeg_cut_50pct.jpg",
        "own_png_bomb_20000x20000_1bit.png",
        "own_empty.png",
    ):
        done = subprocess.run(
            [sys.executable, "-m", "tiepoint", "extract", str(data / "badimages" / name)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 1
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1
        assert name in done.stderr
