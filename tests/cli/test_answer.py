from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tiepoint as tp
from tiepoint.cli.align import MODELS as ALIGN_MODELS
from tiepoint.cli.answer import exit_code, found, print_answer
from tiepoint.cli.match import MODELS
from tiepoint.types import CONFIGURATIONS

POINTS = np.array([[1, 2], [3, 4], [5, 6]], np.float32)
PHOTO = tp.Image(pixels=np.zeros((30, 40), np.uint8))
MATCHES = tp.Matches(
    xy0=POINTS, xy1=POINTS, source="x", image_size0=(40, 30), image_size1=(40, 30),
    funnel=(("keypoints 0", 1234), ("keypoints 1", 9), ("nearest", 5), ("ratio", 2)),
)  # fmt: skip
RESULT = tp.MatchResult(image0=PHOTO, image1=PHOTO, candidates=MATCHES, matches=MATCHES)


def geometry(**changes: Any) -> tp.Geometry:
    parts: dict[str, Any] = {
        "model": "homography",
        "matrix": np.eye(3),
        "matches": MATCHES,
        "inliers": np.array([True, False, True]),
        "residuals": np.zeros(3, np.float32),
        "max_error": 2.5,
    }
    return tp.Geometry(**{**parts, **changes})


NOTHING = geometry(matrix=None, residuals=None, inliers=np.zeros(3, bool), reason="too few matches")


def printed(result: tp.MatchResult, capsys: pytest.CaptureFixture[str]) -> list[str]:
    print_answer(result)
    return capsys.readouterr().out.splitlines()


def test_the_answer_is_a_funnel_the_reasons_and_the_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    verdict = tp.Verdict(answer="yes", probability=0.999, reasons=("One reason.", "long " * 40))
    found_it = geometry(guided=1, configuration="planar or panoramic", notes=("A note.",))
    assert printed(replace(RESULT, geometry=found_it, verdict=verdict), capsys) == [
        "keypoints in A  1234",
        "keypoints in B     9",
        "nearest            5",
        "ratio              2",
        "with guided        3",
        "inliers            2",
        "  One reason.",
        "  " + "long " * 14 + "long",
        "    " + "long " * 14 + "long",
        "    " + "long " * 9 + "long",
        "  A note.",
        "same scene: yes, p > 0.99",
    ]


def test_nothing_found_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    verdict = tp.Verdict(answer="no", probability=None, reasons=("no geometry: too few matches",))
    assert printed(replace(RESULT, geometry=NOTHING, verdict=verdict), capsys)[-3:] == [
        "inliers            0",
        "  no geometry: too few matches",
        "same scene: no",
    ]
    assert printed(replace(RESULT, geometry=NOTHING), capsys)[-1] == "  no geometry: too few matches"


def test_without_a_geometry_the_matches_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(RESULT, capsys)[-2:] == ["ratio              2", "3 matches"]


def test_every_model_and_configuration_has_words() -> None:
    assert found(geometry(model="essential")) == (
        "2 of 3 matches agree on an essential matrix within 2.5 pixels"
    )
    assert "an affine map" in found(geometry(model="affine"))
    for configuration in CONFIGURATIONS:
        assert ": " in found(geometry(configuration=configuration))


def test_the_flags_know_the_models_that_there_are() -> None:
    assert ("auto", *tp.types.MODELS) == MODELS
    assert set(ALIGN_MODELS) < set(MODELS)
    assert all(geometry(model=model).planar for model in ALIGN_MODELS)


def test_exit_codes() -> None:
    codes = [exit_code(tp.Verdict(answer=a, probability=None, reasons=("x",))) for a in tp.types.ANSWERS]
    assert codes == [0, 3, 4]
