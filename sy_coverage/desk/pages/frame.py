"""Draw what is the same on every page: name, steps, language, what is being done, and how to go on."""

from __future__ import annotations

from contextlib import contextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from nicegui import ui

from sy_coverage.desk.pages.parts import live, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sy_coverage.desk.session import Desk

STEPS = ("materials", "verify", "today", "plan", "results")


@contextmanager
def framed(desk: Desk, step: str) -> Iterator[None]:
    """Draw the page around the content of one step."""
    style = files("sy_coverage.desk.pages").joinpath("desk.css").read_text(encoding="utf-8")
    language = "zh-CN" if desk.language == "zh" else "en"
    ui.page_title(f"{desk.words(f'step_{step}')} · {desk.words('title')}")
    ui.add_css(style)
    ui.add_body_html(f'<script>document.documentElement.lang = "{language}";</script>')
    ui.colors(
        primary="#1b4965",
        secondary="#5b7083",
        accent="#b5542a",
        positive="#2e7d4f",
        negative="#a3262a",
        warning="#8a5a00",
    )
    with ui.element("a").classes("sy-skip").props('href="#content"'):
        text(desk.words("skip"))
    with ui.element("header").classes("sy-top"):
        live(lambda: _title(desk), lambda: _head(desk))
    with ui.element("div").classes("sy-body"):
        with ui.element("nav").classes("sy-steps").props(f'aria-label="{desk.words("steps")}"'):
            live(lambda: _state(desk), lambda: _steps(desk, step))
        with ui.element("div").classes("sy-main").props('id="content" tabindex="-1"'):
            with ui.element("h1"):
                text(desk.words(f"step_{step}"))
            text(desk.words(f"lead_{step}"), "p", "sy-lead")
            live(lambda: (desk.notice, desk.language), lambda: _notice(desk))
            yield
            _onward(desk, step)


def _title(desk: Desk) -> tuple[Any, ...]:
    run = desk.run
    working = "" if run is None or run.state != "running" else (run.stage, run.done, run.total)
    return (working, desk.busy, desk.language)


def _head(desk: Desk) -> None:
    with ui.element("div").classes("sy-name"):
        text(desk.words("title"), "strong")
        text(str(desk.folder), "span", "sy-folder")
    with ui.element("div").classes("sy-status").props('role="status" aria-live="polite"'):
        run = desk.run
        if desk.busy:
            text(desk.words("saving"))
        elif run is not None and run.state == "running":
            text(desk.words("planning_now"))
    with ui.element("div").classes("sy-language"):
        for language, name in (("zh", "中文"), ("en", "English")):
            pressed = "true" if desk.language == language else "false"
            button = (
                ui.element("button")
                .classes("sy-plain")
                .props(f'type="button" aria-pressed="{pressed}" lang="{language}"')
            )
            button.on("click", lambda _, chosen=language: _speak(desk, chosen))
            with button:
                text(name)


def _speak(desk: Desk, language: Any) -> None:
    desk.speak(language)
    ui.run_javascript("location.reload()")


def _state(desk: Desk) -> tuple[Any, ...]:
    return (desk.language, *(_mark(desk, step) for step in STEPS))


def _mark(desk: Desk, step: str) -> tuple[str, str]:
    """Return how far a step is (``done``, ``open`` or nothing) and what stands beside its name."""
    there = desk.view("materials").value
    lacks = None if there is None else there["missing"]
    if lacks is None or (lacks and step != "materials"):
        return "", ""
    state = "" if desk.run is None else desk.run.state
    if step == "materials":
        return ("open", desk.words("mark_missing", count=len(lacks))) if lacks else ("done", "")
    if step == "verify":
        known = desk.glance("doubts").value
        count = None if known is None else len(known["open"])
        return ("open", desk.words("mark_open", count=count)) if count else ("done" if count == 0 else "", "")
    if step == "plan":
        return {"running": ("open", desk.words("mark_running")), "done": ("done", ""), "": ("", "")}.get(
            state, ("open", "")
        )
    return ("done" if step == "results" and state in {"done", "cancelled"} else "", "")


def _steps(desk: Desk, shown: str) -> None:
    with ui.element("ol"):
        for number, step in enumerate(STEPS, start=1):
            state, beside = _mark(desk, step)
            here = ' aria-current="step"' if step == shown else ""
            with (
                ui.element("li").classes(f"sy-step sy-{state or 'later'}"),
                ui.element("a").props(f'href="/{step}"{here}'),
            ):
                text("✓" if state == "done" else str(number), "span", "sy-number")
                text(desk.words(f"step_{step}"), "span", "sy-what")
                if beside:
                    text(beside, "span", "sy-beside")


def _notice(desk: Desk) -> None:
    if not desk.notice:
        return
    with ui.element("div").classes("sy-alert").props('role="alert"'):
        text(desk.notice)

        def close() -> None:
            desk.notice = ""

        with ui.element("button").classes("sy-plain").props('type="button"').on("click", close):
            text(desk.words("close"))


def _onward(desk: Desk, step: str) -> None:
    at = STEPS.index(step)
    with ui.element("div").classes("sy-onward"):
        if at > 0:
            with ui.element("a").props(f'href="/{STEPS[at - 1]}"').classes("sy-button sy-second"):
                text(f"← {desk.words(f'step_{STEPS[at - 1]}')}")
        if at + 1 < len(STEPS):
            with ui.element("a").props(f'href="/{STEPS[at + 1]}"').classes("sy-button sy-next"):
                text(f"{desk.words('next')}{desk.words(f'step_{STEPS[at + 1]}')} →")
