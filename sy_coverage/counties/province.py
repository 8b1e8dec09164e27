"""Run a study county by county where it is too large to be held at once: roads by tile, findings and files by county."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from sy_coverage import _files, coverage, roads
from sy_coverage._frames import metric_crs
from sy_coverage.counties.crew import Failed
from sy_coverage.counties.part import LISTS, TOKEN, WORK, Shared, Summary, clipped, work_out
from sy_coverage.counties.processes import local_crew
from sy_coverage.errors import (
    CannotWriteError,
    ConfigError,
    InputError,
    OfflineError,
    ServiceStoppedError,
    SolverError,
    some,
)
from sy_coverage.outputs import store
from sy_coverage.outputs.store.frames import written_frame
from sy_coverage.outputs.store.sound import ENDINGS, TAKEN
from sy_coverage.study.answers import Answers
from sy_coverage.study.answers.asked import ASKED
from sy_coverage.study.progress.job import Outcome
from sy_coverage.study.results import gather, unfinished
from sy_coverage.study.results.files import province_map, province_reports
from sy_coverage.study.results.save import DECIDING, write_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.counties.crew import Crew
    from sy_coverage.outputs.findings import Findings
    from sy_coverage.study.study import Study

_KINDS = {kind.exit_code: kind for kind in (SolverError, OfflineError, CannotWriteError, ServiceStoppedError)}
HALF_A_LOOK_M = 1_000.0
"""Roads so far beyond a county's border, and beyond how far people are brought to a road, are its own."""


@dataclass(frozen=True)
class Cut:
    """What is known of the roads once they are cut."""

    sources: DataFrame
    bounds: Mapping[str, tuple[float, ...]]
    """By county, the box of degrees around its roads."""


def run_by_county(study: Study, target: Path, crew: AbstractContextManager[Crew]) -> Outcome:
    """Work out every county by itself, each from its own inputs and roads, and what is said of all of them together.

    The roads are read once, by a process of their own, and cut into a network for each county with its surroundings. Workers
    read what they need and write their county's files and findings; this process holds summaries only. A county's plan is
    opened alone: what its neighbours plan does not count towards it. A run that was interrupted goes on: counties whose inputs
    are the same are not worked out again.

    Raises
    ------
    ConfigError
        If the study asks for what is decided over several counties at once.
    SolverError
        If every county failed.
    CannotWriteError
        If the folder cannot be written, or workers do not share it.
    """
    answers = study.answers
    _refuse_shared_choices(answers)
    _files.require_plain_names(answers.counties, "county_id", taken=TAKEN, endings=ENDINGS)
    with _files.locked(target) as held, unfinished.marked(answers, held):
        run_id = secrets.token_hex(16)
        held.write(TOKEN, run_id.encode())
        write_inputs(answers, held)
        shared = Shared(
            config=answers.config.model_copy(),
            folder=answers.folder,
            target=target.resolve(),
            run_id=run_id,
            policy=answers.policy,
            sources=pd.DataFrame(),
            digest=_digest(answers),
        )
        with answers.asked.progress("roads"):
            cut = _alone(cut_roads, (shared, answers.units, answers.gate))
        shared = replace(shared, sources=cut.sources)
        write_near(answers, held, cut.bounds)
        summaries, failed = _worked_out(answers, shared, crew)
        write_province(answers, held, summaries, failed)
        held.remove_folder(WORK)
    kept = tuple(sorted(c for c, summary in summaries.items() if summary.kept))
    return Outcome(folder=target, failed=dict(sorted(failed.items())), kept=kept)


def _refuse_shared_choices(answers: Answers) -> None:
    config = answers.config
    asked = {
        '[siting] scope = "city"': answers.policy.readings.scope == "city",
        "[siting] require": bool(config.siting.require),
        "[siting] forbid": bool(config.siting.forbid),
        "[facilities] close": bool(config.facilities.close),
        "[candidates] add": bool(config.candidates.add),
        "[candidates] osm": bool(config.candidates.osm),
        "[times] table": config.times.table is not None,
        "[phases]": bool(config.phases),
        "[what_if]": bool(config.what_if),
        "[study] database": bool(config.study.database),
    }
    given = [name for name, is_asked in asked.items() if is_asked]
    if given:
        raise ConfigError(
            f"a run county by county cannot heed {some(given)}, which looks at several counties at once; take it out, or run without --by-county"
        )


