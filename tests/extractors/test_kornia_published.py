"""ALIKED and DISK with their published weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import tiepoint as tp
from tiepoint.evaluation import RenderedPair

pytest.importorskip("torch")
pytest.importorskip("kornia")


@pytest.mark.parametrize(("name", "model"), [("aliked", "n16"), ("aliked", "n16rot"), ("aliked", "n32"),
                                             ("aliked", "t16"), ("disk", None)])  # fmt: skip
def test_published_features_match_where_the_truth_says(
    name: str, model: str | None, scene: RenderedPair, weights_of: Callable[..., None]
) -> None:
    weights_of("disk" if model is None else f"aliked-{model}")
    options = {} if model is None else {"model": model}
    first, second = (tp.extract(image, name, **options) for image in (scene.image0, scene.image1))
    matches = tp.match_features(first, second, "nearest", ratio=0.9)
    geometry = tp.verify(matches)
    assert min(len(first), len(second)) > 300
    assert np.count_nonzero(geometry.inliers) > 100
    assert np.count_nonzero(geometry.inliers) > 0.8 * len(matches)


def test_how_many_aliked_finds(data: Path, weights_of: Callable[..., None]) -> None:
    # kornia 0.9.0's own ALIKED with the published file and the same threshold finds as many.
    weights_of("aliked-n16")
    features = tp.extract(data / "pairs" / "sacre_coeur" / "1.jpg", "aliked")
    assert len(features) == pytest.approx(1988, abs=10)
