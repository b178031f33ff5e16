"""Networks that run in PyTorch: kornia builds them, our own catalogue has their weights."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from tiepoint import core, weights
from tiepoint.errors import DataError, MissingError

INSTALL = "pip install 'tiepoint[torch]'"
_PACKAGES = ("torch", "kornia")

# Making a network takes longer than to wait for another thread that makes the same one.
_making = threading.Lock()
# The threads of PyTorch's OpenMP do not survive a fork: what asks for them in the child waits for ever.
_forked = False


def _after_fork() -> None:
    global _making, _forked
    _making = threading.Lock()
    _forked = _forked or "torch" in sys.modules


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _same_name(name: str) -> str:
    return name


@dataclass(frozen=True, kw_only=True)
class TorchNetwork:
    """A network of kornia's with published weights; it is built without any, and never downloads.

    Attributes
    ----------
    weights : str
        Name in the catalogue of weights.
    build : callable
        Imports kornia and makes the network, with whatever weights.
    renamed : callable
        From the name of a tensor in the file to that in the network; None for one that is not used.
    computed : frozenset[str]
        Tensors that the network computes by itself and that the file need not have.
    """

    weights: str
    build: Callable[[], Any]
    renamed: Callable[[str], str | None] = _same_name
    computed: frozenset[str] = frozenset()

    def missing(self) -> str | None:
        """Return the one command that gets what is missing, None where nothing is."""
        return missing(self.weights)

    def ready(self) -> Any:
        """Return the network with its weights, for reading only; it is made once in a process.

        Raises
        ------
        MissingError
            If the weights are not on this machine, or kornia builds another network than they are for.
        """
        path = weights.path_of(self.weights)
        with _making:
            return _made(self, None if path is None else os.fspath(path))


def missing(*names: str) -> str | None:
    """Return the one command that gets PyTorch, kornia and these weights; None where all are there."""
    install = None if all(find_spec(package) is not None for package in _PACKAGES) else INSTALL
    steps = [step for step in (install, weights.missing(*names)) if step is not None]
    return " && ".join(steps) or None


def require(method: str, install: str | None, instead: str) -> None:
    """Raise a MissingError where a method cannot run; ``instead`` is the nearest one that can."""
    if install is not None:
        raise MissingError(
            f"{method} needs PyTorch, kornia and its published weights; get what is missing with: {install} "
            f"(the nearest one that is here: {instead})"
        )


def version() -> str:
    """Return the versions as they stand in the settings of features."""
    import kornia
    import torch

    return f"torch {torch.__version__}, kornia {kornia.__version__}"


@contextmanager
def running(no_memory: str) -> Iterator[Any]:
    """Give PyTorch, set to run networks: no gradients, the threads of :func:`tiepoint.set_threads`.

    The number of threads is PyTorch's own setting for the process. It is set for the time of the run and
    then put back; in a process that was forked from one that used PyTorch it is 1.

    Raises
    ------
    DataError
        With the text ``no_memory``, if there is not enough memory.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingError(f"PyTorch is installed but cannot be loaded: {error}") from error
    before, wanted = torch.get_num_threads(), 1 if _forked else core.threads()
    if wanted != before:
        torch.set_num_threads(wanted)
    try:
        with torch.inference_mode():
            yield torch
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError) or "allocate memory" in str(error):
            raise DataError(no_memory) from error
        raise
    finally:
        if wanted != before:
            torch.set_num_threads(before)


def to_tensor(array: Any) -> Any:
    """Return a tensor with a copy of an array, which may be read-only."""
    import torch

    return torch.from_numpy(np.array(array))


@lru_cache(maxsize=8)
def _made(network: TorchNetwork, path: str | None) -> Any:
    """Build a network and fill it; ``path`` is part of the key, so that other weights make another one."""
    import torch

    tensors = weights.load(network.weights)
    with torch.random.fork_rng(devices=[]):  # building draws random weights; the caller's numbers stay
        module = network.build()
    named = {network.renamed(name): array for name, array in tensors.items()}
    found = {name: array for name, array in named.items() if name is not None}
    wanted = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    wrong = [
        name
        for name, shape in wanted.items()
        if name not in network.computed and (name not in found or found[name].shape != shape)
    ]
    wrong += [name for name in found if name not in wanted]
    if wrong:
        raise MissingError(
            f"the weights {network.weights} ({path}) do not fit the network that kornia builds: "
            f"{len(wrong)} tensors are missing, unknown or of another shape, such as {wrong[0]}; "
            "get the kornia that tiepoint was tested with: pip install 'kornia==0.9.0'"
        )
    module.load_state_dict({name: to_tensor(array) for name, array in found.items()}, strict=False)
    return module.float().eval().requires_grad_(False)
