"""Folders of photos whose cameras were measured, as those of Strecha et al.: fountain-P11 and others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from tiepoint.errors import DataError, OptionError, ReadError
from tiepoint.evaluation.datasets.base import Dataset, Float, Pair, PoseTruth
from tiepoint.evaluation.datasets.reading import (
    contents,
    existing,
    is_there,
    numbers,
    read_numbers,
    read_text,
    shown,
    subfolders,
    told_of,
)
from tiepoint.images import read_image

CITATION = (
    "C. Strecha, W. von Hansen, L. Van Gool, P. Fua, U. Thoennessen: On benchmarking camera calibration and "
    "multi-view stereo for high resolution imagery. CVPR 2008."
)
_LISTING = "cameras.json"
_ENDING = ".camera"
# The folders of EPFL's archives, and what everybody calls the scenes.
_SCENES = {
    "fountain_dense": "fountain-P11",
    "herzjesu_dense": "Herz-Jesu-P8",
    "herzjesu_dense_large": "Herz-Jesu-P25",
    "castle_dense": "castle-P19",
    "castle_dense_large": "castle-P30",
    "castle_entry_dense": "entry-P10",
}
# Below a scene: where the archives of EPFL, openMVG's copy and OpenCV's instructions put cameras and photos.
_CAMERA_FOLDERS = ("", "urd", "gt_dense_cameras", "cameras", "camera")
_PHOTO_FOLDERS = ("", "images", "png", "urd")


@dataclass(frozen=True, kw_only=True, eq=False)
class Camera:
    """A photo of a scene and where it was taken: ``x_cam = R @ X_world + t``, pixel ``K @ x_cam``."""

    photo: Path
    size: tuple[int, int]
    K: Float
    R: Float
    t: Float


def recognises(path: Path) -> bool:
    """Tell whether a folder is a scene with cameras, or holds some."""
    return path.is_dir() and next(_scenes(path), None) is not None


def load_strecha(root: Path, *, max_turn: float = 60.0) -> Dataset:
    """Read the scenes in a folder, or the one that the folder is.

    Parameters
    ----------
    root : Path
        A scene has photos and either ``cameras.json`` or, for each photo, a ``.camera`` file, as the
        archives have it: K in three rows, one row of zeros (no distortion), three rows of the rotation
        from camera to world, the camera's centre, width and height.
    max_turn : float
        Degrees: only pairs are taken whose cameras turn less than this from one to the other. Beyond the
        default of 60 the photos of these scenes have hardly anything in common.

    Returns
    -------
    Dataset
        All pairs i < j of each scene that turn less than ``max_turn``.

    Raises
    ------
    ReadError
        If there is no scene, or a photo or camera is missing or cannot be read.
    DataError
        If a camera is impossible or not that of its photo's size, or no pair is left.
    OptionError
        If ``max_turn`` is not above 0.

    Examples
    --------
    >>> import json, tempfile
    >>> from pathlib import Path
    >>> from tiepoint.evaluation.datasets import load_strecha
    >>> camera = {"width": 2, "height": 1, "K": [[2, 0, 1], [0, 2, 0], [0, 0, 1]],
    ...           "R": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]}
    >>> with tempfile.TemporaryDirectory() as root:
    ...     for name in ("a.ppm", "b.ppm"):
    ...         size = Path(root, name).write_bytes(b"P6 2 1 255 abcdef")
    ...     cameras = [{**camera, "file": "a.ppm", "t": [0, 0, 0]},
    ...                {**camera, "file": "b.ppm", "t": [1, 0, 0]}]
    ...     size = Path(root, "cameras.json").write_text(json.dumps({"cameras": cameras}))
    ...     next(iter(load_strecha(root))).truth.t
    array([1., 0., 0.])
    """
    root = Path(root)
    if not (isinstance(max_turn, int | float) and max_turn > 0):
        raise OptionError(f"max_turn must be above 0 degrees, not {max_turn!r}")
    pairs: list[Pair] = []
    total = 0
    for name, folder in _scenes(root):
        cameras = _cameras(folder)
        for camera in cameras[:1]:  # it stands for all: to read each photo would take minutes
            _check_size(camera)
        truths = ((a, b, _between(a, b)) for a, b in combinations(cameras, 2))
        found = [_pair(name, a, b, truth) for a, b, truth in truths if truth.turn < max_turn]
        total += len(cameras) * (len(cameras) - 1) // 2
        pairs += found
    if not total:
        raise ReadError(f"{shown(root)}: there are no two photos with {_LISTING} or {_ENDING} files")
    if not pairs:
        raise DataError(f"{shown(root)}: no two cameras turn less than {max_turn:g} degrees")
    note = f"{len(pairs)} of {total} pairs: those that turn less than {max_turn:g} degrees."
    return Dataset(name="strecha", pairs=tuple(pairs), citation=CITATION, notes=(note,))


def _scenes(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name and the folder of the cameras of each scene: of the folder itself, or those in it."""
    for scene in (root,) if _camera_folder(root) else subfolders(root):
        if folder := _camera_folder(scene):
            name = scene.resolve().name
            yield _SCENES.get(name, name), folder


