"""Two photos: the stages in a row."""

from tiepoint.pipeline.match import match

__all__ = ["match"]
