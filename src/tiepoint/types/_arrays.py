"""Checks of arrays at the border, and the base of the nouns."""

from __future__ import annotations

import json
import operator
from dataclasses import fields
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import DataError, OptionError


class Noun:
    """Base of the frozen types: they pickle by being built, and so checked, anew."""

    def __reduce__(self) -> tuple[Any, ...]:
        values = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        return _build, (type(self), values)

    def _set(self, name: str, value: object) -> None:
        # Only __post_init__ calls this: it puts the checked, read-only view in place.
        object.__setattr__(self, name, value)


def _build(cls: type[Noun], values: dict[str, Any]) -> Noun:
    return cls(**values)


def checked(
    name: str,
    array: object,
    *,
    shape: tuple[int | None, ...],
    dtype: type | tuple[type, ...],
    finite: bool = True,
) -> NDArray[Any]:
    """Return a read-only view of ``array``, or say what was expected and what came.

    ``None`` in ``shape`` stands for any length.
    """
    dtypes = dtype if isinstance(dtype, tuple) else (dtype,)
    if not isinstance(array, np.ndarray):
        wanted = _wanted(shape, dtypes)
        raise DataError(f"{name} must be a NumPy array {wanted}, not {type(array).__name__}")
    fits = array.ndim == len(shape) and all(
        want is None or want == have for want, have in zip(shape, array.shape, strict=True)
    )
    if not fits or array.dtype.type not in dtypes:
        given = f"{_shape_text(array.shape)} {array.dtype.name}"
        raise DataError(f"{name} must be {_wanted(shape, dtypes)}, not {given}")
    if not array.dtype.isnative:
        raise DataError(
            f"{name} must be in this machine's byte order; array.astype({array.dtype.name!r}) makes it so"
        )
    if finite and array.dtype.kind == "f" and not np.isfinite(array).all():
        raise DataError(f"{name} must be finite, but holds NaN or infinity")
    return read_only(array)


def checked_or_none(name: str, array: object, **rule: Any) -> NDArray[Any] | None:
    """Like :func:`checked`, with None passed through."""
    return None if array is None else checked(name, array, **rule)


def checked_size(name: str, size: object) -> tuple[int, int]:
    """Return ``size`` as a (width, height) of two plain positive integers."""
    try:
        width, height = map(_whole, cast(tuple[Any, Any], size))
    except (TypeError, ValueError):  # no sequence, or not of two
        width = height = None
    if width is None or height is None or min(width, height) < 1:
        raise DataError(f"{name} must be (width, height) in whole pixels, not {size!r}")
    return width, height


def checked_count(name: str, count: object, *, least: int = 0, most: int | None = None) -> int:
    """Return ``count`` as a plain integer within bounds; they are part of the allowed."""
    number = _whole(count)
    if number is None or number < least or (most is not None and number > most):
        bounds = f"{least} up" if most is None else f"{least} to {most}"
        raise OptionError(f"{name} must be a whole number from {bounds}, not {count!r}")
    return number


def checked_index(what: str, total: int, index: object) -> slice | NDArray[Any]:
    """Return a slice, a mask of ``total`` values or (K,) indices, each of which NumPy will take."""
    if isinstance(index, slice):
        try:
            index.indices(total)  # as NumPy will do
            return index
        except (TypeError, ValueError):
            given = repr(index)
    else:
        try:
            array = np.atleast_1d(np.asarray(index))
        except ValueError:  # rows of different lengths
            array = np.empty((0, 0))
        given = f"{_shape_text(array.shape)} {array.dtype.name}"
        if array.ndim == 1 and array.dtype == np.bool_ and len(array) == total:
            return array
        if array.ndim == 1 and (array.dtype.kind in "iu" or (len(array) == 0 and array.dtype != np.bool_)):
            if not len(array) or (array.min() >= -total and array.max() < total):
                return array.astype(np.intp)
            given = f"{array.min()}" if array.min() < -total else f"{array.max()}"
    raise DataError(
        f"these {total} {what} cannot be indexed by {given}; "
        f"use a mask of {total} truth values, indices below {total}, or a slice"
    )


def _whole(value: object) -> int | None:
    """Return what Python takes for an index as a plain integer; a truth value is no number."""
    try:
        return None if isinstance(value, bool) else operator.index(cast(Any, value))
    except TypeError:
        return None


def checked_inside(name: str, xy: NDArray[Any], size: tuple[int, int]) -> None:
    """Refuse points that lie off the photo; a detector may fit a peak up to a pixel past its edge."""
    if len(xy) and not ((xy >= -1).all() and (xy <= np.array(size)).all()):
        raise DataError(
            f"{name} must lie on the photo of {size[0]}x{size[1]} pixels, but reaches from "
            f"({xy[:, 0].min():.1f}, {xy[:, 1].min():.1f}) to ({xy[:, 0].max():.1f}, {xy[:, 1].max():.1f})"
        )


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return a view that nobody writes through; the caller's own array stays writable."""
    view = array.view()
    view.flags.writeable = False
    return view


def _wanted(shape: tuple[int | None, ...], dtypes: tuple[type, ...]) -> str:
    return f"{_shape_text(shape)} {' or '.join(np.dtype(d).name for d in dtypes)}"


def _shape_text(shape: tuple[int | None, ...]) -> str:
    names = iter("NMD")
    inside = ", ".join(str(n) if n is not None else next(names, "?") for n in shape)
    return f"({inside},)" if len(shape) == 1 else f"({inside})"


def checked_json(name: str, value: Any) -> Any:
    """Return a copy of plain data, and refuse what JSON cannot hold."""
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise DataError(f"{name} must be values that JSON can hold: {error}") from error
