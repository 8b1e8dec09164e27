"""Show where every county stands today, and ask for what no map can compute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nicegui import ui

from sy_coverage.desk.pages.parts import card, frame, known, table, text
from sy_coverage.desk.pages.small_map import zoom_for

if TYPE_CHECKING:
    from sy_coverage.desk.session import Desk


def show(desk: Desk) -> None:
    """Draw the step."""
    known(desk, "materials", lambda there: _content(desk, there))


def _content(desk: Desk, there: dict[str, Any]) -> None:
    if there["missing"]:
        text(desk.words("first_materials"), "p", "sy-warn")
        return
    known(desk, "today", lambda found: _today(desk, found))


def _today(desk: Desk, found: dict[str, Any]) -> None:
    with card(desk.words("indicators")):
        table(found["columns"], found["rows"])
    with card(desk.words("map_today")):
        west, south, east, north = found["bounds"]
        zoom = zoom_for((west, south, east, north), 520, 520)
        looked_at = f"#{zoom}/{(south + north) / 2:.5f}/{(west + east) / 2:.5f}/today"
        version = abs(hash(str(desk.view("today").stamp)))
        frame(f"today.html?{version}{looked_at}", desk.words("map_today"))
    with card(desk.words("scorecard")):
        _scorecard(desk, found)


def _scorecard(desk: Desk, found: dict[str, Any]) -> None:
    scopes = list(dict.fromkeys(row["scope"] for row in found["scorecard"]))
    by_target: dict[str, dict[str, dict[str, Any]]] = {}
    for row in found["scorecard"]:
        by_target.setdefault(row["target_id"], {})[row["scope"]] = row
    rows = []
    for cells in by_target.values():
        one = next(iter(cells.values()))
        goal = _said(one["target"], one["rule"])
        rows.append(
            [lambda one=one: _name(one), goal, *(_verdict(desk, found, cells.get(scope)) for scope in scopes)]
        )
    table([desk.words("head_target"), desk.words("head_goal"), *scopes], rows)


def _name(one: dict[str, Any]) -> None:
    text(one["name"], "div")
    text(one["quote"], "div", "sy-note")


def _said(value: Any, rule: str) -> str:
    if value is None:
        return "—"
    return f"{value * 100:.4g}%" if rule.startswith("share") or rule == "completed" else f"{value:,.6g}"


def _verdict(desk: Desk, found: dict[str, Any], row: dict[str, Any] | None) -> Any:
    if row is None:
        return ""
    if row["of"] == "reported":
        return lambda: _asked(desk, found, row)

    def draw() -> None:
        state = {True: "sy-met", False: "sy-missed"}.get(row["met"], "sy-note")
        mark = {True: "✓ ", False: "✗ "}.get(row["met"], "")
        said = _said(row["value"], row["rule"]) if row["value"] is not None else row["basis_said"]
        needed = (
            desk.words("needed_more", count=int(row["needed"]))
            if row["met"] is False and row["needed"]
            else ""
        )
        text(f"{mark}{said}", "div", state)
        text(needed or row["reason"] or "", "div", "sy-note")

    return draw


def _asked(desk: Desk, found: dict[str, Any], row: dict[str, Any]) -> None:
    """Draw a cell for a number that the office reports."""
    is_share = row["rule"].startswith("share") or row["rule"] == "completed"
    shown = None if row["value"] is None else round(row["value"] * (100 if is_share else 1), 4)
    cell = (
        ui.number(value=shown, min=0, suffix="%" if is_share else None)
        .props("dense outlined debounce=0")
        .classes("sy-cell")
    )
    cell.props["aria-label"] = f"{row['name']} {row['scope']}"

    async def keep() -> None:
        if cell.value == shown:
            return
        kept = {
            key: dict(value) if isinstance(value, dict) else {"city": value}
            for key, value in found["reported"].items()
        }
        own = kept.setdefault(row["target_id"], {})
        own.pop(row["scope"], None)
        own.pop(row["scope_id"], None)
        if cell.value is not None:
            own[row["scope_id"]] = cell.value / 100 if is_share else cell.value
        await desk.do("edit", sections={"reported": {key: value for key, value in kept.items() if value}})

    cell.on("blur", keep).on("keydown.enter", keep)
