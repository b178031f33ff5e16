"""Photos of which it is known what they show, and the pairs that they make."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import ReadError
from tiepoint.evaluation.datasets import (
    HomographyTruth,
    LabelTruth,
    Pair,
    PoseTruth,
    load_oxford,
    load_strecha,
)

_PHOTOS = (".jpg", ".jpeg", ".png", ".ppm")
_SCENES, _PAIRS = "scenes.json", "pairs/pairs.json"

Truth = HomographyTruth | PoseTruth | NDArray[np.float64] | None


@dataclass(frozen=True)
class LabelledPhoto:
    """A photo and what it shows.

    Attributes
    ----------
    path : Path
    folder : str
        Such as "photos/cyprus_arch", relative to the root.
    scene : str
        Photos of one scene are no negatives of each other, and stand on one side of every split.
    """

    path: Path
    folder: str
    scene: str


@dataclass(frozen=True, eq=False)
class LabelledPair:
    """Two photos, whether they show the same scene, and where known how they do.

    Attributes
    ----------
    name : str
    photo0, photo1 : LabelledPhoto
    same : bool | None
        None where they are the same in part.
    truth : HomographyTruth | PoseTruth | ndarray (N, 4) float64 | None
        An array has correspondences made by hand: x0, y0, x1, y1 in pixels.
    """

    name: str
    photo0: LabelledPhoto
    photo1: LabelledPhoto
    same: bool | None
    truth: Truth = None


def labelled_photos(root: Path) -> tuple[LabelledPhoto, ...]:
    """Return all photos of the folders that ``scenes.json`` and ``pairs/pairs.json`` name, in their order.

    Raises
    ------
    ReadError
        If a list or a folder is missing.
    """
    photos = []
    for folder, scene in _read(root / _SCENES).items():
        photos += [LabelledPhoto(path, folder, scene) for path in _photos_in(root / folder)]
    for name, entry in _read(root / _PAIRS).items():
        folder = f"pairs/{name}"
        paths = _photos_in(root / folder)
        if len(paths) != len(entry["scenes"]):
            raise ReadError(f"{root / folder}: {len(paths)} photos for {len(entry['scenes'])} scenes")
        photos += [
            LabelledPhoto(path, folder, scene) for path, scene in zip(paths, entry["scenes"], strict=True)
        ]
    return tuple(photos)


def real_pairs(root: Path) -> Iterator[LabelledPair]:
    """Yield every pair of two photos: of one scene, and of different ones."""
    truths = _truths(root)
    partly = {
        f"pairs/{name}" for name, entry in _read(root / _PAIRS).items() if entry["same_scene"] == "partly"
    }
    for photo0, photo1 in combinations(labelled_photos(root), 2):
        same: bool | None = photo0.scene == photo1.scene
        if photo0.folder == photo1.folder and photo0.folder in partly:
            same = None
        name = f"{photo0.folder}/{photo0.path.stem} {photo1.folder}/{photo1.path.stem}"
        yield LabelledPair(name, photo0, photo1, same, truths.get((photo0.path, photo1.path)))


def _truths(root: Path) -> dict[tuple[Path, Path], Truth]:
    truths: dict[tuple[Path, Path], Truth] = {}
    if (root / "homography").is_dir():
        truths |= _between_all(load_oxford(root / "homography").pairs)
    for folder in sorted((root / "pose").glob("*/")):
        truths |= {(pair.photo0, pair.photo1): _known(pair) for pair in load_strecha(folder, max_turn=181)}
    for corrs in [*root.glob("wxbs/*/corrs.txt"), *root.glob("pairs/*/corrs.txt")]:
        first, second = _photos_in(corrs.parent)
        truths[first, second] = np.loadtxt(corrs, ndmin=2)
    return truths


def _between_all(from_first: tuple[Pair, ...]) -> dict[tuple[Path, Path], Truth]:
    """Join the homographies 1 to j and 1 to k of a sequence to those of j to k."""
    truths = {(pair.photo0, pair.photo1): _known(pair) for pair in from_first}
    for a, b in combinations(from_first, 2):
        to_a, to_b = a.truth, b.truth
        if a.photo0 == b.photo0 and isinstance(to_a, HomographyTruth) and isinstance(to_b, HomographyTruth):
            matrix = to_b.H_1_from_0 @ np.linalg.inv(to_a.H_1_from_0)
            truths[a.photo1, b.photo1] = HomographyTruth(H_1_from_0=matrix)
    return truths


def _known(pair: Pair) -> Truth:
    return None if isinstance(pair.truth, LabelTruth) else pair.truth


def _photos_in(folder: Path) -> list[Path]:
    inside = sorted(folder.iterdir()) if folder.is_dir() else []
    paths = [path for path in inside if path.suffix.lower() in _PHOTOS]
    if not paths:
        raise ReadError(f"{folder}: has no photo")
    return paths


def _read(path: Path) -> dict[str, Any]:
    try:
        entries: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ReadError(f"{path}: cannot be read: {error}") from error
    return entries
