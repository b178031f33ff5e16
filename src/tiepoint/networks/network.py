"""A network: whose weights it has, how its graph is made of them, and a session that runs it."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tiepoint.core as core
import tiepoint.weights as weights_room
from tiepoint.cache import cache_folder
from tiepoint.errors import MissingError, WriteError
from tiepoint.files import make_folder, write_bytes
from tiepoint.networks.graph import Tensors

INSTALL = "pip install 'tiepoint[learned]'"
_PACKAGES = ("onnxruntime", "onnx")

# One session for a network, a number of threads and a process: making one takes longer than a small run, and
# the threads of a session do not survive a fork.
_sessions: dict[tuple[str, int, int], Any] = {}
_making = threading.Lock()
_LARGE = 1 << 24  # bytes of input
_DIGEST = hashlib.sha256().digest_size


def _renew_lock() -> None:
    """Give a forked child a lock of its own: the parent's may be held by a thread that it does not have."""
    global _making
    _making = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def missing_runtime() -> str | None:
    """Return the command that installs ONNX Runtime, None where it is there."""
    return None if all(find_spec(package) is not None for package in _PACKAGES) else INSTALL


def runtime_version() -> str:
    """Return the version of the installed ONNX Runtime, whatever the package is called that it came in.

    Raises
    ------
    MissingError
        If it cannot be loaded.
    """
    return str(_runtime().__version__)


def _runtime() -> Any:
    """Import ONNX Runtime, of which there are packages for several kinds of hardware."""
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingError(
            f"ONNX Runtime is installed but cannot be loaded ({error}); mend that, or put the plain package "
            "onnxruntime in its place"
        ) from error
    return onnxruntime


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network that runs in ONNX Runtime.

    Attributes
    ----------
    name : str
        Of the converted file in the cache.
    weights : str
        Name in the catalogue of weights; empty for a graph without any, which is not kept in the cache.
    build : callable
        Makes the bytes of an .onnx file of the weights' tensors.
    version : int
        Counted up when ``build`` changes, so that a file converted before is not used.
    """

    name: str
    weights: str
    build: Callable[[Tensors], bytes]
    version: int

    def missing(self) -> str | None:
        """Return the one command that gets what is missing, None where nothing is."""
        return missing_runtime() or (weights_room.missing(self.weights) if self.weights else None)

    def provenance(self) -> dict[str, Any]:
        """Return what runs it, and its weights with their licence, as plain data."""
        return {
            "version": f"onnxruntime {runtime_version()}",
            "weights": weights_room.provenance(self.weights),
        }

    def run(self, **inputs: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Run it on arrays, by the names of its inputs; the outputs come by theirs.

        Runs on the threads of :func:`tiepoint.set_threads`. One network may be run from several threads.

        Raises
        ------
        MissingError
            If ONNX Runtime or the weights are not there; the message gives the command that gets them. If
            ONNX Runtime cannot be loaded.
        """
        session = self._session()
        names = [output.name for output in session.get_outputs()]
        arrays = {name: np.ascontiguousarray(array) for name, array in inputs.items()}
        return dict(zip(names, session.run(names, arrays, _run_options(arrays)), strict=True))

    def _session(self) -> Any:
        threads = core.threads()
        key = f"{self.name} {self.version}", threads, os.getpid()
        with _making:
            if key not in _sessions:
                _sessions[key] = self._made(threads)
            return _sessions[key]

    def _made(self, threads: int) -> Any:
        install = missing_runtime()
        if install is not None:
            raise MissingError(
                f"{self.name} runs in ONNX Runtime, which is not installed; get it with: {install}"
            )
        onnxruntime = _runtime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors
        # A plan of the memory for each size of input that comes along: larger than what is needed, and kept.
        options.enable_mem_pattern = False
        # Threads that spin while they wait take the CPUs from the rest of the program.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return onnxruntime.InferenceSession(
            self._converted(), sess_options=options, providers=["CPUExecutionProvider"]
        )

    def _converted(self) -> bytes:
        """Return the network as the bytes of an .onnx file, from the cache if it has been made before."""
        if not self.weights:
            return self.build({})
        known = self._from_cache()
        if known is not None:
            return known
        converted = self.build(weights_room.load(self.weights))
        try:
            path = self._path()
            write_bytes(make_folder(path.parent) / path.name, hashlib.sha256(converted).digest() + converted)
        except WriteError as error:  # a cache is for speed only
            logging.getLogger("tiepoint").debug("%s", error)
        return converted

    def _from_cache(self) -> bytes | None:
        try:
            return _unsealed(self._path())
        except WriteError:  # no home folder: there is no cache
            return None

    def _path(self) -> Path:
        """Return where the converted network is kept, under the weights' checksum."""
        checksum = str(weights_room.provenance(self.weights)["sha256"])
        return cache_folder() / "networks" / f"{self.name}-{self.version}-{checksum[:16]}.network"


def _run_options(arrays: dict[str, NDArray[Any]]) -> Any:
    """Return options that give the memory of a large run back; keeping it for the next one saves time."""
    if sum(array.nbytes for array in arrays.values()) <= _LARGE:
        return None
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


def _unsealed(path: Path) -> bytes | None:
    """Return what stands behind the checksum that a file begins with; None if they do not fit."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    digest, converted = data[:_DIGEST], data[_DIGEST:]
    return converted if hashlib.sha256(converted).digest() == digest else None
