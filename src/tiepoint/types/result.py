"""All that came of matching two photos."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tiepoint.errors import DataError
from tiepoint.types._arrays import Noun
from tiepoint.types.features import Features
from tiepoint.types.image import Image
from tiepoint.types.matches import Matches


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MatchResult(Noun):
    """Two photos, their features, and the matches between them.

    Attributes
    ----------
    image0, image1 : Image
        The photos as they were read.
    features0, features1 : Features | None
        None where the matcher works without keypoints.
    candidates : Matches
        The nearest neighbour of every feature of photo 0, before any filter.
    matches : Matches
        Those candidates that passed all filters; its ``funnel`` counts them stage by stage.
    seconds : Mapping[str, float]
        Wall-clock seconds per stage.
    log : tuple[str, ...]
        What was tried, and what to know about the result, in sentences.
    """

    image0: Image
    image1: Image
    features0: Features | None = None
    features1: Features | None = None
    candidates: Matches
    matches: Matches
    seconds: Mapping[str, float] = field(default_factory=dict)
    log: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for image, size, name in (
            (self.image0, self.matches.image_size0, "image0"),
            (self.image1, self.matches.image_size1, "image1"),
        ):
            if image.size != size:
                raise DataError(f"{name} is {image.size}, but the matches are of a photo of {size} pixels")
        self._set("seconds", {str(k): float(v) for k, v in self.seconds.items()})
        self._set("log", tuple(self.log))

    def __repr__(self) -> str:
        return f"MatchResult({len(self.matches)} matches of {len(self.candidates)} candidates)"

    def _repr_html_(self) -> str:
        from tiepoint.plotting.notebook import result_html

        return result_html(self)
