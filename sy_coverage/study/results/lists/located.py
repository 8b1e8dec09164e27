"""Locate a study's rows: what would be asked, what was answered, what changed since, and every row in one list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from sy_coverage import _files, labels, places
from sy_coverage._fetch import Cache
from sy_coverage._frames import metric_crs
from sy_coverage.places.locating.providers import PROVIDERS, Provider
from sy_coverage.study.config.changes import changed
from sy_coverage.study.results.lists import reading, to_verify
from sy_coverage.study.results.lists import rows as lists
from sy_coverage.study.steps import locating

if TYPE_CHECKING:
    from pathlib import Path

    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.study.answers import Answers

MOVED_M = 1.0
"""An answer that moves a point by less has not changed."""
_ASKED = ("name", "address", "village", "unit_named", "county_named", "unit_id", "county_id")


def cache_path(study: Answers) -> Path:
    """Return where the answers of map services are kept."""
    return locating.cache_path(study.config.geocoding, study.files)


def asks_services(study: Answers) -> bool:
    """Return whether `study` names any map service."""
    return any(name in PROVIDERS for name in study.config.geocoding.sources)


def answers_digest(study: Answers) -> str | None:
    """Return what pins the answers of map services that `study` used, or None where it names no service."""
    return Cache(cache_path(study)).digest() if asks_services(study) else None


def requests(study: Answers) -> DataFrame:
    """Return what locating the rows of `study` would ask of each map service, without asking anything.

    Returns
    -------
    requests
        Indexed by service, in order: `rows` still open before it, `questions` (different addresses), `cached`,
        `requests` (at most: what an earlier service finds is not asked of a later one), `seconds` (at least).
    """
    frames = [study.given_facilities, study.given_candidates]
    # read before the study is copied, not once more by the copy
    study.demand  # noqa: B018
    offline = study.without_services()
    rows = pd.concat([_asked(frame) for frame in frames if frame is not None])
    table: dict[str, dict[str, int]] = {}
    given = study.config.geocoding
    taken: dict[str, Any] = {"units": offline.units, "accept": given.accept, "chosen": given.choose}
    for source in offline.location_sources:
        if isinstance(source, Provider):
            rows = places.geocode(rows, [], **taken)
            waiting = rows[rows["location_status"] != "located"]
            questions, asked = len(source.queries(waiting)), len(source.waiting(waiting))
            table[source.name] = {
                "rows": len(waiting),
                "questions": questions,
                "cached": questions - asked,
                "requests": asked,
                "seconds": int(np.ceil(max(asked - 1, 0) * source.pause_s)),
            }
        rows = places.geocode(rows, [source], **taken)
    columns = ["rows", "questions", "cached", "requests", "seconds"]
    return pd.DataFrame.from_dict(table, orient="index", columns=columns).rename_axis("service")


def _asked(frame: GeoDataFrame) -> GeoDataFrame:
    located = [c for c in frame.columns if c.startswith("locat")]
    return frame[[*(c for c in _ASKED if c in frame.columns), *located, "geometry"]]


@dataclass(frozen=True)
class Located:
    """Every row of a study's lists with where it is, or why that is not known."""

    rows: DataFrame
    """`lists.ROWS`, facilities first; ids are unique in each list."""
    doubts: DataFrame
    """`lists.DOUBTS`: one row for everything that somebody should verify, in facilities and candidates."""
    reading: DataFrame
    """`reading.READING`: what was read, assumed, fixed and left out."""

    not_asked: tuple[str, ...] = ()
    """Addresses that a map service would be asked for, were the network not forbidden; each once, sorted."""


def locate(study: Answers) -> Located:
    """Return every row of the facility and candidate lists of `study`, located as far as its sources know.

    Raises
    ------
    OfflineError, ServiceStoppedError
        If a map service cannot be asked or stops us; run again to go on from there.
    """
    frames = {"facilities": study.facility_rows}
    if study.config.candidates.files:
        frames["candidates"] = study.candidate_rows
    rows = pd.concat([lists.rows_of(study, name, frame) for name, frame in frames.items()], ignore_index=True)
    doubts = pd.concat([lists.doubts_of(study, name) for name in frames], ignore_index=True)
    waiting: set[str] = set()
    for source in study.location_sources if study.offline else ():
        if isinstance(source, Provider):
            for frame in frames.values():
                waiting.update(source.waiting(frame[frame["location_status"] != "located"]))
    return Located(rows, doubts, reading.lines_of(study)[list(reading.READING)], tuple(sorted(waiting)))


