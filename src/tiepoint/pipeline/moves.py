"""Photos mirrored or turned by right angles: moved, matched, and the result carried back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tiepoint.geometry.residuals import EPIPOLAR
from tiepoint.types import Features, Geometry, Image, Matches, MatchResult

NOTE = "photo 1 shows the mirror image of photo 0"


@dataclass(frozen=True)
class Move:
    """What is done to a photo before it is matched: mirrored, or turned clockwise as seen.

    Examples
    --------
    >>> import numpy as np
    >>> import tiepoint as tp
    >>> from tiepoint.pipeline.moves import Move
    >>> photo = tp.Image(pixels=np.array([[1, 2, 3]], np.uint8))
    >>> Move(mirrored=True).of(photo).pixels
    array([[3, 2, 1]], dtype=uint8)
    >>> Move(quarters=1).of(photo).pixels.ravel(), Move(quarters=1).of(photo).size
    (array([1, 2, 3], dtype=uint8), (1, 3))
    """

    mirrored: bool = False
    quarters: int = 0
    """Right angles to turn by, 0 to 3; a photo is either mirrored or turned."""

    @property
    def called(self) -> str:
        """What is done, as the end of a sentence."""
        return "mirrored" if self.mirrored else f"turned clockwise by {90 * self.quarters} degrees"

    def of(self, image: Image) -> Image:
        """Return the moved photo."""
        pixels = image.pixels[:, ::-1] if self.mirrored else np.rot90(image.pixels, -self.quarters)
        return replace(image, pixels=np.ascontiguousarray(pixels))

    def back(self, size: tuple[int, int]) -> NDArray[np.float64]:
        """Return the matrix, (3, 3), that takes a place in the moved photo to that in the photo.

        Parameters
        ----------
        size : (int, int)
            Width and height of the photo as it was.
        """
        right, bottom = size[0] - 1.0, size[1] - 1.0
        turned: dict[int, list[list[float]]] = {
            0: [[1, 0, 0], [0, 1, 0]],
            1: [[0, 1, 0], [-1, 0, bottom]],
            2: [[-1, 0, right], [0, -1, bottom]],
            3: [[0, -1, right], [1, 0, 0]],
        }
        rows = [[-1, 0, right], [0, 1, 0]] if self.mirrored else turned[self.quarters]
        return np.array([*rows, [0, 0, 1]], np.float64)

    def angle_back(self, angle: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
        """Return directions in the photo, (N,) degrees, from those in the moved photo."""
        if angle is None:
            return None
        turned = np.float32(540) - angle if self.mirrored else angle + np.float32(360 - 90 * self.quarters)
        return turned % np.float32(360)


MIRRORED = Move(mirrored=True)
TURNS = (Move(quarters=1), Move(quarters=2), Move(quarters=3))


def carried_back(result: MatchResult, image1: Image, move: Move) -> MatchResult:
    """Return the result of matching against a moved photo as one about the photo itself.

    Parameters
    ----------
    result : MatchResult
        Whose ``image1`` is ``move.of(image1)``.
    image1 : Image
        The photo. Descriptors of ``features1`` stay those of the moved one.
    move : Move
    """
    features1 = result.features1
    return replace(
        result,
        image1=image1,
        features1=None if features1 is None else _features(features1, move, image1.size),
        candidates=_matches(result.candidates, move, image1.size),
        matches=_matches(result.matches, move, image1.size),
        geometry=None if result.geometry is None else geometry_back(result.geometry, move, image1.size),
    )


def geometry_back(geometry: Geometry, move: Move, size: tuple[int, int]) -> Geometry:
    """Return the geometry of a photo and a moved one as that of the photos themselves.

    Parameters
    ----------
    geometry : Geometry
    move : Move
    size : (int, int)
        Width and height of photo 1 as it was.
    """
    matches, back = _matches(geometry.matches, move, size), move.back(size)
    if geometry.matrix is None:
        return replace(geometry, matches=matches)
    if geometry.model in EPIPOLAR:
        matrix = np.linalg.inv(back).T @ geometry.matrix
        matrix /= np.linalg.norm(matrix)
    else:
        matrix = back @ geometry.matrix
    found = replace(geometry, matches=matches, matrix=matrix)
    if not move.mirrored:
        return found if geometry.R is None or geometry.t is None else _turned_pose(found, back)
    mirrored = not geometry.mirrored
    notes = tuple(note for note in geometry.notes if "mirror image" not in note)
    # No pose turns a scene into its mirror image.
    return replace(found, R=None, t=None, mirrored=mirrored, notes=(*notes, NOTE) if mirrored else notes)


def _features(features: Features, move: Move, size: tuple[int, int]) -> Features:
    xy = _xy(features.xy, move.back(size))
    return replace(features, xy=xy, angle=move.angle_back(features.angle), image_size=size)


def _matches(matches: Matches, move: Move, size: tuple[int, int]) -> Matches:
    xy1 = _xy(matches.xy1, move.back(size))
    return replace(matches, xy1=xy1, angle1=move.angle_back(matches.angle1), image_size1=size)


def _turned_pose(geometry: Geometry, back: NDArray[np.float64]) -> Geometry:
    """Turn camera 1 about its axis; its principal point is the middle of the photo."""
    assert geometry.R is not None
    assert geometry.t is not None
    turn = back.copy()
    turn[:2, 2] = 0
    return replace(geometry, R=turn @ geometry.R, t=turn @ geometry.t)


def _xy(xy: NDArray[np.float32], back: NDArray[np.float64]) -> NDArray[np.float32]:
    return (xy @ back[:2, :2].T + back[:2, 2]).astype(np.float32)
