"""Write whom a plan serves: elders with a centre or bed of their own, in reach of a neighbour's, and out of reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sy_coverage.outputs import facts
from sy_coverage.outputs.text import format as fmt
from sy_coverage.outputs.text import roman

if TYPE_CHECKING:
    from sy_coverage.outputs.findings import Findings
    from sy_coverage.outputs.reports.document import Image, Writer

CLASSES = ("served", "beside", "out")


def today_and_planned(findings: Findings, writer: Writer) -> None:
    """Add the table of one scope: the three classes today and with the plan, on the page before the body."""
    rows = [
        [
            writer.say(f"state_of_{state}"),
            *(writer.figure(f"elders_{name}_{state}") for name in CLASSES),
            writer.figure("elders"),
        ]
        for state in facts.STATES
    ]
    writer.table("table_people", _columns(findings, "column_state"), rows, tight=True)


def by_county(findings: Findings, writer: Writer, *, beside: Image | None = None) -> None:
    """Add the table of all counties: targets, sites, cost, and the three classes with the plan, on the page before the body."""
    table = findings.counties.sort_index()
    costs = fmt.money([*table["cost"], fmt.total(table["cost"])])
    rows = []
    for (county_id, row), cost in zip(table.iterrows(), costs, strict=False):
        own = facts.Facts(findings.of_county(str(county_id)))
        met = f"{own['met_today'].text}→{own['met_planned'].text}/{own['met_of'].text}"
        people = [own[f"elders_{name}_planned"] for name in CLASSES]
        rows.append(
            [
                roman.beside(row["county"], findings.language),
                met,
                fmt.number(row["new_sites"]),
                cost,
                *map(writer.mark, people),
            ]
        )
    whole = [writer.figure(f"elders_{name}_planned") for name in CLASSES]
    rows.append([writer.say("total"), "", fmt.number(table["new_sites"].sum()), costs[-1], *whole])
    columns: list[Any] = [
        ("column_county", "l", 2.4),
        ("column_met_of", "c", 1.3),
        ("column_new_sites", "r", 0.7),
        ("column_cost", "r", 1.2),
        *_columns(findings, "column_county")[1:-1],
    ]
    writer.table("table_people_counties", columns, rows, last_is_total=True, tight=True, beside=beside)


def _columns(findings: Findings, first: str) -> list[Any]:
    beside = "beside" if facts.has_beds(findings) else "beside_no_beds"
    served = "served" if facts.has_beds(findings) else "served_no_beds"
    return [
        (first, "l", 1.6),
        (f"column_people_{served}", "r", 1.7),
        (f"column_people_{beside}", "r", 1.6),
        ("column_people_out", "r", 1.3),
        ("column_elders", "r", 1.7),
    ]
