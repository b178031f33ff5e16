"""How fast exact matching is: against OpenCV, FLANN, faiss, kornia, NumPy, and the machine's limit.

The descriptors of 128 numbers are SIFT's and RootSIFT's of a rendered scene, the others are drawn at random.
Every row first checks that the peers find the same matches, then times them in turn, with a pause before
each, and prints medians.
All run on the same number of threads. faiss and kornia take part where they are installed. Rows whose
target is for AVX-512 run at the best level there is on a CPU without it, and say so.
"of the limit" holds the whole call against the multiplications (or bit counts) alone at the speed that this
CPU does them in registers; floats are multiplied in 16 bits where that is faster.

    python benchmarks/matching.py                the whole table, with 1 thread and with 2
    python benchmarks/matching.py --write docs/matching.md
    python benchmarks/matching.py --small        small sets, for CI: correctness, no targets
    python benchmarks/matching.py --threads 1 --fail   exit with 1 if a target is missed
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib.metadata
import importlib.util
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tables import markdown, publish

import tiepoint as tp
from tiepoint import core
from tiepoint.evaluation import render_demo
from tiepoint.matchers import match_descriptors
from tiepoint.types import Metric

Pairs = set[tuple[int, int]]
RATIO = 0.8
PAUSE = 0.3  # seconds before each call: so long do threads of the peer before wait for work at full speed


@dataclass(frozen=True)
class Row:
    """One line of the table: what is matched, how, and by how much it must be faster than cv2."""

    kind: str
    n: int
    how: str  # "cross-check" or "ratio + cross-check"
    target: float
    level: str = "avx512"
    approximate: bool = False


ROWS = (
    Row("hamming 256", 2000, "cross-check", 45),
    Row("hamming 256", 8000, "cross-check", 50),
    Row("hamming 256", 20000, "cross-check", 50),
    Row("uint8 128", 2000, "cross-check", 40),
    Row("uint8 128", 8000, "cross-check", 50),
    Row("uint8 128", 8000, "ratio + cross-check", 45),
    Row("uint8 128", 8000, "ratio + cross-check, FLANN", 5, approximate=True),
    Row("float32 128", 2000, "cross-check", 12),
    Row("float32 128", 8000, "cross-check", 12),
    Row("float32 64", 2000, "cross-check", 12),
    Row("float32 64", 8000, "cross-check", 12),
    Row("hamming 256", 8000, "cross-check", 10, level="avx2"),
    Row("uint8 128", 8000, "cross-check", 15, level="avx2"),
)


@functools.cache
def rendered(width: int) -> tuple[tp.Features, tp.Features]:
    """Describe the two photos of the rendered scene."""
    pair = render_demo(width=width, height=3 * width // 4)
    features0, features1 = (
        tp.extract(photo, "sift", max_keypoints=20000) for photo in (pair.image0, pair.image1)
    )
    return features0, features1


def root(descriptors: NDArray[Any]) -> NDArray[np.float32]:
    """Turn SIFT's descriptors into RootSIFT's, as floats (Arandjelovic and Zisserman 2012)."""
    values = descriptors.astype(np.float32)
    rooted: NDArray[np.float32] = np.sqrt(values / values.sum(axis=1, keepdims=True))
    return rooted


def pair_of_sets(kind: str, n: int) -> tuple[NDArray[Any], NDArray[Any], Metric]:
    """Take two sets of descriptors that belong together."""
    rng = np.random.default_rng(n)
    name, _, size = kind.partition(" ")
    if size == "128":
        width = 400 if n < 1000 else 2000
        a, b = (features.strongest(n).descriptors for features in rendered(width))
        if len(a) < n or len(b) < n:
            sys.exit(f"the scene gives fewer than {n} descriptors")
        return (a, b, "l2") if name == "uint8" else (root(a), root(b), "l2")
    order = rng.permutation(n)
    if name == "hamming":
        a = rng.integers(0, 256, (n, int(size) // 8), dtype=np.uint8)
        flipped = rng.integers(0, 256, a.shape, dtype=np.uint8) & rng.integers(
            0, 256, a.shape, dtype=np.uint8
        )
        return a, a[order] ^ (flipped & rng.integers(0, 256, a.shape, dtype=np.uint8)), "hamming"
    values = rng.normal(size=(n, int(size)))
    a = values.astype(np.float32)
    return a, (values[order] + rng.normal(0, 0.5, values.shape)).astype(np.float32), "l2"


def ours(a: NDArray[Any], b: NDArray[Any], metric: Metric, row: Row, threads: int) -> NDArray[np.int32]:
    """Match by the public call."""
    ratio = RATIO if row.how.startswith("ratio") else None
    return match_descriptors(a, b, metric, ratio=ratio, threads=threads)[0]


def opencv(a: NDArray[Any], b: NDArray[Any], metric: Metric, row: Row) -> Any:
    """Match as OpenCV's users do."""
    norm = cv2.NORM_HAMMING if metric == "hamming" else cv2.NORM_L2
    if row.how == "cross-check":
        return cv2.BFMatcher(norm, crossCheck=True).match(a, b)
    matcher: Any = cv2.BFMatcher(norm)
    if row.approximate:
        matcher = cv2.FlannBasedMatcher({"algorithm": 1, "trees": 5}, {"checks": 50})
    return matcher.knnMatch(a, b, k=2), matcher.knnMatch(b, a, k=2)


