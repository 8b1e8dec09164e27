"""Work out one county of a large study by itself, from its own inputs, and write its results through the door to its folder."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import shapely

from sy_coverage import _files, roads
from sy_coverage.errors import CannotWriteError, CoverageError
from sy_coverage.outputs import store, tables
from sy_coverage.outputs.figures import qgis
from sy_coverage.outputs.store.frames import read_frame, written_frame
from sy_coverage.study.answers import Answers
from sy_coverage.study.answers.asked import ASKED
from sy_coverage.study.progress import silent
from sy_coverage.study.results.files import made_here
from sy_coverage.study.results.gather import presented

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.outputs.findings import Findings
    from sy_coverage.policy import Policy
    from sy_coverage.study.config.file import StudyConfig

WORK = "work"
"""Where the inputs of each county lie while the run goes on; gone when it is whole."""
TOKEN = f"{WORK}/run.json"
DONE = "done.json"
INPUTS = ("units", "demand", "facility_rows", "candidate_rows", "office_answers", "water")
LISTS = ("facilities", "candidates", "demand")
_LIMITS = _files.Limits(megabytes=2_000, ratio=1_000, rows=10_000_000)
LIGHT = ("catchments", "roads")
"""Tables of a county that nothing said of all counties needs."""


@dataclass(frozen=True)
class Shared:
    """What every county of a run is worked out with, besides its own inputs."""

    config: StudyConfig
    folder: Path
    """Where the study's relative paths start."""
    target: Path
    """Where results go, for every worker the same."""
    run_id: str
    """What the folder of results says of this run: a worker that sees another has another disk."""
    policy: Policy
    sources: DataFrame
    digest: str
    """Of configuration, policy, and libraries that decide."""


@dataclass(frozen=True)
class Summary:
    """What is said of one county where all are spoken of."""

    findings: Findings
    """Without drawings, roads and what only its own pages need."""
    facilities: DataFrame
    """Its facilities with the sites of its plan opened."""
    today: Mapping[str, DataFrame]
    """Coverage by unit of every kind that a rate counts."""
    planned: Mapping[str, DataFrame]
    files: Mapping[str, str]
    """SHA-256 of every result by path."""
    kept: bool
    """Whether an interrupted run had worked it out."""


def work_out(shared: Shared, county_id: str) -> Summary:
    """Return the summary of one county, whose results are then written: worked out now, or by a run that was interrupted.

    Raises
    ------
    CannotWriteError
        If the folder of results is not the one the run writes to.
    """
    held = _files.Folder(shared.target)
    if held.read(TOKEN) != shared.run_id.encode():
        raise CannotWriteError(
            f"{shared.target}: is not on a disk that this worker shares with the run; give an output folder that all of them see"
        )
    inputs = _digest_of_inputs(shared, held, county_id)
    known = _finished(held, county_id, inputs)
    if known is not None:
        return known
    answers = part_of(shared, held, county_id)
    found = presented(answers).of_county(county_id)
    card = found.scorecard
    own = replace(found, scorecard=card[card.index.get_level_values("scope_id") == county_id])
    made = dict(made_here(own, [county_id]))
    files = {**made, **{f"{store.FOLDER}/{county_id}/{n}": c for n, c in store.part_files(own).items()}}
    for path, content in files.items():
        held.write(path, content)
    layers = f"layers/{county_id}.gpkg"
    held.write_layers(layers, tables.layers(own), styles=qgis.styles(own))
    digests = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    digests[layers] = _files.digest(held.file(layers))
    summary = _summary(answers, own, digests)
    _keep(held, county_id, summary, inputs)
    return summary


def part_of(shared: Shared, held: _files.Folder, county_id: str) -> Answers:
    """Return the answers of one county by itself: its own inputs, and those of its surroundings."""
    config = shared.config.model_copy(update={"reported": _reported(shared.config, county_id)})
    answers = Answers.to(config, shared.folder, _files.CLOSED, progress=silent).heir(part=True)
    given = {name: _table(held, county_id, name) for name in INPUTS}
    asked = {f"{ASKED}{name}": _table(held, county_id, f"asked-{name}") for name in LISTS}
    memory = answers.memory
    memory.give(("policy",), shared.policy)
    memory.give(("sources",), shared.sources)
    memory.give(("units",), given["units"])
    memory.give(("office_answers",), given["office_answers"])
    memory.give(("water",), given["water"])
    rows = {"demand": "demand", "facility_rows": "facilities", "candidate_rows": "candidates"}
    for name, room in rows.items():
        report = asked[f"{ASKED}{room}"]
        reports = {} if report is None else {f"{ASKED}{room}": report}
        frame = given[name]
        if name != "demand":
            memory.give((f"given_{room}",), frame, reports)
        if frame is not None:
            memory.give((name,), frame, reports)
    memory.give(("network",), roads.load(held.file(f"{WORK}/{county_id}/roads.network")))
    return answers


