"""Give a file its final name only when it is whole, and a folder to one run at a time."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sy_coverage.errors import CannotWriteError, InputError, some

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from geopandas import GeoDataFrame

_PART = ".writing-"
_PLAIN = re.compile(r"[\w-]([\w.-]{0,58}[\w-])?")


def require_writable(folder: str | os.PathLike[str]) -> None:
    """Refuse, before any work is done, a folder that could not be written later; nothing is made.

    Raises
    ------
    CannotWriteError
        If it, or the nearest folder above it that is there, is no folder or may not be written.
    """
    target = Path(folder)
    try:
        while not target.exists():
            target = target.parent
    except OSError as error:
        raise CannotWriteError(
            f"{folder}: cannot be written ({error.strerror}); choose another folder"
        ) from error
    if "\0" in str(folder):
        raise CannotWriteError(
            f"{str(folder)!r}: cannot be written (no name holds NUL); choose another folder"
        )
    if not target.is_dir():
        raise CannotWriteError(f"{folder}: cannot be written ({target} is a file); choose another folder")
    if not os.access(target, os.W_OK | os.X_OK):
        raise CannotWriteError(f"{folder}: cannot be written ({target} is read-only); choose another folder")


def require_plain_names(ids: Iterable[str], what: str) -> None:
    """Refuse ids that cannot be names of files: they name results, and must not lead out of their folder.

    Raises
    ------
    InputError
        Naming those that hold anything but letters, digits, ``_``, ``-`` and inner dots, or are too long.
    """
    wrong = [i for i in ids if not _PLAIN.fullmatch(i)]
    if wrong:
        raise InputError(
            f"{what}: {some(repr(i) for i in wrong)} cannot name a file; use letters, digits, - and _, at most 60"
        )


def _settle(folder: Path) -> None:
    """Make new names in `folder` outlast a power cut, where the system knows how."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a sibling path to write to; on success it takes the name `path` at once, on failure nothing changes.

    Raises
    ------
    CannotWriteError
        If the folder or disk refuses; the old file is whole and the half-written one is gone.
    """
    final = Path(path)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        folder = tempfile.mkdtemp(prefix=_PART, dir=final.parent)
    except OSError as error:
        raise CannotWriteError(
            f"{final}: cannot be written ({error.strerror}); choose another folder"
        ) from error
    # same suffix and name, because some drivers write the name into the file
    part = Path(folder) / final.name
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(final)
        _settle(final.parent)
    except OSError as error:
        if isinstance(error, CannotWriteError):
            raise
        reason = "the disk is full" if error.errno == errno.ENOSPC else (error.strerror or str(error))
        raise CannotWriteError(
            f"{final}: cannot be written ({reason}); what was there before is untouched"
        ) from error
    finally:
        for left in Path(folder).glob("*"):
            left.unlink()
        Path(folder).rmdir()


@contextmanager
def passing_file(content: bytes, *, name: str) -> Iterator[Path]:
    """Give the path of a file called `name` that holds `content` while the block runs: for libraries that read only files."""
    with tempfile.TemporaryDirectory(prefix=_PART) as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        yield path


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write `content` so that `path` is either the old file or the new one, never a part."""
    with replacing(path) as part:
        part.write_bytes(content)


def write_layers(path: str | os.PathLike[str], layers: Mapping[str, GeoDataFrame]) -> None:
    """Write a GeoPackage with one layer a frame (index as its first column), all of it or nothing."""
    with replacing(path) as part:
        for name, frame in layers.items():
            try:
                frame.reset_index().to_file(part, layer=name, driver="GPKG", engine="pyogrio")
            except Exception as error:
                raise CannotWriteError(f"{path}: layer '{name}' cannot be written ({error})") from error


@contextmanager
def locked(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Hold the lock of an output folder, so that two runs never write into it at once.

    What a run that was killed had begun to write is cleared away.

    Raises
    ------
    CannotWriteError
        If another run holds it, or the folder cannot be written.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415

    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
        lock = FileLock(target / ".lock", timeout=0)
        lock.acquire()
        for left in list(target.rglob(f"{_PART}*")):
            shutil.rmtree(left, ignore_errors=True)
    except Timeout as error:
        raise CannotWriteError(
            f"{folder}: another run is writing here; wait for it or choose another folder"
        ) from error
    except OSError as error:
        raise CannotWriteError(
            f"{folder}: cannot be written ({error.strerror}); choose another folder"
        ) from error
    try:
        yield
    finally:
        lock.release()
