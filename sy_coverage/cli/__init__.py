"""Speak the command line: words, progress bars and exit codes; no logic."""

from __future__ import annotations

import os
import sys
from datetime import datetime  # noqa: TC003  typer reads it
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sy_coverage import _files, labels
from sy_coverage.cli import adopted, inputs, screen, spoken
from sy_coverage.cli.options import (
    LANGUAGES,
    County,
    Out,
    Scheduler,
    StudyFile,
    Workers,
    language_named,
    workbook_beside,
)
from sy_coverage.errors import CoverageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sy_coverage.labels import Language
    from sy_coverage.study import Study

app = typer.Typer(
    help="See where elder care is missing, decide where the next centres go, and prove that the plan meets the policy.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _crew(workers: int | None, scheduler: str | None = None) -> dict[str, Any]:
    """Return who works: the scheduler's workers, so many processes, or (nothing) this process alone."""
    if scheduler is not None:
        return {"scheduler": scheduler, "workers": workers}
    workers = min(2, os.cpu_count() or 1) if workers is None else workers
    return {} if workers == 1 else {"workers": workers}


def _run(
    open_study: Callable[[Any], Study],
    out: Path | None,
    counties: list[str] | None,
    language: Language,
    **crew: Any,
) -> None:
    console = Console()
    failed: Mapping[str, str] = {}
    with screen.interruptible(language), screen.bars(console, language) as progress:
        study = open_study(progress)
        screen.say_changed(console, study, out)
        counties = [study.county_id(named) for named in counties] if counties else None
        study = study.only(counties) if counties else study
        if crew:
            from sy_coverage import counties as many

            outcome = many.run(study, out, counties=counties or None, **crew)
            folder, failed = outcome.folder, outcome.failed
        else:
            folder = study.save(out, counties=tuple(counties) if counties else None)
    for county_id, reason in failed.items():
        Console(stderr=True).print(f"[red]{escape(county_id)}: {escape(reason)}[/red]", soft_wrap=True)
    screen.finish(console, study, folder, counties)
    if failed:
        raise typer.Exit(1)


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", help="The folder to write to.")] = Path("out"),
    language: Annotated[str, typer.Option(help="zh or en: the language of tables, maps and reports.")] = "zh",
    workers: Workers = None,
) -> None:
    """Run the main job on the shipped Shaoyang sample: coverage, a proved plan for every county, maps and proposals."""
    from sy_coverage.study import sample_study

    spoken = language_named(language)
    open_study = partial(sample_study, language=spoken)
    _run(lambda progress: open_study(progress=progress), out, None, spoken, **_crew(workers))


@app.command()
def run(
    study_file: StudyFile,
    out: Out = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    by_county: Annotated[
        bool,
        typer.Option(
            "--by-county",
            help="Work out every county by itself, with its own roads: for a province, whose counties fit into no memory together.",
        ),
    ] = False,
) -> None:
    """Run a study: read, measure, plan every county, and write everything."""
    from sy_coverage.study import read_config, read_study
    from sy_coverage.study.config.form import refresh_form

    config = read_config(study_file)
    language = config.study.language
    refresh_form(*workbook_beside(study_file, config.boundaries.units))
    if by_county:
        _run_by_county(study_file, out, language, workers=workers, scheduler=scheduler)
        return
    crew = _crew(workers, scheduler)
    _run(lambda progress: read_study(study_file, progress=progress), out, None, language, **crew)


def _run_by_county(study_file: Path, out: Path | None, language: Language, **crew: Any) -> None:
    from sy_coverage import counties as many
    from sy_coverage.study import read_study

    console = Console()
    with screen.interruptible(language), screen.bars(console, language) as progress:
        study = read_study(study_file, progress=progress)
        screen.say_changed(console, study, out)
        outcome = many.run(study, out, by_county=True, **crew)
    if outcome.kept:
        screen.say(console, [study.words("study.counties_kept", count=len(outcome.kept))])
    for county_id, reason in outcome.failed.items():
        Console(stderr=True).print(f"[red]{escape(county_id)}: {escape(reason)}[/red]", soft_wrap=True)
    screen.say_files(console, study, outcome.folder)
    if outcome.failed:
        raise typer.Exit(1)


@app.command()
def propose(
    study_file: StudyFile,
    county: County = None,
    out: Out = None,
    workers: Workers = None,
    choice: Annotated[
        Path | None,
        typer.Option(
            "--choice", help="A choice that a county's map handed over (.json): planned and certified."
        ),
    ] = None,
) -> None:
    """Write the proposals and maps of some or all counties, as the study asks or as a choice made on a map does."""
    from sy_coverage.study import read_config, read_study
    from sy_coverage.study.config.changes import read_scenario

    language = read_config(study_file).study.language
    scenario = None if choice is None else read_scenario(choice)
    if workers is None and len(set(county or ())) == 1:
        workers = 1  # one county is done before other processes have begun

    def open_study(progress: Any) -> Study:
        study = read_study(study_file, progress=progress)
        return study if scenario is None else study.what_if(scenario)

    _run(open_study, out, county, language, **_crew(workers))


@app.command()
def compare(study_file: StudyFile, county: County = None, out: Out = None) -> None:
    """Set the scenarios of a study, its sections what_if, side by side: a table, maps, and a short document."""
    from sy_coverage.study import read_config, read_study
    from sy_coverage.study.results import scenarios

    console = Console()
    language = read_config(study_file).study.language
    with screen.interruptible(language), screen.bars(console, language) as progress:
        study = read_study(study_file, progress=progress)
        study = study.only(county) if county else study
        folder = out or Path(study.path(study.config.study.output))
        with _files.locked(folder):
            comparison = scenarios.compared(study.answers)
            paths = scenarios.write(comparison, folder)
    shown = Table(title=escape(study.config.study.title))
    spoken = scenarios.spoken(comparison)
    for column in spoken.columns:
        shown.add_column(escape(column), overflow="fold")
    for row in spoken.itertuples(index=False):
        shown.add_row(*(escape(value) for value in row))
    console.print(shown)
    screen.say(console, [str(path) for path in paths])


