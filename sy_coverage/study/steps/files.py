"""Find the files that a study names, where it may read them."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sy_coverage import _files, places
from sy_coverage.study.config.inputs.list_file import ListFile, path_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pandas import DataFrame

    from sy_coverage.study.config.file import StudyConfig


@dataclass(frozen=True)
class StudyFiles:
    """Where a study's relative paths start, who may be asked, and how much of one file is read."""

    folder: Path
    gate: _files.Gate
    limits: _files.Limits

    def path(self, written: str) -> str:
        """Return a path as the study file means it: relative to the file's own folder.

        Raises
        ------
        OfflineError
            If it is the address of a database, and none may be asked.
        """
        if "://" in written:
            return self.gate.require(written)
        given = Path(written)
        with suppress(RuntimeError):  # ~ of somebody unknown is a name like any other
            given = given.expanduser()
        return str(self.folder / given)

    def lists(self, entries: Iterable[str | ListFile]) -> list[places.ListFile]:
        """Return the entries of a list's `files` as its reader takes them."""
        found = []
        for entry in entries:
            said = {"path": entry} if isinstance(entry, str) else entry.model_dump()
            found.append(places.ListFile(**(said | {"path": self.path(said["path"])})))
        return found

    def digest(self, room: str, written: str, reports: Mapping[str, DataFrame]) -> str:
        """Return the SHA-256 of a file, or (as `reports` have it) of the rows that were read for `room` from a database."""
        path = self.path(written)
        if not _files.is_database(path):
            return _files.digest(_files.split_layer(path)[0])
        # a census or a cohort table is read with the demand
        report = reports.get(room, reports["demand"])
        named = path.partition("#")[2]
        rows = report[
            (report["what_id"] == "rows_digest") & report["file"].str.fullmatch(rf"(.+\.)?{re.escape(named)}")
        ]
        return str(rows["value"].iloc[0])


def lists_and_layers(config: StudyConfig) -> list[tuple[str, str]]:
    """Return what each file or table is for, and its path as the study writes it; roads are not among them."""
    demand = config.demand
    of_demand = {
        "positions": demand.positions,
        "raster": demand.raster,
        "settled": demand.settled,
        "census": demand.census,
        "cohorts": demand.cohorts,
    }
    return [
        ("units", config.boundaries.units),
        *(("facilities", path_of(file)) for file in config.facilities.files),
        *(("candidates", path_of(file)) for file in config.candidates.files),
        *(("demand", path_of(file)) for file in demand.village_files),
        *((room, file) for room, file in of_demand.items() if file),
        *([("times", config.times.table)] if config.times.table else []),
        *(("no_go", layer.path) for layer in config.candidates.exclude),
    ]
