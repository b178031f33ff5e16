from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tiepoint as tp


@pytest.mark.parametrize(("probability", "words"), [
    (None, "same scene: yes"), (0.97, "same scene: yes, p = 0.97"), (0.994, "same scene: yes, p = 0.99"),
    (0.9951, "same scene: yes, p > 0.99"), (1, "same scene: yes, p > 0.99"),
    (0.0, "same scene: yes, p < 0.01"),
    (0.0049, "same scene: yes, p < 0.01"), (0.0051, "same scene: yes, p = 0.01"),
    (np.float32(0.5), "same scene: yes, p = 0.50"),
])  # fmt: skip
def test_it_never_claims_certainty(probability: Any, words: str) -> None:
    assert str(tp.Verdict(answer="yes", probability=probability, reasons=("why",))) == words


@pytest.mark.parametrize("changes", [
    {"answer": "maybe"}, {"answer": None}, {"probability": 1.01}, {"probability": -0.1}, {"probability": "1"},
    {"probability": float("nan")}, {"probability": True}, {"reasons": ()}, {"reasons": "because"},
    {"reasons": (1,)}, {"reasons": None},
])  # fmt: skip
def test_what_is_no_verdict_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(tp.DataError, match=f"{next(iter(changes))} must be"):
        tp.Verdict(**{"answer": "yes", "probability": 0.9, "reasons": ("why",), **changes})
