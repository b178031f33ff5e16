"""Rows and columns: CSV files and pandas frames of keypoints, matches and what they agree on."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiepoint.errors import MissingError
from tiepoint.files import write_bytes
from tiepoint.types import Features, Geometry, Matches

Table = dict[str, NDArray[Any]]


def columns(noun: Features | Matches | Geometry) -> Table:
    """Return the columns of a table, one row a keypoint or match; what is not known has no column.

    Features: x, y, size, angle, score. Matches: x0, y0, x1, y1, index0, index1, distance,
    second_distance, ratio, score, size0, size1, angle0, angle1, source. Geometry: its matches, and of
    each the residual and whether it is an inlier. Pixels and degrees as in the types; descriptors are
    left to :func:`tiepoint.formats.save_npz`.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.formats import columns
    >>> list(columns(tp.extract(render_demo().image0, "orb")))
    ['x', 'y', 'size', 'angle', 'score']
    """
    if isinstance(noun, Features):
        table: dict[str, NDArray[Any] | None] = {
            "x": noun.xy[:, 0],
            "y": noun.xy[:, 1],
            "size": noun.size,
            "angle": noun.angle,
            "score": noun.score,
        }
    elif isinstance(noun, Geometry):
        table = {**columns(noun.matches), "residual": noun.residuals, "inlier": noun.inliers}
    else:
        table = {
            "x0": noun.xy0[:, 0],
            "y0": noun.xy0[:, 1],
            "x1": noun.xy1[:, 0],
            "y1": noun.xy1[:, 1],
            "index0": None if noun.pairs is None else noun.pairs[:, 0],
            "index1": None if noun.pairs is None else noun.pairs[:, 1],
            **{name: getattr(noun, name) for name in ("distance", "second_distance", "ratio", "score")},
            **{name: getattr(noun, name) for name in ("size0", "size1", "angle0", "angle1")},
            "source": np.asarray(noun.source),
        }
    return {name: values for name, values in table.items() if values is not None}


def save_csv(path: str | os.PathLike[str], noun: Features | Matches | Geometry) -> Path:
    """Write keypoints, matches or a geometry's matches as CSV: UTF-8, comma, a header line.

    Digits are enough for float32; truth values are True and False.

    Raises
    ------
    WriteError
        If the file cannot be written; an older one of that name is then untouched.

    Examples
    --------
    >>> import tempfile
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.formats import save_csv
    >>> features = tp.extract(render_demo().image0, "orb", max_keypoints=100)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_csv(f"{folder}/keypoints.csv", features).read_text().splitlines()[0]
    'x,y,size,angle,score'
    """
    table = columns(noun)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table)
    # str() of a float32 is its shortest exact form; tolist() would print the digits of a float64.
    writer.writerows(zip(*([str(value) for value in column] for column in table.values()), strict=True))
    return write_bytes(path, text.getvalue().encode())


def to_frame(noun: Features | Matches | Geometry) -> Any:
    """Return a ``pandas.DataFrame`` with the columns of :func:`columns`.

    Raises
    ------
    MissingError
        If pandas is not installed.

    Examples
    --------
    >>> import tiepoint as tp
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.formats import to_frame
    >>> scene = render_demo()
    >>> frame = to_frame(tp.match(scene.image0, scene.image1, extractor="orb").matches)
    >>> frame.nsmallest(3, "distance")[["x0", "y0", "x1", "y1"]].shape
    (3, 4)
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingError("a frame needs pandas; install it with: pip install 'tiepoint[frames]'") from error
    return pd.DataFrame(columns(noun))
