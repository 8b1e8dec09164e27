"""Keep answers in SQLite files that outlast a kill."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sy_coverage.errors import CannotWriteError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def sqlite(path: str | os.PathLike[str]) -> Iterator[sqlite3.Connection]:
    """Give a connection to the SQLite file `path` (made if need be) whose changes are kept when the block ends well.

    Raises
    ------
    CannotWriteError
        If the file cannot be opened or written, or is no SQLite file.
    """
    file = Path(path)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(file, timeout=30.0)) as connection, connection:
            # readers and a writer do not wait for each other, and a kill leaves a whole file
            connection.execute("PRAGMA journal_mode = WAL")
            yield connection
    except (sqlite3.DatabaseError, OSError) as error:
        raise CannotWriteError(f"{path}: cannot be used as a cache ({error}); give another path") from error


def remove_database(path: str | os.PathLike[str]) -> None:
    """Remove a SQLite file and what its write-ahead log left beside it."""
    for end in ("", "-wal", "-shm"):
        Path(f"{os.fspath(path)}{end}").unlink(missing_ok=True)
