"""The nouns: frozen dataclasses around read-only NumPy arrays, checked once when they are built."""

from tiepoint.types.features import METRICS, Features, Metric
from tiepoint.types.geometry import CONFIGURATIONS, MODELS, Geometry
from tiepoint.types.image import Exif, Image
from tiepoint.types.matches import Funnel, Matches
from tiepoint.types.result import MatchResult
from tiepoint.types.verdict import ANSWERS, Verdict

__all__ = [
    "ANSWERS",
    "CONFIGURATIONS",
    "METRICS",
    "MODELS",
    "Exif",
    "Features",
    "Funnel",
    "Geometry",
    "Image",
    "MatchResult",
    "Matches",
    "Metric",
    "Verdict",
]
