"""Every extractor that the installed OpenCV has; CI runs this file on OpenCV 4, 5 and their contrib."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import tiepoint as tp
from tiepoint.evaluation import RenderedPair
from tiepoint.extractors import EXTRACTORS, Extractor, get_extractor
from tiepoint.extractors.opencv import backend
from tiepoint.extractors.opencv.base import Detector, OpenCvExtractor
from tiepoint.extractors.opencv.described import Beblid, DescribedExtractor
from tiepoint.extractors.opencv.kaze import Akaze, Brisk
from tiepoint.extractors.opencv.orb import Orb
from tiepoint.extractors.opencv.sift import RootSift, Sift, in_bytes, root_sift
from tiepoint.formats import load_npz, save_npz
from tiepoint.options import OptionFact

OPENCV = [name for name in EXTRACTORS.names() if issubclass(EXTRACTORS.load(name), OpenCvExtractor)]
HERE = [name for name in OPENCV if EXTRACTORS.load(name).missing() is None]
AWAY = [name for name in OPENCV if name not in HERE]


def test_the_plain_wheel_has_the_classics() -> None:
    assert {"orb", "sift", "rootsift"} <= set(HERE)


@pytest.mark.parametrize("name", HERE)
def test_features_of_a_photo(name: str, scene: RenderedPair) -> None:
    features = tp.extract(scene.image0, name)
    assert len(features) > 50
    assert features.extractor == name
    assert features.image_size == (400, 300)
    assert features.settings["version"] == f"opencv {cv2.__version__}"
    assert features.settings["max_keypoints"] == 4096
    assert features.angle is not None
    assert features.angle.min() >= 0
    assert features.angle.max() < 360
    assert features.score is not None


@pytest.mark.parametrize("name", HERE)
def test_the_number_of_keypoints(name: str, scene: RenderedPair) -> None:
    everything = tp.extract(scene.image0, name, max_keypoints=None)
    some = tp.extract(scene.image0, name, max_keypoints=40)
    # OpenCV's SIFT and ORB keep those that tie with the last; the others are cut to the number.
    assert 30 <= len(some) <= 45
    assert len(everything) >= len(some)


def test_upright_sift_still_gives_as_many_as_asked_for(scene: RenderedPair) -> None:
    assert len(tp.extract(scene.image0, "sift", upright=True, max_keypoints=300)) == 300


def test_a_masked_sift_still_gives_as_many_as_asked_for(scene: RenderedPair) -> None:
    mask = np.zeros((300, 400), np.uint8)
    mask[150:] = 1
    assert len(tp.extract(scene.image0, "sift", mask=mask, max_keypoints=100)) == 100


def test_masks_of_all_kinds(scene: RenderedPair) -> None:
    look = np.zeros((300, 400), bool)
    look[:, 200:] = True
    expected = tp.extract(scene.image0, "orb", mask=look).xy.tolist()
    for mask in (
        look.astype(np.uint8),
        look.astype(np.int64) * 7,
        tp.Image(pixels=look.astype(np.uint16) * 65535),  # all white would be black after a stretch to 8 bits
        tp.Image(pixels=np.repeat(look[..., None], 3, axis=2).astype(np.uint8) * 255),
    ):
        assert tp.extract(scene.image0, "orb", mask=mask).xy.tolist() == expected
    white = tp.Image(pixels=np.full((300, 400), 65535, np.uint16))
    assert len(tp.extract(scene.image0, "orb", mask=white)) == len(tp.extract(scene.image0, "orb"))


@pytest.mark.parametrize("name", [name for name in HERE if name != "brisk"])
def test_upright_leaves_the_orientation_out(name: str, scene: RenderedPair) -> None:
    upright = tp.extract(scene.image0, name, upright=True)
    assert upright.angle is None
    assert len(upright) > 50
    turned = np.ascontiguousarray(np.rot90(np.asarray(scene.image0)))
    matches = tp.match_features(upright, tp.extract(turned, name, upright=True), ratio=0.8)
    free = tp.match_features(tp.extract(scene.image0, name), tp.extract(turned, name), ratio=0.8)
    expected = np.column_stack([matches.xy0[:, 1], 399 - matches.xy0[:, 0]])
    expected_free = np.column_stack([free.xy0[:, 1], 399 - free.xy0[:, 0]])
    right = (np.abs(expected - matches.xy1).max(axis=1) < 3).sum()
    right_free = (np.abs(expected_free - free.xy1).max(axis=1) < 3).sum()
    assert right_free > 2 * right


def test_max_size_loses_no_half_pixel(scene: RenderedPair) -> None:
    small = tp.extract(scene.image0, "sift", max_size=200)
    matches = tp.match_features(small, tp.extract(scene.image0, "sift"), ratio=0.8)
    assert len(matches) > 50
    # Leaving out either half pixel of the mapping moves all points by half a pixel.
    assert np.abs(np.median(matches.xy1 - matches.xy0, axis=0)).max() < 0.1


@pytest.mark.parametrize("name", AWAY)
def test_what_is_missing_says_how_to_get_it(name: str, scene: RenderedPair) -> None:
    extractor = EXTRACTORS.load(name)
    with pytest.raises(tp.MissingError) as error:
        tp.extract(scene.image0, name)
    assert f"has no {name}; get it with: pip uninstall -y opencv-python-headless" in str(error.value)
    assert extractor.missing() in str(error.value)  # type: ignore[operator]


def test_no_opencv_at_all_is_told(monkeypatch: pytest.MonkeyPatch, scene: RenderedPair) -> None:
    monkeypatch.setattr(backend, "find_spec", lambda _: None)
    with pytest.raises(
        tp.MissingError, match=r"has no sift; get it with: pip install opencv-python-headless"
    ):
        tp.extract(scene.image0, "sift")


def test_too_large_a_photo_is_refused_before_the_machine_dies(
    monkeypatch: pytest.MonkeyPatch, scene: RenderedPair
) -> None:
    monkeypatch.setattr("tiepoint.extractors.memory.physical_memory", lambda: 10 << 20)
    with pytest.raises(
        tp.DataError, match=r"sift with these options needs about 0\.0 GiB of memory for 400x300 pixels"
    ) as error:
        tp.extract(scene.image0, "sift")
    advice = int(str(error.value).rpartition("max_size=")[2])
    assert len(tp.extract(scene.image0, "sift", max_size=advice)) > 0


@pytest.mark.parametrize(
    ("name", "options", "factor"),
    [
        ("orb", {"first_level": 6, "scale_factor": 2}, 2**11),
        ("orb", {"edge_threshold": 10_000}, 2000),
        ("sift", {"octave_layers": 20}, 4),
    ],
)
def test_the_memory_that_is_asked_for_follows_the_options(
    name: str, options: dict[str, Any], factor: float
) -> None:
    def needed(**options: Any) -> float:
        extractor = get_extractor(name, **options)
        assert isinstance(extractor, OpenCvExtractor)
        return extractor._bytes_needed(400, 300)

    assert needed(**options) > factor * needed()


def test_levels_that_shrink_the_photo_to_nothing_are_refused(scene: RenderedPair) -> None:
    with pytest.raises(tp.DataError, match=r"to nothing; take levels=32 or fewer"):
        tp.extract(scene.image0, "orb", levels=64)
    assert len(tp.extract(scene.image0, "orb", levels=32)) > 0


def test_failures_of_opencv_are_one_sentence() -> None:
    with (
        pytest.raises(
            tp.DataError, match="sift with these options failed on a photo of 4x3 pixels: OpenCV says"
        ),
        backend.failures_in_words("sift", (4, 3)),
    ):
        cv2.cvtColor(np.zeros((3, 4), np.uint8), cv2.COLOR_BGR2GRAY)
    with (
        pytest.raises(tp.DataError, match=r"ran out of memory .* max_size"),
        backend.failures_in_words("sift", (4, 3)),
    ):
        raise MemoryError


def test_sift_descriptors_are_kept_without_loss(scene: RenderedPair) -> None:
    opencv: Any = cv2
    as_float = opencv.SIFT_create(4096, enable_precise_upscale=True)
    _, descriptors = as_float.detectAndCompute(scene.image0.gray, None)
    features = tp.extract(scene.image0, "sift")
    assert np.array_equal(features.descriptors.astype(np.float32), descriptors)


def test_sift_positions_are_unbiased() -> None:
    """A blob at a known place; OpenCV's default finds it a quarter of a pixel off."""
    y, x = np.mgrid[:101, :121]
    centre = (60.3, 50.6)
    blob = 200 * np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (2 * 4.0**2)) + 20
    photo = tp.Image(pixels=np.rint(blob).astype(np.uint8))

    def error(**options: Any) -> float:
        features = tp.extract(photo, "sift", **options)
        offsets = features.xy - np.array(centre, np.float32)
        return float(np.linalg.norm(offsets, axis=1).min())

    assert error() < 0.08
    assert error(precise_upscale=False) > 0.25


