"""The answer to whether two photos show the same thing."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

from tiepoint.errors import DataError

ANSWERS = ("yes", "no", "unsure")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether two photos show the same scene, how sure that is, and why.

    Attributes
    ----------
    answer : str
        "yes", "no" or "unsure".
    probability : float | None
        That the photos show the same scene and the geometry found is right, 0 to 1; None for features that
        it was not calibrated for.
    reasons : tuple[str, ...]
        Why, in sentences, the weightiest first.

    Raises
    ------
    DataError
        If there is no such answer, or the probability is none.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> scene = render_demo()
    >>> tp.match(scene.image0, scene.image1).verdict.answer
    'yes'
    """

    answer: str
    probability: float | None = None
    reasons: tuple[str, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.answer, str) or self.answer not in ANSWERS:
            raise DataError(f"answer must be one of {', '.join(ANSWERS)}, not {self.answer!r}")
        p, reasons = self.probability, self.reasons
        if p is not None:
            if not _is_number(p) or not 0 <= p <= 1:
                raise DataError(f"probability must be from 0 to 1, or None, not {p!r}")
            object.__setattr__(self, "probability", float(p))
        sentences = isinstance(reasons, list | tuple) and all(isinstance(line, str) for line in reasons)
        if not sentences or not reasons:
            raise DataError(f"reasons must be a tuple of sentences, not {reasons!r}")
        object.__setattr__(self, "reasons", tuple(reasons))

    def __str__(self) -> str:
        """Return "same scene: yes, p = 0.97"; what rounds to certainty is "p > 0.99" or "p < 0.01"."""
        if self.probability is None:
            return f"same scene: {self.answer}"
        digits = f"{self.probability:.2f}"
        sure = {"1.00": "> 0.99", "0.00": "< 0.01"}.get(digits, f"= {digits}")
        return f"same scene: {self.answer}, p {sure}"


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
