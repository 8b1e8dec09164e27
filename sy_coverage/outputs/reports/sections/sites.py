"""Write the table of sites: every one with all that is decided of it, on wide pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sy_coverage.outputs import tables
from sy_coverage.outputs.text import format as fmt
from sy_coverage.outputs.text import roman, words

if TYPE_CHECKING:
    from pandas import DataFrame

    from sy_coverage.outputs.findings import Findings
    from sy_coverage.outputs.reports.document import Writer

NEEDED = (
    "required",
    "in_every_optimum_cost",
    "in_every_optimum_elders",
    "in_every_optimum_towards_targets",
    "exchangeable",
)
"""What `why()` may say of how much a site is needed, the strongest first."""


def write(findings: Findings, writer: Writer) -> None:
    """Add the table: number, name, address, premises, area, beds, kind, year, costs, who pays and answers, how much it is needed."""
    sites = tables.sites(findings)
    if sites.empty:
        writer.paragraph("nothing_proposed")
        return
    needed = _needed(findings, writer)
    many = findings.scope_id == words.CITY
    costs = fmt.money([*sites["cost"], fmt.total(sites["cost"])])
    near_care = findings.policy.medical_kind is not None  # a policy that names no medical kind asks for none
    rows = []
    for row, cost in zip(sites.to_dict("records"), costs, strict=False):
        suggested = fmt.known(row.get("origin")) and row["origin"] != "listed"
        name = roman.beside(row["name"], findings.language)
        rows.append(
            [
                *([roman.beside(row["county"], findings.language)] if many else []),
                str(int(row["number"])),
                writer.say("site_suggested", name=name) if suggested else name,
                fmt.plain(row.get("address")),
                roman.beside(row["unit"], findings.language),
                words.kind(findings.policy, row["kind"], findings.language),
                words.premises(row["premises"], findings.language),
                fmt.number(row.get("floor_area_m2")),
                fmt.number(row.get("beds")),
                fmt.number(row["phase"]).replace(",", ""),
                cost,
                fmt.number(row.get("running_cost"), 1),
                fmt.plain(row.get("fund_source")),
                fmt.plain(row.get("responsible")),
                fmt.number(row["elders_gained"]),
                *([fmt.minutes(row["medical_min"])] if near_care else []),
                needed.get(row["candidate_id"], ""),
            ]
        )
    blank = [""] * (6 if near_care else 5)
    rows.append([*([""] if many else []), "", writer.say("total"), *[""] * 6, "", costs[-1], *blank])
    columns: list[Any] = [("column_county", "l", 1.6)] if many else []
    columns += [
        ("column_number", "r", 0.7),
        ("column_name", "l", 3.0),
        ("column_address", "l", 2.6),
        ("column_unit", "l", 1.7),
    ]
    columns += [
        ("column_kind", "l", 2.2),
        ("column_premises", "l", 1.4),
        ("column_area", "r", 1.1),
        ("column_beds", "r", 1.0),
    ]
    columns += [("column_phase", "r", 0.9), ("column_cost", "r", 1.2), ("column_running_cost", "r", 1.2)]
    columns += [
        ("column_fund_source", "l", 1.4),
        ("column_responsible", "l", 1.4),
        ("column_elders_gained", "r", 1.3),
    ]
    columns += [("column_medical_min", "r", 1.2)] if near_care else []
    columns += [("column_needed_for", "l", 2.0)]
    writer.table(
        "table_sites", columns, rows, last_is_total=True, whole=True, note=writer.say("table_sites_note")
    )


def _needed(findings: Findings, writer: Writer) -> dict[str, str]:
    """Return of each site whether every best plan has it, and what it would cost to do without."""
    found: dict[str, str] = {}
    said: DataFrame = findings.reasons[findings.reasons["reason_id"].isin(NEEDED)]
    for reason in reversed(NEEDED):
        for row in said[said["reason_id"] == reason].to_dict("records"):
            more = row.get("value")
            amount = ""
            if fmt.known(more):
                amount = writer.amount(fmt.money([more])[0]) if reason.endswith("cost") else fmt.number(more)
            found[row["site_id"]] = writer.say(f"needed_{reason}", more=amount)
    return found
