"""Write the workbook of doubts that goes to the office, and comes back answered: 待核实.xlsx."""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING

import pandas as pd
from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from sy_coverage import labels
from sy_coverage.outputs.text import format as fmt
from sy_coverage.outputs.text.zipped import normalised
from sy_coverage.study.results.lists import rows as lists
from sy_coverage.study.steps.office.answers import FILLED, NAMES

if TYPE_CHECKING:
    from pathlib import Path

    from openpyxl.worksheet.worksheet import Worksheet

    from sy_coverage.labels import Language
    from sy_coverage.study.answers import Answers

SHOWN = (
    "list", "file", "sheet", "row", "name", "title", "sentence", "written", "taken_as", "units", "elders", "targets_named", "suggested",
)  # fmt: skip
"""What a person reads of each doubt, before the cells to fill in."""
CARRIED = ("doubt_id", "kind", "list_id", "row_id", "field", "suggestion", "taken")
"""What the program needs to understand an answer, at the end and narrow."""
WIDTHS = {
    "sentence": 60,
    "name": 26,
    "title": 18,
    "written": 18,
    "file": 18,
    "suggested": 18,
    "targets_named": 30,
}
_FILL = PatternFill("solid", start_color="FFF7D6")
_SHADE = PatternFill("solid", start_color="E8EEF4")


def doubts_said(study: Answers) -> pd.DataFrame:
    """Return the open doubts in words, in the study's language: columns SHOWN and CARRIED, indexed by `doubt_id`."""
    language = study.config.study.language
    table = study.open_doubts.copy()
    said = lists.Spoken(study)
    names = [fmt.plain(name) for name in table["name"]]
    table["sentence"] = [
        labels.text(
            f"places.doubt_{one.kind}",
            language,
            name=name or "—",
            subject=said.word(one.subject),
            value=said.word(one.value),
        )
        for name, one in zip(names, table.itertuples(), strict=True)
    ]
    table["title"] = [labels.text(f"places.doubt_title_{kind}", language) for kind in table["kind"]]
    table["taken_as"] = [said.word(value) for value in table["taken"]]
    table["suggested"] = [said.word(value) for value in table["suggestion"]]
    titles = {target.id: labels.pick(target.name, language) for target in study.policy.targets}
    table["targets_named"] = [
        "、".join(titles[one] for one in ids.split("、") if one in titles) for ids in table["targets"]
    ]
    table["list_id"] = table["list"]
    table["list"] = [labels.text(f"places.list_{name}", language) for name in table["list_id"]]
    return table


def workbook(study: Answers) -> bytes:
    """Return 待核实.xlsx: a row for each open doubt with cells to fill in, and a sheet of what was answered before."""
    language = study.config.study.language
    book = Workbook()
    sheet = book.active
    sheet.title = labels.text("places.verify_open", language)
    table = doubts_said(study).reset_index()
    _write(sheet, table, language, study)
    answered = book.create_sheet(labels.text("places.verify_answered", language))
    write_answered(answered, study.office_answers, language)
    stamp(book, study.config.study.date)
    out = io.BytesIO()
    book.save(out)
    return normalised(out.getvalue(), study.config.study.date)


def stamp(book: Workbook, date: dt.date) -> None:
    """Give a workbook its maker and a day of its own, so that it is the same whenever it is made."""
    book.properties.creator = "sy_coverage"
    book.properties.created = book.properties.modified = dt.datetime.combine(date, dt.time())


def _write(sheet: Worksheet, table: pd.DataFrame, language: Language, study: Answers) -> None:
    columns = [*SHOWN, *FILLED, *CARRIED]
    table = table.reindex(columns=columns)
    first_filled = len(SHOWN) + 1
    for place, name in enumerate(columns, start=1):
        cell = sheet.cell(1, place, labels.text(f"places.verify_{name}", language))
        cell.font, cell.fill = Font(bold=True), _FILL if name in FILLED else _SHADE
        cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal="center")
        if name in FILLED:
            cell.comment = Comment(labels.text(f"places.verify_note_{name}", language), "sy_coverage")
        sheet.column_dimensions[get_column_letter(place)].width = WIDTHS.get(name, 12)
    for number, row in enumerate(table.itertuples(index=False), start=2):
        for place, value in enumerate(row, start=1):
            shown = None if not fmt.known(value) or value == "" else value
            cell = sheet.cell(number, place, fmt.inert(shown) if isinstance(shown, str) else shown)
            cell.alignment = Alignment(wrap_text=place < first_filled, vertical="top")
            if first_filled <= place < first_filled + len(FILLED):
                cell.fill = _FILL
    sheet.freeze_panes = "A2"
    last = len(table) + 1
    for place in range(len(columns) - len(CARRIED) + 1, len(columns) + 1):
        sheet.column_dimensions[get_column_letter(place)].hidden = True
    if last > 1:
        sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{last}"
        yes = labels.text("places.verify_yes", language)
        for name in ("confirmed", "not_used"):
            _choose(sheet, columns.index(name) + 1, last, [yes])
        _choose(
            sheet,
            columns.index("facility_kind") + 1,
            last,
            [labels.pick(kind.name, language) for kind in study.policy.kinds.values()],
        )


def _choose(sheet: Worksheet, place: int, last: int, words: list[str]) -> None:
    """Let the cells of a column be chosen among words; others may be written too."""
    listed = ",".join(word.replace(",", "，").replace('"', "") for word in words)
    if len(listed) > 250:  # Excel reads no longer list in place
        return
    rule = DataValidation(type="list", formula1=f'"{listed}"', allow_blank=True, showErrorMessage=False)
    letter = get_column_letter(place)
    rule.add(f"{letter}2:{letter}{last}")
    sheet.add_data_validation(rule)


def write_answered(sheet: Worksheet, given: pd.DataFrame, language: Language) -> None:
    """Write what was answered before, in the same columns, so that the next workbook that comes back holds it too."""
    answers = given.reset_index()
    yes = labels.text("places.verify_yes", language)
    table = pd.DataFrame(
        {
            **{name: answers[name] for name in ("name", "file", "sheet", "row")},
            "confirmed": answers["decision"].map(lambda d: yes if d == "confirm" else ""),
            "changed_to": answers["value"],
            "not_used": answers["decision"].map(lambda d: yes if d == "set_aside" else ""),
            **{
                name: answers[name]
                for name in ("lon", "lat", "unit", "facility_kind", "answered_by", "answered_on", "note")
            },
            **{
                name: answers[name] for name in ("doubt_id", "kind", "row_id", "field", "suggestion", "taken")
            },
            "list_id": answers["list"],
        }
    )
    columns = ["name", "file", "sheet", "row", *FILLED, *CARRIED]
    for place, name in enumerate(columns, start=1):
        sheet.cell(1, place, labels.text(f"places.verify_{name}", language)).font = Font(bold=True)
    for number, row in enumerate(table.reindex(columns=columns).itertuples(index=False), start=2):
        for place, value in enumerate(row, start=1):
            sheet.cell(
                number,
                place,
                (fmt.inert(value) if isinstance(value, str) else value) if fmt.known(value) else None,
            )
    sheet.freeze_panes = "A2"


def file_name(study: Answers) -> str:
    """Return what the workbook is called in the study's language."""
    return NAMES[study.config.study.language]


def write(study: Answers, folder: Path) -> Path:
    """Write the workbook into `folder`, and return its path."""
    return lists.write(folder, {file_name(study): workbook(study)})[0]
