"""Peak memory of each extractor for a pixel of the photo, against the figure that it states.

Each extractor runs in processes of its own on two sizes of one smooth random photo; the slope of the
peak memory between them is its need for a pixel. A stated figure below nine tenths of that fails: it
is what keeps a photo that is too LARGE from exhausting the machine.

    python benchmarks/extractor_memory.py [--small]
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from tiepoint.extractors import EXTRACTORS
from tiepoint.extractors.opencv.base import OpenCvExtractor
from tiepoint.extractors.opencv.described import DescribedExtractor

SMALL, LARGE = 1600, 3200  # sides in pixels

WORKER = """
import resource, sys
import numpy as np
import tiepoint as tp
name, side = sys.argv[1], int(sys.argv[2])
# Blocks of 8 x 8 pixels: corners and blobs at a natural density, made without any extra memory.
coarse = np.random.default_rng(0).integers(0, 256, (side // 8, side // 8), dtype=np.uint8)
image = tp.Image(pixels=np.repeat(np.repeat(coarse, 8, axis=0), 8, axis=1))
image.gray
tp.extract(image, name, max_keypoints=2000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def peak(name: str, side: int) -> int:
    """Return the peak memory in bytes of extracting from a square photo."""
    done = subprocess.run(
        [sys.executable, "-c", WORKER, name, str(side)], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--small", action="store_true", help="SIFT and ORB only")
    names = ["orb", "sift"] if parser.parse_args().small else EXTRACTORS.names()
    low = []
    print(f"{'extractor':12} {'measured':>9} {'stated':>9}  bytes a pixel")
    for name in names:
        extractor = EXTRACTORS.load(name)
        if not issubclass(extractor, OpenCvExtractor) or extractor.missing() is not None:
            print(f"{name:12} not installed, not run")
            continue
        described = extractor()
        parts = [described]
        if isinstance(described, DescribedExtractor):
            parts.append(described._detector())
        stated = max(part._bytes_needed(LARGE, LARGE) for part in parts) / LARGE**2
        measured = (peak(name, LARGE) - peak(name, SMALL)) / (LARGE**2 - SMALL**2)
        print(f"{name:12} {measured:9.0f} {stated:9.0f}")
        if stated < 0.9 * measured:
            low.append(name)
    if low:
        sys.exit(f"these state too little: {', '.join(low)}")


if __name__ == "__main__":
    main()
