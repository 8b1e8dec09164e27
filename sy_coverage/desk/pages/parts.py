"""Draw the parts that pages are made of: text that stays text, parts that follow what is known, tables, buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nicegui import ui

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sy_coverage.desk.session import Desk, View

LOOK_S = 0.4
"""How often a page compares what it shows with what is known."""


def text(said: str, tag: str = "span", classes: str = "") -> Any:
    """Draw text that stays text, whatever stands in it."""
    element = ui.element(tag).classes(classes)
    with element:
        ui.label(said).classes("sy-text") if tag in ("td", "th", "p", "div", "li") else _inline(said)
    return element


def _inline(said: str) -> None:
    ui.label(said).classes("sy-text")


def live(signature: Callable[[], Any], draw: Callable[[], None]) -> None:
    """Draw a part, and again whenever its signature has changed: in every tab, without anybody's doing."""
    part = ui.refreshable(draw)
    shown = [signature()]
    part()

    def look() -> None:
        now = signature()
        if now != shown[0]:
            shown[0] = now
            part.refresh()

    ui.timer(LOOK_S, look)


def known(
    desk: Desk, question: str, draw: Callable[[Any], None], *, more: Callable[[], Any] = lambda: None
) -> None:
    """Draw what is known of a question once it is known; until then that it is being worked out, or why it cannot be."""

    def signature() -> tuple[Any, ...]:
        view = desk.view(question)
        return (id(view.value), view.error, view.value is None and view.is_asked, more())

    def part() -> None:
        view: View = desk.view(question)
        if view.error:
            problem(desk, view.error)
        elif view.value is None:
            waiting(desk)
        else:
            draw(view.value)

    live(signature, part)


def waiting(desk: Desk) -> None:
    """Say that something is being worked out."""
    with ui.element("div").classes("sy-waiting").props('role="status"'):
        ui.spinner(size="1.4em")
        text(desk.words("reading"))


def problem(desk: Desk, said: str) -> None:
    """Say what is wrong and that it can be mended."""
    with ui.element("div").classes("sy-alert").props('role="alert"'):
        text(desk.words("cannot"), "strong")
        for line in said.split("\n"):
            text(line, "p")


def button(said: str, act: Any, *, kind: str = "second", hint: str = "") -> Any:
    """Draw a button; `kind` is ``first``, ``second``, ``plain`` or ``danger``."""
    element = (
        ui.element("button")
        .classes(f"sy-button sy-{kind}" if kind != "plain" else "sy-plain")
        .props('type="button"')
    )
    if hint:
        element.props["aria-label"] = hint
    element.on("click", act)
    with element:
        ui.label(said).classes("sy-text")
    return element


def table(
    head: Sequence[str], rows: Iterable[Sequence[Any]], *, caption: str = "", classes: str = ""
) -> None:
    """Draw a table; a cell is text, or a function that draws it."""
    with ui.element("div").classes("sy-scroll").props('tabindex="0" role="region"') as region:
        region.props["aria-label"] = caption or " ".join(head[:3])
        with ui.element("table").classes(f"sy-table {classes}"):
            if caption:
                text(caption, "caption")
            with ui.element("thead"), ui.element("tr"):
                for name in head:
                    text(name, "th").props('scope="col"')
            with ui.element("tbody"):
                for row in rows:
                    with ui.element("tr"):
                        for cell in row:
                            _cell(cell)


def _cell(cell: Any) -> None:
    if callable(cell):
        with ui.element("td"):
            cell()
    else:
        shown = "" if cell is None else str(cell)
        text(shown, "td", "sy-figure" if shown and shown[0].isdigit() and len(shown) < 12 else "")


def card(title: str = "", *, classes: str = "") -> Any:
    """Return a card to draw into."""
    element = ui.element("section").classes(f"sy-card {classes}")
    if title:
        with element:
            text(title, "h2")
    return element


def number(value: Any, decimals: int = 0) -> str:
    """Return a figure with its thousands apart, or a dash where nobody knows it."""
    return "—" if value is None else f"{float(value):,.{decimals}f}"


def frame(name: str, title: str, *, tall: bool = False) -> Any:
    """Draw a page that a run wrote, as a stranger to the desk: it may run its own scripts and reach nothing."""
    element = ui.element("iframe").classes("sy-frame sy-tall" if tall else "sy-frame")
    element.props["src"] = f"/results/view/{name}"
    element.props["title"] = title
    element.props["sandbox"] = "allow-scripts allow-downloads allow-modals"
    return element
