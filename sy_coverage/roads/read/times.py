"""Read tables of minutes that somebody already has: one row a pair, millions of rows, in any common file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sy_coverage import _files
from sy_coverage.roads.forms import od_table

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from sy_coverage.roads.forms.od_table import KnownMinutes


def read_times(
    source: str | os.PathLike[str],
    *,
    mode: str = "",
    columns: Mapping[str, str] | None = None,
    limits: _files.Limits = _files.USUAL,
) -> KnownMinutes:
    """Return the minutes of a table: from where elders start, to where they go.

    Parameters
    ----------
    source
        Delimited text (also ``.gz``), Parquet, a workbook or a table of PostgreSQL, with columns `from`, `to` and `minutes`,
        and optionally `metres` and `mode`; or those of a matrix of Amap or Baidu (`origin_id`, `dest_id`, `duration` in
        seconds, `distance`). Any order, any pairs missing; a row without minutes is a pair that cannot be travelled.
    mode
        Of which travel mode all rows are, where no column says it; empty: of whichever is asked.
    columns
        Which column is `from`, `to`, `minutes`, `seconds`, `metres` or `mode`, where its name does not tell.
    limits
        How large the file may be and how many cells it may have.

    Returns
    -------
    minutes
        By mode; ids are text.

    Raises
    ------
    MissingFileError, UnreadableFileError, InputError, OfflineError
        If the file or table cannot be read.
    FrameError
        Naming the rows whose ids, minutes, metres or mode cannot be used, and pairs that have two times.
    """
    named = set((columns or {}).values())

    def is_header(names: list[str]) -> bool:
        return od_table.is_header(names) or (bool(named) and named <= set(names))

    frame = _files.read_long_table(source, is_header=is_header, limits=limits)
    name = _files.without_password(str(source)).rpartition("/")[2]
    return od_table.known_minutes(frame, name=name, mode=mode, columns=columns)
