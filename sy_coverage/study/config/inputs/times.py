"""Look up what `[times]` of a study file may say."""

from __future__ import annotations

from typing import Literal

from sy_coverage.study.config.section import Mode, Section

PairField = Literal["from", "to", "minutes", "seconds", "metres", "mode"]


class Times(Section):
    """`[times]`: minutes that somebody already has, in place of those on the roads."""

    table: str | None = None
    """A table with one row a pair, ids of villages, facilities and candidates: ``from``, ``to``, ``minutes``, and optionally
    ``metres`` and ``mode``, or a matrix of Amap or Baidu (CSV, also ``.gz``, Parquet, XLSX, PostgreSQL). A row without minutes
    is a pair that cannot be travelled; a pair that is not there goes by the roads, or without `[roads]` is out of reach."""
    mode: Mode | None = None
    """How all rows travel, where no column says it; without, each facility's elders as its kind has it."""
    columns: dict[PairField, str] = {}
    """Which column is what, where a name is not recognised: ``columns = { from = "村", to = "点位", minutes = "用时" }``."""
