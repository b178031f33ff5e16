"""Every code block of README and docs is run, and every docstring example."""

from __future__ import annotations

import doctest
import pkgutil
import re
import shlex
from importlib import import_module
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import tiepoint
from tiepoint.cli import main_inner
from tiepoint.evaluation import RenderedPair

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# .ci/run proves the commands that install and test, in fresh environments.
BY_CI = ("pip install", "pytest")
MODULES = [
    info.name for info in pkgutil.walk_packages(tiepoint.__path__, "tiepoint.") if "__main__" not in info.name
]


@pytest.fixture
def workplace(tmp_path: Path, scene: RenderedPair, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two photos, without a screen."""
    for number, image in enumerate((scene.image0, scene.image1), start=1):
        PIL.Image.fromarray(np.asarray(image)).save(tmp_path / f"building_{number}.jpg", quality=95)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.usefixtures("workplace")
def test_code_blocks(page: Path) -> None:
    names: dict[str, object] = {}
    for language, code in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language == "python":
            exec(compile(code, f"{page.name}", "exec"), names)
        elif language == "sh":
            for line in code.splitlines():
                run_line(line)
        else:
            pytest.fail(f"{page.name} has a block of {language or 'no language'}, which nothing runs")


def run_line(line: str) -> None:
    command, _, target = line.partition(" > ")
    words = shlex.split(command)
    if words[0] == "tiepoint":
        assert main_inner(words[1:]) == 0
    else:
        assert line.startswith(BY_CI), f"nothing runs {line!r}"
    assert not target or re.fullmatch(r"[\w.]+", target)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_are_there(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_pictures_are_small_and_used() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    for picture in (ROOT / "docs" / "pictures").iterdir():
        assert picture.name in text
        assert picture.stat().st_size < 250_000


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.usefixtures("workplace")
def test_docstring_examples(module: str) -> None:
    results = doctest.testmod(import_module(module), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert results.failed == 0


def test_public_names_have_examples() -> None:
    plain = {"__version__", "Exif", "DataError", "MissingError", "OptionError", "ReadError", "WriteError"}
    for name in set(tiepoint.__all__) - plain:
        assert ">>>" in getattr(tiepoint, name).__doc__, name
