"""HPatches, the full image sequences: 57 with changing light (i_*), 59 with changing viewpoint (v_*)."""

from __future__ import annotations

import re
from pathlib import Path

from tiepoint.errors import ReadError
from tiepoint.evaluation.datasets.base import Dataset, Pair
from tiepoint.evaluation.datasets.homographies import HPATCHES, read_sequence
from tiepoint.evaluation.datasets.reading import contents, shown, subfolders

CITATION = (
    "V. Balntas, K. Lenc, A. Vedaldi, K. Mikolajczyk: HPatches: A benchmark and evaluation of handcrafted "
    "and learned local descriptors. CVPR 2017."
)
# D2-Net left them out, because not every method could hold photos of that size, and all tables since do
# so too (glue-factory: hpatches.py, ignored_scenes). The spelling is that of the data set.
LARGE_SEQUENCES = (
    "i_contruction",
    "i_crownnight",
    "i_dc",
    "i_pencils",
    "i_whitebuilding",
    "v_artisans",
    "v_astronautis",
    "v_talent",
)
_ALL = 116
_PHOTOS = 6


def recognises(path: Path) -> bool:
    """Tell whether a folder is HPatches, a part of it or one of its sequences."""
    return path.is_dir() and (_is_sequence(path) or any(map(_is_sequence, subfolders(path))))


def load_hpatches(root: Path, *, keep_large: bool = False) -> Dataset:
    """Read the HPatches sequences in a folder, or the one that the folder is.

    Parameters
    ----------
    root : Path
        Holds the folders ``i_*`` and ``v_*`` with ``1.ppm`` to ``6.ppm`` (or another format) and
        ``H_1_2`` to ``H_1_6``; or is one of them.
    keep_large : bool
        Keep the eight sequences of the largest photos, which published tables leave out.

    Returns
    -------
    Dataset
        Five pairs a sequence, 540 of 108 sequences if all are there. The names keep ``i_`` and ``v_``:
        ``dataset.subset("i_*")`` is the part with changing light.

    Raises
    ------
    ReadError
        If there is no such sequence, or a photo or matrix is missing or cannot be read.
    DataError
        If a matrix is singular or not finite.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from tiepoint.evaluation.datasets import load_hpatches
    >>> with tempfile.TemporaryDirectory() as root:
    ...     folder = Path(root, "v_wall")
    ...     folder.mkdir()
    ...     for k in range(1, 7):
    ...         size = (folder / f"{k}.ppm").write_bytes(b"P6 1 1 255 abc")
    ...         size = (folder / f"H_1_{k}").write_text("1 0 5  0 1 0  0 0 1")
    ...     load_hpatches(Path(root))
    Dataset(hpatches: 5 pairs of 1 sequence)
    """
    root = Path(root)
    folders = [root] if _is_sequence(root) else [f for f in subfolders(root) if _is_named(f)]
    kept = [f for f in folders if keep_large or f.resolve().name not in LARGE_SEQUENCES]
    if not kept:
        why = (
            "only sequences of large photos; keep_large=True reads them"
            if folders
            else "no i_* or v_* folder"
        )
        raise ReadError(f"{shown(root)}: there is {why}")
    pairs: list[Pair] = []
    for folder in kept:
        pairs += read_sequence(folder, HPATCHES, count=_PHOTOS)
    return Dataset(name="hpatches", pairs=tuple(pairs), citation=CITATION, notes=_notes(kept, keep_large))


def _notes(kept: list[Path], keep_large: bool) -> tuple[str, ...]:
    notes = []
    if not keep_large:
        large = ", ".join(LARGE_SEQUENCES)
        notes.append(f"The {len(LARGE_SEQUENCES)} sequences of large photos are left out: {large}.")
    whole = _ALL - (0 if keep_large else len(LARGE_SEQUENCES))
    if len(kept) < whole:
        notes.append(f"Only {len(kept)} of the {whole} sequences are there.")
    return tuple(notes)


def _is_named(folder: Path) -> bool:
    return re.match(r"[iv]_.", folder.resolve().name) is not None


def _is_sequence(folder: Path) -> bool:
    return _is_named(folder) and bool(HPATCHES.matrices(contents(folder)))
