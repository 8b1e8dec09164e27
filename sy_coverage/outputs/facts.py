"""Say every figure of an output once, under its own id, and how a scope stands against the targets a site can change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from sy_coverage import labels
from sy_coverage.coverage import open_on
from sy_coverage.outputs.text import format as fmt
from sy_coverage.outputs.text import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pandas import DataFrame, Series

    from sy_coverage.outputs.findings import Findings

Form = Literal["count", "share", "minutes", "money", "number"]
STATES = {"today": "", "planned": "_planned"}
"""The two states of every figure, and what its columns end in."""


@dataclass(frozen=True)
class Fact:
    """One figure: its id, its value (None: not known), and how it is written."""

    fact_id: str
    """``<scope_id>.<name>``, such as ``430524.elders_within_planned`` or ``city.target.nursing_bed_share.today``."""
    value: float | None
    form: Form = "count"
    withheld: str = ""
    """What is written instead, where it is known but not said in this edition."""
    goal: float | None = None
    """Of a share that a target asks for: what is short of it never reads as it."""

    @property
    def text(self) -> str:
        """Return the figure as every output writes it; empty where it is not known."""
        if self.value is None:
            return self.withheld
        if self.form == "share":
            return fmt.share(self.value, goal=self.goal)
        if self.form == "minutes":
            return fmt.minutes(self.value)
        if self.form == "count":
            return fmt.number(self.value)
        return fmt.money([self.value])[0]


@dataclass(frozen=True)
class Rate:
    """How one target that a site can change stands in a scope."""

    target_id: str
    name: str
    today: Fact
    planned: Fact
    goal: Fact
    """Of a county the target's value; of a city of several counties, how many of them the target speaks of."""
    met_today: bool
    met_planned: bool
    of_counties: bool = False
    """Whether the three figures count counties, and not what the target measures."""


@dataclass(frozen=True)
class Headline:
    """The first line of a map, a summary or a proposal."""

    counts: Literal["counties", "targets"]
    """What is counted: counties that meet every target that a site can change, or (in one county) such targets."""
    today: Fact
    planned: Fact
    whole: Fact
    rates: tuple[Rate, ...]
    """The targets behind it, in the policy's order."""
    reported: tuple[str, ...]
    """Names of targets that an office reports."""
    unknown: tuple[str, ...]
    """Names of targets of which nothing is known today."""
    others: tuple[str, ...]
    """Names of targets that are computed, but that no site can change."""

    @property
    def is_met(self) -> bool:
        """Return whether with the plan everything that a site can change is met."""
        return self.planned.value == self.whole.value


@dataclass
class Facts:
    """Every figure of one scope, worked out once."""

    findings: Findings
    _known: dict[str, Fact] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Fact:
        """Return the figure called `name` of this scope.

        Raises
        ------
        KeyError
            If there is no such figure.
        """
        return self.by_name[name]

    @property
    def by_name(self) -> Mapping[str, Fact]:
        """Return every figure of this scope by its name."""
        if not self._known:
            self._known.update({name: self._fact(name, *rest) for name, *rest in _figures(self.findings)})
        return self._known

    def _fact(self, name: str, value: Any, form: Form = "count", goal: float | None = None) -> Fact:
        silent = form == "money" and self.findings.edition == "public"
        withheld = labels.text("outputs.withheld", self.findings.language) if silent else ""
        known = float(value) if fmt.known(value) else None
        return Fact(f"{self.findings.scope_id}.{name}", known, form, withheld, goal)

    def table(self) -> DataFrame:
        """Return every figure as a frame: index `fact_id`; `value`, `form`, `text`."""
        rows = [(f.fact_id, f.value, f.form, f.text) for f in self.by_name.values()]
        return pd.DataFrame(rows, columns=["fact_id", "value", "form", "text"]).set_index("fact_id")

    def headline(self) -> Headline:
        """Return how this scope stands against every computed target that a site can change."""
        findings = self.findings
        rows = _rows(findings)
        rates = tuple(self._rate(row) for row in _rates(findings).to_dict("records"))
        names = rows.drop_duplicates("target_id").set_index("target_id")["name"]

        def named(chosen: Series) -> tuple[str, ...]:
            return tuple(names[target] for target in dict.fromkeys(rows.loc[chosen, "target_id"]))

        left = ~rows["by_sites"] & (rows["basis"] != "not_applicable")
        return Headline(
            counts="counties" if _is_of_counties(findings, rows) else "targets",
            today=self["met_today"],
            planned=self["met_planned"],
            whole=self["met_of"],
            rates=rates,
            reported=named(left & (rows["basis"] == "reported")),
            unknown=named(left & (rows["basis"] == "unknown")),
            others=named(left & (rows["basis"] == "computed")),
        )

    def _rate(self, row: Mapping[Any, Any]) -> Rate:
        name = f"target.{row['target_id']}"
        today, planned, goal = (self[f"{name}.{part}"] for part in ("today", "planned", "goal"))
        verdicts = (row["met_today"], row["met_planned"], row["of_counties"])
        return Rate(row["target_id"], row["name"], today, planned, goal, *verdicts)


