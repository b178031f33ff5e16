"""Make the pictures of README and docs from the rendered scene: python docs/make_pictures.py."""

from __future__ import annotations

from pathlib import Path

import tiepoint as tp
from tiepoint.evaluation import render_demo
from tiepoint.extractors.opencv.orb import Orb
from tiepoint.extractors.opencv.sift import Sift
from tiepoint.geometry import facing, warp
from tiepoint.matchers import NearestNeighbour
from tiepoint.plotting import save_alignment, save_keypoints, save_matches

PICTURES = Path(__file__).parent / "pictures"
SHOWN = 60


def main() -> None:
    """Write every picture."""
    PICTURES.mkdir(exist_ok=True)
    scene = render_demo()
    first, second = (
        tp.Image(pixels=image.pixels, path=f"building_{number}.jpg")
        for number, image in enumerate((scene.image0, scene.image1), start=1)
    )
    for name, extractor in (
        ("orb", Orb(max_keypoints=150)),
        ("orb_spread", Orb(max_keypoints=150, spread=True)),
        ("sift", Sift(max_keypoints=300)),
    ):
        features = extractor.extract(first)
        save_keypoints(PICTURES / f"keypoints_{name}.jpg", first, features, width=480)
    for name, ratio in (("cross_check", None), ("ratio", 0.8)):
        matcher = NearestNeighbour(ratio=ratio)
        result = tp.match(first, second, extractor="sift", matcher=matcher, verify=False)
        ranked = result.matches.strongest(len(result.matches))
        # From the best to the last, not the best only: the page is about what a filter lets pass.
        shown = ranked[:: len(ranked) // SHOWN]
        title = f"SIFT: {len(shown)} of {len(ranked)} matches, from the most to the least distinct"
        path = PICTURES / f"matches_{name}.jpg"
        save_matches(path, shown, image0=first, image1=second, top=len(shown), title=title, width=900)
    save_matches(PICTURES / "matches_agree.jpg", tp.match(first, second), width=900)
    flat = tp.match(first, second, model="homography").geometry
    assert flat is not None
    assert flat.matrix is not None
    warped, covered = warp(second, facing(flat.matrix, flat.matches.xy0[flat.inliers]), first.size)
    save_alignment(
        PICTURES / "aligned_checkerboard.jpg", first, warped, covered, mode="checkerboard", width=480
    )


if __name__ == "__main__":
    main()
