"""What every matcher is: its options, and one method from two views to Matches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from tiepoint.errors import DataError
from tiepoint.options import Method
from tiepoint.types import Features, Image, Matches


class View:
    """A photo as a matcher sees it; its features are extracted when first asked for.

    Parameters
    ----------
    image : Image | None
        None where only features are at hand.
    features : Features or callable
        The features, or what makes them; a matcher that needs none never calls it.
    """

    def __init__(self, *, image: Image | None = None, features: Features | Callable[[], Features]) -> None:
        self._image = image
        self._source = features

    @property
    def image(self) -> Image:
        """The photo; a DataError where only features were given."""
        if self._image is None:
            raise DataError("this matcher looks at the photos themselves; give it photos, not features")
        return self._image

    @property
    def features(self) -> Features:
        """The features, extracted now if they were not before."""
        if not isinstance(self._source, Features):
            self._source = self._source()
        return self._source

    @property
    def extracted(self) -> Features | None:
        """The features if something has asked for them, else None."""
        return self._source if isinstance(self._source, Features) else None


class Matched(NamedTuple):
    """What a matcher gives: all it considered, and what it holds to be right."""

    candidates: Matches
    matches: Matches


@dataclass(frozen=True, kw_only=True)
class Matcher(Method):
    """Base of all matchers; a subclass is a frozen, keyword-only dataclass like an Extractor.

    Attributes
    ----------
    takes_features : bool
        Whether it matches features; one that does not looks at the photos themselves.
    """

    takes_features: ClassVar[bool] = True

    @classmethod
    def missing_for(cls, extractor: str) -> str | None:
        """Say what has to be installed or fetched to match such features; None if nothing has to."""
        del extractor
        return cls.missing()

    def used(self, extractor: str) -> dict[str, Any]:
        """Return what makes the matches of an extractor's features, as plain data: every option.

        A learned matcher adds its ``weights``: name, checksum and licence.
        """
        del extractor
        return self.settings()

    def match(self, view0: View, view1: View) -> Matches:
        """Return the matches of two views."""
        return self.match_with_candidates(view0, view1).matches

    def match_with_candidates(self, view0: View, view1: View) -> Matched:
        """Return the matches, and the candidates that they were chosen from."""
        raise NotImplementedError