def test_rootsift_is_colmaps_scaling(scene: RenderedPair) -> None:
    sift = tp.extract(scene.image0, "sift").descriptors
    root = tp.extract(scene.image0, "rootsift").descriptors
    slow = np.array(
        [[min(255, round(512 * (int(v) / sum(map(int, row))) ** 0.5)) for v in row] for row in sift]
    )
    assert root.dtype == np.uint8
    assert np.array_equal(root, slow)
    norms = np.linalg.norm(root.astype(float), axis=1)
    assert np.abs(norms - 512).max() < 8


def test_rootsift_need_not_be_rounded(scene: RenderedPair) -> None:
    sift = tp.extract(scene.image0, "sift")
    root = tp.extract(scene.image0, "rootsift", quantise=False)
    assert np.array_equal(root.xy, sift.xy)
    assert root.settings["quantise"] is False
    values = sift.descriptors.astype(float)
    assert root.descriptors.dtype == np.float32
    assert root.descriptors == pytest.approx(np.sqrt(values / values.sum(axis=1, keepdims=True)), rel=1e-6)
    assert np.linalg.norm(root.descriptors, axis=1) == pytest.approx(1, rel=1e-6)
    rounded = tp.extract(scene.image0, "rootsift")
    assert np.array_equal(in_bytes(root.descriptors), rounded.descriptors)


