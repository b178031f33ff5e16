"""Changes of a photo whose geometry is known: what makes a second photo out of a first.

A photo is taken as a flat picture and photographed again: from aside, turned, from nearer or further away, a
part of it, blurred, in other light. The new photo shows nothing that lies outside of the old one, so that no
edge has to be made up.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, get_args

import numpy as np

from tiepoint.evaluation.tune.light import Shadow, blurred, compressed, noisy, relit, shaded
from tiepoint.evaluation.tune.views import (
    Matrix,
    Pixels,
    Window,
    inner_window,
    reduced,
    second_view,
    shift,
    warp,
)
from tiepoint.options import Options, option
from tiepoint.types import Image

Kind = Literal[
    "second photo",
    "viewpoint",
    "rotation",
    "zoom in",
    "zoom out",
    "overlap",
    "blur",
    "noise",
    "jpeg",
    "light",
    "shadow",
]
KINDS: tuple[Kind, ...] = get_args(Kind)

FAINT_NOISE, FINE_JPEG = 1.5, 95  # what every photo has, the first one too
INNER = 0.85  # of both sides of a photo: what the first photo of a pair shows


class Changed(NamedTuple):
    """A changed photo, and the (3, 3) float64 that takes pixels of the given one to it.

    Examples
    --------
    >>> import numpy as np
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation.tune import Change
    >>> Change(name="half", zoom=0.5)(tp.Image(pixels=np.zeros((60, 80), np.uint8))).image
    Image(40x30 gray uint8)
    """

    image: Image
    H_1_from_0: Matrix


@dataclass(frozen=True, kw_only=True)
class Change(Options):
    """A change of a photo, by its parameters; call it with a photo.

    The same change of the same photo is always the same. Geometry comes first, then what the lens, the
    light, the chip and the file do. No change leaves the pixels quite alone: the faint noise and the fine
    JPEG that two real photos differ by are always there.

    Examples
    --------
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.evaluation.tune import Change
    >>> photo = render_demo(width=400, height=300).image0
    >>> upside_down, H_1_from_0 = Change(name="on its head", kind="rotation", strength=180, roll=180)(photo)
    >>> (H_1_from_0 @ [0, 0, 1]).tolist()
    [399.0, 299.0, 1.0]
    """

    name: str = option("", "what tables call it")
    kind: Kind = option("second photo", "the one thing that changes; a second photo is several together")
    strength: float = option(0.0, "in the kind's own unit; of a second photo 1 (easy) to 3 (hard)")
    seed: int = option(0, "of its noise and of where its shadows fall", at_least=0)
    tilt: float = option(0.0, "degrees by which the camera looks at the photo from aside", at_most=80)
    towards: float = option(0.0, "degrees, clockwise from the right: the side that is nearer when tilted")
    roll: float = option(0.0, "degrees, clockwise, by which everything appears turned")
    zoom: float = option(1.0, "how much larger everything appears", above=0)
    aim_x: float = option(0.5, "what it looks at, in shares of the width", at_least=0, at_most=1)
    aim_y: float = option(0.5, "the same of the height", at_least=0, at_most=1)
    field: float = option(1.0, "width that is seen, of the photo's own", above=0, at_most=1)
    blur: float = option(0.0, "standard deviation of a Gaussian, in pixels", at_least=0)
    gain: float = option(1.0, "factor on the light", above=0)
    gamma: float = option(1.0, "exponent of the light; above 1 is darker", above=0)
    contrast: float = option(1.0, "factor about middle gray", above=0)
    shadow: float = option(0.0, "how dark a shadow is: 0 is none, 1 black", at_least=0, at_most=1)
    shadow_kind: Shadow = option("smooth", "soft patches, or all on one side of a line")
    noise: float = option(FAINT_NOISE, "standard deviation at middle gray, in gray levels", at_least=0)
    jpeg: int = option(FINE_JPEG, "quality of the file", at_least=1, at_most=95)

    def __call__(self, image: Image) -> Changed:
        """Return the changed photo, 8 bits, and ``H_1_from_0``."""
        pixels, matrix = self._seen(image.pixels8)
        rng = np.random.default_rng([self.seed, zlib.crc32(self.name.encode())])
        if self.blur:
            pixels = blurred(pixels, self.blur)
        if self.shadow:
            pixels = shaded(pixels, self.shadow, self.shadow_kind, rng)
        if (self.gain, self.gamma, self.contrast) != (1, 1, 1):
            pixels = relit(pixels, gain=self.gain, gamma=self.gamma, contrast=self.contrast)
        pixels = _photographed(pixels, self.noise, self.jpeg, rng)
        return Changed(Image(pixels=pixels), matrix)

    def _seen(self, pixels: Pixels) -> tuple[Pixels, Matrix]:
        height, width = pixels.shape[:2]
        view = {"tilt": self.tilt, "towards": self.towards, "roll": self.roll, "zoom": self.zoom}
        matrix = second_view((width, height), **view)
        # A camera that was turned by about a quarter has its longer side where the shorter was.
        across, down = (height, width) if 45 < self.roll % 180 < 135 else (width, height)
        window = inner_window(
            matrix, (width, height), most=(across * self.field, down), aim=(self.aim_x, self.aim_y)
        )
        matrix = shift(-window.x, -window.y) @ matrix
        matrix /= matrix[2, 2]
        return warp(pixels, matrix, (window.width, window.height)), matrix


def first_photo(image: Image, *, seed: int = 0) -> tuple[Image, Window]:
    """Return the first photo of a pair: the inner part of a photo, with faint noise of its own.

    The second photo is a :class:`Change` of the whole, so that each shows something that the other does
    not, as two real photos do.

    Returns
    -------
    first : Image
    window : Window
        Which part it is, in pixels of the given photo.

    Examples
    --------
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.evaluation.tune import first_photo
    >>> first_photo(render_demo(width=400, height=300).image0)
    (Image(340x255 RGB uint8), Window(x=30, y=22, width=340, height=255))
    """
    width, height = image.size
    across, down = max(1, round(width * INNER)), max(1, round(height * INNER))
    x, y = (width - across) // 2, (height - down) // 2
    rng = np.random.default_rng([seed, zlib.crc32(b"first photo")])
    pixels = _photographed(image.pixels8[y : y + down, x : x + across], FAINT_NOISE, FINE_JPEG, rng)
    return Image(pixels=pixels), Window(x, y, across, down)


def pair(image: Image, change: Change) -> tuple[Image, Changed]:
    """Return two photos with a known homography, made of one.

    Examples
    --------
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.evaluation.tune import Change, pair
    >>> photo = render_demo(width=400, height=300).image0
    >>> first, (second, H_1_from_0) = pair(photo, Change(name="as it is"))
    >>> H_1_from_0 @ [0, 0, 1]
    array([30., 22.,  1.])
    """
    first, window = first_photo(image, seed=change.seed)
    second = change(image)
    matrix = second.H_1_from_0 @ shift(window.x, window.y)
    return first, Changed(second.image, matrix / matrix[2, 2])


def at_most(image: Image, megapixels: float) -> Image:
    """Return a photo in gray, 8 bits, reduced to at most so many million pixels: what is tuned on.

    Examples
    --------
    >>> import numpy as np
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation.tune import at_most
    >>> at_most(tp.Image(pixels=np.zeros((3000, 4000, 3), np.uint8)), 2)
    Image(1633x1225 gray uint8)
    """
    scale = (megapixels * 1e6 / (image.width * image.height)) ** 0.5
    return replace(image, pixels=image.gray if scale >= 1 else reduced(image.gray, scale))


def _photographed(pixels: Pixels, noise: float, quality: int, rng: np.random.Generator) -> Pixels:
    return compressed(noisy(pixels, noise, rng) if noise else pixels, quality)
