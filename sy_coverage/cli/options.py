"""Name the words that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sy_coverage.labels import Language

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
Offline = Annotated[
    bool,
    typer.Option(
        "--offline",
        help="Let nothing leave this machine: ask no map service and no database; use what was answered before.",
    ),
]


def language_named(written: str) -> Language:
    """Return the language that an option says."""
    for language in LANGUAGES:
        if written == language:
            return language
    raise typer.BadParameter("must be zh or en", param_hint="--language")


def workbook_beside(study_file: Path, boundaries: str) -> tuple[Path, Path]:
    """Return the folder of a study, and its file of boundaries."""
    folder = study_file if study_file.is_dir() else study_file.parent
    return folder, folder / boundaries.partition("#")[0]
