"""Names to classes: a plain table, loaded on first use, and open to other packages."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from tiepoint.errors import MissingError, OptionError
from tiepoint.options import Options, nearest

Method = TypeVar("Method", bound=Options)


class Registry(Generic[Method]):
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

    def __init__(self, kind: str, base: type[Method], table: Mapping[str, str], group: str) -> None:
        self.kind = kind
        self._base = base
        self._table = dict(table)
        self._group = group

    def names(self) -> list[str]:
        """Return all names, those of tiepoint first."""
        others = sorted({point.name for point in entry_points(group=self._group)} - set(self._table))
        return [*self._table, *others]

    def load(self, name: str) -> type[Method]:
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

    def create(self, name: str, options: Mapping[str, Any]) -> Method:
        """Build the object behind a name with these options."""
        return self.load(name).build(options)
