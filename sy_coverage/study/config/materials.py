"""Recognise what the files in a folder are for, with the evidence, and draft the study file that reads them so."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from sy_coverage import _files
from sy_coverage.errors import CoverageError
from sy_coverage.places.sheets import words
from sy_coverage.policy import load_policy
from sy_coverage.policy.sheet import SHEETS as POLICY_SHEETS
from sy_coverage.study.config.edit import edit_study
from sy_coverage.study.config.file import STUDY_FILE
from sy_coverage.study.config.form import SHEETS as FORM_SHEETS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sy_coverage.labels import Language

Role = Literal[
    "boundaries", "facilities", "candidates", "villages", "roads", "policy", "no_go", "answers", "unused"
]
ROLES: tuple[Role, ...] = get_args(Role)
NEEDED: tuple[Role, ...] = ("boundaries", "facilities", "villages", "roads")
"""Without these there is no study."""
_ROADS = (".osm.pbf", ".osm", ".pbf", ".graphml", ".network")
_PARTS = (
    ".dbf",
    ".shx",
    ".prj",
    ".cpg",
    ".sbn",
    ".sbx",
    ".qix",
    ".shp.xml",
    ".sqlite",
    ".sqlite-wal",
    ".sqlite-shm",
)
"""Files that belong to others, or that a run keeps for itself."""
_ANSWERS = ("待核实", "to_verify")
"""How workbooks are called that hold doubts and answers."""
_OWN = (STUDY_FILE, "启动.bat", "启动.command", "启动.desktop")
_OF_CANDIDATES = frozenset(
    {"cost", "premises", "required", "host_id", "upgrade_of", "group_id", "running_cost", "fund_source"}
)
_OF_FACILITIES = frozenset({"beds", "nursing_beds", "status", "opens_on"})
_PLANNED = ("备选", "候选", "拟建", "拟设", "闲置", "candidate", "premises")
_STANDING = ("台账", "机构", "设施", "站点", "facilit", "institution")
_WITHIN = 15
"""A header stands within so many rows."""
_COLUMNS = 30


@dataclass(frozen=True, kw_only=True)
class Material:
    """One table, layer or file of a folder: what it is taken for, and why."""

    file: str
    sheet: str = ""
    role: Role = "unused"
    rows: int = 0
    """Rows below the header, notes and sums among them; shapes of a layer."""
    columns: tuple[tuple[str, str], ...] = ()
    """Headers as written, and which column of ours each is (empty: none)."""
    coordinates: str = ""
    """``points``, ``columns`` or nothing: where its rows have their places from."""
    coordinate_system: str = ""
    """What the study says its coordinates are in."""
    evidence: tuple[str, ...] = ()
    """Ids of sentences, labels ``desk.evidence_<id>``."""
    is_sure: bool = True
    problem: str = ""
    """Why it cannot be read."""

    @property
    def key(self) -> str:
        """The file and, of several, its sheet."""
        return f"{self.file}#{self.sheet}" if self.sheet else self.file


def materials_in(folder: Path) -> list[Material]:
    """Return what each file of a folder is: as its study file says where it names the file, else as it is recognised."""
    found: list[Material] = []
    for path in _files.files_in(folder):
        low = path.name.lower()
        if path.name in _OWN or low.startswith(".") or low.endswith(_PARTS):
            continue
        seen = path.stat()
        found += _recognised(path, seen.st_size, seen.st_mtime_ns)
    return found


def adopted(folder: Path, files: Iterable[str] | None = None, *, language: Language = "zh") -> list[Material]:
    """Take the files of a folder (or those of them that have just come) into its study file, each as what it was recognised as.

    What the study file already names stays as it is. Of several tables that say the same, the first is taken.

    Raises
    ------
    ConfigError
        If the study file that is there cannot be read.
    """
    said = _said(folder)
    wanted = None if files is None else set(files)
    fresh = [one for one in materials_in(folder) if wanted is None or one.file in wanted]
    used = {one.key for one in _named(said)} | {one.file for one in _named(said)}
    fresh = _without_copies([one for one in fresh if one.key not in used and one.file not in used])
    sections = draft([*_named(said), *fresh], said, name=folder.resolve().name, language=language)
    edit_study(folder, sections, partly=True)
    return materials_taken(folder)


def materials_taken(folder: Path) -> list[Material]:
    """Return every table of a folder with the part it has in its study file; what has none is ``unused``."""
    roles = {one.key: one for one in _named(_said(folder))}
    shown = []
    for one in materials_in(folder):
        taken = roles.get(one.key) or roles.get(one.file)
        if one.role == "answers":
            shown.append(one)
        elif taken is None:
            shown.append(replace(one, role="unused", evidence=(*one.evidence, f"seen_as_{one.role}")))
        else:
            sure = one.is_sure or taken.role != one.role
            shown.append(
                replace(one, role=taken.role, coordinate_system=taken.coordinate_system, is_sure=sure)
            )
    return shown


def reassigned(
    folder: Path, key: str, role: Role, *, coordinate_system: str = "", language: Language = "zh"
) -> None:
    """Give one table of a folder another part in its study, or other coordinates, and write it into the study file."""
    said = _said(folder)
    now = [one for one in materials_taken(folder) if one.role not in ("unused", "answers") and one.key != key]
    chosen = next(one for one in materials_in(folder) if one.key == key)
    if role in ("boundaries", "villages", "roads", "policy"):  # of these there is one
        now = [one for one in now if one.role != role]
    if role != "unused":
        now.append(replace(chosen, role=role, coordinate_system=coordinate_system))
    order = {one.key: n for n, one in enumerate(materials_in(folder))}
    now.sort(key=lambda one: order.get(one.key, len(order)))
    edit_study(folder, draft(now, said, name=folder.resolve().name, language=language), partly=True)


def missing(materials: Iterable[Material]) -> list[Role]:
    """Return what a study still lacks, in the order in which it is asked for."""
    there = {one.role for one in materials}
    return [role for role in NEEDED if role not in there]


def draft(
    materials: Iterable[Material], said: Mapping[str, Any], *, name: str, language: Language = "zh"
) -> dict[str, dict[str, Any]]:
    """Return the keys of a study file that read `materials` as what they are; `said` is what it says already."""
    by_role: dict[str, list[Material]] = {}
    for one in materials:
        by_role.setdefault(one.role, []).append(one)
    last = {role: found[-1] for role, found in by_role.items()}
    sections: dict[str, dict[str, Any]] = {}
    if "study" not in said:
        policy = load_policy("shaoyang_2025")
        sections["study"] = {
            "name": name,
            "language": language,
            "date": policy.ends or policy.issued,
            "output": "out",
        }
    if "policy" in last:
        sections.setdefault("study", {})["policy"] = last["policy"].file
    elif _is_file(said.get("study", {}).get("policy", "")):
        sections.setdefault("study", {})["policy"] = None
    singles = {
        "boundaries": ("boundaries", "units", "cgcs2000"),
        "demand": ("villages", "villages", "wgs84"),
        "roads": ("roads", "source", ""),
    }
    for section, (role, key, usual) in singles.items():
        single = last.get(role)
        system = {"coordinate_system": (single.coordinate_system or usual)} if usual and single else {}
        if single or section in said:
            sections[section] = {key: single.key if single else None, **system}
    before = said.get("candidates", {})
    sections["facilities"] = {"files": _entries(by_role.get("facilities", [])) or None}
    sections["candidates"] = {
        "files": _entries(by_role.get("candidates", [])) or None,
        "generate": before.get("generate", 3),
        "exclude": [{"path": one.key, "action": "bar"} for one in by_role.get("no_go", [])] or None,
    }
    if "geocoding" not in said:
        sections["geocoding"] = {"sources": ["gazetteer"], "accept": ["village", "town"]}
    return sections


def _entries(found: list[Material]) -> list[Any]:
    """Return the entries of `files`: a bare name where a whole file is meant and nothing else is to be said of it."""
    entries: list[Any] = []
    for one in found:
        more = {"coordinate_system": one.coordinate_system} if one.coordinate_system else {}
        if one.sheet or more:
            entries.append({"path": one.file, **({"sheet": one.sheet} if one.sheet else {}), **more})
        else:
            entries.append(one.file)
    return entries


def _said(folder: Path) -> dict[str, Any]:
    path = folder / STUDY_FILE
    return _files.read_toml(path) if _files.is_there(path) else {}


def _named(said: Mapping[str, Any]) -> list[Material]:
    """Return the files that a study file names, as what it names them."""
    found: list[Material] = []

    def add(role: Role, written: Any, system: str = "") -> None:
        if isinstance(written, dict):
            system, sheet = written.get("coordinate_system", system), written.get("sheet") or ""
            written = f"{written.get('path', '')}{'#' if sheet else ''}{sheet}"
        if _is_file(written):
            file, _, sheet = written.partition("#")
            found.append(Material(file=file, sheet=sheet, role=role, coordinate_system=system or ""))

    boundaries, demand = said.get("boundaries", {}), said.get("demand", {})
    add("boundaries", boundaries.get("units"), boundaries.get("coordinate_system", ""))
    for entry in said.get("facilities", {}).get("files", []):
        add("facilities", entry)
    for entry in said.get("candidates", {}).get("files", []):
        add("candidates", entry)
    for entry in said.get("candidates", {}).get("exclude", []):
        add("no_go", entry)
    add("villages", demand.get("villages"), demand.get("coordinate_system", ""))
    add("roads", said.get("roads", {}).get("source"))
    add("policy", said.get("study", {}).get("policy"))
    return found


def _is_file(written: Any) -> bool:
    return isinstance(written, str) and "." in written and not _files.is_database(written)


def _without_copies(found: list[Material]) -> list[Material]:
    """Leave out what says the same as another file in another format, and all villages but the list with the most to say."""
    kept: list[Material] = []
    seen: set[Any] = set()
    for one in found:
        same = (one.role, Path(one.file).stem, one.sheet, one.rows, one.columns)
        if one.role in ("facilities", "candidates") and same in seen:
            continue
        seen.add(same)
        kept.append(one)
    best = {
        role: max((one for one in kept if one.role == role), key=_tells, default=None)
        for role in ("boundaries", "villages", "roads", "policy")
    }
    return [
        one
        for one in kept
        if one.role not in ("unused", "answers") and best.get(one.role, one) in (one, None)
    ]


def _tells(one: Material) -> tuple[bool, int]:
    return bool(one.coordinates), sum(1 for _, field in one.columns if field)


@lru_cache(maxsize=256)
def _recognised(path: Path, size: int, changed_ns: int) -> tuple[Material, ...]:
    """Return what a file is, table by table; known as long as the file has this size and was not changed since."""
    del size, changed_ns
    return tuple(_recognised_anew(path))


def _recognised_anew(path: Path) -> list[Material]:
    name = path.name
    low = name.lower()
    if name.startswith(_ANSWERS) and low.endswith(".xlsx"):
        return [Material(file=name, role="answers", evidence=("name_of_answers",))]
    if low.endswith(_ROADS):
        return [Material(file=name, role="roads", evidence=("ending_of_roads",))]
    if low.endswith(".toml"):
        return [_policy(path)]
    return _tables(path)


def _tables(path: Path) -> list[Material]:
    """Return each layer of a GeoPackage, and each sheet of a workbook; sheets that are one list are one."""
    try:
        layers = _files.layer_names(path)
        grids = [_files.read_grid(path, layer=one) for one in layers] if layers else _files.read_grids(path)
    except CoverageError as error:
        return [Material(file=path.name, problem=str(error), is_sure=False)]
    if len(layers) > 1:
        return [
            _table(path, replace(grid, sheet=layer), several=True)
            for layer, grid in zip(layers, grids, strict=True)
        ]
    found = [_table(path, grid, several=len(grids) > 1) for grid in grids]
    roles = Counter(one.role for one in found)
    if len(found) > 1 and len(roles) == 1:  # a workbook that is one list in several sheets is read as a whole
        columns = tuple(dict.fromkeys(pair for one in found for pair in one.columns))
        return [replace(found[0], sheet="", rows=sum(one.rows for one in found), columns=columns)]
    return found


def _policy(path: Path) -> Material:
    try:
        is_policy = "targets" in _files.read_toml(path)
    except CoverageError as error:
        return Material(file=path.name, problem=str(error), is_sure=False)
    return Material(
        file=path.name,
        role="policy" if is_policy else "unused",
        evidence=("targets_in_it",) if is_policy else (),
    )


def _table(path: Path, grid: _files.Grid, *, several: bool) -> Material:
    header, rows = _header(grid)
    if grid.sheet in POLICY_SHEETS and not several:
        return Material(file=path.name, role="policy", rows=rows, evidence=("sheet_of_policy",))
    as_place = {cell: found[0] for cell in header if cell and (found := words.field_of(cell, "place"))}
    as_demand = {cell: found[0] for cell in header if cell and (found := words.field_of(cell, "demand"))}
    geometry = grid.geometry
    shape = "" if geometry is None else str(geometry.geom_type.mode().iloc[0])
    coordinates = "points" if shape == "Point" else ""
    if {"lonlat"} & set(as_place.values()) or {"lon", "lat"} <= set(as_place.values()):
        coordinates = "columns"
    role, evidence, sure = _role(path, grid, shape, set(as_place.values()), set(as_demand.values()))
    fields = as_demand if role == "villages" else as_place
    if role in ("boundaries", "no_go"):
        fields = {cell: found[0] for cell in header if cell and (found := words.field_of(cell, "units"))}
    columns = tuple((cell, fields.get(cell, "")) for cell in header if cell)[:_COLUMNS]
    if rows <= 1 and grid.sheet in {name for sheets in FORM_SHEETS.values() for name in sheets.values()}:
        role, evidence = "unused", ("empty_form",)
    return Material(
        file=path.name,
        sheet=grid.sheet if several else "",
        role=role,
        rows=rows,
        columns=columns,
        coordinates=coordinates,
        evidence=evidence,
        is_sure=sure,
    )


def _header(grid: _files.Grid) -> tuple[list[str], int]:
    """Return the row that looks most like a header, and how many rows follow it."""

    def known(row: list[str]) -> int:
        return sum(
            1 for cell in row if cell and any(words.field_of(cell, what) for what in ("place", "demand"))
        )

    near = grid.cells[:_WITHIN]
    top = max(range(len(near)), key=lambda n: (known(near[n]), -n), default=0)
    return ([cell.strip() for cell in near[top]] if near else []), max(len(grid.cells) - top - 1, 0)


def _role(
    path: Path, grid: _files.Grid, shape: str, place: set[str], demand: set[str]
) -> tuple[Role, tuple[str, ...], bool]:
    """Return what a table is for, why, and whether nothing else is likely."""
    if "Polygon" in shape:
        named = "name" in place
        return (
            ("boundaries", ("areas_with_names",), True)
            if named
            else ("no_go", ("areas_without_names",), False)
        )
    if "Line" in shape:
        return "roads", ("lines",), False
    if {"elders", "elders_65", "elders_80"} & demand and "beds" not in place:
        return "villages", ("column_of_elders",), True
    if "name" not in place:
        return "unused", ("no_column_of_names",), False
    return _standing_or_planned(f"{path.stem} {grid.sheet}".casefold(), place)


def _standing_or_planned(called: str, place: set[str]) -> tuple[Role, tuple[str, ...], bool]:
    """Tell a list of facilities from one of candidates by its columns and by what it is called."""
    planned = len(place & _OF_CANDIDATES) + 2 * any(word in called for word in _PLANNED)
    standing = len(place & _OF_FACILITIES) + 2 * any(word in called for word in _STANDING)
    if planned == standing:
        return "facilities", ("name_and_kind",), False
    sure = min(planned, standing) == 0 or abs(planned - standing) > 1
    if planned > standing:
        return "candidates", ("columns_of_candidates",), sure
    return "facilities", ("columns_of_facilities",), sure
