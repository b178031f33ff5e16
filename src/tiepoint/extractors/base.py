"""What every extractor is: its options, and one method from Image to Features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tiepoint.errors import DataError
from tiepoint.options import Method, option
from tiepoint.types import Features, Image, Metric

Mask = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Extractor(Method):
    """Base of all extractors, ours and those of other packages.

    A subclass is a frozen, keyword-only dataclass whose fields are made by
    :func:`tiepoint.options.option`. It names itself, says what its descriptors look like, and
    imports its backend inside :meth:`extract`, so that options can be read, printed and compared
    without it. Nothing is kept between calls: one object serves many threads.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from typing import ClassVar
    >>> import numpy as np
    >>> import tiepoint as tp
    >>> from tiepoint.extractors import Extractor
    >>> from tiepoint.options import option
    >>> @dataclass(frozen=True, kw_only=True)
    ... class Middle(Extractor):
    ...     name: ClassVar[str] = "middle"
    ...     metric: ClassVar[str] = "l2"
    ...     size: float = option(9.0, "diameter of the only keypoint in pixels", above=0)
    ...
    ...     def extract(self, image, mask=None):
    ...         return tp.Features(
    ...             xy=np.array([image.size], np.float32) / 2,
    ...             size=np.array([self.size], np.float32),
    ...             descriptors=np.array([[image.gray.mean()]], np.float32),
    ...             metric=self.metric,
    ...             image_size=image.size,
    ...             extractor=self.name,
    ...             settings=self.settings(),
    ...         )
    >>> tp.extract(np.zeros((48, 64), np.uint8), Middle(size=5))
    Features(1 middle, 1 x float32 l2, photo 64x48)
    """

    metric: ClassVar[Metric]
    matcher: ClassVar[str] = "nearest"
    """Name of the matcher that suits it best."""
    max_keypoints: int | None = option(
        4096,
        "keep at most so many, the strongest; none keeps all",
        at_least=1,
        at_most=1_000_000,
    )
    max_size: int | None = option(
        None,
        "detect on a photo reduced to this longest side, in pixels; positions stay those of the photo",
        at_least=16,
    )
    spread: bool = option(
        False,
        "spread the keypoints evenly over the photo instead of keeping only the strongest",
    )

    def extract(self, image: Image, mask: ArrayLike | Image | None = None) -> Features:
        """Detect and describe keypoints.

        Parameters
        ----------
        image : Image
            The photo.
        mask : array or Image, (H, W) or (H, W, 3) bool or integer, optional
            Zero (black) where not to look, as large as the photo.
        """
        raise NotImplementedError


def checked_mask(mask: ArrayLike | Image | None, size: tuple[int, int]) -> Mask | None:
    """Return a mask as (H, W) uint8, 255 where to look; it must have the size of the photo."""
    if mask is None:
        return None
    array = np.asarray(mask)
    width, height = size
    if array.shape not in ((height, width), (height, width, 3)) or array.dtype.kind not in "bui":
        shown = f"{array.shape[1]}x{array.shape[0]}" if array.ndim >= 2 else f"of shape {array.shape}"
        raise DataError(
            "a mask must be as large as its photo, of integers or bool, and zero where not to look: "
            f"the photo is {width}x{height}, the mask {shown} {array.dtype.name}"
        )
    look = array != 0
    return np.where(look.any(axis=2) if look.ndim == 3 else look, 255, 0).astype(np.uint8)


def settings_of(extractor: Extractor, version: str) -> dict[str, Any]:
    """Return what made the features: every option, and the version of the backend."""
    return {**extractor.settings(), "version": version}
