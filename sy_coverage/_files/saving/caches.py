"""Keep answers in SQLite files that outlast a kill."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sy_coverage.errors import CannotWriteError, some

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


@contextmanager
def sqlite(path: str | os.PathLike[str], *, tables: Collection[str]) -> Iterator[sqlite3.Connection]:
    """Give a connection to the SQLite file `path` (made if need be) whose changes are kept when the block ends well.

    A file that holds other tables than these was made by somebody else, and is not touched.

    Raises
    ------
    CannotWriteError
        If the file cannot be opened or written, is no SQLite file, or holds other tables.
    """
    file = Path(path)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _refuse_foreign(file, tables)
        with closing(sqlite3.connect(file, timeout=30.0)) as connection, connection:
            # readers and a writer do not wait for each other, and a kill leaves a whole file
            connection.execute("PRAGMA journal_mode = WAL")
            yield connection
    except (sqlite3.DatabaseError, OSError) as error:
        raise CannotWriteError(f"{path}: cannot be used as a cache ({error}); give another path") from error


def _refuse_foreign(file: Path, tables: Collection[str]) -> None:
    """Refuse a file with other tables, of which nothing is changed: it may be a GeoPackage, or somebody's work."""
    if not file.exists() or not file.stat().st_size:
        return
    if _start(file) != b"SQLite format 3\0":
        raise CannotWriteError(f"{file}: is no cache of answers, but another file; give another path")
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=30.0)) as connection:
        there = {
            str(name) for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
    strange = sorted(name for name in there - set(tables) if not name.startswith("sqlite_"))
    if strange:
        raise CannotWriteError(
            f"{file}: is no cache of answers, but a database with tables of its own ({some(strange)}); give another path"
        )


def _start(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(16)


def remove_database(path: str | os.PathLike[str]) -> None:
    """Remove a SQLite file and what its write-ahead log left beside it."""
    for end in ("", "-wal", "-shm"):
        Path(f"{os.fspath(path)}{end}").unlink(missing_ok=True)
