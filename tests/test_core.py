from __future__ import annotations

import logging

import numpy as np
import pytest

from tiepoint import core
from tiepoint.errors import OptionError
from tiepoint.matchers import match_descriptors


@pytest.fixture
def without_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TIEPOINT_SIMD", raising=False)
    monkeypatch.setattr(core, "_missing", "no module named tiepoint._core")
    monkeypatch.setattr(core, "_noted", False)


@pytest.mark.usefixtures("without_core")
def test_without_the_core_matching_works_and_says_how_to_get_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    a = np.array([[0, 0], [9, 9]], np.uint8)
    with caplog.at_level(logging.WARNING, "tiepoint"):
        found = [match_descriptors(a, a[::-1].copy(), "l2") for _ in range(2)]
    for pairs, distance, _ in found:
        assert pairs.tolist() == [[0, 1], [1, 0]]
        assert distance.tolist() == [0, 0]
    assert [record.getMessage() for record in caplog.records] == [core.HOW_TO_GET_IT]
    assert core.level() == "numpy"
    assert core.available() == ()
    assert core.HOW_TO_GET_IT in core.describe()


@pytest.mark.usefixtures("without_core")
def test_a_level_cannot_be_forced_without_the_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIEPOINT_SIMD", "avx2")
    with pytest.raises(OptionError, match="without its compiled core"):
        core.level()


def test_threads_come_from_the_call_then_the_setting_then_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TIEPOINT_THREADS", "3")
    assert core.threads() == 3
    core.set_threads(2)
    try:
        assert core.threads() == 2
        assert core.threads(5) == 5
    finally:
        core.set_threads(None)
    for wrong in ("0", "-1", "many"):
        monkeypatch.setenv("TIEPOINT_THREADS", wrong)
        with pytest.raises(OptionError, match="TIEPOINT_THREADS"):
            core.threads()
