"""Look up what `[limits]` of a study file may say."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sy_coverage import _files
from sy_coverage.study.config.section import Section

Count = Annotated[int, Field(ge=1, le=_files.HIGHEST)]


class Limits(Section):
    """`[limits]`: how much of one file is read, and how long one county may take, so that nothing fills the memory or waits for ever."""

    megabytes: Count = _files.USUAL.megabytes
    """Of a table, boundary file or GraphML, and of what a workbook unpacks to; road extracts and rasters know no such limit."""
    ratio: Count = _files.USUAL.ratio
    """How many times its packed size a workbook above 1 MB may unpack to."""
    rows: Count = _files.USUAL.rows
    """Of a table, sheet or layer."""
    cells: Count = _files.USUAL.cells
    """Rows times columns of a table."""
    vertices: Count = _files.USUAL.vertices
    """Of all boundaries or settled areas of a layer together."""

    county_s: Annotated[float, Field(gt=0)] = 7200.0
    """Seconds that a worker may be at one county (or a cluster at its tasks without finishing one) before it is tried elsewhere."""

    def of_files(self) -> _files.Limits:
        """Return these limits as the readers take them."""
        return _files.Limits(**self.model_dump(exclude={"county_s"}))
