"""The nouns: frozen dataclasses around read-only NumPy arrays, checked once when they are built."""

from tiepoint.types.features import METRICS, Features, Metric
from tiepoint.types.image import Exif, Image
from tiepoint.types.matches import Funnel, Matches
from tiepoint.types.result import MatchResult

__all__ = ["METRICS", "Exif", "Features", "Funnel", "Image", "MatchResult", "Matches", "Metric"]
