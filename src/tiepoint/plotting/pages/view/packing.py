"""Numbers as a page holds them: base64 of their bytes, a third of what they take as JSON text."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.plotting.pages.markup import Markup, element, printable

# The types that a page can read, and the array of JavaScript that each becomes.
_TYPES = {"<f4": "Float32Array", "<f8": "Float64Array", "<i4": "Int32Array", "|u1": "Uint8Array"}
# None of these may stand in a script element: "<" could end it, and the rest is no line of a script.
_UNSAFE = re.compile("[<>&\u2028\u2029]")


def packed(array: NDArray[Any]) -> dict[str, str]:
    """Return an array as a page holds it, flat, in row order, least significant byte first.

    Parameters
    ----------
    array : ndarray, float32, float64, int32, uint8 or bool

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.plotting.pages.view.packing import packed
    >>> packed(np.array([[0, 1], [2, 255]], np.uint8))
    {'type': 'Uint8Array', 'base64': 'AAEC/w=='}
    """
    values = array.view(np.uint8) if array.dtype == np.bool_ else array
    values = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    data = base64.b64encode(values.tobytes()).decode("ascii")
    return {"type": _TYPES[values.dtype.str], "base64": data}


def data_block(name: str, document: Mapping[str, Any]) -> Markup:
    r"""Return a document as a script element that is data: no browser runs it.

    Names in it are text, cleaned as all text of a page is; NaN and infinity are refused.

    Examples
    --------
    >>> from tiepoint.plotting.pages.view.packing import data_block
    >>> print(data_block("names", {"photo": "</script>.jpg"}))
    <script type="application/json" id="names">{"photo":"\u003c/script\u003e.jpg"}</script>
    """
    text = json.dumps(_cleaned(document), allow_nan=False, separators=(",", ":"))
    safe = _UNSAFE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
    return element("script", Markup(safe), type="application/json", id=name)


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {printable(str(name)): _cleaned(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(part) for part in value]
    return value
