"""Archives that may come from anywhere: what is in them lands in the folder, or nothing does any harm."""

from __future__ import annotations

import gzip
import io
import os
import re
import shutil
import stat
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tiepoint.errors import ReadError, TiepointError, WriteError
from tiepoint.evaluation.datasets.unpack import unpack

FILES = {
    "towers/1.ppm": b"P6 1 1 255 abc",
    "towers/H_1_2": b"1 0 0  0 1 0  0 0 1",
    "empty": b"",
    "deep/er/still/x": bytes(3_000_000),
}

Make = Callable[[Path, dict[str, bytes]], Path]


def make_zip(path: Path, files: dict[str, bytes] = FILES, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.mkdir("towers")
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def make_tar(path: Path, files: dict[str, bytes] = FILES, *extra: tarfile.TarInfo, **how: Any) -> Path:
    with tarfile.open(path, "w:gz", **how) as archive:
        folder = tarfile.TarInfo("towers")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o000
        archive.addfile(folder)
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o6777
            archive.addfile(info, io.BytesIO(content))
        for info in extra:
            archive.addfile(info)
    return path


MAKERS = pytest.mark.parametrize("make", [make_zip, make_tar])


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def refused(archive: Path, words: str, **limits: Any) -> None:
    """One sentence, and nothing but the archive and the folder is there afterwards."""
    place = archive.parent
    with pytest.raises(ReadError, match=words) as told:
        unpack(archive, place / "out" / "here", **limits)
    assert re.fullmatch(rf"{re.escape(str(archive))}: \w.{{1,260}}", str(told.value))
    assert {path.name for path in place.iterdir()} <= {archive.name, "out"}
    assert {path.name for path in (place / "out").iterdir()} == {"here"}
    assert not any(path.is_symlink() for path in place.rglob("*"))


@MAKERS
def test_files_come_out_as_they_went_in(make: Make, tmp_path: Path) -> None:
    archive = make(tmp_path / "a.bin", FILES)  # by content, not by name
    done: list[tuple[str, int, int | None]] = []
    unpack(archive, tmp_path / "new" / "out", progress=lambda *step: done.append(step))
    assert tree(tmp_path / "new" / "out") == FILES
    assert done[-1] == ("unpacking a.bin", sum(map(len, FILES.values())), None)
    assert [step[1] for step in done] == sorted(step[1] for step in done)
    for path in (tmp_path / "new").rglob("*"):
        assert not path.stat().st_mode & (stat.S_ISUID | stat.S_ISGID)
        assert path.stat().st_mode & 0o600 == 0o600


def test_a_stored_zip_and_a_tar_with_long_names(tmp_path: Path) -> None:
    files = {"x/" * 60 + "ü" * 50: b"long", "./a/./b": b"dots"}
    expected = {"x/" * 60 + "ü" * 50: b"long", "a/b": b"dots"}
    make_zip(tmp_path / "a.zip", files, zipfile.ZIP_STORED)
    unpack(tmp_path / "a.zip", tmp_path / "zip")
    assert tree(tmp_path / "zip") == expected
    for number, kind in enumerate((tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)):
        unpack(make_tar(tmp_path / f"{number}.tgz", files, format=kind), tmp_path / str(number))
        assert tree(tmp_path / str(number)) == expected


@MAKERS
def test_what_a_mac_leaves_in_archives_stays_there(make: Make, tmp_path: Path) -> None:
    clutter = {
        "__MACOSX/towers/._1.ppm": b"x",
        "towers/._1.ppm": b"x",
        "towers/.DS_Store": b"x",
        "._towers": b"",
    }
    unpack(make(tmp_path / "a", {**FILES, **clutter}), tmp_path / "out")
    assert tree(tmp_path / "out") == FILES


@MAKERS
@pytest.mark.parametrize(
    "name",
    ["../x", "a/../../x", "/x", "//x", "C:/x", "C:x", "a\\b", "..\\x", "..", "a/..", "/etc/../x", "./../x"],
)
def test_names_that_lead_out_are_refused(make: Make, name: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    refused(make(tmp_path / "in" / "a.bin", {name: b"x"}), "a name that leads out of its folder")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize(
    "kind",
    [
        tarfile.SYMTYPE,
        tarfile.LNKTYPE,
        tarfile.FIFOTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
        tarfile.GNUTYPE_SPARSE,
    ],
)
def test_links_and_devices_in_a_tar_are_refused(kind: bytes, tmp_path: Path) -> None:
    info = tarfile.TarInfo("inside")
    info.type, info.linkname = kind, "towers/1.ppm"
    refused(make_tar(tmp_path / "a.tgz", FILES, info), "holds 'inside', a link or a device|broken")


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        info = zipfile.ZipInfo("inside")
        info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    refused(tmp_path / "a.zip", "holds 'inside', a link or a device")


@MAKERS
def test_a_name_twice_and_a_file_that_is_a_folder_too(make: Make, tmp_path: Path) -> None:
    refused(make(tmp_path / "a", {"x": b"1", "./x": b"2"}), "holds 'x' twice")
    with pytest.raises(WriteError, match="cannot be made a folder"):
        unpack(make(tmp_path / "b", {"x": b"1", "x/y": b"2"}), tmp_path / "other")


@MAKERS
def test_bombs_are_refused_before_they_fill_the_disk(make: Make, tmp_path: Path) -> None:
    archive = make(tmp_path / "a", {"a": bytes(400_000), "b": bytes(400_000), "c": bytes(400_000)})
    refused(archive, "unpacks to more than 1000000 bytes or 200000 files", max_bytes=1_000_000)
    assert sum(map(len, tree(tmp_path / "out").values())) < 1_000_000
    shutil.rmtree(tmp_path / "out")
    refused(archive, "unpacks to more than .* or 3 files", max_files=3)
    unpack(archive, tmp_path / "enough", max_bytes=1_200_000, max_files=4)


def test_a_zip_that_lies_about_a_size(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", {"x": bytes(5_000_000)})
    lie = archive.read_bytes().replace((5_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    archive.write_bytes(lie)
    refused(archive, "or a broken one")
    assert sum(map(len, tree(tmp_path / "out").values())) <= 1000


def test_a_header_that_claims_gigabytes_takes_no_memory(tmp_path: Path) -> None:
    for kind in (tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME):
        info = tarfile.TarInfo("x")
        info.type, info.size = kind, 60_000_000
        head = info.tobuf(tarfile.GNU_FORMAT)
        with gzip.open(tmp_path / "a.tgz", "wb", 1) as stream:
            stream.write(head)
            for _ in range(60):
                stream.write(bytes(1_000_000))
        tracemalloc.start()
        try:
            refused(tmp_path / "a.tgz", "or a broken one")
            assert tracemalloc.get_traced_memory()[1] < 10_000_000
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_to_pack_are_refused(method: int, tmp_path: Path) -> None:
    refused(make_zip(tmp_path / "a.zip", FILES, method), "packed in a way that is not read here")


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    content = bytearray(make_zip(tmp_path / "a.zip", {"x": b"abc"}).read_bytes())
    content[content.rfind(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    refused(tmp_path / "a.zip", "or a broken one")


@pytest.mark.parametrize(
    "content",
    [
        b"", b"P", b"PK\x03\x04", b"\x1f\x8b", b"<html>404</html>", b"PK\x05\x06" + bytes(18),
        gzip.compress(b"", mtime=0), gzip.compress(b"no tar", mtime=0), gzip.compress(b"x" * 5000, mtime=0),
        b"ustar" * 500,
    ],
    ids=range(10),
)  # fmt: skip
def test_what_is_no_archive_is_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    refused(tmp_path / "a.zip", "is no .zip or .tar.gz archive, or a broken one")


def test_a_missing_archive_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"none.zip: cannot be read: no such file"):
        unpack(tmp_path / "none.zip", tmp_path / "out")


@MAKERS
def test_a_cut_archive_is_told_wherever_it_is_cut(make: Make, tmp_path: Path) -> None:
    whole = make(tmp_path / "a", {"x": os.urandom(3000), "y": b"text" * 3000}).read_bytes()
    (tmp_path / "a").unlink()
    for length in (*range(0, len(whole), 97), *range(len(whole) - 12, len(whole))):
        (tmp_path / "cut").write_bytes(whole[:length])
        with pytest.raises(ReadError, match="or a broken one"):
            unpack(tmp_path / "cut", tmp_path / f"out{length}")


def test_a_damaged_header_is_not_taken_for_the_end(tmp_path: Path) -> None:
    plain = bytearray(gzip.decompress(make_tar(tmp_path / "a", {"x": b"1", "y": b"2"}).read_bytes()))
    plain[plain.index(b"y\0")] ^= 1  # now its checksum is wrong
    (tmp_path / "a").write_bytes(gzip.compress(plain))
    refused(tmp_path / "a", "or a broken one")


@MAKERS
def test_any_changed_bytes_give_files_or_one_sentence(
    make: Make, tmp_path: Path, rng: np.random.Generator
) -> None:
    good = make(tmp_path / "good", {"a/x": b"some text " * 30, "b": bytes(2000)}).read_bytes()
    plain = gzip.decompress(good) if make is make_tar else good
    (tmp_path / "good").unlink()
    told = 0
    for trial in range(600):
        content = np.frombuffer(plain, np.uint8).copy()
        # Heads of a tar are in the first 4096 bytes; the rest is mostly nothing.
        content[rng.integers(0, min(len(content), 4096), rng.integers(1, 6))] = rng.choice(
            [0, 1, 47, 127, 255]
        )
        data = content.tobytes()
        (tmp_path / "a").write_bytes(gzip.compress(data, 1) if make is make_tar else data)
        sentence = complaint(tmp_path / "a", tmp_path / f"{trial}")
        if sentence is not None:
            assert re.fullmatch(rf"{re.escape(str(tmp_path))}.*: \w.{{1,260}}", sentence)
            told += 1
    assert 20 < told < 600
    assert {path.name for path in tmp_path.iterdir()} <= {"a", *map(str, range(600))}
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))


def complaint(archive: Path, folder: Path) -> str | None:
    try:
        unpack(archive, folder, max_bytes=1_000_000)
    except TiepointError as error:
        return str(error)
    return None


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, _: Any) -> int:
            raise OSError(28, "No space left on device")

    real = Path.open

    def opened(path: Path, mode: str = "r") -> Any:
        return Full() if mode == "xb" else real(path, mode)

    archive = make_zip(tmp_path / "a.zip")
    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(WriteError, match=r"1.ppm: cannot be written: no space left on device"):
        unpack(archive, tmp_path / "out")
