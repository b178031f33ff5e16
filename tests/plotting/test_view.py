"""The page of a pair as a file: how large it is, what is in it and what is not, and the numbers in it."""

from __future__ import annotations

import ast
import base64
import io
import json
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import tiepoint as tp
from tests.plotting.plot_inputs import features_at, judged_of, noisy, plain, result_of
from tests.plotting.test_pages import Reader, between, hashed
from tiepoint.errors import OptionError, WriteError
from tiepoint.evaluation import RenderedPair
from tiepoint.matchers import NearestNeighbour
from tiepoint.plotting import save_keypoints_view, save_matches_view
from tiepoint.plotting.pages.view import keypoints_page, matches_page
from tiepoint.plotting.pages.view.help import rotation
from tiepoint.plotting.pages.view.mutual import mutual_flags
from tiepoint.plotting.pages.view.origin import features_lines, result_lines
from tiepoint.plotting.pages.view.packing import packed
from tiepoint.plotting.pages.view.preview import preview
from tiepoint.plotting.pages.view.rows import AGREES, REJECTED, rows_of
from tiepoint.plotting.pages.view.thresholds import kept_of, thresholds_of
from tiepoint.types import Exif, Features, Image, Matches, MatchResult

EVIL = "<img src=x onerror=alert(1)>.jpg"


def document_of(text: str) -> dict[str, Any]:
    [data] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    document: dict[str, Any] = json.loads(data)
    return document


def unpacked(one: dict[str, str]) -> np.ndarray[Any, Any]:
    dtype = {"Float32Array": "<f4", "Float64Array": "<f8", "Int32Array": "<i4", "Uint8Array": "u1"}[
        one["type"]
    ]
    return np.frombuffer(base64.b64decode(one["base64"]), dtype)


def photos_in(text: str) -> list[PIL.Image.Image]:
    found = re.findall(r'src="data:image/\w+;base64,([^"]+)"', text)
    return [PIL.Image.open(io.BytesIO(base64.b64decode(data))) for data in found]


