"""Set the scenarios of a study side by side: a table, the sites, a map of each, and a short document."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from sy_coverage import _files, labels
from sy_coverage.errors import ConfigError
from sy_coverage.outputs import maps, reports
from sy_coverage.outputs.reports import document as parts
from sy_coverage.outputs.text import format as fmt
from sy_coverage.study.config.changes import with_scenario
from sy_coverage.study.results import gather

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pandas import DataFrame

    from sy_coverage.study.answers import Answers

FOLDER = "comparison"
_WORST = ("optimal", "feasible", "infeasible", "no_answer")
FIGURES = (
    "sites", "cost", "elders_covered", "minutes", "units_covered", "targets_met", "targets_missed", "shared", "dropped", "added",
)  # fmt: skip
_SITE = ["name", "kind", "unit_id", "county_id", "cost"]


@dataclass(frozen=True)
class Comparison:
    """What each scenario comes to, the study as it is first."""

    studies: Mapping[str, Answers]
    """By name; the first is the study as it is."""
    figures: DataFrame
    """Indexed by `scenario`: `status`, and `FIGURES`: of sites `shared` with the study as it is, `dropped` and `added`; `minutes` is the
    mean way of an elder to the nearest centre."""
    sites: DataFrame
    """Indexed by `site_id`: `name`, `kind`, `unit_id`, `county_id`, `cost`, and for each scenario whether it opens the site."""


def compared(study: Answers) -> Comparison:
    """Return the plans of the study and of each of its scenarios side by side.

    Raises
    ------
    ConfigError
        If the study file names no scenario.
    """
    config = study.config
    if not config.what_if:
        raise ConfigError('compare: the study names no scenario; write sections [what_if."…"] in its file')
    base = labels.text("study.compare_base", config.study.language)
    studies = {base: study}
    for name, scenario in config.what_if.items():
        studies[name] = study.heir(config=with_scenario(config, scenario))
    opened = {name: set(answers.chosen) for name, answers in studies.items()}
    rows = [_figures(answers, opened[name], opened[base]) for name, answers in studies.items()]
    every = pd.concat(
        [answers.candidates.loc[sorted(opened[name]), _SITE] for name, answers in studies.items()]
    )
    sites = pd.DataFrame(every[~every.index.duplicated()]).sort_index().rename_axis("site_id")
    for name in studies:
        sites[name] = sites.index.isin(opened[name])
    return Comparison(studies, pd.DataFrame(rows, index=pd.Index(list(studies), name="scenario")), sites)


def _figures(study: Answers, opened: set[str], base: set[str]) -> dict[str, Any]:
    by_unit, met = study.coverage_planned, study.scorecard["met_planned"].astype("boolean")
    reached = by_unit["nearest_mean_min"].notna()
    weights = by_unit.loc[reached, "elders"] - by_unit.loc[reached, "elders_unreached"].fillna(0.0)
    minutes = (by_unit.loc[reached, "nearest_mean_min"] * weights).sum() / max(weights.sum(), 1)
    return {
        "status": max((plan.status for plan in study.distinct_plans), key=_WORST.index),
        "sites": len(opened),
        "cost": float(study.candidates.loc[sorted(opened), "cost"].sum()),
        "elders_covered": float(by_unit["elders_covered"].sum()),
        "minutes": round(float(minutes), 1),
        "units_covered": int(by_unit["covered"].fillna(value=False).sum()),
        "targets_met": int(met.fillna(value=False).sum()),
        "targets_missed": int(met.eq(other=False).fillna(value=False).sum()),
        "shared": len(opened & base),
        "dropped": len(base - opened),
        "added": len(opened - base),
    }


def told(comparison: Comparison) -> Comparison:
    """Return a comparison as the edition of its study tells it: in public no cost, and no site that the study as it is does not open."""
    base, study = next(iter(comparison.studies.items()))
    if study.config.outputs.edition == "internal":
        return comparison
    sites = comparison.sites
    return replace(
        comparison,
        figures=comparison.figures.drop(columns="cost"),
        sites=sites[sites[base]].drop(columns="cost"),
    )


def files(comparison: Comparison) -> dict[str, bytes]:
    """Return the files of a comparison by path: tables, a map of each scenario beside the study as it is, and the document.

    The public edition has no maps: what a scenario opens besides was not chosen.
    """
    comparison = told(comparison)
    studies = list(comparison.studies.items())
    (base, study), others = studies[0], studies[1:]
    document = _document(comparison, study)
    made = {
        f"{FOLDER}/comparison.csv": _csv(comparison.figures.reset_index(), study),
        f"{FOLDER}/sites.csv": _csv(_spoken_sites(comparison, study), study),
        f"{FOLDER}/comparison.html": reports.html(document).encode(),
        f"{FOLDER}/comparison.docx": reports.docx(document),
    }
    if study.config.outputs.edition == "public":
        return made
    found = gather.findings(study)
    for n, (name, other) in enumerate(others, start=1):
        drawn = maps.draw(found, beside=gather.findings(other), names=(base, name))
        made[f"{FOLDER}/map-{n}.html"] = drawn.html().encode()
    return made


def write(comparison: Comparison, folder: Path) -> list[Path]:
    """Write a comparison into `folder` and return the paths of its files."""
    with _files.locked(folder) as held:
        made = files(comparison)
        for path, content in made.items():
            held.write(path, content)
    return [folder / path for path in made]


def spoken(comparison: Comparison) -> DataFrame:
    """Return the figures of a comparison as text, under headers in the study's language."""
    study = next(iter(comparison.studies.values()))
    table = told(comparison).figures.reset_index()
    said = [[_text(value, study) for value in row] for row in table.itertuples(index=False)]
    return pd.DataFrame(said, columns=[_head(str(column), study) for column in table.columns])


