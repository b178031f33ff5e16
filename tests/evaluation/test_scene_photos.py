"""The rendered photos: repeatable, in two lights, and good to try a pipeline on."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tiepoint.errors import DataError
from tiepoint.evaluation import RenderedPair, render_demo
from tiepoint.evaluation.scene import demo


@pytest.fixture(scope="module")
def full_size() -> RenderedPair:
    return render_demo()


def test_the_default_size(full_size: RenderedPair) -> None:
    assert repr(full_size) == "RenderedPair(Image(800x600 RGB uint8), Image(800x600 RGB uint8))"
    for image, depth in ((full_size.image0, full_size.depth0), (full_size.image1, full_size.depth1)):
        assert image.size == (800, 600)
        assert image.pixels.shape == (600, 800, 3)
        assert image.pixels.dtype == np.uint8
        assert image.path is None
        assert depth.shape == (600, 800)
        assert depth.dtype == np.float64


def test_the_same_seed_gives_the_same_bytes() -> None:
    first = render_demo(width=96, height=64, seed=3)
    again = demo._render_demo.__wrapped__(96, 64, 3)  # past the cache
    assert again is not first
    assert again.image0.pixels.tobytes() == first.image0.pixels.tobytes()
    assert again.image1.pixels.tobytes() == first.image1.pixels.tobytes()
    assert again.depth1.tobytes() == first.depth1.tobytes()


def test_another_seed_gives_another_pair() -> None:
    one, other = render_demo(width=96, height=64, seed=3), render_demo(width=96, height=64, seed=4)
    assert (one.image0.pixels != other.image0.pixels).mean() > 0.3


def test_nobody_writes_into_a_pair_that_others_may_hold(scene: RenderedPair) -> None:
    for array in (scene.image0.pixels, scene.depth0, scene.depth1, scene.K0, scene.K1,
                  *scene.cam0_from_world, *scene.cam1_from_world):  # fmt: skip
        assert not array.flags.writeable


def test_the_light_is_that_of_another_time_of_day(scene: RenderedPair) -> None:
    morning, evening = scene.image0.pixels, scene.image1.pixels
    assert abs(float(morning.mean()) - float(evening.mean())) > 3
    wall0, wall1 = (
        image[np.isfinite(depth)].mean(axis=0)
        for image, depth in ((morning, scene.depth0), (evening, scene.depth1))
    )
    assert wall1[0] / wall1[2] > 1.15 * wall0[0] / wall0[2], "the evening is warmer"


def test_the_views_are_of_different_places(scene: RenderedPair) -> None:
    centres = [-r.T @ t for r, t in (scene.cam0_from_world, scene.cam1_from_world)]
    angle = np.diff([np.degrees(np.arctan2(c[0], -c[1])) for c in centres])[0]
    assert 12 < abs(angle) < 25
    assert scene.K0[0, 0] != scene.K1[0, 0]
    roll = [np.degrees(np.arcsin(r[0, 2])) for r, _ in (scene.cam0_from_world, scene.cam1_from_world)]
    assert abs(roll[0]) < 1e-9
    assert 1 < abs(roll[1]) < 3


@pytest.mark.parametrize("size", [(320, 240), (200, 333), (32, 32)])
def test_other_sizes(size: tuple[int, int]) -> None:
    width, height = size
    pair = render_demo(width=width, height=height)
    assert pair.image0.size == pair.image1.size == size
    assert pair.depth0.shape == pair.depth1.shape == (height, width)
    for depth in (pair.depth0, pair.depth1):
        assert 0.1 < np.isinf(depth).mean() < 0.8
        assert depth.min() > 5
    np.testing.assert_allclose(pair.K0[:2, 2], [(width - 1) / 2, (height - 1) / 2])
    xy1, visible = pair.transfer([[0.45 * width, 0.6 * height]])
    assert visible.all()
    assert (xy1 > 0).all()


@pytest.mark.parametrize("value", [0, -1, 31, 4097, 320.0, True, "320", None, float("nan")])
@pytest.mark.parametrize("name", ["width", "height"])
def test_bad_sizes_are_refused(name: str, value: object) -> None:
    with pytest.raises(DataError, match=f"{name} must be an integer from 32 to 4096, not"):
        render_demo(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [-1, 0.5, None])
def test_bad_seeds_are_refused(seed: object) -> None:
    with pytest.raises(DataError, match="seed must be an integer, 0 or more"):
        render_demo(width=32, height=32, seed=seed)  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["sift", "orb"])
def test_filtering_is_worth_it(full_size: RenderedPair, method: str) -> None:
    """What the tutorial teaches shows on this pair: mutual neighbours are half wrong, distinct ones not.

    The bounds leave room for what other builds and versions of OpenCV find; OpenCV 5.0 on x86-64
    gave 55 % and 89 % for SIFT, 63 % and 88 % for ORB.
    """
    sift = method == "sift"
    extractor: cv2.Feature2D = cv2.SIFT.create() if sift else cv2.ORB.create(2000)
    norm = cv2.NORM_L2 if sift else cv2.NORM_HAMMING
    keypoints0, descriptors0 = extractor.detectAndCompute(full_size.image0.gray, None)
    keypoints1, descriptors1 = extractor.detectAndCompute(full_size.image1.gray, None)
    nearest = cv2.BFMatcher(norm).knnMatch(descriptors0, descriptors1, k=2)
    mutual = {m.queryIdx: m for m in cv2.BFMatcher(norm, crossCheck=True).match(descriptors0, descriptors1)}
    pairs = np.array([(m.queryIdx, m.trainIdx) for m in mutual.values()])
    distinct = {m.queryIdx for m, second in nearest if m.distance < 0.8 * second.distance}
    passed = np.array([q in distinct for q in mutual])
    right = full_size.correct(
        np.array([k.pt for k in keypoints0])[pairs[:, 0]], np.array([k.pt for k in keypoints1])[pairs[:, 1]]
    )
    assert len(pairs) > 500
    assert 0.3 < right.mean() < 0.75
    assert right[passed].sum() > 200
    assert right[passed].mean() > 0.8
