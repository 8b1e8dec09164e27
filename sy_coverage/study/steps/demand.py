"""Say where a study's elders live: in villages, in the cells of a raster or in settled areas, to the sums of a census."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from sy_coverage import places
from sy_coverage._frames import DEMAND, checked
from sy_coverage.errors import ConfigError
from sy_coverage.places.people.by_name import ESTIMATED
from sy_coverage.places.sheets.doubts.doubtful import Doubt, doubts_frame, unanswered
from sy_coverage.places.sheets.tables import Report, ReportFrame
from sy_coverage.study.config.inputs.list_file import path_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from geopandas import GeoDataFrame

    from sy_coverage.places import Census
    from sy_coverage.study.config.inputs.demand import Demand
    from sy_coverage.study.steps.files import StudyFiles

CENSUS_OF = {"unit_id": "unit", "county_id": "county"}


def read_demand(
    given: Demand,
    files: StudyFiles,
    *,
    units: GeoDataFrame,
    target_year: int,
    answers: pd.DataFrame,
    spots: Callable[[], GeoDataFrame | None] = lambda: None,
) -> GeoDataFrame:
    """Return the demand points, each in a unit where one holds it; ``.attrs["report"]`` says what was done.

    Where a growth or a cohort table is stated, elders are those of `target_year`. Villages that a list gives by name only are
    placed, if no layer knows them, at `spots`, which are asked for only then.

    Raises
    ------
    CoverageError
        If a file cannot be read, a census does not fit the units, or the years do not fit the growth that is stated.
    """
    said = Report()
    census = None
    if given.census:
        census = places.read_census(
            files.path(given.census),
            units=units,
            columns=given.census_columns,
            limits=files.limits,
            answers=answers,
            strict=given.strict,
        )
    found = _points(given, files, units, census, answers, spots)
    asked = [found.attrs.pop("doubts", None), None if census is None else census.doubts]
    reports = [found.attrs.pop("report", None), None if census is None else census.report]
    if census is not None:
        if given.raster or given.settled or not given.strict:
            found = _with_empty_units(units, found, census, given.census, said, asked)
        found = _counted(found, census, given.census, said)
    elif given.raster:
        for column, share in sorted(given.shares.items()):
            found[column] = found["persons"] * share
            said.say(given.raster, "", "share_applied", column, f"{share:g}")
    found, of_cohorts = _projected(
        given, files, checked(found, DEMAND), said, units=units, target=target_year, answers=answers
    )
    asked.append(of_cohorts)
    reports.append(said.frame())
    found.attrs["report"] = ReportFrame(pd.concat([r for r in reports if r is not None], ignore_index=True))
    doubts = [pd.DataFrame(one) for one in asked if one is not None and len(one)]
    if doubts:
        found.attrs["doubts"] = ReportFrame(unanswered(pd.concat(doubts), answers))
    return found


def _points(
    given: Demand,
    files: StudyFiles,
    units: GeoDataFrame,
    census: Census | None,
    answers: pd.DataFrame,
    spots: Callable[[], GeoDataFrame | None],
) -> GeoDataFrame:
    """Return where people live, not yet counted by the census."""
    if given.raster:
        return places.read_raster(
            files.path(given.raster), units=units, cell_m=given.cell_m, band=given.band, nodata=given.nodata
        )
    if given.settled:
        return places.read_settled(
            files.path(given.settled),
            units=units,
            coordinate_system=given.coordinate_system,
            limits=files.limits,
        )
    if given.villages:
        villages = places.read_demand(
            files.lists(given.village_files),
            coordinate_system=given.coordinate_system,
            columns=given.columns,
            counted=census is None,
            limits=files.limits,
            units=units,
            answers=answers,
            strict=given.strict,
        )
        return _placed(villages, given, files, units, answers, spots)
    assert census is not None  # noqa: S101  (the config asks for one of them)
    if census.by == "county_id":
        raise ConfigError(
            "[demand]: a census by county does not say where in it people live; give villages, a raster or settled "
            "areas besides"
        )
    found = places.unit_points(units)
    found.attrs["report"] = ReportFrame(found.attrs["report"].assign(file=given.census))
    return found


def _village_file(given: Demand) -> str:
    return ", ".join(PurePath(path_of(one)).name for one in given.village_files)


def _placed(
    villages: GeoDataFrame,
    given: Demand,
    files: StudyFiles,
    units: GeoDataFrame,
    answers: pd.DataFrame,
    spots: Callable[[], GeoDataFrame | None],
) -> GeoDataFrame:
    """Return villages each with a point and, where one holds it, a unit; those given by name only are found by it or spread."""
    reports, asked = [villages.attrs.pop("report")], villages.attrs.pop("doubts")
    sources = villages.attrs.pop("sources")["source"]
    found = places.assign_units(villages, units)
    lost = _without_unit(found, units, sources)
    asked = pd.concat([pd.DataFrame(asked), unanswered(doubts_frame(lost), answers)])
    if found.geometry.isna().any():
        positions = None
        if given.positions:
            layer = places.read_demand(
                files.path(given.positions),
                coordinate_system=given.coordinate_system,
                counted=False,
                limits=files.limits,
                units=units,
            )
            reports.append(layer.attrs.pop("report"))
            layer.attrs.pop("doubts")
            layer.attrs.pop("sources")
            positions = places.assign_units(layer, units)
        found = places.placed_by_name(found, units, positions=positions, spots=spots())
        reports.append(found.attrs.pop("report").assign(file=_village_file(given)))
        # a village of no known unit stays without one, wherever it was put
        spread = found[found["position_quality"] == ESTIMATED]
        if len(spread):
            named = spread["unit_id"].map(units["name"]).fillna("—").value_counts(sort=False)
            one = Doubt(
                kind="villages_estimated",
                written=str(len(spread)),  # whichever units they are in
                list="demand",
                file=_village_file(given),
                subject="、".join(f"{unit} {count}" for unit, count in named.items()),
                value=str(len(spread)),
                field="positions",
            )
            asked = pd.concat([pd.DataFrame(asked), unanswered(doubts_frame([one]), answers)])
    found.attrs |= {
        "report": ReportFrame(pd.concat(reports, ignore_index=True)),
        "doubts": ReportFrame(asked),
    }
    return found


def _without_unit(found: GeoDataFrame, units: GeoDataFrame, sources: pd.Series) -> list[Doubt]:
    """Return a doubt for each village that no unit counts because of the unit that its row names."""
    rows = found[found["unit_id"].isna()].assign(source=sources)
    named = rows[rows["unit_named"].notna()] if "unit_named" in rows.columns else rows.iloc[:0]
    if named.empty:
        return []
    listed = places.doubts(named, units)
    names = named["name"].to_dict()
    asked = []
    for one in listed[
        listed["field"].isin(["unit_id"]) | (listed["doubt_id"] == "unit_unknown")
    ].itertuples():
        file, _, row = str(sources[one.row_id]).rpartition(" row ")
        path, _, sheet = file.partition("#")
        asked.append(
            Doubt(
                kind=one.doubt_id,
                list="demand",
                row_id=one.row_id,
                name=str(names[one.row_id] or ""),
                file=path,
                sheet=sheet,
                row=row,
                field="unit",
                written=str(named["unit_named"][one.row_id]),
                subject=one.subject,
                value=one.value,
                suggestion=one.suggestion,
            )
        )
    return asked


def _with_empty_units(
    units: GeoDataFrame,
    found: GeoDataFrame,
    census: Census,
    file: str,
    said: Report,
    asked: list[pd.DataFrame | None],
) -> GeoDataFrame:
    """Return places with one point more for each unit that has people in the census and no place; `asked` gains the question."""
    of_units = units.index.to_series() if census.by == "unit_id" else units["county_id"]
    lacking = units[of_units.isin(census.totals.index.difference(found[census.by]))]
    if lacking.empty:
        return found
    points = places.unit_points(lacking).to_crs(found.crs)
    # the only point of its unit has all of it, whatever its weight
    weights = [c for c in ("persons", "settled_m2") if c in found.columns]
    points[weights] = 1.0
    said.say(file, "", "units_as_points", "", len(points))
    names = "、".join(map(str, lacking["name"]))
    doubt = Doubt(
        kind="census_no_place", list="census", file=file, field="row", subject=names, value=str(len(points))
    )
    asked.append(doubts_frame([doubt]))
    return gpd.GeoDataFrame(
        pd.concat([found, points[[c for c in found.columns if c in points.columns]]]), crs=found.crs
    )


def _counted(found: GeoDataFrame, census: Census, file: str, said: Report) -> GeoDataFrame:
    """Return places with the census spread over them; those in no unit of it have none, and are counted."""
    found, column = places.by_census(found, census)
    outside = found.index[found["elders"].isna()]
    if len(outside):
        found[list(census.totals.columns)] = found[list(census.totals.columns)].fillna(0.0)
        said.say(file, "", "census_without", "", len(outside))
    for count, total in census.totals.sum().items():
        said.say(file, "", "census_spread", f"{count} {total:,.0f}", column)
    return found


def _projected(
    given: Demand,
    files: StudyFiles,
    found: GeoDataFrame,
    said: Report,
    *,
    units: GeoDataFrame,
    target: int,
    answers: pd.DataFrame,
) -> tuple[GeoDataFrame, pd.DataFrame | None]:
    """Return demand carried to the year `target`, where a growth or a cohort table is stated, and what is doubtful about it."""
    if given.growth is None and not given.cohorts:
        return found, None
    years = target - int(given.year or target)
    if years < 0:
        raise ConfigError(
            f"[demand] year = {given.year} is later than the study's date; nothing is projected back"
        )
    before, asked = found["elders"].sum(), None
    if given.cohorts:
        cohorts = places.read_cohorts(
            files.path(given.cohorts),
            units=units,
            limits=files.limits,
            answers=answers,
            strict=given.strict,
        )
        asked = cohorts.attrs["doubts"]
        found = places.project_cohorts(found, cohorts, years=years, strict=given.strict)
    else:
        rates: Any = given.growth
        found = places.project(found, years=years, growth=rates)
    source = given.cohorts or f"[demand] growth = {given.growth}"
    said.say(
        source, "", "projected", f"{given.year} → {target}", f"{before:,.0f} → {found['elders'].sum():,.0f}"
    )
    return found, asked
