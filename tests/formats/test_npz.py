from __future__ import annotations

import copy
import json
import re
import tracemalloc
from collections import Counter
from contextlib import suppress
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiepoint as tp
from tiepoint.evaluation import RenderedPair
from tiepoint.formats import FORMAT_VERSION, load_npz, save_npz


@pytest.fixture(scope="module")
def result(scene: RenderedPair) -> tp.MatchResult:
    exif = tp.Exif(
        focal_length=35.0, camera_model="X", time=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), orientation=6
    )
    photo = tp.Image(pixels=scene.image0.pixels, path="Notre Dame ü.jpg", exif=exif)
    return tp.match(photo, scene.image1, extractor="orb", max_keypoints=200)


def assert_same(a: Any, b: Any) -> None:
    """Hold two nouns against each other, field by field, down to dtypes."""
    assert type(a) is type(b)
    for f in fields(a):
        x, y = getattr(a, f.name), getattr(b, f.name)
        if isinstance(x, np.ndarray):
            assert x.dtype == y.dtype
            assert np.array_equal(x, y), f.name
        elif isinstance(x, tp.Features | tp.Matches | tp.Image | tp.Geometry):
            assert_same(x, y)
        else:
            assert x == y, f.name


def test_round_trips(result: tp.MatchResult, tmp_path: Path) -> None:
    for noun in (result, result.matches, result.features0):
        assert noun is not None
        assert_same(load_npz(save_npz(tmp_path / "a b.npz", noun)), noun)


def test_geometry_and_verdict_round_trip(tmp_path: Path) -> None:
    whole = tiny()
    assert_same(load_npz(save_npz(tmp_path / "x.npz", whole)), whole)
    assert whole.geometry is not None
    pose = replace(whole.geometry, model="essential", R=np.eye(3), t=np.array([0.0, 0, 1]), agreement=0.5)
    nothing = replace(
        whole.geometry, matrix=None, residuals=None, inliers=np.zeros(1, bool), reason="too few"
    )
    for geometry in (pose, nothing):
        kept = load_npz(save_npz(tmp_path / "x.npz", replace(whole, geometry=geometry)))
        assert_same(kept.geometry, geometry)
    unknown = replace(whole, verdict=tp.Verdict(answer="unsure", probability=None, reasons=("why",)))
    assert_same(load_npz(save_npz(tmp_path / "x.npz", unknown)), unknown)
    # Files of before there were geometries have neither.
    bare = load_npz(save_npz(tmp_path / "x.npz", replace(whole, geometry=None, verdict=None)))
    assert bare.geometry is bare.verdict is None


def test_empty_and_unknown_fields_round_trip(flat: tp.Image, tmp_path: Path) -> None:
    nothing = tp.extract(flat, "sift", upright=True)
    assert_same(load_npz(save_npz(tmp_path / "x.npz", nothing)), nothing)
    empty = tp.match(flat, flat).matches
    assert_same(load_npz(save_npz(tmp_path / "x.npz", empty)), empty)


def test_numpy_alone_reads_it_without_pickle(result: tp.MatchResult, tmp_path: Path) -> None:
    with np.load(save_npz(tmp_path / "x.npz", result), allow_pickle=False) as archive:
        assert np.array_equal(archive["matches.xy0"], result.matches.xy0)
        assert json.loads(str(archive["header"]))["version"] == FORMAT_VERSION


def changed(path: Path, **changes: Any) -> Path:
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    header = json.loads(str(arrays["header"]))
    for name, value in changes.items():
        if name in arrays:
            arrays[name] = value
        else:
            header[name] = value
    arrays["header"] = np.array(json.dumps(header))
    np.savez(path, **arrays)
    return path


def test_missing_newer_and_inconsistent_files(result: tp.MatchResult, tmp_path: Path) -> None:
    with pytest.raises(tp.ReadError, match="cannot be read: no such file"):
        load_npz(tmp_path / "none.npz")
    with pytest.raises(tp.ReadError, match="cannot be read: is a directory"):
        load_npz(tmp_path)
    newer = changed(save_npz(tmp_path / "x.npz", result.matches), version=2)
    with pytest.raises(tp.ReadError, match="is of format 2, but this tiepoint reads 1; update tiepoint"):
        load_npz(newer)
    other = changed(save_npz(tmp_path / "x.npz", result.matches), xy0=np.zeros((3, 2), np.float32))
    with pytest.raises(tp.ReadError, match="its parts do not fit together: xy1 must be"):
        load_npz(other)
    kind = changed(save_npz(tmp_path / "x.npz", result.matches), kind="cake")
    with pytest.raises(tp.ReadError, match="holds none of features, matches, match_result"):
        load_npz(kind)
    older = changed(save_npz(tmp_path / "x.npz", result.matches), format="other")
    with pytest.raises(tp.ReadError, match="is no file of tiepoint's: it has no header that says so"):
        load_npz(older)


def test_settings_may_look_like_a_noun(result: tp.MatchResult, tmp_path: Path) -> None:
    assert result.features0 is not None
    settings = {"kind": "image", "nested": {"kind": "features"}}
    features = replace(result.features0, settings=settings)
    assert load_npz(save_npz(tmp_path / "x.npz", features)).settings == settings