def _camera_folder(scene: Path) -> Path | None:
    for name in _CAMERA_FOLDERS:
        folder = scene / name
        if folder.is_dir() and any(n == _LISTING or n.endswith(_ENDING) for n in contents(folder)):
            return folder
    return None


def _cameras(folder: Path) -> list[Camera]:
    """Return the cameras of a scene, sorted by the name of the photo."""
    if (folder / _LISTING).is_file():
        cameras = _from_listing(folder / _LISTING)
    else:
        files = [folder / name for name in contents(folder) if name.endswith(_ENDING)]
        cameras = [_from_file(file) for file in files]
    return sorted(cameras, key=lambda camera: camera.photo.name)


def _from_listing(path: Path) -> list[Camera]:
    try:
        entries = json.loads(read_text(path))["cameras"]
        return [_from_entry(path, entry) for entry in entries]
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError) as error:
        if isinstance(error, DataError):
            raise
        raise ReadError(
            f'{shown(path)}: should be {{"cameras": [...]}}, each with file, width, height, K, R and t'
        ) from error


def _from_entry(path: Path, entry: dict[str, Any]) -> Camera:
    arrays = {name: np.asarray(entry[name], np.float64) for name in ("K", "R", "t")}
    name, size = entry["file"], (int(entry["width"]), int(entry["height"]))
    with told_of(f"{path}: {name}"):
        return _checked(Camera(photo=_photo(path.parent, name), size=size, **arrays))


def _from_file(path: Path) -> Camera:
    values = read_numbers(path, 26)
    camera, distortion, turn = values[:9].reshape(3, 3), values[9:12], values[12:21].reshape(3, 3)
    if distortion.any():
        raise DataError(f"{shown(path)}: has lens distortion, which is not known here; undistort the photos")
    width, height = numbers([str(v) for v in values[24:]], 2, shown(path))
    with told_of(path):
        if not (width.is_integer() and height.is_integer()):
            raise DataError("ends with width and height in whole pixels, but these are not")
        return _checked(
            Camera(
                photo=_photo(path.parent, path.name.removesuffix(_ENDING)),
                size=(int(width), int(height)),
                K=camera,
                R=turn.T,
                t=-turn.T @ values[21:24],
            )
        )


def _checked(camera: Camera) -> Camera:
    """Refuse a camera that is none, where its own name can still be told."""
    PoseTruth(K0=camera.K, K1=camera.K, R=camera.R, t=camera.t)
    return camera


def _photo(cameras: Path, name: str) -> Path:
    for scene in (cameras, cameras.parent) if cameras.name in _CAMERA_FOLDERS else (cameras,):
        for folder in _PHOTO_FOLDERS:
            if is_there(scene / folder / name):
                return scene / folder / name
    return existing(cameras / name)


def _check_size(camera: Camera) -> None:
    """Refuse a photo that was resized without its camera."""
    size = read_image(camera.photo).size
    if size != camera.size:
        raise DataError(
            f"{shown(camera.photo)}: has {size[0]}x{size[1]} pixels, but its camera is for "
            f"{camera.size[0]}x{camera.size[1]}; scale K with the photo"
        )


def _between(first: Camera, second: Camera) -> PoseTruth:
    turn = second.R @ first.R.T
    return PoseTruth(K0=first.K, K1=second.K, R=turn, t=second.t - turn @ first.t)


def _pair(scene: str, first: Camera, second: Camera, truth: PoseTruth) -> Pair:
    return Pair(
        name=f"{scene}/{first.photo.stem}-{second.photo.stem}",
        sequence=scene,
        photo0=first.photo,
        photo1=second.photo,
        truth=truth,
    )
