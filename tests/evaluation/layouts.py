"""Small data sets as they lie on a disk, and how what is wrong with one is told."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from tiepoint.errors import TiepointError
from tiepoint.evaluation.datasets import load_dataset


def photo(path: Path, size: tuple[int, int] = (4, 3)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.new("L", size, 128).save(path)


def sequence(
    folder: Path,
    names: str = "{}.png",
    matrices: str = "H_1_{}",
    numbers: Iterable[int] = range(1, 7),
) -> Path:
    """Photos 1 to 6, photo k moved by k pixels."""
    for k in numbers:
        photo(folder / names.format(k))
        if k > 1:
            (folder / matrices.format(k)).write_text(f"1 0 {k}\n0 1 {-k}\n  0 0 1 \n\n")
    return folder


def refused(error: type[TiepointError], words: str, path: Path, **options: Any) -> None:
    """One sentence that names the place."""
    with pytest.raises(error, match=words) as told:
        load_dataset(path, **options)
    assert str(path) in str(told.value)
    assert "\n" not in str(told.value)
