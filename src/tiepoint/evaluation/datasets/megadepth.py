"""MegaDepth-1500 as glue-factory lists it: photos from the internet, with the pose of each pair."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np

from tiepoint.errors import DataError, ReadError
from tiepoint.evaluation.datasets.base import Dataset, Float, Pair, PoseTruth
from tiepoint.evaluation.datasets.reading import (
    existing,
    is_there,
    numbers,
    read_text,
    shown,
    told_of,
    unique,
)
from tiepoint.images import printable

CITATION = (
    "Z. Li, N. Snavely: MegaDepth: Learning single-view depth prediction from internet photos. CVPR 2018. "
    "J. Sun, Z. Shen, Y. Wang, H. Bao, X. Zhou: LoFTR: Detector-free local feature matching with "
    "transformers. CVPR 2021 (the choice of the pairs)."
)
_CALIBRATED = "pairs_calibrated.txt"
_VIEWS, _PAIRS = "views.txt", "pairs.txt"
_ALL = 1500
_WORDS, _WORDS_4X4 = 2 + 9 + 9 + 12, 2 + 9 + 9 + 16  # of a line
# In the path of a photo, what is no scene.
_NO_SCENE = ("images", "Undistorted_SfM")

Line = tuple[str, list[str]]
Posed = tuple[str, str, PoseTruth]


def recognises(path: Path) -> bool:
    """Tell whether a folder has one of the two forms of the list, or a file is the first of them."""
    if path.is_dir():
        return (path / _CALIBRATED).is_file() or all((path / name).is_file() for name in (_VIEWS, _PAIRS))
    if path.suffix.lower() != ".txt" or not path.is_file():
        return False
    lines = _lines(path)
    return bool(lines) and len(lines[0][1]) in (_WORDS, _WORDS_4X4)


def load_megadepth1500(root: Path, *, images: Path | None = None) -> Dataset:
    """Read MegaDepth-1500, or any other set of pairs that is listed like it.

    Parameters
    ----------
    root : Path
        The list ``pairs_calibrated.txt``, or the folder that it is in. A line has the names of both
        photos, K0 and K1 (nine numbers each, row by row), and the pose of camera 1 from camera 0: R and
        t (nine and three numbers) or a 4x4 matrix. The other form of glue-factory is read as well:
        ``views.txt`` (name, R and t of camera from world, then COLMAP's model, width, height and
        parameters) with ``pairs.txt`` (two names).
    images : Path | None
        Where the names begin. None: the folder ``images`` beside the list, or the folder of the list.

    Returns
    -------
    Dataset
        In the order of the list; the sequence is the scene, such as "0015".

    Raises
    ------
    ReadError
        If the list or a photo is missing, or a line cannot be read.
    DataError
        If a camera or a pose is impossible.

    Notes
    -----
    K of ``pairs_calibrated.txt`` is taken as it is written. Cameras of ``views.txt`` are COLMAP's, whose
    pixels have their centre at a half: half a pixel is taken from their principal point.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from tiepoint.evaluation.datasets import load_megadepth1500
    >>> with tempfile.TemporaryDirectory() as root:
    ...     for name in ("a.ppm", "b.ppm"):
    ...         size = Path(root, name).write_bytes(b"P6 1 1 255 abc")
    ...     line = "a.ppm b.ppm" + 2 * " 9 0 1  0 9 1  0 0 1" + " 1 0 0  0 1 0  0 0 1  3 0 0"
    ...     size = Path(root, "pairs_calibrated.txt").write_text(line)
    ...     next(iter(load_megadepth1500(root))).truth.t
    array([3., 0., 0.])
    """
    root = Path(root)
    folder = root if root.is_dir() else root.parent
    listing = folder / _CALIBRATED if root.is_dir() else root
    if root.is_dir() and not listing.is_file() and (folder / _VIEWS).is_file():
        posed = _from_views(folder / _VIEWS, folder / _PAIRS)
    else:
        posed = _from_pairs(listing)
    if not posed:
        raise ReadError(f"{shown(listing)}: lists no pair")
    photo = _finder(folder, images, posed[0][0])
    names = unique(_pair_name(name0, name1) for name0, name1, _ in posed)
    pairs = tuple(
        Pair(name=name, sequence=_scene(name0), photo0=photo(name0), photo1=photo(name1), truth=truth)
        for name, (name0, name1, truth) in zip(names, posed, strict=True)
    )
    notes = (
        () if len(pairs) == _ALL else (f"The list has {len(pairs)} pairs, not the {_ALL} of the full one.",)
    )
    return Dataset(name="megadepth1500", pairs=pairs, citation=CITATION, notes=notes)


def _lines(path: Path) -> list[Line]:
    """Return the words of each line that has some, with where it is; ``#`` begins a comment."""
    lines = enumerate(read_text(path).splitlines(), start=1)
    return [
        (f"{shown(path)}, line {number}", words)
        for number, line in lines
        if (words := line.split()) and not words[0].startswith("#")
    ]


