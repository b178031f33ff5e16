"""LoFTR: matches two photos without keypoints, by kornia."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tiepoint import weights
from tiepoint.errors import DataError
from tiepoint.images.scaling import positions_in_photo, reduced_size
from tiepoint.matchers.base import Matched, Matcher, View
from tiepoint.memory import physical_memory
from tiepoint.networks import pytorch
from tiepoint.networks.pytorch import TorchNetwork
from tiepoint.options import option
from tiepoint.types import Image, Matches

_CELL = 8  # pixels from one place that is matched to the next
# No match is nearer to the border than two cells, so that a smaller photo has none.
_SMALLEST_SIDE = 5 * _CELL
# Peak memory in bytes, as measured: for a pixel of either photo, and for a pair of cells.
_BYTES_PER_PIXEL, _BYTES_PER_PAIR = 700, 20
# The least score of a candidate; how sure a match must be is an option.
_LEAST = 0.1


def _build() -> Any:
    from kornia.feature import LoFTR
    from kornia.feature.loftr.loftr import default_cfg

    settings = copy.deepcopy(default_cfg)
    settings["match_coarse"]["thr"] = _LEAST
    return LoFTR(pretrained=None, config=settings)


def _renamed(name: str) -> str:
    """Take the name in the published files: the authors' and kornia's differ by a prefix."""
    return name.removeprefix("state_dict.").removeprefix("matcher.")


_NETWORK = TorchNetwork(weights="loftr-outdoor", build=_build, renamed=_renamed)


@dataclass(frozen=True, kw_only=True)
class Loftr(Matcher):
    """LoFTR: compares the photos themselves on a grid of 8 pixels, also where nothing stands out.

    It has no keypoints: the matches have positions and scores, neither indices nor sizes. Positions in photo
    0 are those of the grid, positions in photo 1 are fitted between the pixels. Candidates are the
    pairs of places of which each is the best of the other, with a score above 0.1.

    References
    ----------
    Sun, Shen, Wang, Bao, Zhou, "LoFTR: detector-free local feature matching with transformers", CVPR 2021.
    The network is kornia's, the weights ("outdoor") are the authors' (Apache-2.0); the least score is their
    default, and 840 pixels is the size that it was trained at.

    Examples
    --------
    >>> from tiepoint.matchers import get_matcher
    >>> get_matcher("loftr", max_size=640).min_score
    0.2
    """

    name: ClassVar[str] = "loftr"
    summary: ClassVar[str] = "learned, without keypoints: photo against photo; slow"
    source: ClassVar[str] = "Sun et al., CVPR 2021"
    takes_features: ClassVar[bool] = False

    max_size: int = option(
        840,
        "match photos reduced to this longest side, in pixels; positions stay those of the photos",
        at_least=_SMALLEST_SIDE,
        at_most=2048,
    )
    min_score: float = option(
        0.2,
        "keep a match with a score above this, 0 to 1; higher gives fewer and surer",
        at_least=_LEAST,
        at_most=1,
    )

    @classmethod
    def missing(cls) -> str | None:
        """Say what has to be installed before this matcher can run; None if nothing has to."""
        return _NETWORK.missing()

    def used(self, extractor: str) -> dict[str, Any]:
        """Return what makes the matches: options, version, weights; there is no extractor to them."""
        del extractor
        return {
            **self.settings(),
            "version": pytorch.version(),
            "weights": weights.provenance(_NETWORK.weights),
        }

    def match_with_candidates(self, view0: View, view1: View) -> Matched:
        """Return the places that are best for each other, and those of them whose score is high enough.

        Raises
        ------
        MissingError
            If PyTorch, kornia or the weights are not there.
        DataError
            If a view is only features, or memory is too small.
        """
        images = view0.image, view1.image
        pytorch.require(self.name, _NETWORK.missing(), "nearest")
        sizes = [reduced_size(image.size, self.max_size) for image in images]
        xy0, xy1, score = _NOWHERE, _NOWHERE, _NO_SCORES
        if min(map(min, sizes)) >= _SMALLEST_SIDE:
            xy0, xy1, score = self._run(images, sizes)
        candidates = Matches(
            xy0=positions_in_photo(xy0, sizes[0], images[0].size),
            xy1=positions_in_photo(xy1, sizes[1], images[1].size),
            score=score,
            source=self.name,
            image_size0=images[0].size,
            image_size1=images[1].size,
            funnel=((self.name, len(score)),),
        )
        return Matched(candidates, candidates.filtered("score", score > self.min_score))

    def _run(
        self, images: tuple[Image, Image], sizes: list[tuple[int, int]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Return positions in the reduced photos, (M, 2) each, and scores, (M,)."""
        pixels = [width * height for width, height in sizes]
        cells = [-(-width // _CELL) * -(-height // _CELL) for width, height in sizes]
        need = _BYTES_PER_PIXEL * sum(pixels) + _BYTES_PER_PAIR * cells[0] * cells[1]
        have = physical_memory()
        shown = " and ".join(f"{width}x{height}" for width, height in sizes)
        if have is not None and need > have:
            fits = int(max(map(max, sizes)) * (0.5 * have / need) ** 0.5)
            raise DataError(
                f"loftr needs about {need / 2**30:.1f} GiB of memory for {shown} pixels, "
                f"but this machine has {have / 2**30:.1f}; take a smaller max_size, such as {fits}"
            )
        advice = f"take a smaller max_size, such as {max(map(max, sizes)) // 2}"
        with pytorch.running(f"loftr ran out of memory on {shown} pixels; {advice}"):
            module = _NETWORK.ready()
            photos = [_photo_tensor(image, size) for image, size in zip(images, sizes, strict=True)]
            found = module({"image0": photos[0], "image1": photos[1]})
            # The network was trained on positions whose origin is the corner of the top-left pixel.
            return (
                found["keypoints0"].numpy() - np.float32(0.5),
                found["keypoints1"].numpy() - np.float32(0.5),
                found["confidence"].numpy().astype(np.float32),
            )


_NOWHERE = np.empty((0, 2), np.float32)
_NO_SCORES = np.empty(0, np.float32)


def _photo_tensor(image: Image, size: tuple[int, int]) -> Any:
    """Return a photo as the network takes it: (1, 1, H, W) float32, gray from 0 to 1, reduced to ``size``."""
    from torch.nn.functional import interpolate

    photo = pytorch.to_tensor(image.gray)[None, None].float() / 255
    if image.size == size:
        return photo
    return interpolate(photo, size=size[::-1], mode="bilinear", antialias=True, align_corners=False)
