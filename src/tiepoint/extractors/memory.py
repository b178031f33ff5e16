"""Refuse a photo that would exhaust the machine, instead of being killed by it."""

from __future__ import annotations

from tiepoint.errors import DataError
from tiepoint.memory import physical_memory


def check_memory(extractor: str, size: tuple[int, int], need: float) -> None:
    """Raise a DataError if the extractor needs more memory (in bytes) for such a photo than there is."""
    width, height = size
    have = physical_memory()
    if have is not None and need > have:
        fits = int(max(size) * (0.5 * have / need) ** 0.5)
        raise DataError(
            f"{extractor} with these options needs about {need / 2**30:.1f} GiB of memory for "
            f"{width}x{height} pixels, but this machine has {have / 2**30:.1f}; "
            f"reduce the photo with the option max_size={fits}"
        )