def opencv_pairs(found: Any, row: Row) -> Pairs:
    """Return OpenCV's matches as pairs."""
    if row.how == "cross-check":
        return {(m.queryIdx, m.trainIdx) for m in found}
    there, back = found
    nearest_back = {m.queryIdx: m.trainIdx for m, _ in back}
    return {
        (m.queryIdx, m.trainIdx)
        for m, second in there
        if m.distance < RATIO * second.distance and nearest_back[m.trainIdx] == m.queryIdx
    }


def faiss_both_ways(a: NDArray[Any], b: NDArray[Any], metric: Metric) -> Callable[[], Pairs]:
    """Return a search by faiss, flat, both ways."""
    import faiss

    def search() -> Pairs:
        nearest = []
        for query, base in ((a, b), (b, a)):
            if metric == "hamming":
                index = faiss.IndexBinaryFlat(8 * base.shape[1])
            else:
                index = faiss.IndexFlatL2(base.shape[1])
            index.add(base)
            nearest.append(index.search(query, 1)[1][:, 0])
        return mutual(*nearest)

    return search


def numpy_both_ways(a: NDArray[Any], b: NDArray[Any]) -> Pairs:
    """Match by one matrix product, in blocks."""
    norms = (b * b).sum(axis=1)
    there = np.empty(len(a), np.int64)
    best = np.full(len(b), np.inf, np.float32)
    back = np.zeros(len(b), np.int64)
    for top in range(0, len(a), 1024):
        block = a[top : top + 1024]
        squared = (block * block).sum(axis=1)[:, None] + norms - 2 * (block @ b.T)
        there[top : top + 1024] = squared.argmin(axis=1)
        row = squared.argmin(axis=0)
        value = squared[row, np.arange(len(b))]
        back = np.where(value < best, row + top, back)
        best = np.minimum(best, value)
    return mutual(there, back)


def kornia_mutual(a: NDArray[Any], b: NDArray[Any]) -> Callable[[], Pairs]:
    """Return a match by kornia."""
    import torch
    from kornia.feature import match_mnn

    x, y = torch.from_numpy(a), torch.from_numpy(b)
    return lambda: {(int(i), int(j)) for i, j in match_mnn(x, y)[1]}


def mutual(there: NDArray[Any], back: NDArray[Any]) -> Pairs:
    """Return the pairs that chose each other."""
    keep = back[there] == np.arange(len(there))
    return set(zip(np.flatnonzero(keep).tolist(), there[keep].tolist(), strict=True))


