"""Take out of findings what the public edition of an output does not say: costs, what was not chosen, contacts, small numbers of people."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from sy_coverage._frames import CANDIDATES, DEMAND, FACILITIES, UNITS
from sy_coverage.labels import text as label
from sy_coverage.outputs.text import words

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.outputs.findings import Findings
    from sy_coverage.siting.plan import SitingPlan

Edition = Literal["internal", "public"]

FEW = 10
"""Fewer elders than this are shown as so many."""
_OF_PROPOSALS = (
    "unit",
    "county",
    "number",
    "phase",
    "elders_gained",
    "medical_min",
    "why",
    "cost",
    "upgrade_of",
)
_OF_MONEY = re.compile(r"cost|dear|cheap|budget|money|exchangeable")
"""Ids of reasons that speak of what something costs, or of what else could have been chosen."""
_OF_OTHERS = re.compile(r"alternative")
_OF_OFFICES = ("fund_source", "responsible")
"""Columns of candidates that name who pays and whom to ask."""
_COUNTED = re.compile(
    r"(elders|households|share|nearest|backup|has_centre|centre|covered|unit_distance)[a-z0-9_]*"
)
"""Columns that are worked out for villages and units."""
_PEOPLE = re.compile(r"(elders|households)[a-z0-9_]*")
_SILENT = {"require", "forbid", "exclude", "add", "choose", "contact", "what_if"}
"""Options that name what was not chosen, or whom to ask."""


def of(findings: Findings, edition: Edition) -> Findings:
    """Return the findings as an edition tells them; those of the internal edition are whole."""
    return findings if edition == "internal" else public(findings)


def public(findings: Findings) -> Findings:
    """Return findings without costs, candidates that were not chosen, columns that no contract names, doubts and the page's model.

    Numbers of elders below `FEW` are `FEW`. Every output that is made of them says the same.
    """
    reasons = _without_money(findings.reasons)
    blank = " " if findings.language == "en" else ""
    why = reasons.groupby("site_id")["sentence"].agg(blank.join)
    proposals = _known(findings.proposals, {*CANDIDATES.columns, *_OF_PROPOSALS})
    proposals = _coarse(proposals).assign(
        cost=float("nan"),
        why=[str(why.get(site_id, "")) for site_id in proposals.index],
        **{c: float("nan") for c in ("running_cost",) if c in proposals.columns},
        **{c: "" for c in _OF_OFFICES if c in proposals.columns},
    )
    return replace(
        findings,
        edition="public",
        policy=findings.policy.model_copy(update={"money": None}),
        units=_coarse(_known(findings.units, set(UNITS.columns))),
        counties=findings.counties.assign(cost=float("nan")),
        facilities=_known(findings.facilities, set(FACILITIES.columns)),
        demand=_coarse(_known(findings.demand, set(DEMAND.columns))),
        catchments=_coarse(findings.catchments),
        access_legs=None if findings.access_legs is None else _coarse(findings.access_legs),
        proposals=proposals,
        plans={scope: _without_costs(plan) for scope, plan in findings.plans.items()},
        reasons=reasons,
        left_out=_without_money(findings.left_out),
        doubts=findings.doubts.iloc[:0],
        parameters=_without_budget(findings.parameters, findings),
        notices=tuple(one for one in findings.notices if one not in findings.readings.values()),
        readings={},
        extras={},
        recounts={},
    )


def options(shown: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a study as its public edition says them: no amount of money, nothing that was not chosen, nobody to ask."""
    return {
        key: options(value) if isinstance(value, dict) else value
        for key, value in shown.items()
        if key not in _SILENT and not _OF_MONEY.search(str(key))
    }


def _known(frame: GeoDataFrame, columns: set[str]) -> GeoDataFrame:
    """Return a frame with the columns that its contract names, and what an output works out of them; not what a list brought besides."""
    worked_out = {
        "county",
        "county_id",
        "unit_id",
        "name",
        "kind",
        "address",
        "location_status",
        "location_precision",
        "position_quality",
        "former",
        "geometry",
    }
    kept = columns | worked_out | {frame.geometry.name}
    return frame[[c for c in frame.columns if c in kept or _COUNTED.fullmatch(str(c))]]


def _coarse(frame: GeoDataFrame) -> GeoDataFrame:
    """Return a frame whose numbers of people are none, or `FEW` and more."""
    people = [c for c in frame.columns if _PEOPLE.fullmatch(str(c))]
    return frame.assign(**{c: frame[c].mask((frame[c] > 0) & (frame[c] < FEW), FEW) for c in people})


def _without_money(reasons: DataFrame) -> DataFrame:
    ids = reasons["reason_id"].astype(str)
    silent = ids.str.contains(_OF_MONEY) | ids.str.contains(_OF_OTHERS)
    if "value" not in reasons.columns:
        return reasons[~silent]
    few = pd.to_numeric(reasons["value"], errors="coerce").between(0, FEW, inclusive="neither")
    return reasons[~silent & ~(ids.str.startswith("elders") & few)]


def _without_budget(parameters: DataFrame, findings: Findings) -> DataFrame:
    """Return the parameters without those that are amounts of money, by what they are counted in."""
    spoken = words.money(findings.policy, findings.language)
    named = {label(f"study.parameter_{name}", findings.language) for name in ("budget", "conversion_cost")}
    of_money = parameters["unit"].astype(str).str.contains(spoken, regex=False) & bool(spoken)
    return parameters[~of_money & ~parameters["name"].isin(named)]


def _without_costs(plan: SitingPlan) -> SitingPlan:
    """Return a plan that still says what it opens and how that is proved, but no cost."""
    certificate, told = plan.certificate, plan.figures
    first: dict[str, Any] = {}
    if certificate is not None and certificate.stages and certificate.stages[0].objective_id == "cost":
        first = {"objective": float("nan"), "bound": float("nan")}
    if certificate is not None:
        stages = tuple(stage for stage in certificate.stages if stage.objective_id != "cost")
        certificate = replace(certificate, stages=stages, heuristic_value=None, ties=())
    figures = replace(
        told,
        cost=None,
        conversion_cost=None,
        least_cost=None,
        years=None,
        verification=None,
        conversions=None
        if told.conversions is None
        else told.conversions.drop(columns="cost", errors="ignore").assign(cost=float("nan")),
        attainable=None if told.attainable is None else _without_costs(told.attainable),
    )
    found = _without_money(plan.findings) if "reason_id" in plan.findings.columns else plan.findings
    return replace(plan, certificate=certificate, figures=figures, findings=found, reasons=None, **first)
