"""Say in a notebook what a study is and has planned, and how far it is with what it was asked."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sy_coverage import _cells, labels
from sy_coverage.siting import cells

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from geopandas import GeoDataFrame

    from sy_coverage.labels import Language
    from sy_coverage.siting import Progress as Solving
    from sy_coverage.siting import SitingPlan


def study_cell(
    first: tuple[str, str],
    plans: Mapping[str, SitingPlan],
    units: GeoDataFrame | None,
    candidates: GeoDataFrame | None,
    language: Language,
) -> str:
    """Return what a study is, each plan that is known with its sites, cost and targets, and a small map of what is known."""

    def said(key: str) -> str:
        return labels.text(f"siting.cell_{key}", language)

    rows = []
    for name, plan in plans.items():
        figures = plan.best.figures
        met = "" if figures.targets is None else f"{int(figures.targets['met'].sum())}/{len(figures.targets)}"
        status = labels.text(f"study.status_{plan.status}", language)
        cost = "" if figures.cost is None else f"{figures.cost:,.1f}"
        rows.append((name, status, len(plan.best.sites), cost, met))
    head = [said(key) for key in ("where", "plan", "count", "cost", "met")]
    table = _cells.table(rows, head=head) if rows else ""
    return f"<div>{_cells.table([first])}{table}{_drawn(first[0], plans, units, candidates)}</div>"


def _drawn(
    name: str, plans: Mapping[str, SitingPlan], units: GeoDataFrame | None, candidates: GeoDataFrame | None
) -> str:
    if units is None:
        return ""
    areas = [
        _cells.Area(shape, cells.LACKS, called)
        for called, shape in zip(units["name"], units.geometry, strict=True)
    ]
    opened = {site for plan in plans.values() for site in plan.best.sites}
    spots = []
    if candidates is not None:
        shown = candidates[candidates.index.isin(list(opened)) & candidates.geometry.notna()]
        spots = [
            _cells.Spot(point.x, point.y, cells.SITE, str(called), 3.5)
            for called, point in zip(shown["name"], shown.geometry, strict=True)
        ]
    return _cells.small_map(areas, spots, name=name)


def bars_of(language: Language) -> NotebookBars | None:
    """Return what shows a bar beneath the cell that is run; None outside a notebook's kernel."""
    ipython: Any = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return None
    return NotebookBars(shell, ipython.display, language)


class NotebookBars:
    """Show one bar beneath each cell, and nothing when its stages are done."""

    def __init__(self, shell: Any, display: Any, language: Language) -> None:
        """Show through the `display` module of IPython beneath the cells of `shell`."""
        self._shell, self._display, self._language = shell, display, language
        self._cell: int | None = None
        self._handle: Any = None
        self._open: list[list[Any]] = []
        """Name, steps done and steps of every stage that is under way, the innermost last."""

    @contextmanager
    def __call__(self, stage: str, *, total: int = 1) -> Iterator[Callable[[], None]]:
        """Enter `stage`; leaving it takes its bar away."""
        own: list[Any] = [labels.text(f"study.stage_{stage}", self._language), 0, total]
        self._open.append(own)
        self._show()

        def advance() -> None:
            own[1] = min(own[1] + 1, total)
            self._show()

        try:
            yield advance
        finally:
            self._open.remove(own)
            self._show()

    def tell(self, seen: Solving) -> None:
        """Say how far the best answer is from the bound."""
        if seen.gap is not None:
            self._show(labels.text("study.gap_so_far", self._language, gap=f"{seen.gap:.2%}"))

    def _show(self, more: str = "") -> None:
        cell = self._shell.execution_count
        if self._handle is None or cell != self._cell:
            self._cell = cell
            self._handle = self._display.display(self._bar(more), display_id=True, raw=True)
        else:
            self._handle.update(self._bar(more), raw=True)

    def _bar(self, more: str) -> dict[str, str]:
        """Return the bar of the innermost stage, as what a notebook can show and as text."""
        if not self._open:
            return {"text/html": "", "text/plain": ""}
        name, done, total = self._open[-1]
        text = " · ".join(part for part in (name, f"{done}/{total}" if total > 1 else "", more) if part)
        value = f' value="{done}"' if total > 1 else ""
        bar = f'<progress max="{total}"{value} aria-label="{_cells.inert(name)}"></progress>'
        return {"text/html": f"<div>{bar} {_cells.inert(text)}</div>", "text/plain": text}
