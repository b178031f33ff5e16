"""What people look at: keypoints and matches, as arrays, files and on matplotlib Axes.

Importing this package does not import matplotlib; the first picture does.
"""

from tiepoint.plotting.figure import PICTURE_SUFFIXES, picture_format
from tiepoint.plotting.keypoints import draw_keypoints, plot_keypoints, save_keypoints
from tiepoint.plotting.matches import draw_matches, plot_matches, save_matches

__all__ = [
    "PICTURE_SUFFIXES",
    "draw_keypoints",
    "draw_matches",
    "picture_format",
    "plot_keypoints",
    "plot_matches",
    "save_keypoints",
    "save_matches",
]
