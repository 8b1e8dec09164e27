"""Turn the text cells of a table into the typed columns of a frame, gathering every breach with its row."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from sy_coverage.errors import FrameError, some
from sy_coverage.places.sheets import words
from sy_coverage.places.sheets.doubts.doubtful import Doubt, doubts_frame, unanswered
from sy_coverage.places.sheets.statuses import telling_columns
from sy_coverage.places.sheets.tables import ReportFrame

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pandas import DataFrame, Index, Series

    from sy_coverage.places.sheets.tables import Report, Table

_SHOWN = 50
"""How many rows a message lists for one problem of one column."""
_ROUNDED = re.compile(r"\d(?:\.\d+)?[eE]\+\d+")


class Breaches:
    """Gather what is wrong with a table: to be refused all at once, or, row by row, to be asked about."""

    def __init__(self, list_name: str = "", *, strict: bool = True) -> None:
        """Begin with nothing wrong in the list called `list_name`; unless `strict`, rows are no reason to refuse a file."""
        self.list_name, self.strict = list_name, strict
        self.doubts: list[Doubt] = []
        self._violations: dict[str, list[str]] = {}
        self._about: dict[tuple[str, str, str, str], list[tuple[str, str]]] = {}

    def add(self, problem: str, where: str) -> None:
        """Note that `problem`, which no reading can do with, is at `where`."""
        self._violations.setdefault(problem, []).append(where)

    def row(self, table: Table, row: object, kind: str, problem: str, **more: str) -> None:
        """Note `problem` of a row: a breach where reading is strict, else a doubt of `kind`, with what `more` it tells."""
        if self.strict:
            written = f" '{more['written']}'" if more.get("written") else ""
            self.add(problem, f"{table.where(row)}{written}")
        else:
            self.ask(table, row, kind, **more)

    def ask(self, table: Table, row: object, kind: str, **more: str) -> None:
        """Note a doubt about a row, which is used as it is meanwhile; a row of "" is the whole table."""
        name = table.called.get(row, "")
        place = {"file": table.file, "sheet": table.sheet, "row": str(row)}
        self.doubts.append(Doubt(kind=kind, list=self.list_name, name=name, **(place | more)))

    def ask_once(self, table: Table, rows: list[object], kind: str, **more: str) -> None:
        """Note one doubt about several rows of a table: `value` is how many."""
        shown = "、".join(map(str, rows))
        self.doubts.append(
            Doubt(
                kind=kind,
                list=self.list_name,
                file=table.file,
                sheet=table.sheet,
                row=shown,
                written=shown,
                value=str(len(rows)),
                **more,
            )
        )

    def about(self, table: Table, row: object, field: str, written: str, taken: str) -> None:
        """Note a number that was only given roughly; those of one column are one doubt."""
        key = (table.file, table.sheet, field, table.headers.get(field, field))
        self._about.setdefault(key, []).append((str(row), f"{written} → {taken}"))

    def ask_about_rough_numbers(self) -> None:
        """Make one doubt of all rough numbers of each column."""
        for (file, sheet, field, header), rows in self._about.items():
            shown = "、".join(row for row, _ in rows)
            self.doubts.append(
                Doubt(
                    kind="number_about",
                    list=self.list_name,
                    file=file,
                    sheet=sheet,
                    row=shown,
                    field=field,
                    written=some(text for _, text in rows),
                    subject=header,
                    value=str(len(rows)),
                )
            )
        self._about = {}

    def frame(self, rows: DataFrame, answers: DataFrame | None) -> ReportFrame:
        """Return the doubts that nobody has answered yet, as contract `DOUBTS`; `rows` (column `source`) gives their ids."""
        self.ask_about_rough_numbers()
        ids = dict(zip(rows["source"], rows.index, strict=True)) if len(self.doubts) else {}
        known = [replace(doubt, row_id=str(ids.get(doubt.source, ""))) for doubt in self.doubts]
        return ReportFrame(unanswered(doubts_frame(known), answers))

    def stop(self, what: str) -> None:
        """Raise FrameError for the frame called `what` if anything was noted that must stop the reading."""
        if self._violations:
            raise FrameError(
                what, [f"{p}: {some(rows, most=_SHOWN)}" for p, rows in self._violations.items()]
            )


def ask_about_formulas(table: Table, breaches: Breaches) -> None:
    """Note every formula that no program has computed in a column that is read: its cell is not an empty one."""
    read = {*table.headers, *telling_columns(table)}
    for row, field, written in table.formulas:
        if field not in read:
            continue
        problem = "holds a formula that no program has computed; open and save it in a spreadsheet program"
        if written.startswith("#"):
            problem = "shows an error of the spreadsheet program"
        breaches.row(
            table,
            row,
            "formula_unread",
            f"{_called(table, field)} {problem}",
            field=field,
            written=written,
            subject=table.headers.get(field, field),
            value=written,
        )


def column(table: Table, field: str) -> Series:
    """Return a field's text cells, empty where the table has no such column."""
    if field in table.headers:
        return table.rows[field]
    return pd.Series("", index=table.rows.index, dtype="str")


