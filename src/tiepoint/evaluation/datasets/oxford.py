"""The Oxford affine covariant sequences: graf, wall, boat, bark, bikes, trees, leuven, ubc."""

from __future__ import annotations

from pathlib import Path

from tiepoint.errors import ReadError
from tiepoint.evaluation.datasets.base import Dataset, Pair
from tiepoint.evaluation.datasets.homographies import HPATCHES, ORIGINAL, Naming, read_sequence
from tiepoint.evaluation.datasets.reading import contents, shown, subfolders

CITATION = (
    "K. Mikolajczyk, T. Tuytelaars, C. Schmid, A. Zisserman, J. Matas, F. Schaffalitzky, T. Kadir, "
    "L. Van Gool: A comparison of affine region detectors. IJCV 65 (2005)."
)
SEQUENCES = ("bark", "bikes", "boat", "graf", "leuven", "trees", "ubc", "wall")
# The same photo in growing JPEG compression: its archive has no matrices, because they would be the identity.
_STILL = "ubc"
_PHOTOS = 6


def recognises(path: Path) -> bool:
    """Tell whether a folder is a sequence of photos with homographies, or holds some."""
    return path.is_dir() and (_has_matrices(path) or any(map(_has_matrices, subfolders(path))))


def load_oxford(root: Path) -> Dataset:
    """Read the sequences in a folder, or the one that the folder is.

    Parameters
    ----------
    root : Path
        Holds a folder for each sequence, or is one. A sequence has ``img1.ppm`` and so on with
        ``H1to2p`` (as its authors packed it), or ``1.png`` and so on with ``H_1_2`` (as HPatches does).
        Sequences of your own may have any name and any number of photos.

    Returns
    -------
    Dataset
        The pairs 1-2, 1-3 and so on of each sequence, sorted by name.

    Raises
    ------
    ReadError
        If there is no sequence, or a photo or matrix is missing or cannot be read.
    DataError
        If a matrix is singular or not finite.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from tiepoint.evaluation.datasets import load_oxford
    >>> with tempfile.TemporaryDirectory() as root:
    ...     folder = Path(root, "tower")
    ...     folder.mkdir()
    ...     for k in (1, 2, 3):
    ...         size = (folder / f"img{k}.ppm").write_bytes(b"P6 1 1 255 abc")
    ...     for k in (2, 3):
    ...         size = (folder / f"H1to{k}p").write_text("1 0 5  0 1 0  0 0 1")
    ...     [pair.name for pair in load_oxford(root)]
    ['tower/1-2', 'tower/1-3']
    """
    root = Path(root)
    folders = [root] if _has_matrices(root) else [f for f in subfolders(root) if _is_sequence(f)]
    if not folders:
        raise ReadError(f"{shown(root)}: there is no sequence of photos with homographies")
    pairs: list[Pair] = []
    for folder in folders:
        names = contents(folder)
        naming = _naming(names)
        name = folder.resolve().name
        pairs += read_sequence(
            folder, naming, count=_PHOTOS if name in SEQUENCES else None, still=name == _STILL
        )
    notes = []
    if any(pair.sequence == _STILL for pair in pairs):
        notes.append("The photos of ubc cover each other pixel by pixel: they differ in JPEG compression.")
    return Dataset(name="oxford", pairs=tuple(pairs), citation=CITATION, notes=tuple(notes))


def _naming(names: list[str]) -> Naming:
    """Return the naming that more files follow."""
    return max(
        (HPATCHES, ORIGINAL), key=lambda naming: (len(naming.matrices(names)), len(naming.photos(names)))
    )


def _has_matrices(folder: Path) -> bool:
    return bool(_naming(names := contents(folder)).matrices(names))


def _is_sequence(folder: Path) -> bool:
    """Tell whether a folder is meant as a sequence: one whose matrices are lost is to be told of."""
    names = contents(folder)
    naming = _naming(names)
    return bool(naming.matrices(names)) or len(naming.photos(names)) > 1
