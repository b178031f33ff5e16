"""Arrays as the lists of a JSON document."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def listed(values: NDArray[Any] | None) -> list[Any] | None:
    """Return an array as lists of plain numbers; None stays None, and infinity becomes None.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.formats.lists import listed
    >>> listed(np.array([0.1, np.inf], np.float32))
    [0.1, None]
    """
    if values is None:
        return None
    if values.dtype == np.float32:
        if values.ndim == 2:
            return [listed(row) for row in values]
        # By way of their shortest text: 0.1 in float32 is to read 0.1, not 0.10000000149011612.
        # JSON has no infinity (a second distance where there is no second): that is null.
        return [float(str(v)) if np.isfinite(v) else None for v in values]
    plain: list[Any] = values.tolist()
    return plain