def _called(table: Table, field: str) -> str:
    header = table.headers.get(field, field)
    return f"column '{header}'" + (f" ({field})" if header != field else "")


def text(table: Table, field: str) -> Series:
    """Return a field as text, missing only where its cell is empty."""
    cells = column(table, field).map(words.tidy)
    return cells.astype(object).where(cells != "", None)


def _each(
    table: Table,
    field: str,
    parse: Callable[[object, str], tuple[Any, str | None]],
    breaches: Breaches,
    kind: str,
    blank: Callable[[str], bool] = words.is_blank,
) -> Series:
    """Return what `parse` makes of every cell that is not blank; what it cannot read is a doubt of `kind`."""
    values: list[Any] = []
    for row, cell in column(table, field).items():
        if not cell or blank(cell):
            values.append(None)
            continue
        value, problem = parse(row, cell)
        if problem is not None:
            what = "formula_unread" if cell.startswith("=") else kind
            breaches.row(
                table,
                row,
                what,
                f"{_called(table, field)} {problem}",
                field=field,
                written=cell,
                subject=table.headers.get(field, field),
                value=cell,
            )
        values.append(value)
    return pd.Series(values, index=table.rows.index, dtype=object)


def numbers(
    table: Table, field: str, breaches: Breaches, report: Report, *, told: Callable[[str], bool] | None = None
) -> Series:
    """Return a field as finite numbers of 0 or more, units such as 张 or 万元 taken into account; guesses are reported.

    A cell for which `told` holds speaks of something else (停用 among beds), which its reader sees to.
    """
    header = table.headers.get(field, "")

    def parse(row: object, cell: str) -> tuple[float | None, str | None]:
        value, problem = words.number(cell, field, header)
        rough = None
        if problem is not None and not breaches.strict:
            rough = words.rough_number(cell, field, header)
            value, problem = (rough, None) if rough is not None else (value, problem)
        if problem is None and value is not None and value < 0:
            return None, "must be 0 or more"
        if rough is not None:
            breaches.about(table, row, field, cell, f"{rough:g}")
        elif problem is None and cell in words.table()["words"]["none"]:
            report.say(table.file, "", "number_guessed", cell, f"{value:g}")
        return value, problem

    def blank(cell: str) -> bool:
        return words.is_blank(cell) or (told is not None and told(cell))

    return _each(table, field, parse, breaches, "number_unread", blank).astype("float64")


def flags(table: Table, field: str, breaches: Breaches) -> Series:
    """Return a field as True, False or missing, from words such as 是 and 无."""

    def parse(_: object, cell: str) -> tuple[bool | None, str | None]:
        value = words.flag(cell)
        return value, "must be 是 or 否 (yes or no)" if value is None else None

    # a plain 无 or — is an answer here, not a blank
    def blank(cell: str) -> bool:
        return words.flag(cell) is None and words.is_blank(cell)

    return _each(table, field, parse, breaches, "flag_unread", blank)


def dates(
    table: Table, field: str, breaches: Breaches, report: Report, *, told: Callable[[str], bool] | None = None
) -> Series:
    """Return a field as dates; a month or year without a day is its last day, and reported."""

    def parse(_: object, cell: str) -> tuple[Any, str | None]:
        value, to_the_day = words.date(cell)
        if value is None and told is not None and told(cell):
            return None, None
        if value is None:
            return None, "must be a date such as 2027-12-31 or 2027年12月"
        if not to_the_day:
            report.say(table.file, "", "date_completed", cell, value.isoformat())
        return pd.Timestamp(value), None

    return pd.to_datetime(_each(table, field, parse, breaches, "date_unread"))


def choices(
    table: Table,
    field: str,
    allowed: Mapping[str, tuple[str, ...]],
    breaches: Breaches,
    report: Report,
    *,
    kind: str = "choice_unread",
) -> Series:
    """Return a field as keys of `allowed`; a word that only contains a known one is taken, and reported."""

    def parse(_: object, cell: str) -> tuple[str | None, str | None]:
        # the words inside a formula are none of its row's
        key, is_exact = (None, False) if cell.startswith("=") else words.choice(cell, allowed)
        if key is None:
            return None, f"must be one of {', '.join(allowed)}, or a word for one of them"
        if not is_exact:
            report.say(table.file, "", "word_guessed", cell, key)
        return key, None

    return _each(table, field, parse, breaches, kind)


