"""Ask a second solver for the least cost and the most elders of county plans, in a model written again from the rules' words.

    pip install ortools
    python scripts/check_against_cpsat.py [--questions 6] [--seed 1] [COUNTY_ID ...]

Nothing of the planning room is used but `siting.policy_plan`, whose answers are compared: who counts, who reaches what, which
sites exclude each other are read here from the frames with pandas, and CP-SAT (a solver by clauses, not by linear programs)
answers in whole numbers. The frames are those of the sample as the tests keep it. Each county is asked its plain question, then
`--questions` others drawn at random from what a planner can say: forbid, require, close, sizes of one place, slack over least
cost, a worst travel time, a running budget, beds for a share of the elders. Exit code 1 where an answer differs.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from ortools.sat.python import cp_model

from sy_coverage import siting
from sy_coverage.errors import CoverageError
from tests.siting import frozen_sample

TENTHS = 10  # costs are counted in tenths of 10⁴ yuan, beds in hundredths: whole numbers
HUNDREDTHS = 100


class SecondModel:
    """One county's question as CP-SAT reads it."""

    def __init__(self, asked: dict[str, Any], county_id: str) -> None:
        self.asked, self.county_id = asked, county_id
        self.policy, self.rules = asked["policy"], asked["rules"]
        self.units, self.demand = asked["units"], asked["demand"]
        facilities, candidates = asked["facilities"], asked["candidates"]
        opens = pd.to_datetime(facilities["opens_on"])
        late = opens.notna() & (opens > pd.Timestamp(self.rules.date))
        state = facilities["status"].isin(["open", "planned"]) & ~late
        self.standing = facilities[state & (facilities["status"].ne("planned") | opens.notna())]
        self.sites = candidates[candidates.geometry.notna()].sort_index()
        self.model = cp_model.CpModel()
        self.open = {i: self.model.new_bool_var(i) for i in self.sites.index}
        self.stays = {i: self.model.new_bool_var(f"stays {i}") for i in self.rules.close}
        self.build()

    def is_open(self, facility_id: str) -> Any:
        """Return the variable of a facility that may close, or 1."""
        return self.stays.get(facility_id, 1)

    def build(self) -> None:
        """Write every rule down."""
        rules = self.rules
        for i in rules.require:
            self.model.add(self.open[i] == 1)
        for i in rules.forbid:
            self.model.add({**self.open, **self.stays}[i] == 0)
        for i in self.sites.index[self.sites["required"].eq(True)]:
            self.model.add(self.open[i] == 1)
        self.hosts_and_groups()
        self.presence()
        self.counts()
        self.homes_apart_and_near_care()
        self.elders_within()
        if rules.running_budget is not None:
            running = self.sites["running_cost"].fillna(0.0)
            self.model.add(
                sum(round(TENTHS * c) * self.open[i] for i, c in running.items())
                <= int(TENTHS * rules.running_budget)
            )
        if rules.beds_per_elder is not None:
            self.beds()
        saved = sum(round(TENTHS * s) * (1 - self.stays[i]) for i, s in rules.close.items())
        self.cost = sum(round(TENTHS * c) * self.open[i] for i, c in self.sites["cost"].items()) - saved

    def hosts_and_groups(self) -> None:
        """A ward opens in an open home; a home is rebuilt once a kind; one size of a place opens."""
        for i, host in self.sites["host_id"].dropna().items():
            if host in self.open:
                self.model.add(self.open[i] <= self.open[host])
            elif host in self.stays:
                self.model.add(self.open[i] <= self.stays[host])
        rebuilt = self.sites[self.sites["upgrade_of"].notna()]
        for _, same in rebuilt.groupby(["upgrade_of", "kind"]):
            self.model.add(sum(self.open[i] for i in same.index) <= 1)
        if "group_id" in self.sites:
            for _, same in self.sites[self.sites["group_id"].notna()].groupby("group_id"):
                self.model.add(sum(self.open[i] for i in same.index) <= 1)

    def presence(self) -> None:
        """Streets and townships with a centre reach their shares."""
        centres = self.standing[self.standing["kind"].eq("service_centre")]
        for kind, share in (("street", (1, 1)), ("township", (65, 100))):
            covered = []
            for unit_id in self.units.index[self.units["kind"].eq(kind)]:
                here = [self.is_open(i) for i in centres.index[centres["unit_id"].eq(unit_id)]]
                here += [
                    self.open[i]
                    for i, s in self.sites.iterrows()
                    if s["kind"] == "service_centre" and s["unit_id"] == unit_id
                ]
                has = self.model.new_bool_var(f"centre in {unit_id}")
                self.model.add(has <= sum(here))
                covered.append(has)
            needed = -(-share[0] * len(covered) // share[1])
            self.model.add(sum(covered) >= needed)

    def counts(self) -> None:
        """One dementia unit, two regional homes, and a rebuilt home where the policy names the county."""
        own = self.standing[self.standing["county_id"].eq(self.county_id)]
        gone = self.sites["upgrade_of"].dropna()
        for kind, needed in (("dementia_unit", 1), ("regional_home", 2)):
            ward = own["dementia_ward"].eq(True) & (kind == "dementia_unit")
            there = []
            for i in own.index[own["kind"].eq(kind) | ward]:
                rebuilds = [self.open[j] for j, of in gone.items() if of == i]
                counts = self.model.new_bool_var(f"{i} counts as {kind}")
                self.model.add(counts <= self.is_open(i))
                for other in rebuilds:
                    self.model.add(counts + other <= 1)
                there.append(counts)
            warded = set(own.index[ward])
            there += [
                self.open[i]
                for i, s in self.sites.iterrows()
                if s["kind"] == kind and s["host_id"] not in warded
            ]
            self.model.add(sum(there) >= needed)
        target = next(t for t in self.policy.targets if t.id == "regional_home_upgrades")
        name = self.units["county"].iloc[0]
        if name in target.counties:
            done = own["kind"].eq("regional_home") & own["premises"].eq("upgrade")
            rebuilt = self.sites["kind"].eq("regional_home") & self.sites["upgrade_of"].notna()
            built = [self.open[i] for i in self.sites.index[rebuilt]]
            self.model.add(sum(built) + sum(self.is_open(i) for i in own.index[done]) >= 1)

    def homes_apart_and_near_care(self) -> None:
        """Regional homes lie apart, homes lie near medical care."""
        minutes = self.pairs(self.asked["between_homes"])
        kinds = {**self.standing["kind"].to_dict(), **self.sites["kind"].to_dict()}
        county = {**self.standing["county_id"].to_dict(), **self.sites["county_id"].to_dict()}
        rebuilt = self.sites["upgrade_of"].to_dict()
        for a, b, m in minutes:
            near = m < self.rules.spread_min - 1e-9 and a != b
            if not near or kinds.get(a) != kinds.get(b) or a not in kinds or county[a] != county[b]:
                continue
            if rebuilt.get(a) == b or rebuilt.get(b) == a or (a in self.stays and b in self.stays):
                continue
            if a in self.open or b in self.open:
                here = [self.open[i] if i in self.open else self.is_open(i) for i in (a, b)]
                self.model.add(sum(here) <= 1)
        care = self.pairs(self.asked["to_medical"])
        nearest: dict[str, float] = {}
        for a, b, m in care:
            for i in (a, b):
                nearest[i] = min(m, nearest.get(i, np.inf))
        for i, kind in self.sites["kind"].items():
            if kind in self.policy.home_kinds and nearest.get(i, np.inf) > self.rules.medical_min + 1e-9:
                self.model.add(self.open[i] == 0)

    @staticmethod
    def pairs(times: Any) -> list[tuple[str, str, float]]:
        """Return every known pair of a matrix of minutes."""
        coo = times.minutes.tocoo()
        return [
            (times.site_ids[r], times.demand_ids[c], float(m))
            for r, c, m in zip(coo.row, coo.col, coo.data, strict=True)
        ]

    def near(self, kind: str) -> dict[str, list[tuple[str, float, bool]]]:
        """Return by village the open or possible sites of a kind, the minutes, and whether they are within its cutoff."""
        cutoffs = self.policy.kind(kind).cutoff_min
        unit_kind = self.demand["unit_id"].map(self.units["kind"])
        usable = {*self.standing.index[self.standing["kind"].eq(kind)], *self.sites.index}
        reached: dict[str, list[tuple[str, float, bool]]] = {i: [] for i in self.demand.index}
        for site, village, m in self.pairs(self.asked["times"][kind]):
            if village in reached and site in usable:
                limit = getattr(cutoffs, str(unit_kind[village]), None) or cutoffs[unit_kind[village]]
                reached[village].append((site, m, m <= limit + 1e-9))
        return reached

    def elders_within(self) -> None:
        """Count whom a centre reaches, and keep the worst travel time."""
        reached, elders = self.near("service_centre"), self.demand["elders"].fillna(0)
        counted = []
        for village, sites in reached.items():
            if not elders[village]:
                continue
            ways = [self.open[i] if i in self.open else self.is_open(i) for i, _, within in sites if within]
            served = self.model.new_bool_var(f"{village} served")
            self.model.add(served <= sum(ways))
            counted.append(int(elders[village]) * served)
            if self.rules.worst_min is not None:
                close = [
                    self.open[i] if i in self.open else self.is_open(i)
                    for i, m, _ in sites
                    if m <= self.rules.worst_min + 1e-9
                ]
                self.model.add(sum(close) >= 1)
        self.elders = sum(counted)

    def beds(self) -> None:
        """A share of the beds that the county's elders need is in reach of them and free."""
        kinds = self.policy.bed_share.measure.kinds
        own = self.standing[self.standing["county_id"].eq(self.county_id) & self.standing["kind"].isin(kinds)]
        room: dict[str, Any] = {i: round(HUNDREDTHS * b) for i, b in own["beds"].fillna(0).items()}
        new = self.sites[self.sites["kind"].isin(kinds)]
        taken: dict[str, list[Any]] = {i: [] for i in [*room, *new.index]}
        needed, given = 0, []
        ways = [self.near(kind) for kind in kinds if kind in self.asked["times"]]
        for village, elders in self.demand["elders"].fillna(0).items():
            need = round(float(elders) * self.rules.beds_per_elder * HUNDREDTHS)
            needed += need
            for i, _, within in (w for near in ways for w in near[village]):
                if within and i in taken and need:
                    flow = self.model.new_int_var(0, need, f"{village} in {i}")
                    taken[i].append(flow)
                    given.append((village, flow))
            here = [f for v, f in given if v == village]
            self.model.add(sum(here) <= need)
        for i, flows in taken.items():
            beds = (
                room[i] * self.is_open(i) if i in room else self.open[i] * round(HUNDREDTHS * new["beds"][i])
            )
            self.model.add(sum(flows) <= beds)
        share = round(self.rules.beds_share * 1000)
        self.model.add(1000 * sum(f for _, f in given) >= share * needed)

    def solve(self, *, seconds: float) -> tuple[float, int] | None:
        """Return the least cost and the most elders of a plan at that cost (or within the slack); None: there is no plan."""
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = seconds
        solver.parameters.num_workers = 1
        self.model.minimize(self.cost)
        if self.proved(solver) is None:
            return None
        least = round(solver.objective_value)
        limit = least if self.rules.slack is None else int(least * (1 + self.rules.slack) + 1e-6)
        self.model.add(self.cost <= limit)
        self.model.maximize(self.elders)
        self.proved(solver)
        most = round(solver.objective_value)
        if self.rules.slack is not None:
            self.model.add(self.elders >= most)
            self.model.minimize(self.cost)
            self.proved(solver)
            least = round(solver.objective_value)
        return least / TENTHS, most

    def proved(self, solver: cp_model.CpSolver) -> bool | None:
        """Solve; None where there is no answer, an error where nothing was proved."""
        status = solver.solve(self.model)
        if status == cp_model.INFEASIBLE:
            return None
        if status != cp_model.OPTIMAL:
            raise TimeoutError(f"CP-SAT proved nothing: {solver.status_name(status)}")
        return True


Draw = Callable[[dict[str, Any], np.random.Generator], dict[str, Any]]


def forbid(asked: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Two sites of the plain plan stay closed."""
    chosen = siting.policy_plan(**asked).sites
    return {"forbid": tuple(rng.choice(chosen, min(2, len(chosen)), False))} if chosen else {}


def require(asked: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Two other sites open in any case."""
    free = sorted(set(asked["candidates"].index) - set(asked["rules"].forbid))
    return {"require": tuple(rng.choice(free, 2, False))}


def close(asked: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Three centres or homes of the county may close."""
    facilities, county = asked["facilities"], asked["units"]["county_id"].iloc[0]
    own = facilities["county_id"].eq(county) & facilities["status"].eq("open")
    may = facilities.index[own & facilities["kind"].isin(["service_centre", "regional_home"])]
    return {"close": {str(i): float(rng.integers(0, 120)) for i in rng.choice(may, min(3, len(may)), False)}}


def group(asked: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Four pairs of sites are sizes of one place."""
    sites = asked["candidates"]
    chosen = rng.choice(sites.index[sites["kind"].eq("service_centre")], 8, False)
    sites["group_id"] = pd.Series(dict(zip(chosen, [f"place {k % 4}" for k in range(8)], strict=True)))
    return {}


def running_budget(asked: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """What opens costs no more than so much a year."""
    asked["candidates"]["running_cost"] = rng.integers(1, 30, len(asked["candidates"])).astype(float)
    return {"running_budget": float(rng.integers(60, 140))}


DRAWN: dict[str, Draw] = {
    "forbid": forbid,
    "require": require,
    "close": close,
    "group": group,
    "running_budget": running_budget,
    "slack": lambda _, rng: {"slack": float(rng.choice([0.02, 0.05, 0.1]))},
    "worst_min": lambda _, rng: {"worst_min": float(rng.choice([20, 25, 30]))},
    "beds": lambda _, rng: {
        "beds_per_elder": float(rng.choice([0.005, 0.01, 0.02])),
        "beds_share": float(rng.choice([0.5, 0.8, 1.0])),
    },
}


def edited(asked: dict[str, Any], names: list[str], rng: np.random.Generator) -> dict[str, Any]:
    """Return the question with the named edits, drawn at random."""
    asked = {**asked, "candidates": asked["candidates"].copy()}
    for name in names:
        asked["rules"] = replace(asked["rules"], **DRAWN[name](asked, rng))
    return asked


def compare(asked: dict[str, Any], county_id: str, label: str, *, seconds: float) -> bool:
    """Print both answers to one question; return whether they agree."""
    began = time.process_time()
    try:
        plan = siting.policy_plan(**asked)
    except CoverageError as error:
        print(f"{county_id} {label:28} refused: {error}")
        return True
    ours = (plan.figures.cost, round(plan.figures.elders_covered)) if plan.status == "optimal" else None
    between = time.process_time()
    theirs = SecondModel(asked, county_id).solve(seconds=seconds)
    ended = time.process_time()
    same = ours == theirs and plan.status in {"optimal", "infeasible"}
    mark = "agree" if same else "DIFFER"
    print(f"{county_id} {label:28} {mark:6} {plan.status:10} ours {ours} second {theirs} "
          f"({between - began:.1f} s, {ended - between:.1f} s CPU)", flush=True)  # fmt: skip
    return same


def main() -> int:
    """Ask every county."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("counties", nargs="*", metavar="COUNTY_ID")
    parser.add_argument("--questions", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=120.0)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    wrong = asked_in_all = 0
    for county_id in given.counties or frozen_sample.expected():
        asked = frozen_sample.arguments(county_id)
        questions = [[]] + [
            sorted(rng.choice(list(DRAWN), int(rng.integers(1, 3)), False)) for _ in range(given.questions)
        ]
        for names in questions:
            question = edited(asked, names, rng)
            label = " + ".join(names) or "plain"
            wrong += not compare(question, county_id, label, seconds=given.seconds)
            asked_in_all += 1
    print(f"{asked_in_all} questions, {wrong} answered differently")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
