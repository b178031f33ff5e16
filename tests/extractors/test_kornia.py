"""ALIKED and DISK against kornia's own way to keypoints, with seeded weights; odd photos and masks."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import tiepoint as tp
from tests.networks.seeded import seeded, texture
from tiepoint.extractors import get_extractor

torch = pytest.importorskip("torch")
pytest.importorskip("kornia")

NAMES = ["aliked", "disk"]


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Kornia's networks with the weights that the extractors get."""
    from kornia.feature import DISK
    from kornia.feature.aliked import ALIKED

    def small() -> Any:
        return ALIKED("aliked-t16")

    return seeded(monkeypatch, aliked_n16=ALIKED, aliked_t16=small, disk=DISK)


@pytest.fixture
def photo(rng: np.random.Generator) -> tp.Image:
    return tp.Image(pixels=texture(rng, 83, 110))


def as_tensor(photo: tp.Image) -> Any:
    return torch.from_numpy(np.array(photo.pixels).transpose(2, 0, 1)[None]).float() / 255


def in_rows(xy: np.ndarray[Any, Any], *others: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    order = np.lexsort(np.round(xy, 2).T)
    return [values[order] for values in (xy, *others)]


@pytest.mark.parametrize("model", ["n16", "t16"])
def test_aliked_is_kornias(modules: dict[str, Any], photo: tp.Image, model: str) -> None:
    features = tp.extract(photo, "aliked", model=model, max_keypoints=None)
    with torch.inference_mode():
        reference = modules[f"aliked-{model}"](as_tensor(photo))[0]
    assert len(features) == reference.n > 50
    ours = in_rows(features.xy, features.descriptors)
    theirs = in_rows(reference.keypoints.numpy(), reference.descriptors.numpy())
    assert np.allclose(ours[0], theirs[0], atol=1e-4)
    assert np.allclose(ours[1], theirs[1], atol=1e-4)


def test_disk_is_kornias(modules: dict[str, Any], photo: tp.Image) -> None:
    features = tp.extract(photo, "disk", max_keypoints=None)
    with torch.inference_mode():
        reference = modules["disk"](as_tensor(photo), pad_if_not_divisible=True)[0]
    assert len(features) == len(reference.keypoints) > 50
    assert features.score is not None
    ours = in_rows(features.xy, features.descriptors, features.score)
    theirs = in_rows(
        reference.keypoints.numpy(), reference.descriptors.numpy(), reference.detection_scores.numpy()
    )
    for mine, other in zip(ours, theirs, strict=True):
        assert np.allclose(mine, other, atol=1e-5)


def test_maxima_against_plain_loops(rng: np.random.Generator) -> None:
    from tiepoint.extractors.kornia.peaks import between_pixels, local_maxima

    scores = rng.integers(0, 40, (30, 41)).astype(np.float32) / 40  # with ties
    radius, threshold = 2, 0.3
    expected = []
    for y in range(radius, 30 - radius):
        for x in range(radius, 41 - radius):
            window = scores[y - radius : y + radius + 1, x - radius : x + radius + 1]
            if scores[y, x] > threshold and np.count_nonzero(window >= scores[y, x]) == 1:
                weight = np.exp(window.astype(np.float64) / 0.1)
                steps = np.arange(-radius, radius + 1)
                expected.append(
                    (
                        x,
                        y,
                        x + (weight * steps).sum() / weight.sum(),
                        y + (weight.T * steps).sum() / weight.sum(),
                    )
                )
    xy, strength = local_maxima(torch.from_numpy(scores), radius, threshold)
    assert len(expected) > 3
    assert xy.tolist() == [[x, y] for x, y, _, _ in expected]
    assert strength.tolist() == [scores[y, x] for x, y, _, _ in expected]
    moved = between_pixels(torch.from_numpy(scores), xy, radius)
    assert np.allclose(moved.numpy(), [place[2:] for place in expected], atol=1e-5)


@pytest.mark.usefixtures("modules")
@pytest.mark.parametrize("name", NAMES)
def test_features_keep_their_promises(photo: tp.Image, name: str) -> None:
    features = tp.extract(photo, name, max_keypoints=40)
    assert len(features) == 40
    assert features.angle is None
    assert features.score is not None
    assert (np.diff(features.score) <= 0).all()
    assert features.descriptors.dtype == np.float32
    assert np.allclose(np.linalg.norm(features.descriptors, axis=1), 1, atol=1e-5)
    assert set(features.size.tolist()) == {32.0 if name == "aliked" else 16.0}
    assert features.settings["weights"]["licence"]
    assert "torch" in features.settings["version"]
    assert json.loads(json.dumps(dict(features.settings)))["max_keypoints"] == 40
    again = tp.extract(photo, name, max_keypoints=40)
    assert np.array_equal(again.descriptors, features.descriptors)
    fewer = tp.extract(photo, name, max_keypoints=15)
    assert np.array_equal(fewer.xy, features.strongest(15).xy)


@pytest.mark.usefixtures("modules")
@pytest.mark.parametrize("name", NAMES)
def test_a_reduced_photo_gives_positions_in_the_photo(rng: np.random.Generator, name: str) -> None:
    small = texture(rng, 64, 80)
    large = small.repeat(3, 0).repeat(3, 1)  # whose mean over 3x3 pixels is the small one
    expected = tp.extract(small, name)
    features = tp.extract(large, name, max_size=80)
    assert len(features) == len(expected) > 20
    assert np.allclose(features.xy, expected.xy * 3 + 1, atol=1e-3)
    assert np.allclose(features.size, expected.size * 3)
    assert np.allclose(features.descriptors, expected.descriptors, atol=1e-5)
    assert features.image_size == (240, 192)


@pytest.mark.usefixtures("modules")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("max_size", [None, 60])
def test_a_mask_is_honoured(photo: tp.Image, name: str, max_size: int | None) -> None:
    mask = np.zeros((photo.height, photo.width), bool)
    mask[10:60, 30:77] = True
    extractor = get_extractor(name, max_keypoints=None, max_size=max_size)
    everywhere, there = extractor.extract(photo), extractor.extract(photo, mask)
    columns, rows = np.rint(everywhere.xy).astype(int).T
    expected = everywhere[mask[rows, columns]]
    assert 0 < len(there) < len(everywhere)
    assert np.array_equal(there.xy, expected.xy)
    assert np.array_equal(there.descriptors, expected.descriptors)
    assert len(extractor.extract(photo, np.zeros_like(mask))) == 0
    with pytest.raises(tp.DataError, match="mask"):
        extractor.extract(photo, mask[:-1])


@pytest.mark.usefixtures("modules")
@pytest.mark.parametrize("name", NAMES)
def test_gray_and_16_bit_photos(rng: np.random.Generator, name: str) -> None:
    gray = texture(rng, 64, 64)[..., 0]
    features = tp.extract(gray, name)
    assert np.array_equal(features.xy, tp.extract(np.dstack([gray] * 3), name).xy)
    wide = tp.Image(pixels=gray.astype(np.uint16) * 11 + 300)
    assert np.array_equal(tp.extract(wide, name).xy, tp.extract(wide.pixels8, name).xy)


@pytest.mark.usefixtures("modules")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(1, 1), (31, 200), (16, 5000), (100, 120, 3)])
def test_nothing_to_find_is_empty(name: str, shape: tuple[int, ...]) -> None:
    colour = (200, 20, 90) if len(shape) == 3 else 90
    features = tp.extract(np.full(shape, colour, np.uint8), name)
    assert len(features) == 0
    assert features.descriptors.shape == (0, 128)
    assert features.image_size == (shape[1], shape[0])


