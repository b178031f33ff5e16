"""The compiled core: whether it is there, which instructions it uses, on how many threads.

>>> from tiepoint import core
>>> core.set_threads(2)
>>> core.threads()
2
>>> core.set_threads(None)
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tiepoint.errors import OptionError

_missing: str | None = None  # why the core is
try:
    import tiepoint._core as compiled
except ImportError as error:
    _missing = str(error)

__all__ = ["available", "compiled", "describe", "level", "set_threads", "threads"]

HOW_TO_GET_IT = (
    "matching runs on NumPy, with the same results but slowly, because tiepoint was installed without its "
    "compiled core; with a C++17 compiler (g++, clang or MSVC) at hand, "
    "install it again from its sources: pip install --force-reinstall --no-deps ."
)

_threads: int | None = None
_noted = False


def level() -> str:
    """Return the instructions in use: "avx512", "avx2", "neon" or "scalar"; "numpy" without the core.

    Raises
    ------
    OptionError
        If TIEPOINT_SIMD names a level that is unknown or that this CPU does not run.
    """
    if _missing is not None:
        wanted = os.environ.get("TIEPOINT_SIMD")
        if wanted:
            raise OptionError(
                f"TIEPOINT_SIMD is {wanted!r}, but tiepoint was installed without its compiled core"
            )
        return "numpy"
    try:
        return compiled.level()
    except ValueError as error:
        raise OptionError(str(error)) from None


def available() -> tuple[str, ...]:
    """Return the levels that run here, best first; empty without the core."""
    return () if _missing is not None else tuple(compiled.available_levels())


def kernel(name: str) -> Any:
    """Return a function of the compiled core; None where there is none, and NumPy does the same.

    Examples
    --------
    >>> from tiepoint import core
    >>> core.kernel("a_name_that_none_has") is None
    True
    """
    return None if _missing is not None else getattr(compiled, name, None)


def describe() -> str:
    """Return one line: the level, the CPU, the threads; or how to get the core.

    Examples
    --------
    >>> from tiepoint import core
    >>> core.describe().startswith("matching")
    True
    """
    if _missing is not None:
        return f"{HOW_TO_GET_IT} ({_missing})"
    others = ", ".join(name for name in available() if name != level())
    return f"matching: {level()} on {compiled.cpu_name()}, threads: {threads()}" + (
        f" (TIEPOINT_SIMD takes also {others})" if others else ""
    )


def set_threads(n: int | None) -> None:
    """Set on how many threads calls run that are not told; None is the default again.

    The default is TIEPOINT_THREADS, else the number of CPUs this process may use. Results are the same
    for any number.

    Raises
    ------
    OptionError
        If n is not a whole number of at least 1.

    Examples
    --------
    >>> import tiepoint as tp
    >>> tp.set_threads(1)
    >>> tp.set_threads(None)
    """
    global _threads
    _threads = None if n is None else _checked(n, "threads")


def threads(n: int | None = None) -> int:
    """Return the number of threads a call runs on that was asked for n."""
    if n is not None:
        return _checked(n, "threads")
    if _threads is not None:
        return _threads
    named = os.environ.get("TIEPOINT_THREADS")
    if named:
        return _checked(int(named) if named.isdecimal() else named, "TIEPOINT_THREADS")
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def note_missing() -> None:
    """Say once, in the log, how to get the core."""
    global _noted
    if not _noted:
        _noted = True
        logging.getLogger("tiepoint").warning("%s", HOW_TO_GET_IT)


@contextmanager
def _forced(name: str) -> Iterator[None]:
    """Use one level, for a test."""
    before = level()
    compiled.force_level(name)
    try:
        yield
    finally:
        compiled.force_level(before)


def _checked(n: object, what: str) -> int:
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= 1024:
        raise OptionError(f"{what} must be a whole number from 1 to 1024, not {n!r}")
    return n
