"""A sequence of photos with a matrix from the first to each other, as HPatches and Oxford lay it out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tiepoint.evaluation.datasets.base import HomographyTruth, Pair
from tiepoint.evaluation.datasets.reading import ENDINGS, contents, photo_named, read_numbers, told_of


@dataclass(frozen=True, kw_only=True)
class Naming:
    """How the files of a sequence are called.

    Attributes
    ----------
    photo, matrix : str
        With {} for the number of the photo; a photo's name without its ending.
    """

    photo: str
    matrix: str

    def photos(self, names: list[str]) -> list[int]:
        """Return the numbers of the photos among these names, sorted."""
        return _numbers(self.photo, r"\.({})".format("|".join(e[1:] for e in ENDINGS)), names)

    def matrices(self, names: list[str]) -> list[int]:
        """Return the numbers of the photos that a matrix among these names leads to, sorted."""
        return _numbers(self.matrix, "", names)


HPATCHES = Naming(photo="{}", matrix="H_1_{}")
# The archives of the Oxford sequences, as their authors packed them.
ORIGINAL = Naming(photo="img{}", matrix="H1to{}p")


def read_sequence(
    folder: Path, naming: Naming, *, count: int | None = None, still: bool = False
) -> list[Pair]:
    """Return the pairs 1-2, 1-3 and so on of a sequence.

    Parameters
    ----------
    folder : Path
        Its name becomes the sequence's.
    naming : Naming
    count : int | None
        How many photos there must be; None: as many as the highest number says.
    still : bool
        Whether a sequence without any matrix is one whose photos cover each other pixel by pixel.

    Raises
    ------
    ReadError
        If a photo or a matrix is missing or cannot be read.
    DataError
        If a matrix is singular or not finite.
    """
    names = contents(folder)
    sequence = folder.resolve().name
    last = count or max(naming.photos(names) + naming.matrices(names))
    first = photo_named(folder, names, naming.photo.format(1))
    pairs = []
    for number in range(2, last + 1):
        matrix = folder / naming.matrix.format(number)
        if still and not naming.matrices(names):
            truth = HomographyTruth(H_1_from_0=np.eye(3))
        else:
            with told_of(matrix):
                truth = HomographyTruth(H_1_from_0=read_numbers(matrix, 9).reshape(3, 3))
        pairs.append(
            Pair(
                name=f"{sequence}/1-{number}",
                sequence=sequence,
                photo0=first,
                photo1=photo_named(folder, names, naming.photo.format(number)),
                truth=truth,
            )
        )
    return pairs


def _numbers(pattern: str, ending: str, names: list[str]) -> list[int]:
    expression = re.compile(re.escape(pattern).replace(r"\{\}", r"([1-9]\d{0,3})") + ending, re.IGNORECASE)
    return sorted({int(match[1]) for match in map(expression.fullmatch, names) if match})
