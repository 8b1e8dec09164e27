"""Plan each county or the city, set alternatives beside the plans, and say where things stand once they are carried out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sy_coverage import siting
from sy_coverage.study.plans import alternatives, citywide
from sy_coverage.study.steps import places as read
from sy_coverage.study.steps import rules
from sy_coverage.study.steps.memory import Memory, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.siting import SitingPlan
    from sy_coverage.study.answers.asked import Asked
    from sy_coverage.study.answers.ground import Ground
    from sy_coverage.study.answers.lists import Lists
    from sy_coverage.study.answers.reach import Reach
    from sy_coverage.study.answers.standing import Standing
    from sy_coverage.study.config.questions.compare import Compare

    Scope = str | None
    Tables = Mapping[str, DataFrame]

_BOTH = ["scope", "value_today", "value_planned", "target", "met_today", "met_planned", "needed", "basis"]


@dataclass(frozen=True, eq=False)
class Planned:
    """The plans of a study and what they come to."""

    asked: Asked
    ground: Ground
    lists: Lists
    reach: Reach
    standing: Standing
    made: Callable[[SitingPlan], None]
    """Who is told of each plan."""

    @property
    def memory(self) -> Memory:
        """What is known of the study so far."""
        return self.asked.memory

    @Step
    def case(self) -> Mapping[str, Any]:
        """All that planning may look at, over the whole city: the arguments of `siting.policy_plan`."""
        stand = {"facilities": self.lists.open_facilities, "candidates": self.reach.candidates}
        return {
            "units": self.ground.units,
            "facilities": self.lists.facilities,
            "candidates": self.reach.candidates[self.reach.candidates.geometry.notna()],
            "demand": self.lists.clustered,
            "policy": self.ground.policy,
            "times": dict(self.reach.times),
            "between_homes": self.reach.between_homes,
            "to_medical": self.reach.to_medical,
            "rules": citywide.plan_rules(self.asked.config, self.ground.policy, **stand),
            "options": siting.SolveOptions(time_limit_s=self.asked.config.siting.time_limit_s),
        }

    @Step
    def task(self) -> tuple[dict[str, Any], Compare]:
        """All that a worker needs for the plan of any county and what stands beside it: `case`, and what `[compare]` asks."""
        return dict(self.case), self.asked.config.compare.model_copy()

    def propose(self, county_id: str | None = None) -> SitingPlan:
        """Return the proved plan for one county, by its id or name, or (None) one plan for the whole city.

        Raises
        ------
        UnknownIdError
            If no unit lies in such a county.
        """
        own = None if county_id is None else read.county_id_of(county_id, self.ground.counties)
        plan = self.asked.memory.get(("plan", own), lambda: self._plan(own))
        self.made(plan)
        return plan

    def _plan(self, county_id: str | None) -> SitingPlan:
        options = replace(self.case["options"], progress=getattr(self.asked.told, "tell", None))
        plan = alternatives.plan_county({**self.case, "options": options}, county_id)
        return alternatives.spoken(plan, self.asked.config.study.language)

    @property
    def scopes(self) -> list[Scope]:
        """What is planned by itself: every county by its id (or those asked for), or (None) the whole city at once."""
        if self.ground.policy.readings.scope == "city":
            return [None]
        asked = self.asked.memory.around("counties")
        return list(self.ground.counties if asked is None else asked)

    @property
    def asked_counties(self) -> tuple[str, ...] | None:
        """The counties that are planned, where not all are."""
        asked: tuple[str, ...] | None = self.asked.memory.around("counties")
        return asked

    def adopt(
        self, plans: Mapping[Scope, SitingPlan], compared: Mapping[Scope, Tables] | None = None
    ) -> None:
        """Take plans, by county id or None, and what stands beside them, worked out from this study's `case` elsewhere.

        What they were made from did not travel with them: it is taken from this study when `siting.verify` or another asks.
        """
        for scope, plan in plans.items():
            whole = alternatives.with_case(plan, self.case, scope, language=self.asked.config.study.language)
            self.asked.memory.put(("plan", scope), whole, like=("case",))
        self.task  # noqa: B018  what they were made from is read of this study
        for scope, tables in (compared or {}).items():
            self.asked.memory.put(("beside", scope), dict(tables), like=("task",))

    @Step
    def plans(self) -> Mapping[str, SitingPlan]:
        """The plan of every county by `county_id`; with scope ``city`` the one plan of the city, under each of them."""
        given: dict[str, SitingPlan] | None = self.asked.memory.around("plans")
        if given is not None:
            return given
        known = self.known_plans
        waiting = [scope for scope in self.scopes if scope not in known]
        if waiting:
            with self.asked.progress(
                "plans" if None not in waiting else "plan_of_city", total=len(waiting)
            ) as advance:
                for scope in waiting:
                    self.propose(scope)
                    advance()
        if None in self.scopes:
            return dict.fromkeys(self.ground.counties, self.propose(None))
        return {county_id: self.propose(county_id) for county_id in self.scopes if county_id is not None}

    @property
    def known_plans(self) -> dict[Scope, SitingPlan]:
        """The plans that were worked out or adopted so far, by county id or None."""
        known = self.asked.memory.known("plan").items()
        return {scope if scope is None else str(scope): plan for (_, scope), plan in known}

    @property
    def distinct_plans(self) -> list[SitingPlan]:
        """Every plan once."""
        return list({id(plan): plan for plan in self.plans.values()}.values())

    @property
    def proposed_plans(self) -> list[SitingPlan]:
        """Every plan once; where targets cannot all be met, the best plan that can be had meanwhile."""
        return [plan.best for plan in self.distinct_plans]

    @Step
    def compared(self) -> Mapping[Scope, Tables]:
        """What stands beside each plan, by county id or None: see `alternatives.compared`."""
        known = {scope for _, scope in self.asked.memory.known("beside")}
        found: dict[Scope, Tables] = {scope: self._beside(scope) for scope in self.scopes if scope in known}
        waiting = [scope for scope in self.scopes if scope not in known]
        if waiting:
            with self.asked.progress("compared", total=len(waiting)) as advance:
                for scope in waiting:
                    found[scope] = self._beside(scope)
                    advance()
        return {scope: found[scope] for scope in self.scopes}

    def _beside(self, scope: Scope) -> Tables:
        def work_out() -> Tables:
            return alternatives.compared(self.case, scope, self.propose(scope), self.asked.config.compare)

        return self.asked.memory.get(("beside", scope), work_out)

    @Step
    def other_scope(self) -> DataFrame:
        """What each county would build with the other scope of the coverage rates: see `alternatives.other_scope`."""
        with self.asked.progress("other_scope"):
            return alternatives.other_scope(self.case, self.ground.counties)

    @Step
    def county_sites(self) -> tuple[str, ...]:
        """Ids of the sites that the plans of the counties (or the one of the city) open, sorted."""
        return tuple(sorted(site for plan in self.proposed_plans for site in plan.sites))

    @Step
    def citywide(self) -> SitingPlan | None:
        """The plan of what is counted over the whole city, on top of the counties' plans, or the one plan of the city.

        None where there is no such thing. Where one plan decides all of the city, it decides this too (but for what no choice
        of sites could meet).
        """
        asked, policy = self.asked.config.siting, self.ground.policy
        if rules.in_one_model(policy):
            best = self.propose(None).best
            decides = (best.figures.demonstration, best.figures.conversions)
            return best if any(table is not None for table in decides) else None
        shown = rules.criteria(asked, policy)
        of_whole = set(self.plans) == set(self.ground.counties) and not self.asked.is_part
        if not (of_whole and citywide.targets_of_city(policy, shown)):
            return None
        kinds = rules.marked_kinds(policy)
        own = citywide.eligible_candidates(
            self.reach.candidates, list(self.county_sites), kinds & set(policy.station_kinds)
        )
        minutes = {k: t for k, t in self.reach.times.items() if k in set(own["kind"])}
        for kind in sorted((kinds if shown else set()) - set(minutes)):
            minutes[kind] = self.reach.minutes_to(kind)
        with self.asked.progress("citywide"):
            return citywide.programme(
                self.ground.units,
                self.lists.facilities,
                own,
                self.lists.demand,
                policy=policy,
                asked=asked,
                times=minutes,
                shown=shown,
                date=self.asked.config.study.date,
            )

    @Step
    def conversions(self) -> DataFrame:
        """The beds of each home that the plans turn into nursing beds, the city's plan before the counties'."""
        return citywide.conversions(self.proposed_plans if self.citywide is None else [self.citywide])

    @property
    def demonstration(self) -> DataFrame | None:
        """The sites that are to show the way, if a plan of the city chooses any."""
        return None if self.citywide is None else self.citywide.figures.demonstration

    @Step
    def chosen(self) -> tuple[str, ...]:
        """Ids of the sites that all plans open, sorted."""
        more = () if self.citywide is None else self.citywide.sites
        return tuple(sorted({*self.county_sites, *more}))

    @Step
    def planned_facilities(self) -> GeoDataFrame:
        """The facilities with the sites of every county's plan opened, beds converted and demonstration sites marked."""
        closed = {i for plan in self.proposed_plans for i in plan.figures.closed}
        stays = self.lists.facilities[~self.lists.facilities.index.isin(closed)]
        standing = citywide.opened(stays, self.reach.candidates, self.chosen, self.ground.policy)
        return citywide.applied(
            standing, converted=self.conversions, shown=self.demonstration, policy=self.ground.policy
        )

    @Step
    def coverage_planned(self) -> GeoDataFrame:
        """Where each unit stands with the sites of every county's plan opened."""
        return self.standing.coverage_with(self.planned_facilities, self.ground.centre_kind)

    @Step
    def scorecard(self) -> DataFrame:
        """Every target of the policy, today and with the plan: `value_today`, `value_planned`, `target`, `met_today`, …."""
        return self._both_scorecards(self.standing.scorecard_today)

    def scorecard_of(self, scope_ids: Collection[str]) -> DataFrame:
        """Return the rows of `scorecard` of some places only, counties or ``city``; no others are counted."""
        return self._both_scorecards(
            self.standing.scorecard_with(self.lists.facilities, self.standing.coverage, scope_ids), scope_ids
        )

    def _both_scorecards(self, today: DataFrame, scope_ids: Collection[str] | None = None) -> DataFrame:
        planned = self.standing.scorecard_with(self.planned_facilities, self.coverage_planned, scope_ids)
        both = today.rename(columns={"value": "value_today", "met": "met_today"}).join(
            planned[["value", "met"]].rename(columns={"value": "value_planned", "met": "met_planned"}),
            validate="one_to_one",
        )
        return both[[*_BOTH, *both.columns.difference(_BOTH, sort=False)]]
