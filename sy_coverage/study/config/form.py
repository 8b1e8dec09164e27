"""Give an office one workbook to fill in, and read a folder that holds only it, boundaries and roads as a study."""

from __future__ import annotations

import datetime as dt
import io
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sy_coverage import _files, labels, places
from sy_coverage.errors import ConfigError, CoverageError
from sy_coverage.policy import load_policy
from sy_coverage.policy.sheet import SHEETS as POLICY_SHEETS
from sy_coverage.policy.sheet import policy_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from sy_coverage.labels import Language
    from sy_coverage.policy import Policy

NAMES: dict[Language, str] = {"zh": "填报表.xlsx", "en": "form.xlsx"}
SHEETS: dict[str, dict[Language, str]] = {
    "facilities": {"zh": "设施", "en": "facilities"},
    "candidates": {"zh": "备选点", "en": "candidates"},
    "demand": {"zh": "村（社区）", "en": "villages"},
    "notes": {"zh": "说明", "en": "notes"},
}
COLUMNS = {
    "facilities": (
        "facility_id", "name", "kind", "county", "unit", "address", "status", "opens_on", "beds", "nursing_beds", "floor_area_m2",
        "has_medical", "dementia_ward", "functions", "lon", "lat", "coordinate_system",
    ),
    "candidates": (
        "candidate_id", "name", "kind", "county", "unit", "address", "premises", "cost", "floor_area_m2", "required", "host_id",
        "upgrade_of", "lon", "lat", "coordinate_system",
    ),
    "demand": ("demand_id", "county", "unit", "name", "elders", "elders_65", "elders_80", "households", "lon", "lat", "coordinate_system"),
}  # fmt: skip
EXAMPLE = {
    "name": ("（示例）甲镇敬老院", "(example) Home of A"), "kind": ("敬老院", "township_home"), "county": ("某县", "A county"),
    "unit": ("甲镇", "A town"), "address": ("甲镇东街1号", "1 East Street"), "status": ("运营", "open"), "opens_on": ("2019年6月", "2019-06"),
    "beds": ("60", "60"), "nursing_beds": ("20", "20"), "floor_area_m2": ("1200", "1200"), "has_medical": ("是", "yes"),
    "dementia_ward": ("否", "no"), "premises": ("闲置校舍", "idle_school"), "cost": ("80", "80"), "required": ("否", "no"),
    "elders": ("420", "420"), "elders_65": ("310", "310"), "elders_80": ("70", "70"), "households": ("380", "380"),
    "coordinate_system": ("高德", "wgs84"),
}  # fmt: skip
_CHOICES: dict[str, dict[Language, tuple[str, ...]]] = {
    "status": {"zh": ("运营", "在建", "停用"), "en": ("open", "planned", "closed")},
    "coordinate_system": {"zh": ("高德", "百度", "天地图", "wgs84"), "en": ("wgs84", "gcj02", "bd09")},
    "premises": {"zh": ("闲置校舍", "老村部", "国有闲置房产", "改扩建", "新建"), "en": ()},
    "has_medical": {"zh": ("是", "否"), "en": ("yes", "no")},
    "dementia_ward": {"zh": ("是", "否"), "en": ("yes", "no")},
    "required": {"zh": ("是", "否"), "en": ("yes", "no")},
}
_ROWS = 2000
"""So many rows have their cells to choose from."""
_LISTS = "lists"
"""The hidden sheet of what cells offer."""
_SYSTEM = "cgcs2000"
"""What boundaries are in where nobody says it."""
_BOUNDARIES = (".gpkg", ".geojson", ".shp", ".fgb", ".parquet")
_ROADS = (".osm.pbf", ".osm", ".graphml", ".network")