def _from_pairs(path: Path) -> list[Posed]:
    posed = []
    for where, words in _lines(path):
        values = numbers(words[2:], (_WORDS_4X4 if len(words) > _WORDS else _WORDS) - 2, where)
        camera0, camera1 = values[:9].reshape(3, 3), values[9:18].reshape(3, 3)
        with told_of(where):
            turn, shift = _pose(values[18:])
            posed.append((words[0], words[1], PoseTruth(K0=camera0, K1=camera1, R=turn, t=shift)))
    return posed


def _pose(values: Float) -> tuple[Float, Float]:
    if len(values) == 12:
        return values[:9].reshape(3, 3), values[9:]
    matrix = values.reshape(4, 4)
    if matrix[3].tolist() != [0, 0, 0, 1]:
        raise DataError(f"the last row of the pose must be 0 0 0 1, not {matrix[3].tolist()}")
    return matrix[:3, :3], matrix[:3, 3]


def _from_views(views: Path, pairs: Path) -> list[Posed]:
    cameras = {}
    for where, words in _lines(views):
        values = numbers(words[1:13], 12, where)
        with told_of(where):
            camera = _camera(words[13:], where)
            PoseTruth(K0=camera, K1=camera, R=values[:9].reshape(3, 3), t=values[9:])
        cameras[words[0]] = camera, values[:9].reshape(3, 3), values[9:]
    posed = []
    for where, words in _lines(pairs):
        if len(words) != 2 or not cameras.keys() >= set(words):
            raise ReadError(f"{where}: should name two of the views in {_VIEWS}")
        (camera0, turn0, shift0), (camera1, turn1, shift1) = cameras[words[0]], cameras[words[1]]
        turn = turn1 @ turn0.T
        truth = PoseTruth(K0=camera0, K1=camera1, R=turn, t=shift1 - turn @ shift0)
        posed.append((words[0], words[1], truth))
    return posed


def _camera(words: list[str], where: str) -> Float:
    """Return K of a camera of COLMAP: its model, width, height and parameters."""
    if words[:1] == ["PINHOLE"]:
        focal_x, focal_y, x, y = numbers(words[3:], 4, where)
    elif words[:1] == ["SIMPLE_PINHOLE"]:
        focal_x, x, y = numbers(words[3:], 3, where)
        focal_y = focal_x
    else:
        model = printable(words[0], most=40) if words else "nothing"
        raise DataError(f"the camera must be PINHOLE or SIMPLE_PINHOLE, not {model}")
    return np.array([[focal_x, 0, x - 0.5], [0, focal_y, y - 0.5], [0, 0, 1]])


def _finder(folder: Path, images: Path | None, first: str) -> Callable[[str], Path]:
    """Return what finds a photo by its name; the first name tells where they begin."""
    places = (folder / "images", folder) if images is None else (Path(images),)
    place = next((place for place in places if is_there(place / first)), places[0])
    found: dict[str, Path] = {}

    def find(name: str) -> Path:
        if name not in found:
            found[name] = existing(place / name)
        return found[name]

    return find


def _scene(name: str) -> str:
    parts = [part for part in PurePosixPath(name).parent.parts if part not in _NO_SCENE]
    return "/".join(parts) or "megadepth1500"


def _pair_name(name0: str, name1: str) -> str:
    return f"{_scene(name0)}/{PurePosixPath(name0).stem}-{PurePosixPath(name1).stem}"
