"""Hand over what came out: what is still in doubt first, then previews, single files, everything as one zip."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from nicegui import ui

from sy_coverage.desk import running
from sy_coverage.desk.pages.parts import button, card, frame, known, live, number, table, text

if TYPE_CHECKING:
    from sy_coverage.desk.session import Desk

ENDINGS = ("docx", "xlsx", "html", "geojson")


def show(desk: Desk) -> None:
    """Draw the step."""
    known(desk, "materials", lambda there: _content(desk, there))


def _content(desk: Desk, there: dict[str, Any]) -> None:
    if there["missing"]:
        text(desk.words("first_materials"), "p", "sy-warn")
        return
    live(lambda: desk.run is not None and desk.run.state, lambda: _going(desk))
    known(desk, "results", lambda found: _results(desk, found))


def _going(desk: Desk) -> None:
    if desk.run is not None and desk.run.state == "running":
        text(desk.words("results_running"), "p", "sy-warn")


def _results(desk: Desk, found: dict[str, Any]) -> None:
    if not found["counties"]:
        text(desk.words("no_results"), "p", "sy-warn")
        return
    live(lambda: id(desk.view("doubts").value), lambda: _doubtful(desk, found))
    if "status_said" in found["counties"][0]:
        _ended(desk, found)
    with card(desk.words("hand_over")):
        with ui.element("div").classes("sy-row"):
            _download(desk, "all.zip", desk.words("all_as_zip"), first=True)
            for name in ("scorecard.xlsx", "map.html", "coverage.gpkg"):
                if name in found["files"]:
                    _download(desk, name, desk.words(f"file_{name.partition('.')[0]}"))
        _proposals(desk, found)
    known(desk, "options", lambda options: _signing(desk, options))
    with card(desk.words("preview")):
        _preview(desk, found)
    with card(), ui.element("details").classes("sy-group"):
        text(desk.words("sites", count=len(found["sites"])), "summary")
        heads = ["head_county", "head_name", "head_kind", "head_unit", "head_cost", "head_why"]
        keys = ("county", "name", "kind", "unit", "cost", "why")
        table([desk.words(head) for head in heads], [[one[key] for key in keys] for one in found["sites"]])
    figures = [name for name in found["files"] if name.startswith("figures/") and name.endswith(".png")]
    with card(desk.words("figures")), ui.element("div").classes("sy-figures"):
        for name in figures:
            ui.element("img").props(f'src="/results/view/{quote(name)}" alt="{quote(name)}" loading="lazy"')


def _ended(desk: Desk, found: dict[str, Any]) -> None:
    with card(desk.words("how_it_ended")):
        heads = ["head_county", "head_status", "head_met", "head_share", "head_sites", "head_cost"]
        rows = [
            [
                one["county"],
                one["status_said"],
                f"{one['covered_today']} → {one['covered_planned']} / {one['counted']}",
                f"{_share(one['share_today'])} → {_share(one['share_planned'])}",
                number(one["new_sites"]),
                number(one["cost"], 1),
            ]
            for one in found["counties"]
        ]
        table([desk.words(head) for head in heads], rows)


def _share(value: Any) -> str:
    return "—" if value is None else f"{value:.1%}"


def _doubtful(desk: Desk, found: dict[str, Any]) -> None:
    doubts = desk.view("doubts")
    said = list(found["notices"])
    open_ = 0 if doubts.value is None else len(doubts.value["open"])
    if open_:
        said.append(desk.words("still_doubts", count=open_))
    if not found["is_current"]:
        said.append(desk.words("not_current"))
    if said:
        with ui.element("div").classes("sy-warn").props('role="status"'):
            for line in said:
                text(line, "p")
            if open_:
                with ui.element("a").props('href="/verify"'):
                    text(desk.words("to_doubts"))


def _download(desk: Desk, name: str, said: str, *, first: bool = False) -> None:
    del desk
    link = ui.element("a").classes("sy-button sy-first" if first else "sy-button sy-second")
    link.props["href"] = f"/results/file/{quote(name)}"
    link.props["download"] = name.rpartition("/")[2]
    with link:
        text(said)


def _proposals(desk: Desk, found: dict[str, Any]) -> None:
    names = {"summary": desk.words("whole"), **{one["county_id"]: one["county"] for one in found["counties"]}}

    def links(stem: str) -> Any:
        def draw() -> None:
            with ui.element("div").classes("sy-row"):
                for ending in ENDINGS:
                    if f"proposals/{stem}.{ending}" in found["files"]:
                        _download(desk, f"proposals/{stem}.{ending}", desk.words(f"as_{ending}"))
                if f"proposals/{stem}-annex.docx" in found["files"]:
                    _download(desk, f"proposals/{stem}-annex.docx", desk.words("annex"))
                if f"maps/{stem}.html" in found["files"]:
                    _download(desk, f"maps/{stem}.html", desk.words("file_map"))

        return draw

    rows = [[name, links(stem)] for stem, name in names.items()]
    table([desk.words("head_proposal"), desk.words("head_files")], rows)


def _preview(desk: Desk, found: dict[str, Any]) -> None:
    names: dict[str, str] = {}
    for stem, name in {
        "summary": desk.words("whole"),
        **{one["county_id"]: one["county"] for one in found["counties"]},
    }.items():
        if f"proposals/{stem}.html" in found["files"]:
            names[f"proposals/{stem}.html"] = f"{name} · {desk.words('proposal')}"
        if f"maps/{stem}.html" in found["files"]:
            names[f"maps/{stem}.html"] = f"{name} · {desk.words('file_map')}"
    if "map.html" in found["files"]:
        names["map.html"] = f"{desk.words('whole')} · {desk.words('file_map')}"
    if not names:
        return
    chooser = ui.select(names, value=next(iter(names)), label=desk.words("preview_what")).props(
        "dense outlined options-dense"
    )
    shown = frame(f"{chooser.value}?{found['finished']}", desk.words("preview"), tall=True)

    def look(event: Any) -> None:
        shown.props["src"] = f"/results/view/{event.value}?{found['finished']}"
        shown.update()

    chooser.on_value_change(look)


def _signing(desk: Desk, options: dict[str, Any]) -> None:
    about = options["about"]
    with card(desk.words("signing")):
        text(desk.words("signing_note"), "p", "sy-note")
        with ui.element("div").classes("sy-row"):
            office = ui.input(desk.words("office"), value=about["office"]).props("dense outlined")
            issued = ui.input(
                desk.words("issued"), value=about["issued"] or "", placeholder="2026-12-01"
            ).props("dense outlined")
            number_ = ui.input(desk.words("approval"), value=options["approval_number"]).props(
                "dense outlined"
            )

            async def sign() -> None:
                sections = {
                    "study": {"office": office.value or None, "issued": _day(issued.value)},
                    "map": {"approval_number": number_.value or None},
                }
                if await desk.do("edit", sections=sections):
                    running.start(desk.folder, "dress")
                    desk.run = running.seen(desk.folder)

            button(desk.words("sign"), sign)


def _day(written: str | None) -> Any:
    """Return a day as the study file holds it; what is none is refused there, by name."""
    try:
        return dt.date.fromisoformat((written or "").strip()) if written else None
    except ValueError:
        return written
