"""One offline page: a pair with its matches, or a photo with its keypoints, in one HTML file."""

from __future__ import annotations

import os
from pathlib import Path

from tiepoint.errors import OptionError
from tiepoint.files import write_bytes
from tiepoint.plotting.pages.view import keypoints_page, matches_page
from tiepoint.types import Features, Image, MatchResult

VIEW_SUFFIXES = (".html", ".htm")


def check_view_name(path: str | os.PathLike[str]) -> Path:
    """Return the path, or say how the name of a page must end.

    Raises
    ------
    OptionError
        If it does not end in .html or .htm.
    """
    if Path(path).suffix.lower() not in VIEW_SUFFIXES:
        raise OptionError(
            f"{os.fspath(path)}: a page is HTML; end the name with {' or '.join(VIEW_SUFFIXES)}"
        )
    return Path(path)


def save_matches_view(
    path: str | os.PathLike[str], result: MatchResult, *, full: bool = False, keep_location: bool = False
) -> Path:
    """Write the page of two photos and what was found between them.

    It opens in any browser, loads nothing from anywhere, and names in it are text.

    Parameters
    ----------
    path : path
        Ends in .html.
    result : MatchResult
    full : bool
        Keep all pixels of the photos; else they are as large as a page of 4 MB has room for.
    keep_location : bool
        Show where the photos were taken, if they tell. The photos in the page never hold their EXIF block.

    Returns
    -------
    Path
        What was written.

    Raises
    ------
    OptionError
        If the name does not end in .html or .htm.
    WriteError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.plotting import save_matches_view
    >>> scene = render_demo()
    >>> result = tp.match(scene.image0, scene.image1, extractor="orb")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_matches_view(f"{folder}/pair.html", result).stat().st_size < 1_000_000
    True
    """
    target = check_view_name(path)
    return write_bytes(target, matches_page(result, full=full, keep_location=keep_location).encode())


def save_keypoints_view(
    path: str | os.PathLike[str],
    image: Image,
    features: Features,
    *,
    full: bool = False,
    keep_location: bool = False,
) -> Path:
    """Write the page of a photo and its keypoints, as :func:`save_matches_view` does of a pair.

    Examples
    --------
    >>> import tempfile
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.plotting import save_keypoints_view
    >>> photo = render_demo().image0
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_keypoints_view(f"{folder}/photo.html", photo, tp.extract(photo, "orb")).name
    'photo.html'
    """
    target = check_view_name(path)
    text = keypoints_page(image, features, full=full, keep_location=keep_location)
    return write_bytes(target, text.encode())
