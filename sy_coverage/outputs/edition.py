"""Take out of findings what the public edition of an output does not say: costs, what was not chosen, contacts, small numbers of people."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sy_coverage._frames import CANDIDATES, FACILITIES
from sy_coverage.labels import text as label

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
    proposals = proposals.assign(
        cost=float("nan"),
        why=[str(why.get(site_id, "")) for site_id in proposals.index],
        **{c: float("nan") for c in ("running_cost",) if c in proposals.columns},
    )
    return replace(
        findings,
        edition="public",
        policy=findings.policy.model_copy(update={"money": None}),
        units=_coarse(findings.units),
        counties=findings.counties.assign(cost=float("nan")),
        facilities=_known(findings.facilities, set(FACILITIES.columns)),
        demand=_coarse(_known(findings.demand, None)),
        proposals=proposals,
        plans={scope: _without_costs(plan) for scope, plan in findings.plans.items()},
        reasons=reasons,
        left_out=_without_money(findings.left_out),
        doubts=findings.doubts.iloc[:0],
        parameters=_without_budget(findings.parameters, findings),
        extras={},
        recounts={},
    )


def _known(frame: GeoDataFrame, columns: set[str] | None) -> GeoDataFrame:
    """Return a frame with the columns that its contract names, and what an output works out of them; not what a list brought besides."""
    if columns is None:
        return frame
    worked_out = {
        "county",
        "county_id",
        "unit_id",
        "name",
        "kind",
        "address",
        "location_status",
        "location_precision",
        "geometry",
    }
    return frame[[c for c in frame.columns if c in columns | worked_out or c == frame.geometry.name]]


def _coarse(frame: GeoDataFrame) -> GeoDataFrame:
    """Return a frame whose numbers of people are none, or `FEW` and more."""
    people = [c for c in frame.columns if re.fullmatch(r"elders(_65|_80)?|households", str(c))]
    return frame.assign(
        **{c: np.where((frame[c] > 0) & (frame[c] < FEW), float(FEW), frame[c]) for c in people}
    )


def _without_money(reasons: DataFrame) -> DataFrame:
    silent = reasons["reason_id"].astype(str).str.contains(_OF_MONEY) | reasons["reason_id"].astype(
        str
    ).str.contains(_OF_OTHERS)
    return reasons[~silent]


def _without_budget(parameters: DataFrame, findings: Findings) -> DataFrame:
    money = {label(f"study.parameter_{name}", findings.language) for name in ("budget", "conversion_cost")}
    return parameters[~parameters["name"].isin(money)]


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