def write(study: Answers, located: Located, folder: Path) -> list[Path]:
    """Write the three lists as CSV into `folder` and return their paths."""
    language = study.config.study.language
    content = {
        "located.csv": lists.as_csv(lists.spoken_rows(located.rows, language), language),
        "to_verify.csv": lists.as_csv(located.doubts[list(lists.DOUBTS)], language),
        "reading.csv": lists.as_csv(located.reading, language),
        to_verify.file_name(study): to_verify.workbook(study),
    }
    return lists.write(folder, content)


def sentences(study: Answers, located: Located) -> list[str]:
    """Return in words how many rows were located, list by list, and how many doubts there are."""
    language = study.config.study.language
    said = []
    for name, rows in located.rows.groupby("frame", sort=False):
        counts = rows["location_status"].value_counts()
        parts = [
            study.words("places.said_count", status=study.words(f"places.status_{status}"), count=count)
            for status, count in sorted(counts.items(), key=lambda item: lists.STATUSES.index(item[0]))
        ]
        said.append(
            study.words(
                "places.said_rows",
                list=study.words(f"places.list_{name}"),
                rows=len(rows),
                counts=labels.joined(parts, language),
            )
        )
    said.append(study.words("places.said_doubts", count=len(located.doubts)))
    return said


def request_sentences(study: Answers, table: DataFrame) -> list[str]:
    """Return in words what would be asked of each service, and how many days its quota takes."""
    if table.empty or not table["requests"].sum():
        return [study.words("places.said_no_requests")]
    said = []
    for service, row in table.iterrows():
        name = study.words(f"places.by_{service}")
        said.append(study.words("places.said_requests", service=name, **row.to_dict()))
        quota = study.config.geocoding.daily_quota.get(str(service))  # type: ignore[call-overload]  # a name
        if quota and row["requests"] > quota:
            days = -(-int(row["requests"]) // quota)
            said.append(study.words("places.said_quota", service=name, quota=quota, days=days))
    return said


def not_asked_sentences(study: Answers, located: Located) -> list[str]:
    """Return in words which addresses wait for a network."""
    waiting = located.not_asked
    rows = labels.first(waiting, study.config.study.language)
    return [study.words("places.said_not_asked", count=len(waiting), rows=rows)]


def change_sentences(study: Answers, changes: DataFrame, path: Path, *, adopted: bool) -> list[str]:
    """Return in words what a refresh found, listed at `path`."""
    if changes.empty:
        return [study.words("places.said_unchanged")]
    key = "places.said_adopted" if adopted else "places.said_changes"
    return [study.words(key, count=len(changes), file=path)]


def fresh_path(study: Answers) -> Path:
    """Return where the answers of a refresh are kept until they are adopted."""
    path = cache_path(study)
    return path.with_name(f"{path.stem}.fresh{path.suffix}")


def refreshed(study: Answers) -> tuple[Answers, DataFrame]:
    """Return `study` with every address asked again, and the rows whose answer has changed since; nothing is replaced.

    Returns
    -------
    fresh
        The study with the new answers, which are kept at `fresh_path`: interrupted and run again, it goes on; once it came to
        its end, it asks everything anew.
    changes
        `lists.CHANGES`: one row for every row whose status changed or whose point moved.
    """
    path = fresh_path(study)
    if _files.is_there(path) and Cache(path).is_finished:
        _files.remove_database(path)
    fresh = study.heir(config=changed(study.config, {"geocoding": {"cache": str(path)}}))
    before = locate(study.without_services()).rows
    after = locate(fresh).rows
    Cache(path).finish()
    return fresh, _changes(study, before, after)


def _changes(study: Answers, before: DataFrame, after: DataFrame) -> DataFrame:
    crs = metric_crs(study.units)
    points = [
        gpd.GeoSeries(gpd.points_from_xy(rows["lon"], rows["lat"]), crs="EPSG:4326").to_crs(crs)
        for rows in (before, after)
    ]
    both = before["lon"].notna() & after["lon"].notna()
    moved = points[0].distance(points[1]).where(both)
    changed = (moved > MOVED_M) | (before["location_status"] != after["location_status"])
    language = study.config.study.language
    table = after[["frame", "id", "name", "address"]].copy()
    for name, rows in (("before", before), ("after", after)):
        table[name] = rows["location_status"].map(lambda s: labels.text(f"places.status_{s}", language))
        table[f"{name}_lon"], table[f"{name}_lat"] = rows["lon"], rows["lat"]
    table["moved_m"] = moved.round(0)
    table["frame"] = table["frame"].map(lambda name: labels.text(f"places.list_{name}", language))
    return table.loc[changed, list(lists.CHANGES)].reset_index(drop=True)


def adopt(study: Answers) -> None:
    """Take the answers of a refresh in the place of the old ones, all of them or none."""
    Cache(cache_path(study)).take_over(fresh_path(study))
    _files.remove_database(fresh_path(study))
