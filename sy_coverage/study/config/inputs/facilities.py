"""Look up what `[facilities]` of a study file may say."""

from __future__ import annotations

from pydantic import Field

from sy_coverage.study.config.section import CoordinateSystem, Section


class Facilities(Section):
    """`[facilities]`: what there is."""

    files: tuple[str, ...] = Field(min_length=1)
    """Tables, vector files or tables of a PostGIS database, any number of them."""
    coordinate_system: CoordinateSystem | None = None
    """What the coordinates are in; a column of the file may say it row by row instead."""
    columns: dict[str, str] = {}
    """Which column of the files holds which of ours."""
    close: tuple[str, ...] = ()
    """Facilities that close, by id or name: they count for nothing."""
