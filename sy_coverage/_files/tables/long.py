"""Read tables of a few columns and millions of rows, which no list of text cells could hold."""

from __future__ import annotations

import csv
import io
import re
from itertools import islice
from typing import TYPE_CHECKING, Any

import pandas as pd

from sy_coverage._files.addresses import is_database
from sy_coverage._files.content.encodings import decode
from sy_coverage._files.content.packed import unzipped
from sy_coverage._files.content.reading import local_path, read_bytes, split_layer
from sy_coverage._files.limits import USUAL
from sy_coverage._files.tables.formats import read_grid
from sy_coverage._files.tables.text import delimiter_of
from sy_coverage.errors import UnreadableFileError, some

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

    from pandas import DataFrame

    from sy_coverage._files.limits import Limits

BLANK = re.compile(r"\n\r?\n")
GZIP, PARQUET = b"\x1f\x8b", b"PAR1"
OTHERS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"SQLite format 3\0", b"fgb\x03fgb", b"\x00\x00\x27\x0a")
"""How workbooks and layers begin."""
HEADER = 100_000
"""Characters that the header of a table of text is within."""
TITLE_ROWS = 10
"""A header stands among the first so many rows of a sheet."""
COPIES = 6
"""So many times the text of a table is held while it is read."""


def read_long_table(
    source: str | os.PathLike[str],
    *,
    is_header: Callable[[list[str]], bool],
    encoding: str | None = None,
    limits: Limits = USUAL,
) -> DataFrame:
    """Return one table as columns under the names of its file, indexed by the row numbers a person sees.

    Delimited text (also packed with gzip) keeps every value as text; Parquet keeps its types; of workbooks, layers and
    database tables `is_header` tells which of the first rows has the names. As many rows are read as `limits` allow cells;
    of workbooks and layers as many as of any list.

    Raises
    ------
    MissingFileError, UnreadableFileError, InputError, OfflineError
        If there is no such file, it is damaged, of another kind or beyond `limits`, rows have other numbers of values than
        the header, or a database is not reached.
    """
    if is_database(source):
        return _of_cells(read_grid(source, limits=limits).cells, 0, is_header)
    path = local_path(split_layer(source)[0])
    file, content = path.name, read_bytes(path, limits=limits)
    if content.startswith(GZIP):
        content = unzipped(content, file, limits=limits, copies=COPIES)
    if not content.strip():
        raise UnreadableFileError(f"{file}: the file is empty")
    if content.startswith(PARQUET):
        return _parquet(content, file, limits)
    if content.startswith(OTHERS) or content.lstrip()[:1] in (b"{", b"<"):
        grid = read_grid(source, encoding=encoding, limits=limits)
        return _of_cells(grid.cells, grid.first_row, is_header)
    return _text(content, file, encoding, limits)


def _of_cells(cells: list[list[str]], first_row: int, is_header: Callable[[list[str]], bool]) -> DataFrame:
    at = next((i for i, row in enumerate(islice(cells, TITLE_ROWS)) if is_header(row)), 0)
    header, body = (cells[at] if cells else []), cells[at + 1 :]
    frame = pd.DataFrame(body, columns=pd.Index(header, dtype=object))
    frame.index = pd.RangeIndex(at + 1 + first_row, at + 1 + first_row + len(body))
    return frame[[any(row) for row in body]]


def _parquet(content: bytes, file: str, limits: Limits) -> DataFrame:
    import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415
    import pyarrow.parquet as pq  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        facts = pq.read_metadata(pa.BufferReader(content))
        limits.check_cells(facts.num_rows, facts.num_columns, file)
        frame: DataFrame = pq.read_table(pa.BufferReader(content)).to_pandas()
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, UnreadableFileError):
            raise
        raise UnreadableFileError(f"{file}: damaged, or no Parquet file ({error})") from error
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return frame


def _text(content: bytes, file: str, encoding: str | None, limits: Limits) -> DataFrame:
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import csv as arrow  # noqa: PLC0415

    text, _ = decode(content, file, encoding=encoding)
    mark = delimiter_of(text, file)
    if len(mark.encode()) > 1:
        text, mark = text.replace(mark, ","), ","
    header = next(csv.reader(io.StringIO(text[:HEADER]), delimiter=mark))
    limits.check_cells(text.count("\n"), len(header), file)
    wrong: list[tuple[int, str]] = []

    def note(row: Any) -> str:
        wrong.append((int(row.number), str(row.text)))
        return "skip"

    blank = [] if BLANK.search(text) is None else [not line.strip() for line in text.splitlines()]
    data = text.encode()
    del text
    try:
        table = arrow.read_csv(
            pa.BufferReader(data),
            # rows have numbers where one thread reads
            read_options=arrow.ReadOptions(use_threads=False),
            parse_options=arrow.ParseOptions(
                delimiter=mark, newlines_in_values=True, invalid_row_handler=note
            ),
            convert_options=arrow.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=False
            ),
        )
    except (pa.ArrowException, ValueError) as error:
        raise UnreadableFileError(f"{file}: not a table of text ({error})") from error
    if wrong:
        raise UnreadableFileError(_uneven(wrong, file, len(header)))
    frame: DataFrame = table.to_pandas()
    numbers = [n for n, is_blank in enumerate(blank, start=1) if not is_blank][1:]
    # values of several lines leave no way to tell
    frame.index = pd.Index(numbers) if len(numbers) == len(frame) > 0 else pd.RangeIndex(2, len(frame) + 2)
    return frame


def _uneven(wrong: Iterable[tuple[int, str]], file: str, columns: int) -> str:
    rows = list(wrong)
    shown = [f"{number}: {text[:60]}" for number, text in rows]
    return f"{file}: {len(rows)} rows do not have the header's {columns} values ({some(shown)}); mend them"
