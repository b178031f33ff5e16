"""Worker processes of one thread each, so that what they measure is one thread's time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

# What OpenCV, OpenMP and the BLAS libraries read when they are loaded.
_THREADS = (
    "OPENCV_FOR_THREADS_NUM",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


@contextmanager
def one_thread_inherited() -> Iterator[None]:
    """Let processes that are started now load their libraries for one thread.

    A worker itself would be too late to ask for that: to unpickle its first call is to import NumPy.

    Examples
    --------
    >>> import os
    >>> from tiepoint.evaluation.one_thread import one_thread_inherited
    >>> with one_thread_inherited():
    ...     os.environ["OMP_NUM_THREADS"]
    '1'
    """
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
