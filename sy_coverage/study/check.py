"""Say what is wrong with a study's inputs and what is missing, without computing anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sy_coverage import _files, labels, roads
from sy_coverage._osm import require_osm
from sy_coverage.coverage.reported import reported_numbers
from sy_coverage.errors import CoverageError, FrameError, OfflineError
from sy_coverage.outputs import roadless
from sy_coverage.study.results.lists import to_verify
from sy_coverage.study.results.lists.minutes import unknown_ids
from sy_coverage.study.results.lists.reading import in_brief
from sy_coverage.study.results.save import require_writable
from sy_coverage.study.steps.roads import network
from sy_coverage.study.study import read_study

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from geopandas import GeoDataFrame

    from sy_coverage.roads.forms.od_table import KnownMinutes
    from sy_coverage.study.study import Study


@dataclass
class Report:
    """What `check` found: facts, remarks that want an eye, errors that stop a run, and a closing sentence."""

    facts: list[str] = field(default_factory=list)
    reading: list[str] = field(default_factory=list)
    """What was read, assumed, fixed and left out, a line a file."""
    remarks: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    verdict: str = ""


def check(path: str | os.PathLike[str], *, databases: bool = False) -> Report:
    """Return everything that is wrong with the study at `path`, not only the first thing.

    Nothing leaves this machine; with `databases` those that the study names are asked.

    Raises
    ------
    MissingFileError, ConfigError
        If the study file itself is not there or not right: then nothing else can be looked at.
    """
    # what map services answered before is looked at; nothing is asked of them
    return look_at(read_study(path, offline=True, databases=databases), databases=databases)


def look_at(study: Study, *, databases: bool = False, workbook: bool = True) -> Report:
    """Return everything that is wrong with a study that was read already; with `workbook` its doubts are written down to be answered."""
    report = Report()
    known: dict[str, Any] = {}

    def attempt(name: str, look: Callable[[], Any]) -> None:
        try:
            known[name] = look()
        except OfflineError as error:
            if databases:
                report.errors.append(str(error))
        except CoverageError as error:
            report.errors += [line for line in _lines(error) if line not in report.errors]

    attempt("policy", lambda: study.policy)
    attempt("units", lambda: study.units)
    attempt("demand", lambda: study.demand)
    if "policy" in known and "units" in known:
        attempt("facilities", lambda: study.facilities if "demand" in known else None)
        attempt("candidates", lambda: study.listed_candidates if "demand" in known else None)
        attempt("reported", lambda: reported_numbers(study.config.reported, study.policy, study.counties))
    attempt("roads", lambda: _roads(study))
    attempt("known_minutes", lambda: study.known_minutes)
    if {"units", "demand", "roads", "known_minutes"} <= set(known) and known["roads"] != network.LIVE:
        attempt("access_legs", lambda: study.access_legs)
        attempt("water", lambda: study.water)
        attempt("ferries", lambda: _say_ferries(study, known.get("facilities"), report))
    attempt("output", lambda: require_writable(study.answers, Path(study.path(study.config.study.output))))
    _say_facts(study, known, report)
    _say_databases(study, report)
    report.reading += in_brief(study.answers)
    if known.get("access_legs") is not None:
        lost = roadless.sentence(known["access_legs"], study.config.study.language)
        report.remarks += [lost] if lost else []
    if known.get("facilities") is not None:
        if "candidates" in known:
            _say_doubts(study, report, workbook=workbook)
        _say_empty_units(study, report)
    words = study.words
    report.verdict = (
        words("study.check_failed", count=len(report.errors))
        if report.errors
        else words("study.check_passed" if databases or not _databases(study) else "study.check_in_part")
    )
    return report


def _databases(study: Study) -> list[str]:
    """Return the addresses of all databases that the study names, each once, without passwords."""
    named = [file for _, file in study.lists_and_layers] + [study.config.study.database]
    return sorted({_files.without_password(one) for one in named if _files.is_database(one)})


def _say_databases(study: Study, report: Report) -> None:
    if not study.gate.databases:
        for address in _databases(study):
            report.remarks.append(study.words("study.remark_database", address=address))


def _roads(study: Study) -> str:
    """Return what the roads come from; what a file is, is not read here."""
    source, ground = study.config.roads.source, study.config.roads.elevation
    if ground is not None:
        _files.local_path(study.path(ground))
    if source is None or source == network.LIVE:
        return source or ""
    if study.config.roads.lines is not None:
        return Path(source).name
    path = _files.local_path(study.path(source))
    if not path.name.lower().endswith(network.FROM_OSM):
        require_osm(path)
    return path.name


def _lines(error: CoverageError) -> list[str]:
    """Return an error as sentences of its own where it gathers several."""
    if isinstance(error, FrameError):
        what = str(error).partition(":")[0]
        return [f"{what}: {violation}" for violation in error.violations]
    return [str(error)]


def _say_facts(study: Study, known: dict[str, Any], report: Report) -> None:
    words = study.words
    if "policy" in known:
        report.facts.append(
            words(
                "study.fact_policy",
                name=labels.pick(study.policy.name),
                count=len(study.policy.targets),
            )
        )
    if "units" in known:
        kinds = study.units["kind"].value_counts()
        report.facts.append(
            words(
                "study.fact_units",
                counties=len(study.counties),
                units=len(study.units),
                streets=int(kinds.get("street", 0)),
                townships=int(kinds.get("township", 0)),
                others=int(kinds.get("other", 0)),
            )
        )
    if "demand" in known:
        report.facts.append(
            words(
                "study.fact_demand" if study.config.demand.villages else "study.fact_demand_points",
                places=len(study.demand),
                elders=f"{study.demand['elders'].sum():,.0f}",
            )
        )
    for name in ("facilities", "candidates"):
        frame = known.get(name)
        if frame is not None:
            located = int(frame.geometry.notna().sum())
            report.facts.append(
                words(f"study.fact_{name}", rows=len(frame), located=located, missing=len(frame) - located)
            )
    config, given = study.config, study.config.roads.buffer_m
    far = network.needed_m(config.roads, config.siting, study.policy) if "policy" in known else 0.0
    if config.roads.source is not None and given is not None and given < far:
        needed = f"{far:,.0f}"
        report.remarks.append(words("study.remark_buffer", given=f"{given:,.0f}", needed=needed))
    if known.get("known_minutes") is not None:
        _say_table(study, known, report)
    if known.get("roads"):
        live = known["roads"] == network.LIVE
        report.facts.append(
            words("study.fact_roads_live") if live else words("study.fact_roads", file=known["roads"])
        )


def _say_table(study: Study, known: dict[str, Any], report: Report) -> None:
    """Say how many pairs the table of minutes has, and which of its ids the study does not know."""
    minutes: KnownMinutes = known["known_minutes"]
    report.facts.append(
        study.words(
            "study.fact_times",
            pairs=f"{minutes.size:,}",
            origins=f"{len(minutes.origin_ids):,}",
            targets=f"{len(minutes.target_ids):,}",
        )
    )
    if {"demand", "facilities", "candidates"} <= set(known):
        report.remarks += unknown_ids(study.answers)


def _say_doubts(study: Study, report: Report, *, workbook: bool) -> None:
    """Say how many rows of which list want an eye, and the first five of them, and write the workbook that asks about them."""
    doubts = study.open_doubts
    rows = doubts["row_id"].where(doubts["row_id"] != "", doubts["file"] + " " + doubts["row"].astype(str))
    for (name, kind), own in rows.groupby([doubts["list"], doubts["kind"]], sort=False):
        report.remarks.append(
            study.words(
                "study.remark_doubt",
                list=study.words(f"places.list_{name}"),
                what=study.words(f"places.doubt_title_{kind}"),
                count=len(own),
                rows=labels.first(sorted(own.astype(str).str.strip()), study.config.study.language),
            )
        )
    if workbook and len(doubts) and not report.errors:
        path = to_verify.write(study.answers, Path(study.path(study.config.study.output)))
        report.remarks.append(study.words("places.said_to_verify", count=len(doubts), file=path))


def _say_ferries(study: Study, there: GeoDataFrame | None, report: Report) -> None:
    """Name the places that reach a facility only by a ferry that does not say how long it takes, or later without it."""
    if there is None:
        return
    sites = there[there.geometry.notna() & (there["status"] == "open")]
    modes = sorted({kind.mode for kind in study.policy.kinds.values()} & set(study.network.modes))
    found = {
        place
        for mode in modes
        for place in roads.ferry_dependents(
            study.network, sites, study.demand, mode=mode, max_snap_m=study.config.roads.max_snap_m
        ).index
    }
    if found:
        names = study.demand["name"] if "name" in study.demand.columns else study.demand.index.to_series()
        report.remarks.append(
            study.words(
                "study.remark_ferries",
                count=len(found),
                rows=labels.first(names.loc[sorted(found)].astype(str), study.config.study.language),
                ferries=str(study.network.notes.get("ferries_at_stated_speed_named", "")),
            )
        )


def _say_empty_units(study: Study, report: Report) -> None:
    none = study.units.index.difference(study.demand["unit_id"])
    if len(none):
        report.remarks.append(
            study.words(
                "study.remark_empty_units",
                count=len(none),
                rows=labels.first(study.units.loc[none, "name"], study.config.study.language),
            )
        )
