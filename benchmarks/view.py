"""How fast and how large the page of a pair is: time between frames in a real browser, and bytes.

Frames are counted while the page is moved as a person moves it, by wheel events, a drag, a slider, with
5000 matches shown. A page that keeps up with the screen draws one every 16.7 ms. The browser runs without a
graphics card, which is the slowest that a page meets. "busy" is the CPU time that the page's own thread takes
for a frame: unlike the time between frames it says about the same while other programs run.

    python benchmarks/view.py [--small]

Needs Chromium and playwright (``pip install 'tiepoint[browser]'``); TIEPOINT_BROWSER names another
executable.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from tables import markdown

import tiepoint as tp
from tiepoint.plotting.pages.view import matches_page
from tiepoint.types import Features, Geometry, Image, Matches, MatchResult

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip
H_1_from_0 = np.array([[0.9, -0.12, 300.0], [0.12, 0.9, 40.0], [1e-5, 0.0, 1.0]])

# Each frame moves the page once and notes when it was drawn.
MOVE = """([what, frames]) => new Promise((done) => {
  const times = [], box = STAGE.getBoundingClientRect();
  const wheel = (dx, deltaY) => STAGE.dispatchEvent(new WheelEvent("wheel", {
    clientX: box.left + 400 + dx, clientY: box.top + 250, deltaY, bubbles: true, cancelable: true,
  }));
  const moves = {
    zoom: (k) => wheel(k % 90, k % 80 < 40 ? -8 : 8),
    pan: (k) => {
      if (!k) zoom(0, 1.2, 400, 250);
      pan(0, k % 40 < 20 ? 4 : -4, k % 40 < 20 ? 2 : -2);
      moved();
    },
    slider: (k) => choose("distance", 300 - (k % 60)),
  };
  let k = 0;
  const frame = (now) => {
    times.push(now);
    if (k > frames) return done(times);
    moves[what](k++);
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})"""


# Reading a pixel back makes the browser draw now.
STILL = "() => { drawLines(); return LAYERS.lines.pen.getImageData(0, 0, 1, 1).data[0]; }"


def main() -> int:
    """Run the benchmark; 0 if every page kept its size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="few frames, small photos: does it run?")
    small = parser.parse_args().small
    executable = (
        os.environ.get("TIEPOINT_BROWSER") or shutil.which("chromium") or shutil.which("google-chrome")
    )
    if executable is None:
        sys.exit("there is no Chromium; TIEPOINT_BROWSER names one")
    from playwright.sync_api import sync_playwright

    width, height = (800, 600) if small else (4000, 3000)
    result = made(width, height, 5000)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "page.html"
        sizes = []
        for full in (False, True):
            path.write_bytes(matches_page(result, full=full).encode())
            sizes.append((f"two photos of {width}x{height}{', --full' if full else ''}", path.stat().st_size))
        path.write_bytes(matches_page(result).encode())
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        rows = []
        for density in (1, 2):
            page = browser.new_page(viewport={"width": 1600, "height": 900}, device_scale_factor=density)
            client = page.context.new_cdp_session(page)
            client.send("Performance.enable", {"timeDomain": "threadTicks"})
            page.goto(path.as_uri())
            page.wait_for_selector("html.running")
            page.wait_for_timeout(500)
            shown = page.evaluate("() => selection.shown.length")
            assert shown == 5000, shown
            for what in ("zoom", "pan", "slider"):
                page.evaluate("() => fit()")
                rows.append((what, density, *timed(page, client, what, 30 if small else 240)))
            before = busy_seconds(client)
            page.evaluate(STILL)
            still = (busy_seconds(client) - before) * 1000
            rows.append(("drawn once, still", density, np.nan, np.nan, np.nan, still))
            page.close()
        print(
            f"{platform.machine()}, {os.cpu_count()} CPUs without a graphics card, Chromium {browser.version}"
        )
        print("window 1600x900, 5000 matches shown")
        browser.close()
    lines = [
        [what, str(density), *("" if np.isnan(value) else f"{value:.1f}" for value in times)]
        for what, density, *times in rows
    ]
    print("\n" + markdown(["moved by", "density", "ms a frame, median", "95 %", "slowest", "busy"], lines))
    print("\n" + markdown(["page", "MB"], [[what, f"{size / 1e6:.2f}"] for what, size in sizes]))
    return 0 if sizes[0][1] < 4_000_000 else 1


def timed(page: Any, client: Any, what: str, frames: int) -> tuple[float, float, float, float]:
    """Return the median, the 95th percentile and the longest time between frames, and of computing; in ms."""
    before = busy_seconds(client)
    times = np.diff(page.evaluate(MOVE, [what, frames]))
    computing = (busy_seconds(client) - before) / frames * 1000
    return statistics.median(times), float(np.quantile(times, 0.95)), float(times.max()), computing


def busy_seconds(client: Any) -> float:
    """Return the seconds of CPU that the page's thread has taken."""
    metrics = client.send("Performance.getMetrics")["metrics"]
    return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))


def made(width: int, height: int, count: int) -> MatchResult:
    """Return a result with so many matches, most of which agree, on photos as busy as a camera's."""
    rng = np.random.default_rng(0)
    images = [busy(width, height, rng) for _ in range(2)]
    scale = np.diag([width / 4000, height / 3000, 1.0])
    H = scale @ H_1_from_0 @ np.linalg.inv(scale)
    xy0 = rng.uniform((0.02 * width, 0.02 * height), (0.8 * width, 0.85 * height), (count, 2))
    points = np.column_stack([xy0, np.ones(count)]) @ H.T
    xy1 = np.clip(points[:, :2] / points[:, 2:], 0, (width - 1, height - 1))
    wrong = rng.random(count) < 0.15
    xy1[wrong] = rng.uniform(0, (width - 1, height - 1), (wrong.sum(), 2))
    features0, features1 = (
        Features(
            xy=xy.astype(np.float32),
            size=rng.gamma(2, 4, count).astype(np.float32) + 2,
            angle=rng.uniform(0, 360, count).astype(np.float32),
            descriptors=np.zeros((count, 1), np.uint8),
            metric="l2",
            image_size=(width, height),
            extractor="sift",
        )
        for xy in (xy0, xy1)
    )
    distance = rng.uniform(20, 200, count).astype(np.float32)
    pairs = np.repeat(np.arange(count, dtype=np.int32)[:, None], 2, axis=1)
    matches = Matches.between(
        features0, features1, pairs, distance=distance, second_distance=distance * 2, source="sift"
    )
    geometry = Geometry(
        model="homography",
        matrix=H,
        matches=matches,
        inliers=~wrong,
        max_error=2.0,
        residuals=np.where(wrong, 99, 0.5).astype(np.float32),
    )
    return MatchResult(
        image0=images[0],
        image1=images[1],
        features0=features0,
        features1=features1,
        candidates=matches,
        matches=matches,
        geometry=geometry,
        verdict=tp.types.Verdict(answer="yes", reasons=("made for a measurement",)),
    )


def busy(width: int, height: int, rng: np.random.Generator) -> Image:
    """Return smooth shapes with noise on top."""
    import PIL.Image

    coarse = PIL.Image.fromarray(rng.integers(0, 256, (height // 40, width // 40, 3), np.uint8))
    smooth = np.asarray(coarse.resize((width, height), PIL.Image.Resampling.BICUBIC)).astype(np.int16)
    noisy = smooth + rng.normal(0, 12, (height, width, 1)).astype(np.int16)
    return Image(pixels=np.clip(noisy, 0, 255).astype(np.uint8))


if __name__ == "__main__":
    sys.exit(main())
