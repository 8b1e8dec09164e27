"""Write the sheet with which somebody goes and looks at the proposed sites: where, what to verify, and who was there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sy_coverage.outputs import tables
from sy_coverage.outputs.figures import small_map
from sy_coverage.outputs.text import format as fmt
from sy_coverage.outputs.text import words

if TYPE_CHECKING:
    from sy_coverage.outputs.findings import Findings
    from sy_coverage.outputs.reports.document import Writer


def write(findings: Findings, writer: Writer) -> None:
    """Add one page for each proposed site: a small map, what is known of it, what to verify with a box each, and lines to sign."""
    around = small_map.surroundings(findings)
    sites = tables.sites(findings)
    if around is None:
        writer.paragraph("nothing_proposed")
        return
    for place, row in enumerate(sites.to_dict("records")):
        if place:
            writer.new_page()
        _page(findings, writer, row, around)


def _page(findings: Findings, writer: Writer, row: dict[Any, Any], around: small_map.Surroundings) -> None:
    name = fmt.plain(row["name"])
    writer.heading(1, "survey_site", number=int(row["number"]), name=name, unit=fmt.plain(row["unit"]))
    picture = writer.drawn("figure_survey", partial(around.png, row["candidate_id"]), share=0.42, name=name)
    writer.table(
        "table_survey",
        (("column_survey_item", "l", 1.5), ("column_survey_value", "l", 3.0)),
        _known(findings, writer, row),
        beside=picture,
        tight=True,
        name=name,
    )
    checks = [[str(n), text, "", ""] for n, text in enumerate(_checks(findings, writer, row), start=1)]
    columns: tuple[Any, ...] = (
        ("column_number", "r", 0.6),
        ("column_survey_check", "l", 5.2),
        ("column_survey_finding", "l", 1.6),
        ("column_note", "l", 2.2),
    )
    writer.table("table_survey_checks", columns, checks, whole=True, tight=True, name=name)
    writer.paragraph("survey_signed", small=True)


def _known(findings: Findings, writer: Writer, row: dict[Any, Any]) -> list[list[str]]:
    places = [f"{row[c]:.6f}" if fmt.known(row.get(c)) else "" for c in ("longitude", "latitude")]
    phone = [f"{row[c]:.6f}" if fmt.known(row.get(c)) else "" for c in ("gcj02_lon", "gcj02_lat")]
    cost = writer.amount(fmt.money([row["cost"]])[0]) if findings.edition == "internal" else ""
    said = [
        ("column_kind", words.kind(findings.policy, row["kind"], findings.language)),
        ("column_address", fmt.plain(row.get("address"))),
        ("column_premises", words.premises(row["premises"], findings.language)),
        ("column_area", fmt.number(row.get("floor_area_m2"))),
        ("column_beds", fmt.number(row.get("beds"))),
        ("column_cost", cost),
        ("survey_degrees", ", ".join(places)),
        ("survey_phone", ", ".join(phone) if all(phone) else ""),
    ]
    return [[writer.say(key), text or writer.say("survey_blank")] for key, text in said]


def _checks(findings: Findings, writer: Writer, row: dict[Any, Any]) -> list[str]:
    keys = ["place", "rights", "building", "size", "road", "utilities", "cost"]
    if fmt.known(row.get("origin")) and row["origin"] != "listed":
        keys.insert(0, "found")
    if fmt.known(row.get("medical_min")):
        keys.append("medical")
    said = [writer.say(f"survey_check_{key}", minutes=fmt.minutes(row.get("medical_min"))) for key in keys]
    doubts = findings.doubts
    return said + [str(s) for s in doubts.loc[doubts["row_id"] == row["candidate_id"], "sentence"]]
