"""XFeat and XFeat*: learned features that need no PyTorch."""

from tiepoint.extractors.xfeat.semi_dense import XFeatStar
from tiepoint.extractors.xfeat.sparse import XFeat

__all__ = ["XFeat", "XFeatStar"]