@pytest.mark.usefixtures("modules")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(32, 32), (33, 61), (40, 1500)])
def test_odd_sizes(rng: np.random.Generator, name: str, shape: tuple[int, int]) -> None:
    features = tp.extract(texture(rng, *shape), name, max_size=None)
    assert len(features) > 0
    assert (features.xy >= 0).all()
    assert (features.xy <= np.array(features.image_size) - 1).all()


@pytest.mark.usefixtures("modules")
def test_no_score_above_the_threshold_is_empty(photo: tp.Image) -> None:
    assert len(tp.extract(photo, "aliked", detection_threshold=1)) == 0


@pytest.mark.usefixtures("modules")
def test_spread_covers_more_of_the_photo(rng: np.random.Generator) -> None:
    pixels = texture(rng, 120, 160)
    pixels[:, 80:] = pixels[:, 80:] // 8 + 100  # the right half is dull
    plain, spread = (
        tp.extract(pixels, "aliked", max_keypoints=30, spread=choice) for choice in (False, True)
    )
    assert len(plain) == len(spread) == 30

    def nearest(features: tp.Features) -> float:
        distance = np.linalg.norm(features.xy[:, None] - features.xy, axis=2)
        np.fill_diagonal(distance, np.inf)
        return float(distance.min(axis=1).mean())

    assert nearest(spread) > nearest(plain)


@pytest.mark.usefixtures("modules")
@pytest.mark.parametrize("name", NAMES)
def test_a_photo_that_needs_too_much_memory_is_refused(
    photo: tp.Image, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tiepoint.extractors.memory.physical_memory", lambda: 1 << 20)
    with pytest.raises(tp.DataError, match=rf"{name} .* GiB .* max_size=\d+"):
        tp.extract(photo, name)


def test_other_weights_are_asked_for_by_name(monkeypatch: pytest.MonkeyPatch, photo: tp.Image) -> None:
    from kornia.feature.aliked import ALIKED

    seeded(monkeypatch, aliked_n16=ALIKED)
    with pytest.raises(tp.MissingError, match=r"aliked needs .*fetch it"):
        tp.extract(photo, "aliked", model="n32")
