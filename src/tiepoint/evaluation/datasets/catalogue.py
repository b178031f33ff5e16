"""Where the data sets are to be had: the addresses of those who made them, and their terms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from tiepoint.errors import OptionError
from tiepoint.evaluation.datasets import hpatches, megadepth, oxford, strecha


@dataclass(frozen=True, kw_only=True)
class Archive:
    """One file to fetch, and what is known of it beforehand.

    Attributes
    ----------
    url : str
        Of a ``.zip`` or ``.tar.gz``; http or https.
    sha256 : str | None
        As somebody else published it; None where nobody has.
    size : int | None
        In bytes.
    folder : str
        Where its files go, below the data set's folder: "" for the folder itself.

    Raises
    ------
    OptionError
        If the address, the checksum or the folder cannot be one.

    Examples
    --------
    >>> from tiepoint.evaluation.datasets import Archive
    >>> Archive(url="https://example.org/towers.zip").file
    'towers.zip'
    """

    url: str
    sha256: str | None = None
    size: int | None = None
    folder: str = ""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.netloc or not self.file:
            raise OptionError(f"an archive's address begins with http:// or https://, not {self.url!r}")
        if self.sha256 is not None and not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise OptionError(f"a sha256 has 64 small hexadecimal digits, unlike {self.sha256!r}")
        if not _is_inside(self.folder):
            raise OptionError(f"an archive's folder must be inside of the data set's, not {self.folder!r}")

    @property
    def file(self) -> str:
        """The name of the file."""
        return PurePosixPath(urlsplit(self.url).path).name


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A data set that can be fetched.

    Attributes
    ----------
    name : str
        What it is called by, such as "hpatches".
    archives : tuple[Archive, ...]
    root : str
        The folder, once all archives are unpacked, that the loader takes.
    page : str
        Where its makers describe it.
    citation : str
        What to cite when results on it are published.
    licence : str
        The terms, in words.

    Raises
    ------
    OptionError
        If the name or the root cannot be a folder's.

    Examples
    --------
    >>> from tiepoint.evaluation.datasets import CATALOGUE
    >>> CATALOGUE["hpatches"].archives[0].size
    1279545572
    """

    name: str
    archives: tuple[Archive, ...]
    root: str = ""
    page: str
    citation: str
    licence: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][\w-]*", self.name, re.ASCII) or not _is_inside(self.root):
            raise OptionError(
                f"an entry's name and root must be plain names, not {self.name!r} and {self.root!r}"
            )


def _is_inside(folder: str) -> bool:
    return re.fullmatch(r"(?!\.\.?(/|$))[\w .-]+(/(?!\.\.?(/|$))[\w .-]+)*|", folder, re.ASCII) is not None


# Published by those who fetched them before: graf and boat by two of them each, independently.
_OXFORD_SHA256 = {
    "boat": "6e5721f37fbf9c3e974fd05935a42c1670f3e71aa3e5b218807ea046a068c603",
    "graf": "999871b945ee968a00a0d5f9af957d1382fb9dae1511cdee9553366817b53b5b",
    "leuven": "9b1ade6e64e5b27eee43463ff8f9ad2bd2f9c6911666e93de2634f3a5c0fe5dc",
}
_EPFL = "https://documents.epfl.ch/groups/c/cv/cvlab-unit/www/data/multiview"

_ENTRIES = (
    Entry(
        name="hpatches",
        archives=(
            # Vassileios Balntas' own copy; the first address, at icvl.ee.ic.ac.uk, is gone. The sha256 is
            # the one that Hugging Face itself states.
            Archive(
                url="https://huggingface.co/datasets/vbalnt/hpatches/resolve/main/"
                "hpatches-sequences-release.zip",
                sha256="99cf7e1ca167896eb4ca2fe3d903beff6566243a3c0c8e07a13a2596648ad670",
                size=1_279_545_572,
            ),
        ),
        root="hpatches-sequences-release",
        page="https://github.com/hpatches/hpatches-dataset",
        citation=hpatches.CITATION,
        licence="MIT for the repository of the data set; some sequences are taken from earlier data sets, "
        "whose authors ask to be cited as well (references.txt in that repository).",
    ),
    Entry(
        name="oxford",
        archives=tuple(
            Archive(
                url=f"https://www.robots.ox.ac.uk/~vgg/research/affine/det_eval_files/{name}.tar.gz",
                sha256=_OXFORD_SHA256.get(name),
                folder=name,
            )
            for name in oxford.SEQUENCES
        ),
        page="https://www.robots.ox.ac.uk/~vgg/research/affine/",
        citation=oxford.CITATION,
        licence="Not stated; offered for the evaluation of detectors, and its authors ask to be cited.",
    ),
    Entry(
        name="strecha",
        archives=tuple(
            Archive(url=f"{_EPFL}/data/fountain_dense/urd/fountain_dense_{part}.tar.gz", sha256=sha256)
            for part, sha256 in (
                ("images", "94df79b5645a0ca07f82cee30e59e1cf9e0cefaefae817a4adb80a0f02e30cd5"),
                ("cameras", "6d4724b6868832289844149f1a519c23e8504e0cce9beb3356c73273e5217fc5"),
            )
        ),
        page=f"{_EPFL}/denseMVS.html",
        citation=strecha.CITATION,
        licence="Not stated; its authors ask to be cited.",
    ),
    Entry(
        name="megadepth1500",
        archives=(Archive(url="https://cvg-data.inf.ethz.ch/megadepth/megadepth1500.zip"),),
        root="megadepth1500",
        page="https://www.cs.cornell.edu/projects/megadepth/",
        citation=megadepth.CITATION,
        licence="Not stated for this choice of pairs; the photos are from Flickr and belong to those who "
        "took them.",
    ),
)
CATALOGUE = {entry.name: entry for entry in _ENTRIES}