def _figures(findings: Findings) -> Iterator[tuple[Any, ...]]:
    """Yield name, value, form and goal of every figure of a scope, the last two where they are not those of a count."""
    units, proposals = findings.units, findings.proposals
    counted = units["kind"].isin(findings.policy.counted_unit_kinds)
    elders = float(units["elders"].sum())
    yield "counties", len(findings.counties)
    yield "units", len(units)
    yield "units_counted", int(counted.sum())
    yield "elders", elders
    yield "homes", len(findings.demand)
    yield "sites", len(proposals)
    yield "cost", fmt.total(proposals["cost"]), "money"
    for state, suffix in STATES.items():
        within = fmt.total(units[f"elders_covered{suffix}"])
        yield (
            f"units_covered_{state}",
            int((units[f"covered{suffix}"].fillna(value=False).astype(bool) & counted).sum()),
        )
        yield (
            f"units_with_centre_{state}",
            int(units[f"has_centre{suffix}"].fillna(value=False).astype(bool).sum()),
        )
        yield f"elders_within_{state}", within
        yield f"share_within_{state}", within / elders if within is not None and elders > 0 else None, "share"
        reached = units["elders"] - units[f"elders_unreached{suffix}"].fillna(0.0)
        known = float(reached.sum())
        minutes = float((units[f"nearest_mean_min{suffix}"].fillna(0.0) * reached).sum())
        yield f"minutes_{state}", minutes / known if known > 0 else None, "minutes"
        yield f"elders_reached_{state}", known
        yield f"share_reached_{state}", known / elders if elders > 0 else None, "share"
    for state, suffix in STATES.items():
        for name, value in _classes(findings, suffix).items():
            yield f"elders_{name}_{state}", value
    totals = [fmt.total(units[f"elders_covered{suffix}"]) for suffix in STATES.values()]
    # of whole people as they are written, so that the three numbers add up
    before, after = (None if number is None else round(number) for number in totals)
    yield "elders_gained", None if before is None or after is None else after - before
    yield "elders_no_road", no_road(findings)
    yield "elders_roadless", float(findings.roadless["elders"].sum())
    yield "villages_roadless", len(findings.roadless)
    yield from _target_figures(findings)


def served_by_unit(findings: Findings, suffix: str) -> DataFrame:
    """Return the elders of each unit in three classes, today or (suffix ``_planned``) with the plan, by `unit_id`.

    `served` are within the cutoff and have a centre or a bed in their own unit; `beside` are within the cutoff, but have
    neither; `out` are beyond the cutoff. The three add up to the elders of the unit.
    """
    units = findings.units
    within = units[f"elders_covered{suffix}"].astype("float64")
    own = units[f"has_centre{suffix}"].fillna(value=False).astype(bool) | units.index.isin(
        _units_with_beds(findings, suffix)
    )
    return pd.DataFrame(
        {"served": within.where(own, 0.0), "beside": within.mask(own, 0.0), "out": units["elders"] - within},
        index=units.index,
    )


def _units_with_beds(findings: Findings, suffix: str) -> set[Any]:
    there = [open_on(findings.facilities, findings.date)]
    there += [findings.proposals] if suffix else []
    found: set[Any] = set()
    for frame in there:
        if "beds" in frame.columns:
            found |= set(frame.loc[pd.to_numeric(frame["beds"]).fillna(0) > 0, "unit_id"].dropna())
    return found


def has_beds(findings: Findings) -> bool:
    """Return whether beds are counted at all where this study is."""
    return any(
        "beds" in frame.columns and bool((pd.to_numeric(frame["beds"]).fillna(0) > 0).any())
        for frame in (findings.facilities, findings.proposals)
    )