def test_rounding_rootsift_hardly_changes_the_matches(scene: RenderedPair) -> None:
    found = []
    for quantise in (True, False):
        features0 = tp.extract(scene.image0, "rootsift", quantise=quantise)
        features1 = tp.extract(scene.image1, "rootsift", quantise=quantise)
        pairs = tp.match_features(features0, features1, ratio=0.8).pairs
        assert pairs is not None
        found.append(set(map(tuple, pairs.tolist())))
    rounded, exact = found
    assert len(rounded & exact) > 0.95 * len(rounded | exact)


def test_rounded_and_exact_rootsift_are_not_compared(scene: RenderedPair) -> None:
    rounded = tp.extract(scene.image0, "rootsift")
    exact = tp.extract(scene.image1, "rootsift", quantise=False)
    with pytest.raises(tp.DataError, match="uint8 cannot be compared with descriptors of 128 x float32"):
        tp.match_features(rounded, exact)


@pytest.mark.parametrize("shape", [(120, 160), (7, 9)])
@pytest.mark.parametrize("quantise", [True, False])
def test_rootsift_of_nothing(quantise: bool, shape: tuple[int, int]) -> None:
    flat = tp.Image(pixels=np.full(shape, 128, np.uint8))
    nothing = tp.extract(flat, "rootsift", quantise=quantise).descriptors
    assert nothing.shape == (0, 128)
    assert nothing.dtype == (np.uint8 if quantise else np.float32)
    assert in_bytes(root_sift(np.zeros((1, 128), np.uint8))).max() == 0


@pytest.mark.parametrize("quantise", [True, False])
def test_rootsift_is_kept_in_files_as_it_is(quantise: bool, scene: RenderedPair, tmp_path: Path) -> None:
    features = tp.extract(scene.image0, "rootsift", quantise=quantise)
    again = load_npz(save_npz(tmp_path / "f.npz", features))
    assert again.descriptors.dtype == features.descriptors.dtype
    assert np.array_equal(again.descriptors, features.descriptors)
    assert again.settings == features.settings


def changed(fact: OptionFact) -> Any:
    """Return another value than the default, within every range."""
    if isinstance(fact.default, bool):
        return not fact.default
    if isinstance(fact.default, int) and "|" not in fact.type:
        return fact.default + 1
    if isinstance(fact.default, float):
        return fact.default * 1.5
    if fact.default is None:
        return 2.0
    return next(
        choice
        for kind in (str, int)
        for choice in map(kind, fact.type.split(" | "))
        if choice != fact.default
    )


# Those that are applied around OpenCV, and tested above.
AROUND = {"max_keypoints", "max_size", "spread", "upright", "detector"}


@pytest.mark.parametrize("name", HERE)
def test_every_option_reaches_opencv(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "create", lambda *words, **options: (words, options))
    extractor = EXTRACTORS.load(name)
    assert issubclass(extractor, OpenCvExtractor)
    plain = extractor()._create(None)
    for fact in extractor.facts():
        if fact.name not in AROUND:
            value = changed(fact)
            if isinstance(fact.default, int) and not isinstance(fact.default, bool):
                value = int(value)
            assert extractor.build({fact.name: value})._create(None) != plain, fact.name


