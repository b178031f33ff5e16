from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pytest

import tiepoint as tp
from tests.arrays import same
from tiepoint.evaluation import RenderedPair
from tiepoint.formats import columns, save_csv, to_frame


def test_csv_of_matches_gives_back_every_float32(scene: RenderedPair, tmp_path: Path) -> None:
    matches = tp.match(scene.image0, scene.image1, extractor="sift", max_keypoints=300).matches
    path = save_csv(tmp_path / "m.csv", matches)
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0])[:8] == ["x0", "y0", "x1", "y1", "index0", "index1", "distance", "second_distance"]
    assert len(rows) == len(matches)
    assert same(np.array([row["x0"] for row in rows], np.float32), matches.xy0[:, 0])
    assert same(np.array([row["distance"] for row in rows], np.float32), matches.distance)
    assert {row["source"] for row in rows} == {"sift"}


def test_csv_of_features(scene: RenderedPair, flat: tp.Image, tmp_path: Path) -> None:
    features = tp.extract(scene.image0, "orb", max_keypoints=10)
    lines = save_csv(tmp_path / "f.csv", features).read_text().splitlines()
    assert lines[0] == "x,y,size,angle,score"
    assert len(lines) == 11
    assert save_csv(tmp_path / "f.csv", tp.extract(flat, "orb")).read_text() == "x,y,size,angle,score\n"


def test_csv_of_a_geometry_says_which_matches_agree(tmp_path: Path) -> None:
    points = np.array([[1, 2], [3, 4]], np.float32)
    matches = tp.Matches(xy0=points, xy1=points, source="x", image_size0=(9, 9), image_size1=(9, 9))
    found = tp.Geometry(
        model="affine",
        matrix=np.eye(3),
        matches=matches,
        inliers=np.array([True, False]),
        residuals=np.array([0.1, 7], np.float32),
        max_error=2,
    )
    assert save_csv(tmp_path / "g.csv", found).read_text().splitlines() == [
        "x0,y0,x1,y1,source,residual,inlier",
        "1.0,2.0,1.0,2.0,x,0.1,True",
        "3.0,4.0,3.0,4.0,x,7.0,False",
    ]
    nothing = tp.Geometry(
        model="auto", matches=matches, inliers=np.zeros(2, bool), max_error=2, reason="too few"
    )
    assert list(columns(nothing)) == ["x0", "y0", "x1", "y1", "source", "inlier"]


def test_frame_has_the_same_columns(scene: RenderedPair) -> None:
    pytest.importorskip("pandas")
    matches = tp.match(scene.image0, scene.image1, extractor="orb", max_keypoints=100).matches
    frame = to_frame(matches)
    assert list(frame.columns) == list(columns(matches))
    assert same(frame["x1"].to_numpy(), matches.xy1[:, 0])


def test_without_pandas_the_extra_is_named(scene: RenderedPair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(tp.MissingError, match=r"pip install 'tiepoint\[frames\]'"):
        to_frame(tp.extract(scene.image0, "orb"))
