"""Read what a study is given: its policy, places and roads, each when it is first asked for, and kept."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from sy_coverage import _files, coverage, labels, places, roads
from sy_coverage import policy as policies
from sy_coverage._frames import CANDIDATES, checked
from sy_coverage._osm import is_osm
from sy_coverage.errors import ConfigError, UnknownIdError, some
from sy_coverage.study.progress import Progress, silent
from sy_coverage.study.steps.demand import read_demand
from sy_coverage.study.steps.geocoding import location_sources
from sy_coverage.study.steps.network import LIVE, SAVED, walk_m_per_s
from sy_coverage.study.steps.network import read as read_network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.policy import Kind, Policy
    from sy_coverage.roads import RoadNetwork
    from sy_coverage.study.config.file import StudyConfig

READINGS = ("scope", "rule", "share", "elders", "nursing_bed_base")
"""What a policy leaves open and `[siting]` may choose."""
OPENSTREETMAP = "© OpenStreetMap contributors, ODbL"
FROM_OSM = (".graphml", SAVED)
"""Files that hold roads of OpenStreetMap, though not in its own format."""


def _require_among(allowed: Iterable[str], given: Iterable[str], wrong: str) -> None:
    there = list(allowed)
    unknown = sorted(set(given) - set(there))
    if unknown:
        may_be = ", ".join(there) or "none, for this policy asks for no such sites"
        raise ConfigError(f"{wrong}: {some(unknown)}; allowed: {may_be}")


class Inputs:
    """What one study is given. Frames are in EPSG:4326 and must not be changed in place."""

    def __init__(
        self,
        config: StudyConfig,
        folder: Path,
        *,
        progress: Progress = silent,
        offline: bool = False,
        databases: bool | None = None,
    ) -> None:
        """Hold `config`, whose relative paths start at `folder`; `progress` is told of every stage.

        With `offline` nothing leaves this machine: of map services what was answered before is used, and other rows stay without
        a point; a database is not asked, unless `databases` says so (None: where not `offline`).
        """
        self.config = config
        self.folder = folder
        self.gate = _files.Gate(
            services=not offline, databases=not offline if databases is None else databases
        )
        self.reports: dict[str, DataFrame] = {}
        """What the readers read, assumed, fixed and left out, by room."""
        self.seconds: dict[str, float] = {}
        self._progress = progress

    @property
    def offline(self) -> bool:
        """Whether no map service is asked."""
        return not self.gate.services

    def __repr__(self) -> str:
        return f"<Study {self.config.study.title}>"

    @contextmanager
    def progress(self, stage: str, *, total: int = 1) -> Iterator[Callable[[], None]]:
        """Tell whoever waits that `stage` begins, and keep how long it took."""
        begun = time.monotonic()
        with self._progress(stage, total=total) as advance:
            yield advance
        self.seconds[stage] = time.monotonic() - begun

    def words(self, key: str, **values: object) -> str:
        """Return a label in the study's language."""
        return labels.text(key, self.config.study.language, **values)

    def path(self, written: str) -> str:
        """Return a path as the study file means it: relative to the file's own folder.

        Raises
        ------
        OfflineError
            If it is the address of a database, and none may be asked.
        """
        if "://" in written:
            return self.gate.require(written)
        given = Path(written)
        with suppress(RuntimeError):  # ~ of somebody unknown is a name like any other
            given = given.expanduser()
        return str(self.folder / given)

    def _kept(self, room: str, frame: GeoDataFrame) -> GeoDataFrame:
        """Keep the report a reader attached to `frame`, and return the frame without it: pandas copies it at every step."""
        report = frame.attrs.pop("report", None)
        if report is not None:
            self.reports[room] = report
        return frame

    def digest(self, room: str, written: str) -> str:
        """Return the SHA-256 of a file, or of the rows that were read for `room` from a table of a database."""
        path = self.path(written)
        if not _files.is_database(path):
            return _files.digest(_files.split_layer(path)[0])
        # a census or a cohort table is read with the demand
        report = self.reports.get(room, self.reports["demand"])
        named = path.partition("#")[2]
        rows = report[
            (report["what_id"] == "rows_digest") & report["file"].str.fullmatch(rf"(.+\.)?{re.escape(named)}")
        ]
        return str(rows["value"].iloc[0])

    @property
    def limits(self) -> _files.Limits:
        """How much of one file is read."""
        return self.config.limits.of_files()

    @property
    def lists_and_layers(self) -> list[tuple[str, str]]:
        """What each file or table is for, and its path as the study writes it; roads are not among them."""
        config, demand = self.config, self.config.demand
        of_demand = {
            "demand": demand.villages,
            "raster": demand.raster,
            "settled": demand.settled,
            "census": demand.census,
            "cohorts": demand.cohorts,
        }
        return [
            ("units", config.boundaries.units),
            *(("facilities", file) for file in config.facilities.files),
            *(("candidates", file) for file in config.candidates.files),
            *((room, file) for room, file in of_demand.items() if file),
        ]

    def _paths(self, written: tuple[str, ...]) -> list[str]:
        return [self.path(file) for file in written]

    # --- policy ---------------------------------------------------------------------------------------------------

    @cached_property
    def policy(self) -> Policy:
        """What must be reached, with the readings and reaches that the study chose in place of the policy's own."""
        named = self.config.study.policy
        here = Path(self.path(named))
        policy = policies.load_policy(here if here.suffix == ".toml" else named)
        access, siting_ = self.config.access, self.config.siting
        for kind, reach in {policy.coverage_kind: access, **access.kinds}.items():
            policy = policy.with_access(mode=reach.mode, cutoff_min=dict(reach.cutoff_min.items()), kind=kind)
        shown = [target.id for target in policy.marked_targets]
        candidates = self.config.candidates
        _require_among(shown, siting_.demonstration, "[siting.demonstration]: no such target")
        _require_among(policy.kinds, candidates.costs, "[candidates] costs: no such kind")
        stations = policy.station_kinds
        _require_among(
            stations, candidates.floor_area_m2, "[candidates] floor_area_m2: no such kind of station"
        )
        chosen = {name: getattr(siting_, name) for name in READINGS}
        return policy.with_readings(**{name: value for name, value in chosen.items() if value is not None})

    # --- places ---------------------------------------------------------------------------------------------------

    @cached_property
    def units(self) -> GeoDataFrame:
        """Streets and townships, indexed by `unit_id`."""
        given = self.config.boundaries
        with self.progress("units"):
            units = places.read_units(
                self.path(given.units),
                coordinate_system=given.coordinate_system,
                columns=given.columns,
                invalid=given.invalid,
                admin_level=given.admin_level,
                county_level=given.county_level,
                former=given.former,
                limits=self.limits,
            )
            return self._kept("units", units)

    @property
    def counties(self) -> dict[str, str]:
        """Names of the counties by `county_id`, in order of their ids."""
        named = self.units.drop_duplicates("county_id").set_index("county_id")["county"]
        return dict(sorted(named.items()))

    @cached_property
    def demand(self) -> GeoDataFrame:
        """Villages with elders, indexed by `demand_id`, each in a unit."""
        with self.progress("demand"):
            return self._kept("demand", read_demand(self))

    @cached_property
    def location_sources(self) -> list[Any]:
        """What locates rows that have only an address, in the order they are tried."""
        return location_sources(self)

    def _located(self, frame: GeoDataFrame) -> GeoDataFrame:
        given = self.config.geocoding
        lists = [f for f in (self.given_facilities, self.given_candidates) if given.choose and f is not None]
        unknown = set(given.choose).difference(*(f.index for f in lists))
        if unknown:
            raise UnknownIdError(
                f"[geocoding] choose: ids of no row: {some(sorted(unknown))}; see located.csv"
            )
        located = places.geocode(
            frame, self.location_sources, units=self.units, accept=given.accept, chosen=given.choose
        )
        return places.assign_units(located, self.units)

    @cached_property
    def given_facilities(self) -> GeoDataFrame:
        """Every facility row as it was read, before any address is looked up."""
        given = self.config.facilities
        read = places.read_facilities(
            self._paths(given.files),
            coordinate_system=given.coordinate_system,
            units=self.units,
            columns=given.columns,
            policy=self.policy,
            limits=self.limits,
        )
        return self._kept("facilities", read)

    @cached_property
    def facilities(self) -> GeoDataFrame:
        """Every facility row that was given, located or with its reason, indexed by `facility_id`."""
        with self.progress("facilities"):
            return self._located(self.given_facilities)

    @cached_property
    def doubts(self) -> DataFrame:
        """One row for everything in the facility lists that somebody should verify."""
        return places.doubts(self.facilities, self.units, policy=self.policy, villages=self.demand)

    @cached_property
    def given_candidates(self) -> GeoDataFrame | None:
        """Every row of the candidate lists as it was read, or None where no list was given."""
        given = self.config.candidates
        if not given.files:
            return None
        read = places.read_candidates(
            self._paths(given.files),
            coordinate_system=given.coordinate_system,
            units=self.units,
            columns=given.columns,
            policy=self.policy,
            limits=self.limits,
        )
        return self._kept("candidates", read)

    @cached_property
    def listed_candidates(self) -> GeoDataFrame:
        """The candidates of the lists that were given, located, indexed by `candidate_id`."""
        if not self.config.candidates.files:
            return checked(self.facilities.iloc[:0].assign(cost=pd.Series(dtype=float)), CANDIDATES)
        with self.progress("candidates"):
            located = self._located(self.given_candidates)
        clash = located.index.intersection(self.facilities.index)
        if len(clash):
            raise UnknownIdError(
                f"candidates: ids that are facilities' too: {some(clash)}; give each site an id of its own"
            )
        return located

    # --- roads ----------------------------------------------------------------------------------------------------

    @property
    def centre_kind(self) -> Kind:
        """The kind of facility whose presence and access the coverage rates count."""
        return self.policy.kind(self.policy.coverage_kind)

    @cached_property
    def network(self) -> RoadNetwork:
        """The roads, for every travel mode the policy's kinds use."""
        with self.progress("roads"):
            return read_network(self)

    @property
    def to_road(self) -> dict[str, Any]:
        """How points are brought to the roads: how far at most, and how fast that is walked."""
        return {"max_snap_m": self.config.roads.max_snap_m, "access_m_per_s": walk_m_per_s(self)}

    @cached_property
    def water(self) -> GeoDataFrame | None:
        """Rivers and lakes to draw, where the roads come from an OpenStreetMap extract."""
        source = self.path(self.config.roads.source)
        return roads.read_water(source, area=self.units) if is_osm(source) else None

    @property
    def attribution(self) -> str:
        """Who must be named beside a map for its roads and water."""
        given = self.config.roads
        if given.attribution is not None:
            return given.attribution
        source = given.source
        return OPENSTREETMAP if source == LIVE or is_osm(source) or source.endswith(FROM_OSM) else ""

    @cached_property
    def open_facilities(self) -> GeoDataFrame:
        """The facilities that are open on the study's date."""
        return coverage.open_on(self.facilities, self.config.study.date)