def test_options_change_what_is_found(scene: RenderedPair) -> None:
    one_level = tp.extract(scene.image0, "orb", levels=1)
    assert np.unique(one_level.size).tolist() == [31]
    with pytest.raises(tp.OptionError, match="Sift has no option 'contrast'"):
        tp.extract(scene.image0, "sift", contrast=0.1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_keypoints": 10**7}, "max_keypoints must be at most 1000000"),
        ({"max_keypoints": 10**400}, "max_keypoints must be at most 2147483647"),
        ({"first_level": 17}, "first_level must be at most 16"),
        ({"first_level": 8}, "first_level=8 must be one of the 8 levels"),
        ({"scale_factor": 10**400}, "scale_factor must be number"),
        ({"rank_by": "haris"}, "did you mean 'harris'"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(tp.OptionError) as error:
        Orb.build(options)
    assert words in str(error.value)
    assert len(str(error.value)) < 200


def test_extract_takes_arrays_and_paths(scene: RenderedPair, photo_files: Any) -> None:
    from_path = tp.extract(photo_files[0], "orb")
    from_array = tp.extract(np.asarray(scene.image0), "orb")
    assert np.array_equal(from_path.xy, from_array.xy)


@pytest.mark.skipif(
    "beblid" not in HERE, reason="needs opencv-contrib; .ci/run tests it in an environment of its own"
)
class TestDescribed:
    def test_another_detector_by_name_and_by_object(self, scene: RenderedPair) -> None:
        on_sift = Beblid(detector="sift").extract(scene.image0)
        sift = tp.extract(scene.image0, "sift")
        assert {tuple(p) for p in on_sift.xy.tolist()} <= {tuple(p) for p in sift.xy.tolist()}
        few = Beblid(detector=Sift(contrast_threshold=0.1)).extract(scene.image0)
        assert 0 < len(few) < len(on_sift)
        assert few.settings["detector"]["name"] == "sift"
        assert few.settings["detector"]["contrast_threshold"] == 0.1

    @pytest.mark.parametrize("detector", [Sift, RootSift, Akaze, Brisk, Orb])
    def test_a_detectors_own_options_hold(self, detector: type[Detector], scene: RenderedPair) -> None:
        own = detector(max_keypoints=60, spread=True).extract(scene.image0)
        described = Beblid(detector=detector(max_keypoints=60, spread=True)).extract(scene.image0)
        assert 40 < len(described) <= 60
        assert {tuple(p) for p in described.xy.tolist()} <= {tuple(p) for p in own.xy.tolist()}

    def test_a_detector_that_cannot_be_is_refused(self) -> None:
        with pytest.raises(tp.OptionError, match=r"detector must be orb \| sift"):
            Beblid(detector=Beblid())  # type: ignore[arg-type]
        with pytest.raises(tp.OptionError, match="give it to Beblid itself"):
            Beblid(detector=Sift(max_size=200))
        with pytest.raises(tp.OptionError, match="did you mean 'sift'"):
            Beblid(detector="sfit")  # type: ignore[arg-type]

    def test_the_window_follows_the_detector(self) -> None:
        assert Beblid()._window() == 1.0
        assert Beblid(detector="sift")._window() == 6.75
        assert Beblid(detector=RootSift())._window() == 6.75
        assert Beblid(detector="sift", window_scale=5)._window() == 5

    @pytest.mark.parametrize("detector", ["orb", "sift", "akaze", "kaze", "brisk"])
    @pytest.mark.parametrize("name", [n for n in HERE if issubclass(EXTRACTORS.load(n), DescribedExtractor)])
    def test_each_stands_on_each(self, name: str, detector: str, scene: RenderedPair) -> None:
        assert len(tp.extract(scene.image0, name, detector=detector, max_keypoints=300)) > 50

    def test_descriptor_lengths(self, scene: RenderedPair) -> None:
        def width(name: str, **options: Any) -> int:
            return int(tp.extract(scene.image0, name, max_keypoints=50, **options).descriptors.shape[1])

        assert [width("beblid", bits=bits) for bits in (256, 512)] == [32, 64]
        assert [width("teblid", bits=bits) for bits in (256, 512)] == [32, 64]
        assert [width("vgg", length=n) for n in (48, 64, 80, 120)] == [48, 64, 80, 120]
        assert [width("boostdesc", bits=bits) for bits in (64, 128, 256)] == [8, 16, 32]
        assert [width("latch", length=n) for n in (1, 32, 64)] == [1, 32, 64]
        assert width("kaze", extended=True) == 128


def test_every_extractor_says_what_it_is() -> None:
    for name in EXTRACTORS.names():
        extractor: type[Extractor] = EXTRACTORS.load(name)
        assert extractor.name == name
        assert extractor.summary
        assert extractor.source
        assert all(fact.doc for fact in extractor.facts())
    assert Orb() == Orb()
    assert hash(Orb()) == hash(Orb())
