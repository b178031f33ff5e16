"""The streamed double softmax against the table of all pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tiepoint.matchers.lighterglue import assignment
from tiepoint.matchers.lighterglue.layers import WIDTH

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

Array = NDArray[Any]


def score_table(tokens0: Array, logits0: Array, tokens1: Array, logits1: Array) -> Array:
    """Equation 7 of the paper, in double precision."""
    table = tokens0.astype(np.float64) @ tokens1.astype(np.float64).T
    rows = np.exp(table - table.max(axis=1, keepdims=True))
    columns = np.exp(table - table.max(axis=0))
    matchable = np.outer(1 / (1 + np.exp(-logits0)), 1 / (1 + np.exp(-logits1)))
    return np.asarray(rows / rows.sum(axis=1, keepdims=True) * columns / columns.sum(axis=0) * matchable)


def mutual_best(table: Array) -> dict[tuple[int, int], float]:
    row, column = table.argmax(axis=1), table.argmax(axis=0)
    return {(i, int(j)): float(table[i, j]) for i, j in enumerate(row) if column[j] == i}


def found(*inputs: Array) -> dict[tuple[int, int], float]:
    pairs, score = assignment.best_pairs(*(array.astype(np.float32) for array in inputs))
    assert pairs.shape == (len(score), 2)
    assert (np.diff(pairs[:, 0]) > 0).all()
    return {(int(i), int(j)): float(s) for (i, j), s in zip(pairs, score, strict=True)}


@pytest.mark.parametrize("counts", [(1, 1), (1, 9), (9, 1), (40, 60), (256, 257), (257, 30), (600, 520)])
def test_equals_the_table(rng: np.random.Generator, counts: tuple[int, int]) -> None:
    tokens = [rng.normal(0, 0.7, (n, WIDTH)).astype(np.float32) for n in counts]
    logits = [rng.normal(0, 3, n).astype(np.float32) for n in counts]
    ours = found(tokens[0], logits[0], tokens[1], logits[1])
    theirs = mutual_best(score_table(tokens[0], logits[0], tokens[1], logits[1]))
    assert ours.keys() == theirs.keys()
    np.testing.assert_allclose(list(ours.values()), list(theirs.values()), rtol=1e-3, atol=1e-6)


def test_large_similarities_do_not_overflow(rng: np.random.Generator) -> None:
    tokens = rng.normal(0, 5, (300, WIDTH)).astype(np.float32)
    logits = np.linspace(-200, 200, 300).astype(np.float32)
    with np.errstate(all="raise", under="ignore"):
        ours = found(tokens, logits, tokens[::-1], logits[::-1])
    assert ours.keys() == {(i, 299 - i) for i in range(300)}
    assert ours[(299, 0)] == pytest.approx(1)
    assert 0 <= ours[(0, 299)] < 1e-6


def test_of_equals_the_first_is_taken() -> None:
    tokens = np.tile(np.ones((1, WIDTH), np.float32), (400, 1))
    logits = np.zeros(400, np.float32)
    ours = found(tokens, logits, tokens[:30], logits[:30])
    assert list(ours) == [(0, 0)]
    assert ours[(0, 0)] == pytest.approx(1 / 400 / 30 / 4, rel=1e-3)


def test_no_row_or_column_twice(rng: np.random.Generator) -> None:
    tokens = np.repeat(rng.normal(size=(50, WIDTH)), 6, axis=0).astype(np.float32)
    logits = np.zeros(300, np.float32)
    pairs = list(found(tokens, logits, tokens[rng.permutation(300)], logits))
    for side in (0, 1):
        assert len({pair[side] for pair in pairs}) == len(pairs) >= 40
