"""Neural networks in ONNX Runtime: graphs written by our own code, with published weights."""

from tiepoint.networks.graph import Graph
from tiepoint.networks.network import INSTALL, Network, missing_runtime, runtime_version

__all__ = ["INSTALL", "Graph", "Network", "missing_runtime", "runtime_version"]
