"""Show the desk: one page a step, all from what `Desk` knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nicegui import ui

from sy_coverage.desk.pages import materials, plan, results, today, verify
from sy_coverage.desk.pages.frame import STEPS, framed

if TYPE_CHECKING:
    from sy_coverage.desk.session import Desk

ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" fill="#1b4965"/>'
    '<path d="M16 6 27 15h-3v10h-6v-6h-4v6H8V15H5z" fill="#fff"/></svg>'
)
_SHOW = {
    "materials": materials.show,
    "verify": verify.show,
    "today": today.show,
    "plan": plan.show,
    "results": results.show,
}


def register(desk: Desk) -> None:
    """Give each step its address; the desk opens at the materials."""
    for step in STEPS:
        _page(desk, step, f"/{step}")
    _page(desk, STEPS[0], "/")


def _page(desk: Desk, step: str, address: str) -> None:
    def show() -> None:
        with framed(desk, step):
            _SHOW[step](desk)

    ui.page(address)(show)
