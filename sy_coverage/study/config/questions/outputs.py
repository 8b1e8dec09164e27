"""Look up what `[outputs]` of a study file may say."""

from __future__ import annotations

from typing import Literal

from sy_coverage.study.config.section import Section


class OutputOptions(Section):
    """`[outputs]`: for whom results are written."""

    edition: Literal["internal", "public"] = "internal"
    """``public`` leaves out costs, candidates that were not chosen, columns that no contract names (contacts), doubts and the model of
    the page, and shows fewer than ten elders as ten: on maps, in proposals, tables and the GeoPackage alike. The list to verify is not
    written. ``internal`` says on the page that it is."""
