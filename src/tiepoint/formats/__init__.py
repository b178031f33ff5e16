"""What other tools read: npz, CSV, JSON, pandas frames, OpenCV's objects."""

from tiepoint.formats.documents import (
    SCHEMA_VERSION,
    align_document,
    features_document,
    match_document,
    schema,
)
from tiepoint.formats.npz import FORMAT_VERSION, load_npz, save_npz
from tiepoint.formats.opencv import from_dmatches, from_keypoints, to_dmatches, to_keypoints
from tiepoint.formats.tables import columns, save_csv, to_frame

__all__ = [
    "FORMAT_VERSION",
    "SCHEMA_VERSION",
    "align_document",
    "columns",
    "features_document",
    "from_dmatches",
    "from_keypoints",
    "load_npz",
    "match_document",
    "save_csv",
    "save_npz",
    "schema",
    "to_dmatches",
    "to_frame",
    "to_keypoints",
]
