"""A whole table measured: every contender on every pair, in parallel, resumable."""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from itertools import groupby
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiepoint import core
from tiepoint.errors import MissingError, OptionError, TiepointError
from tiepoint.evaluation.bench.contenders import Contender
from tiepoint.evaluation.bench.journal import Journal
from tiepoint.evaluation.bench.machine import machine_facts, usable_cpus
from tiepoint.evaluation.bench.measure import (
    Extracted,
    Protocol,
    Record,
    measure_features,
    timed_features,
)
from tiepoint.evaluation.bench.reduce import reduced, truth_reduced
from tiepoint.evaluation.datasets import Dataset, Pair
from tiepoint.evaluation.one_thread import one_thread_inherited
from tiepoint.extractors import Extractor
from tiepoint.images import read_image

Progress = Callable[[int, int], None]


class Task(NamedTuple):
    """What one worker does in one go: a few pairs that share a photo, by contenders of one extractor."""

    work: tuple[tuple[Pair, Contender], ...]
    protocol: Protocol


def run_bench(
    dataset: Dataset,
    contenders: Sequence[Contender],
    protocol: Protocol | None = None,
    *,
    folder: Path | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> list[Record]:
    """Measure every contender on every pair of a data set.

    The work is done in processes that are started anew: a script that calls this does so under
    ``if __name__ == "__main__"``.

    Parameters
    ----------
    dataset : Dataset
    contenders : sequence of Contender
    protocol : Protocol | None
    folder : Path | None
        Records are kept there, in ``records.jsonl``; what an earlier run with the same settings has
        measured is not measured again. None keeps nothing.
    workers : int | None
        Processes; by default one for each CPU. Each computes on a single thread, so that its times are
        those of one core.
    progress : callable | None
        Called with the number of records there are, and how many there will be.

    Returns
    -------
    list of dict
        In the order of contenders and pairs. What `measure_features` gives, and besides ``contender``,
        ``pair``, ``sequence``, ``fingerprint``, ``photo_sizes``, ``peak_memory`` (bytes of the process, or
        None); or ``error`` (a sentence) where a photo cannot be read.

    Raises
    ------
    MissingError
        If the backend of an extractor is not installed.
    TiepointError
        If the records cannot be kept, or a worker dies.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from tiepoint.evaluation import render_demo
    >>> from tiepoint.evaluation.bench import contenders, run_bench
    >>> from tiepoint.evaluation.datasets import Dataset, HomographyTruth, Pair
    >>> from tiepoint.images import write_image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     photo = Path(folder, "1.png")
    ...     _ = write_image(photo, render_demo(width=400, height=300).image0)
    ...     pair = Pair(name="towns/1-1", sequence="towns", photo0=photo, photo1=photo,
    ...                 truth=HomographyTruth(H_1_from_0=np.eye(3)))
    ...     [record] = run_bench(Dataset(name="towns", pairs=(pair,)), contenders("orb"), workers=1)
    >>> record["pair"], record["precision"]
    ('towns/1-1', 1.0)
    """
    protocol = protocol or Protocol()
    for contender in contenders:
        for method in (contender.extractor, contender.matcher):
            install = method.missing()
            if install:
                raise MissingError(f"{method.name} is not installed; get it with: {install}")
    if workers is not None and workers < 1:
        raise OptionError(f"workers must be at least 1, not {workers}")
    about = {
        "dataset": dataset.name,
        "protocol": protocol.settings(),
        "versions": machine_facts()["versions"],
    }
    journal = Journal(None if folder is None else folder / "records.jsonl", about)
    wanted = [(contender.key, pair.name) for contender in contenders for pair in dataset]
    # Measured on these photos and this truth; what failed is tried again.
    fingerprints = {pair.name: _fingerprint(pair) for pair in dataset}
    known = {
        _key(record): record
        for record in journal.records
        if "error" not in record
        and record.get("fingerprint") == fingerprints.get(str(record.get("pair")), "")
    }
    left = {key for key in wanted if key not in known}

    def tell() -> None:
        if progress:
            progress(len(wanted) - len(left), len(wanted))

    tell()
    for tasks in _tasks(dataset, contenders, protocol, left, workers or usable_cpus()):
        for record in _carried_out(tasks, workers or usable_cpus()):
            journal.add(record)
            known[_key(record)] = record
            left.remove(_key(record))
            tell()
    return [known[key] for key in wanted]


def _key(record: Record) -> tuple[str, str]:
    return record["contender"], record["pair"]


def _fingerprint(pair: Pair) -> str:
    """Tell a pair from others of its name: by its truth, and the size and time of its files."""
    files = [
        (photo.stat().st_size, photo.stat().st_mtime_ns) if photo.exists() else None
        for photo in (pair.photo0, pair.photo1)
    ]
    return hashlib.sha256(pickle.dumps((pair.truth, files), protocol=5)).hexdigest()[:16]


def _tasks(
    dataset: Dataset,
    contenders: Sequence[Contender],
    protocol: Protocol,
    left: set[tuple[str, str]],
    workers: int,
) -> Iterator[list[Task]]:
    """Yield, for each extractor, what is left to do; each gets processes of its own, to tell their memory."""
    for _, group in groupby(contenders, key=lambda contender: contender.extractor):
        rows = list(group)
        tasks = []
        # Pairs with a photo in common are one task, for it is extracted once; but some for every worker.
        most = max(1, len(left) // (4 * workers))
        for _, neighbours in groupby(dataset, key=lambda pair: (pair.sequence, pair.photo0)):
            work = [(pair, row) for pair in neighbours for row in rows if (row.key, pair.name) in left]
            tasks += [
                Task(tuple(work[start : start + most]), protocol) for start in range(0, len(work), most)
            ]
        if tasks:
            yield tasks


def _carried_out(tasks: Iterable[Task], workers: int) -> Iterator[Record]:
    # Spawned, not forked: libraries that run threads do not survive a fork.
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_get_ready) as pool:
        with one_thread_inherited():  # this is where the pool starts its processes
            futures: list[Future[list[Record]]] = [pool.submit(carry_out, task) for task in tasks]
        try:
            for future in as_completed(futures):
                yield from future.result()
        except BrokenProcessPool:
            raise TiepointError(
                "a worker process died, most likely for lack of memory; fewer workers need less"
            ) from None
        finally:
            for future in futures:
                future.cancel()


def _get_ready() -> None:
    core.set_threads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, killed for instance."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def carry_out(task: Task) -> list[Record]:
    """Measure what a task says; in a worker."""
    records = []
    for pair, contender in task.work:
        record: Record = {
            "contender": contender.key,
            "pair": pair.name,
            "sequence": pair.sequence,
            "fingerprint": _fingerprint(pair),
        }
        try:
            record |= _measured(pair, contender, task.protocol)
        except TiepointError as error:
            record["error"] = str(error)
        records.append({**record, "peak_memory": _peak_memory()})
    return records


def _measured(pair: Pair, contender: Contender, protocol: Protocol) -> Record:
    side0, side1 = (_seen(photo, protocol, contender.extractor) for photo in (pair.photo0, pair.photo1))
    return {
        "photo_sizes": [list(side.extracted.features.image_size) for side in (side0, side1)],
        **measure_features(
            side0.extracted,
            side1.extracted,
            truth_reduced(pair.truth, side0.reduced_from_photo, side1.reduced_from_photo),
            contender.matcher,
            protocol,
        ),
    }


class Side(NamedTuple):
    """One photo of a pair, as an extractor sees it."""

    extracted: Extracted
    reduced_from_photo: NDArray[np.float64]


# The photos of a sequence come one after the other, and the first of them in every pair.
@lru_cache(maxsize=8)
def _seen(photo: Path, protocol: Protocol, extractor: Extractor) -> Side:
    image, matrix = reduced(read_image(photo), protocol.short_side, exact=protocol.exact)
    return Side(timed_features(image, extractor), matrix)


def _peak_memory() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
