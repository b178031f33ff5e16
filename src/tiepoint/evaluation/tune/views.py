"""A photo taken as a flat picture and photographed again: the homography, the window, the pixels.

All matrices take pixels of one photo to another; (0, 0) is the centre of the top-left pixel, and a photo of w
pixels reaches from -0.5 to w - 0.5.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import PIL.Image
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Matrix = NDArray[np.float64]

_LENS = 1.2  # focal length over the photo's longer side: a field of view of 45 degrees, as of a 43 mm lens
_SHAPES = (1.0, 1.4, 1 / 1.4, 2.0, 0.5)  # of a window, over the shape of the largest
_MOST_SAMPLES = 4  # along each axis, for a pixel that covers many of the photo
# The bicubic kernel of Pillow's transform bends a straight slope: between two pixels it is off by up to 0.09.
# That of its resize does not; so the photo is enlarged before, an odd number of times, by which pixels stay.
_FINER = 3


class Window(NamedTuple):
    """A rectangle: where the centre of its first pixel lies, and how many pixels it has."""

    x: float
    y: float
    width: int
    height: int


def shift(x: float, y: float) -> Matrix:
    """Return the translation by (x, y) pixels, (3, 3)."""
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64)


def second_view(
    size: tuple[int, int], *, tilt: float = 0.0, towards: float = 0.0, roll: float = 0.0, zoom: float = 1.0
) -> Matrix:
    """Return the homography from a flat picture to a second photo of it, before any window is cut out.

    Parameters
    ----------
    size : (int, int)
        Width and height of the picture, in pixels.
    tilt : float
        Degrees between the direction of view and the picture's normal.
    towards : float
        Degrees, clockwise from +x: where the side lies that comes nearer to the camera.
    roll : float
        Degrees, clockwise as seen, by which the picture appears turned.
    zoom : float
        How much larger it appears in its middle.

    Returns
    -------
    ndarray, (3, 3) float64
        The middle of the picture stays where it is.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.evaluation.tune.views import second_view
    >>> turned = second_view((101, 51), roll=90) @ [60, 25, 1]
    >>> np.round(turned / turned[2], 6)
    array([50., 35.,  1.])
    """
    width, height = size
    middle = shift((width - 1) / 2, (height - 1) / 2)
    distance = _LENS * max(size)
    angle = math.radians(tilt)
    cos, sin = math.cos(angle), math.sin(angle)
    # A plane that was turned about the y axis: what is right of it comes nearer and is foreshortened.
    tilted = np.array([[cos, 0, 0], [0, 1, 0], [-sin / distance, 0, 1]])
    turn = _rotation(towards)
    lens = np.diag([zoom, zoom, 1.0])
    return np.asarray(middle @ lens @ _rotation(roll) @ turn @ tilted @ turn.T @ np.linalg.inv(middle))


def _rotation(degrees: float) -> Matrix:
    c: float
    s: float
    # Quarter turns without a rounding error, so that they move pixels to pixels.
    if degrees % 90 == 0:
        c, s = ((1, 0), (0, 1), (-1, 0), (0, -1))[int(degrees // 90) % 4]
    else:
        c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def inner_window(
    H_1_from_0: Matrix,
    size: tuple[int, int],
    *,
    most: tuple[float, float],
    aim: tuple[float, float] = (0.5, 0.5),
) -> Window:
    """Return the largest window of the second photo that sees nothing but the first.

    So nothing has to be made up where a picture ends, and no edge appears there that is none.

    Parameters
    ----------
    H_1_from_0 : ndarray, (3, 3)
        With the whole of photo 0 in front of the camera.
    size : (int, int)
        Of photo 0.
    most : (float, float)
        Width and height that the window shall not exceed, and whose shape it has where that costs nothing.
    aim : (float, float)
        What the second photo looks at: a place of photo 0 in shares of its width and height. Of windows
        of one area the one nearest to it is taken, and none that lies further off than a tenth.
    """
    width, height = size
    corners = _mapped(H_1_from_0, _corners(0, 0, width, height))
    # The photo is where all of its four sides are to the inner side.
    along = np.roll(corners, -1, axis=0) - corners
    normals = np.column_stack([along[:, 1], -along[:, 0]])
    normals *= np.sign((normals * (corners - corners.mean(axis=0))).sum(axis=1))[:, None]
    reach = (normals * corners).sum(axis=1)

    steps = np.array([0, -1, 1, -2, 2]) * 0.05
    about = np.array([(x, y) for y in steps for x in steps])
    about = about[np.argsort(np.abs(about).sum(axis=1), kind="stable")]
    looked_at = np.clip(np.array(aim) + about, 0.02, 0.98) * size - 0.5
    centres = _mapped(H_1_from_0, looked_at)
    best, window = 0.0, None
    for shape in _SHAPES:
        half = np.array(most) * (math.sqrt(shape), 1 / math.sqrt(shape)) / 2
        room = (reach - centres @ normals.T) / (np.abs(normals) @ half)
        scale = np.minimum(room.min(axis=1), (np.array(most) / 2 / half).min())
        k = int(scale.argmax())
        area = 4 * float(scale[k]) ** 2 * half.prod()
        if area > best * 1.001:  # of equals the first
            best, window = area, (centres[k] - scale[k] * half, centres[k] + scale[k] * half)
    assert window is not None, "the aim lies on the photo"
    low, high = window
    across, down = np.maximum(np.floor(high - low + 1e-6), 1)  # a millionth of a pixel is rounding
    return Window(float(low[0]) + 0.5, float(low[1]) + 0.5, int(across), int(down))


def warp(pixels: Pixels, H_1_from_0: Matrix, size: tuple[int, int]) -> Pixels:
    """Resample a photo: bicubically, or where it shrinks from several samples to a pixel.

    Parameters
    ----------
    pixels : ndarray, (H, W) or (H, W, 3) uint8
    H_1_from_0 : ndarray, (3, 3)
    size : (int, int)
        Width and height of the new photo; what lies outside of the old one is black.

    Returns
    -------
    ndarray, (height, width) or (height, width, 3) uint8

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.evaluation.tune.views import shift, warp
    >>> warp(np.array([[10, 20, 30, 40]], np.uint8), shift(-1, 0), (2, 1))
    array([[20, 30]], dtype=uint8)
    """
    width, height = size
    if np.array_equal(H_1_from_0, np.eye(3)) and pixels.shape[:2] == (height, width):
        return pixels
    samples = min(max(math.ceil(_largest_step(H_1_from_0, size) - 0.25), 1), _MOST_SAMPLES)
    finer = _FINER if samples == 1 else 1
    picture = PIL.Image.fromarray(pixels)
    if finer > 1:
        enlarged = picture.width * finer, picture.height * finer
        picture = picture.resize(enlarged, PIL.Image.Resampling.BICUBIC)
    # Pillow's coordinates are those of the pixels' corners.
    of_corners = shift(0.5, 0.5) @ H_1_from_0 @ shift(-0.5, -0.5)
    back = np.diag([finer, finer, 1.0]) @ np.linalg.inv(of_corners) @ np.diag([1 / samples, 1 / samples, 1.0])
    back /= back[2, 2]
    picture = picture.transform(
        (width * samples, height * samples),
        PIL.Image.Transform.PERSPECTIVE,
        back.ravel()[:8].tolist(),
        PIL.Image.Resampling.BILINEAR,
    )
    return np.asarray(picture.reduce(samples) if samples > 1 else picture)


def reduced(pixels: Pixels, scale: float) -> Pixels:
    """Shrink a photo to about ``scale`` of its sides, every old pixel counted."""
    height, width = pixels.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(PIL.Image.fromarray(pixels).resize(size, PIL.Image.Resampling.BICUBIC))


def _largest_step(H_1_from_0: Matrix, size: tuple[int, int]) -> float:
    """Return how far one pixel of the second photo reaches in the first, at most."""
    width, height = size
    back: Matrix = np.linalg.inv(H_1_from_0).astype(np.float64, copy=False)
    places = np.array([(x, y) for x in (0.0, width / 2, width - 1) for y in (0.0, height / 2, height - 1)])
    here = _mapped(back, places)
    steps = [_mapped(back, places + step) - here for step in ([1, 0], [0, 1])]
    return float(max(np.hypot(*step.T).max() for step in steps))


def _corners(x: float, y: float, width: float, height: float) -> Matrix:
    """Return the outer corners of a rectangle of pixels, going round."""
    low_x, low_y, high_x, high_y = x - 0.5, y - 0.5, x + width - 0.5, y + height - 0.5
    return np.array([(low_x, low_y), (high_x, low_y), (high_x, high_y), (low_x, high_y)])


def _mapped(matrix: Matrix, xy: Matrix) -> Matrix:
    mapped = xy @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(mapped[:, :2] / mapped[:, 2:])
