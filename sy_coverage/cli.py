"""Speak the command line: words, progress bars and exit codes; no logic."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from datetime import datetime  # noqa: TC003  typer reads it
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sy_coverage import _files, _screen, labels
from sy_coverage.errors import CoverageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sy_coverage.labels import Language
    from sy_coverage.study import Study

app = typer.Typer(
    help="See where elder care is missing, decide where the next centres go, and prove that the plan meets the policy.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

LANGUAGES: tuple[Language, ...] = ("zh", "en")

StudyFile = Annotated[Path, typer.Argument(help="The study file, such as study.toml.")]
Out = Annotated[Path | None, typer.Option("--out", help="The folder to write to (default: the study's own).")]
County = Annotated[
    list[str] | None,
    typer.Option("--county", help="Code or name of a county, such as 430524; give it again for more."),
]

Workers = Annotated[
    int | None,
    typer.Option(
        "--workers", help="Plan counties on so many processes of this machine (2 where it has two cores)."
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option("--scheduler", help="Plan counties on the workers of a Dask scheduler: tcp://host:port."),
]


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
    with _screen.interruptible(language), _screen.bars(console, language) as progress:
        study = open_study(progress)
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
    _screen.finish(console, study, folder, counties)
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

    spoken = _language(language)
    open_study = partial(sample_study, language=spoken)
    _run(lambda progress: open_study(progress=progress), out, None, spoken, **_crew(workers))


def _language(written: str) -> Language:
    for language in LANGUAGES:
        if written == language:
            return language
    raise typer.BadParameter("must be zh or en", param_hint="--language")


@app.command()
def run(study_file: StudyFile, out: Out = None, workers: Workers = None, scheduler: Scheduler = None) -> None:
    """Run a study: read, measure, plan every county, and write everything."""
    from sy_coverage.study import read_config, read_study
    from sy_coverage.study.config.form import refresh_form

    config = read_config(study_file)
    language = config.study.language
    refresh_form(*_workbook_beside(study_file, config.boundaries.units))
    crew = _crew(workers, scheduler)
    _run(lambda progress: read_study(study_file, progress=progress), out, None, language, **crew)


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
    """Set the scenarios of a study, its sections [what_if."…"], side by side: a table, maps, and a short document."""
    from sy_coverage.study import read_config, read_study
    from sy_coverage.study.results import scenarios

    console = Console()
    language = read_config(study_file).study.language
    with _screen.interruptible(language), _screen.bars(console, language) as progress:
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
    _screen.say(console, [str(path) for path in paths])


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
    _again(again.map_files, results, county, out, base_map=base_map, approval_number=approval_number)


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
    _again(
        again.report_files, results, county, out, office=office, issued=day, approval_number=approval_number
    )
    if approval_number is not None:
        language = again.read_findings(results).language
        _screen.say(Console(), [labels.text("study.maps_keep_their_number", language)])


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
    _screen.say(
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


def _again(make: Any, results: Path, county: list[str] | None, out: Path | None, **given: Any) -> None:
    from sy_coverage.study.results import again

    console = Console()
    findings = again.changed(again.read_findings(results), **given)
    with _screen.interruptible(findings.language), _screen.bars(console, findings.language) as progress:
        files = make(findings, tuple(county or ()))
        paths = again.write(files, results, out, progress=progress)
    _screen.say(console, [str(path) for path in paths])


def _workbook_beside(study_file: Path, boundaries: str) -> tuple[Path, Path]:
    """Return the folder of a study, and its file of boundaries."""
    folder = study_file if study_file.is_dir() else study_file.parent
    return folder, folder / boundaries.partition("#")[0]


@app.command()
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
    refresh_form(*_workbook_beside(study_file, read_config(study_file).boundaries.units))
    report = check_study(study_file, databases=databases)
    for line in report.facts:
        console.print(escape(line), soft_wrap=True)
    _screen.say(console, report.reading)
    for line in report.remarks:
        console.print(f"[yellow]{escape(line)}[/yellow]", soft_wrap=True)
    for line in report.errors:
        console.print(f"[red]{escape(line)}[/red]", soft_wrap=True)
    console.print(escape(report.verdict), soft_wrap=True)
    if report.errors:
        raise typer.Exit(2)


@app.command()
def geocode(
    study_file: StudyFile,
    out: Out = None,
    offline: Annotated[
        bool,
        typer.Option(
            "--offline",
            help="Let nothing leave this machine: ask no map service and no database; use what was answered before.",
        ),
    ] = False,
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
        with _screen.interruptible(language), _screen.bars(console, language) as progress:
            study = read_study(study_file, offline=offline, progress=progress).answers
            folder = out or Path(study.path(study.config.study.output))
            if not dry_run:
                held.enter_context(_files.locked(folder))
            if not refresh:
                _screen.say(console, locating.request_sentences(study, locating.requests(study)))
            if dry_run:
                return
            fresh, changes = locating.refreshed(study) if refresh else (study, None)
            located = locating.locate(fresh)
        if changes is not None:
            paths = lists.write(folder, {"changes.csv": lists.as_csv(changes, language)})
            _screen.say(console, locating.change_sentences(study, changes, paths[0], adopted=adopt))
            if not adopt:
                return
            locating.adopt(study)
        paths = locating.write(study, located, folder)
        _screen.say(console, [*locating.sentences(study, located), *map(str, paths)])
        if located.not_asked:
            _screen.say(Console(stderr=True), locating.not_asked_sentences(study, located))
            raise typer.Exit(69)


@app.command()
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
    from sy_coverage.study.results.lists import calibrated
    from sy_coverage.study.results.lists import roads as network

    if refresh and offline:
        raise typer.BadParameter("asks OpenStreetMap; leave out --offline", param_hint="--refresh")
    console = Console()
    language = read_config(study_file).study.language
    changed: list[str] = []
    with _screen.interruptible(language), _screen.bars(console, language) as progress:
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
                paths = calibrated.write(fitted, folder)
    _screen.say(console, [*changed, *said, *map(str, paths)])


@app.command()
def coverage(
    study_file: StudyFile,
    out: Out = None,
    offline: Annotated[
        bool,
        typer.Option(
            "--offline",
            help="Let nothing leave this machine: ask no map service and no database; use what was answered before.",
        ),
    ] = False,
) -> None:
    """Say where every county stands today, in the officials' own indicator table; nothing is planned."""
    from sy_coverage.study import read_config, read_study
    from sy_coverage.study.results.lists import indicators
    from sy_coverage.study.results.lists import located as locating

    console = Console()
    language = read_config(study_file).study.language
    with _screen.interruptible(language), _screen.bars(console, language) as progress:
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
    _screen.say(console, [*locating.sentences(study, located), *map(str, paths)])


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
    folder.mkdir(parents=True, exist_ok=True)
    write_launchers(folder)
    serve(
        folder, port=port, browser=browser, say=lambda link: console.print(link, soft_wrap=True, markup=False)
    )


@app.command()
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
    for path in new_study(folder, language=_language(language)):
        console.print(escape(str(path)), soft_wrap=True)


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
    try:
        app()
    except CoverageError as error:
        said = labels.sentence(error, _language_asked(sys.argv))
        errors.print(f"[red]{escape(said)}[/red]", soft_wrap=True)
        sys.exit(error.exit_code)


def propose_sites() -> None:
    """Run `propose` alone, for scripts/propose_sites.py."""
    sys.argv.insert(1, "propose")
    main()
