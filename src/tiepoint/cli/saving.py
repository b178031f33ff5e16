"""Which file a name asks for: .npz or .csv; pictures by their own suffixes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tiepoint.errors import OptionError

if TYPE_CHECKING:
    from tiepoint.types import Features, MatchResult

DATA_SUFFIXES = (".npz", ".csv")


def check_names(*, draw: str | None, save: str | None) -> None:
    """Refuse a file name whose ending says nothing, before any work is done."""
    if draw is not None and not Path(draw).is_dir():
        from tiepoint.plotting import picture_format

        picture_format(draw)
    if save is not None and not Path(save).is_dir() and Path(save).suffix.lower() not in DATA_SUFFIXES:
        raise OptionError(f"--save {save}: end the name with {' or '.join(DATA_SUFFIXES)}")


def save_features(path: Path, features: Features) -> Path:
    """Write features as the name says."""
    from tiepoint.formats import save_csv, save_npz

    return save_csv(path, features) if path.suffix.lower() == ".csv" else save_npz(path, features)


def save_result(path: Path, result: MatchResult) -> Path:
    """Write a whole result as .npz, or its matches as .csv."""
    from tiepoint.formats import save_csv, save_npz

    return save_csv(path, result.matches) if path.suffix.lower() == ".csv" else save_npz(path, result)
