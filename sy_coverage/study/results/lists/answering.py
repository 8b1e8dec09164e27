"""Write down what somebody answers to doubts, one by one or a kind at a time, and take answers back: in a workbook beside the study."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from openpyxl import Workbook

from sy_coverage import _files, labels
from sy_coverage.errors import UnknownIdError, some
from sy_coverage.outputs.text.zipped import normalised
from sy_coverage.study.results.lists import to_verify
from sy_coverage.study.steps.office.answers import ABOUT, FILLED, answer_files, headers_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sy_coverage.labels import Language
    from sy_coverage.study.answers import Answers

NAMES: dict[Language, str] = {"zh": "待核实-答复.xlsx", "en": "to_verify-answers.xlsx"}
"""The workbook that holds all answers once somebody answers elsewhere than in the workbook that was sent."""


def record(study: Answers, given: Mapping[str, Mapping[str, Any]], *, by: str = "", on: str = "") -> Path:
    """Write answers to open doubts, by `doubt_id`, into the study's workbook of answers and return its path.

    Parameters
    ----------
    given
        ``decision`` (``confirm``, ``change`` or ``set_aside``) and what it is changed to: ``value``, ``unit``, ``facility_kind``,
        ``lon`` and ``lat`` (WGS 84), ``note``. An answer that was given before is replaced.
    by, on
        Who answers, and the day.

    Raises
    ------
    UnknownIdError
        If there is no such doubt, open or answered.
    CannotWriteError
        If a workbook cannot be written: somebody has it open.
    """
    before = study.office_answers
    doubts = study.open_doubts
    unknown = [one for one in given if one not in doubts.index and one not in before.index]
    if unknown:
        raise UnknownIdError(f"there is no doubt {some(unknown)}; read the list again")
    rows = []
    for doubt_id, answer in given.items():
        source = doubts.loc[doubt_id] if doubt_id in doubts.index else before.loc[doubt_id]
        about = {name: source.get(name, "") for name in ABOUT if name not in ("doubt_id", "list_id")}
        rows.append(
            {
                "doubt_id": doubt_id,
                "list": source["list"],
                **about,
                **answer,
                "answered_by": by,
                "answered_on": on,
            }
        )
    fresh = pd.DataFrame(rows).set_index("doubt_id").reindex(columns=before.columns)
    kept = before[~before.index.isin(fresh.index)]
    return _write(study, pd.concat([kept, fresh]) if len(kept) else fresh, fresh.index)


def take_back(study: Answers, doubt_ids: Collection[str]) -> Path:
    """Take answers out of every workbook that holds them, so that what they settled is asked again; return the study's workbook.

    Raises
    ------
    UnknownIdError
        If nobody answered such a doubt.
    CannotWriteError
        If a workbook cannot be written.
    """
    before = study.office_answers
    unknown = sorted(set(doubt_ids) - set(before.index))
    if unknown:
        raise UnknownIdError(f"nobody answered {some(unknown)}; read the list again")
    return _write(study, before[~before.index.isin(list(doubt_ids))], doubt_ids)


def _write(study: Answers, answers: pd.DataFrame, changed: Collection[str]) -> Path:
    """Write all answers into the study's own workbook, and take those that changed out of the others: the last one read decides."""
    config = study.config
    own = study.folder / NAMES[config.study.language]
    if config.answers.file:
        own = Path(study.path(config.answers.file))
    for path in answer_files(config.answers, study.files, output=config.study.output):
        if Path(path) != own:
            _clear(Path(path), frozenset(changed))
    book = Workbook()
    sheet = book.active
    sheet.title = labels.text("places.verify_answered", config.study.language)
    to_verify.write_answered(sheet, answers, config.study.language)
    to_verify.stamp(book, config.study.date)
    out = io.BytesIO()
    book.save(out)
    _files.write_bytes(own, normalised(out.getvalue(), config.study.date))
    return own


def _clear(path: Path, doubt_ids: frozenset[str]) -> None:
    """Empty the cells that an office filled in for some doubts, in a workbook that stays as it is otherwise."""
    grids = {grid.sheet: grid for grid in _files.read_grids(path)}
    book = _files.editable_workbook(_files.read_bytes(path), path.name)
    is_changed = False
    for sheet in book.worksheets:
        grid = grids.get(sheet.title) or (
            next(iter(grids.values()), None) if len(book.worksheets) == 1 else None
        )
        headers = headers_of(grid.cells) if grid is not None else None
        if grid is None or headers is None:
            continue
        top, columns = headers
        for number, cells in enumerate(grid.cells[top + 1 :], start=top + 2):
            if cells[columns["doubt_id"]].strip() not in doubt_ids:
                continue
            for name in FILLED:
                if name in columns and cells[columns[name]]:
                    sheet.cell(number, columns[name] + 1).value = None
                    is_changed = True
    if is_changed:
        out = io.BytesIO()
        book.save(out)
        _files.write_bytes(path, out.getvalue())