def median_times(calls: list[Callable[[], Any]], rounds: int, pause: float) -> list[float]:
    """Time calls in turn, so that a slow moment of the machine hits all of them, each after a pause."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for mine, call in zip(times, calls, strict=True):
            time.sleep(pause)
            start = time.perf_counter()
            call()
            mine.append(time.perf_counter() - start)
    return [statistics.median(mine) for mine in times]


def share_of_limit(kind: str, n: int, seconds: float, threads: int) -> str:
    """Return how near a time comes to that of the multiplications (or bit counts) alone."""
    if not core.available():
        return ""
    name, _, size = kind.partition(" ")
    step = {"hamming": "bits", "uint8": "bytes", "float32": "floats"}[name]
    limit = core.compiled.most_per_second(step) * threads
    return f"{100 * n * n * int(size) / limit / seconds:.0f} %"


def check_same(mine: Pairs, theirs: Pairs, who: str, *, ties: bool) -> None:
    """Stop unless two matchers agree; floats may differ where float32 cannot tell."""
    apart = len(mine ^ theirs)
    if apart > (len(mine) // 1000 if ties else 0):
        sys.exit(f"{who} finds other matches: {apart} of {len(mine)} differ")


def run(row: Row, threads: int, rounds: int, pause: float) -> list[str]:
    """Check and time one row."""
    a, b, metric = pair_of_sets(row.kind, row.n)
    cv2.setNumThreads(threads)
    x, y = (a, b) if metric == "hamming" else (a.astype(np.float32), b.astype(np.float32))
    pairs = {(int(i), int(j)) for i, j in ours(a, b, metric, row, threads)}
    found = opencv(x, y, metric, row)
    note = ""
    if row.approximate:
        exact = match_descriptors(a, b, metric, cross_check=False)[0][:, 1]
        right = np.mean([m.trainIdx == j for (m, _), j in zip(found[0], exact, strict=True)])
        note = f"{100 * right:.0f} % of its nearest neighbours are right"
    else:
        check_same(pairs, opencv_pairs(found, row), "OpenCV", ties=row.kind.startswith("float"))
    calls: list[Callable[[], Any]] = [
        lambda: ours(a, b, metric, row, threads),
        lambda: opencv(x, y, metric, row),
    ]
    names = []
    if row.how == "cross-check":
        if importlib.util.find_spec("faiss"):
            import faiss

            faiss.omp_set_num_threads(threads)
            names.append("faiss")
            calls.append(faiss_both_ways(x, y, metric))
        if metric == "l2":
            if importlib.util.find_spec("kornia"):
                import torch

                torch.set_num_threads(threads)
                names.append("kornia")
                calls.append(kornia_mutual(x, y))
            if threads == 1 or importlib.util.find_spec("threadpoolctl"):
                names.append("numpy")
                calls.append(lambda: numpy_both_ways(x, y))
        for name, call in zip(names, calls[2:], strict=True):
            check_same(pairs, call(), name, ties=True)
    mine, cv, *others = median_times(calls, rounds, pause)
    notes = [note] if note else []
    notes += [f"{name} {other / mine:.1f}x" for name, other in zip(names, others, strict=True)]
    return [
        f"{row.kind}, {row.how}",
        str(row.n),
        core.level(),
        str(threads),
        f"{1e3 * mine:.1f} ms",
        f"{1e3 * cv:.0f} ms",
        f"{cv / mine:.1f}x",
        f"{row.target:g}x",
        share_of_limit(row.kind, row.n, mine, threads),
        ", ".join(notes),
    ]


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--small", action="store_true", help="small sets: correctness only")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table into a page of the docs")
    parser.add_argument("--fail", action="store_true", help="exit with 1 if a target is missed")
    arguments = parser.parse_args()
    versions = [f"OpenCV {cv2.__version__}", f"NumPy {np.__version__}"]
    versions += [
        f"{name} {importlib.metadata.version(package)}"
        for name, package in (("faiss", "faiss-cpu"), ("kornia", "kornia"))
        if importlib.util.find_spec(name)
    ]
    machine = "no compiled core"
    if core.available():
        machine = f"level {core.level()} on {core.compiled.cpu_name()}"
    machine = f"{machine}; {', '.join(versions)}"
    print(machine)
    lines, missed = [], []
    for threads in arguments.threads:
        # NumPy's BLAS takes as many threads as everyone else.
        if importlib.util.find_spec("threadpoolctl"):
            import threadpoolctl

            threadpoolctl.threadpool_limits(threads)
        for row in ROWS:
            small = Row(row.kind, 300, row.how, 0, row.level, row.approximate) if arguments.small else row
            # Without the level that a target is for, the row still tells something at the best one there is.
            level = row.level if row.level in core.available() else core.level()
            with core._forced(level) if level != "numpy" else contextlib.nullcontext():
                line = run(small, threads, arguments.rounds, 0 if arguments.small else PAUSE)
            if level != row.level:
                line[7] = f"({row.target:g}x: {row.level}, not run)"
            elif float(line[6][:-1]) < small.target:
                missed.append(line)
            lines.append(line)
    head = [
        "descriptors",
        "N",
        "level",
        "threads",
        "tiepoint",
        "cv2",
        "ratio",
        "target",
        "of the limit",
        "others",
    ]
    page = f"Measured at {machine}.\n\n{markdown(head, lines)}"
    publish("matching", page, arguments.write, check=False)
    for line in missed:
        print(f"missed: {line[0]} {line[1]}, {line[3]} threads: {line[6]} of {line[7]}")
    if missed and arguments.fail:
        sys.exit(1)


if __name__ == "__main__":
    main()
