"""Two photos: the stages in a row, and which methods to try."""

from tiepoint.pipeline.match import AUTO, match

__all__ = ["AUTO", "match"]
