"""An extractor or a matcher *is* its options: one frozen dataclass, written down once.

From the fields come the checks, the flags of the command line, the JSON settings and the table in
``tiepoint methods NAME``.
"""

from __future__ import annotations

import math
import operator
import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from difflib import get_close_matches
from typing import Any, ClassVar, Literal, Self, Union, get_args, get_origin, get_type_hints

from tiepoint.errors import OptionError

LARGEST_INTEGER = 2**31 - 1  # what OpenCV's own integers hold
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def option(
    default: Any,
    doc: str,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    above: float | None = None,
) -> Any:
    """Declare a field of an :class:`Options` class: its default, one sentence, and its range."""
    metadata = {"doc": doc, "at_least": at_least, "at_most": at_most, "above": above}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class OptionFact:
    """What there is to say about one option: for help texts and tables."""

    name: str
    type: str
    default: Any
    doc: str


@dataclass(frozen=True, kw_only=True)
class Options:
    """Base of everything that has options; a subclass is a frozen, keyword-only dataclass.

    Types and ranges are checked when an object is built. Supported types: int, float, bool, str,
    a ``Literal``, a :class:`Method`, and any of them ``| None``.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True, kw_only=True)
    ... class Blur(Options):
    ...     sigma: float = option(1.6, "width in pixels", above=0)
    >>> Blur.build({"sigma": 2}).settings()
    {'sigma': 2.0}
    >>> Blur.parse(["sigma=0.5"])
    {'sigma': 0.5}
    """

    def __post_init__(self) -> None:
        hints = self._hints()
        for f in fields(self):
            value = _fitting(f.name, getattr(self, f.name), hints[f.name])
            _check_range(f.name, value, f.metadata)
            object.__setattr__(self, f.name, value)

    def settings(self) -> dict[str, Any]:
        """Return the options as values that JSON can hold."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {
            name: {"name": value.name, **value.settings()} if isinstance(value, Method) else value
            for name, value in values.items()
        }

    @classmethod
    def _check_name(cls, name: str) -> None:
        known = [f.name for f in fields(cls)]
        if name not in known:
            raise OptionError(f"{cls.__name__} has no option {name!r}; {nearest(name, known)}")

    @classmethod
    def _hints(cls) -> dict[str, Any]:
        hints = get_type_hints(cls)
        return {f.name: hints[f.name] for f in fields(cls)}

    @classmethod
    def facts(cls) -> tuple[OptionFact, ...]:
        """List the options with type, default and meaning, in order of declaration."""
        hints = cls._hints()
        return tuple(
            OptionFact(f.name, _type_text(hints[f.name]), f.default, f.metadata.get("doc", ""))
            for f in fields(cls)
            if f.default is not MISSING
        )

    @classmethod
    def build(cls, options: Mapping[str, Any]) -> Self:
        """Build from named values; an unknown name is an error that names the nearest right one."""
        for name in options:
            cls._check_name(name)
        return cls(**options)

    @classmethod
    def parse(cls, words: list[str]) -> dict[str, Any]:
        """Turn ``["contrast_threshold=0.02", ...]`` of the command line into named values."""
        hints = cls._hints()
        values: dict[str, Any] = {}
        for word in words:
            name, equals, text = word.partition("=")
            name = name.strip().replace("-", "_")
            if not equals:
                raise OptionError(f"an option is written name=value, not {word!r}")
            cls._check_name(name)
            if name in values:
                raise OptionError(f"{name} is given twice; give it once")
            values[name] = _parsed(name, text.strip(), hints[name])
        return values


@dataclass(frozen=True, kw_only=True)
class Method(Options):
    """What a name stands for: an extractor or a matcher, which is its options."""

    name: ClassVar[str]
    summary: ClassVar[str] = ""
    """One line for ``tiepoint methods``."""
    source: ClassVar[str] = ""
    """The paper."""

    @classmethod
    def missing(cls) -> str | None:
        """Say what has to be installed before this can run; None if nothing has to."""
        return None


def nearest(name: str, known: list[str]) -> str:
    """Say which of the ``known`` names was probably meant, and list them all."""
    close = get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{hint}there is: {', '.join(sorted(known))}"


def _choices(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _fitting(name: str, value: Any, hint: Any) -> Any:
    """Return ``value`` as one of the types that ``hint`` allows, or refuse it."""
    for kind in _choices(hint):
        if kind is type(None):
            if value is None:
                return None
        elif get_origin(kind) is Literal:
            if any(type(value) is type(choice) and value == choice for choice in get_args(kind)):
                return value
        elif kind is int or kind is float:
            if isinstance(value, bool | str):
                continue
            try:
                number = operator.index(value) if kind is int else float(value)
            except (TypeError, ValueError, OverflowError):
                continue
            if kind is int or math.isfinite(number):
                return number
        elif isinstance(value, kind):
            return value
    finite = "a finite " if isinstance(value, float) and not math.isfinite(value) else ""
    raise OptionError(f"{name} must be {finite}{_type_text(hint)}, not {_shown(value)}{_meant(value, hint)}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _meant(value: Any, hint: Any) -> str:
    """Name the choice that a misspelt word comes near to."""
    choices = [c for kind in _choices(hint) if get_origin(kind) is Literal for c in get_args(kind)]
    close = get_close_matches(str(value), [str(choice) for choice in choices], n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _check_range(name: str, value: Any, rule: Mapping[str, Any]) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    if isinstance(value, int) and value > LARGEST_INTEGER:
        raise OptionError(f"{name} must be at most {LARGEST_INTEGER}")
    for word, key, holds in (
        ("at least", "at_least", operator.ge),
        ("at most", "at_most", operator.le),
        ("above", "above", operator.gt),
    ):
        bound = rule.get(key)
        if bound is not None and not holds(value, bound):
            raise OptionError(f"{name} must be {word} {bound}, not {value}")


def _parsed(name: str, text: str, hint: Any) -> Any:
    kinds = _choices(hint)
    if type(None) in kinds and text.lower() == "none":
        return None
    if bool in kinds:
        if text.lower() in _TRUE + _FALSE:
            return text.lower() in _TRUE
        raise OptionError(f"{name} must be true or false, not {text!r}")
    for choice in (c for kind in kinds if get_origin(kind) is Literal for c in get_args(kind)):
        if text == str(choice):
            return choice
    for kind in (int, float):
        if kind in kinds:
            try:
                return kind(text)
            except ValueError:
                continue
    if str in kinds:
        return text
    raise OptionError(f"{name} must be {_type_text(hint)}, not {_shown(text)}{_meant(text, hint)}")


def _type_text(hint: Any) -> str:
    names = []
    for kind in _choices(hint):
        if kind is type(None):
            names.append("none")
        elif get_origin(kind) is Literal:
            names.append(" | ".join(map(str, get_args(kind))))
        elif isinstance(kind, type) and issubclass(kind, Options):
            continue  # an object, which has no place in words; the choices beside it are its short names
        else:
            names.append(
                {int: "integer", float: "number", bool: "true | false", str: "text"}.get(
                    kind, kind.__name__.lower()
                )
            )
    return " | ".join(names)
