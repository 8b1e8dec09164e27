"""Show on a screen what a command does: bars, tables, sentences, and what becomes of Ctrl-C."""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from sy_coverage import labels
from sy_coverage.errors import some
from sy_coverage.outputs.facts import STATES, Facts
from sy_coverage.outputs.text import words as outputs_words
from sy_coverage.study.results.unfinished import changed_since
from sy_coverage.study.steps.office.answers import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from sy_coverage.labels import Language
    from sy_coverage.siting import Progress as Solving
    from sy_coverage.study import Study


class _StoppedError(KeyboardInterrupt):
    """Ctrl-C was heard."""


class _CtrlC:
    """Hear Ctrl-C once and for all: code that C calls back loses the exception, so every step asks again."""

    def __init__(self) -> None:
        self._heard = False

    def __enter__(self) -> Self:
        self._former = signal.signal(signal.SIGINT, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._former)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._heard = True
        raise _StoppedError

    def stop_if_heard(self) -> None:
        if self._heard:
            raise _StoppedError


LINES_S = 10.0
"""Without a terminal, how many seconds apart lines of one stage are at least."""


@contextmanager
def bars(console: Console, language: Language) -> Iterator[Any]:
    """Show one bar a stage; a stage inside another has a bar of its own below. Without a terminal: plain lines with the time."""
    with _lines(console, language) if not console.is_terminal else _bars(console, language) as progress:
        yield progress


@contextmanager
def _lines(console: Console, language: Language) -> Iterator[Any]:
    """Print one line as a stage begins, one now and then while it goes on, and one as it ends."""
    with _CtrlC() as ctrl_c:

        def line(stage: str, said: str) -> None:
            named = labels.text(f"study.stage_{stage}", language)
            console.print(
                f"{time.strftime('%H:%M:%S')} {escape(named)} {said}".rstrip(),
                soft_wrap=True,
                highlight=False,
            )

        @contextmanager
        def progress(stage: str, *, total: int = 1) -> Iterator[Callable[[], None]]:
            ctrl_c.stop_if_heard()
            begun = last = time.monotonic()
            steps = 0
            line(stage, "…")

            def advance() -> None:
                nonlocal steps, last
                ctrl_c.stop_if_heard()
                steps += 1
                if time.monotonic() - last >= LINES_S:
                    last = time.monotonic()
                    line(stage, f"{min(steps, total)}/{total}")

            yield advance
            line(stage, f"{total}/{total} ({time.monotonic() - begun:.0f} s)")

        yield progress
        ctrl_c.stop_if_heard()


