"""What every extractor is: its options, and one method from Image to Features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tiepoint.errors import DataError
from tiepoint.options import Options, option
from tiepoint.types import Features, Image, Metric

Mask = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Extractor(Options):
    """Base of all extractors, ours and those of other packages.

    A subclass is a frozen, keyword-only dataclass whose fields are made by
    :func:`tiepoint.options.option`. It names itself, says what its descriptors look like, and
    imports its backend inside :meth:`extract`, so that options can be read, printed and compared
    without it. Nothing is kept between calls: one object serves many threads.
    """

    name: ClassVar[str]
    metric: ClassVar[Metric]
    summary: ClassVar[str]
    """One line for ``tiepoint methods``."""
    source: ClassVar[str]
    """The paper."""

    max_keypoints: int | None = option(
        4096,
        "keep at most so many, the strongest; none keeps all",
        at_least=1,
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

    def extract(self, image: Image, mask: ArrayLike | None = None) -> Features:
        """Detect and describe keypoints.

        Parameters
        ----------
        image : Image
            The photo.
        mask : array, (H, W) bool or uint8, optional
            Zero where not to look.
        """
        raise NotImplementedError

    @classmethod
    def missing(cls) -> str | None:
        """Say what has to be installed before this extractor can run; None if nothing has to."""
        return None


def checked_mask(mask: ArrayLike | None, size: tuple[int, int]) -> Mask | None:
    """Return a mask as (H, W) uint8, 255 where to look; it must have the size of the photo."""
    if mask is None:
        return None
    array = np.asarray(mask)
    width, height = size
    if array.shape != (height, width) or array.dtype.kind not in "bu":
        raise DataError(
            f"a mask must be as large as its photo, ({height}, {width}) bool or uint8 and zero where "
            f"not to look, not {array.shape} {array.dtype}"
        )
    looked: Mask = np.where(array != 0, 255, 0).astype(np.uint8)
    return looked


def settings_of(extractor: Extractor, version: str) -> dict[str, Any]:
    """Return what made the features: every option, and the version of the backend."""
    return {**extractor.settings(), "version": version}