def _digest(answers: Answers) -> str:
    told = {
        "options": answers.config.model_dump(mode="json"),
        "policy": answers.policy.model_dump(mode="json"),
        "versions": {name: version(name) for name in ("sy-coverage", *DECIDING)},
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


# --- inputs -----------------------------------------------------------------------------------------------------------


def write_inputs(answers: Answers, held: _files.Folder) -> None:
    """Write of each county its own rows of every list; facilities follow, with those around it, once its roads are known."""
    frames = {"units": answers.units, "demand": answers.demand, "candidate_rows": answers.candidate_rows}
    if answers.given_candidates is None:
        del frames["candidate_rows"]
    for name, frame in frames.items():
        groups = dict(iter(frame.groupby("county_id", sort=False)))
        for county_id in answers.counties:
            _write(held, county_id, name, groups.get(county_id, frame.iloc[:0]))
    for county_id in answers.counties:
        _write(held, county_id, "office_answers", answers.office_answers)


def write_near(answers: Answers, held: _files.Folder, bounds: Mapping[str, tuple[float, ...]]) -> None:
    """Write of each county the facilities on its roads, whichever county they lie in, and what readers asked about its rows."""
    rows = answers.facility_rows
    x, y = rows.geometry.x, rows.geometry.y
    for county_id in answers.counties:
        west, south, east, north = bounds[county_id]
        near = (x >= west) & (x <= east) & (y >= south) & (y <= north)
        own = rows[near | (rows["county_id"] == county_id)]
        _write(held, county_id, "facility_rows", own)
        others = {
            "facilities": own.index,
            "candidates": _of_county(answers.candidate_rows, county_id).index,
            "demand": _of_county(answers.demand, county_id).index,
        }
        for name in LISTS:
            asked = answers.memory.reports.get(f"{ASKED}{name}")
            if asked is not None:
                _write(held, county_id, f"asked-{name}", asked[asked["row_id"].isin(others[name])])


def _of_county(frame: GeoDataFrame, county_id: str) -> GeoDataFrame:
    return frame[frame["county_id"] == county_id]


def _write(held: _files.Folder, county_id: str, name: str, frame: DataFrame) -> None:
    plain = frame.copy()
    plain.attrs = {}
    held.write(f"{WORK}/{county_id}/{name}.parquet", written_frame(plain))


def _alone(task: Any, given: object) -> Any:
    """Return what a task comes to in a process of its own, whose memory is given back."""
    with local_crew(1) as crew:
        for _, answer in crew.work(task, given, ["roads"]):
            if isinstance(answer, Failed):
                raise _KINDS.get(answer.exit_code, InputError)(answer.reason)
            return answer
    raise SolverError("the roads could not be read")


def cut_roads(given: tuple[Shared, GeoDataFrame, _files.Gate], _key: str) -> Cut:
    """Read the roads of a study once, and write for each county those that matter to it."""
    shared, units, gate = given
    held = _files.Folder(shared.target)
    answers = Answers.to(shared.config, shared.folder, gate)
    answers.memory.give(("policy",), shared.policy)
    answers.memory.give(("units",), units)
    network, water = answers.network, answers.water
    areas = units.to_crs(network.crs or metric_crs(units)).dissolve("county_id").geometry
    margin_m = answers.config.roads.max_snap_m + HALF_A_LOOK_M
    bounds: dict[str, tuple[float, ...]] = {}
    for county_id, own in roads.pieces(network, areas, reach_min=_reach_min(answers), margin_m=margin_m):
        own.save(held.file(f"{WORK}/{county_id}/roads.network"))
        ground = (
            gpd.GeoSeries(gpd.points_from_xy(*own.node_xy.T), crs=own.crs)
            if len(own.node_ids)
            else areas.loc[[county_id]]
        )
        bounds[county_id] = tuple(map(float, ground.to_crs("EPSG:4326").total_bounds))
        if water is not None:
            _write(held, county_id, "water", clipped(water, bounds[county_id]))
    return Cut(gather.sources(answers), bounds)


def _reach_min(answers: Answers) -> dict[str, float]:
    """Return within how many minutes roads matter, by mode: the longest cutoff of its kinds, and how far homes are apart."""
    asked = answers.config.siting
    reach: dict[str, float] = dict.fromkeys(answers.config.access.beside, 0.0)
    for kind in answers.policy.kinds.values():
        reach[kind.mode] = max(reach.get(kind.mode, 0.0), kind.longest_min)
    reach["drive"] = max(reach.get("drive", 0.0), asked.spread_min or 0.0, asked.medical_min or 0.0)
    return {mode: max(minutes, minutes) for mode, minutes in reach.items() if minutes}


# --- all counties together --------------------------------------------------------------------------------------------


def _worked_out(
    answers: Answers, shared: Shared, crew: AbstractContextManager[Crew]
) -> tuple[dict[str, Summary], dict[str, str]]:
    summaries: dict[str, Summary] = {}
    failed: dict[str, str] = {}
    county_ids = list(answers.counties)
    with crew as workers, answers.asked.progress("counties", total=len(county_ids)) as advance:
        for key, answer in workers.work(work_out, shared, county_ids):
            if isinstance(answer, Failed):
                failed[str(key)] = answer.reason
            else:
                summaries[str(key)] = answer
            advance()
    if not summaries:
        raise SolverError(f"no county could be worked out: {some(sorted(set(failed.values())), most=1)}")
    return {county_id: summaries[county_id] for county_id in county_ids if county_id in summaries}, failed


def write_province(
    answers: Answers,
    held: _files.Folder,
    summaries: Mapping[str, Summary],
    failed: Mapping[str, str],
) -> None:
    """Write what is said of all counties together, the index of all findings, and last the manifest."""
    found = together(answers, summaries)
    written = {path: digest for summary in summaries.values() for path, digest in summary.files.items()}
    files = [*province_reports(found, failed), *province_map(found, failed)]
    with answers.asked.progress("outputs", total=len(files) + 2) as advance:
        for path, make in files:
            content = make()
            held.write(path, content)
            written[path] = hashlib.sha256(content).hexdigest()
            advance()
        own = store.part_files(found)
        prefix = f"{store.FOLDER}/"
        parts: dict[str, dict[str, str]] = {store.WHOLE: store.digests(own)}
        for name, content in own.items():
            held.write(f"{prefix}{store.WHOLE}/{name}", content)
            written[f"{prefix}{store.WHOLE}/{name}"] = parts[store.WHOLE][name]
        for county_id, summary in summaries.items():
            start = f"{prefix}{county_id}/"
            parts[county_id] = {
                p.removeprefix(start): d for p, d in summary.files.items() if p.startswith(start)
            }
        index = store.Index(counties=dict(answers.counties), parts=parts)
        held.write(f"{prefix}{store.INDEX}", index.written())
        written[f"{prefix}{store.INDEX}"] = hashlib.sha256(index.written()).hexdigest()
        advance()
        write_manifest(answers, found, held, written)
        advance()


def together(answers: Answers, summaries: Mapping[str, Summary]) -> Findings:
    """Return what is said of all counties: their rows one after another, and the targets of the whole counted over them."""
    every = [summary.findings for summary in summaries.values()]
    first = every[0]

    def joined(name: str) -> Any:
        frames = [getattr(found, name) for found in every]
        filled = [frame for frame in frames if len(frame)] or frames[:1]
        kept = filled[0] if len(filled) == 1 else pd.concat(filled)
        return kept.reset_index(drop=True) if name in _NUMBERED else kept

    tables = {name: joined(name) for name in _JOINED}
    own = tables["scorecard"]
    card = pd.concat([_whole_card(answers, summaries, tables["demand"])[own.columns], own])
    common = [n for n in first.notices if all(n in found.notices for found in every)]
    return replace(
        first,
        **{**tables, "scorecard": card},
        plans={county_id: found.plans[county_id] for county_id, found in zip(summaries, every, strict=True)},
        notices=tuple(common),
        scope_id="city",
        scope_name=answers.config.study.title,
        alone=True,
    )


_JOINED = (
    "units",
    "counties",
    "facilities",
    "demand",
    "proposals",
    "reasons",
    "left_out",
    "doubts",
    "scorecard",
)
_NUMBERED = ("reasons", "left_out", "doubts")


def _whole_card(answers: Answers, summaries: Mapping[str, Summary], demand: GeoDataFrame) -> DataFrame:
    """Return the rows of the scorecard that speak of all counties together, today and with every plan opened."""
    own = [c for c in answers.counties if c in summaries]
    units = answers.units[answers.units["county_id"].isin(own)]
    standing = answers.facilities[answers.facilities["county_id"].isin(own)]
    opened = pd.concat([summaries[county_id].facilities for county_id in own])

    def card(facilities: GeoDataFrame, by_kind: list[Mapping[str, DataFrame]]) -> DataFrame:
        kinds = {kind: pd.concat([tables[kind] for tables in by_kind]) for kind in by_kind[0]}
        return coverage.scorecard(
            units,
            facilities,
            kinds,
            policy=answers.policy,
            counties={county_id: answers.counties[county_id] for county_id in own},
            date=answers.config.study.date,
            reported=answers.config.reported,
            demand=demand,
            language=answers.config.study.language,
            scope_ids=["city"],
        )

    today = card(standing, [summaries[c].today for c in own])
    planned = card(opened, [summaries[c].planned for c in own])
    both: DataFrame = today.rename(columns={"value": "value_today", "met": "met_today"}).join(
        planned[["value", "met"]].rename(columns={"value": "value_planned", "met": "met_planned"}),
        validate="one_to_one",
    )
    return both