def form(language: Language, policy: Policy, *, units: tuple[str, ...] = ()) -> bytes:
    """Return the workbook as the bytes of an .xlsx file; `units` are the names its cells for units offer."""
    import openpyxl  # noqa: PLC0415  (heavy, and only a new study needs it)

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, columns in COLUMNS.items():
        sheet = book.create_sheet(SHEETS[name][language])
        _write_list(sheet, columns, language)
        _offer(sheet, columns, _offered(language, policy, units))
    notes = book.create_sheet(SHEETS["notes"][language])
    for line in labels.text("study.form_notes", language).split("\n"):
        notes.append([line])
    notes.append([labels.text("study.form_date", language), (policy.ends or policy.issued).isoformat()])
    notes.column_dimensions["A"].width = 90
    asked = book.create_sheet(POLICY_SHEETS[0 if language == "zh" else 1])
    for row in policy_rows(policy, language):
        asked.append(row)
    day = dt.datetime.combine(policy.issued, dt.time())
    book.properties.created = book.properties.modified = day
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _write_list(sheet: Any, columns: tuple[str, ...], language: Language) -> None:
    from openpyxl.comments import Comment  # noqa: PLC0415
    from openpyxl.styles import Font  # noqa: PLC0415
    from openpyxl.utils import get_column_letter  # noqa: PLC0415

    at = 0 if language == "zh" else 1
    for place, column in enumerate(columns, start=1):
        cell = sheet.cell(1, place, labels.text(f"study.header_{column}", language))
        cell.font = Font(bold=True)
        cell.comment = Comment(labels.text(f"study.form_note_{column}", language), "sy_coverage")
        sheet.cell(2, place, EXAMPLE.get(column, ("", ""))[at] or None).font = Font(
            italic=True, color="888888"
        )
        sheet.column_dimensions[get_column_letter(place)].width = 14
    sheet.freeze_panes = "A2"


