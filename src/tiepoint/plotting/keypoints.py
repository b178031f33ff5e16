"""Keypoints on their photo: position, size and orientation."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import DataError
from tiepoint.plotting.figure import draw, plot, save
from tiepoint.plotting.photo import as_image, caption
from tiepoint.plotting.scene import Pen, Scene
from tiepoint.plotting.selection import checked_top, method_name, shown_of
from tiepoint.plotting.style import KEYPOINT, KEYPOINT_LINE, KEYPOINT_SMALLEST, RIM, RIM_RATIO, thinner
from tiepoint.types import Features, Image

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# More circles than this hide the photo, however thin they are.
_MOST = 1000
_FEW = 150
# Circles side by side this many times across the photo.
_FREE_CROWD = 8.0


def plot_keypoints(
    image: Image | NDArray[Any],
    features: Features,
    *,
    top: int | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Plot keypoints on their photo: a circle of the keypoint's size, a line for its orientation.

    The data coordinates of the Axes are the pixels of the photo, so whatever is plotted on it next
    uses the same numbers.

    Parameters
    ----------
    image : Image or ndarray
        The photo that the features are of; an array is RGB (H, W, 3) or gray (H, W), uint8 or uint16.
    features : Features
        Circles have the diameter ``features.size``, but never less than 0.9 percent of the picture's
        width (less where they are many), so that each can be seen. Without ``angle`` there is no line.
    top : int | None
        Draw the strongest this many; None draws all up to 1000, and else the strongest 1000, because more
        would hide the photo. Features without a score are taken in their order. The title says how many.
    title : str | None
        None writes what is shown; an empty text leaves the title out.
    ax : matplotlib.axes.Axes | None
        None makes a new figure with pyplot, so that ``plt.show()`` and notebooks show it; a figure that
        was there before is not drawn on.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DataError
        If the features are of a photo of another size.
    OptionError
        If ``top`` is not a positive whole number.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> image = render_demo().image0
    >>> features = tp.extract(image, "orb", max_keypoints=200)
    >>> axes = tp.plot_keypoints(image, features, title="ORB interest points")
    >>> axes.get_title()
    'ORB interest points'
    """
    return plot(_scene(image, features, top, title), ax)


def draw_keypoints(
    image: Image | NDArray[Any],
    features: Features,
    *,
    top: int | None = None,
    title: str | None = None,
    width: int | None = None,
) -> NDArray[np.uint8]:
    """Draw what :func:`plot_keypoints` plots into an array; matplotlib's own state is not touched.

    Parameters
    ----------
    image, features, top, title
        As in :func:`plot_keypoints`.
    width : int | None
        Width of the picture in pixels, 64 to 20000; lines and letters follow it. None is the photo's own
        width, within 800 to 2400.

    Returns
    -------
    ndarray, (H, W, 3) uint8
        RGB.

    Raises
    ------
    DataError
        If the features are of a photo of another size.
    OptionError
        If ``top`` or ``width`` is out of its range.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> image = render_demo().image0
    >>> tp.draw_keypoints(image, tp.extract(image, "orb"), width=600).shape[1:]
    (600, 3)
    """
    return draw(_scene(image, features, top, title), width)


def save_keypoints(
    path: str | os.PathLike[str],
    image: Image | NDArray[Any],
    features: Features,
    *,
    top: int | None = None,
    title: str | None = None,
    width: int | None = None,
) -> Path:
    """Write what :func:`draw_keypoints` draws to a file: PNG, JPEG, PDF or SVG, after its suffix.

    In PDF and SVG the photo has ``width`` pixels and the keypoints are lines, sharp at any zoom. The
    same input makes the same bytes.

    Parameters
    ----------
    path : path-like
        Ends in .png, .jpg, .jpeg, .pdf or .svg.
    image, features, top, title, width
        As in :func:`draw_keypoints`.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OptionError
        If the suffix is another one, or ``top`` or ``width`` is out of its range.
    WriteError
        If the file cannot be written; one that was there is then untouched.
    DataError
        If the features are of a photo of another size.

    Examples
    --------
    >>> import tempfile
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.plotting import save_keypoints
    >>> image = render_demo().image0
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_keypoints(f"{folder}/keypoints.svg", image, tp.extract(image, "orb")).name
    'keypoints.svg'
    """
    return save(path, _scene(image, features, top, title), width)


def _scene(image: Image | NDArray[Any], features: Features, top: int | None, title: str | None) -> Scene:
    photo = as_image(image)
    if features.image_size != photo.size:
        width, height = features.image_size
        raise DataError(
            f"the features are of a photo of {width}x{height} pixels, but this one is "
            f"{photo.width}x{photo.height}; draw them on the photo that they were extracted from"
        )
    most = checked_top(top, _MOST)
    ranked = features.score is not None
    shown = features.strongest(most) if ranked else features[:most]
    if title is None:
        title = (
            f"{method_name(features.extractor)}: {shown_of(len(shown), len(features), 'keypoint', ranked)}"
        )
    return Scene((photo,), title, (caption(photo),), lambda pen: _mark(pen, shown))


def _mark(pen: Pen, features: Features) -> None:
    from matplotlib.collections import EllipseCollection, LineCollection

    if not len(features):
        return
    ax = pen.ax
    # The strongest come first; drawn last, they are on top.
    xy = features.xy[::-1].astype(np.float64)
    thin = thinner(len(features), _FEW)
    smallest = KEYPOINT_SMALLEST * thin * pen.sheet.width * pen.sheet.data_per_pixel[0]
    diameter = np.maximum(features.size[::-1].astype(np.float64), smallest)
    line = pen.points(KEYPOINT_LINE) * thin
    # Large circles in a crowd, as ORB makes them, cover each other: let the photo shine through.
    crowd = float(diameter.sum()) / (pen.sheet.width * pen.sheet.data_per_pixel[0])
    clear = min(1.0, (_FREE_CROWD / crowd) ** 0.5)
    spokes = None
    if features.angle is not None:
        # Clockwise as seen is from +x to +y here, because y runs down.
        turn = np.deg2rad(features.angle[::-1].astype(np.float64))
        tips = xy + np.column_stack([np.cos(turn), np.sin(turn)]) * diameter[:, None] / 2
        spokes = np.stack([xy, tips], axis=1)
    # All rims are below all lines, or in a crowd the rims would eat the lines.
    for colour, width, alpha, order in (
        (RIM, RIM_RATIO * line, 0.6 * thin * clear, 2.0),
        (KEYPOINT, line, clear, 2.1),
    ):
        circles = EllipseCollection(diameter, diameter, np.zeros(len(xy)), units="xy", offsets=xy,
                                    offset_transform=ax.transData, facecolors="none", edgecolors=colour,
                                    linewidths=width, alpha=alpha, zorder=order,
                                    antialiaseds=True)  # fmt: skip
        ax.add_collection(circles, autolim=False)
        if spokes is not None:
            lines = LineCollection(list(spokes), colors=colour, linewidths=width, alpha=alpha, zorder=order,
                                   antialiaseds=True, capstyle="butt")  # fmt: skip
            ax.add_collection(lines, autolim=False)
