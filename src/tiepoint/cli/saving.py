"""Which file a name asks for: .npz or .csv; pictures by their own suffixes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tiepoint.errors import OptionError

if TYPE_CHECKING:
    from tiepoint.types import Features, MatchResult

DATA_SUFFIXES = (".npz", ".csv")


def check_names(photos: list[str], *, draw: str | None, save: str | None) -> None:
    """Refuse names of files that cannot or must not be written, before any work is done."""
    for flag, name in (("--draw", draw), ("--save", save)):
        if name is not None:
            check_target(flag, name, photos)
    if draw is not None:
        from tiepoint.plotting import picture_format

        picture_format(draw)
    if save is not None:
        check_suffix("--save", save, DATA_SUFFIXES)


def check_target(flag: str, name: str, photos: list[str]) -> None:
    """Refuse one name that cannot or must not be written."""
    if not name:
        raise OptionError(f"{flag} needs the name of a file")
    if os.path.isdir(name):  # noqa: PTH112 - Path.is_dir raises for a name that is too long
        raise OptionError(f"{flag} {name}: is a folder; name a file in it")
    folder = Path(name).absolute().parent
    if not folder.is_dir():
        raise OptionError(f"{flag} {name}: there is no folder {folder}; make it first")
    for photo in photos:
        if same_file(name, photo):
            raise OptionError(f"{flag} {name}: would overwrite the photo itself; choose another name")


def check_suffix(flag: str, name: str, suffixes: tuple[str, ...]) -> None:
    """Refuse a name that does not say in which of some formats to write."""
    if Path(name).suffix.lower() not in suffixes:
        raise OptionError(f"{flag} {name}: end the name with {' or '.join(suffixes)}")


def check_view(flag: str, name: str, photos: list[str]) -> None:
    """Refuse the name of a page that cannot or must not be written."""
    from tiepoint.plotting import check_view_name

    check_target(flag, name, photos)
    check_view_name(name)


def same_file(name: str | Path, photo: str) -> bool:
    """Tell whether both name the same file that exists."""
    try:
        return os.path.samefile(name, photo)  # noqa: PTH121
    except (OSError, ValueError):
        return False


def save_features(path: Path, features: Features) -> Path:
    """Write features as the name says."""
    from tiepoint.formats import save_csv, save_npz

    return save_csv(path, features) if path.suffix.lower() == ".csv" else save_npz(path, features)


def save_result(path: Path, result: MatchResult) -> Path:
    """Write a whole result as .npz, or its matches as .csv, with what the geometry says of each."""
    from tiepoint.formats import save_csv, save_npz

    if path.suffix.lower() == ".csv":
        return save_csv(path, result.matches if result.geometry is None else result.geometry)
    return save_npz(path, result)
