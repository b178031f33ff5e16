"""Pairs with truth: what is refused, and that what is taken cannot be changed."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tiepoint.errors import DataError, OptionError
from tiepoint.evaluation.datasets import Dataset, HomographyTruth, LabelTruth, Pair, PoseTruth

CAMERA = np.array([[500.0, 0, 320], [0, 510, 240], [0, 0, 1]])


def turned(degrees: float, axis: int = 1) -> Any:
    """A rotation about an axis, written out as in any textbook."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    plane = np.array([[c, -s], [s, c]])
    matrix = np.eye(3)
    others = [i for i in range(3) if i != axis]
    matrix[np.ix_(others, others)] = plane
    return matrix


def pose(**changed: Any) -> PoseTruth:
    values = {"K0": CAMERA, "K1": CAMERA, "R": np.eye(3), "t": np.array([1.0, 0, 0])}
    return PoseTruth(**{**values, **changed})


def pair(name: str = "tower/1-2", sequence: str = "tower", **changed: Any) -> Pair:
    values = {"photo0": Path("1.png"), "photo1": Path("2.png"), "truth": LabelTruth(same=True)}
    return Pair(name=name, sequence=sequence, **{**values, **changed})


def test_arrays_are_read_only_and_the_callers_own_is_not() -> None:
    mine = np.diag([2.0, 2, 1])
    truth = HomographyTruth(H_1_from_0=mine)
    with pytest.raises(ValueError, match="read-only"):
        truth.H_1_from_0[0, 0] = 3
    mine[0, 1] = 0.5
    with pytest.raises(FrozenInstanceError):
        truth.H_1_from_0 = mine  # type: ignore[misc]


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        (np.zeros((3, 3)), "singular"),
        (np.ones((3, 3)), "singular"),
        (np.array([[1, 2, 3], [2, 4, 6], [0, 0, 1.0]]), "singular"),
        (np.eye(3, dtype=np.float32), "float64"),
        (np.eye(4), r"\(3, 3\)"),
        (np.diag([1, 1, np.nan]), "finite"),
        (np.diag([1, np.inf, 1]), "finite"),
        ([[1, 0, 0], [0, 1, 0], [0, 0, 1]], "NumPy array"),
    ],
)
def test_what_is_no_homography_is_refused(matrix: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        HomographyTruth(H_1_from_0=matrix)


def test_a_strong_homography_is_none_too_many() -> None:
    # graf 1-6 of the Oxford sequences; its condition number is 4e6.
    strong = np.array([[0.42, 0.67, 453.0], [-0.44, 1.01, -46.5], [0.0005, -8e-5, 1]])
    HomographyTruth(H_1_from_0=strong)
    HomographyTruth(H_1_from_0=strong * 1e-7)  # any scale is the same homography


@pytest.mark.parametrize("degrees", [0, 1e-4, 30, 59.999, 90, 179.99, 180])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_turn_is_the_angle_of_the_rotation(degrees: float, axis: int) -> None:
    assert pose(R=turned(degrees, axis)).turn == pytest.approx(degrees, abs=1e-5)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"R": np.diag([1.0, 1, -1])}, "rotation"),
        ({"R": 1.01 * np.eye(3)}, "rotation"),
        ({"R": np.eye(2)}, r"\(3, 3\)"),
        ({"t": np.zeros((3, 1))}, r"\(3,\)"),
        ({"t": np.array([0, np.nan, 0])}, "finite"),
        ({"K0": np.eye(3) * 2}, "camera matrix"),
        ({"K1": CAMERA.T.copy()}, "camera matrix"),
        ({"K1": np.diag([-500.0, 500, 1])}, "K1 must be a camera"),
    ],
)
def test_what_is_no_pose_is_refused(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        pose(**changed)


@pytest.mark.parametrize("same", ["partly", 1, 0.0, np.True_])
def test_a_label_is_true_false_or_none(same: Any) -> None:
    with pytest.raises(DataError, match="True, False or None"):
        LabelTruth(same=same)


@pytest.mark.parametrize(
    "changed", [{"name": ""}, {"sequence": ""}, {"photo0": "1.png"}, {"truth": None}, {"truth": True}]
)
def test_what_is_no_pair_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=next(iter(changed))):
        pair(**changed)


def test_all_of_it_pickles() -> None:
    truths = HomographyTruth(H_1_from_0=np.eye(3)), pose(R=turned(20)), LabelTruth(same=None)
    pairs = tuple(pair(f"tower/1-{k}", truth=truth) for k, truth in enumerate(truths, start=2))
    again = pickle.loads(pickle.dumps(Dataset(name="mixed", pairs=pairs, citation="me", notes=("one.",))))
    assert repr(again) == "Dataset(mixed: 3 pairs of 1 sequence)"
    assert (again.citation, again.notes) == ("me", ("one.",))
    assert [repr(p) for p in again] == [repr(p) for p in pairs]
    assert again.pairs[1].truth.R.tolist() == turned(20).tolist()
    assert not again.pairs[1].truth.R.flags.writeable


def test_names_are_unique() -> None:
    with pytest.raises(DataError, match="two pairs of the name 'tower/1-2'"):
        Dataset(name="towers", pairs=(pair(), pair()))


def test_subsets_are_chosen_by_name_or_pattern() -> None:
    names = ["i_dome", "v_tower", "i_gate", "odd [a]", "v_tower"]
    dataset = Dataset(
        name="towns", pairs=tuple(pair(f"{name}/{k}", name) for k, name in enumerate(names)), notes=("One.",)
    )
    assert dataset.sequences == ("i_dome", "v_tower", "i_gate", "odd [a]")
    assert [p.name for p in dataset.subset("v_tower")] == ["v_tower/1", "v_tower/4"]
    assert [p.name for p in dataset.subset("i_*")] == ["i_dome/0", "i_gate/2"]
    assert [p.name for p in dataset.subset("odd [a]", "i_g*", "i_*")] == ["i_dome/0", "i_gate/2", "odd [a]/3"]
    assert dataset.subset("i_*").notes == ("One.", "Only 2 of the 4 sequences: i_dome, i_gate.")
    with pytest.raises(OptionError, match="no sequence 'v_towr'; did you mean 'v_tower'"):
        dataset.subset("i_*", "v_towr")
    with pytest.raises(OptionError, match="no sequence 'I_"):
        dataset.subset("I_*")
