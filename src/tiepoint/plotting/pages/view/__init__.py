"""What the page of a pair, or of one photo, is made of.

Facts and controls are put together here, of elements; numbers travel as packed arrays, photos as previews.
What moves in the page is in the scripts beside this file, each of which has one subject.
"""

from tiepoint.plotting.pages.view.pair import matches_page
from tiepoint.plotting.pages.view.single import keypoints_page

__all__ = ["keypoints_page", "matches_page"]
