"""Write the summary of all counties: one table, one map, the city's indicators, what is proved where."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sy_coverage import labels
from sy_coverage.outputs import figures, tables
from sy_coverage.outputs.facts import STATES
from sy_coverage.outputs.reports.sections import choices, compared, measures, outcome, standing
from sy_coverage.outputs.tables.counties import by_need
from sy_coverage.outputs.text import format as fmt
from sy_coverage.outputs.text import roman, words

if TYPE_CHECKING:
    from sy_coverage.outputs.findings import Findings
    from sy_coverage.outputs.reports.document import Writer


def write(findings: Findings, writer: Writer) -> None:
    """Add every section of the summary's body."""
    standing.opening(findings, writer)
    writer.heading(1, "section_counties")
    counties(findings, writer)
    writer.heading(1, "section_indicators")
    _indicators(findings, writer)
    writer.paragraph("indicators_in_annex")
    writer.heading(1, "section_proposed_city")
    standing.overall(findings, writer)
    measures.by_county(findings, writer)
    choices.write(findings, writer)


def annex(findings: Findings, writer: Writer) -> None:
    """Add every section of the summary's technical annex."""
    writer.heading(1, "all_indicators")
    _indicators(findings, writer, every=True)
    writer.image("figure_bars_city", partial(figures.coverage_bars, findings))
    if figures.has_lorenz(findings):
        writer.heading(1, "section_even")
        outcome.even(findings, writer)
    compared.write(findings, writer)
    writer.heading(1, "section_proof")
    _proofs(findings, writer)
    measures.how_decided(findings, writer)
    outcome.grounds(findings, writer)


def counties(findings: Findings, writer: Writer) -> None:
    """Add the table of all counties, today and with the plan."""
    table = by_need(findings.counties) if findings.alone else findings.counties.sort_index()
    totals = findings.totals
    there = [k for k in findings.policy.counted_unit_kinds if (findings.units["kind"] == k).any()]
    by_class = {
        kind: findings.units[findings.units["kind"] == kind].groupby("county_id").size() for kind in there
    }
    rows = [
        [
            roman.beside(row["county"], findings.language),
            *(fmt.number(by_class[kind].get(county_id, 0)) for kind in by_class),
            fmt.number(row["elders"]),
            fmt.number(row["covered_today"]),
            fmt.number(row["covered_planned"]),
            fmt.share(row["share_today"]),
            fmt.share(row["share_planned"]),
        ]
        for county_id, row in table.iterrows()
    ]
    shares = [writer.figure(f"share_within_{state}") for state in STATES]
    numbers = [
        *(fmt.number(counts.sum()) for counts in by_class.values()),
        *(fmt.number(totals[c]) for c in ("elders", "covered_today", "covered_planned")),
    ]
    rows.append([writer.say("total"), *numbers, *shares])
    columns: tuple[Any, ...] = (
        ("column_county", "l", 2.8),
        *((f"={_class_heading(findings, kind)}", "r", 1.0) for kind in by_class),
        ("column_elders", "r", 2),
        ("column_covered", "r", 1.2),
        ("column_covered_planned", "r", 1.2),
        ("column_share_covered", "r", 1.6),
        ("column_share_covered_planned", "r", 1.6),
    )
    writer.table("table_counties", columns, rows, last_is_total=True)


def _class_heading(findings: Findings, kind: str) -> str:
    name = words.unit_name(findings.policy, kind, findings.language, many=True)
    return name[:1].upper() + name[1:]


def _indicators(findings: Findings, writer: Writer, *, every: bool = False) -> None:
    """Add the targets set for each county, how many of them meet it, and the city's own indicators."""
    card = tables.scorecard(findings)
    if not every:
        sited = {target.id for target in findings.policy.targets if target.by_sites}
        card = card[card["target_id"].isin(sited)] if card["target_id"].isin(sited).any() else card
    by_county = card[card["scope_id"] != words.CITY]
    rows = []
    for target_id, own in by_county.groupby("target_id", sort=False):
        target = words.target_of(findings.policy, str(target_id))
        applies = own[own["basis"] != "not_applicable"]
        known = [applies[column].astype("boolean") for column in ("met_today", "met_planned")]
        missed = applies[known[1].eq(other=False).fillna(value=False)]
        due = findings.policy.due(target) if target else None
        rows.append(
            [
                own["name"].iloc[0],
                words.value_of(findings.policy, str(target_id), own["target"].iloc[0]),
                fmt.date(due, findings.language),
                str(len(applies)),
                *(str(int(met.fillna(value=False).sum())) if met.notna().any() else "" for met in known),
                labels.joined([fmt.plain(scope) for scope in missed["scope"]], findings.language),
            ]
        )
    if rows:
        columns: tuple[Any, ...] = (
            ("column_indicator", "l", 3.6),
            ("column_target", "r", 1.4),
            ("column_due", "l", 3.2),
            ("column_applies", "r", 1.2),
            ("column_counties_met", "r", 1.2),
            ("column_counties_met_planned", "r", 1.4),
            ("column_counties_missed", "l", 4.6),
        )
        writer.table("table_county_targets", columns, rows, note=writer.say("table_county_targets_note"))
    city = card[card["scope_id"] == words.CITY]
    if len(city):
        standing.indicator_table(findings, city, writer, sourced=every)


def _proofs(findings: Findings, writer: Writer) -> None:
    plans = dict(sorted(findings.plans.items()))
    proved = [c for c, plan in plans.items() if plan.certificate is not None and plan.certificate.proved]
    writer.paragraph("proof_city", proved=len(proved), counties=len(plans), strong=True)
    names = findings.counties["county"]
    rows = []
    for scope_id, plan in plans.items():
        name = names.get(scope_id, findings.scope_name)
        status = words.of_id("plan", plan.status, findings.language)
        solver = plan.certificate.solver if plan.certificate else ""
        bounds = [fmt.number(v, 1) for v in (plan.objective, plan.bound)]
        rows.append([name, status, *bounds, fmt.share(plan.gap), solver])
    columns: tuple[Any, ...] = (
        ("column_county", "l", 3),
        ("column_plan", "l", 2.4),
        ("column_value_plan", "r", 2),
        ("column_bound", "r", 2),
        ("column_gap", "r", 1.4),
        ("column_solver", "l", 2.4),
    )
    writer.table("table_proofs", columns, rows, note=writer.say("table_proofs_note"))