def _offered(language: Language, policy: Policy, units: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return what the cells of each column offer: the policy's kinds, the units' names and our words."""
    kinds = tuple(labels.pick(kind.name, language) for kind in policy.kinds.values())
    return {column: words[language] for column, words in _CHOICES.items()} | {"kind": kinds, "unit": units}


def _offer(sheet: Any, columns: tuple[str, ...], offered: Mapping[str, tuple[str, ...]]) -> None:
    """Let the cells of columns be chosen among words; others may be written too."""
    from openpyxl.utils import get_column_letter  # noqa: PLC0415
    from openpyxl.worksheet.datavalidation import DataValidation  # noqa: PLC0415

    book = sheet.parent
    for place, column in enumerate(columns, start=1):
        words = offered.get(column)
        if not words:
            continue
        # a list in place holds 255 characters; longer ones stand in a hidden sheet
        if _LISTS not in book.sheetnames:
            book.create_sheet(_LISTS).sheet_state = "hidden"
        lists = book[_LISTS]
        header = f"{sheet.title}.{column}"
        free = lists.max_column + (lists["A1"].value is not None)
        for n, word in enumerate([header, *words], start=1):
            lists.cell(n, free, word)
        letter = get_column_letter(free)
        rule = DataValidation(
            type="list",
            formula1=f"{_LISTS}!${letter}$2:${letter}${len(words) + 1}",
            allow_blank=True,
            showErrorMessage=False,
        )
        rule.add(f"{get_column_letter(place)}3:{get_column_letter(place)}{_ROWS}")
        sheet.add_data_validation(rule)


def boundaries_in(files: Iterable[Path]) -> str | None:
    """Return the name of the first file of boundaries among `files`."""
    return next((f.name for f in files if f.suffix.lower() in _BOUNDARIES), None)


def roads_in(files: Iterable[Path]) -> str | None:
    """Return the name of the first file of roads among `files`."""
    return next((f.name for f in files if f.name.lower().endswith(_ROADS)), None)


def unit_names(boundaries: Path) -> tuple[str, ...]:
    """Return the names of the units in a file of boundaries, each once, or none if it cannot be read as such."""
    try:
        units = places.read_units(boundaries, coordinate_system=_SYSTEM)
    except CoverageError:
        return ()
    return tuple(dict.fromkeys(units["name"].astype(str)))


def refresh_form(folder: Path, boundaries: Path) -> None:
    """Let the workbook in `folder`, if there is one that may be written, offer the names of the units in `boundaries`."""
    for language, name in NAMES.items():
        book = folder / name
        if not _files.is_there(book) or not _files.is_there(boundaries):
            continue
        with suppress(CoverageError):  # what is open elsewhere or no workbook of ours stays as it is
            content = with_units(_files.read_bytes(book), unit_names(boundaries), language)
            if content is not None:
                _files.write_bytes(book, content)


def with_units(content: bytes, units: tuple[str, ...], language: Language) -> bytes | None:
    """Return a workbook of ours with the names that its cells for units offer, or None where it offers them already."""
    from openpyxl.utils import get_column_letter  # noqa: PLC0415  (heavy)

    book = _files.editable_workbook(content, NAMES[language])
    if _LISTS not in book.sheetnames or not units:
        return None
    lists = book[_LISTS]
    header = labels.text("study.header_unit", language)
    changed = False
    for sheet in (
        book[sheets[language]] for sheets in SHEETS.values() if sheets[language] in book.sheetnames
    ):
        place = next((cell.column for cell in sheet[1] if cell.value == header), None)
        key = f"{sheet.title}.unit"
        at = next((cell.column for cell in lists[1] if cell.value == key), None)
        offered = () if at is None else tuple(c.value for c in lists[get_column_letter(at)][1:] if c.value)
        if place is None or offered == units:
            continue
        changed = True
        letter = get_column_letter(place)
        kept = [one for one in sheet.data_validations.dataValidation if f"{letter}3" not in one.sqref]
        sheet.data_validations.dataValidation = kept
        if at is not None:
            lists.cell(1, at).value = f"{key} (old)"
        _offer(sheet, ("",) * (place - 1) + ("unit",), {"unit": units})
    out = io.BytesIO()
    book.save(out)
    return out.getvalue() if changed else None


def config_of_folder(folder: Path) -> dict[str, Any]:
    """Return what a study file would say of a folder that holds a filled workbook, boundaries and roads.

    Raises
    ------
    ConfigError
        Naming what is missing.
    """
    files = _files.files_in(folder)
    book = next((f for f in files for name in NAMES.values() if f.name == name), None)
    if book is None:
        raise ConfigError(f"{folder}: neither a study.toml nor a {NAMES['zh']} ({NAMES['en']}) is in it")
    language: Language = "zh" if book.name == NAMES["zh"] else "en"
    found = {"units": boundaries_in(files), "roads": roads_in(files)}
    missing = [what for what, name in found.items() if name is None]
    if missing:
        wanted = {"units": "boundaries (.gpkg, .geojson, .shp)", "roads": "roads (.osm.pbf)"}
        raise ConfigError(f"{folder}: put beside {book.name}: {', '.join(wanted[what] for what in missing)}")
    grids = {grid.sheet: grid for grid in _files.read_grids(book)}
    lists = {name: sheets[language] for name, sheets in SHEETS.items()}
    filled = {name for name, sheet in lists.items() if sheet in grids and len(grids[sheet].cells) > 2}
    config: dict[str, Any] = {
        "study": {
            "name": folder.resolve().name,
            "language": language,
            "date": _date_in(grids.get(lists["notes"])),
        },
        "boundaries": {"units": found["units"], "coordinate_system": _SYSTEM},
        "facilities": {"files": [{"path": book.name, "sheet": lists["facilities"]}]},
        "candidates": {"generate": 3},
        "demand": {"villages": f"{book.name}#{lists['demand']}"},
        "roads": {"source": found["roads"]},
        "geocoding": {"sources": ["gazetteer"], "accept": ["village", "town"]},
    }
    if "candidates" in filled:
        config["candidates"]["files"] = [{"path": book.name, "sheet": lists["candidates"]}]
    if any(sheet in POLICY_SHEETS for sheet in grids):
        config["study"]["policy"] = book.name
    return config


def _date_in(notes: _files.Grid | None) -> dt.date:
    """Return the day that the notes name, or the one the shipped policy ends on."""
    asked = {labels.text("study.form_date", language) for language in NAMES}
    for row in notes.cells if notes is not None else []:
        if row[0] in asked and len(row) > 1:
            try:
                return dt.date.fromisoformat(row[1].strip()[:10])
            except ValueError:
                raise ConfigError(f"{row[0]}: '{row[1]}' is no date; write it as 2027-12-31") from None
    policy = load_policy("shaoyang_2025")
    return policy.ends or policy.issued
