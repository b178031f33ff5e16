"""Where trials run: in processes of one thread each, or in this one; until all is done or time is up."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Protocol

from tiepoint import core
from tiepoint.errors import TiepointError
from tiepoint.evaluation.one_thread import one_thread_inherited
from tiepoint.evaluation.tune.trials import Failure, Outcome, Trial, Workbench
from tiepoint.extractors import Extractor
from tiepoint.types import Image
from tiepoint.types._arrays import checked_count


@dataclass(frozen=True, kw_only=True)
class Task:
    """Trials of one photo that an extractor is to go through, each with every ratio."""

    runner: int
    extractor: Extractor
    ratios: tuple[float | None, ...]
    trials: tuple[Trial, ...]


@dataclass(frozen=True, kw_only=True)
class Report:
    """What came of a task, and how long the worker was busy with it."""

    task: Task
    outcomes: tuple[Outcome, ...]
    failure: Failure | None
    seconds: float


class Crew(Protocol):
    """Those who carry out tasks."""

    def carry_out(self, next_task: Callable[[], Task | None]) -> Iterator[Report]:
        """Ask for tasks until there is none, and yield what comes of them."""


def how_many(workers: int | None) -> int:
    """Return how many processes are meant; None is one for each CPU that may be used."""
    return core.threads() if workers is None else checked_count("workers", workers, most=256)


@contextmanager
def crew(photos: Sequence[Image], workers: int) -> Iterator[Crew]:
    """Hire workers who all know the photos.

    Parameters
    ----------
    photos : sequence of Image
    workers : int
        Processes of one thread each; 0 works in this one, on as many threads as the libraries like.
    """
    if workers == 0:
        yield _Alone(Workbench(photos))
        return
    # Spawned, not forked: libraries that run threads do not survive a fork.
    pool = ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=_get_ready, initargs=(tuple(photos),)
    )
    try:
        yield _Pool(pool, workers)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _Alone:
    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def carry_out(self, next_task: Callable[[], Task | None]) -> Iterator[Report]:
        while (task := next_task()) is not None:
            yield _done(self._bench, task)


class _Pool:
    def __init__(self, pool: ProcessPoolExecutor, count: int) -> None:
        self._pool, self._count = pool, count

    def carry_out(self, next_task: Callable[[], Task | None]) -> Iterator[Report]:
        running: set[Future[Report]] = set()
        try:
            while True:
                # One task more than workers, so that none waits for the next.
                while len(running) <= self._count and (task := next_task()) is not None:
                    with one_thread_inherited():  # this is where the pool starts its processes
                        running.add(self._pool.submit(_in_worker, task))
                if not running:
                    return
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield future.result()
        except BrokenProcessPool:
            raise TiepointError(
                "a worker process died, most likely for lack of memory; take fewer with --workers"
            ) from None


_bench: Workbench | None = None  # of a worker process


def _get_ready(photos: tuple[Image, ...]) -> None:
    core.set_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that has the pool
    global _bench
    _bench = Workbench(photos)


def _in_worker(task: Task) -> Report:
    assert _bench is not None
    return _done(_bench, task)


def _done(bench: Workbench, task: Task) -> Report:
    start = time.perf_counter()
    outcomes: list[Outcome] = []
    failure = None
    for trial in task.trials:
        result = bench.measure(task.extractor, task.ratios, trial)
        if isinstance(result, Failure):
            failure = result
            break
        outcomes += result
    return Report(task=task, outcomes=tuple(outcomes), failure=failure, seconds=time.perf_counter() - start)
