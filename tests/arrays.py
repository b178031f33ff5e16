"""Comparing arrays that may be None by their types."""

from __future__ import annotations

from typing import Any

import numpy as np


def same(a: Any, b: Any) -> bool:
    """Tell whether two arrays are there and equal."""
    assert a is not None
    assert b is not None
    return bool(np.array_equal(a, b))