Results = Annotated[Path, typer.Argument(help="The folder of results that `run` wrote.")]
Beside = Annotated[Path | None, typer.Option("--out", help="Another folder to write to (default: RESULTS).")]
Approval = Annotated[
    str | None, typer.Option("--approval-number", help="The map approval number, once it is had.")
]


@app.command(name="map")
def draw_maps(
    results: Results,
    county: County = None,
    out: Beside = None,
    base_map: Annotated[str | None, typer.Option(help="tianditu, osm or gaode: an online base map.")] = None,
    approval_number: Approval = None,
) -> None:
    """Draw the maps of a run again, of all or some counties, without computing anything."""
    from sy_coverage.study.results import again

    if base_map is not None and base_map not in {"tianditu", "osm", "gaode"}:
        raise typer.BadParameter("must be tianditu, osm or gaode", param_hint="--base-map")
    makers = (again.map_files, again.part_map_files)
    _again(makers, results, county, out, base_map=base_map, approval_number=approval_number)


@app.command()
def report(
    results: Results,
    county: County = None,
    out: Beside = None,
    office: Annotated[str | None, typer.Option(help="Who signs the proposals.")] = None,
    issued: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The date under them.")
    ] = None,
    approval_number: Approval = None,
) -> None:
    """Write the proposals, summary, scorecard and figures of a run again, without computing anything."""
    from sy_coverage.study.results import again

    day = None if issued is None else issued.date()
    makers = (again.report_files, again.part_report_files)
    _again(makers, results, county, out, office=office, issued=day, approval_number=approval_number)
    if approval_number is not None:
        language = again.read_findings(results).language
        screen.say(Console(), [labels.text("study.maps_keep_their_number", language)])


@app.command("check-document")
def check_document(
    document: Annotated[Path, typer.Argument(help="A proposal as .docx that somebody has edited.")],
    results: Annotated[Path, typer.Option(help="The folder of results that it was made from.")] = Path("out"),
) -> None:
    """List every figure and name of an edited proposal that no longer agrees with the results; ends with 1 if there are any."""
    from sy_coverage import _files
    from sy_coverage.outputs.reports import edited
    from sy_coverage.study.results import again

    findings, console = again.read_findings(results), Console()
    wrong = edited.disagreements(findings, _files.read_bytes(document), file=str(document))
    screen.say(
        console,
        [
            labels.text(
                "study.document_differs" if row.written else "study.document_lacks",
                findings.language,
                figure=row.fact_id,
                written=row.written,
                expected=row.expected or "—",
            )
            for row in wrong
        ]
        or [labels.text("study.document_agrees", findings.language)],
    )
    if wrong:
        raise typer.Exit(1)


def _again(makers: Any, results: Path, county: list[str] | None, out: Path | None, **given: Any) -> None:
    from sy_coverage.outputs import store
    from sy_coverage.study.results import again

    console = Console()
    of_whole, of_part = makers
    files: Iterable[Any]
    if store.has_folder(results):
        index = store.read_index(results)
        # one part after another: no more of them is ever held than one
        parts = again.read_parts(results, tuple(county or ()))
        files = (file for part in parts for file in of_part(again.changed(part, **given)))
        language, total = again.read_findings(results).language, len(county or index.parts)
    else:
        findings = again.changed(again.read_findings(results), **given)
        every = of_whole(findings, tuple(county or ()))
        files, language, total = every, findings.language, len(every)
    with screen.interruptible(language), screen.bars(console, language) as progress:
        paths = again.write(files, results, out, progress=progress, total=total)
    screen.say(console, [str(path) for path in paths])


@app.command()
def desk(
    folder: Annotated[Path, typer.Argument(help="The folder of the study; it is made if need be.")] = Path(),
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where to listen on 127.0.0.1 (0: any free port).")
    ] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the link in the browser.")
    ] = True,
) -> None:
    """Open the desk: a page on this machine that walks from materials to proposals, without a command."""
    from sy_coverage.desk import serve, write_launchers

    console = Console()
    _files.make_folder(folder)
    write_launchers(folder)
    serve(
        folder, port=port, browser=browser, say=lambda link: console.print(link, soft_wrap=True, markup=False)
    )


for command in (
    adopted.works,
    adopted.certify,
    inputs.check,
    inputs.geocode,
    inputs.roads,
    inputs.coverage,
    inputs.new,
):
    app.command()(command)


def _language_asked(arguments: list[str]) -> Language:
    """Return the language of the option or of the study file among `arguments`; Chinese where neither says."""
    from sy_coverage.study.config.file import language_of

    for option, value in pairwise(arguments):
        for language in LANGUAGES:
            if (option, value) == ("--language", language):
                return language
    return next((language_of(path) for path in arguments if path.endswith(".toml")), "zh")


def main() -> None:
    """Run the command line; an error of ours becomes one sentence on stderr and its exit code, never a traceback."""
    errors = Console(stderr=True)
    command = typer.main.get_command(app)
    spoken.speak(command, spoken.help_language(sys.argv, os.environ))
    sys.argv = spoken.without_language(sys.argv)
    try:
        command()
    except CoverageError as error:
        said = labels.sentence(error, _language_asked(sys.argv))
        errors.print(f"[red]{escape(said)}[/red]", soft_wrap=True)
        sys.exit(error.exit_code)


def propose_sites() -> None:
    """Run `propose` alone, for scripts/propose_sites.py."""
    sys.argv.insert(1, "propose")
    main()
