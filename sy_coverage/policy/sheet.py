"""Say a policy's targets in the rows of a sheet, in words and numbers, and read them back as a policy of another city."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from sy_coverage import _files
from sy_coverage.errors import ConfigError

if TYPE_CHECKING:
    import os

    from sy_coverage.policy.targets import Policy

SHEETS = ("政策", "policy")
HEAD = {
    "name": ("政策名称", "policy"),
    "area": ("适用地区", "area"),
    "document": ("文号", "document"),
    "issued": ("印发日期", "issued"),
    "ends": ("截止日期", "ends"),
}
"""What stands above the targets: our key to its words."""
COLUMNS = {
    "id": ("指标编号", "target id"),
    "name": ("指标", "target"),
    "value": ("数值", "value"),
    "by": ("期限", "by"),
    "section": ("章节", "section"),
    "quote": ("原文", "quote"),
}
_DATE = re.compile(r"(\d{4})\D+(\d{1,2})\D+(\d{1,2})\D*")


def policy_rows(policy: Policy, language: str) -> list[list[str]]:
    """Return the rows of the sheet: what the policy is called, a blank row, and a row for each target."""
    at = 0 if language == "zh" else 1
    head = {
        "name": policy.name[language],
        "area": policy.area[language],
        "document": policy.document,
        "issued": policy.issued.isoformat(),
        "ends": policy.ends.isoformat() if policy.ends else "",
    }
    rows = [[words[at], head[key]] for key, words in HEAD.items()]
    rows += [[], [words[at] for words in COLUMNS.values()]]
    for target in policy.targets:
        value = "" if target.value is None else f"{target.value:g}"
        if target.value is not None and target.rule.startswith("share"):
            value = f"{target.value * 100:g}%"
        by = target.by.isoformat() if target.by else ""
        rows.append([target.id, target.name[language], value, by, target.section, target.quote])
    return rows


def changed_by_sheet(data: dict[str, Any], path: str | os.PathLike[str], sheet: str | None) -> dict[str, Any]:
    """Return the content of a policy file with what a sheet says in its place; a target that is not in it is not asked.

    Raises
    ------
    ConfigError
        Naming the cell that is no number or date, or a target that is not known.
    """
    grids = _files.read_grids(path, layer=sheet)
    grid = next((g for g in grids if g.sheet in SHEETS or len(grids) == 1), None)
    if grid is None:
        raise ConfigError(f"{path}: there is no sheet 政策 (policy)")
    said, targets = _said(grid)
    known = {target["id"]: target for target in data["targets"]}
    strange = [one["id"] for one in targets if one["id"] not in known]
    if strange:
        raise ConfigError(f"{grid.file}: no such target: {', '.join(strange)}; there are: {', '.join(known)}")
    changed = {**data, "targets": [_target(known[one["id"]], one, grid.file) for one in targets]}
    for key in ("name", "area"):
        if said.get(key):
            changed[key] = {"zh": said[key], "en": said[key]}
    for key in ("issued", "ends"):
        if said.get(key):
            changed[key] = _day(said[key], grid.file)
    return {**changed, "document": said.get("document") or data["document"], "id": f"{data['id']}_sheet"}


def _said(grid: _files.Grid) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Return what stands above the targets, by our keys, and the rows of targets, by our columns."""
    said: dict[str, str] = {}
    targets: list[dict[str, str]] = []
    columns: dict[str, int] = {}
    for row in grid.cells:
        filled = [cell.strip() for cell in row]
        key = next((k for k, words in HEAD.items() if filled[0] in words), None)
        if filled[0] in COLUMNS["id"]:
            columns = {k: filled.index(w) for k, words in COLUMNS.items() for w in words if w in filled}
        elif columns and filled[columns["id"]]:
            targets.append({k: filled[place] for k, place in columns.items()})
        elif key is not None and len(filled) > 1:
            said[key] = filled[1]
    return said, targets


def _target(known: dict[str, Any], said: dict[str, str], file: str) -> dict[str, Any]:
    changed = dict(known)
    if said.get("value"):
        written = said["value"].replace("％", "%").strip()
        try:
            number = float(written.rstrip("%"))
        except ValueError:
            raise ConfigError(f"{file}: the value of {said['id']} is no number: '{said['value']}'") from None
        is_share = str(known["rule"]).startswith("share")
        changed["value"] = number / 100 if written.endswith("%") or (is_share and number > 1) else number
    if said.get("by"):
        changed["by"] = _day(said["by"], file)
    for key in ("section", "quote"):
        if said.get(key):
            changed[key] = said[key]
    if said.get("name"):
        changed["name"] = {"zh": said["name"], "en": known["name"]["en"]}
    return changed


def _day(written: str, file: str) -> dt.date:
    found = _DATE.match(written)
    if not found:
        raise ConfigError(f"{file}: '{written}' is no date; write it as 2027-12-31")
    return dt.date(*map(int, found.groups()))
