"""Look up what `[facilities]` of a study file may say."""

from __future__ import annotations

from pydantic import Field

from sy_coverage.study.config.inputs.list_file import ListFile
from sy_coverage.study.config.section import CoordinateSystem, Section


class Facilities(Section):
    """`[facilities]`: what there is."""

    files: tuple[str | ListFile, ...] = Field(min_length=1)
    """Tables, vector files, documents or tables of a PostGIS database, any number of them; what is special about one stands beside
    it: ``{ path = "台账.xlsx", sheet = "养老机构", kind = "", columns = {}, coordinate_system = "gcj02" }``."""
    strict: bool = False
    """Whether a row that cannot be used stops the run; else it is kept, listed and asked about."""
    coordinate_system: CoordinateSystem | None = None
    """What the coordinates are in; a column of the file may say it row by row instead."""
    columns: dict[str, str] = {}
    """Which column of the files holds which of ours."""
    close: tuple[str, ...] = ()
    """Facilities that close, by id or name: they count for nothing."""
