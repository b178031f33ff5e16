"""Where tiepoint chose for itself in XFeat: how large a photo it sees, and where a cell of XFeat* is.

Right matches, by the true homographies (within 3 pixels) and cameras (within 1.5 pixels of the epipolar
lines), for several values of max_size; and those of XFeat* with a cell at its upper left pixel, as in the
code of its makers, and at its centre.

    TIEPOINT_DATA=... python benchmarks/xfeat_choices.py [--small]
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tiepoint as tp

SIZES = (None, 1600, 1200, 1024, 800, 640)
FOUNTAIN = ((0, 2), (2, 5), (4, 6), (3, 7), (1, 6))
PLANES = (("graf", 2), ("graf", 4), ("wall", 2), ("wall", 4), ("boat", 2), ("boat", 5))
STAR = (("boat", 2), ("boat", 3), ("graf", 2), ("graf", 3), ("wall", 3), ("leuven", 3))
# Nearest neighbours with a cosine of at least this are what the makers' code takes for matches.
MOST_DISTANCE = 1 - 0.82

Floats = NDArray[np.float64]


def plane(folder: Path, name: str, number: int) -> tuple[tp.Image, tp.Image, Floats]:
    """Return two photos of a plane and their true homography."""
    photos = folder / "homography" / name
    truth = np.loadtxt(photos / f"H_1_{number}")
    return tp.read_image(photos / "1.png"), tp.read_image(photos / f"{number}.png"), truth


def transfer_error(truth: Floats, xy0: Any, xy1: Any) -> Floats:
    """Return the distance of points from where a homography has them, in pixels of photo 1."""
    mapped = np.column_stack([xy0, np.ones(len(xy0))]) @ truth.T
    return np.asarray(np.linalg.norm(mapped[:, :2] / mapped[:, 2:] - xy1, axis=1))


def fundamental(cameras: dict[str, Any], first: int, second: int) -> Floats:
    """Return the true fundamental matrix of two photos of fountain-P11."""
    (K0, R0, t0), (K1, R1, t1) = (
        [np.array(cameras["cameras"][i][key], float) for key in "KRt"] for i in (first, second)
    )
    turn = R1 @ R0.T
    x, y, z = t1.ravel() - turn @ t0.ravel()
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.linalg.inv(K1).T @ cross @ turn @ np.linalg.inv(K0))


def line_error(truth: Floats, xy0: Any, xy1: Any) -> Floats:
    """Return the larger distance of two points from each other's epipolar lines, in pixels."""
    x0, x1 = (np.column_stack([xy, np.ones(len(xy))]) for xy in (xy0, xy1))
    lines1, lines0 = x0 @ truth.T, x1 @ truth
    off = np.abs((x1 * lines1).sum(axis=1))
    shorter = np.minimum(*(np.hypot(lines[:, 0], lines[:, 1]) for lines in (lines0, lines1)))
    return np.asarray(off / shorter)


def sizes(folder: Path, *, small: bool) -> None:
    """Print right and all matches for several values of max_size."""
    fountain = folder / "pose" / "fountain-P11"
    cameras = json.loads((fountain / "cameras.json").read_text())
    pairs: list[tuple[str, tuple[tp.Image, tp.Image], Callable[[Any, Any], Floats], float]] = []
    for i, j in FOUNTAIN[: 1 if small else None]:
        photos = tp.read_image(fountain / f"{i:04d}.jpg"), tp.read_image(fountain / f"{j:04d}.jpg")
        pairs.append((f"fountain {i}, {j}", photos, partial(line_error, fundamental(cameras, i, j)), 1.5))
    for name, number in PLANES[: 1 if small else None]:
        image0, image1, truth = plane(folder, name, number)
        pairs.append((f"{name} 1, {number}", (image0, image1), partial(transfer_error, truth), 3.0))
    print("right / all matches of XFeat (4096 keypoints, mutual nearest, cosine 0.82 or more) with max_size")
    print(f"{'pair':16}" + "".join(f"{size or 'none':>12}" for size in SIZES))
    for label, photos, error, limit in pairs:
        counts = []
        for size in SIZES:
            first, second = (
                tp.extract(image, "xfeat", max_keypoints=4096, max_size=size) for image in photos
            )
            matches = tp.match_features(first, second, matcher="nearest", max_distance=MOST_DISTANCE)
            right = int((error(matches.xy0, matches.xy1) < limit).sum())
            counts.append(f"{right}/{len(matches)}")
        print(f"{label:16}" + "".join(f"{count:>12}" for count in counts), flush=True)


def cells(folder: Path, *, small: bool) -> None:
    """Print the right matches of XFeat* with a cell at its corner and at its centre."""
    print("\nmatches of XFeat* within 1 and 3 pixels of the truth, with a cell at its")
    print(f"{'pair':16}{'all':>8}{'corner':>12}{'centre':>12}")
    for name, number in STAR[: 1 if small else None]:
        image0, image1, truth = plane(folder, name, number)
        first, second = (tp.extract(image, "xfeat-star", max_keypoints=4096) for image in (image0, image1))
        matches = tp.match_features(first, second, matcher="xfeat-star")
        assert matches.size0 is not None
        assert matches.size1 is not None
        counts = []
        for shift in (-0.5, 0):  # of the size of a cell
            moved = [
                xy + shift * size[:, None] - shift
                for xy, size in ((matches.xy0, matches.size0), (matches.xy1, matches.size1))
            ]
            off = transfer_error(truth, *moved)
            counts.append(f"{int((off < 1).sum())}, {int((off < 3).sum())}")
        label = f"{name} 1, {number}"
        print(f"{label:16}{len(matches):8}" + "".join(f"{count:>12}" for count in counts), flush=True)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--small", action="store_true", help="three pairs only")
    small = parser.parse_args().small
    folder = Path(os.environ["TIEPOINT_DATA"])
    sizes(folder, small=small)
    cells(folder, small=small)


if __name__ == "__main__":
    main()
