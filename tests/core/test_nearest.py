"""Every level of the compiled core against the definition, at sizes around every lane count."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import tiepoint as tp
from tiepoint import core
from tiepoint.matchers import match_descriptors, match_one_to_many
from tiepoint.matchers.neighbours import Nearest, nearest_both_ways, nearest_both_ways_numpy
from tiepoint.types import Metric

pytestmark = pytest.mark.skipif(not core.available(), reason="installed without the compiled core")

SIZES = (1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 64, 65, 130)
DIMENSIONS = (1, 3, 7, 8, 15, 16, 17, 31, 32, 33, 61, 64, 128, 130, 300)
KINDS: tuple[tuple[Metric, str], ...] = (("hamming", "uint8"), ("l2", "uint8"), ("l2", "float32"))


def squared(a: NDArray[Any], b: NDArray[Any], metric: Metric) -> NDArray[np.float64]:
    """The definition: all distances, squared for l2."""
    if metric == "hamming":
        return np.asarray(np.unpackbits(a[:, None] ^ b[None], axis=2).sum(axis=2), np.float64)
    return np.asarray(((a[:, None].astype(float) - b[None].astype(float)) ** 2).sum(axis=2), np.float64)


def check(found: Nearest, distances: NDArray[np.float64], metric: Metric, *, rtol: float) -> None:
    index = distances.argmin(axis=1)
    best = distances.min(axis=1)
    distances = distances.copy()
    distances[np.arange(len(index)), index] = np.inf
    finish = np.sqrt if metric == "l2" else np.asarray
    assert found.index.tolist() == index.tolist()
    np.testing.assert_allclose(found.distance, finish(best).astype(np.float32), rtol=rtol)
    np.testing.assert_allclose(
        found.second_distance, finish(distances.min(axis=1)).astype(np.float32), rtol=rtol
    )


def make(rng: np.random.Generator, n: int, dim: int, dtype: str, kind: str) -> NDArray[Any]:
    """Draw any, few values (so that ties abound), only extremes, all equal, or whole rows repeated."""
    if kind == "equal":
        return np.full((n, dim), 255, dtype)
    if kind == "rows":
        return make(np.random.default_rng(dim), 3, dim, dtype, "any")[rng.integers(0, 3, n)]
    if kind == "few":
        return rng.integers(0, 2, (n, dim)).astype(dtype)
    if kind == "extremes":
        return (rng.integers(0, 2, (n, dim)) * 255).astype(dtype)
    return rng.integers(0, 256, (n, dim)).astype(dtype)


@pytest.fixture(params=core.available())
def level(request: pytest.FixtureRequest) -> Any:
    with core._forced(request.param):
        yield request.param


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize("dim", DIMENSIONS)
@pytest.mark.parametrize(("metric", "dtype"), KINDS)
def test_sizes_around_every_lane_count(
    metric: Metric, dtype: str, dim: int, rng: np.random.Generator
) -> None:
    kinds = ("any", "few", "extremes", "equal", "rows")
    for (n, m), kind in zip(itertools.product(SIZES, SIZES), itertools.cycle(kinds), strict=False):
        a, b = make(rng, n, dim, dtype, kind), make(rng, m, dim, dtype, kind)
        distances = squared(a, b, metric)
        from0, from1 = nearest_both_ways(a, b, metric, 1)
        # Whole numbers: exact in double precision for floats too.
        check(from0, distances, metric, rtol=0)
        check(from1, distances.T, metric, rtol=0)


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize(("metric", "dtype"), KINDS)
@pytest.mark.parametrize(("n", "m"), [(65, 65), (130, 33), (33, 130)])
def test_second_nearest_of_the_other_side_only_if_asked_for(
    metric: Metric, dtype: str, n: int, m: int, rng: np.random.Generator
) -> None:
    for kind in ("any", "few", "rows"):
        a, b = make(rng, n, 16, dtype, kind), make(rng, m, 16, dtype, kind)
        (asked0, asked1), (from0, from1) = (
            nearest_both_ways(a, b, metric, 1, second_back=second_back) for second_back in (True, False)
        )
        for ours, theirs in ((from0, asked0), (from1, asked1)):
            assert ours.index.tolist() == theirs.index.tolist()
            assert ours.distance.tolist() == theirs.distance.tolist()
        assert from0.second_distance.tolist() == asked0.second_distance.tolist()
        assert len(from1.second_distance) in (0, m)


@pytest.mark.usefixtures("level")
@settings(max_examples=100, deadline=None)
@given(
    n=st.sampled_from((1, 2, 15, 16, 17, 33)),
    m=st.integers(1, 70),
    dim=st.integers(1, 70),
    kind=st.sampled_from(("any", "few", "extremes", "equal", "rows")),
    which=st.sampled_from(KINDS),
    seed=st.integers(0, 2**32 - 1),
)
def test_fuzz(n: int, m: int, dim: int, kind: str, which: tuple[Metric, str], seed: int) -> None:
    metric, dtype = which
    rng = np.random.default_rng(seed)
    a, b = make(rng, n, dim, dtype, kind), make(rng, m, dim, dtype, kind)
    distances = squared(a, b, metric)
    from0, from1 = nearest_both_ways(a, b, metric, 1)
    check(from0, distances, metric, rtol=0)
    check(from1, distances.T, metric, rtol=0)


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize("metric", ["l2", "cosine"])
@pytest.mark.parametrize("case", ["outlier", "larger", "tiny", "crowds", "bytes", "zeros"])
def test_floats_that_rounding_would_confuse(metric: Metric, case: str, rng: np.random.Generator) -> None:
    a = rng.normal(size=(200, 37)).astype(np.float32)
    b = (a[rng.permutation(200)] + 0.5 * rng.normal(size=a.shape)).astype(np.float32)
    if case == "outlier":  # one norm far above all others
        b[7] *= 1e6
    elif case == "larger":  # the sets differ in scale
        a *= 300
    elif case == "tiny":  # beyond a float's squares
        a, b = a * np.float32(1e-35), b * np.float32(1e-35)
    elif case == "crowds":  # many so near each other that 16 bits do not tell them apart
        b = (b[rng.integers(0, 5, 200)] + 1e-5 * rng.normal(size=a.shape)).astype(np.float32)
    elif case == "bytes":  # exact ties
        a, b = (rng.integers(0, 3, x.shape).astype(np.float32) for x in (a, b))
    elif case == "zeros":
        a[::3], b[::5] = 0, 0
    x, y = a.astype(float), b.astype(float)
    if metric == "cosine":  # as numbers of a unit vector; those without direction share one of their own
        x, y = (np.c_[z, ~z.any(axis=1)] for z in (x, y))
        x, y = (z / np.linalg.norm(z, axis=1, keepdims=True) for z in (x, y))
    squared = np.array([((y - row) ** 2).sum(axis=1) for row in x])
    for found, distances in zip(nearest_both_ways(a, b, metric, 2), (squared, squared.T), strict=True):
        best, second = np.sort(distances, axis=1)[:, :2].T
        chosen = distances[np.arange(len(distances)), found.index]
        np.testing.assert_allclose(chosen, best, rtol=1e-12, atol=1e-15)
        for ours, expected in ((found.distance, best), (found.second_distance, second)):
            expected = expected / 2 if metric == "cosine" else np.sqrt(expected)
            np.testing.assert_allclose(ours, expected, rtol=1e-6, atol=1e-15)


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1.0, 1e18])
@pytest.mark.parametrize("metric", ["l2", "cosine"])
def test_floats_as_in_double_precision(metric: Metric, scale: float, rng: np.random.Generator) -> None:
    a = (scale * rng.normal(size=(300, 61))).astype(np.float32)
    near = a[rng.permutation(300)] + np.float32(scale * 1e-4) * rng.normal(size=a.shape).astype(np.float32)
    b = np.concatenate([near, near[:100], a[:50]])
    for found, expected in zip(
        nearest_both_ways(a, b, metric, 2), nearest_both_ways_numpy(a, b, metric), strict=True
    ):
        assert found.index.tolist() == expected.index.tolist()
        tiny = 1e-12 if metric == "cosine" else 0
        np.testing.assert_allclose(found.distance, expected.distance, rtol=1e-5, atol=tiny)
        np.testing.assert_allclose(found.second_distance, expected.second_distance, rtol=1e-5, atol=tiny)


@pytest.mark.usefixtures("level")
def test_vectors_without_direction_are_at_cosine_distance_one(rng: np.random.Generator) -> None:
    a = rng.normal(size=(50, 61)).astype(np.float32)
    b = np.concatenate([a[7:9], np.zeros((3, 61), np.float32)])
    _, from1 = nearest_both_ways(a, b, "cosine", 1)
    assert from1.index.tolist() == [7, 8, 0, 0, 0]
    assert from1.distance.tolist() == [0, 0, 1, 1, 1]
    itself, _ = nearest_both_ways(b, b, "cosine", 1)
    assert itself.index.tolist() == [0, 1, 2, 2, 2]
    assert itself.second_distance[2:].tolist() == [0, 0, 0]


@pytest.mark.usefixtures("level")
def test_sets_of_very_different_size_of_numbers(rng: np.random.Generator) -> None:
    a = rng.normal(size=(40, 8)).astype(np.float32)
    b = np.float32(1e30) * rng.normal(size=(33, 8)).astype(np.float32)
    for x, y in ((a, b), (b, a)):
        for found, expected in zip(
            nearest_both_ways(x, y, "l2", 1), nearest_both_ways_numpy(x, y, "l2"), strict=True
        ):
            assert found.index.tolist() == expected.index.tolist()
            np.testing.assert_allclose(found.distance, expected.distance, rtol=1e-5)


@pytest.mark.parametrize(
    ("metric", "dtype", "dim"),
    [("hamming", "uint8", 32), ("l2", "uint8", 128), ("l2", "float32", 64), ("cosine", "float32", 33)],
)
def test_same_at_every_level_and_for_any_number_of_threads(
    metric: Metric, dtype: str, dim: int, rng: np.random.Generator
) -> None:
    a, b = make(rng, 3000, dim, dtype, "any"), make(rng, 2900, dim, dtype, "any")
    a[100:150], b[:50], b[2000:2050] = 7, a[200:250], a[200:250]
    results = []
    for name in core.available():
        with core._forced(name):
            for threads in (1, 2, 3):
                from0, from1 = nearest_both_ways(a, b, metric, threads)
                results.append(
                    [x.tobytes() for f in (from0, from1) for x in (f.index, f.distance, f.second_distance)]
                )
    assert all(result == results[0] for result in results)


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize("dim", [2000, 8256, 8257])
def test_long_descriptors_of_bytes(dim: int, rng: np.random.Generator) -> None:
    for kind in ("any", "extremes"):
        a, b = make(rng, 20, dim, "uint8", kind), make(rng, 35, dim, "uint8", kind)
        a[0], b[3] = 0, 255
        for metric in ("l2", "hamming"):
            from0, from1 = nearest_both_ways(a, b, metric, 1)
            check(from0, squared(a, b, metric), metric, rtol=0)
            check(from1, squared(b, a, metric), metric, rtol=0)


def test_one_to_many_is_many_times_one(rng: np.random.Generator) -> None:
    a = make(rng, 200, 128, "uint8", "any")
    others = [make(rng, n, 128, "uint8", "any") for n in (0, 1, 50, 300)]
    many = list(match_one_to_many(a, others, "l2", ratio=0.9))
    for found, other in zip(many, others, strict=True):
        for x, y in zip(found, match_descriptors(a, other, "l2", ratio=0.9), strict=True):
            assert x.tolist() == y.tolist()


def test_strided_arrays(rng: np.random.Generator) -> None:
    a = make(rng, 100, 64, "uint8", "any")
    view = a[::2, ::-1]
    for x, y in zip(
        match_descriptors(view, a[:, ::-1], "l2"),
        match_descriptors(view.copy(), a[:, ::-1].copy(), "l2"),
        strict=True,
    ):
        assert x.tolist() == y.tolist()


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True
    )


def test_the_environment_forces_a_level() -> None:
    code = "from tiepoint import core; print(core.level(), core.threads())"
    assert python(code, TIEPOINT_SIMD="scalar", TIEPOINT_THREADS="3").stdout.split() == ["scalar", "3"]
    done = python(code, TIEPOINT_SIMD="mmx")
    assert "OptionError: TIEPOINT_SIMD is 'mmx', but this CPU runs: " in done.stderr
    assert core.available()[-1] == "scalar"
    assert "OptionError: TIEPOINT_THREADS" in python(code, TIEPOINT_THREADS="-1").stderr


@pytest.mark.parametrize("n", [0, -1, 1.5, True, "two"])
def test_threads_are_checked(n: Any) -> None:
    with pytest.raises(tp.OptionError, match="threads must be a whole number"):
        tp.set_threads(n)
    with pytest.raises(tp.OptionError, match="threads must be a whole number"):
        match_descriptors(np.zeros((1, 1), np.uint8), np.zeros((1, 1), np.uint8), "l2", threads=n)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_has_threads_of_its_own() -> None:
    code = (
        "import os, warnings, numpy as np\n"
        "warnings.simplefilter('ignore')\n"
        "from tiepoint.matchers import match_descriptors\n"
        "a = np.random.default_rng(0).integers(0, 256, (3000, 32), dtype=np.uint8)\n"
        "match_descriptors(a, a, 'hamming', threads=3)\n"
        "child = os.fork()\n"
        "found = len(match_descriptors(a, a, 'hamming', threads=3)[0])\n"
        "os.write(1, b'%d\\n' % found)\n"  # in one piece: both processes write
        "if child: print(os.waitpid(child, 0)[1])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert sorted(done.stdout.split()) == ["0", "3000", "3000"], done.stderr


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise there")
@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="only Linux says where a thread may run")
def test_helpers_may_run_on_every_cpu_that_the_process_may() -> None:
    code = (
        "import numpy as np, os, sys, time\n"
        "from tiepoint.matchers import match_descriptors\n"
        "a = np.random.default_rng(0).integers(0, 256, (2000, 128), dtype=np.uint8)\n"
        "before = set(os.listdir('/proc/self/task'))\n"
        "match_descriptors(a, a, 'l2', threads=2)\n"
        "[helper] = set(os.listdir('/proc/self/task')) - before\n"
        "patience = time.monotonic() + 5  # not needed, it may still be on its way\n"
        "while os.sched_getaffinity(int(helper)) != os.sched_getaffinity(0):\n"
        "    if time.monotonic() > patience: sys.exit('the helper stays where it was sent')\n"
        "    time.sleep(0.01)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_ends_a_long_match(threads: int) -> None:
    code = (
        "import numpy as np, os, signal, threading, time\n"
        "from tiepoint.matchers import match_descriptors\n"
        "a = np.zeros((200_000, 128), np.uint8)\n"
        "threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "start = time.perf_counter()\n"
        f"try: match_descriptors(a, a, 'l2', threads={threads})\n"
        "except KeyboardInterrupt: print(time.perf_counter() - start)\n"
    )
    assert float(python(code).stdout) < 10


def test_threads_of_python_run_at_once(rng: np.random.Generator) -> None:
    from concurrent.futures import ThreadPoolExecutor

    a = make(rng, 1500, 32, "uint8", "any")
    with ThreadPoolExecutor(4) as pool:
        results = list(
            pool.map(lambda _: match_descriptors(a, a, "hamming", threads=2)[0].tobytes(), range(12))
        )
    assert len(set(results)) == 1


def test_small_sets_are_quick(rng: np.random.Generator) -> None:
    """500 x 500 must not pay for threads: well under a millisecond."""
    a, b = make(rng, 500, 32, "uint8", "any"), make(rng, 500, 32, "uint8", "any")
    times = []
    for _ in range(50):
        start = time.perf_counter()
        match_descriptors(a, b, "hamming")
        times.append(time.perf_counter() - start)
    assert min(times) < (1e-3 if core.level() != "scalar" else 1e-2)
