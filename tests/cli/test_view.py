from __future__ import annotations

import os
from pathlib import Path

import pytest

from tiepoint.cli.view import default_name

from .conftest import Tiepoint, sentence


def test_a_pair(tiepoint: Tiepoint, photo_files: tuple[Path, Path], tmp_path: Path) -> None:
    done = tiepoint("view", *photo_files, "-e", "orb", "-o", tmp_path / "pair.html")
    assert done.code == 0
    assert done.out == f"{tmp_path / 'pair.html'}\n"
    assert "same scene: yes" in done.err
    text = (tmp_path / "pair.html").read_text()
    assert "Same scene: yes" in text
    assert str(photo_files[0].parent) not in text


def test_one_photo_and_the_name_of_its_page(
    tiepoint: Tiepoint, photo_files: tuple[Path, Path], tmp_path: Path
) -> None:
    done = tiepoint("view", photo_files[0], "--extractor", "sift", "--max-keypoints", 50, "-q", cwd=tmp_path)
    assert (done.code, done.out, done.err) == (0, "building 1.view.html\n", "")
    assert "50 keypoints" in (tmp_path / "building 1.view.html").read_text()


def test_a_hostile_name(tiepoint: Tiepoint, photo_files: tuple[Path, Path], tmp_path: Path) -> None:
    photo = tmp_path / "<img src=x onerror=alert(1)>.png"
    photo.write_bytes(photo_files[0].read_bytes())
    done = tiepoint("view", photo, photo_files[1], "-e", "orb", "-q", cwd=tmp_path)
    assert done.code == 0
    text = (tmp_path / done.out.removesuffix("\n")).read_text()
    assert "<img src=x" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;.png" in text


def test_match_writes_the_same_page(
    tiepoint: Tiepoint, photo_files: tuple[Path, Path], tmp_path: Path
) -> None:
    words = (*photo_files, "-e", "orb")
    assert tiepoint("view", *words, "-o", "view.html", cwd=tmp_path).code == 0
    done = tiepoint("match", *words, "--view", "match.html", cwd=tmp_path)
    assert done.code == 0
    assert "page: match.html" in done.err

    def timeless(name: str) -> str:
        before, _, after = (tmp_path / name).read_text().partition("<dt>seconds</dt>")
        assert after
        return before

    assert timeless("view.html") == timeless("match.html")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("A", "B", "-o", "page.pdf"), 1, "page.pdf: a page is HTML; end the name with .html or .htm"),
        (("A", "B", "-o", "none/page.html"), 1, "there is no folder"),
        (("A", "--model", "homography"), 2, "are for two photos; name the second one"),
        (("A", "--extractor", "auto"), 2, "auto chooses a method for two photos"),
        (("A", "B", "--option", "levels=4"), 2, "go with --extractor NAME"),
        (("no such photo.jpg",), 1, "no such photo.jpg: there is no such file"),
    ],
)
def test_what_cannot_be_done(
    tiepoint: Tiepoint,
    photo_files: tuple[Path, Path],
    tmp_path: Path,
    words: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    names = {"A": str(photo_files[0]), "B": str(photo_files[1])}
    done = tiepoint("view", *(names.get(word, word) for word in words), cwd=tmp_path)
    assert done.code == code
    assert said in (sentence(done) if code == 1 else done.err)
    assert not list(tmp_path.iterdir())


def test_a_page_never_overwrites_a_photo(
    tiepoint: Tiepoint, photo_files: tuple[Path, Path], tmp_path: Path
) -> None:
    photo = tmp_path / "photo.html"
    photo.write_bytes(photo_files[0].read_bytes())
    done = tiepoint("view", photo, photo_files[1], "-o", photo)
    assert "would overwrite the photo itself" in sentence(done)


def test_a_default_name_is_short_enough_for_any_file_system() -> None:
    long = ["photos/" + "\u5bfa" * 80 + ".jpg", "\u5c71" * 80 + "\udcff.jpg"]
    name = default_name(long)
    assert len(os.fsencode(name)) <= 255
    assert name == f"{chr(0x5BFA) * 33}-{chr(0x5C71) * 33}.view.html"
    assert default_name(["a/" + "x" * 150 + ".jpg", "b/y.png"]) == "x" * 150 + "-y.view.html"
    assert default_name(["z" * 300 + ".jpg"]) == "z" * 200 + ".view.html"


def test_photos_with_long_names_have_a_page(
    tiepoint: Tiepoint, photo_files: tuple[Path, Path], tmp_path: Path
) -> None:
    photos = [tmp_path / (letter * 80 + ".png") for letter in "\u5bfa\u5c71"]
    for photo, source in zip(photos, photo_files, strict=True):
        photo.write_bytes(source.read_bytes())
    done = tiepoint("view", *photos, "-e", "orb", "-q", cwd=tmp_path)
    assert done.code == 0
    assert (tmp_path / done.out.removesuffix("\n")).is_file()
