"""Hold what every layer of a map needs to know: findings, words, points in time, and how geometry is made light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pandas import Series

from sy_coverage.outputs.maps.basis import geometry as light
from sy_coverage.outputs.maps.basis.words import Words, is_missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geopandas import GeoDataFrame

    from sy_coverage.outputs.findings import Findings

NEVER = -1
"""The point in time of what never happens."""


@dataclass(frozen=True)
class Budget:
    """How many vertices a page may spend on each of its parts, so that its file stays small."""

    units: int
    roads: int
    catchments: int
    water: int


MANY_COUNTIES = Budget(units=60_000, roads=160_000, catchments=120_000, water=40_000)
ONE_COUNTY = Budget(units=20_000, roads=70_000, catchments=40_000, water=15_000)
"""With 12,000 villages a page of these stays below 8 and 3 megabytes."""


@dataclass(frozen=True)
class Reach:
    """The minutes of every village to its nearest centre, that centre, and whether it is within the cutoff, at every point in time."""

    minutes: list[Series]
    centres: list[Series]
    within: list[Series]
    elders: Series

    @classmethod
    def of(cls, findings: Findings, years: tuple[int, ...], last: int) -> Reach | None:
        """Return the reach of `findings`, or None where they do not hold it for every year."""
        demand = findings.demand
        named = ["", *(f"_{year}" for year in years)]
        # the last point in time is the whole plan, whatever it is called
        named = [*named[:last], "_planned"]
        if any(f"nearest{name}_min" not in demand.columns for name in named):
            return None
        nothing = Series(None, index=demand.index, dtype=object)
        return cls(
            minutes=[demand[f"nearest{name}_min"] for name in named],
            centres=[demand.get(f"nearest{name}_id", nothing) for name in named],
            within=[demand[f"covered{name}"].fillna(value=False).astype(bool) for name in named],
            elders=demand[
                findings.policy.readings.elders if findings.policy.readings.elders in demand else "elders"
            ],
        )

    def elders_within(self, state: int) -> float:
        """Return how many elders are within the cutoff at a point in time."""
        return float(self.elders[self.within[state]].sum())


@dataclass(frozen=True)
class Frame:
    """What every layer needs to know: the findings, the words, the points in time, and how geometry is made light."""

    findings: Findings
    words: Words
    years: tuple[int, ...]
    """Years in which sites open; empty when the plan has no phases."""
    last: int
    """Index of the last point in time, the whole plan; 0 is today, 1… the years."""
    bounds: tuple[float, float, float, float]
    tolerance: float
    budget: Budget
    shift: light.Shift | None
    units: GeoDataFrame
    """The units by id, simplified together and shifted."""
    reach: Reach | None
    """Who is within reach at every point in time; None where the findings do not say for the years between."""

    @classmethod
    def of(cls, findings: Findings, shift: light.Shift | None) -> Frame:
        """Return the frame of `findings`."""
        phases = findings.proposals["phase"]
        years = tuple(sorted({int(p) for p in phases.dropna()}))
        # sites without a year open at the end: then the whole plan is one point in time more
        last = max(len(years) + int(phases.isna().any() or not years), 1)
        # without sites every point in time is today, but before and after can still be looked at
        west, south, east, north = (float(v) for v in findings.units.total_bounds)
        bounds = (west, south, east, north)
        tolerance = light.tolerance_for(bounds)
        units = findings.units.sort_index()
        budget = MANY_COUNTIES if len(findings.counties) > 1 else ONE_COUNTY
        shapes = light.simplified_coverage(units.geometry, tolerance=tolerance, vertices=budget.units)
        units = units.set_geometry(light.shifted(shapes, shift), crs=units.crs)
        reach = Reach.of(findings, years, last)
        return cls(findings, Words.of(findings), years, last, bounds, tolerance, budget, shift, units, reach)

    def states(self) -> list[str]:
        """Return the names of the points in time."""
        named = [self.words.say("state_today")]
        named += [self.words.say("state_year", year=year) for year in self.years]
        return named + [self.words.say("state_plan")] * (self.last + 1 - len(named))

    def state_ids(self) -> list[str]:
        """Return what the points in time are called in a link: ``today``, the years, ``plan``."""
        ids = ["today", *map(str, self.years)]
        return ids + ["plan"] * (self.last + 1 - len(ids))

    def status_key(self, name: str) -> str:
        """Return the label of a unit's status: of its centre, or of the policy's measure where that is another."""
        return f"status_{name}" if self.findings.policy.readings.rule == "presence" else f"standing_{name}"

    def opens(self, phase: Any) -> int:
        """Return the point in time from which a site of this phase is open."""
        return self.last if is_missing(phase) else 1 + self.years.index(int(phase))

    def points(self, frame: GeoDataFrame) -> Iterator[tuple[str, dict[str, Any], list[int]]]:
        """Yield (id, row, steps) of the rows that have a point, by id."""
        placed = frame[frame.geometry.notna() & ~frame.geometry.is_empty].sort_index()
        whole = shapely.get_coordinates(light.shifted(placed.geometry, self.shift))
        whole = np.rint(whole * light.STEPS_PER_DEGREE).astype("int64").tolist()
        rows = placed.drop(columns=placed.geometry.name).to_dict("records")
        for row_id, row, at in zip(placed.index, rows, whole, strict=True):
            yield str(row_id), row, at


def layer(layer_id: str, group: str, kind: str, name: str, **rest: Any) -> dict[str, Any]:
    """Return one layer as the page reads it; a field of which nothing is known anywhere has no name."""
    if "fields" in rest and "features" in rest:
        values = [feature.get("v", []) for feature in rest["features"]]
        known = [
            any(len(row) > n and row[n] is not None for row in values) for n in range(len(rest["fields"]))
        ]
        rest["fields"] = [field if there else "" for field, there in zip(rest["fields"], known, strict=True)]
    return {"id": layer_id, "group": group, "type": kind, "name": name, "on": True} | rest


def counted_kinds(frame: Frame) -> set[str]:
    """Return the kinds whose presence makes a unit count as covered."""
    targets = frame.findings.policy.targets
    return {t.measure.facility_kind for t in targets if t.measure.of == "unit_coverage"}


def symbol_of(frame: Frame, kind: str) -> dict[str, str]:
    """Return the symbol and colour of a kind of facility."""
    known = frame.findings.policy.kinds.get(kind)
    return {"symbol": known.symbol, "colour": known.colour} if known else {"symbol": "circle", "colour": "#555555"}  # fmt: skip


def kinds_in_order(frame: Frame, kinds: Series) -> list[str]:
    """Return the kinds that occur, in the policy's order, those it does not know last."""
    there = {str(k) for k in kinds.dropna()}
    known = [k for k in frame.findings.policy.kinds if k in there]
    return known + sorted(there - set(known))