def _classes(findings: Findings, suffix: str) -> dict[str, float | None]:
    """Return the elders of a scope in three classes, in whole people that add up to all of them as they are written."""
    units = findings.units
    within, everybody = fmt.total(units[f"elders_covered{suffix}"]), fmt.total(units["elders"])
    if within is None or everybody is None:
        return dict.fromkeys(("served", "beside", "out"))
    served = round(float(served_by_unit(findings, suffix)["served"].sum()))
    return {"served": served, "beside": round(within) - served, "out": round(everybody) - round(within)}


def no_road(findings: Findings) -> float | None:
    """Return how many elders no road takes to any centre, open or proposed; None where there is no centre to go to."""
    units = findings.units
    lost = float(units["elders_unreached_planned"].fillna(0.0).sum())
    return lost if lost < float(units["elders"].sum()) else None


def _target_figures(findings: Findings) -> Iterator[tuple[Any, ...]]:
    rows = _rows(findings)
    sited = rows[rows["by_sites"]]
    counties = sited[sited["scope_id"] != words.CITY]
    if _is_of_counties(findings, rows):
        judged = counties.groupby("scope_id")[["met_today", "met_planned"]].all()
    else:
        judged = _rates(findings)[["met_today", "met_planned"]]
    yield "met_today", int(judged["met_today"].sum())
    yield "met_planned", int(judged["met_planned"].sum())
    yield "met_of", len(judged)
    for row in _rates(findings).to_dict("records"):
        for part in ("today", "planned", "goal"):
            yield f"target.{row['target_id']}.{part}", row[part], row["form"], row["goal"]


def _is_of_counties(findings: Findings, rows: DataFrame) -> bool:
    """Return whether the headline counts counties: where several have targets of their own that a site can change."""
    counties = set(rows.loc[rows["by_sites"], "scope_id"]) - {words.CITY}
    return findings.scope_id == words.CITY and len(counties) > 1


def _rows(findings: Findings) -> DataFrame:
    """Return the scorecard's rows of this scope with `name`, `by_sites` and both verdicts as plain truth: what is not known is not met.

    Of a county its own rows; of the city the rows of its counties, and those of the city itself.
    """
    policy, card = findings.policy, findings.scorecard.reset_index()
    targets = {target.id: target for target in policy.targets}
    card = card[card["target_id"].isin(targets)]
    if findings.scope_id != words.CITY:
        card = card[card["scope_id"] == findings.scope_id]
    order = {target_id: place for place, target_id in enumerate(targets)}
    card = card.assign(_place=card["target_id"].map(order)).sort_values(["_place", "scope_id"], kind="stable")
    met = {
        c: card[c].astype("boolean").fillna(value=False).astype(bool) for c in ("met_today", "met_planned")
    }
    known = (card["basis"] == "computed") | card["met_planned"].notna()
    sited = known & card["target_id"].map(lambda target: targets[target].by_sites).astype(bool)
    return card.assign(
        name=[words.target_name(targets[t], findings.language) for t in card["target_id"]],
        by_sites=sited & card["basis"].isin(["computed", "unknown"]),
        **met,
    )


def _rates(findings: Findings) -> DataFrame:
    """Return one row for each target that a site can change: of one scope its values, of several counties how many meet it."""
    rows = _rows(findings)
    rows = rows[rows["by_sites"]]
    found = []
    for target_id, own in rows.groupby("target_id", sort=False):
        counties = own[own["scope_id"] != words.CITY]
        if len(counties) > 1:
            figures: dict[str, Any] = {
                "today": int(counties["met_today"].sum()),
                "planned": int(counties["met_planned"].sum()),
                "goal": len(counties),
                "form": "count",
                "met_today": bool(counties["met_today"].all()),
                "met_planned": bool(counties["met_planned"].all()),
            }
        else:
            row = own.iloc[0]
            form = words.measured_as(findings.policy, str(target_id))
            figures = {
                "today": row["value_today"],
                "planned": row["value_planned"],
                "goal": row["target"],
                "form": {"share": "share", "count": "number"}.get(form, "number"),
                "met_today": bool(row["met_today"]),
                "met_planned": bool(row["met_planned"]),
            }
        figures["of_counties"] = len(counties) > 1
        found.append({"target_id": target_id, "name": own["name"].iloc[0], **figures})
    verdicts = ["met_today", "met_planned", "of_counties"]
    columns = ["target_id", "name", "today", "planned", "goal", "form", *verdicts]
    return pd.DataFrame(found, columns=columns).astype(dict.fromkeys(verdicts, bool))
