"""What the matches of two photos agree on."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from numbers import Real

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import DataError
from tiepoint.types._arrays import Noun, checked, checked_or_none
from tiepoint.types.matches import Matches

MODELS: tuple[str, ...] = ("homography", "fundamental", "essential", "affine", "similarity")
CONFIGURATIONS: tuple[str, ...] = ("general", "planar or panoramic", "planar", "panoramic", "watermark")
_OF_A_PLANE = ("homography", "affine", "similarity")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Geometry(Noun):
    """The model that matches agree on, and what speaks for and against it; true if one was found.

    Attributes
    ----------
    model : str
        "homography", "fundamental", "essential", "affine" or "similarity"; "auto" where every model was
        tried and none found.
    matrix : ndarray, (3, 3) float64 | None
        In pixels. ``H_1_from_0`` of a homography, an affinity or a similarity, scaled to
        ``matrix[2, 2] == 1`` (to norm 1, where the origin of photo 0 goes to infinity). Of a fundamental or
        an essential matrix ``F_1_from_0``: ``[x1, y1, 1] @ matrix @ [x0, y0, 1] == 0``, norm 1.
    R, t : ndarray, (3, 3) and (3,) float64 | None
        ``cam1_from_cam0``, of the model "essential": a point X of camera 0 is ``R @ X + t`` in camera 1; t
        has length 1.
    matches : Matches
        Those it was judged on, the ones won by guided matching last.
    inliers : ndarray, (M,) bool
        Which of the matches agree.
    residuals : ndarray, (M,) float32 | None
        Sampson distances in pixels: how far the two points of a match have to move together to obey the
        model, to first order. None where nothing was found.
    max_error : float
        Largest residual of an inlier, in pixels.
    reason : str | None
        Why nothing was found.
    configuration : str | None
        "general" (depth and movement), "planar" or "panoramic" (a homography says all; "planar or
        panoramic" where the cameras are not known), "watermark" (something at the same place in both
        photos, and nothing else). None where nothing was found, or a model was given and so none chosen.
    guided : int
        How many of the matches were won by guided matching; none are kept where half of them may be wrong.
    predicted : int | None
        How many guided matching won, kept or not; None where nobody looked, since that takes the features.
    guided_by_chance : float | None
        How many the same model wins once photo 1 is moved to where it must be wrong.
    log_false_alarms : float | None
        Logarithm to base 10 of how many models as good random matches would give: -5 means that chance does
        as well once in 100,000 pairs of photos. Known where nothing was found, too, of the best attempt.
    mirrored : bool
        One photo shows the other's mirror image.
    rival : int
        Inliers of the strongest other model among the matches that this one leaves over.
    repeated : float | None
        Share of the inliers whose keypoint has a look-alike elsewhere in its own photo; None where nobody
        looked.
    agreement : float | None
        Share of the inliers whose keypoints turn and grow from photo 0 to photo 1 as the model says; None
        where the keypoints have no angle or size.
    coverage : (float, float)
        Share of photo 0 and of photo 1 that nine in ten inliers spread over, 0 to 1; guided ones left out.
    notes : tuple[str, ...]
        What else to know, in sentences.

    Raises
    ------
    DataError
        If the parts do not fit each other.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> scene = render_demo()
    >>> geometry = tp.match(scene.image0, scene.image1).geometry
    >>> bool(geometry), geometry.matrix.shape
    (True, (3, 3))
    """

    model: str
    matrix: NDArray[np.float64] | None = None
    R: NDArray[np.float64] | None = None
    t: NDArray[np.float64] | None = None
    matches: Matches
    inliers: NDArray[np.bool_]
    residuals: NDArray[np.float32] | None = None
    max_error: float
    reason: str | None = None
    configuration: str | None = None
    guided: int = 0
    predicted: int | None = None
    guided_by_chance: float | None = None
    log_false_alarms: float | None = None
    mirrored: bool = False
    rival: int = 0
    repeated: float | None = None
    agreement: float | None = None
    coverage: tuple[float, float] = (0.0, 0.0)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        m = len(self.matches)
        for name, shape in (("matrix", (3, 3)), ("R", (3, 3)), ("t", (3,))):
            self._set(name, checked_or_none(name, getattr(self, name), shape=shape, dtype=np.float64))
        self._set("inliers", checked("inliers", self.inliers, shape=(m,), dtype=np.bool_))
        self._set("residuals", checked_or_none("residuals", self.residuals, shape=(m,), dtype=np.float32))
        if not isinstance(self.model, str) or self.model not in (*MODELS, "auto"):
            raise DataError(f"model must be one of {', '.join(MODELS)}, not {self.model!r}")
        configuration = self.configuration
        if configuration is not None and not (
            isinstance(configuration, str) and configuration in CONFIGURATIONS
        ):
            raise DataError(
                f"configuration must be one of {', '.join(CONFIGURATIONS)}, not {self.configuration!r}"
            )
        if not (self.reason is None or isinstance(self.reason, str)):
            raise DataError(f"reason must be a sentence or None, not {self.reason!r}")
        found = self.matrix is not None
        if found == bool(self.reason) or found == (self.residuals is None):
            raise DataError("a Geometry has either a matrix and residuals, or a reason why there is none")
        if not found and self.inliers.any():
            raise DataError("where no model was found, no match is an inlier")
        if (self.R is None) != (self.t is None):
            raise DataError("R and t go together")
        if not (_is_number(self.max_error) and 0 < self.max_error < math.inf):
            raise DataError(f"max_error must be a number of pixels above 0, not {self.max_error!r}")
        self._set("max_error", float(self.max_error))
        self._check_evidence(m)

    def _check_evidence(self, m: int) -> None:
        """Refuse what is no count, no share and no sentence, as it may come from a file."""
        for name in ("guided", "rival", "predicted"):
            value = getattr(self, name)
            if name == "predicted" and value is None:
                continue
            try:
                count = operator.index(value)
            except TypeError:
                count = -1
            if count < 0 or (name == "guided" and count > m):
                raise DataError(f"{name} must be a count of matches, not {value!r}")
            self._set(name, count)
        coverage = self.coverage
        if not isinstance(coverage, list | tuple) or len(coverage) != 2:
            raise DataError(f"coverage must be two shares, of photo 0 and of photo 1, not {coverage!r}")
        shares = [share for share in (*coverage, self.repeated, self.agreement) if share is not None]
        if None in coverage or not all(_is_number(share) and 0 <= share <= 1 for share in shares):
            raise DataError(f"coverage, repeated and agreement must be from 0 to 1, not {shares!r}")
        self._set("coverage", (float(coverage[0]), float(coverage[1])))
        for name, least in (("guided_by_chance", 0.0), ("log_false_alarms", -math.inf)):
            value = getattr(self, name)
            if value is not None and not (_is_number(value) and least <= value and math.isfinite(value)):
                raise DataError(f"{name} must be a finite number, or None, not {value!r}")
        for name in ("repeated", "agreement", "guided_by_chance", "log_false_alarms"):
            value = getattr(self, name)
            self._set(name, None if value is None else float(value))
        if not isinstance(self.mirrored, bool | np.bool_):
            raise DataError(f"mirrored must be true or false, not {self.mirrored!r}")
        self._set("mirrored", bool(self.mirrored))
        notes = self.notes
        if not isinstance(notes, list | tuple) or not all(isinstance(line, str) for line in notes):
            raise DataError(f"notes must be a tuple of sentences, not {notes!r}")
        self._set("notes", tuple(notes))

    @property
    def count(self) -> int:
        """How many of the matches agree."""
        return int(np.count_nonzero(self.inliers))

    @property
    def own(self) -> int:
        """How many of the matches come before those that guided matching has won, which are the last."""
        return len(self.matches) - self.guided

    @property
    def planar(self) -> bool:
        """Whether the matrix takes points of photo 0 to points of photo 1."""
        return self.matrix is not None and self.model in _OF_A_PLANE

    def __bool__(self) -> bool:
        return self.matrix is not None

    def __repr__(self) -> str:
        if not self:
            return f"Geometry(nothing: {self.reason})"
        return f"Geometry({self.model}, {self.count} of {len(self.matches)} matches agree)"


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
