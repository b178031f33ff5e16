"""tiepoint: from two photos to tie points that can be trusted.

>>> import tiepoint as tp
>>> result = tp.match("building_1.jpg", "building_2.jpg")  # doctest: +SKIP
>>> tp.plot_matches(result, top=10)  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Each name is imported when it is first used: `import tiepoint` and `tiepoint --help` stay quick,
# and neither OpenCV nor matplotlib is loaded before something needs it.
_HOME = {
    "read_image": "tiepoint.images",
    "extract": "tiepoint.extractors",
    "match_features": "tiepoint.matchers",
    "match": "tiepoint.pipeline",
    "verify": "tiepoint.geometry",
    "judge": "tiepoint.verdict",
    "set_threads": "tiepoint.core",
    "draw_keypoints": "tiepoint.plotting",
    "draw_matches": "tiepoint.plotting",
    "plot_keypoints": "tiepoint.plotting",
    "plot_matches": "tiepoint.plotting",
    "Exif": "tiepoint.types",
    "Features": "tiepoint.types",
    "Geometry": "tiepoint.types",
    "Image": "tiepoint.types",
    "MatchResult": "tiepoint.types",
    "Matches": "tiepoint.types",
    "Verdict": "tiepoint.types",
    "DataError": "tiepoint.errors",
    "MissingError": "tiepoint.errors",
    "OptionError": "tiepoint.errors",
    "ReadError": "tiepoint.errors",
    "TiepointError": "tiepoint.errors",
    "WriteError": "tiepoint.errors",
}

if TYPE_CHECKING:
    from tiepoint.core import set_threads
    from tiepoint.errors import (
        DataError,
        MissingError,
        OptionError,
        ReadError,
        TiepointError,
        WriteError,
    )
    from tiepoint.extractors import extract
    from tiepoint.geometry.verify import verify
    from tiepoint.images import read_image
    from tiepoint.matchers import match_features
    from tiepoint.pipeline.match import match
    from tiepoint.plotting import draw_keypoints, draw_matches, plot_keypoints, plot_matches
    from tiepoint.types import Exif, Features, Image, Matches, MatchResult

__all__ = [
    "DataError",
    "Exif",
    "Features",
    "Geometry",
    "Image",
    "MatchResult",
    "Matches",
    "MissingError",
    "OptionError",
    "ReadError",
    "TiepointError",
    "Verdict",
    "WriteError",
    "__version__",
    "draw_keypoints",
    "draw_matches",
    "extract",
    "judge",
    "match",
    "match_features",
    "plot_keypoints",
    "plot_matches",
    "read_image",
    "set_threads",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        from importlib import import_module

        value = getattr(import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
