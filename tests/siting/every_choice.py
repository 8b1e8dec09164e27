"""Solve small plans with every choice of a planner at once by trying all there is: sites, closures, and the year of each."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import chain, combinations, product
from typing import Any

from tests.siting.policy_toys import POLICY, Road


def _subsets(names: list[str]):
    return chain.from_iterable(combinations(names, n) for n in range(len(names) + 1))


@dataclass
class Choices:
    """A road and what is asked of its plan."""

    road: Road
    rules: dict[str, Any]
    beds: dict[str, float | None] = field(default_factory=dict)
    known: dict[Any, Any] = field(default_factory=dict)

    def get(self, name: str, default: Any = None) -> Any:
        return self.rules.get(name, default)

    # --- one state: what is open at the end of a year -----------------------------------------------------------------

    def worth(self, sites: tuple[str, ...], kept: tuple[str, ...]) -> dict[str, Any] | None:
        """Return what is open then comes to; None where a rule forbids it in any year."""
        if (sites, kept) not in self.known:
            self.known[sites, kept] = self._worth(sites, kept)
        return self.known[sites, kept]

    def _worth(self, sites: tuple[str, ...], kept: tuple[str, ...]) -> dict[str, Any] | None:
        road, move = self.road, self.get("move", {})
        if set(sites) & set(self.get("forbid", ())):
            return None
        groups = [g for s in sites if (g := road.extra.get("group_id", {}).get(s))]
        if len(groups) != len(set(groups)):
            return None
        for facility in road.facilities:
            heirs = [s for s in sites if move.get(s) == facility]
            if len(heirs) > 1 or (heirs and facility in kept):
                return None
            if not heirs and facility not in kept and facility not in self.get("close", {}):
                return None
        state = Road(
            road.units,
            road.villages,
            {f: road.facilities[f] for f in kept},
            road.candidates,
            {k: v for k, v in road.extra.items() if k not in {"group_id", "running_cost", "beds"}},
            road.homes,
        )
        value = state.value(sites, rule=self.get("rule", "presence"), spread=self.get("spread_min"))
        if value is None:
            return None
        km = road.kilometres()
        open_ = [*kept, *sites]
        centres = [km[s] for s in open_ if road.kind_of(s) == "service_centre"]
        every = [km[s] for s in km if road.kind_of(s) == "service_centre"]
        cap = max((abs(x - c) for x, _ in road.villages.values() for c in every), default=0.0)
        ways = [min((abs(x - c) for c in centres), default=cap) for x, e in road.villages.values() if e]
        running = sum(Fraction(str(road.extra.get("running_cost", {}).get(s) or 0)) for s in sites)
        return {
            "lacks": value[0],
            "elders": -value[2],
            "longest": max(ways, default=0.0),
            "running": running,
            "sites": sites,
            "kept": kept,
        }

    def holds_at_last(self, state: dict[str, Any]) -> bool:
        """Whether what must hold at the end does, targets aside."""
        kept, forbid, require = state["kept"], self.get("forbid", ()), self.get("require", ())
        must = {*require} <= {*kept, *state["sites"]} and not set(kept) & set(forbid)
        worst, running = self.get("worst_min"), self.get("running_budget")
        near = worst is None or state["longest"] <= worst + 1e-9
        paid = running is None or state["running"] <= Fraction(str(running))
        return must and near and paid and (not self.get("beds_per_elder") or self._housed(state))

    def _housed(self, state: dict[str, Any]) -> bool:
        """Hall's condition: every set of villages finds as many beds in reach as it needs, but for the share that may go without."""
        road, km = self.road, self.road.kilometres()
        rate, share = Fraction(str(self.get("beds_per_elder"))), Fraction(str(self.get("beds_share", 1.0)))
        homes = [i for i in (*state["kept"], *state["sites"]) if road.kind_of(i) == "regional_home"]
        people = {v: (x, Fraction(e)) for v, (x, e) in road.villages.items() if e}
        near = {
            v: {
                h
                for h in homes
                if abs(km[h] - x) <= self._reach(x) + 1e-9 and self._county(h) == self._place(x)
            }
            for v, (x, _) in people.items()
        }
        for some in self._sets_of_one_county(people):
            need = sum(people[v][1] for v in some) * rate
            there = set().union(*(near[v] for v in some))
            county = self._place(people[some[0]][0])
            whole = sum(e for x, e in people.values() if self._place(x) == county) * rate
            if need - sum(Fraction(self.beds_of(h)) for h in there) > (1 - share) * whole:
                return False
        return True

    def _sets_of_one_county(self, people):
        for county in sorted({c for _, c, _, _ in self.road.units.values()}):
            mine = [v for v, (x, _) in people.items() if self._place(x) == county]
            yield from (some for n in range(1, len(mine) + 1) for some in combinations(mine, n))

    def beds_of(self, home: str) -> float:
        own, old = self.beds.get(home), self.get("move", {}).get(home)
        return own if own is not None else (self.beds.get(old) or 0.0) if old else 0.0

    # --- plans --------------------------------------------------------------------------------------------------------

    def best(self) -> tuple[Any, ...] | None:
        """Return what the plan's stages must come to; None where no plan meets the targets."""
        plans = list(self._phased() if self.get("phases") else self._plain())
        if not plans:
            return None
        if self.get("slack") is not None:
            limit = min(p["cost"] for p in plans) * (1 + Fraction(str(self.get("slack"))))
            plans = [p for p in plans if p["cost"] <= limit]
        first = ["longest"] if self.get("prefer") == "worst_min" else []
        if self.get("phases"):
            order = [*first, "elders", "cost", "open"]
        elif self.get("slack") is not None:
            order = [*first, "elders", "cost"]
        else:
            order = ["cost", *first, "elders"]
        sign = {"elders": -1, "open": -1}
        return min(tuple(float(sign.get(k, 1) * p[k]) for k in order) for p in plans)

    def _price(self, site: str) -> Fraction:
        return Fraction(str(self.road.candidates[site][2]))

    def _saved(self, facility: str) -> Fraction:
        return Fraction(str(self.get("close", {}).get(facility, 0)))

    def _plain(self):
        names, facilities = sorted(self.road.candidates), sorted(self.road.facilities)
        for stand in product((True, False), repeat=len(facilities)):
            kept = tuple(f for f, stays in zip(facilities, stand, strict=True) if stays)
            for n in range(len(names) + 1):
                for sites in combinations(names, n):
                    state = self.worth(sites, kept)
                    if state is None or state["lacks"] or not self.holds_at_last(state):
                        continue
                    cost = sum(map(self._price, sites), start=Fraction(0))
                    cost -= sum(self._saved(f) for f in facilities if f not in kept)
                    yield {"cost": cost, "elders": state["elders"], "longest": state["longest"]}

    def _phased(self):
        names, facilities = sorted(self.road.candidates), sorted(self.road.facilities)
        years = sorted(self.get("phases"))
        never = len(years)
        for sites, kept in product(_subsets(names), _subsets(facilities)):
            last = self.worth(sites, kept)
            if last is None or last["lacks"] or not self.holds_at_last(last):
                continue
            gone = [f for f in facilities if f not in kept]
            cost = sum(map(self._price, sites), start=Fraction(0)) - sum(map(self._saved, gone))
            for when in product(range(never), repeat=len(sites) + len(gone)):
                opens, closes = (
                    dict(zip(sites, when, strict=False)),
                    dict(zip(gone, when[len(sites) :], strict=True)),
                )
                states = [
                    self.worth(
                        tuple(s for s in sites if opens[s] <= t),
                        tuple(f for f in facilities if closes.get(f, never) > t),
                    )
                    for t in range(never)
                ]
                if any(s is None for s in states) or not self._affords(years, opens, closes):
                    continue
                open_years = sum(never - t for t in opens.values())
                open_years -= sum(never - t for f, t in closes.items() if f in self.get("close", {}))
                elders = sum(s["elders"] for s in states)
                yield {"cost": cost, "elders": elders, "longest": last["longest"], "open": open_years}

    def _affords(self, years, opens, closes) -> bool:
        paid, phases = self._paid(years, opens, closes), self.get("phases")
        for t, year in enumerate(years):
            number = phases[year].get("sites")
            if number is not None and sum(o == t for o in opens.values()) > number:
                return False
        for place in (None, *phases[years[0]].get("counties", {})):
            left = Fraction(0)
            for t, year in enumerate(years):
                limits = phases[year]
                budget = limits.get("budget") if place is None else limits["counties"][place]
                spent = sum(v for y, c, v in paid if y == t and place in {None, c})
                left = Fraction(str(budget)) + (left if self.get("carry") else 0) - spent
                if left < 0:
                    return False
        return True

    def _paid(self, years, opens, closes) -> list[tuple[int, str, Fraction]]:
        """Return what is paid: in which year, by position, of which county, how much."""
        paid = []
        for site, t in opens.items():
            parts = self.get("paid_over", {}).get(site, 1)
            if t < len(years):
                paid += [(max(0, t - b), self._county(site), self._price(site) / parts) for b in range(parts)]
        paid += [(t, self._county(f), -self._saved(f)) for f, t in closes.items() if t < len(years)]
        return paid

    def _county(self, site: str) -> str:
        return self._place(self.road.kilometres()[site])

    def _reach(self, km: float) -> float:
        """Return how far a home may be from those who live there."""
        return POLICY.kind("regional_home").cutoff_min[self.road.units[self.road.unit_at(km)][0]]

    def _place(self, km: float) -> str:
        return self.road.units[self.road.unit_at(km)][1]

    def without(self, *names: str) -> Choices:
        return replace(self, rules={k: v for k, v in self.rules.items() if k not in names}, known={})
