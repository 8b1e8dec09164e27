"""Say which tables of which files make up one list, and give the rows of all of them ids that never collide."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, TypeAlias

from sy_coverage.places.sheets.tables import Report, Table, read_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sy_coverage._files import Limits


@dataclass(frozen=True, kw_only=True)
class ListFile:
    """One file of a list and what is special about it; what it does not say is said of the list."""

    path: str
    sheet: str | None = None
    """One sheet, layer or table of the file; without it, every sheet that holds a table."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Our column to the header that means it."""
    kind: str = ""
    """What its rows are that do not say so themselves: the id of a kind, or a word for one."""
    coordinate_system: str | None = None
    encoding: str | None = None


File: TypeAlias = str | os.PathLike[str] | ListFile
Files: TypeAlias = File | Iterable[File]


def list_files(
    files: Files,
    *,
    columns: Mapping[str, str] | None = None,
    sheet: str | None = None,
    kind: str = "",
    coordinate_system: str | None = None,
) -> list[ListFile]:
    """Return the files of a list, each with all that is said of it: by itself, or else of the whole list."""
    given = [files] if isinstance(files, str | os.PathLike | ListFile) else list(files)
    return [
        ListFile(
            path=one.path,
            sheet=one.sheet or sheet,
            columns={**(columns or {}), **one.columns},
            kind=one.kind or kind,
            coordinate_system=one.coordinate_system or coordinate_system,
            encoding=one.encoding,
        )
        for one in (f if isinstance(f, ListFile) else ListFile(path=os.fspath(f)) for f in given)
    ]


def read_lists(
    files: list[ListFile], what: str, report: Report, *, encoding: str | None, limits: Limits
) -> Iterator[tuple[ListFile, Table]]:
    """Return every table of every file; those whose rows would get the same ids are told apart by their file's name."""
    shared = _shared_stems(files)
    for one in files:
        columns = dict(one.columns) or None
        for table in read_tables(
            one.path,
            what,
            report,
            layer=one.sheet,
            columns=columns,
            encoding=one.encoding or encoding,
            limits=limits,
        ):
            yield one, replace(table, stem=shared.get(one.path, "") + table.stem)


def _shared_stems(files: list[ListFile]) -> dict[str, str]:
    """Return what stands before the stem of a file that shares it with another: its ending, or else its folder."""
    paths = {one.path: PurePath(one.path.partition("#")[0]) for one in files if "://" not in one.path}
    stems = Counter(path.stem for path in set(paths.values()))
    names = Counter(path.name for path in set(paths.values()))
    return {
        written: f"{path.suffix[1:]}-" if names[path.name] == 1 else f"{path.parent.name}-"
        for written, path in paths.items()
        if stems[path.stem] > 1
    }
