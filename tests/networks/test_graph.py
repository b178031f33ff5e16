"""Graphs: what is written down is what ONNX Runtime computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tiepoint.networks import Graph

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")


def run(graph: Graph, **inputs: Any) -> list[Any]:
    session = onnxruntime.InferenceSession(graph.to_bytes(), providers=["CPUExecutionProvider"])
    outputs: list[Any] = session.run(None, inputs)
    return outputs


def test_a_graph_of_two_nodes(rng: np.random.Generator) -> None:
    weights = rng.standard_normal((3, 2)).astype(np.float32)
    graph = Graph("line")
    product = graph.add("MatMul", graph.input("x", (None, 3)), graph.constant(weights))
    graph.output("y", graph.add("Add", product, graph.constant(np.float32(2))))
    for rows in (1, 5):  # the length that was left open
        x = rng.standard_normal((rows, 3)).astype(np.float32)
        assert run(graph, x=x)[0] == pytest.approx(x @ weights + 2, abs=1e-5)


def test_a_node_with_two_outputs_and_another_dtype() -> None:
    graph = Graph("largest")
    x = graph.input("x", (None,))
    values, places = graph.add_many("TopK", x, graph.constant(np.array([2])), outputs=2)
    graph.output("values", values)
    graph.output("places", places, np.int64)
    largest, where = run(graph, x=np.array([3, 9, 1, 7], np.float32))
    assert largest.tolist() == [9, 7]
    assert where.tolist() == [1, 3]
    assert where.dtype == np.int64


def test_an_input_may_be_left_out_and_an_output_may_be_given_twice() -> None:
    graph = Graph("wider")
    x = graph.input("x", (1, 1, None, None))
    wider = graph.add("Resize", x, "", graph.constant(np.array([1, 1, 1, 2], np.float32)), mode="nearest")
    graph.output("once", wider)
    graph.output("twice", wider)
    once, twice = run(graph, x=np.ones((1, 1, 2, 2), np.float32))
    assert once.shape == twice.shape == (1, 1, 2, 4)


def test_the_same_graph_is_the_same_bytes() -> None:
    def made() -> bytes:
        graph = Graph("same")
        graph.output("y", graph.add("Relu", graph.input("x", (None,))))
        return graph.to_bytes()

    assert made() == made()
