"""The fit of the verdict: labels, weights, and probabilities from scenes that were not seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tiepoint.evaluation.calibration import (
    SIGNS,
    Trial,
    balanced,
    fitted,
    held_out,
    labels,
    predicted,
    roc_auc,
)
from tiepoint.verdict import EVIDENCE, MOST_IN_DOUBT

FOUND: dict[str, Any] = {"found": True, "right": None}


def trial(kind: str, scenes: tuple[str, str], strength: float, **more: Any) -> Trial:
    evidence = {**dict.fromkeys(EVIDENCE, 0.0), "inliers": strength, "coverage": 8.0}
    return Trial(f"{kind} {scenes} {strength}", kind, scenes, evidence=evidence, **{**FOUND, **more})


def many(rng: np.random.Generator, scenes: int = 20) -> list[Trial]:
    """True pairs with many inliers, false ones with few, which overlap."""
    names = [f"scene {k}" for k in range(scenes)]
    trials = [trial("same", (name, name), rng.normal(6, 1.5)) for name in names for _ in range(8)]
    for a in names:
        trials += [trial("different", (a, b), rng.normal(3, 1.5)) for b in rng.choice(names, 8) if b != a]
    return trials


@pytest.mark.parametrize(("kind", "found", "right", "label"), [
    ("same", True, None, True), ("same", True, True, True), ("same", True, False, False),
    ("same", False, False, True), ("same", False, None, True), ("made", True, True, True),
    ("made", True, False, False), ("different", True, None, False), ("different", False, None, False),
])  # fmt: skip
def test_what_is_true(kind: str, found: bool, right: bool | None, label: bool) -> None:
    one = trial(kind, ("a", "b"), 3.0, found=found, right=right)
    assert one.label is label
    assert labels([one]).tolist() == [label]
    assert Trial(**{**one.document(), "scenes": ("a", "b")}) == one  # type: ignore[arg-type]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_true_and_false_weigh_the_same(share: float) -> None:
    truth = np.arange(40) < 40 * share
    weights = balanced(truth)
    for one in (truth, ~truth):
        assert weights[one].sum() == pytest.approx(0.5 if one.any() else 0)
        assert len(set(weights[one].tolist())) <= 1


def test_a_fit_has_no_weight_of_the_wrong_sign(rng: np.random.Generator) -> None:
    trials = many(rng)
    for one in trials:
        # Evidence that lies.
        one.evidence["rival"] = float(one.label) + rng.normal(0, 0.1)
        one.evidence["share"] = rng.normal()
    model = fitted(trials)
    weights = dict(zip(SIGNS, model.weights.tolist(), strict=True))
    assert weights["inliers"] > 0
    assert weights["rival"] == 0
    assert all(weight * SIGNS[name] >= 0 for name, weight in weights.items())
    assert set(SIGNS) == set(EVIDENCE)


def test_probabilities_hold_on_scenes_that_were_not_seen(rng: np.random.Generator) -> None:
    trials = many(rng)
    p = held_out(trials)
    assert p.shape == (len(trials),)
    assert ((p > 0) & (p < 1)).all()
    # Two normal distributions, 3 apart with a deviation of 1.5 each: Phi(3 / (1.5 * sqrt 2)).
    assert roc_auc(p, labels(trials)) == pytest.approx(0.921, abs=0.04)
    assert np.array_equal(held_out(trials), p)


def test_a_pair_is_not_predicted_by_its_own_scenes(rng: np.random.Generator) -> None:
    trials = many(rng)
    p = held_out(trials)
    # All that any fit saw of scene 0 is turned around: what it says of scene 0 stays the same.
    lied = [
        replace(one, kind="different" if one.label else "same") if "scene 0" in one.scenes else one
        for one in trials
    ]
    own = np.array([one.scenes == ("scene 0", "scene 0") for one in trials])
    others = np.array(["scene 0" not in one.scenes for one in trials])
    again = held_out(lied)
    assert np.array_equal(again[own], p[own])
    assert not np.allclose(again[others], p[others])


def test_doubts_cap_what_is_held_out(rng: np.random.Generator) -> None:
    trials = many(rng)
    strong = next(k for k, one in enumerate(trials) if one.evidence["inliers"] > 8)
    p = held_out(trials)
    assert p[strong] > MOST_IN_DOUBT
    doubtful = [*trials]
    doubtful[strong] = replace(trials[strong], evidence={**trials[strong].evidence, "rival": 0.9})
    capped = held_out(doubtful)
    assert capped[strong] == MOST_IN_DOUBT


def test_what_the_fit_itself_says(rng: np.random.Generator) -> None:
    trials = many(rng)
    p = predicted(trials)
    assert roc_auc(p, labels(trials)) >= roc_auc(held_out(trials), labels(trials)) - 0.01
    strong = int(p.argmax())
    assert p[strong] > MOST_IN_DOUBT
    doubtful = [*trials]
    doubtful[strong] = replace(trials[strong], evidence={**trials[strong].evidence, "rival": 0.9})
    assert predicted(doubtful)[strong] == MOST_IN_DOUBT


def test_copies_changed_too_much_teach_nothing(rng: np.random.Generator) -> None:
    trials = many(rng)
    lost = trial("made", ("scene 0", "scene 0"), 0.0, found=False, right=False)
    too_hard = [replace(lost, name=f"scene 0 second photo {k}, hard") for k in range(40)]
    turned = [replace(one, name=f"{one.name}, turned") for one in too_hard]
    alone = fitted(trials)
    assert fitted([*trials, *too_hard]).intercept == alone.intercept
    assert fitted([*trials, *turned]).intercept > alone.intercept
    assert len(held_out([*trials, *too_hard])) == len(trials) + 40
