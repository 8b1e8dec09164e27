"""The door to disk: read only what is allowed, and give a file its final name only when it is whole."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
import tomllib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sy_coverage.errors import (
    CannotWriteError,
    ConfigError,
    InputError,
    MissingFileError,
    UnreadableFileError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from geopandas import GeoDataFrame

# A VRT dressed up as .geojson reads other local files and sends requests; GDAL must not even know the format.
os.environ.setdefault("GDAL_SKIP", "OGR_VRT")
# GeoPackages carry the time of writing; a fixed one keeps same inputs, same bytes.
os.environ.setdefault("OGR_CURRENT_DATE", "2000-01-01T00:00:00.000Z")

MAX_BYTES = 500_000_000
"""Larger tables and boundary files are refused; road extracts are streamed and have no such limit."""


def local_path(path: str | os.PathLike[str]) -> Path:
    """Return `path` if it is an existing local file.

    Raises
    ------
    InputError
        If it is a URL or a virtual file system (``/vsi…``, ``s3://``): only local files are read.
    MissingFileError
        If nothing is there.
    """
    written = str(path)
    if "://" in written or written.startswith("/vsi"):
        raise InputError(f"{written}: only local files are read; download it first and give its path")
    found = Path(path)
    if not found.exists():
        raise MissingFileError(f"{written}: there is no such file; check the path")
    if found.is_dir():
        raise MissingFileError(f"{written} is a folder; a file is needed")
    return found


def read_bytes(path: str | os.PathLike[str], *, most: int = MAX_BYTES) -> bytes:
    """Return the bytes of a local file of at most `most` bytes."""
    found = local_path(path)
    size = found.stat().st_size
    if size > most:
        raise UnreadableFileError(f"{path}: {size:,} bytes; at most {most:,} are read")
    try:
        return found.read_bytes()
    except OSError as error:
        raise UnreadableFileError(
            f"{path}: cannot be read ({error.strerror}); check its permissions"
        ) from error


def read_toml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return a TOML file as a dict; a syntax error names the file and the line."""
    try:
        return tomllib.loads(read_bytes(path).decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error


def digest(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a local file in hex."""
    with local_path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sample_folder() -> Path:
    """Return the folder of the shipped Shaoyang sample, in an installed wheel or in the repository."""
    here = Path(__file__).resolve().parent
    for folder in (here / "_sample", here.parent / "data" / "boundaries"):
        if (folder / "study.toml").exists():
            return folder
    raise MissingFileError("the shipped sample is not there; install the package again")


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
        folder = tempfile.mkdtemp(prefix=".writing-", dir=final.parent)
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
    """Hold the lock of an output folder, so that two runs never write into it at once."""
    from filelock import FileLock, Timeout  # noqa: PLC0415

    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
        lock = FileLock(target / ".lock", timeout=0)
        lock.acquire()
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
