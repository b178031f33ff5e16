"""What people look at: keypoints, matches and alignments, as arrays, files and on matplotlib Axes.

Importing this package does not import matplotlib; the first picture does.
"""

from tiepoint.plotting.alignment import (
    ALIGNMENT_SUFFIXES,
    AlignmentMode,
    alignment_format,
    draw_alignment,
    save_alignment,
)
from tiepoint.plotting.figure import PICTURE_SUFFIXES, picture_format
from tiepoint.plotting.keypoints import draw_keypoints, plot_keypoints, save_keypoints
from tiepoint.plotting.matches import draw_matches, plot_matches, save_matches
from tiepoint.plotting.view import VIEW_SUFFIXES, check_view_name, save_keypoints_view, save_matches_view

__all__ = [
    "ALIGNMENT_SUFFIXES",
    "PICTURE_SUFFIXES",
    "VIEW_SUFFIXES",
    "AlignmentMode",
    "alignment_format",
    "check_view_name",
    "draw_alignment",
    "draw_keypoints",
    "draw_matches",
    "picture_format",
    "plot_keypoints",
    "plot_matches",
    "save_alignment",
    "save_keypoints",
    "save_keypoints_view",
    "save_matches",
    "save_matches_view",
]