def _reported(config: StudyConfig, county_id: str) -> dict[str, Any]:
    """Return the numbers that offices reported of one county."""
    own = {
        t: {c: v for c, v in given.items() if c == county_id}
        for t, given in config.reported.items()
        if isinstance(given, dict)
    }
    return {target_id: values for target_id, values in own.items() if values}


def _table(held: _files.Folder, county_id: str, name: str) -> DataFrame | None:
    content = held.read(f"{WORK}/{county_id}/{name}.parquet")
    return (
        None
        if content is None
        else read_frame(content, file=f"{WORK}/{county_id}/{name}.parquet", limits=_LIMITS)
    )


def _summary(answers: Answers, own: Findings, files: Mapping[str, str]) -> Summary:
    standing, planned = answers.standing, answers.planned
    ids = own.units.index
    opened = planned.planned_facilities

    def of_units(by_kind: Mapping[str, GeoDataFrame]) -> dict[str, DataFrame]:
        return {
            kind: pd.DataFrame(table.drop(columns="geometry", errors="ignore")).loc[ids]
            for kind, table in by_kind.items()
        }

    return Summary(
        findings=light(own),
        facilities=opened[opened["county_id"] == own.scope_id],
        today=of_units(standing.by_kind(answers.lists.facilities, standing.coverage)),
        planned=of_units(standing.by_kind(opened, planned.coverage_planned)),
        files=files,
        kept=False,
    )


def light(findings: Findings) -> Findings:
    """Return findings without what only the pages of their own county need."""
    empty = {name: getattr(findings, name).iloc[:0] for name in LIGHT}
    return replace(findings, **empty, water=None, overlap=None, access_legs=None, extras={}, recounts={})


# --- what an interrupted run had done ---------------------------------------------------------------------------------


def _digest_of_inputs(shared: Shared, held: _files.Folder, county_id: str) -> str:
    total = hashlib.sha256(shared.digest.encode())
    names = [*INPUTS, *(f"asked-{name}" for name in LISTS)]
    for name in [*(f"{name}.parquet" for name in names), "roads.network"]:
        content = held.read(f"{WORK}/{county_id}/{name}")
        total.update(f"{name} {None if content is None else hashlib.sha256(content).hexdigest()}\n".encode())
    return total.hexdigest()


def _keep(held: _files.Folder, county_id: str, summary: Summary, inputs: str) -> None:
    """Write what a later run needs to go on from here; that it is whole, last of all."""
    frames = {"facilities": summary.facilities}
    frames |= {f"today-{kind}": table for kind, table in summary.today.items()}
    frames |= {f"planned-{kind}": table for kind, table in summary.planned.items()}
    for name, frame in frames.items():
        held.write(f"{WORK}/{county_id}/summary-{name}.parquet", written_frame(frame))
    told = {"inputs": inputs, "files": dict(summary.files), "summary": sorted(frames)}
    held.write(f"{WORK}/{county_id}/{DONE}", json.dumps(told).encode())


def _finished(held: _files.Folder, county_id: str, inputs: str) -> Summary | None:
    """Return the summary that an interrupted run left, if it was worked out from the same and all its files are whole."""
    content = held.read(f"{WORK}/{county_id}/{DONE}")
    try:
        told = json.loads(content or b"{}")
        if told.get("inputs") != inputs:
            return None
        if any(_files.digest(held.file(path)) != digest for path, digest in told["files"].items()):
            return None
        prefix = f"{store.FOLDER}/{county_id}/"
        own = {path.removeprefix(prefix): d for path, d in told["files"].items() if path.startswith(prefix)}
        index = store.Index(counties={county_id: county_id}, parts={county_id: own})
        findings = store.read_part(held.path, index, county_id)
        frames = {name: _table(held, county_id, f"summary-{name}") for name in told["summary"]}
    except (CoverageError, ValueError, KeyError, TypeError):
        return None  # damaged: worked out again
    if any(frame is None for frame in frames.values()):
        return None

    def by_kind(state: str) -> dict[str, DataFrame]:
        return {
            name.removeprefix(f"{state}-"): frame
            for name, frame in frames.items()
            if name.startswith(f"{state}-")
        }

    return Summary(
        light(findings), frames["facilities"], by_kind("today"), by_kind("planned"), told["files"], kept=True
    )


# --- the inputs of each county ----------------------------------------------------------------------------------------


def clipped(frame: GeoDataFrame | None, bounds: tuple[float, ...]) -> GeoDataFrame | None:
    """Return the part of drawn lines and areas within a box of degrees."""
    if frame is None:
        return None
    box = shapely.box(*bounds)
    near = frame[frame.intersects(box)]
    return gpd.GeoDataFrame(near.drop(columns="geometry"), geometry=near.intersection(box), crs=frame.crs)