def _spoken_sites(comparison: Comparison, study: Answers) -> DataFrame:
    sites = comparison.sites.reset_index()
    language = study.config.study.language
    kinds = {kind: labels.pick(declared.name, language) for kind, declared in study.policy.kinds.items()}
    yes = study.words("study.compare_opened")
    for name in comparison.studies:
        sites[name] = [yes if is_open else "" for is_open in sites[name]]
    return sites.assign(
        kind=sites["kind"].map(kinds),
        unit_id=sites["unit_id"].map(study.units["name"].to_dict()),
        county_id=sites["county_id"].map(dict(study.counties)),
    )


def _head(column: str, study: Answers) -> str:
    key = f"study.compare_{'sites_count' if column == 'sites' else column}"
    return study.words(key) if key in labels.catalogue() else column


def _csv(table: DataFrame, study: Answers) -> bytes:
    out = io.StringIO()
    write_row = csv.writer(out, lineterminator="\r\n").writerow
    write_row([fmt.inert(_head(str(column), study)) for column in table.columns])
    for row in table.itertuples(index=False):
        write_row([_text(value, study) for value in row])
    return out.getvalue().encode("utf-8-sig")


def _text(value: Any, study: Answers) -> str:
    if isinstance(value, str):
        return fmt.inert(study.words(f"study.status_{value}") if value in _WORST else value)
    number = float(value)
    return str(int(number)) if number.is_integer() else f"{number:g}"


def _document(comparison: Comparison, study: Answers) -> parts.Document:
    about, words = study.config.study, study.words
    head = ("scenario", "status", *(c for c in FIGURES if c in comparison.figures.columns))
    rows = [
        [name, *(row[column] for column in head[1:])]
        for name, row in comparison.figures.to_dict("index").items()
    ]
    sites = _spoken_sites(comparison, study)
    date = about.issued or about.date
    tables = [
        (words("study.compare_table"), [_head(c, study) for c in head], rows),
        (
            words("study.compare_sites"),
            [_head(str(c), study) for c in sites.columns],
            sites.to_numpy().tolist(),
        ),
    ]
    blocks: list[parts.Block] = [
        parts.Paragraph(words("study.compare_opening", count=len(comparison.studies) - 1))
    ]
    for caption, columns, lines in tables:
        said = tuple(tuple(_text(value, study) for value in line) for line in lines)
        count = len(columns)
        blocks.append(
            parts.Table(
                caption=caption,
                head=tuple(columns),
                align="l" + "r" * (count - 1),
                widths=(2.0, *[1.0] * (count - 1)),
                rows=said,
            )
        )
    return parts.Document(
        language=about.language,
        title=words("study.compare_title", name=about.title),
        subtitle="",
        notices=gather.findings(study).notices,
        blocks=tuple(blocks),
        office=about.office,
        date="" if about.issued is None else fmt.date(about.issued, about.language),
        as_of=fmt.date(about.date, about.language),
        author=about.office,
        day=date,
        closing=(),
    )
