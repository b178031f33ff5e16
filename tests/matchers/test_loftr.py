"""LoFTR: positions, thresholds and limits, with a recorded answer, and with a network of seeded weights."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tiepoint as tp
from tests.networks.seeded import seeded, texture
from tiepoint import weights
from tiepoint.matchers import View, get_matcher
from tiepoint.matchers import loftr as loftr_module

torch = pytest.importorskip("torch")
pytest.importorskip("kornia")

# As the network gives them: pixels of the reduced photos, the origin at the corner of the first pixel.
RECORDED = {
    "keypoints0": [[16.0, 16.0], [40.0, 24.0], [80.0, 48.0]],
    "keypoints1": [[17.5, 15.0], [41.0, 26.5], [99.9, 59.9]],
    "confidence": [0.9, 0.15, 0.4],
}


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """A network that always gives the same; the list holds what it was given."""
    asked: list[dict[str, Any]] = []

    def network(data: dict[str, Any]) -> dict[str, Any]:
        asked.append(data)
        return {name: torch.tensor(values) for name, values in RECORDED.items()}

    stand_in = SimpleNamespace(missing=lambda: None, ready=lambda: network, weights="loftr-outdoor")
    monkeypatch.setattr(loftr_module, "_NETWORK", stand_in)
    return asked  # type: ignore[return-value]


def _none() -> Any:
    raise AssertionError("features were asked for")


def views(*shapes: tuple[int, int], value: int = 0) -> list[View]:
    return [View(image=tp.Image(pixels=np.full(shape, value, np.uint8)), features=_none) for shape in shapes]


def test_positions_are_those_of_the_photos(recorded: list[dict[str, Any]]) -> None:
    matched = get_matcher("loftr", max_size=100).match_with_candidates(*views((60, 100), (240, 400)))
    # The first photo is as it was, the second was reduced four times; the origin is now a pixel's centre.
    assert matched.candidates.xy0.tolist() == [[15.5, 15.5], [39.5, 23.5], [79.5, 47.5]]
    expected = np.array(RECORDED["keypoints1"]) * 4 - 0.5
    assert np.allclose(matched.candidates.xy1, np.minimum(expected, (399, 239)), atol=1e-4)
    assert matched.matches.score is not None
    assert np.allclose(matched.matches.score, [0.9, 0.4])
    assert matched.matches.funnel == (("loftr", 3), ("score", 2))
    assert matched.matches.pairs is None
    assert [tuple(recorded[0][f"image{i}"].shape) for i in (0, 1)] == [(1, 1, 60, 100), (1, 1, 60, 100)]


def test_photos_are_given_as_gray_from_0_to_1(recorded: list[dict[str, Any]]) -> None:
    get_matcher("loftr").match(*views((64, 96), (900, 600), value=51))
    for image in recorded[0].values():
        assert torch.allclose(image, torch.full_like(image, 0.2), atol=1e-5)
    assert tuple(recorded[0]["image1"].shape) == (1, 1, 840, 560)


@pytest.mark.usefixtures("recorded")
def test_a_small_photo_has_no_matches() -> None:
    matched = get_matcher("loftr").match_with_candidates(*views((39, 500), (300, 400)))
    assert len(matched.matches) == len(matched.candidates) == 0
    assert matched.matches.image_size0 == (500, 39)


@pytest.mark.usefixtures("recorded")
def test_features_alone_are_refused(scene: Any) -> None:
    features = tp.extract(scene.image0, "orb")
    with pytest.raises(tp.DataError, match="looks at the photos"):
        tp.match_features(features, features, "loftr")


@pytest.mark.usefixtures("recorded")
def test_photos_that_need_too_much_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tiepoint.matchers.loftr.physical_memory", lambda: 1 << 20)
    with pytest.raises(
        tp.DataError, match=r"GiB of memory for 300x200 and 300x200 pixels.*max_size, such as 21"
    ):
        get_matcher("loftr").match(*views((200, 300), (200, 300)))
    with pytest.raises(tp.OptionError, match="max_size"):
        get_matcher("loftr", max_size=4000)


@pytest.mark.usefixtures("recorded")
def test_match_needs_no_features() -> None:
    photo = texture(np.random.default_rng(5), 96, 128)
    result = tp.match(photo, photo, matcher="loftr")
    assert result.features0 is None
    assert result.features1 is None
    assert set(result.matches.source) == {"loftr"}
    [method] = result.methods
    assert (method["extractor"], method["settings"], method["matcher"]["name"]) == (None, {}, "loftr")
    assert result.verdict is not None
    assert result.verdict.probability is None  # nothing was fitted to its matches


def test_there_is_no_extractor_beside_it() -> None:
    photo = np.zeros((96, 128), np.uint8)
    for asked in ({"extractor": "sift"}, {"max_keypoints": 7}):
        with pytest.raises(tp.OptionError, match="leave the extractor and max_keypoints out"):
            tp.match(photo, photo, matcher="loftr", **asked)


def make_network() -> Any:
    return loftr_module._build()


def test_a_shifted_photo(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    # Random weights, too, give the same to the same place: most matches are shifted as the photo is.
    large = np.kron(rng.integers(0, 256, (9, 13)), np.ones((16, 16))).astype(np.uint8)
    pair = [
        tp.Image(pixels=np.ascontiguousarray(large[y : y + 123, x : x + 169])) for y, x in ((0, 0), (16, 24))
    ]
    seeded(monkeypatch, loftr_outdoor=make_network)
    monkeypatch.setattr(loftr_module._NETWORK.ready().coarse_matching, "thr", 0.0)
    view0, view1 = (View(image=image, features=_none) for image in pair)
    candidates, matches = get_matcher("loftr").match_with_candidates(view0, view1)
    assert len(candidates) >= len(matches)
    assert (candidates.xy0 % 8 == 7.5).all()
    moved = np.median(candidates.xy1 - candidates.xy0, axis=0)
    assert np.allclose(moved, (-24, -16), atol=8)


def test_weights_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    # As the authors publish them: under "state_dict", each name with "matcher." before it.
    monkeypatch.setenv("TIEPOINT_WEIGHTS", str(tmp_path / "cache"))
    path = tmp_path / "outdoor.ckpt"
    state = make_network().state_dict()
    torch.save({"state_dict": {f"matcher.{name}": value for name, value in state.items()}}, path)
    assert (get_matcher("loftr").missing() or "").startswith("tiepoint weights import")
    weights.import_file(path, "loftr-outdoor", sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    assert get_matcher("loftr").missing() is None
    photo = tp.Image(pixels=texture(rng, 48, 64))
    get_matcher("loftr").match(*(View(image=photo, features=_none) for _ in range(2)))


def test_published_weights_find_the_truth(scene: Any, weights_of: Callable[..., None]) -> None:
    if weights.path_of("loftr-outdoor") is None:
        pytest.skip("nobody has published a checksum of the weights: they are imported by hand")
    weights_of("loftr-outdoor")
    result = tp.match(scene.image0, scene.image1, matcher="loftr")
    assert result.geometry is not None
    assert np.count_nonzero(result.geometry.inliers) > 0.8 * len(result.matches) > 100
