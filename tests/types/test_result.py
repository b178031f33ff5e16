from __future__ import annotations

import pickle

import numpy as np
import pytest

import tiepoint as tp
from tiepoint.evaluation import RenderedPair


def test_result_pickles_and_checks_its_photos(scene: RenderedPair) -> None:
    result = tp.match(scene.image0, scene.image1, extractor="orb", max_keypoints=100)
    again = pickle.loads(pickle.dumps(result))
    assert np.array_equal(again.matches.xy0, result.matches.xy0)
    assert again.seconds == result.seconds
    assert repr(again) == f"MatchResult({len(result.matches)} matches of 100 candidates)"
    with pytest.raises(tp.DataError, match="image0 is"):
        tp.MatchResult(
            image0=tp.Image(pixels=np.zeros((5, 5), np.uint8)),
            image1=scene.image1,
            candidates=result.candidates,
            matches=result.matches,
        )
