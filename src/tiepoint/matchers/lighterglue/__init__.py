"""LighterGlue: LightGlue in small, for XFeat's features, without PyTorch."""

from tiepoint.matchers.lighterglue.matcher import LighterGlue

__all__ = ["LighterGlue"]
