"""Matches between two photos: lines from one to the other."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import DataError, OptionError
from tiepoint.plotting.agreement import agreement_scene
from tiepoint.plotting.colouring import ColorBy, chosen_colouring, colours_of
from tiepoint.plotting.figure import draw, plot, save
from tiepoint.plotting.lines import mark_matches
from tiepoint.plotting.photo import as_image, caption
from tiepoint.plotting.scene import Scene
from tiepoint.plotting.selection import checked_top, funnel_line, methods, ranked, shown_of, strongest
from tiepoint.types import Image, Matches, MatchResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST = 50


def plot_matches(
    result: MatchResult | Matches,
    *,
    image0: Image | NDArray[Any] | None = None,
    image1: Image | NDArray[Any] | None = None,
    top: int | None = None,
    color_by: ColorBy = "auto",
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Plot two photos beside each other and a line for each match; wide photos go below each other.

    The photos are shown equally high (or wide), whatever their resolutions. The data coordinates of
    the Axes are the pixels of photo 0.

    Parameters
    ----------
    result : MatchResult | Matches
        Of a MatchResult with a geometry the matches of the geometry are drawn: those that agree on it above
        those that are rejected, which are thinner. For the model of a plane the border of each photo is
        drawn in the other. Of any other, ``result.matches`` are drawn.
    image0, image1 : Image or ndarray
        The two photos, where ``result`` is Matches; a MatchResult brings its own.
    top : int | None
        Draw the strongest this many, see :meth:`Matches.strongest`; of a geometry those that agree come
        first, and the strongest of the rejected fill up. None draws at most 50, because more lines hide
        the photos and each other; of a geometry at most 60 that agree, and the same share of the rejected.
        The title says how many.
    color_by : {"auto", "inlier", "match", "ratio", "distance", "score"}
        "inlier" tells those that agree on the geometry from those that do not, and counts both under the
        photos; it is what "auto" does where there is a geometry, and all others pass it over.
        "match" gives each match a colour of its own from Okabe and Ito's palette; the others grade from
        bright (good) to dark (doubtful) and say so under the photos. Without a geometry "auto" is "match"
        for up to 30 lines, and beyond the first of ratio, distance and score that is known.
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
        If the photos are of another size than those that were matched, or the matches do not have
        what ``color_by`` asks for.
    OptionError
        If ``top`` or ``color_by`` is none of the above, or photos are missing or given twice.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> pair = render_demo()
    >>> result = tp.match(pair.image0, pair.image1, extractor="orb")
    >>> axes = tp.plot_matches(result, top=10)
    """
    return plot(_scene(result, image0, image1, top, color_by, title), ax)


def draw_matches(
    result: MatchResult | Matches,
    *,
    image0: Image | NDArray[Any] | None = None,
    image1: Image | NDArray[Any] | None = None,
    top: int | None = None,
    color_by: ColorBy = "auto",
    title: str | None = None,
    width: int | None = None,
) -> NDArray[np.uint8]:
    """Draw what :func:`plot_matches` plots into an array; matplotlib's own state is not touched.

    Parameters
    ----------
    result, image0, image1, top, color_by, title
        As in :func:`plot_matches`.
    width : int | None
        Width of the picture in pixels, 64 to 20000; lines and letters follow it. None shows the larger
        photo pixel by pixel, within 800 to 2400.

    Returns
    -------
    ndarray, (H, W, 3) uint8
        RGB.

    Raises
    ------
    DataError, OptionError
        As :func:`plot_matches`; also if ``width`` is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> import tiepoint as tp
    >>> photo = np.full((120, 160, 3), 200, np.uint8)
    >>> points = np.array([[20, 30], [100, 80]], np.float32)
    >>> matches = tp.Matches(xy0=points, xy1=points, source="by hand",
    ...                      image_size0=(160, 120), image_size1=(160, 120))
    >>> tp.draw_matches(matches, image0=photo, image1=photo, width=600).shape[1:]
    (600, 3)
    """
    return draw(_scene(result, image0, image1, top, color_by, title), width)


def save_matches(
    path: str | os.PathLike[str],
    result: MatchResult | Matches,
    *,
    image0: Image | NDArray[Any] | None = None,
    image1: Image | NDArray[Any] | None = None,
    top: int | None = None,
    color_by: ColorBy = "auto",
    title: str | None = None,
    width: int | None = None,
) -> Path:
    """Write what :func:`draw_matches` draws to a file: PNG, JPEG, PDF or SVG, after its suffix.

    In PDF and SVG the photos are pixels and the matches are lines, sharp at any zoom. The same input
    makes the same bytes.

    Parameters
    ----------
    path : path-like
        Ends in .png, .jpg, .jpeg, .pdf or .svg.
    result, image0, image1, top, color_by, title, width
        As in :func:`draw_matches`.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OptionError
        If the suffix is another one, or an option is out of its range.
    WriteError
        If the file cannot be written; one that was there is then untouched.
    DataError
        As :func:`plot_matches`.

    Examples
    --------
    >>> import tempfile
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.plotting import save_matches
    >>> pair = render_demo()
    >>> result = tp.match(pair.image0, pair.image1, extractor="orb")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_matches(f"{folder}/matches.pdf", result, top=10).name
    'matches.pdf'
    """
    return save(path, _scene(result, image0, image1, top, color_by, title), width)


def _scene(
    result: MatchResult | Matches,
    image0: Image | NDArray[Any] | None,
    image1: Image | NDArray[Any] | None,
    top: int | None,
    color_by: ColorBy,
    title: str | None,
) -> Scene:
    matches, photos = _matches_and_photos(result, image0, image1)
    if isinstance(result, MatchResult) and result.geometry is not None and color_by in ("auto", "inlier"):
        return agreement_scene(result, result.geometry, top, title)
    shown = strongest(matches, checked_top(top, _MOST))
    if title is None:
        title = _title(result, matches, len(shown))
    by = chosen_colouring(shown, color_by)
    colours, legend = colours_of(shown, by)
    return Scene(
        photos,
        title,
        tuple(map(caption, photos)),
        lambda pen: mark_matches(pen, shown, colours, numbered=by == "match"),
        legend,
    )


def _matches_and_photos(
    result: MatchResult | Matches, image0: Image | NDArray[Any] | None, image1: Image | NDArray[Any] | None
) -> tuple[Matches, tuple[Image, Image]]:
    if isinstance(result, MatchResult):
        if image0 is not None or image1 is not None:
            raise OptionError("a MatchResult brings its own photos; leave image0 and image1 out")
        return result.matches, (result.image0, result.image1)
    if image0 is None or image1 is None:
        raise OptionError("Matches do not hold their photos; give both as image0= and image1=")
    photos = as_image(image0), as_image(image1)
    sizes = result.image_size0, result.image_size1
    for number, (photo, size) in enumerate(zip(photos, sizes, strict=True)):
        if photo.size != size:
            raise DataError(
                f"the matches are of a photo {number} of {size[0]}x{size[1]} pixels, but image{number} is "
                f"{photo.width}x{photo.height}; draw them on the photos that were matched"
            )
    return result, photos


def _title(result: MatchResult | Matches, matches: Matches, shown: int) -> str:
    who = methods(matches, result)
    title = f"{who}: " if who else ""
    title += shown_of(shown, len(matches), "match", ranked(matches))
    if matches.funnel:
        title += f"\n{funnel_line(matches.funnel)}"
    return title
