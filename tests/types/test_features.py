from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import tiepoint as tp


def features(n: int = 5, **changes: Any) -> tp.Features:
    values: dict[str, Any] = {
        "xy": np.arange(2 * n, dtype=np.float32).reshape(n, 2),
        "size": np.full(n, 3, np.float32),
        "angle": np.zeros(n, np.float32),
        "score": np.arange(n, dtype=np.float32) % 3,
        "descriptors": np.arange(n * 4, dtype=np.uint8).reshape(n, 4),
        "metric": "hamming",
        "image_size": (64, 48),
        "extractor": "orb",
        "settings": {"levels": 8, "version": "x"},
    }
    return tp.Features(**{**values, **changes})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"xy": np.zeros((5, 2))}, "xy must be (N, 2) float32, not (5, 2) float64"),
        ({"xy": np.zeros((5, 3), np.float32)}, "xy must be (N, 2) float32, not (5, 3) float32"),
        ({"xy": [[1, 2]]}, "xy must be a NumPy array (N, 2) float32, not list"),
        ({"size": np.zeros(4, np.float32)}, "size must be (5,) float32, not (4,) float32"),
        ({"size": np.full(5, -1, np.float32)}, "size is a diameter"),
        ({"angle": np.full(5, np.nan, np.float32)}, "angle must be finite"),
        ({"score": np.full(5, np.inf, np.float32)}, "score must be finite"),
        ({"xy": np.full((5, 2), 200, np.float32)}, "xy must lie on the photo of 64x48 pixels"),
        ({"descriptors": np.zeros((5, 4), np.float32)}, "descriptors must be (5, N) uint8"),
        ({"descriptors": np.full((5, 4), np.nan, np.float32), "metric": "l2"}, "descriptors must be finite"),
        ({"metric": "euclid"}, "metric must be one of hamming, l2, cosine"),
        ({"image_size": (0, 48)}, "image_size must be (width, height)"),
        ({"image_size": 48}, "image_size must be (width, height)"),
        (
            {"image_size": (float("inf"), 3)},
            "image_size must be (width, height) in whole pixels, not (inf, 3)",
        ),
        ({"image_size": (64.0, 48)}, "image_size must be (width, height)"),
        ({"image_size": (True, 48)}, "image_size must be (width, height)"),
        ({"image_size": (64, 48, 3)}, "image_size must be (width, height)"),
        ({"image_size": "abc"}, "image_size must be (width, height)"),
        ({"xy": np.zeros((5, 2), np.dtype("f4").newbyteorder())}, "xy must be in this machine's byte order"),
        ({"metric": ["l2"]}, "metric must be one of hamming, l2, cosine"),
        ({"extractor": 5}, "extractor must be a name, not 5"),
        ({"settings": {"a": object()}}, "settings must be values that JSON can hold"),
        ({"settings": {"a": float("nan")}}, "settings must be values that JSON can hold"),
    ],
)
def test_wrong_arrays_are_refused_in_words(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(tp.DataError) as error:
        features(**changes)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_arrays_are_read_only_views_of_the_callers() -> None:
    xy = np.zeros((5, 2), np.float32)
    made = features(xy=xy)
    with pytest.raises(ValueError, match="read-only"):
        made.xy[0, 0] = 1
    xy[0, 0] = 7  # the caller's own stays writable, and nothing was copied
    assert made.xy[0, 0] == 7


def test_frozen_and_keyword_only() -> None:
    with pytest.raises(AttributeError):
        features().metric = "l2"  # type: ignore[misc]
    with pytest.raises(TypeError):
        tp.Features(np.zeros((0, 2), np.float32))  # type: ignore[call-arg]


def test_indexing_by_mask_indices_and_slice() -> None:
    made = features()
    assert made[np.array([True, False, True, False, False])].xy.tolist() == made.xy[[0, 2]].tolist()
    assert made[[3, 1]].descriptors.tolist() == made.descriptors[[3, 1]].tolist()
    assert len(made[1:3]) == 2
    assert len(made[[]]) == 0
    assert made[2].xy.tolist() == [made.xy[2].tolist()]
    assert made[[0]].settings == made.settings
    with pytest.raises(tp.DataError, match="5 features cannot be indexed"):
        made[[7]]


@pytest.mark.parametrize(
    ("index", "words"),
    [
        ([7], "by 7;"),
        ([-6, 0], "by -6;"),
        (5, "by 5;"),
        (np.ones(4, bool), "by (4,) bool;"),
        (np.ones(0, bool), "by (0,) bool;"),
        ([0.0, 1.0], "by (2,) float64;"),
        (2.5, "by (1,) float64;"),
        ("abc", "by (1,) str"),
        ([[0], [1]], "by (2, 1) int64;"),
        ([[0], [1, 2]], "by"),
        (None, "by (1,) object;"),
        (slice(0.5), "by slice(None, 0.5, None);"),
    ],
)
def test_an_index_that_cannot_be_is_refused_in_one_sentence(index: Any, words: str) -> None:
    with pytest.raises(tp.DataError) as error:
        features()[index]
    assert str(error.value).startswith(f"these 5 features cannot be indexed {words}")
    assert str(error.value).endswith("use a mask of 5 truth values, indices below 5, or a slice")


def test_indices_may_count_from_the_end_and_slices_may_go_backwards() -> None:
    made = features()
    assert made[[-1, 0]].xy.tolist() == made.xy[[4, 0]].tolist()
    assert made[::-1].xy.tolist() == made.xy[::-1].tolist()
    assert made[np.array([1], np.uint64)].xy.tolist() == made.xy[[1]].tolist()


@pytest.mark.parametrize("size", [(np.int64(64), np.uint8(48)), np.array([64, 48]), [64, 48]])
def test_a_size_is_plain_integers(size: Any) -> None:
    made = features(image_size=size)
    assert made.image_size == (64, 48)
    assert {type(side) for side in made.image_size} == {int}


@pytest.mark.parametrize("n", [2.5, -1, "3", None, True])
def test_how_many_must_be_a_whole_number(n: Any) -> None:
    with pytest.raises(tp.OptionError, match="n must be a whole number from 0 up, not"):
        features().strongest(n)
    assert len(features().strongest(np.int64(2))) == 2  # type: ignore[arg-type]
    assert len(features().strongest(0)) == 0


def test_strongest_is_stable() -> None:
    made = features()  # scores 0 1 2 0 1
    assert made.strongest(3).xy[:, 0].tolist() == [4, 2, 8]
    assert len(made.strongest(100)) == 5
    with pytest.raises(tp.DataError, match="no score"):
        features(score=None).strongest(1)


def test_pickle_builds_the_same_and_read_only() -> None:
    made = features()
    again = pickle.loads(pickle.dumps(made))
    assert again.xy.tolist() == made.xy.tolist()
    assert again.settings == made.settings
    assert not again.descriptors.flags.writeable


def test_repr_is_one_line() -> None:
    assert repr(features()) == "Features(5 orb, 4 x uint8 hamming, photo 64x48)"


def test_empty_is_a_value() -> None:
    nothing = features(0)
    assert len(nothing) == 0
    assert len(nothing.strongest(3)) == 0
