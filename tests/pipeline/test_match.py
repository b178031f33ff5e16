from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest

import tiepoint as tp
from tests.arrays import same
from tiepoint.evaluation import RenderedPair
from tiepoint.extractors import get_extractor
from tiepoint.matchers import NearestNeighbour
from tiepoint.pipeline import AUTO


def test_two_paths_to_tie_points(photo_files: tuple[Path, Path], scene: RenderedPair) -> None:
    result = tp.match(*photo_files, matcher=NearestNeighbour(ratio=0.8))
    assert result.image0.path == str(photo_files[0])
    assert result.features0 is not None
    assert len(result.candidates) == len(result.features0)
    assert scene.correct(result.matches.xy0, result.matches.xy1).mean() > 0.85
    assert list(result.seconds) == ["read", "extract", "match", "verify"]
    assert all(seconds > 0 for seconds in result.seconds.values())
    assert result.log == ()


def test_the_same_as_step_by_step(scene: RenderedPair) -> None:
    result = tp.match(scene.image0, np.asarray(scene.image1), extractor="orb", max_keypoints=300)
    steps = [tp.extract(image, "orb", max_keypoints=300) for image in (scene.image0, scene.image1)]
    assert same(result.matches.pairs, tp.match_features(steps[0], steps[1], ratio=0.8).pairs)


def test_a_photo_without_features_is_remarked(flat: tp.Image, scene: RenderedPair) -> None:
    result = tp.match(flat, scene.image1)
    assert len(result.matches) == 0
    assert "photo 0 has no features: nothing in it stands out for rootsift" in result.log


def test_extractor_objects(scene: RenderedPair) -> None:
    extractor = get_extractor("orb", max_keypoints=50)
    assert len(tp.match(scene.image0, scene.image1, extractor=extractor).candidates) == 50
    with pytest.raises(tp.OptionError, match="into the extractor itself"):
        tp.match(scene.image0, scene.image1, extractor=extractor, max_keypoints=5)


def test_a_missing_photo_is_told(photo_files: tuple[Path, Path]) -> None:
    with pytest.raises(tp.ReadError, match=r"nowhere\.jpg"):
        tp.match(photo_files[0], "nowhere.jpg")


def test_the_command_line_has_the_same_defaults() -> None:
    from tiepoint.cli.match import match as verb

    defaults = {name: parameter.default for name, parameter in inspect.signature(verb).parameters.items()}
    assert defaults["extractor"] == AUTO
