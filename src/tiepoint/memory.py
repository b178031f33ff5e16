"""How much memory this machine has."""

from __future__ import annotations

import os


def physical_memory() -> int | None:
    """Return the physical memory in bytes; None where the system does not say.

    Examples
    --------
    >>> from tiepoint.memory import physical_memory
    >>> have = physical_memory()
    >>> have is None or have > 2**20
    True
    """
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return None
