"""Commands about plans that are there: how an adopted one is carried out, and a second proof of what they cost."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from sy_coverage import _files
from sy_coverage.cli import screen
from sy_coverage.cli.options import County, Out, StudyFile  # noqa: TC001  typer reads them


def works(
    study_file: StudyFile,
    works_file: Annotated[
        Path,
        typer.Argument(
            help="The adopted sites with the quarter of every milestone (立项, 开工, 竣工, 运营)."
        ),
    ],
    on: Annotated[
        dt.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The day on which the list is true: today."),
    ] = None,
    out: Out = None,
) -> None:
    """Say where an adopted plan stands against its years and targets, what slips, and how to mend it with the fewest changes."""
    from sy_coverage.outputs.text import words
    from sy_coverage.study import read_config, read_study
    from sy_coverage.study.plans import works as adopted

    console, language = Console(), read_config(study_file).study.language
    with screen.interruptible(language), screen.bars(console, language) as progress:
        study = read_study(study_file, progress=progress)
        day = (on or dt.datetime.now().astimezone()).date()
        found = adopted.county_works(study.answers.case, str(works_file), on=day)
        names = {**study.counties, **dict(study.candidates["name"].dropna())}
        folder = out or Path(study.path(study.config.study.output))
        table = adopted.table(found, language)
        with _files.locked(folder) as held:
            held.write("works.csv", table.to_csv().encode("utf-8-sig"))
    money = words.money(study.policy, language)
    screen.say(
        console, [*adopted.sentences(found, language, names=names, money=money), str(folder / "works.csv")]
    )
    if any(one.repaired is not None for one in found.values()):
        raise typer.Exit(1)


def certify(
    study_file: StudyFile,
    county: County = None,
    out: Out = None,
    time_limit: Annotated[float, typer.Option(help="Seconds for the proof of one plan.")] = 60.0,
) -> None:
    """Prove the least cost of every plan a second time, in exact arithmetic that trusts no solver, and write every step down."""
    from sy_coverage.study import read_config, read_study
    from sy_coverage.study.plans import proofs

    console, language = Console(), read_config(study_file).study.language
    with screen.interruptible(language), screen.bars(console, language) as progress:
        study = read_study(study_file, progress=progress)
        study = study.only(county) if county else study
        found = proofs.second_proofs(study.plans, time_limit_s=time_limit)
        folder = out or Path(study.path(study.config.study.output))
        with _files.locked(folder) as held:
            held.write("certificates.json", proofs.as_json(found))
    screen.say(
        console, [*proofs.sentences(found, language, names=study.counties), str(folder / "certificates.json")]
    )
    if not all(one.proved for one in found.values()):
        raise typer.Exit(1)
