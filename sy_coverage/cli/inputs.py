"""Commands that say what a study's inputs are, before anything is planned, and start a study."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sy_coverage import _files
from sy_coverage.cli import screen
from sy_coverage.cli.options import Offline, Out, StudyFile, language_named, workbook_beside


def check(
    study_file: StudyFile,
    databases: Annotated[
        bool, typer.Option("--databases", help="Also ask the databases that the study names.")
    ] = False,
) -> None:
    """Say what is wrong with a study's inputs and what is missing, without computing anything."""
    from sy_coverage.study import read_config
    from sy_coverage.study.check import check as check_study
    from sy_coverage.study.config.form import refresh_form

    console = Console()
    refresh_form(*workbook_beside(study_file, read_config(study_file).boundaries.units))
    report = check_study(study_file, databases=databases)
    for line in report.facts:
        console.print(escape(line), soft_wrap=True)
    screen.say(console, report.reading)
    for line in report.remarks:
        console.print(f"[yellow]{escape(line)}[/yellow]", soft_wrap=True)
    for line in report.errors:
        console.print(f"[red]{escape(line)}[/red]", soft_wrap=True)
    console.print(escape(report.verdict), soft_wrap=True)
    if report.errors:
        raise typer.Exit(2)


def geocode(
    study_file: StudyFile,
    out: Out = None,
    offline: Offline = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only count the requests each map service would get.")
    ] = False,
    refresh: Annotated[
        bool,
        typer.Option("--refresh", help="Ask everything again and list what changed; nothing is replaced."),
    ] = False,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="With --refresh: use the new answers from now on.")
    ] = False,
) -> None:
    """Give every row of the lists a point, or the reason why it has none, and list what to verify."""
    from sy_coverage.study import read_config, read_study
    from sy_coverage.study.results.lists import located as locating
    from sy_coverage.study.results.lists import rows as lists

    if adopt and not refresh:
        raise typer.BadParameter("needs --refresh", param_hint="--adopt")
    if refresh and offline:
        raise typer.BadParameter("asks map services; leave out --offline", param_hint="--refresh")
    console = Console()
    language = read_config(study_file).study.language
    with ExitStack() as held:
        with screen.interruptible(language), screen.bars(console, language) as progress:
            study = read_study(study_file, offline=offline, progress=progress).answers
            folder = out or Path(study.path(study.config.study.output))
            if not dry_run:
                held.enter_context(_files.locked(folder))
            if not refresh:
                screen.say(console, locating.request_sentences(study, locating.requests(study)))
            if dry_run:
                return
            fresh, changes = locating.refreshed(study) if refresh else (study, None)
            located = locating.locate(fresh)
        if changes is not None:
            paths = lists.write(folder, {"changes.csv": lists.as_csv(changes, language)})
            screen.say(console, locating.change_sentences(study, changes, paths[0], adopted=adopt))
            if not adopt:
                return
            locating.adopt(study)
        paths = locating.write(study, located, folder)
        screen.say(console, [*locating.sentences(study, located), *map(str, paths)])
        if located.not_asked:
            screen.say(Console(stderr=True), locating.not_asked_sentences(study, located))
            raise typer.Exit(69)


def roads(
    study_file: StudyFile,
    out: Out = None,
    offline: Annotated[
        bool,
        typer.Option(
            "--offline", help="Let nothing leave this machine; use what OpenStreetMap answered before."
        ),
    ] = False,
    refresh: Annotated[
        bool,
        typer.Option(
            "--refresh", help="Ask OpenStreetMap again, say what changed, and use the new roads from now on."
        ),
    ] = False,
    observed: Annotated[
        Path | None,
        typer.Option(
            "--observed",
            help="A table of observed times (from_lon, from_lat, to_lon, to_lat, minutes): fit the speeds to them.",
        ),
    ] = None,
) -> None:
    """Read the roads, say what they are and what was assumed, and save them: roads.network can be a study's source."""
    from sy_coverage.study import read_config, read_study
    from sy_coverage.study.results.lists import roads as network
    from sy_coverage.study.results.lists.fit import calibrated

    if refresh and offline:
        raise typer.BadParameter("asks OpenStreetMap; leave out --offline", param_hint="--refresh")
    console = Console()
    language = read_config(study_file).study.language
    changed: list[str] = []
    with screen.interruptible(language), screen.bars(console, language) as progress:
        study = read_study(study_file, progress=progress, offline=offline).answers
        folder = out or Path(study.path(study.config.study.output))
        with _files.locked(folder):
            if refresh:
                study, sentence = network.refresh(study)
                changed.append(sentence)
            said = network.sentences(study)
            if observed is None:
                paths = network.write(study, folder)
            else:
                fitted = calibrated.calibrated(study, observed)
                said = calibrated.sentences(fitted, language)
                paths = calibrated.write(fitted, folder, language)
    screen.say(console, [*changed, *said, *map(str, paths)])


def coverage(
    study_file: StudyFile,
    out: Out = None,
    offline: Offline = False,
) -> None:
    """Say where every county stands today, in the officials' own indicator table; nothing is planned."""
    from sy_coverage.study import read_config, read_study
    from sy_coverage.study.results.lists import indicators
    from sy_coverage.study.results.lists import located as locating

    console = Console()
    language = read_config(study_file).study.language
    with screen.interruptible(language), screen.bars(console, language) as progress:
        study = read_study(study_file, progress=progress, offline=offline).answers
        folder = out or Path(study.path(study.config.study.output))
        with _files.locked(folder):
            table = indicators.indicators(study)
            paths = indicators.write(study, folder)
            located = locating.locate(study)
    shown = Table(title=escape(study.config.study.title))
    for column in table.columns:
        shown.add_column(escape(column), overflow="fold")
    for row in table.astype(object).where(table.notna(), "").itertuples(index=False):
        shown.add_row(*(escape(str(value)) for value in row))
    console.print(shown)
    screen.say(console, [*locating.sentences(study, located), *map(str, paths)])


def new(
    folder: Annotated[
        Path,
        typer.Argument(
            help="The folder of the new study: new, empty, or with its boundaries, roads and lists in it."
        ),
    ],
    language: Annotated[str, typer.Option(help="zh or en: the language of the tables' headers.")] = "zh",
) -> None:
    """Start a study: write a commented study.toml and empty tables to fill in."""
    from sy_coverage.study.config.new import new_study

    console = Console()
    for path in new_study(folder, language=language_named(language)):
        console.print(escape(str(path)), soft_wrap=True)
