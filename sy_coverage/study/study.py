"""Walk one study through the six rooms: each step is computed when it is first asked for, and kept."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from sy_coverage import _files, siting
from sy_coverage._frames import FACILITIES, require_ids
from sy_coverage.errors import UnknownIdError
from sy_coverage.study.config import variants
from sy_coverage.study.config.file import StudyConfig, read_config
from sy_coverage.study.plans import alternatives
from sy_coverage.study.progress import Progress, silent
from sy_coverage.study.steps import citywide
from sy_coverage.study.steps.measured import Measured

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Iterable, Mapping

    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.outputs.findings import Findings
    from sy_coverage.outputs.maps import Map
    from sy_coverage.siting import SitingPlan

READ = ("policy", "units", "demand", "given_facilities", "given_candidates")
"""The steps that no map service has a part in."""
KEPT = ("given_candidates", "case", "other_scope", "centre_times")
"""What a study of some of the counties has in common with that of all, besides what no key of its file changes."""


class Study(Measured):
    """One study: its inputs, where it stands today, and what to open next.

    Frames are in EPSG:4326 and must not be changed in place. Nothing is computed before it is asked for.
    """

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
        super().__init__(config, folder, progress=progress, offline=offline, databases=databases)
        self._plans: dict[str | None, SitingPlan] = {}
        self._compared: dict[str | None, dict[str, DataFrame]] = {}
        self._only: tuple[str, ...] | None = None

    # --- coverage with the plan -----------------------------------------------------------------------------------

    @cached_property
    def coverage_planned(self) -> GeoDataFrame:
        """Where each unit stands with the sites of every county's plan opened."""
        return self._coverage(self.planned_facilities, self.centre_kind)

    @cached_property
    def scorecard(self) -> DataFrame:
        """Every target of the policy, today and with the plan: `value_today`, `value_planned`, `target`, `met_today`, …."""
        return self._both_scorecards(self.scorecard_today)

    def scorecard_of(self, scope_ids: Collection[str]) -> DataFrame:
        """Return the rows of `scorecard` of some places only, counties or ``city``; no others are counted."""
        return self._both_scorecards(self._scorecard(self.facilities, self.coverage, scope_ids), scope_ids)

    def _both_scorecards(self, today: DataFrame, scope_ids: Collection[str] | None = None) -> DataFrame:
        planned = self._scorecard(self.planned_facilities, self.coverage_planned, scope_ids)
        both = today.rename(columns={"value": "value_today", "met": "met_today"}).join(
            planned[["value", "met"]].rename(columns={"value": "value_planned", "met": "met_planned"}),
            validate="one_to_one",
        )
        order = [
            "scope",
            "value_today",
            "value_planned",
            "target",
            "met_today",
            "met_planned",
            "needed",
            "basis",
        ]
        return both[[*order, *both.columns.difference(order, sort=False)]]

    # --- siting ---------------------------------------------------------------------------------------------------

    def propose(self, county_id: str | None = None) -> SitingPlan:
        """Return the proved plan for one county, or (None) one plan for the whole city.

        Raises
        ------
        UnknownIdError
            If no unit lies in such a county.
        """
        if county_id is not None:
            require_ids([county_id], self.counties, "county")
        if county_id not in self._plans:
            options = replace(self.case["options"], progress=getattr(self._progress, "tell", None))
            self._plans[county_id] = alternatives.plan_county({**self.case, "options": options}, county_id)
        return self._plans[county_id]

    def why(self, plan: SitingPlan) -> DataFrame:
        """Return the reasons for each site of `plan`, indexed by `site_id`, with a `sentence` in the study's language."""
        return siting.sentences(plan.why(), self.config.study.language, names=self.names)

    @cached_property
    def names(self) -> dict[str, str]:
        """The name of every county, unit, village, facility and candidate by its id."""
        names: dict[str, str] = {}
        for frame in (self.demand, self.units, self.facilities, self.candidates):
            names |= dict(zip(frame.index, frame["name"], strict=True))
        return names | self.counties

    def but(self, **sections: Mapping[str, Any]) -> Study:
        """Return this study with some keys of its file changed, such as ``siting={"rule": "access"}``.

        What the changed keys cannot touch is not computed again. None brings a key's default back; `phases` and
        `reported` are given whole.

        Raises
        ------
        ConfigError
            If a section or key is unknown, or its value not allowed.
        """
        config = variants.changed(self.config, sections)
        other = Study(
            config,
            self.folder,
            progress=self._progress,
            offline=self.offline,
            databases=self.gate.databases,
        )
        vars(other).update(variants.kept(self, config))
        other.reports = dict(self.reports)
        return other

    def beside(self, other: Study) -> DataFrame:
        """Return the sites of this study and of another, or of this one under another setting, side by side.

        See `scenarios.side_by_side`: which sites both open, what differs, and in `.attrs["totals"]` what each comes to.
        """
        from sy_coverage.study.plans.side_by_side import side_by_side  # noqa: PLC0415

        return side_by_side(self, other)

    def without_network(self) -> Study:
        """Return this study as it answers without asking any map service."""
        other = Study(
            self.config, self.folder, progress=self._progress, offline=True, databases=self.gate.databases
        )
        vars(other).update({step: vars(self)[step] for step in READ if step in vars(self)})
        other.reports = dict(self.reports)
        return other

    @cached_property
    def case(self) -> dict[str, Any]:
        """All that planning may look at, over the whole city: the arguments of `siting.policy_plan`."""
        given = self.config.siting
        return {
            "units": self.units,
            "facilities": self.facilities,
            "candidates": self.candidates[self.candidates.geometry.notna()],
            "demand": citywide.clustered(self),
            "policy": self.policy,
            "times": self.times,
            "between_homes": self.between_homes,
            "to_medical": self.to_medical,
            "rules": citywide.plan_rules(self),
            "options": siting.SolveOptions(time_limit_s=given.time_limit_s),
        }

    def only(self, county_ids: Iterable[str]) -> Study:
        """Return this study as it plans some counties only; itself where it does so already, or plans the whole city at once.

        Raises
        ------
        UnknownIdError
            If no unit lies in one of these counties.
        """
        own = tuple(sorted(set(county_ids)))
        require_ids(own, self.counties, "county")
        planned = tuple(self.counties) if self._only is None else self._only
        if self.policy.readings.scope == "city" or own == planned:
            return self
        other = self.but()
        # what was read, computed and planned holds for them as well
        vars(other).update({step: vars(self)[step] for step in KEPT if step in vars(self)})
        other.adopt(self._plans, self._compared)
        other._only = own  # noqa: SLF001  another study of our own
        return other

    @property
    def scopes(self) -> list[str | None]:
        """What is planned by itself: every county by its id (or those asked for), or (None) the whole city at once."""
        if self.policy.readings.scope == "city":
            return [None]
        return list(self.counties if self._only is None else self._only)

    def adopt(
        self,
        plans: Mapping[str | None, SitingPlan],
        compared: Mapping[str | None, dict[str, DataFrame]] | None = None,
    ) -> None:
        """Take plans, by county id or None, and what stands beside them, worked out from this study's `case` elsewhere.

        What they were made from did not travel with them: it is taken from this study when `siting.verify` or another asks.
        """
        self._plans.update({i: alternatives.with_case(plan, self.case, i) for i, plan in plans.items()})
        self._compared.update(compared or {})

    @cached_property
    def plans(self) -> dict[str, SitingPlan]:
        """The plan of every county by `county_id`; with scope ``city`` the one plan of the city, under each of them."""
        waiting = [scope for scope in self.scopes if scope not in self._plans]
        if waiting:
            with self.progress(
                "plans" if None not in waiting else "plan_of_city", total=len(waiting)
            ) as advance:
                for scope in waiting:
                    self.propose(scope)
                    advance()
        if None in self.scopes:
            return dict.fromkeys(self.counties, self.propose(None))
        return {county_id: self.propose(county_id) for county_id in self.scopes if county_id is not None}

    @property
    def distinct_plans(self) -> list[SitingPlan]:
        """Every plan once."""
        return list({id(plan): plan for plan in self.plans.values()}.values())

    @cached_property
    def compared(self) -> dict[str | None, dict[str, DataFrame]]:
        """What stands beside each plan, by county id or None: see `alternatives.compared`."""
        plans = {scope: self.propose(scope) for scope in self.scopes}
        waiting = [scope for scope in plans if scope not in self._compared]
        if waiting:
            with self.progress("compared", total=len(waiting)) as advance:
                for scope in waiting:
                    self._compared[scope] = alternatives.compared(
                        self.case, scope, plans[scope], self.config.compare
                    )
                    advance()
        return {scope: self._compared[scope] for scope in plans}

    @cached_property
    def other_scope(self) -> DataFrame:
        """What each county would build with the other scope of the coverage rates: see `alternatives.other_scope`."""
        with self.progress("other_scope"):
            return alternatives.other_scope(self.case, self.counties)

    @cached_property
    def proposed_plans(self) -> list[SitingPlan]:
        """Every plan once; where targets cannot all be met, the best plan that can be had meanwhile."""
        return [plan.best for plan in self.distinct_plans]

    @cached_property
    def county_sites(self) -> tuple[str, ...]:
        """Ids of the sites that the plans of the counties (or the one of the city) open, sorted."""
        return tuple(sorted(site for plan in self.proposed_plans for site in plan.sites))

    @cached_property
    def citywide(self) -> SitingPlan | None:
        """The plan of what is counted over the whole city, on top of the counties' plans or in the one plan of the city: see `citywide.programme`."""
        return citywide.programme(self)

    @cached_property
    def chosen(self) -> tuple[str, ...]:
        """Ids of the sites that all plans open, sorted."""
        more = () if self.citywide is None else self.citywide.sites
        return tuple(sorted({*self.county_sites, *more}))

    @cached_property
    def planned_facilities(self) -> GeoDataFrame:
        """The facilities with the sites of every county's plan opened.

        A home that is opened or rebuilt brings medical care in the house, as the policy asks, unless its row says no; beds are
        converted and demonstration sites marked as the plans decide.
        """
        opened = self.candidates.loc[list(self.chosen)]
        added = opened.rename_axis(FACILITIES.index).assign(status="open", opens_on=pd.NaT)
        homes = added["kind"].isin(self.policy.home_kinds) & added["has_medical"].isna()
        added["has_medical"] = added["has_medical"].astype(object).mask(homes, other=True)
        keep = added.columns.intersection([*self.facilities.columns, "upgrade_of"])
        return citywide.applied(self, pd.concat([self.facilities, added[keep]]).sort_index())

    # --- outputs --------------------------------------------------------------------------------------------------

    def _county_of(self, plan: SitingPlan) -> str | None:
        for county_id, own in self._plans.items():
            if own is plan:
                return county_id
        raise UnknownIdError("this plan is of another study: draw it with the study that proposed it")

    @cached_property
    def findings(self) -> Findings:
        """All that an output may say about the whole city; `.of_county(id)` narrows it."""
        from sy_coverage.study.results.gather import gather  # noqa: PLC0415

        return gather(self)

    @cached_property
    def presented(self) -> Findings:
        """The findings with what stands beside each plan: alternatives, sensitivity, closures (see `[compare]`)."""
        from sy_coverage.study.plans.beside import extras  # noqa: PLC0415

        return replace(self.findings, extras=extras(self))

    def map(self, plan: SitingPlan | str | None = None) -> Map:
        """Return the interactive map of the city, or of the county that `plan` (or its county id) is for.

        A county's map opens the sites of its own plan only, and says so; no other county is planned for it. Without `plan` the map
        opens those of every county. It shows itself in Jupyter; `.save("map.html")` writes one self-contained file, `.embed()` gives an iframe.

        Raises
        ------
        UnknownIdError
            If there is no such county, or `plan` is of another study.
        """
        from sy_coverage.outputs import maps  # noqa: PLC0415

        if isinstance(plan, str):
            require_ids([plan], self.counties, "county")
            if self.policy.readings.scope == "city":
                return maps.draw(self.findings.of_county(plan))
            plan = self.propose(plan)
        if plan is None:
            return maps.draw(self.findings)
        county_id = self._county_of(plan)
        found = self._opening(plan, county_id).findings
        return maps.draw(found if county_id is None else found.of_county(county_id))

    def _opening(self, plan: SitingPlan, county_id: str | None) -> Study:
        """Return this study as it stands when only `plan` is carried out; no other plan is worked out."""
        other = self.but()
        other.plans = dict.fromkeys(self.counties, plan) if county_id is None else {county_id: plan}
        return other

    def save(
        self, folder: str | os.PathLike[str] | None = None, *, counties: tuple[str, ...] | None = None
    ) -> Path:
        """Write everything into `folder` (default: the study's own `output`) and return it.

        Raises
        ------
        CannotWriteError
            If the folder cannot be written; every file under a final name is whole.
        """
        from sy_coverage.study.results.save import save  # noqa: PLC0415

        return save(
            self, Path(self.path(self.config.study.output) if folder is None else folder), counties=counties
        )


def read_study(
    path: str | os.PathLike[str],
    *,
    progress: Progress = silent,
    offline: bool = False,
    databases: bool | None = None,
) -> Study:
    """Return the study that a study file describes; with `offline` nothing leaves this machine.

    Databases are asked where it is not offline, or as `databases` says.

    Raises
    ------
    MissingFileError
        If the file is not there.
    ConfigError
        If it has unknown keys or values that are not allowed.
    """
    folder = Path(path).resolve().parent
    return Study(read_config(path), folder, progress=progress, offline=offline, databases=databases)


def sample_study(*, language: str | None = None, progress: Progress = silent) -> Study:
    """Return the shipped Shaoyang sample; its facilities and roads are modelled, and every output says so."""
    study = read_study(_files.sample_folder() / "study.toml", progress=progress)
    if language is None:
        return study
    about = study.config.study.model_copy(update={"language": language})
    return Study(study.config.model_copy(update={"study": about}), study.folder, progress=progress)
