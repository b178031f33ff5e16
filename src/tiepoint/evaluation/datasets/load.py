"""A data set by its name, or by the folder or list that it is, whichever of the known layouts that has."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tiepoint.errors import OptionError, ReadError
from tiepoint.evaluation.datasets import hpatches, megadepth, oxford, pairs, strecha
from tiepoint.evaluation.datasets.base import Dataset
from tiepoint.evaluation.datasets.catalogue import CATALOGUE, Entry
from tiepoint.evaluation.datasets.download import fetch, fetched
from tiepoint.evaluation.datasets.reading import shown
from tiepoint.options import nearest
from tiepoint.transfer import Progress


@dataclass(frozen=True, kw_only=True)
class Layout:
    """One way that a data set may lie on a disk.

    Attributes
    ----------
    name : str
        That of the data set it is from.
    looks : str
        What to look for, for a person.
    recognises : callable
        Tells by what is there whether a path has this layout.
    load : callable
        Takes the path, and the options by name.
    options : tuple[str, ...]

    Examples
    --------
    >>> from tiepoint.evaluation.datasets import LAYOUTS
    >>> [layout.name for layout in LAYOUTS]
    ['megadepth1500', 'strecha', 'hpatches', 'oxford', 'pairs']
    """

    name: str
    looks: str
    recognises: Callable[[Path], bool]
    load: Callable[..., Dataset]
    options: tuple[str, ...] = ()


# In the order in which they are tried: MegaDepth-1500 may have a pairs.txt, HPatches is Oxford's layout too.
LAYOUTS = (
    Layout(
        name="megadepth1500",
        looks="pairs_calibrated.txt, or views.txt and pairs.txt, with images",
        recognises=megadepth.recognises,
        load=megadepth.load_megadepth1500,
        options=("images",),
    ),
    Layout(
        name="strecha",
        looks="photos with cameras.json or .camera files",
        recognises=strecha.recognises,
        load=strecha.load_strecha,
        options=("max_turn",),
    ),
    Layout(
        name="hpatches",
        looks="folders i_* and v_* with 1.ppm to 6.ppm and H_1_2 to H_1_6",
        recognises=hpatches.recognises,
        load=hpatches.load_hpatches,
        options=("keep_large",),
    ),
    Layout(
        name="oxford",
        looks="folders with 1.png, 2.png.. and H_1_2.., or img1.ppm, img2.ppm.. and H1to2p..",
        recognises=oxford.recognises,
        load=oxford.load_oxford,
    ),
    Layout(
        name="pairs",
        looks="a list of pairs in a .csv, .tsv, .txt or .json file",
        recognises=pairs.recognises,
        load=pairs.load_pairs,
    ),
)


def load_dataset(
    source: str | os.PathLike[str],
    root: str | os.PathLike[str] | None = None,
    *,
    download: bool = False,
    cache_dir: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Dataset:
    """Read a data set; nothing is fetched from the network unless ``download`` asks for it.

    Parameters
    ----------
    source : str | path
        "hpatches", "oxford", "strecha" (fountain-P11), "megadepth1500"; or a folder, or a list of pairs,
        whose layout is recognised by what is in it. A folder of the name of a data set is "./oxford".
    root : path | None
        A local copy of the data set that ``source`` names: its folder, or the one that its archive was
        unpacked in. None: the copy in the cache.
    download : bool
        Fetch it into the cache if it is not there.
    cache_dir : path | None
        None: the folder of :func:`cache_folder`.
    progress : callable | None
        As for :func:`fetch`.
    **options
        Of the loader: ``keep_large`` for hpatches, ``max_turn`` for strecha, ``images`` for megadepth1500.

    Returns
    -------
    Dataset

    Raises
    ------
    OptionError
        If there is no data set of that name, or no such option of its loader.
    ReadError
        If there is nothing of a known layout, or something is missing or cannot be read or fetched.
    DataError
        If what is there cannot be true.
    WriteError
        If the cache cannot be written to.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from tiepoint.evaluation.datasets import load_dataset
    >>> with tempfile.TemporaryDirectory() as root:
    ...     for k in (1, 2):
    ...         size = Path(root, f"{k}.ppm").write_bytes(b"P6 1 1 255 abc")
    ...     size = Path(root, "H_1_2").write_text("1 0 5  0 1 0  0 0 1")
    ...     load_dataset(root)
    Dataset(oxford: 1 pair of 1 sequence)
    """
    entry = CATALOGUE.get(source) if isinstance(source, str) else None
    if entry is None:
        layout = _recognised(Path(source), root)
    else:
        layout = next(layout for layout in LAYOUTS if layout.name == entry.name)
    for name in options:
        if name not in layout.options:
            known = nearest(name, list(layout.options)) if layout.options else "it has none"
            raise OptionError(f"{layout.name} has no option {name!r}; {known}")
    if entry is None:
        path = Path(source)
    elif root is not None:
        path = _local(layout, entry, Path(root))
    else:
        path = fetch(entry, cache_dir, progress) if download else _cached(entry, cache_dir)
    return layout.load(path, **options)


def _recognised(path: Path, root: str | os.PathLike[str] | None) -> Layout:
    if not path.exists():
        raise OptionError(
            f"there is no data set, folder or list {shown(path)!r}; {nearest(str(path), list(CATALOGUE))}"
        )
    if root is not None:
        raise OptionError(
            f"root is the place of a data set that is given by name, and {shown(path)} is a path"
        )
    for layout in LAYOUTS:
        if layout.recognises(path):
            return layout
    looks = "; ".join(layout.looks for layout in LAYOUTS)
    raise ReadError(f"{shown(path)}: is laid out as none of the data sets that are read: {looks}")


def _local(layout: Layout, entry: Entry, root: Path) -> Path:
    """Return where in ``root`` the data set is: the folder itself, or that of its archive."""
    for folder in (root, root / entry.root, root / entry.name):
        if layout.recognises(folder):
            return folder
    raise ReadError(f"{shown(root)}: does not hold {entry.name}: {layout.looks}")


def _cached(entry: Entry, cache_dir: str | os.PathLike[str] | None) -> Path:
    if (folder := fetched(entry, cache_dir)) is not None:
        return folder
    known = [archive.size for archive in entry.archives if archive.size is not None]
    size = f" ({sum(known) / 1e9:.1f} GB)" if len(known) == len(entry.archives) else ""
    raise ReadError(
        f"{entry.name} is not on this machine: name a local copy with root (--root), or "
        f"have it fetched{size} with download=True (--download) from {entry.page}"
    )