@contextmanager
def _bars(console: Console, language: Language) -> Iterator[Any]:
    """Show one bar a stage; stages never nest on screen."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with _CtrlC() as ctrl_c, Progress(*columns, console=console) as bars:

        @contextmanager
        def progress(stage: str, *, total: int = 1) -> Iterator[Callable[[], None]]:
            ctrl_c.stop_if_heard()
            named = labels.text(f"study.stage_{stage}", language)
            task = bars.add_task(named, total=total)
            steps = 0

            def advance() -> None:
                nonlocal steps
                ctrl_c.stop_if_heard()
                steps += 1
                bars.update(task, completed=min(steps, total), description=named)

            yield advance
            bars.update(task, completed=total, description=named)

        def tell(seen: Solving) -> None:
            """Say behind the name of the last bar how far the best answer is from the bound."""
            if seen.gap is not None and bars.tasks:
                last = bars.tasks[-1]
                gap = labels.text("study.gap_so_far", language, gap=f"{seen.gap:.2%}")
                bars.update(
                    last.id, description=f"{last.description.partition(' · ')[0]} · {gap}", refresh=True
                )

        progress.tell = tell  # type: ignore[attr-defined]  # beside the stages, what a long solve knows so far
        yield progress
        ctrl_c.stop_if_heard()


def _summary(study: Study, county_ids: list[str] | None = None) -> Table:
    """Return the short table a run ends with: one row a county, of all or of those that were asked for."""
    words, findings = study.words, study.findings
    table = Table(title=escape(study.config.study.title), box=SIMPLE_HEAD)
    shown = list(findings.counties.index) if county_ids is None else sorted(set(county_ids))
    rows = [
        (escape(findings.counties["county"][i]), Facts(findings.of_county(i)), _proof(study, i))
        for i in shown
    ]
    if county_ids is None and len(shown) > 1:
        proved = f"{int(findings.counties['proved'].sum())}/{len(shown)}"
        rows.append((words("study.total"), Facts(findings), proved))
    money = outputs_words.common(findings)["money"]
    for column in ("county", "met", "within", "new_sites", "cost", "proved"):
        side = "left" if column == "county" else "right"
        table.add_column(words(f"study.column_{column}", money=money), justify=side, no_wrap=True)  # type: ignore[arg-type]  # one of two
    for place, (name, facts, proved) in enumerate(rows):
        if place == len(shown):
            table.add_section()
        head = facts.headline()
        missed = "" if head.is_met else "red"
        met = f"{head.today.text}→{head.planned.text}/{head.whole.text}" if head.whole.value else "—"
        within = "→".join(
            facts[f"share_within_{state}"].text.replace("\u00a0", "") or "—" for state in STATES
        )
        table.add_row(
            name,
            f"[{missed}]{met}[/{missed}]" if missed else met,
            within,
            facts["sites"].text,
            facts["cost"].text,
            proved,
        )
    return table


def _proof(study: Study, county_id: str) -> str:
    """Return what is known of a county's plan: optimal, feasible, or that its targets cannot be met."""
    row = study.findings.counties.loc[county_id]
    if study.findings.falls_short(county_id):
        return study.words("study.status_infeasible")
    return study.words("study.proved") if row["proved"] else study.words(f"study.status_{row['status']}")


def finish(console: Console, study: Study, folder: Path, county_ids: list[str] | None) -> None:
    """Print the table, what cannot be met, and where the results lie; exit with 1 when a target cannot be met."""
    console.print(_summary(study, county_ids))
    for notice in study.findings.notices:
        console.print(f"[yellow]{escape(notice)}[/yellow]")
    asked = study.findings.counties
    asked = asked if county_ids is None else asked[asked.index.isin(county_ids)]
    short = [
        county_id
        for county_id, status in asked["status"].items()
        if status in {"infeasible", "no_answer"} or study.findings.falls_short(str(county_id))
    ]
    for line in study.findings.left_out.loc[study.findings.left_out["county_id"].isin(short), "sentence"]:
        console.print(f"[red]{escape(line)}[/red]")
    say_files(console, study, folder)
    if short:
        raise typer.Exit(1)


def say_files(console: Console, study: Study, folder: Path) -> None:
    """Print where the results lie."""
    for key, path in (
        ("map", "map.html"),
        ("proposals", "proposals/"),
        ("scorecard", "scorecard.xlsx"),
        ("to_verify", NAMES[study.config.study.language]),
        ("all", ""),
    ):
        if (folder / path).exists():
            console.print(
                f"{study.words(f'study.result_{key}')}: {escape(str(folder / path))}", soft_wrap=True
            )


def say_changed(console: Console, study: Study, out: Path | None) -> None:
    """Print which inputs have changed since a run into the same folder was interrupted, if any have."""
    folder = out or Path(study.path(study.config.study.output))
    changed = changed_since(study.answers, folder)
    if changed:
        said = study.words("study.inputs_changed", files=some(changed))
        console.print(f"[yellow]{escape(said)}[/yellow]", soft_wrap=True)


def say(console: Console, lines: list[str]) -> None:
    """Print lines as they are written: no markup, no wrapping."""
    for line in lines:
        console.print(escape(line), soft_wrap=True)


@contextmanager
def interruptible(language: Language) -> Iterator[None]:
    """Leave with exit code 130 and one sentence where a run is interrupted."""
    try:
        yield
    except KeyboardInterrupt:
        Console(stderr=True).print(labels.text("study.interrupted", language), soft_wrap=True)
        raise typer.Exit(130) from None
