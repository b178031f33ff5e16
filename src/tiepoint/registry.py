"""Names to classes: a plain table, loaded on first use, and open to other packages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from tiepoint.errors import MissingError, OptionError, TiepointError
from tiepoint.options import Method, OptionFact, nearest

Kind = TypeVar("Kind", bound=Method)


@dataclass(frozen=True)
class Listed:
    """One name of a registry: what it is, and what is missing before it can run."""

    name: str
    summary: str
    source: str
    missing: str | None
    options: tuple[OptionFact, ...]


class Registry(Generic[Kind]):
    """A table ``{"sift": "package.module:Class"}`` and the entry-point group that adds to it.

    Parameters
    ----------
    kind : str
        What the names stand for, in messages: "extractor".
    base : type
        The class that every one of them derives from.
    table : Mapping[str, str]
        The names that come with tiepoint; they cannot be taken by another package.
    group : str
        Entry-point group of other packages' names.
    """

    def __init__(self, kind: str, base: type[Kind], table: Mapping[str, str], group: str) -> None:
        self.kind = kind
        self._base = base
        self._table = dict(table)
        self._group = group

    def names(self) -> list[str]:
        """Return all names, those of tiepoint first."""
        others = sorted({point.name for point in entry_points(group=self._group)} - set(self._table))
        return [*self._table, *others]

    def load(self, name: str) -> type[Kind]:
        """Import and return the class behind a name.

        Raises
        ------
        OptionError
            If the name is unknown; the message names the nearest right one.
        MissingError
            If another package's class cannot be imported.
        """
        if name in self._table:
            module, _, attribute = self._table[name].partition(":")
            found = getattr(import_module(module), attribute)
        else:
            points = [point for point in entry_points(group=self._group) if point.name == name]
            if not points:
                raise OptionError(f"there is no {self.kind} {name!r}; {nearest(name, self.names())}")
            try:
                found = points[0].load()
            except Exception as error:
                raise MissingError(
                    f"the {self.kind} {name!r} of {points[0].value} cannot be loaded: {error}"
                ) from error
        if not (isinstance(found, type) and issubclass(found, self._base)):
            raise OptionError(f"the {self.kind} {name!r} is no subclass of {self._base.__qualname__}")
        return found

    def listing(self) -> list[Listed]:
        """Describe every name; one that cannot be loaded says why, and does not hide the others."""
        listed = []
        for name in self.names():
            try:
                method = self.load(name)
            except TiepointError as error:
                listed.append(Listed(name, "", "", str(error), ()))
            else:
                listed.append(Listed(name, method.summary, method.source, method.missing(), method.facts()))
        return listed

    def get(self, method: str | Kind, options: Mapping[str, Any]) -> Kind:
        """Return the object behind a name, built with these options, or the object that was given.

        Raises
        ------
        OptionError
            If the name or an option is unknown or out of range, or an object is given options besides.
        """
        if isinstance(method, str):
            return self.load(method).build(options)
        if not isinstance(method, self._base):
            raise OptionError(
                f"the {self.kind} is given by its name or as an object of "
                f"{self._base.__name__}, not {type(method).__name__}"
            )
        if options:
            given = ", ".join(f"{name}=..." for name in options)
            raise OptionError(
                f"options go to a name, or into the {self.kind} itself: {type(method).__name__}({given})"
            )
        return method