def busy(width: int, height: int, seed: int) -> Image:
    """A photo with as much detail as a camera's: smooth shapes, edges, and noise on top."""
    rng = np.random.default_rng(seed)
    coarse = PIL.Image.fromarray(rng.integers(0, 256, (height // 40, width // 40, 3), np.uint8))
    smooth = np.asarray(coarse.resize((width, height), PIL.Image.Resampling.BICUBIC)).astype(np.int16)
    grain = rng.normal(0, 12, (height, width, 1)).astype(np.int16)
    return Image(pixels=np.clip(smooth + grain, 0, 255).astype(np.uint8))


def many(width: int, height: int, count: int, seed: int) -> Features:
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, (width - 1, height - 1), (count, 2)).astype(np.float32)
    angle = rng.uniform(0, 360, count).astype(np.float32)
    return replace(features_at(xy, plain(width, height)), angle=angle)


@pytest.mark.parametrize("photo", [busy, noisy], ids=["busy", "nothing but noise"])
def test_two_photos_of_12_megapixels_stay_below_4_mb(photo: Any) -> None:
    width, height, count = 4000, 3000, 8192
    images = [photo(width, height, seed=seed) for seed in (1, 2)]
    features = [many(width, height, count, seed) for seed in (1, 2)]
    distance = np.linspace(1, 300, count, dtype=np.float32)
    pairs = np.column_stack([np.arange(count), np.arange(count)[::-1]]).astype(np.int32)
    matches = Matches.between(
        features[0], features[1], pairs, distance=distance, second_distance=distance + 1, source="sift"
    )
    result = MatchResult(image0=images[0], image1=images[1], features0=features[0], features1=features[1],
                         candidates=matches, matches=matches)  # fmt: skip
    text = matches_page(result)
    assert len(text.encode()) < 4_000_000
    shown = photos_in(text)
    assert [one.size[0] / one.size[1] for one in shown] == pytest.approx([4 / 3] * 2, rel=0.01)
    if photo is busy:
        assert shown[0].size[0] >= 1600


def test_full_keeps_all_pixels() -> None:
    image = busy(2600, 1000, 0)
    made = result_of([[1, 1]], [[2, 2]], image, image)
    assert [one.size for one in photos_in(matches_page(made, full=True))] == [(2600, 1000)] * 2
    assert [one.size for one in photos_in(matches_page(made))] == [(2048, 788)] * 2


def test_a_preview_is_the_photo_and_never_larger() -> None:
    image = busy(600, 400, 0)
    made = preview(image, most_bytes=500_000)
    assert made.size == (600, 400)
    shown = np.asarray(PIL.Image.open(io.BytesIO(made.data)).convert("RGB"), int)
    assert np.abs(shown - image.pixels).mean() < 12
    assert len(preview(image, most_bytes=8_000).data) < len(made.data)
    assert preview(replace(image, pixels=image.pixels[:, :, 0]), most_bytes=500_000).size == (600, 400)
    long = Image(pixels=np.zeros((2, 20_000), np.uint8))
    assert preview(long, most_bytes=1, full=True).kind == "image/jpeg"  # WebP ends at 16383


def test_photos_in_the_page_have_no_metadata(tmp_path: Path) -> None:
    exif = PIL.Image.Exif()
    exif[0x010E] = "SECRET PLACE"
    exif.get_ifd(0x8825)[1] = "N"
    path = tmp_path / EVIL
    PIL.Image.fromarray(noisy(60, 40).pixels).save(path, exif=exif, quality=95)
    image = tp.read_image(path)
    text = matches_page(result_of([[1, 1]], [[2, 2]], image, image), full=True)
    for shown in photos_in(text):
        assert not shown.getexif()
        assert "exif" not in shown.info
    assert "SECRET" not in text
    assert str(tmp_path) not in text  # only names, no folders
    assert "<img src=x" not in text
    assert "&lt;img src=x" in text


def test_the_location_is_left_out_unless_asked_for() -> None:
    exif = Exif(
        camera_make="Canon",
        camera_model="Canon EOS",
        focal_length=27.0,
        time=datetime(2024, 5, 6, 7, 8),
        latitude=48.853,
        longitude=2.349,
        altitude=35.0,
    )
    image = replace(noisy(30, 20), exif=exif)
    result, features = result_of([[1, 1]], [[2, 2]], image, image), features_at([[1, 1]], image)
    for text in (matches_page(result), keypoints_page(image, features)):
        assert "48.85" not in text
        assert "Canon EOS" in text
        assert "Canon Canon" not in text
        assert "27 mm" in text
        assert "2024-05-06" in text
    told = (matches_page(result, keep_location=True), keypoints_page(image, features, keep_location=True))
    for text in told:
        assert "48.853000, 2.349000, 35 m" in text


def test_the_policy_knows_every_script_and_the_style() -> None:
    text = matches_page(result_of([[1, 1]], [[2, 2]], noisy(30, 20), noisy(30, 20)))
    [policy] = [one["content"] or "" for one in Reader(text).named("meta") if "http-equiv" in one]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["script-src"].split() == [hashed(script) for script in between(text, "script")]
    assert rules["style-src"].split() == [hashed(style) for style in between(text, "style")]
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in policy
    for name, attributes in Reader(text).elements:
        assert "style" not in attributes
        assert not any(attribute.startswith("on") for attribute in attributes)
        assert name != "iframe"
    assert not re.search(r"https?:|@import|url\(", text)


def test_numbers_come_back_to_the_bit(scene: RenderedPair) -> None:
    result = tp.match(scene.image0, scene.image1, extractor="sift")
    document = document_of(matches_page(result))
    rows, candidates = document["rows"], result.candidates
    n = rows["candidates"]
    assert n == len(candidates)
    assert candidates.distance is not None
    assert np.array_equal(unpacked(rows["arrays"]["distance"])[:n], candidates.distance)
    pairs = unpacked(rows["arrays"]["pairs"]).reshape(-1, 2)
    for photo, xy in enumerate((candidates.xy0, candidates.xy1)):
        keypoints = unpacked(document["keypoints"][photo]["arrays"]["xy"]).reshape(-1, 2)
        assert np.array_equal(keypoints[pairs[:n, photo]], xy)
    assert result.geometry is not None
    assert document["geometry"]["matrix"] == result.geometry.matrix.ravel().tolist()  # type: ignore[union-attr]
    infinite = np.array([np.inf, -1.5], np.float32)
    assert np.array_equal(unpacked(packed(infinite)), infinite)
    assert unpacked(packed(np.array([True, False]))).tolist() == [1, 0]
    assert unpacked(packed(np.array([[1, 2], [3, 4]], ">f8").T)).tolist() == [1, 3, 2, 4]


def nearest_of(columns: np.ndarray[Any, Any], rows: np.ndarray[Any, Any]) -> list[int]:
    """For each of the first the nearest of the second, in plain loops."""
    found = []
    for one in columns:
        squared = [float(((row - one) ** 2).sum()) for row in rows]
        found.append(squared.index(min(squared)))  # the first of equals
    return found


@pytest.mark.parametrize("metric", ["l2", "hamming", "cosine"])
def test_mutual_flags_are_those_of_plain_loops(metric: Any, rng: np.random.Generator) -> None:
    def made(n: int) -> Features:
        dtype = np.float32 if metric == "cosine" else np.uint8
        # Few different values: equal descriptors and equal distances are common.
        descriptors = rng.integers(0, 3, (n, 4)).astype(dtype)
        return replace(
            features_at(rng.uniform(0, 90, (n, 2)), plain(100, 100)), descriptors=descriptors, metric=metric
        )

    features = [made(60), made(50)]
    candidates = (
        NearestNeighbour()
        .match_with_candidates(*(tp.matchers.View(features=one) for one in features))
        .candidates
    )
    flags = mutual_flags(candidates, *features)
    assert flags is not None
    first, second = (_comparable(one.descriptors, metric) for one in features)
    back = nearest_of(second, first)
    assert candidates.pairs is not None
    assert flags.tolist() == [back[b] == a for a, b in candidates.pairs.tolist()]
    truth = NearestNeighbour().match(*(tp.matchers.View(features=one) for one in features))
    assert flags.sum() == len(truth)


def _comparable(descriptors: np.ndarray[Any, Any], metric: str) -> np.ndarray[Any, Any]:
    if metric == "hamming":
        return np.unpackbits(descriptors, axis=1).astype(float)
    values = descriptors.astype(float)
    if metric == "cosine":
        norms = np.linalg.norm(values, axis=1, keepdims=True)
        return np.hstack([values / np.where(norms == 0, 1, norms), norms == 0])
    return values


def test_without_descriptors_or_another_matcher_nobody_knows_what_is_mutual() -> None:
    image = plain(30, 20)
    made = result_of([[1, 1]], [[2, 2]], image, image, distance=[1])
    assert mutual_flags(made.candidates, None, None) is None
    features = features_at([[1, 1]], image)
    pairs = np.zeros((1, 2), np.int32)
    other = Matches.between(features, features, pairs, distance=np.ones(1, np.float32), source="lightglue")
    assert mutual_flags(other, features, features) is None


@pytest.mark.parametrize(
    "options",
    [
        {}, {"ratio": 0.8}, {"ratio": 0.8123}, {"ratio": 1.0}, {"ratio": 0.001}, {"max_distance": 40},
        {"max_distance": 0}, {"ratio": 0.7, "max_distance": 37.5}, {"cross_check": False, "ratio": 0.9},
        {"cross_check": False}, {"ratio": 0.9, "ratio_both": True},
    ],
    ids=str,
)  # fmt: skip
def test_thresholds_are_found_again(scene: RenderedPair, options: dict[str, Any]) -> None:
    made = tp.match(
        scene.image0, scene.image1, extractor="orb", matcher=NearestNeighbour(**options), verify=False
    )
    mutual = mutual_flags(made.candidates, made.features0, made.features1)
    kept, _ = kept_of(made.candidates, made.matches)
    found = thresholds_of(made, mutual, kept)
    assert found.mutual == options.get("cross_check", True)
    assert (found.ratio is None) == ("ratio" not in options)
    assert (found.max_distance is None) == ("max_distance" not in options)
    assert found.whole == ("ratio_both" not in options)
    if options.get("ratio") in (0.8, 0.9) and found.whole:
        assert found.ratio == options["ratio"] or options["ratio"] == 0.9


def test_rows_hold_each_match_once() -> None:
    image = plain(100, 100)
    points = [[float(x), 10.0] for x in range(5)]
    made = judged_of(points, points, image, image, [True, False, True, True, False], guided=2)
    assert made.geometry is not None
    # The last two were won by guided matching: they are no candidates.
    made = replace(made, candidates=made.candidates[[3, 0, 1, 2]], matches=made.matches[[0, 1, 2]],
                   geometry=replace(made.geometry, matches=made.geometry.matches))  # fmt: skip
    rows = rows_of(made)
    assert rows.candidates == 4
    assert rows.kept.tolist() == [False, True, True, True, False]
    assert rows.judged.tolist() == [AGREES, AGREES, REJECTED, AGREES, REJECTED]
    assert rows.guided.tolist() == [True, False, False, False, True]
    xy = rows.column("xy0")
    assert xy is not None
    assert xy[:, 0].tolist() == [3, 0, 1, 2, 4]
    assert rows.column("score") is None


def test_rows_of_parts_that_know_different_things() -> None:
    image = plain(100, 100)
    made = result_of([[1, 1], [2, 2]], [[1, 1], [2, 2]], image, image, distance=[1, 2])
    bare = result_of([[2, 2], [9, 9]], [[2, 2], [9, 9]], image, image).matches
    rows = rows_of(replace(made, matches=bare))
    distance = rows.column("distance")
    assert distance is not None
    assert np.array_equal(distance, np.array([1, 2, np.nan], np.float32), equal_nan=True)
    assert rows.kept.tolist() == [False, True, True]


def test_the_name_of_a_page_ends_in_html(tmp_path: Path) -> None:
    image = plain(30, 20)
    made = result_of([[1, 1]], [[2, 2]], image, image)
    with pytest.raises(OptionError, match=r"page.pdf: a page is HTML; end the name with \.html or \.htm"):
        save_matches_view(tmp_path / "page.pdf", made)
    with pytest.raises(WriteError, match="cannot be written"):
        made.view(tmp_path / "none" / "page.html")
    assert made.view(tmp_path / "page.html").read_text().startswith("<!doctype html>")
    path = save_keypoints_view(tmp_path / "one.htm", image, features_at([[1, 1]], image))
    assert path.read_text().count('id="photo0"') == 1


def test_in_a_notebook_the_page_is_shut_in(scene: RenderedPair) -> None:
    html = tp.match(scene.image0, scene.image1, extractor="orb")._repr_html_()
    [frame] = Reader(html).named("iframe")
    assert frame["sandbox"] == "allow-scripts"
    inner = frame["srcdoc"] or ""
    assert '<html lang="en" class="embedded">' in inner
    assert "Content-Security-Policy" in inner
    assert len(html) < 700_000
    assert all(max(one.size) <= 640 for one in photos_in(inner))


def test_lines_of_python_are_of_one_method_whose_options_are_known(scene: RenderedPair) -> None:
    named = [replace(image, path=f"photos/{name}") for image, name in
             zip((scene.image0, scene.image1), ("a b.jpg", "\u202egpj.\udcff"), strict=True)]  # fmt: skip
    made = tp.match(*named, extractor="orb", matcher="nearest", max_keypoints=300, verify=False)
    text = "\n".join(result_lines(made))
    assert "max_keypoints=300" in text
    assert "opencv" not in text
    assert text.splitlines()[-1].startswith('result = tp.match("a b.jpg", ')
    assert r"\u202egpj.\udcff" in text
    assert "verify=False" in text
    ast.parse(text)
    strange = {**made.methods[0], "settings": {"max_keypoints": 5, "a b": 1}}
    for unknown in (
        replace(made, methods=()),
        replace(made, methods=(*made.methods, *made.methods)),
        replace(made, methods=(strange,)),
        replace(made, image0=replace(made.image0, path=None)),
    ):
        assert [line.partition(" ")[0] for line in result_lines(unknown)] == ["import", "#"]
    features = features_at([[1, 1]], named[0])
    assert features_lines(named[0], features)[1].startswith("# features is")  # no settings are known


@pytest.mark.parametrize("degrees", [-170, -45, 0, 20, 100])
def test_the_rotation_between_photos_is_measured(degrees: float) -> None:
    xy0 = np.random.default_rng(1).uniform(0, 100, (30, 2))
    turn = np.deg2rad(degrees)
    R = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    xy1 = 1.7 * xy0 @ R.T + (30, -20)
    assert rotation(xy0.astype(np.float32), xy1.astype(np.float32)) == pytest.approx(degrees, abs=0.01)
    mirror = xy0 * (-1, 1) + (100, 0)
    assert rotation(mirror.astype(np.float32), xy1.astype(np.float32), mirrored=True) == pytest.approx(
        degrees, abs=0.01
    )
    assert rotation(np.empty((0, 2), np.float32), np.empty((0, 2), np.float32)) == 0
