"""Ask what a plan must keep, in words; plan it and watch; try choices on the map and keep them as scenarios."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from nicegui import ui

from sy_coverage import labels
from sy_coverage.desk import running
from sy_coverage.desk.pages.parts import button, card, frame, known, live, table, text

if TYPE_CHECKING:
    from sy_coverage.desk.session import Desk

NUMBERS = ("budget", "spread_min", "medical_min", "station_walk_min", "beds_per_elder", "share")
"""Keys of `[siting]` that are numbers; of shares percent are shown."""
NOTED = frozenset(NUMBERS) - {"share"}
SHARES = frozenset({"share"})
CHOICES = {
    "scope": ("county", "city"),
    "rule": ("presence", "access", "both"),
    "elders": ("elders", "elders_65", "elders_80"),
}
_LISTEN = """
window.addEventListener("message", (event) => {
  const frames = Array.from(document.querySelectorAll("iframe"));
  const known = frames.some((frame) => frame.contentWindow === event.source);
  if (known && event.data && event.data.kind === "sy-choice") emitEvent("sy_choice", String(event.data.text).slice(0, 200000));
});
"""


def show(desk: Desk) -> None:
    """Draw the step."""
    known(desk, "materials", lambda there: _content(desk, there))


def _content(desk: Desk, there: dict[str, Any]) -> None:
    if there["missing"]:
        text(desk.words("first_materials"), "p", "sy-warn")
        return
    with card(desk.words("run")):
        live(lambda: (desk.run, int(time.time()) if _is_running(desk) else 0), lambda: _run(desk))
    known(desk, "options", lambda found: _options(desk, found))
    known(desk, "results", lambda found: _try(desk, found))


# --- planning ---------------------------------------------------------------------------------------------------------


def _is_running(desk: Desk) -> bool:
    return desk.run is not None and desk.run.state == "running"


def _start(desk: Desk) -> None:
    running.start(desk.folder)
    desk.run = running.seen(desk.folder)


def _run(desk: Desk) -> None:
    run = desk.run
    if run is None or run.state != "running":
        with ui.element("div").classes("sy-row"):
            button(desk.words("start"), lambda: _start(desk), kind="first")
            text(desk.words("start_note"), "span", "sy-note")
        if run is not None:
            _ended(desk, run)
        return
    stage = desk.words("beginning") if not run.stage else _stage(desk, run.stage)
    steps = f" {run.done}/{run.total}" if run.total > 1 else ""
    with ui.element("div").props('role="status" aria-live="polite"'):
        text(f"{stage}{steps}", "strong")
        share = 100 * run.done / max(run.total, 1)
        bar = (
            ui.element("div")
            .classes("sy-bar")
            .props(f'role="progressbar" aria-valuemin="0" aria-valuemax="100" aria-valuenow="{share:.0f}"')
        )
        bar.props["aria-label"] = stage
        with bar:
            ui.element("div").style(f"width:{share:.1f}%")
        said = [desk.words("running_for", seconds=int(max(time.time() - run.began, 0)))]
        if run.best is not None:
            said.append(desk.words("best_so_far", best=f"{run.best:,.6g}"))
        if run.gap is not None:
            said.append(desk.words("gap_so_far", gap=f"{run.gap:.2%}"))
        if run.beat and time.time() - run.beat > 20:
            said.append(desk.words("silent_for", seconds=int(time.time() - run.beat)))
        text("，".join(said) if desk.language == "zh" else ", ".join(said), "p", "sy-note")
    with ui.element("div").classes("sy-row"):
        button(desk.words("stop"), lambda: running.cancel(desk.folder), kind="danger")
        text(desk.words("stop_note"), "span", "sy-note")


def _stage(desk: Desk, stage: str) -> str:
    key = f"study.stage_{stage}"
    return labels.text(key, desk.language) if key in labels.catalogue() else stage


def _ended(desk: Desk, run: running.Seen) -> None:
    key = "killed" if run.message == "killed" else run.state
    said = desk.words(f"ended_{key}", what=run.message or "—")
    text(said, "p", {"done": "sy-well", "failed": "sy-alert"}.get(run.state, "sy-warn"))


# --- what it must keep -------------------------------------------------------------------------------------------------


def _options(desk: Desk, found: dict[str, Any]) -> None:
    with card(desk.words("rules")), ui.element("div").classes("sy-form"):
        for key, values in CHOICES.items():
            _choice(desk, found, key, values)
        for key in NUMBERS:
            _number(desk, found, key)
    with card(desk.words("years")):
        text(desk.words("years_note"), "p", "sy-note")
        _years(desk, found)
    with card(desk.words("must")):
        text(desk.words("must_note"), "p", "sy-note")
        _must(desk, found)
    with card(), ui.element("details").classes("sy-group"):
        text(
            desk.words("policy_form", name=found["policy"]["name"], document=found["policy"]["document"]),
            "summary",
        )
        text(desk.words("policy_note"), "p", "sy-note")
        _policy(desk, found)


def _asked(desk: Desk, key: str, said: str) -> Any:
    """Draw the name of a key; what it means stands under the field."""
    name = text(desk.words(f"option_{key}"), "label")
    name.props["title"] = said
    return name


def _note(desk: Desk, found: dict[str, Any], key: str) -> None:
    reading = found["reasons"].get(key) or (desk.words(f"note_{key}") if key in NOTED else "")
    text(reading, "span", "sy-note")


def _choice(desk: Desk, found: dict[str, Any], key: str, values: tuple[str, ...]) -> None:
    usual = found["readings"][key]
    options = {
        "": desk.words("by_policy", what=desk.words(f"{key}_{usual}")),
        **{v: desk.words(f"{key}_{v}") for v in values},
    }
    _asked(desk, key, key)
    with ui.element("div"):
        chooser = ui.select(options, value=found["said"].get(key) or "").props("dense outlined options-dense")
        chooser.props["aria-label"] = desk.words(f"option_{key}")
        chooser.on_value_change(
            lambda event: desk.do("edit", sections={"siting": {key: event.value or None}})
        )
        _note(desk, found, key)


def _number(desk: Desk, found: dict[str, Any], key: str) -> None:
    scale = 100 if key in SHARES else 1
    given = found["said"].get(key)
    shown = None if given is None else given * scale
    _asked(desk, key, key)
    with ui.element("div"):
        field = ui.number(value=shown, min=0, suffix=desk.words(f"unit_{key}")).props(
            "dense outlined debounce=0"
        )
        field.props["aria-label"] = desk.words(f"option_{key}")

        async def keep() -> None:
            if field.value != shown:
                value = None if field.value is None else field.value / scale
                await desk.do("edit", sections={"siting": {key: value}})

        field.on("blur", keep).on("keydown.enter", keep)
        _note(desk, found, key)


def _years(desk: Desk, found: dict[str, Any]) -> None:
    last = int(found["about"]["date"][:4])
    years = sorted({*(str(year) for year in range(last - 2, last + 1)), *found["phases"]})
    fields: dict[str, Any] = {}

    async def keep() -> None:
        given = {year: {"budget": field.value} for year, field in fields.items() if field.value is not None}
        before = {year: {"budget": phase["budget"]} for year, phase in found["phases"].items()}
        if given != before:
            await desk.do("edit", sections={"phases": given})

    with ui.element("div").classes("sy-row"):
        for year in years:
            value = found["phases"].get(year, {}).get("budget")
            fields[year] = ui.number(year, value=value, min=0, suffix=desk.words("unit_budget")).props(
                "dense outlined debounce=0"
            )
            fields[year].on("blur", keep).on("keydown.enter", keep)


def _must(desk: Desk, found: dict[str, Any]) -> None:
    sites = {
        one["id"]: f"{one['name']}（{one['kind']}，{one['county']}{one['unit']}）"
        for one in found["candidates"]
    }
    with ui.element("div").classes("sy-form"):
        for key in ("require", "forbid"):
            given = list(found["siting"][key])
            options = {**sites, **{one: one for one in given if one not in sites}}
            text(desk.words(f"option_{key}"), "label")
            chooser = ui.select(options, value=given, multiple=True, with_input=True).props(
                "dense outlined use-chips options-dense"
            )
            chooser.props["aria-label"] = desk.words(f"option_{key}")

            async def keep(key: str = key, chooser: Any = chooser, given: list[str] = given) -> None:
                if list(chooser.value) != given:
                    await desk.do("edit", sections={"siting": {key: list(chooser.value) or None}})

            chooser.on("popup-hide", keep).on("remove", keep).on("blur", keep)


def _policy(desk: Desk, found: dict[str, Any]) -> None:
    def field_of(one: dict[str, Any]) -> Any:
        def draw() -> None:
            scale = 100 if one["is_share"] else 1
            shown = None if one["value"] is None else round(one["value"] * scale, 6)
            field = ui.number(value=shown, min=0, suffix="%" if one["is_share"] else None).props(
                "dense outlined debounce=0"
            )
            field.props["aria-label"] = one["name"]

            async def keep() -> None:
                if field.value == shown:
                    return
                said = {
                    **found["policy_said"],
                    one["id"]: None if field.value is None else field.value / scale,
                }
                await desk.do("edit", sections={"policy": said})

            field.on("blur", keep).on("keydown.enter", keep)

        return draw

    def clause(one: dict[str, Any]) -> Any:
        def draw() -> None:
            text(one["section"], "div")
            text(one["quote"], "div", "sy-quote")

        return draw

    heads = [desk.words(head) for head in ("head_target", "head_value", "head_until", "head_clause")]
    rows = [
        [one["name"], field_of(one), one["by"], clause(one)]
        for one in found["targets"]
        if one["value"] is not None
    ]
    table(heads, rows)


# --- trying ------------------------------------------------------------------------------------------------------------


def _try(desk: Desk, found: dict[str, Any]) -> None:
    if not found["counties"]:
        return
    there = [one for one in found["counties"] if f"maps/{one['county_id']}.html" in found["files"]]
    if not there:
        return
    with card(desk.words("try")):
        text(desk.words("try_note"), "p", "sy-note")
        names = {one["county_id"]: one["county"] for one in there}
        chooser = ui.select(names, value=next(iter(names)), label=desk.words("county")).props(
            "dense outlined options-dense"
        )
        shown = frame(f"maps/{chooser.value}.html?{found['finished']}", desk.words("try"), tall=True)
        chooser.on_value_change(
            lambda event: _show_map(shown, f"maps/{event.value}.html?{found['finished']}")
        )
        ui.run_javascript(_LISTEN)
        ui.on("sy_choice", lambda event: _chosen(desk, found, str(event.args)))
    _scenarios(desk, found)


def _show_map(shown: Any, name: str) -> None:
    shown.props["src"] = f"/results/view/{name}"
    shown.update()


def _chosen(desk: Desk, found: dict[str, Any], given: str) -> None:
    """Ask what shall become of a choice that was made on the map: rules of the plan, or a scenario beside it.

    A rule is only what differs from the plan: that its other sites open again is for the next plan to say.
    """
    planned = {one["id"]: one["name"] for one in found["sites"]}
    try:
        said = json.loads(given)
        require = [str(i) for i in said.get("require", []) if str(i) not in planned]
        forbid = [str(i) for i in said.get("forbid", [])]
        close = [str(i) for i in said.get("close", [])]
    except (ValueError, AttributeError, TypeError):
        return
    options = desk.view("options").value
    names = {**planned, **({one["id"]: one["name"] for one in options["candidates"]} if options else {})}
    with ui.dialog() as dialog, ui.element("div").classes("sy-dialog"):
        text(desk.words("chosen"), "h2")
        for key, ids in (("require", require), ("forbid", forbid), ("close", close)):
            if ids:
                text(f"{desk.words(f'option_{key}')}：{'、'.join(names.get(i, i) for i in ids)}", "p")
        name = ui.input(desk.words("scenario_name"), value=desk.words("scenario_usual")).props(
            "dense outlined"
        )

        async def keep() -> None:
            if await desk.do(
                "scenario", name=(name.value or "").strip()[:40] or desk.words("scenario_usual"), text=given
            ):
                dialog.close()

        async def take() -> None:
            before = options["siting"] if options else {"require": [], "forbid": []}
            kept = {
                "require": [*(i for i in before["require"] if i not in (*forbid, *require)), *require],
                "forbid": [*(i for i in before["forbid"] if i not in (*require, *forbid)), *forbid],
            }
            sections: dict[str, Any] = {"siting": {key: ids or None for key, ids in kept.items()}}
            if close:
                sections["facilities"] = {"close": close}
            if await desk.do("edit", sections=sections):
                dialog.close()
                _start(desk)

        with ui.element("div").classes("sy-row"):
            button(desk.words("take_choice"), take, kind="first")
            button(desk.words("keep_scenario"), keep)
            button(desk.words("cancel"), dialog.close)
    dialog.open()


def _scenarios(desk: Desk, found: dict[str, Any]) -> None:
    options = desk.view("options").value
    names = list(options["scenarios"]) if options else []
    if not names and len(found["comparison"]) < 2:
        return
    with card(desk.words("scenarios")):
        for name in names:
            with ui.element("div").classes("sy-row"):
                text(name, "strong")
                button(
                    desk.words("remove"),
                    lambda name=name: desk.do("scenario", name=name, text=None),
                    kind="plain",
                )
        text(desk.words("scenarios_note"), "p", "sy-note")
        if len(found["comparison"]) > 1:
            table(found["comparison"][0], found["comparison"][1:], caption=desk.words("comparison"))
