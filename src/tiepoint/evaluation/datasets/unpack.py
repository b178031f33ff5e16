"""An archive from the network into a folder: plain files, inside of it, and not too much of them."""

from __future__ import annotations

import gzip
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import IO, BinaryIO, cast

from tiepoint.errors import ReadError, WriteError, reason
from tiepoint.files import make_folder
from tiepoint.images import printable
from tiepoint.transfer import Progress

_PIECE = 1 << 20
# What zipfile, tarfile and zlib raise for a broken archive; RuntimeError: encrypted, or packed in an unknown
# way. BadGzipFile is an OSError, as a full disk is.
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    zlib.error,
    struct.error,
    EOFError,
    IndexError,
    ValueError,
    RuntimeError,
    OverflowError,
    NotImplementedError,
)
# What the Finder of macOS leaves in archives.
_CLUTTER = re.compile(r"(^|/)(__MACOSX|\.DS_Store|\._[^/]*)(/|$)")


class _RefusedError(Exception):
    """The archive holds what no data set needs; the message goes on after its name."""


# A name, whether it is a folder, the size it claims, and what reads it.
_Member = tuple[str, bool, int, IO[bytes] | None]


def unpack(
    archive: Path,
    folder: Path,
    *,
    max_bytes: int = 20_000_000_000,
    max_files: int = 200_000,
    progress: Progress | None = None,
) -> None:
    """Unpack a ``.zip`` or ``.tar.gz`` into a folder; what it is, is told from its content.

    Names that lead out of the folder, links and devices are refused. Permissions and times are not taken
    over. A folder that was half filled when it failed is the caller's to remove.

    Parameters
    ----------
    archive : Path
    folder : Path
        Made if it is missing.
    max_bytes, max_files : int
        More than the largest data set of the catalogue has.
    progress : callable | None

    Raises
    ------
    ReadError
        If it is no such archive, a broken one, or has in it what is refused.
    WriteError
        If the disk is full or cannot be written to.

    Examples
    --------
    >>> import tempfile, zipfile
    >>> from pathlib import Path
    >>> from tiepoint.evaluation.datasets.unpack import unpack
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with zipfile.ZipFile(f"{folder}/towers.zip", "w") as archive:
    ...         archive.writestr("towers/H_1_2", "1 0 0  0 1 0  0 0 1")
    ...     unpack(Path(folder, "towers.zip"), Path(folder, "data"))
    ...     Path(folder, "data", "towers", "H_1_2").exists()
    True
    """
    name = printable(archive.name)
    done = files = 0
    make_folder(folder)
    try:
        with archive.open("rb") as stream, closing(_members(stream)) as members:
            for path, is_folder, size, content in members:
                files += 1
                if done + size > max_bytes or files > max_files:
                    raise _RefusedError(f"unpacks to more than {max_bytes} bytes or {max_files} files")
                if _CLUTTER.search(path):
                    continue
                target = folder / _inside(path)
                make_folder(target if is_folder else target.parent)
                if content is not None:
                    done += _copy(content, target, size)
                if progress is not None:
                    progress(f"unpacking {name}", done, None)
    except _RefusedError as error:
        raise ReadError(f"{archive}: {error}") from error
    except _BROKEN as error:
        raise ReadError(f"{archive}: is no .zip or .tar.gz archive, or a broken one") from error
    except MemoryError as error:
        raise ReadError(f"{archive}: needs more than the free memory") from error
    except OSError as error:
        raise ReadError(f"{archive}: cannot be read: {reason(error)}") from error


def _members(stream: BinaryIO) -> Generator[_Member, None, None]:
    """Return what is in an archive; each is to be read before the next."""
    head = stream.read(4)
    stream.seek(0)
    if head[:2] == b"\x1f\x8b":
        return _from_tar(stream)
    if head == b"PK\x03\x04":
        return _from_zip(stream)
    raise ValueError("neither")


def _from_zip(stream: BinaryIO) -> Generator[_Member, None, None]:
    with zipfile.ZipFile(stream) as archive:
        for entry in archive.infolist():
            kind = stat.S_IFMT(entry.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _RefusedError(f"holds {printable(entry.filename)!r}, a link or a device")
            if entry.filename.endswith("/"):
                yield entry.filename, True, 0, None
                continue
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise _RefusedError("is packed in a way that is not read here")
            with archive.open(entry) as content:
                yield entry.filename, False, entry.file_size, content


def _from_tar(stream: BinaryIO) -> Generator[_Member, None, None]:
    with gzip.GzipFile(fileobj=stream) as plain:
        guarded = cast(IO[bytes], _Guarded(plain))
        with tarfile.open(fileobj=guarded, mode="r:") as archive:
            while (entry := archive.next()) is not None:
                archive.members = []  # type: ignore[attr-defined]  # it would keep each for ever
                if entry.isdir():
                    yield entry.name, True, 0, None
                elif entry.isreg() and not entry.issparse():
                    yield entry.name, False, entry.size, archive.extractfile(entry)
                else:
                    raise _RefusedError(f"holds {printable(entry.name)!r}, a link or a device")
        # To the end, where the checksum is: tarfile takes a damaged header for the end of the archive.
        padding = 0
        while block := plain.read(_PIECE):
            padding += len(block)
            if block.strip(b"\0") or padding > 100 * _PIECE:
                raise ValueError("there is more behind the end")


class _Guarded:
    """Reads no more at once than any honest header has: tarfile asks for whatever a header claims."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= 4 * _PIECE:
            raise ValueError("a header claims megabytes")
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence == 0 and offset < self._stream.tell():
            raise ValueError("an archive is read from its begin to its end")
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()


def _inside(name: str) -> Path:
    """Return the path of a member below the folder it is unpacked to, or refuse it."""
    plain = name.rstrip("/").removeprefix("./")
    parts = [part for part in plain.split("/") if part != "."]
    # A colon is a drive or a stream on Windows, a backslash parts folders there.
    if plain.startswith("/") or ".." in parts or re.search(r"[\\:\0]", plain):
        raise _RefusedError(f"holds {printable(name, most=200)!r}, a name that leads out of its folder")
    return Path(*(part for part in parts if part))


def _copy(content: IO[bytes], target: Path, most: int) -> int:
    done = 0
    try:
        stream = target.open("xb")
    except FileExistsError as error:
        raise _RefusedError(f"holds {printable(target.name)!r} twice") from error
    except (OSError, ValueError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        raise WriteError(f"{printable(str(target))}: cannot be written: {why}") from error
    with stream:
        while piece := content.read(_PIECE):
            done += len(piece)
            if done > most:
                raise ValueError("more than its list says")
            try:
                stream.write(piece)
            except OSError as error:
                raise WriteError(f"{printable(str(target))}: cannot be written: {reason(error)}") from error
    if done < most:
        raise EOFError("less than its list says")
    return done
