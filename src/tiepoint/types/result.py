"""All that came of matching two photos."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tiepoint.errors import DataError
from tiepoint.types._arrays import Noun, checked_json
from tiepoint.types.features import Features
from tiepoint.types.geometry import Geometry
from tiepoint.types.image import Image
from tiepoint.types.matches import Matches, check_pairs
from tiepoint.types.verdict import Verdict


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
    geometry : Geometry | None
        What the matches agree on; its ``matches`` hold those won by guided matching, too. None where
        nobody asked.
    verdict : Verdict | None
        Whether the photos show the same scene. None where nobody asked.
    seconds : Mapping[str, float]
        Wall-clock seconds per stage.
    log : tuple[str, ...]
        What was tried, and what to know about the result, in sentences.
    methods : tuple[Mapping[str, Any], ...]
        What made the matches: for each method the ``extractor``, its ``settings``, and the ``matcher`` with
        its own; the licences of weights are among them. Can be written as JSON.

    Raises
    ------
    DataError
        If the parts are not of the same two photos, or point outside of the features.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> scene = render_demo()
    >>> result = tp.match(scene.image0, scene.image1, extractor="orb", max_keypoints=500)
    >>> len(result.candidates)
    500
    >>> list(result.seconds)
    ['read', 'extract', 'match', 'verify']
    """

    image0: Image
    image1: Image
    features0: Features | None = None
    features1: Features | None = None
    candidates: Matches
    matches: Matches
    geometry: Geometry | None = None
    verdict: Verdict | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    log: tuple[str, ...] = ()
    methods: tuple[Mapping[str, Any], ...] = ()

    def __post_init__(self) -> None:
        self._check_photos()
        for matches in self._sets().values():
            if matches.pairs is not None:
                check_pairs(matches.pairs, self.features0, self.features1)
        try:
            seconds = {str(stage): float(value) for stage, value in self.seconds.items()}
            if not all(map(math.isfinite, seconds.values())):
                raise ValueError("not finite")
        except (AttributeError, TypeError, ValueError, OverflowError) as error:
            raise DataError(f"seconds must give a number for each stage, not {self.seconds!r}") from error
        self._set("seconds", seconds)
        log = self.log
        if not isinstance(log, list | tuple) or not all(isinstance(line, str) for line in log):
            raise DataError(f"log must be a tuple of sentences, not {log!r}")
        self._set("log", tuple(log))
        methods = self.methods
        if not isinstance(methods, list | tuple) or not all(isinstance(one, Mapping) for one in methods):
            raise DataError(f"methods must be a tuple of mappings, not {methods!r}")
        self._set("methods", tuple(checked_json("methods", [dict(one) for one in methods])))

    def _check_photos(self) -> None:
        """Refuse parts that are of photos of other sizes than ``image0`` and ``image1``."""
        for number, image, features in ((0, self.image0, self.features0), (1, self.image1, self.features1)):
            sizes = {name: getattr(matches, f"image_size{number}") for name, matches in self._sets().items()}
            if features is not None:
                sizes[f"features{number}"] = features.image_size
            for name, (width, height) in sizes.items():
                if (width, height) != image.size:
                    raise DataError(
                        f"image{number} is {image.width}x{image.height}, "
                        f"but the {name} are of a photo of {width}x{height} pixels"
                    )

    def _sets(self) -> dict[str, Matches]:
        """Return every set of matches by its name."""
        sets = {"candidates": self.candidates, "matches": self.matches}
        return sets if self.geometry is None else {**sets, "geometry": self.geometry.matches}

    def __repr__(self) -> str:
        found = f"{len(self.matches)} matches of {len(self.candidates)} candidates"
        return f"MatchResult({found})" if self.verdict is None else f"MatchResult({found}; {self.verdict})"

    def view(self, path: str | os.PathLike[str], *, full: bool = False, keep_location: bool = False) -> Path:
        """Write one HTML page to look at the matches, see :func:`tiepoint.plotting.save_matches_view`.

        Examples
        --------
        >>> import tempfile
        >>> import tiepoint as tp
        >>> from tiepoint.evaluation import render_demo
        >>> scene = render_demo()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     tp.match(scene.image0, scene.image1, extractor="orb").view(f"{folder}/pair.html").name
        'pair.html'
        """
        from tiepoint.plotting.view import save_matches_view

        return save_matches_view(path, self, full=full, keep_location=keep_location)

    def _repr_html_(self) -> str:
        from tiepoint.plotting.notebook import result_html

        return result_html(self)
