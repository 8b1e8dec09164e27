"""Find the table inside a sheet: its header, its rows, and the titles, totals and notes that are none."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pandas as pd
from rapidfuzz import process

from sy_coverage._files import USUAL, Grid, Limits, read_grid, read_grids
from sy_coverage.errors import FrameError
from sy_coverage.places.sheets import words

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

    from geopandas import GeoSeries
    from pandas import DataFrame

REPORT_COLUMNS = ("file", "row", "what_id", "subject", "value")
"""A report's columns: which file and row (as a person sees it; empty for the whole file), the id of a label
``places.read_<what_id>``, what it is about, and a value."""
_CALLED = ("name", "unit", "county", "age")
_HEADER_WITHIN = 30
"""Rows from the top in which the header is looked for."""
_EXAMPLES = ("（示例）", "(示例)", "(example)")
"""How the names of the rows begin that show how a form is filled in."""
_ESCAPED = re.compile(r"_x00[01][0-9A-Fa-f]_")
"""Control characters as some programs write them into workbooks, such as _x000D_."""
_DITTO = frozenset(("同上", "同前", "〃", "″", "〞", "''", "同上行", "ditto"))
"""What a cell says that means the one above it."""
_NOTE_LINE = re.compile(r"[（(]?\d{1,2}[.．、)）]\D")
"""How a further line of a note begins: 2.停用机构不列入."""
_PAGE_END = re.compile(r"[（(]?(?:续表.*|以下空白|以下无正文|此页无正文|本页无正文|空白)[）)]?")
_SECTION = re.compile(
    r"(?:[（(]?[一二三四五六七八九十]+[）)、.．])?[\u4e00-\u9fff]{1,8}(?:镇|乡|街道|办事处)(?:[（(]\d+[个所家处][）)])?"
)
"""A town that stands over its places: 二、丙镇（2个）."""
_NUMBER = re.compile(r"\d+(?:\.0)?")
_TOTAL = re.compile(r"^.{0,12}?(小计|合计|总计|共计|总合计)([:：(].*)?(\d+(\.\d+)?(个|所|家|处)?)?$")


class ReportFrame(pd.DataFrame):  # type: ignore[misc]  # pandas is untyped here
    """A report as it travels in ``frame.attrs``: pandas compares attributes when it joins frames, and wants yes or no."""

    @property
    def _constructor(self) -> type[ReportFrame]:
        return ReportFrame

    def __eq__(self, other: object) -> Any:
        """Return whether two reports say the same; compared with anything else, what a frame would return."""
        return bool(self.equals(other)) if isinstance(other, ReportFrame) else super().__eq__(other)

    def __deepcopy__(self, memo: object) -> ReportFrame:
        """Return a copy that shares its cells until one side is changed: pandas copies attributes at every step."""
        return ReportFrame(self.copy(deep=False))

    __hash__ = None  # type: ignore[assignment]  # as every frame


class Report:
    """Gather, while files are read, what was found, assumed, fixed and left out."""

    def __init__(self) -> None:
        """Begin with nothing said."""
        self._lines: list[tuple[str, str, str, str, str]] = []

    def say(self, file: str, row: object, what_id: str, subject: object = "", value: object = "") -> None:
        """Add a line; `row` is empty for what concerns the whole file."""
        self._lines.append((file, str(row), what_id, str(subject), str(value)))

    def unsay(self, file: str, what_id: str, subject: object) -> None:
        """Take back what was said of a subject, because it turned out otherwise."""
        self._lines = [line for line in self._lines if (line[0], *line[2:4]) != (file, what_id, str(subject))]

    def frame(self) -> ReportFrame:
        """Return the lines as a frame of text with the columns `file`, `row`, `what_id`, `subject`, `value`."""
        return ReportFrame(self._lines, columns=list(REPORT_COLUMNS), dtype="str")


@dataclass(frozen=True)
class Table:
    """The rows of one file as text, under the names of our fields where a header was understood."""

    file: str
    stem: str
    rows: DataFrame
    """Index: the row as a person sees it in the file; columns: our fields, then extra columns by their header."""
    headers: dict[str, str]
    """Field to header as written."""
    fields: tuple[str, ...]
    geometry: GeoSeries | None
    limits: Limits = USUAL
    sheet: str = ""
    """Which table of a file with several."""
    marks: frozenset[tuple[object, str]] = frozenset()
    """(row, ``hidden`` or ``struck``)."""
    formulas: tuple[tuple[object, str, str], ...] = ()
    """(row, column, text) of the formulas that no program has computed; their cells are empty."""
    settled: frozenset[tuple[object, str]] = frozenset()
    """(row, field) of the cells that somebody has answered: nothing else of their row speaks against them."""
    titles: tuple[str, ...] = ()
    """What stands above the header, and the name of the sheet."""

    @property
    def names(self) -> pd.Series | None:
        """What its rows are called: by their names, or else by their units, counties or ages."""
        called = next((field for field in _CALLED if field in self.headers), None)
        return None if called is None else self.rows[called]

    @cached_property
    def called(self) -> dict[object, str]:
        """What each row is called, tidied; a lookup for the many that ask row by row."""
        names = self.names
        return {} if names is None else {row: words.tidy(str(name)) for row, name in names.items()}

    def where(self, row: object) -> str:
        """Return how a message names a row of this file."""
        return f"{self.file}{'#' if self.sheet else ''}{self.sheet} row {row}"

    def formula_rows(self, field: str) -> set[object]:
        """Return the rows in which a column holds a formula that no program has computed."""
        return {row for row, column, _ in self.formulas if column == field}


def read_table(
    source: str | os.PathLike[str],
    what: str,
    report: Report,
    *,
    layer: str | None = None,
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
    limits: Limits = USUAL,
) -> Table:
    """Return the table in a file, with its headers understood as the fields of `what`.

    Parameters
    ----------
    what
        ``"place"``, ``"units"`` or ``"demand"``: whose synonyms the headers are compared with.
    columns
        Our field to the header that means it; decides over the synonyms.
    limits
        How much is read; the table carries them, for the vertices of its shapes.

    Raises
    ------
    FrameError
        If no header row is found, or `columns` names a field or header that is not there.
    """
    grid = read_grid(source, layer=layer, encoding=encoding, limits=limits)
    return _table_of(grid, what, report, columns, limits)


def read_tables(
    source: str | os.PathLike[str],
    what: str,
    report: Report,
    *,
    layer: str | None = None,
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
    limits: Limits = USUAL,
) -> list[Table]:
    """Return every table of a file, as `read_table` does: each sheet of a workbook, each table of a document.

    Sheets without a header that is understood (notes, figures) are left out and reported.

    Raises
    ------
    FrameError
        If there is no table in the file at all.
    """
    grids = read_grids(source, layer=layer, encoding=encoding, limits=limits)
    tables, problems = [], []
    for grid in grids:
        try:
            tables.append(_table_of(grid, what, report, columns, limits))
        except FrameError as error:
            problems.append(error)
            if len(grids) > 1:
                report.say(grid.file, "", "sheet_left_out", "", grid.sheet)
    if not tables:
        raise problems[0]
    return tables


def _table_of(
    grid: Grid, what: str, report: Report, columns: Mapping[str, str] | None, limits: Limits
) -> Table:
    for what_id, value in grid.notes:
        report.say(grid.file, "", what_id, "", value)
    wanted = _wanted(columns, what, grid.file)
    cells = [[_clean(cell) for cell in row] for row in grid.cells]
    top, depth = (0, 1) if grid.first_row == 0 else _find_header(cells, grid, what, wanted)
    names = _header_names(cells, grid, top, depth, what, wanted)
    cut = frozenset(value for what_id, value in grid.notes if what_id == "field_cut")
    fields, headers = _fields(names, what, wanted, grid.file, report, cut)
    titles = [next((cell for cell in cells[number] if cell), "") for number in range(top)]
    for number, title in enumerate(titles):
        if title:
            report.say(grid.file, number + grid.first_row, "title_row", "", title)
    kept = _body(cells, grid, top + depth, fields, report)
    held = set(kept)
    formulas = []
    for n, c, _ in sorted(mark for mark in grid.marks if mark[2] == "formula" and mark[0] in held):
        number, formula = n + grid.first_row, cells[n][c]
        report.say(grid.file, number, "formula_unread", names[c] or _letters(c), formula)
        formulas += [(number, field, formula) for field, place in fields.items() if place == c]
        cells[n][c] = ""
    rows = pd.DataFrame(
        [[cells[n][c] for c in fields.values()] for n in kept],
        columns=list(fields),
        index=pd.Index([n + grid.first_row for n in kept], name="row"),
        dtype="str",
    )
    shapes = None
    if grid.geometry is not None:
        shapes = grid.geometry.iloc[[n - 1 for n in kept]].set_axis(rows.index)
    report.say(grid.file, "", "rows_read", "", len(rows))
    stem = grid.stem or grid.file.rsplit(".", 1)[0]
    marks = {(n + grid.first_row, mark) for n, _, mark in grid.marks if n in held and mark != "formula"}
    return Table(
        grid.file,
        f"{stem}-{grid.sheet}" if grid.sheet else stem,
        rows,
        headers,
        tuple(headers),
        shapes,
        limits,
        grid.sheet,
        frozenset(marks),
        tuple(formulas),
        titles=(*titles, grid.sheet),
    )


def _letters(column: int) -> str:
    """Return how a sheet calls a column, counted from 0: A, Z, AA."""
    rest, last = divmod(column, 26)
    return (_letters(rest - 1) if rest else "") + chr(ord("A") + last)


def _clean(cell: str) -> str:
    if "_x" in cell:
        cell = _ESCAPED.sub("", cell)
    return cell.strip().strip("\u3000\ufeff\u200b").strip() if cell else ""


def _wanted(columns: Mapping[str, str] | None, what: str, file: str) -> dict[str, str]:
    """Return ``{field: header}`` from `columns`, written in either direction."""
    known = set(words.table()["headers"][what])
    as_id = {"facility_id": "id", "candidate_id": "id", "unit_id": "id" if what == "units" else "unit"}
    as_id |= {"demand_id": "id", "county_id": "county_id" if what == "units" else "county"}
    found = {}
    for one, other in (columns or {}).items():
        field = as_id.get(one, one)
        header = other
        if field not in known and as_id.get(other, other) in known:
            field, header = as_id.get(other, other), one
        if field not in known:
            raise FrameError(
                file, [f"columns: there is no field '{one}'; there are: {', '.join(sorted(known))}"]
            )
        found[field] = header
    return found


def _known_headers(row: Iterable[str], what: str, wanted: Mapping[str, str]) -> list[int]:
    asked = {words.plain(header) for header in wanted.values()}
    return [
        i
        for i, cell in enumerate(row)
        if cell and len(cell) <= 40 and (words.plain(cell) in asked or words.field_of(cell, what))
    ]


def _find_header(cells: list[list[str]], grid: Grid, what: str, wanted: Mapping[str, str]) -> tuple[int, int]:
    """Return the first row of the header and how many rows it takes (2 where merged headers have parts)."""
    scores = [
        len({words.plain(row[i]) for i in _known_headers(row, what, wanted)})
        for row in cells[:_HEADER_WITHIN]
    ]
    best = max(scores, default=0)
    if best == 0 or (best == 1 and len([c for c in cells[scores.index(1)] if c]) > 2):
        # what it holds is not repeated: it may be any file of the machine
        filled = next((sum(map(bool, row)) for row in cells if any(row)), 0)
        message = (
            f"no header row with known columns in the first {_HEADER_WITHIN} rows (the first has {filled} cells); "
            'give the right file, or name the columns with columns = {name = "…"}'
        )
        raise FrameError(grid.file, [message])
    top = scores.index(best)
    for first in (top - 1, top):
        if 0 <= first < len(cells) - 1 and _is_two_rows(cells[first], cells[first + 1], what, wanted):
            return first, 2
    return top, 1


def _is_two_rows(upper: list[str], lower: list[str], what: str, wanted: Mapping[str, str]) -> bool:
    """Tell a header in two rows: parts below, and nothing below a header that stands alone above."""
    above, below = set(_known_headers(upper, what, wanted)), set(_known_headers(lower, what, wanted))
    filled_below = {i for i, cell in enumerate(lower) if cell}
    only_above = {i for i in above if not lower[i]}
    return bool(below and only_above) and filled_below <= below | {
        i for i in filled_below if not words.is_blank(lower[i]) and not _looks_like_data(lower[i])
    }


def _looks_like_data(cell: str) -> bool:
    return any(character.isdigit() for character in unicodedata.normalize("NFKC", cell))


def _header_names(
    cells: list[list[str]], grid: Grid, top: int, depth: int, what: str, wanted: Mapping[str, str]
) -> list[str]:
    """Return one name a column: of a header in two rows the lower part, or both joined where that says more."""
    parts = [list(row) for row in cells[top : top + depth]]
    for first, left, last, right in grid.merges:
        for n in range(max(first, top), min(last, top + depth - 1) + 1):
            for column in range(left, right + 1):
                parts[n - top][column] = cells[first][left]
    if depth == 2 and not grid.merges:
        _spread_above(*parts)
    asked = {words.plain(header) for header in wanted.values()}
    names = []
    for column in range(len(cells[top])):
        stack = list(dict.fromkeys(part[column] for part in parts if part[column]))
        tries = [stack[-1], "".join(stack), stack[0]] if stack else [""]
        names.append(next((t for t in tries if words.plain(t) in asked or words.field_of(t, what)), tries[0]))
    return names


def _spread_above(upper: list[str], lower: list[str]) -> None:
    """Give each part of a header the words above it: a CSV has them over the first part only, its merges being lost."""
    for column in range(1, len(upper)):
        if lower[column] and lower[column - 1] and not upper[column]:
            upper[column] = upper[column - 1]


def _fields(
    names: list[str],
    what: str,
    wanted: Mapping[str, str],
    file: str,
    report: Report,
    cut: frozenset[str] = frozenset(),
) -> tuple[dict[str, int], dict[str, str]]:
    """Return ``{column name: its position}`` (our field, or the header of an extra column) and field to header."""
    taken = _asked_for(names, wanted, file)
    used = set(taken.values())
    ranks = dict.fromkeys(taken, -1)
    for i, name in enumerate(names):
        meant = words.field_of(name, what) if name and i not in used else None
        if meant is None and name in cut and i not in used:
            meant = words.field_of_cut(name, what)
        if meant and (meant[0] not in taken or meant[1] < ranks[meant[0]]):
            ranks[meant[0]], taken[meant[0]] = meant[1], i
    headers = {field: names[i] for field, i in taken.items()}
    fields = {}
    for i, name in enumerate(names):
        labels = [field for field, place in taken.items() if place == i]
        for label in labels:
            fields[label] = i
            if words.plain(name) != words.plain(label):
                report.say(file, "", "column_understood", name, label)
        if name and not labels:
            fields[f"{name}.{i + 1}" if name in fields or name in headers else name] = i
            report.say(file, "", "column_kept", name)
    return fields, headers


def _asked_for(names: list[str], wanted: Mapping[str, str], file: str) -> dict[str, int]:
    """Return where the headers stand that the caller named for our fields."""
    taken, problems = {}, []
    for field, header in wanted.items():
        places = [i for i, name in enumerate(names) if words.plain(name) == words.plain(header)]
        if places:
            taken[field] = places[0]
        else:
            near = _nearest(header, names)
            problems.append(f"columns: there is no column '{header}' for '{field}' (nearest: {near})")
    if problems:
        raise FrameError(file, problems)
    return taken


def _nearest(header: str, names: list[str]) -> str:
    found = process.extract(header, [name for name in names if name], limit=3)
    return ", ".join(str(name) for name, *_ in found) or "none"


def _body(
    cells: list[list[str]], grid: Grid, start: int, fields: dict[str, int], report: Report
) -> list[int]:
    """Return the positions of the rows that are data; what is left out is reported."""
    if grid.first_row == 0:
        return list(range(1, len(cells)))
    _fill_merged(cells, grid, start, fields, report)
    header = [words.plain(cell) for cell in cells[start - 1]]
    name_at = fields.get("name")
    ordinal_at = fields.get("ordinal")
    kept, blank = [], 0
    for n in range(start, len(cells)):
        row, number = cells[n], n + grid.first_row
        filled = [cell for cell in row if cell]
        others = [cell for place, cell in enumerate(row) if cell and place != ordinal_at]
        if not others and (not filled or _NUMBER.fullmatch(filled[0])):
            blank += 1  # empty, or numbered beforehand and never filled in
        elif all(words.plain(cell) == above for cell, above in zip(row, header, strict=True)):
            report.say(grid.file, number, "header_again", "", filled[0])
        elif is_total(filled[0]) or (name_at is not None and is_total(row[name_at])):
            report.say(grid.file, number, "total_row", "", filled[0])
        elif name_at is not None and row[name_at].startswith(_EXAMPLES):
            report.say(grid.file, number, "example_row", "", row[name_at])
        elif is_note(filled[0]) and len(set(filled)) <= 3:
            report.say(grid.file, number, "note_row", "", filled[0])
        elif name_at is not None and _is_remark(row, name_at, ordinal_at):
            report.say(grid.file, number, "note_row", "", next(c for c in reversed(row) if c))
        else:
            kept.append(n)
    if blank:
        report.say(grid.file, "", "blank_rows", "", blank)
    _fill_ditto(cells, kept, grid, report)
    return kept


def _is_remark(row: list[str], name_at: int, ordinal_at: int | None) -> bool:
    """Return whether a row of a list of named places is none: a line of a note, 以下空白, or a town over its places."""
    said = {cell for place, cell in enumerate(row) if cell and place != ordinal_at}
    name = row[name_at]
    if not said:
        return True
    if len(said) != 1:
        return False
    if not name:
        return not _looks_like_data(next(iter(said))[:1]) or bool(_NOTE_LINE.match(next(iter(said))))
    counted = ordinal_at is None or not _NUMBER.fullmatch(row[ordinal_at])
    return bool(_PAGE_END.fullmatch(name)) or (counted and bool(_SECTION.fullmatch("".join(name.split()))))


def _fill_ditto(cells: list[list[str]], kept: list[int], grid: Grid, report: Report) -> None:
    """Give each cell that says 同上 what stands above it."""
    filled = 0
    for above, n in pairwise(kept):
        for column, cell in enumerate(cells[n]):
            if cell in _DITTO and cells[above][column]:
                cells[n][column] = cells[above][column]
                filled += 1
    if filled:
        report.say(grid.file, "", "ditto_filled", "", filled)


def is_total(cell: str) -> bool:
    """Return whether a cell is the head of a totals row: 合计, 全市总计, 小计（3）, total."""
    return words.plain(cell) in _plain_words("totals") or bool(
        _TOTAL.match(unicodedata.normalize("NFKC", "".join(cell.split())))
    )


@cache
def _plain_words(kind: str) -> frozenset[str]:
    """Return the words that begin totals rows, or notes, as they are compared."""
    return frozenset(words.plain(word) for word in words.table()["words"][kind])


def is_note(cell: str) -> bool:
    """Return whether a cell begins a note under a table: 注：…, 填表人：…, Source: …."""
    head = re.split(r"[:：]", unicodedata.normalize("NFKC", cell), maxsplit=1)
    known = _plain_words("notes")
    return len(head) == 2 and (
        words.plain(head[0]) in known or words.plain(head[0]).rstrip("0123456789") in known
    )


def _fill_merged(
    cells: list[list[str]], grid: Grid, start: int, fields: dict[str, int], report: Report
) -> None:
    """Give each row of a downward merge its text; a merged number stays with its first row, for it counts once."""
    numbers = {place for field, place in fields.items() if field in words.table()["amounts"]}
    for first, left, last, right in grid.merges:
        if first < start or last == first or left != right or left in numbers:
            continue
        ends = min(last, len(cells) - 1)
        filled = [n for n in range(first + 1, ends + 1) if not cells[n][left]]
        for n in filled:
            cells[n][left] = cells[first][left]
        if filled and cells[first][left]:
            rows = f"{filled[0] + grid.first_row}–{filled[-1] + grid.first_row}".split("–")
            report.say(grid.file, "–".join(dict.fromkeys(rows)), "merged_filled", "", cells[first][left])
