"""Image to Features: one module per family, found by name."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from tiepoint.extractors.base import Extractor
from tiepoint.images import Photo, read_image
from tiepoint.registry import Registry
from tiepoint.types import Features, Image

__all__ = ["EXTRACTORS", "Extractor", "extract", "get_extractor"]

EXTRACTORS = Registry(
    "extractor",
    Extractor,
    {
        "orb": "tiepoint.extractors.opencv.orb:Orb",
        "sift": "tiepoint.extractors.opencv.sift:Sift",
        "rootsift": "tiepoint.extractors.opencv.sift:RootSift",
        "akaze": "tiepoint.extractors.opencv.kaze:Akaze",
        "kaze": "tiepoint.extractors.opencv.kaze:Kaze",
        "brisk": "tiepoint.extractors.opencv.kaze:Brisk",
        "beblid": "tiepoint.extractors.opencv.described:Beblid",
        "teblid": "tiepoint.extractors.opencv.described:Teblid",
        "freak": "tiepoint.extractors.opencv.described:Freak",
        "daisy": "tiepoint.extractors.opencv.described:Daisy",
        "latch": "tiepoint.extractors.opencv.described:Latch",
        "vgg": "tiepoint.extractors.opencv.described:Vgg",
        "boostdesc": "tiepoint.extractors.opencv.described:BoostDesc",
        "xfeat": "tiepoint.extractors.xfeat:XFeat",
        "xfeat-star": "tiepoint.extractors.xfeat:XFeatStar",
        "aliked": "tiepoint.extractors.kornia.aliked:Aliked",
        "disk": "tiepoint.extractors.kornia.disk:Disk",
    },
    group="tiepoint.extractors",
)


def get_extractor(extractor: str | Extractor, **options: Any) -> Extractor:
    """Return an extractor: by its name and options, or the object that was given.

    Raises
    ------
    OptionError
        If the name or an option is unknown or out of range, or an object is given options besides.

    Examples
    --------
    >>> from tiepoint.extractors import get_extractor
    >>> get_extractor("sift", contrast_threshold=0.02).contrast_threshold
    0.02
    """
    return EXTRACTORS.get(extractor, options)


def extract(
    image: Photo,
    extractor: str | Extractor = "sift",
    *,
    mask: ArrayLike | Image | None = None,
    **options: Any,
) -> Features:
    """Detect and describe the local features of a photo.

    Parameters
    ----------
    image : Image, path, array, bytes, ...
        Anything that :func:`tiepoint.read_image` takes.
    extractor : str or Extractor
        A name that ``tiepoint methods`` lists, or an object with its options.
    mask : array or Image, (H, W) or (H, W, 3) bool or integer, optional
        Zero (black) where not to look, as large as the photo.
    **options
        Options of the named extractor, such as ``max_keypoints``; ``tiepoint methods NAME`` lists them.

    Returns
    -------
    Features
        Empty where nothing was found.

    Raises
    ------
    ReadError
        If the photo cannot be read.
    OptionError
        If the name or an option is unknown or out of range.
    MissingError
        If the extractor's backend is not installed.
    DataError
        If the mask does not fit the photo, or the photo needs more memory than there is.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> photo = render_demo().image0
    >>> tp.extract(photo, "orb", max_keypoints=500)
    Features(500 orb, 32 x uint8 hamming, photo 800x600)
    """
    chosen = get_extractor(extractor, **options)
    return chosen.extract(read_image(image), mask)