def ids(table: Table, breaches: Breaches, report: Report) -> Series:
    """Return the id of every row as text; a table without an id column gets ``<file stem>-<row>``."""
    made = pd.Series(
        [f"{table.stem}-{row}" for row in table.rows.index], index=table.rows.index, dtype=object
    )
    if "id" not in table.headers:
        report.say(table.file, "", "ids_made", "", f"{table.stem}-<row>")
        return made
    given = column(table, "id").map(words.code).astype(object)
    missing = list(given.index[given == ""])
    if len(missing) == len(given):  # a form's column that nobody fills in is none
        report.say(table.file, "", "ids_made", "", f"{table.stem}-<row>")
    elif missing and breaches.strict:
        for row in missing:
            breaches.add(f"{_called(table, 'id')} is empty", table.where(row))
    elif missing:
        breaches.ask_once(table, missing, "id_missing", field="id", subject=table.headers["id"])
    for row in given.index[given.map(lambda one: bool(_ROUNDED.fullmatch(one))).astype(bool)]:
        breaches.ask(table, row, "id_rounded", field="id", written=given[row], taken=given[row])
    return given.where(given != "", made)


def refuse_repeated(ids: Index, where: Series, breaches: Breaches) -> None:
    """Note every id that stands in more than one row, `where` those are."""
    repeated = sorted({value for value in ids[ids.duplicated()] if value})
    if repeated:
        rows = [f"{value} ({some(where.to_numpy()[ids == value])})" for value in repeated]
        breaches.add("ids stand more than once", some(rows))


def unique_ids(frame: DataFrame, where: Series, breaches: Breaches, tables: Mapping[str, Table]) -> Index:
    """Return the index of `frame` without repetitions: a further row of one id gets its place behind it, and is a doubt.

    Parameters
    ----------
    where
        Indexed like `frame`: file and row of each.
    tables
        The table of each place in `where`.
    """
    if breaches.strict or frame.index.is_unique:
        refuse_repeated(frame.index, where, breaches)
        return frame.index
    taken, fresh = set(frame.index), []
    second = frame.index.duplicated()
    for value, is_second, place in zip(frame.index, second, where, strict=True):
        made = value
        if is_second:
            made = f"{value}（{place.rpartition(' row ')[2]}）"
            made = made if made not in taken else f"{value}（{place}）"
            taken.add(made)
            table = tables[place]
            row = place.rpartition(" row ")[2]
            at = next(i for i in table.rows.index if str(i) == row)
            breaches.ask(
                table, at, "id_repeated", field="id", written=str(value), subject=str(value), taken=made
            )
        fresh.append(made)
    return pd.Index(fresh, name=frame.index.name, dtype=object)


def required_text(table: Table, field: str, breaches: Breaches) -> Series:
    """Return a field as text; a table without it is refused, rows without one are breaches."""
    values = text(table, field)
    if field not in table.headers:
        breaches.add(f"column '{field}' is missing", f"{table.file} ({missing_column(table, field)})")
        breaches.stop(breaches.list_name or table.file)
    for row in values.index[values.isna()] if breaches.strict else ():
        breaches.add(f"{_called(table, field)} is empty", table.where(row))
    return values


def missing_column(table: Table, field: str) -> str:
    """Return what there is instead of a column, and the key that names it."""
    near = ", ".join(map(str, table.rows.columns))
    return f'there are: {near}; if one of them is meant, write columns = {{ {field} = "…" }}'


def ask_about_ages(table: Table, frame: DataFrame, breaches: Breaches) -> None:
    """Ask about rows with more people of a higher age than of a lower one; their numbers stay as they are."""
    if breaches.strict:
        return
    for younger, older in (("elders", "elders_65"), ("elders_65", "elders_80"), ("elders", "elders_80")):
        if not {younger, older} <= set(frame.columns):
            continue
        for row in frame.index[frame[older] > frame[younger]]:
            breaches.ask(
                table,
                row,
                "ages_disagree",
                field=older,
                written=f"{frame[older][row]:g}",
                subject=f"{table.headers[older]} {frame[older][row]:g}",
                value=f"{table.headers[younger]} {frame[younger][row]:g}",
            )


def code_of(named: Series, shape: Any, digits: int) -> Series:
    """Return the codes among names, missing where a row gives a name."""
    codes = named.map(lambda text: shape(text) if isinstance(text, str) else None).astype(object)
    is_code = codes.map(lambda code: isinstance(code, str) and code.isdigit() and len(code) == digits)
    return codes.astype(object).where(is_code.astype(bool), None)
