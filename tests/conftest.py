"""What tests share: seeded randomness, the rendered pair, the real photos."""

from __future__ import annotations

import os
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import tiepoint as tp
from tests.misbehaving_server import Server
from tiepoint import transfer, weights
from tiepoint.evaluation import RenderedPair, render_demo


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """Randomness seeded from the test's own name: each failure comes again."""
    return np.random.default_rng(zlib.crc32(request.node.nodeid.encode()))


@pytest.fixture(scope="session")
def scene() -> RenderedPair:
    """Two rendered photos whose truth is known."""
    return render_demo(width=400, height=300)


@pytest.fixture(scope="session")
def photo_files(scene: RenderedPair, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The rendered photos as files."""
    import PIL.Image

    folder = tmp_path_factory.mktemp("photos")
    paths = folder / "building 1.png", folder / "building 2.png"
    for path, image in zip(paths, (scene.image0, scene.image1), strict=True):
        PIL.Image.fromarray(np.asarray(image)).save(path)
    return paths


@pytest.fixture(scope="session")
def flat() -> tp.Image:
    """A photo without any feature."""
    return tp.Image(pixels=np.full((120, 160, 3), 128, np.uint8))


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real photos; .ci/run sets TIEPOINT_DATA, elsewhere these tests are skipped."""
    folder = os.environ.get("TIEPOINT_DATA")
    if not folder:
        pytest.skip("TIEPOINT_DATA does not name the folder of real photos")
    path = Path(folder)
    assert path.is_dir(), f"TIEPOINT_DATA is {folder}, which is no folder"
    return path


@pytest.fixture(scope="session")
def weights_of() -> Callable[..., None]:
    """What skips a test where weights are not cached; if TIEPOINT_WEIGHTS is set, they must be."""

    def require(*names: str) -> None:
        command = weights.missing(*names)
        if command is None:
            return
        if os.environ.get("TIEPOINT_WEIGHTS"):
            pytest.fail(f"weights are missing in TIEPOINT_WEIGHTS; fetch them with: {command}")
        pytest.skip(f"weights are missing; {command}")

    return require


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server on this machine; waits are short."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(transfer, "PAUSE", 0.0)
    monkeypatch.setattr(transfer, "TIMEOUT", 5.0)
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.done.set()
        made.shutdown()
        thread.join()
