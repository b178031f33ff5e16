"""Which keypoints belong to each other: LightGlue's double softmax, without its table of all pairs.

The score of a pair is the probability of column j in row i of the similarities, times that of row i in
column j, times that of both having a partner at all (Lindenberger et al., ICCV 2023, equation 7). The table
is made twice, a few rows at a time: once for the sums of rows and columns, once for the best of each.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiepoint.matchers.lighterglue.layers import WIDTH
from tiepoint.networks import Graph, Network
from tiepoint.networks.graph import Tensors

Floats = NDArray[np.float32]

_ROWS = 256


def best_pairs(
    tokens0: Floats, matchability0: Floats, tokens1: Floats, matchability1: Floats
) -> tuple[NDArray[np.int64], Floats]:
    """Find the pairs that are best for each other.

    Parameters
    ----------
    tokens0, tokens1 : ndarray, (M, 96) and (N, 96) float32
        Their products are the similarities; at least one row each.
    matchability0, matchability1 : ndarray, (M,) and (N,) float32
        Logits of the probability of having a partner.

    Returns
    -------
    pairs : ndarray, (K, 2) int64
        In order of the first; of equals the lowest index.
    score : ndarray, (K,) float32
        0 to 1.
    """
    row, column = _log_sums(tokens0, tokens1)
    row, column = _log_sigmoid(matchability0) - row, _log_sigmoid(matchability1) - column
    # One product gives 2 s_ij + row_i + column_j, the logarithm of the score.
    ones0, ones1 = np.ones((len(row), 1), np.float32), np.ones((len(column), 1), np.float32)
    left = np.hstack([2 * tokens0, ones0, row[:, None]])
    right = np.hstack([tokens1, column[:, None], ones1])
    best = np.empty(len(row), np.float32)
    index = np.empty(len(row), np.int64)
    best_of_column = np.full(len(column), -np.inf, np.float32)
    for top in range(0, len(row), _ROWS):
        part = slice(top, top + _ROWS)
        found = _BESTS.run(a=left[part], b=right)
        best[part], index[part] = found["best"], found["index"]
        np.maximum(best_of_column, found["best_of_column"], out=best_of_column)
    mutual = np.flatnonzero(best >= best_of_column[index])
    _, first = np.unique(index[mutual], return_index=True)
    mutual = mutual[np.sort(first)]
    return np.column_stack([mutual, index[mutual]]), np.exp(np.minimum(best[mutual], 0))


def _log_sums(tokens0: Floats, tokens1: Floats) -> tuple[Floats, Floats]:
    """Return the logarithms of the summed exponentials of each row and each column."""
    row = np.empty(len(tokens0), np.float32)
    top_of_column = np.full(len(tokens1), -np.inf, np.float32)
    sum_of_column = np.zeros(len(tokens1), np.float32)
    for top in range(0, len(row), _ROWS):
        part = slice(top, top + _ROWS)
        found = _SUMS.run(a=tokens0[part], b=tokens1)
        row[part] = found["row"]
        new = np.maximum(top_of_column, found["top"])
        sum_of_column *= np.exp(top_of_column - new)
        sum_of_column += found["sum"] * np.exp(found["top"] - new)
        top_of_column = new
    return row, top_of_column + np.log(sum_of_column)


def _log_sigmoid(logit: Floats) -> Floats:
    return -np.logaddexp(np.float32(0), -logit)


def _build_sums(_: Tensors) -> bytes:
    """Write the graph that makes some rows of the table and sums their exponentials.

    Inputs: ``a`` (R, 96), ``b`` (N, 96). Outputs: ``row`` (R,), log of the sums of rows; ``top`` (N,), the
    largest of each column, and ``sum`` (N,), the column's sum after that is taken off.
    """
    graph = Graph("lighterglue sums")
    table = _products(graph, WIDTH)
    along, down = (graph.constant(np.array([axis], np.int64)) for axis in (1, 0))
    top = graph.add("ReduceMax", table, along)
    total = graph.add("ReduceSum", graph.add("Exp", graph.add("Sub", table, top)), along)
    row = graph.add("Add", top, graph.add("Log", total))
    graph.output("row", graph.add("Squeeze", row, along))
    top = graph.add("ReduceMax", table, down)
    graph.output("top", graph.add("Squeeze", top, down))
    powers = graph.add("Exp", graph.add("Sub", table, top))
    graph.output("sum", graph.add("ReduceSum", powers, down, keepdims=0))
    return graph.to_bytes()


def _build_bests(_: Tensors) -> bytes:
    """Write the graph that makes some rows of the table and finds the best of rows and columns.

    Inputs: ``a`` (R, 98), ``b`` (N, 98). Outputs: ``best`` (R,) and ``index`` (R,) int64 of the rows, the
    first of equals; ``best_of_column`` (N,).
    """
    graph = Graph("lighterglue bests")
    table = _products(graph, WIDTH + 2)
    along, down = (graph.constant(np.array([axis], np.int64)) for axis in (1, 0))
    graph.output("best", graph.add("ReduceMax", table, along, keepdims=0))
    graph.output("index", graph.add("ArgMax", table, axis=1, keepdims=0), np.int64)
    graph.output("best_of_column", graph.add("ReduceMax", table, down, keepdims=0))
    return graph.to_bytes()


def _products(graph: Graph, width: int) -> str:
    a, b = graph.input("a", (None, width)), graph.input("b", (None, width))
    return graph.add("FusedMatMul", a, b, domain="com.microsoft", transB=1)


_SUMS = Network(name="lighterglue-sums", weights="", build=_build_sums, version=1)
_BESTS = Network(name="lighterglue-bests", weights="", build=_build_bests, version=1)
