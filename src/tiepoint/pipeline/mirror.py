"""Mirrored photos: matched against their mirror image, and the result carried back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tiepoint.geometry.residuals import EPIPOLAR
from tiepoint.types import Features, Geometry, Image, Matches, MatchResult

NOTE = "photo 1 shows the mirror image of photo 0"


def mirror_image(image: Image) -> Image:
    """Return the photo with left and right exchanged.

    Examples
    --------
    >>> import numpy as np
    >>> import tiepoint as tp
    >>> from tiepoint.pipeline.mirror import mirror_image
    >>> mirror_image(tp.Image(pixels=np.array([[1, 2, 3]], np.uint8))).pixels
    array([[3, 2, 1]], dtype=uint8)
    """
    return replace(image, pixels=np.ascontiguousarray(image.pixels[:, ::-1]))


def carried_back(result: MatchResult, image1: Image) -> MatchResult:
    """Return the result of matching against a mirror image as one about the photo itself.

    Parameters
    ----------
    result : MatchResult
        Whose ``image1`` is ``mirror_image(image1)``.
    image1 : Image
        The photo. Descriptors of ``features1`` stay those of its mirror image.
    """
    features1 = result.features1
    return replace(
        result,
        image1=image1,
        features1=None if features1 is None else _features(features1),
        candidates=_matches(result.candidates),
        matches=_matches(result.matches),
        geometry=None if result.geometry is None else _geometry(result.geometry),
    )


def _features(features: Features) -> Features:
    width, _ = features.image_size
    return replace(features, xy=_xy(features.xy, width), angle=_angle(features.angle))


def _matches(matches: Matches) -> Matches:
    width, _ = matches.image_size1
    return replace(matches, xy1=_xy(matches.xy1, width), angle1=_angle(matches.angle1))


def _geometry(geometry: Geometry) -> Geometry:
    matches = _matches(geometry.matches)
    if geometry.matrix is None:
        return replace(geometry, matches=matches)
    width, _ = matches.image_size1
    back = np.array([[-1.0, 0, width - 1], [0, 1, 0], [0, 0, 1]])  # its own inverse
    if geometry.model in EPIPOLAR:
        matrix = back.T @ geometry.matrix
        matrix /= np.linalg.norm(matrix)
    else:
        matrix = back @ geometry.matrix
    mirrored = not geometry.mirrored
    notes = tuple(note for note in geometry.notes if "mirror image" not in note)
    # No pose turns a scene into its mirror image.
    return replace(
        geometry,
        matches=matches,
        matrix=matrix,
        R=None,
        t=None,
        mirrored=mirrored,
        notes=(*notes, NOTE) if mirrored else notes,
    )


def _xy(xy: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    return np.stack([np.float32(width - 1) - xy[:, 0], xy[:, 1]], axis=1)


def _angle(angle: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
    return None if angle is None else (np.float32(540) - angle) % np.float32(360)
