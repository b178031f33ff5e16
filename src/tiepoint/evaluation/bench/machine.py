"""What it was measured on."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tiepoint import core
from tiepoint.errors import MissingError
from tiepoint.extractors.opencv import backend

_PACKAGES = ("tiepoint", "opencv", "poselib", "numpy")


def machine_facts() -> dict[str, Any]:
    """Return the CPU, how many of them may be used, the system, and versions; None for what is not known.

    Examples
    --------
    >>> from tiepoint.evaluation.bench.report import machine_facts
    >>> sorted(machine_facts())
    ['cpu', 'cpus', 'matching', 'python', 'system', 'versions']
    """
    return {
        "cpu": _cpu(),
        "cpus": usable_cpus(),
        "matching": core.level() if core.available() else None,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {package: _version(package) for package in _PACKAGES},
    }


def usable_cpus() -> int:
    """Return how many CPUs this process may use.

    Examples
    --------
    >>> from tiepoint.evaluation.bench.report import usable_cpus
    >>> usable_cpus() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _version(package: str) -> str | None:
    # OpenCV comes in four wheels.
    with suppress(PackageNotFoundError, MissingError):
        return backend.version().removeprefix("opencv ") if package == "opencv" else version(package)
    return None


def _cpu() -> str | None:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name" and value.strip():
                return value.strip()
    return platform.processor() or None
