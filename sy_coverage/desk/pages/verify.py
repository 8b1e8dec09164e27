"""Show the doubts, worst first, and take answers: one by one, or a whole kind at once; each can be taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nicegui import ui

from sy_coverage.desk.pages.parts import button, card, known, number, table, text
from sy_coverage.desk.pages.small_map import pointing_map

if TYPE_CHECKING:
    from sy_coverage.desk.session import Desk

_FIRST_OPEN = 2
"""So many kinds of doubts are unfolded when the page opens."""


def show(desk: Desk) -> None:
    """Draw the step."""
    known(desk, "materials", lambda there: _content(desk, there))


def _content(desk: Desk, there: dict[str, Any]) -> None:
    if there["missing"]:
        text(desk.words("first_materials"), "p", "sy-warn")
        return
    asked = _who(desk)
    folds: dict[str, bool] = {}
    known(desk, "doubts", lambda found: _doubts(desk, found, asked, folds))


def _who(desk: Desk) -> Any:
    with card(), ui.element("div").classes("sy-row"):
        return ui.input(desk.words("answered_by")).props("dense outlined").classes("sy-who")


async def _answer(desk: Desk, asked: Any, given: dict[str, dict[str, Any]]) -> None:
    await desk.do("answer", given=given, by=asked.value or "", on=desk.today())


def _doubts(desk: Desk, found: dict[str, Any], asked: Any, folds: dict[str, bool]) -> None:
    _counts(desk, found)
    groups: dict[str, list[dict[str, Any]]] = {}
    for one in found["open"]:
        groups.setdefault(f"{one['list']} · {one['title']}", []).append(one)
    if not groups:
        text(desk.words("no_doubts"), "p", "sy-well")
    for place, (title, rows) in enumerate(groups.items()):
        _group(desk, title, rows, found, asked, folds, is_open=folds.get(title, place < _FIRST_OPEN))
    if found["answered"]:
        _answered(desk, found["answered"])


def _counts(desk: Desk, found: dict[str, Any]) -> None:
    counts = found["counts"]
    with card(), ui.element("div").classes("sy-counts").props('role="status" aria-live="polite"'):
        for value, label in (
            (number(counts["open"]), desk.words("count_open")),
            (number(counts["elders"]), desk.words("count_elders")),
            (number(counts["targets"]), desk.words("count_targets")),
            (
                f"{counts['facilities']['located']} / {counts['facilities']['rows']}",
                desk.words("count_facilities"),
            ),
            (
                f"{counts['candidates']['located']} / {counts['candidates']['rows']}",
                desk.words("count_candidates"),
            ),
            (number(len(found["answered"])), desk.words("count_answered")),
        ):
            with ui.element("div"):
                text(value, "b")
                text(label)


def _group(
    desk: Desk,
    title: str,
    rows: list[dict[str, Any]],
    found: dict[str, Any],
    asked: Any,
    folds: dict[str, bool],
    *,
    is_open: bool,
) -> None:
    with card(), ui.element("details").classes("sy-group").props("open" if is_open else "") as group:
        group.on(
            "toggle",
            lambda event: folds.update({title: bool(event.args)}),
            js_handler="(e) => emit(e.target.open)",
        )
        with ui.element("summary"):
            text(title)
            text(desk.words("rows", count=len(rows)), "span", "sy-beside")
        with ui.element("div").classes("sy-row"):
            takes = all(one["suggested"] for one in rows)
            said = desk.words("accept_all" if takes else "keep_all", count=len(rows))
            every = {one["doubt_id"]: {"decision": "confirm"} for one in rows}
            button(said, lambda: _answer(desk, asked, every), kind="first")
            aside = {one["doubt_id"]: {"decision": "set_aside"} for one in rows if one["row_id"]}
            if aside:
                button(
                    desk.words("aside_all", count=len(aside)),
                    lambda: _answer(desk, asked, aside),
                    kind="danger",
                )
        for one in rows:
            _doubt(desk, one, found, asked)


def _doubt(desk: Desk, one: dict[str, Any], found: dict[str, Any], asked: Any) -> None:
    with ui.element("div").classes("sy-doubt"):
        with ui.element("div"):
            text(one["sentence"], "p")
            where = " · ".join(
                part
                for part in (
                    one["file"],
                    one["sheet"],
                    desk.words("row", row=one["row"]) if one["row"] else "",
                )
                if part
            )
            changes = []
            if one["units"]:
                changes.append(desk.words("changes_unit", unit=one["units"], elders=number(one["elders"])))
            if one["targets_named"]:
                changes.append(desk.words("changes_targets", targets=one["targets_named"]))
            text(where, "p", "sy-note")
            text("；".join(changes), "p", "sy-note")
        with ui.element("div").classes("sy-acts"):
            taken = one["suggested"] or one["taken_as"]
            said = desk.words("accept", what=taken) if taken else desk.words("as_it_is")
            own = one["doubt_id"]
            button(said, lambda: _answer(desk, asked, {own: {"decision": "confirm"}})).classes("sy-small")
            button(desk.words("change"), lambda: _dialog(desk, one, found, asked)).classes("sy-small")
            if one["row_id"]:
                aside = {own: {"decision": "set_aside"}}
                button(desk.words("aside"), lambda: _answer(desk, asked, aside), kind="danger").classes(
                    "sy-small"
                )


def _dialog(desk: Desk, one: dict[str, Any], found: dict[str, Any], asked: Any) -> None:
    """Ask for another unit, kind, value or point."""
    point: dict[str, float] = {}
    with ui.dialog() as dialog, ui.element("div").classes("sy-dialog").props('role="document"'):
        text(one["name"] or one["title"], "h2")
        text(one["sentence"], "p")
        with ui.element("div").classes("sy-form"):
            text(desk.words("choose_unit"), "label")
            unit = ui.select(found["units"], with_input=True, clearable=True).props("dense outlined")
            unit.props["aria-label"] = desk.words("choose_unit")
            text(desk.words("choose_kind"), "label")
            kind = ui.select(found["kinds"], clearable=True).props("dense outlined")
            kind.props["aria-label"] = desk.words("choose_kind")
            text(desk.words("choose_value"), "label")
            value = ui.input().props("dense outlined")
            value.props["aria-label"] = desk.words("choose_value")
            text(desk.words("choose_note"), "label")
            note = ui.input().props("dense outlined")
            note.props["aria-label"] = desk.words("choose_note")
        reading = desk.view("reading").value
        if one["row_id"] and reading and reading["places"]:
            text(desk.words("choose_point"), "p", "sy-note")
            at = found["points"].get(one["row_id"])
            pointing_map(
                reading["places"], at, lambda lat, lon: point.update(lat=round(lat, 6), lon=round(lon, 6))
            )

        async def save() -> None:
            given: dict[str, Any] = {
                "unit": unit.value,
                "facility_kind": kind.value,
                "value": value.value,
                **point,
            }
            given = {name: said for name, said in given.items() if said}
            if given:
                await _answer(
                    desk, asked, {one["doubt_id"]: {"decision": "change", **given, "note": note.value or ""}}
                )
            dialog.close()

        with ui.element("div").classes("sy-row"):
            button(desk.words("save"), save, kind="first")
            button(desk.words("cancel"), dialog.close)
    dialog.open()


def _answered(desk: Desk, rows: list[dict[str, Any]]) -> None:
    def changed_to(one: dict[str, Any]) -> str:
        point = f"{one['lat']:.5f}, {one['lon']:.5f}" if one["lat"] is not None else ""
        parts = [one["value"], one["unit"], one["facility_kind"], point]
        return "；".join(part for part in parts if part) or (
            one["suggestion"] if one["decision"] == "confirm" else ""
        )

    def back(one: dict[str, Any]) -> Any:
        return lambda: button(
            desk.words("take_back"), lambda: desk.do("take_back", doubt_ids=[one["doubt_id"]]), kind="plain"
        )

    with card(), ui.element("details").classes("sy-group"):
        text(desk.words("answered", count=len(rows)), "summary")
        every = [one["doubt_id"] for one in rows]
        button(desk.words("take_all_back"), lambda: desk.do("take_back", doubt_ids=every), kind="danger")
        heads = ["head_name", "head_doubt", "head_decision", "head_changed", "head_by", "head_back"]
        table(
            [desk.words(head) for head in heads],
            [
                [
                    one["name"],
                    one["title"],
                    desk.words(f"decision_{one['decision']}"),
                    changed_to(one),
                    " ".join(part for part in (one["answered_by"], one["answered_on"]) if part),
                    back(one),
                ]
                for one in rows
            ],
        )
