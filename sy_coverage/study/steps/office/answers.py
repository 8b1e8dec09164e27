"""Read what the office answered: the workbook of doubts that came back, named in the study or put beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from sy_coverage import _files, labels
from sy_coverage._frames import ANSWERS
from sy_coverage.errors import InputError
from sy_coverage.places.sheets import words
from sy_coverage.places.sheets.tables import Report

if TYPE_CHECKING:
    from sy_coverage.labels import Language
    from sy_coverage.study.config.inputs.answers import OfficeAnswers
    from sy_coverage.study.steps.files import StudyFiles

NAMES: dict[Language, str] = {"zh": "待核实.xlsx", "en": "to_verify.xlsx"}
ABOUT = (
    "doubt_id",
    "kind",
    "list_id",
    "row_id",
    "name",
    "file",
    "sheet",
    "row",
    "field",
    "suggestion",
    "taken",
)
"""What the workbook carries of each doubt, so that an answer is understood when the doubt is gone."""
FILLED = (
    "confirmed",
    "changed_to",
    "lon",
    "lat",
    "unit",
    "facility_kind",
    "not_used",
    "answered_by",
    "answered_on",
    "note",
)
"""The cells an office fills in."""


def read_answers(given: OfficeAnswers, files: StudyFiles, *, output: str) -> pd.DataFrame:
    """Return every answer that was given, the later over the earlier, contract `ANSWERS`; `output` is the folder of results."""
    paths, report = answer_files(given, files, output=output), Report()
    found = [
        one for path in paths for one in _answers_in(path, files.limits, report, is_meant=bool(given.file))
    ]
    columns = list(ANSWERS.columns)
    if not found:
        empty = pd.DataFrame(columns=columns, index=pd.Index([], name=ANSWERS.index, dtype=object))
        empty.attrs["report"] = report.frame()
        return empty
    table = pd.DataFrame(found).drop_duplicates("doubt_id", keep="last").set_index("doubt_id")
    for column in ("lon", "lat"):
        table[column] = pd.to_numeric(table[column], errors="coerce")
    table = table.reindex(columns=columns)
    table.attrs["report"] = report.frame()
    return table


def answer_files(given: OfficeAnswers, files: StudyFiles, *, output: str) -> list[str]:
    """Return the workbooks that hold answers: the one the study names, or those beside it and in its folder of results."""
    if given.file:
        return [files.path(given.file)]
    folders = [files.folder, Path(files.path(output))]
    stems = [Path(name).stem for name in NAMES.values()]
    return [
        str(path)
        for folder in folders
        for stem in stems
        for path in _files.files_in(folder)
        if path.suffix == ".xlsx" and path.name.startswith(stem)
    ]


def _answers_in(path: str, limits: _files.Limits, report: Report, *, is_meant: bool) -> list[dict[str, str]]:
    """Return the answers in one workbook: rows in which somebody has filled a cell; one that is meant must have such sheets."""
    found = []
    is_list = False
    for grid in _files.read_grids(path, limits=limits):
        headers = headers_of(grid.cells)
        if headers is None:
            continue
        is_list = True
        top, columns = headers
        for number, cells in enumerate(grid.cells[top + 1 :], start=top + 2):
            said = {name: cells[place].strip() for name, place in columns.items()}
            answer = _answer(said, Path(path).name, number, report) if said["doubt_id"] else None
            if answer is not None:
                found.append(answer)
    if is_meant and not is_list:
        raise InputError(
            f"[answers] file: {Path(path).name} is no list to verify: no sheet has its columns; name the workbook that a run wrote"
        )
    return found


def headers_of(cells: list[list[str]]) -> tuple[int, dict[str, int]] | None:
    """Return the row of headers and where each column of ours stands in it, or None if this is no sheet of doubts."""
    known = {
        words.plain(labels.text(f"places.verify_{name}", language)): name
        for name in (*ABOUT, *FILLED)
        for language in NAMES
    }
    for number, row in enumerate(cells[:10]):
        columns = {
            known[words.plain(cell)]: place for place, cell in enumerate(row) if words.plain(cell) in known
        }
        if {"doubt_id", "confirmed"} <= set(columns):
            return number, columns
    return None


def _answer(said: dict[str, str], file: str, row: int, report: Report) -> dict[str, str] | None:
    """Return what somebody answered in a row, or None if nothing that can be read; what cannot is said, and stays asked."""
    given = {name: said.get(name, "") for name in FILLED}
    is_yes = {name: words.flag(given[name]) for name in ("confirmed", "not_used")}
    point = {name: words.angle(given[name]) if given[name] else None for name in ("lon", "lat")}
    for name, value in (is_yes | point).items():
        if given[name] and value is None:
            report.say(file, row, "answer_unread", labels.text(f"places.verify_{name}", "zh"), given[name])
    has_point = None not in point.values()
    changed = has_point or any(given[name] for name in ("changed_to", "unit", "facility_kind"))
    if is_yes["not_used"]:
        decision = "set_aside"
    elif changed:
        decision = "change"
    elif is_yes["confirmed"]:
        decision = "confirm"
    else:
        return None
    about = {name.removesuffix("_id") if name == "list_id" else name: said.get(name, "") for name in ABOUT}
    return {
        **about,
        "decision": decision,
        "value": given["changed_to"],
        **point,  # type: ignore[dict-item]
        **{name: given[name] for name in ("unit", "facility_kind", "answered_by", "answered_on", "note")},
    }