def test_only_what_was_promised_is_saved_and_loaded(result: tp.MatchResult, tmp_path: Path) -> None:
    for other in (result.image0, "photo.jpg", None):
        with pytest.raises(tp.DataError, match="holds Features, Matches or a MatchResult, not"):
            save_npz(tmp_path / "x.npz", other)  # type: ignore[arg-type]
    header = {"format": "tiepoint", "version": FORMAT_VERSION, "kind": "image"}
    np.savez(tmp_path / "x.npz", header=np.array(json.dumps(header)), pixels=result.image0.pixels)
    with pytest.raises(tp.ReadError, match="holds none of features, matches, match_result"):
        load_npz(tmp_path / "x.npz")


def test_a_path_object_is_saved_as_text(result: tp.MatchResult, tmp_path: Path) -> None:
    photo = replace(result.image0, path=tmp_path / "a.jpg")  # type: ignore[arg-type]
    again = load_npz(save_npz(tmp_path / "x.npz", replace(result, image0=photo)))
    assert again.image0.path == str(tmp_path / "a.jpg")


def test_a_large_header_is_refused_before_it_is_read(result: tp.MatchResult, tmp_path: Path) -> None:
    # Two letters of JSON can become an object of 64 bytes.
    path = changed(save_npz(tmp_path / "x.npz", result.matches), log=[[]] * 100_000)
    tracemalloc.start()
    with pytest.raises(tp.ReadError, match=r"its header of 1[.\d]* bytes is too large; raise max_bytes"):
        load_npz(path, max_bytes=2_000_000)
    assert tracemalloc.get_traced_memory()[1] < 4_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    "text",
    ["", "[" * 10_000_000, "[]", "5", "null", '"tiepoint"', "{}", '{"format": "tiepoint"}', "{" * 100,
     '{"format": "tiepoint", "version": "1"}', '{"format": ["tiepoint"], "version": 1}'],
)  # fmt: skip
def test_a_header_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", header=np.array(text))
    with pytest.raises(tp.ReadError, match=r"x\.npz: is no file of tiepoint's: it has no header"):
        load_npz(tmp_path / "x.npz")


ANYTHING: tuple[Any, ...] = (
    None, 5, -1, 2.5, float("nan"), float("inf"), 10**400, 1e308, True, "abc", "", "features", "\ud800",
    [], {}, [1, 2], [[1, 2]], ["a", 1], [["a", 2.5]], [[]] * 3, {"a": 1}, {"kind": "image"},
)  # fmt: skip


def places(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to every value in a JSON document."""
    if not isinstance(value, dict | list):
        return []
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    return [way for key, part in inside for way in [(*above, key), *places(part, (*above, key))]]


def test_any_header_gives_a_noun_or_one_sentence(tmp_path: Path, rng: np.random.Generator) -> None:
    path = tmp_path / "x.npz"
    with np.load(save_npz(path, tiny())) as archive:
        arrays = {name: archive[name] for name in archive.files}
    good = json.loads(str(arrays.pop("header")))
    ways = places(good)
    outcomes = Counter[bool]()
    for _ in range(1500):
        header = copy.deepcopy(good)
        for _ in range(rng.integers(1, 3)):
            *above, key = ways[rng.integers(len(ways))]
            part = header
            with suppress(KeyError, IndexError, TypeError):  # the way is gone since the first change
                for step in above:
                    part = part[step]
                if rng.random() < 0.2:
                    del part[key]
                else:
                    part[key] = copy.deepcopy(ANYTHING[rng.integers(len(ANYTHING))])
        extra = {".".join(map(str, ways[rng.integers(len(ways))])): np.zeros((2, 2), np.float32)}
        np.savez(
            path, header=np.array(json.dumps(header)), **{**arrays, **(extra if rng.random() < 0.2 else {})}
        )
        sentence = complaint(path)
        assert sentence is None or re.fullmatch(rf"{re.escape(str(path))}: \w.{{1,600}}", sentence)
        outcomes[sentence is None] += 1
    assert min(outcomes.values()) > 100


def complaint(path: Path) -> str | None:
    try:
        repr(load_npz(path))
    except tp.ReadError as error:
        return str(error)
    return None


def tiny() -> tp.MatchResult:
    """Every kind of field, in few bytes."""
    ones = np.ones(3, np.float32)
    photo = tp.Image(pixels=np.zeros((4, 5, 3), np.uint8), path="a.jpg", exif=tp.Exif(focal_length=35.0))
    features = tp.Features(
        xy=np.ones((3, 2), np.float32),
        size=ones,
        score=ones,
        descriptors=np.zeros((3, 4), np.uint8),
        metric="l2",
        image_size=(5, 4),
        extractor="x",
        settings={"levels": 3},
    )
    pairs = np.array([[0, 1]], np.int32)
    matches = tp.Matches.between(features, features, pairs, source="x", funnel=(("nearest", 1),))
    geometry = tp.Geometry(
        model="homography",
        matrix=np.eye(3),
        matches=matches,
        inliers=np.ones(1, bool),
        residuals=np.zeros(1, np.float32),
        max_error=2.0,
        configuration="planar",
        notes=("a note",),
    )
    return tp.MatchResult(
        image0=photo,
        image1=photo,
        features0=features,
        features1=features,
        candidates=matches,
        matches=matches,
        geometry=geometry,
        verdict=tp.Verdict(answer="yes", probability=0.9, reasons=("a reason",)),
        seconds={"read": 0.5},
        log=("a sentence",),
    )
