"""What a data set is: pairs of photos, and of each pair what is known to be true."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import DataError, OptionError
from tiepoint.options import nearest
from tiepoint.types._arrays import Noun, checked

Float = NDArray[np.float64]

# From here on a homography is of rank two but for rounding. A strong change of view reaches 1e9: its
# entries are of the size of pixels, of shares and of their reciprocals.
_SINGULAR = 1e12
# A rotation is written with three digits at the least; what is further off is none.
_SLACK = 2e-3


@dataclass(frozen=True, kw_only=True, eq=False)
class HomographyTruth(Noun):
    """Photo 1 shows the same plane as photo 0, or was taken from the same place.

    Attributes
    ----------
    H_1_from_0 : ndarray, (3, 3) float64
        Takes the pixel (x, y, 1) of photo 0 to photo 1; (0, 0) is the centre of the top-left pixel.

    Raises
    ------
    DataError
        If the matrix is of another shape or dtype, not finite, or singular.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.evaluation.datasets import HomographyTruth
    >>> truth = HomographyTruth(H_1_from_0=np.diag([2.0, 2.0, 1.0]))
    >>> truth.H_1_from_0 @ [10, 20, 1]
    array([20., 40.,  1.])
    """

    H_1_from_0: Float

    def __post_init__(self) -> None:
        matrix = checked("H_1_from_0", self.H_1_from_0, shape=(3, 3), dtype=np.float64)
        if not np.linalg.cond(matrix) < _SINGULAR:
            raise DataError("H_1_from_0 must be invertible, but it is singular")
        self._set("H_1_from_0", matrix)


@dataclass(frozen=True, kw_only=True, eq=False)
class PoseTruth(Noun):
    """Both cameras are known, and how the second stands to the first.

    A point that the first camera sees at ``x0`` is at ``x1 = R @ x0 + t`` of the second, with x right,
    y down, z forward; its pixel is ``K1 @ x1``, and (0, 0) is the centre of the top-left pixel.

    Attributes
    ----------
    K0, K1 : ndarray, (3, 3) float64
        Focal length and principal point in pixels; there is no distortion.
    R : ndarray, (3, 3) float64
        Rotation, cam1_from_cam0.
    t : ndarray, (3,) float64
        Translation, cam1_from_cam0, in whatever unit the data set is measured in.

    Raises
    ------
    DataError
        If an array is of another shape or dtype or not finite, a K is no camera matrix or R no rotation.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.evaluation.datasets import PoseTruth
    >>> K = np.array([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]])
    >>> R = np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    >>> print(f"{PoseTruth(K0=K, K1=K, R=R, t=np.array([1.0, 0, 0])).turn:.1f} degrees")
    90.0 degrees
    """

    K0: Float
    K1: Float
    R: Float
    t: Float

    def __post_init__(self) -> None:
        for name in ("K0", "K1"):
            self._set(name, _checked_camera(name, getattr(self, name)))
        rotation = checked("R", self.R, shape=(3, 3), dtype=np.float64)
        if np.abs(rotation @ rotation.T - np.eye(3)).max() > _SLACK or np.linalg.det(rotation) < 0:
            raise DataError("R must be a rotation, but its rows are not perpendicular and of length 1")
        self._set("R", rotation)
        self._set("t", checked("t", self.t, shape=(3,), dtype=np.float64))

    @property
    def turn(self) -> float:
        """Angle of the rotation in degrees, 0 to 180."""
        chord = np.linalg.norm(self.R - np.eye(3)) / np.sqrt(8)
        return float(2 * np.degrees(np.arcsin(min(chord, 1.0))))


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelTruth(Noun):
    """All that is known is whether both photos show the same thing.

    Attributes
    ----------
    same : bool | None
        None if they do in part, or if nobody has said.

    Raises
    ------
    DataError
        If it is anything else.

    Examples
    --------
    >>> from tiepoint.evaluation.datasets import LabelTruth
    >>> LabelTruth(same=False)
    LabelTruth(same=False)
    """

    same: bool | None

    def __post_init__(self) -> None:
        if not (self.same is None or isinstance(self.same, bool)):
            raise DataError(f"same must be True, False or None, not {self.same!r}")


Truth = HomographyTruth | PoseTruth | LabelTruth


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Pair(Noun):
    """Two photos and what is known of them.

    Attributes
    ----------
    name : str
        Unique in its data set, such as "graf/1-2".
    sequence : str
        The sequence, scene or list that the pair is from, such as "graf".
    photo0, photo1 : Path
    truth : HomographyTruth | PoseTruth | LabelTruth

    Raises
    ------
    DataError
        If a name is empty or a field is of another type.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tiepoint.evaluation.datasets import LabelTruth, Pair
    >>> Pair(name="tower/1-2", sequence="tower", photo0=Path("1.jpg"), photo1=Path("2.jpg"),
    ...      truth=LabelTruth(same=True))
    Pair(tower/1-2, LabelTruth)
    """

    name: str
    sequence: str
    photo0: Path
    photo1: Path
    truth: Truth

    def __post_init__(self) -> None:
        for field_name, kind in (("name", str), ("sequence", str), ("photo0", Path), ("photo1", Path)):
            value = getattr(self, field_name)
            if not isinstance(value, kind) or value == "":
                raise DataError(f"{field_name} must be a {kind.__name__} and not empty, not {value!r}")
        if not isinstance(self.truth, Truth):
            raise DataError(
                "truth must be a HomographyTruth, a PoseTruth or a LabelTruth, "
                f"not {type(self.truth).__name__}"
            )

    def __repr__(self) -> str:
        return f"Pair({self.name}, {type(self.truth).__name__})"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Dataset(Noun):
    """Pairs of photos with known truth, in a fixed order.

    Attributes
    ----------
    name : str
        Such as "hpatches".
    pairs : tuple[Pair, ...]
        No two of one name.
    citation : str | None
        What to cite when results on it are published.
    notes : tuple[str, ...]
        Sentences: what was left out, where the numbers are from, what to beware of.

    Raises
    ------
    DataError
        If two pairs have one name.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tiepoint.evaluation.datasets import Dataset, LabelTruth, Pair
    >>> pairs = tuple(Pair(name=f"{place}/1-2", sequence=place, photo0=Path(f"{place}/1.jpg"),
    ...                    photo1=Path(f"{place}/2.jpg"), truth=LabelTruth(same=True))
    ...               for place in ("i_dome", "v_tower"))
    >>> dataset = Dataset(name="towns", pairs=pairs)
    >>> dataset
    Dataset(towns: 2 pairs of 2 sequences)
    >>> [pair.name for pair in dataset.subset("v_*")]
    ['v_tower/1-2']
    """

    name: str
    pairs: tuple[Pair, ...]
    citation: str | None = None
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        self._set("pairs", tuple(self.pairs))
        self._set("notes", tuple(self.notes))
        seen: set[str] = set()
        for pair in self.pairs:
            if pair.name in seen:
                raise DataError(f"the data set {self.name} has two pairs of the name {pair.name!r}")
            seen.add(pair.name)

    def __len__(self) -> int:
        return len(self.pairs)

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.pairs)

    @property
    def sequences(self) -> tuple[str, ...]:
        """The names of the sequences, each once, in the order of the pairs."""
        return tuple(dict.fromkeys(pair.sequence for pair in self.pairs))

    def subset(self, *sequences: str) -> Dataset:
        """Return the pairs of these sequences, in the order of the data set.

        Parameters
        ----------
        *sequences : str
            Names, or patterns such as "i_*" for all that begin with "i_".

        Raises
        ------
        OptionError
            If there is no sequence of a name.
        """
        known = self.sequences
        chosen: set[str] = set()
        for wanted in sequences:
            # A name is taken as it stands before it is read as a pattern: it may have a bracket in it.
            found = {wanted} if wanted in known else {name for name in known if fnmatchcase(name, wanted)}
            if not found:
                raise OptionError(f"{self.name} has no sequence {wanted!r}; {nearest(wanted, list(known))}")
            chosen |= found
        kept = tuple(pair for pair in self.pairs if pair.sequence in chosen)
        note = f"Only {len(chosen)} of the {len(known)} sequences: {', '.join(sorted(chosen))}."
        return replace(self, pairs=kept, notes=(*self.notes, note))

    def __repr__(self) -> str:
        pairs, sequences = len(self), len(self.sequences)
        return (
            f"Dataset({self.name}: {pairs} pair{'s' * (pairs != 1)} "
            f"of {sequences} sequence{'s' * (sequences != 1)})"
        )


def _checked_camera(name: str, array: object) -> Float:
    matrix = checked(name, array, shape=(3, 3), dtype=np.float64)
    focal = np.diag(matrix)[:2]
    pinhole = np.array([[focal[0], 0, matrix[0, 2]], [0, focal[1], matrix[1, 2]], [0, 0, 1]])
    if (focal <= 0).any() or not np.array_equal(matrix, pinhole):
        raise DataError(
            f"{name} must be a camera matrix [f 0 x; 0 f y; 0 0 1] with f above 0 and no skew, "
            f"not {matrix.tolist()}"
        )
    return matrix
