"""An ONNX graph, written down node by node."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# The oldest operator set with all that our networks use; every ONNX Runtime that we allow reads it.
OPSET = 20
# Version of the file format that goes with it.
IR_VERSION = 9


class Graph:
    """A graph under construction; values are named by strings, as in ONNX.

    Needs the package ``onnx``, which is imported when the first part is added.

    Examples
    --------
    >>> import numpy as np
    >>> from tiepoint.networks import Graph
    >>> graph = Graph("twice")
    >>> x = graph.input("x", (None, 2))
    >>> graph.output("y", graph.add("Mul", x, graph.constant(np.float32(2))))
    >>> len(graph.to_bytes()) > 50
    True
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._nodes: list[Any] = []
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._constants: list[Any] = []
        self._known: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._count = 0

    def input(self, name: str, shape: tuple[int | None, ...], dtype: type = np.float32) -> str:
        """Declare an input; None is a length that each run chooses."""
        from onnx import helper

        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        sizes = [f"{name}_{axis}" if size is None else size for axis, size in enumerate(shape)]
        self._inputs.append(helper.make_tensor_value_info(name, kind, sizes))
        return name

    def constant(self, array: Any) -> str:
        """Put an array of weights or of shape parameters into the graph; the same array only once."""
        from onnx import numpy_helper

        array = np.asarray(array, order="C")
        key = array.dtype.str, array.shape, array.tobytes()
        if key not in self._known:
            self._known[key] = self._new("c")
            self._constants.append(numpy_helper.from_array(array, self._known[key]))
        return self._known[key]

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output; an input that an operator may leave out is an empty string."""
        return self.add_many(operator, *inputs, outputs=1, domain=domain, **attributes)[0]

    def add_many(
        self, operator: str, *inputs: str, outputs: int, domain: str = "", **attributes: Any
    ) -> tuple[str, ...]:
        """Add a node with several outputs."""
        from onnx import helper

        names = tuple(self._new(operator.lower()) for _ in range(outputs))
        self._nodes.append(helper.make_node(operator, inputs, names, domain=domain, **attributes))
        return names

    def output(self, name: str, value: str, dtype: type = np.float32) -> None:
        """Give a value out under a name."""
        from onnx import helper

        self._nodes.append(helper.make_node("Identity", [value], [name]))
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        self._outputs.append(helper.make_tensor_value_info(name, kind, None))

    def to_bytes(self) -> bytes:
        """Return the model as the bytes of an .onnx file."""
        from onnx import helper

        graph = helper.make_graph(self._nodes, self.name, self._inputs, self._outputs, self._constants)
        domains = sorted({"", *(node.domain for node in self._nodes)})
        opsets = [helper.make_opsetid(domain, 1 if domain else OPSET) for domain in domains]
        model = helper.make_model(
            graph, producer_name="tiepoint", ir_version=IR_VERSION, opset_imports=opsets
        )
        return bytes(model.SerializeToString())

    def _new(self, stem: str) -> str:
        self._count += 1
        return f"{stem}_{self._count}"


Tensors = dict[str, NDArray[Any]]
