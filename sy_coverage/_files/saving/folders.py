"""Hold the folder that a run writes into: one run at a time, and no name leads out of it."""

from __future__ import annotations

import re
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from sy_coverage._files.saving.writing import PART, replacing, write_layers
from sy_coverage.errors import CannotWriteError, InputError, some

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from geopandas import GeoDataFrame

LOCK = ".lock"
WORKSHOP = f"{PART}run"
"""Where the holder of a folder's lock keeps what is not yet whole; nothing else is ever cleared away."""
MOST_MARK = 1_000_000
LONGEST = 60
_PLAIN = re.compile(rf"[\w-]([\w.-]{{0,{LONGEST - 2}}}[\w-])?")
_NO_NAME = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\]')
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$"}
    | {f"{port}{n}" for port in ("com", "lpt") for n in "0123456789¹²³"}
)
"""Names that are no files on Windows, whatever follows their first dot."""


def _is_device(name: str) -> bool:
    return name.partition(".")[0].rstrip().casefold() in _DEVICES


def require_plain_names(
    ids: Iterable[str], what: str, *, taken: Collection[str] = (), endings: Collection[str] = ()
) -> None:
    """Refuse ids that cannot be names of files: they name results, and must not lead out of their folder.

    Files are also named by an id with one of `endings`.

    Raises
    ------
    InputError
        Naming those that hold anything but letters, digits, ``_``, ``-`` and inner dots, are too long, name a device, are
        among the names `taken`, differ from another only by capital letters, or are another with one of the `endings`.
    """
    every = list(ids)
    wrong = [i for i in every if not (isinstance(i, str) and _PLAIN.fullmatch(i)) or _is_device(i)]
    if wrong:
        raise InputError(
            f"{what}: {some(repr(i) for i in wrong)} cannot name a file; use letters, digits, - and _, at most {LONGEST}"
        )
    first: dict[str, str] = {name.casefold(): name for name in taken}
    longer = {(name + ending).casefold() for name in (*every, *taken) for ending in endings}
    twice = [
        i for i in every if first.setdefault(i.casefold(), i) != i or i in taken or i.casefold() in longer
    ]
    if twice or len(set(every)) < len(every):
        alike = twice or sorted({i for i in every if every.count(i) > 1})
        raise InputError(
            f"{what}: {some(repr(i) for i in alike)} would name the same file as another; give each a name of its own"
        )


@dataclass(frozen=True)
class Folder:
    """A folder of results, held by one run: files are named as ``folder/name.ending`` inside it, and reach nowhere else."""

    path: Path
    left: bytes = b""
    """What a run that was stopped had left here with `mark`."""

    def mark(self, content: bytes) -> None:
        """Leave a mark for the next run, with the lock: it is there as long as this run has not taken it away."""
        # in place: whoever waits for the lock waits for this very file
        with (self.path / LOCK).open("r+b") as file:
            file.write(content)
            file.truncate()

    def file(self, name: str) -> Path:
        """Return where the file `name` lies.

        Raises
        ------
        CannotWriteError
            If it is no plain path inside the folder (``..``, an absolute path, a backslash, a device), or a folder on the way
            is a link to somewhere else.
        """
        parts = name.split("/")
        own = parts[0] == LOCK or parts[0].startswith(PART)
        if own or any(_NO_NAME.search(p) or _is_device(p) or p.rstrip(". ") != p or not p for p in parts):
            raise CannotWriteError(
                f"{name!r}: would lie outside {self.path}, or is no name of a file there; nothing is written"
            )
        for n in range(1, len(parts)):
            on_the_way = self.path.joinpath(*parts[:n])
            if on_the_way.is_symlink() or (on_the_way.exists() and not on_the_way.is_dir()):
                raise CannotWriteError(
                    f"{on_the_way}: is a link or a file where a folder of results is needed; remove it, or choose another folder"
                )
        return self.path.joinpath(*parts)

    def write(self, name: str, content: bytes) -> None:
        """Write `content` so that the file `name` is either the old one or the new one, never a part."""
        with replacing(self.file(name), workshop=self.path / WORKSHOP) as part:
            part.write_bytes(content)

    def write_layers(
        self, name: str, layers: Mapping[str, GeoDataFrame], *, styles: Mapping[str, str] | None = None
    ) -> None:
        """Write a GeoPackage with one layer a frame, all of it or nothing; `styles` are how QGIS draws them."""
        write_layers(self.file(name), layers, workshop=self.path / WORKSHOP, styles=styles)

    def read(self, name: str) -> bytes | None:
        """Return what the file `name` holds; None where there is no such file."""
        path = self.file(name)
        return path.read_bytes() if path.is_file() else None

    def remove(self, name: str) -> None:
        """Remove the file `name`, if it is there."""
        self.file(name).unlink(missing_ok=True)

    def remove_folder(self, name: str) -> None:
        """Remove the folder `name` and all in it; a link is removed and not followed."""
        _clear(self.file(name))


@contextmanager
def locked(folder: str | os.PathLike[str]) -> Iterator[Folder]:
    """Hold the lock of an output folder, so that two runs never work for it at once, and give the folder.

    Who holds it may take it again. What a run of this folder that was killed had begun to write is cleared away, and
    nothing else; a folder that was made for a run which then writes nothing is removed again.

    Raises
    ------
    CannotWriteError
        If another run holds it, or the folder cannot be written.
    """
    target = Path(folder)
    try:
        made = [one for one in (target, *target.parents) if not one.exists()]
        target.mkdir(parents=True, exist_ok=True)
        left = mark_left_in(target)
        lock = FileLock(target.resolve() / LOCK, timeout=0, is_singleton=True)
        lock.acquire()
    except Timeout as error:
        raise CannotWriteError(
            f"{folder}: another run is writing here; wait for it or choose another folder"
        ) from error
    except OSError as error:
        raise CannotWriteError(
            f"{folder}: cannot be written ({error.strerror}); choose another folder"
        ) from error
    is_first = lock.lock_counter == 1
    try:
        if is_first:
            _clear(target / WORKSHOP)
        yield Folder(target, left)
    finally:
        if is_first:
            _clear(target / WORKSHOP)
            _leave(target, made)
        lock.release()


def mark_left_in(folder: str | os.PathLike[str]) -> bytes:
    """Return the mark that a run which was stopped left in a folder, or that one leaves there now; nothing where there is none."""
    file = Path(folder) / LOCK
    try:
        return b"" if file.is_symlink() or not file.is_file() else file.read_bytes()[:MOST_MARK]
    except OSError:
        return b""


def _clear(workshop: Path) -> None:
    if workshop.is_symlink() or workshop.is_file():
        workshop.unlink(missing_ok=True)
    shutil.rmtree(workshop, ignore_errors=True)


def _leave(target: Path, made: list[Path]) -> None:
    """Remove the folders that were `made` for a run if it has left nothing in them."""
    if made and [one.name for one in target.iterdir()] == [LOCK]:
        # whoever waits for the lock sees that this file is gone, and makes another
        (target / LOCK).unlink()
        with suppress(OSError):
            for one in made:
                one.rmdir()
