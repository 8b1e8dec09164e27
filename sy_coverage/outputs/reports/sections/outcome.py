"""Write the sections of a proposal on what it brings: effects, alternatives, proof, data, and what to verify."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from sy_coverage import labels
from sy_coverage.outputs import figures, tables
from sy_coverage.outputs.facts import STATES, has_beds
from sy_coverage.outputs.figures import curves
from sy_coverage.outputs.reports.sections import proof
from sy_coverage.outputs.text import format as fmt
from sy_coverage.outputs.text import words

if TYPE_CHECKING:
    from sy_coverage.outputs.findings import Findings
    from sy_coverage.outputs.reports.document import Writer

ALMOST_EVEN = 0.0005
"""Below this Gini coefficient, written as 0.000, a curve would only show its own diagonal."""
MOST_VILLAGES = 10
"""So many villages beyond the cutoff are listed by name, those with the most elders first; the layer `demand` has all."""


def brought(findings: Findings, writer: Writer) -> None:
    """Add section 三: before and after, what stays uncovered and why."""
    writer.heading(1, "section_brought")
    writer.heading(2, "section_before_after")
    _before_after(findings, writer)
    writer.heading(2, "section_left")
    _left_units(findings, writer)
    _left_villages(findings, writer)


def even(findings: Findings, writer: Writer) -> None:
    """Add how evenly access is spread over the units: Gini coefficients and Lorenz curves."""
    ginis = [fmt.number(curves.gini(findings, s), 3) or writer.say("not_known") for s in ("", "_planned")]
    writer.paragraph("even", today=ginis[0], planned=ginis[1])
    if all((curves.gini(findings, suffix) or 0.0) < ALMOST_EVEN for suffix in ("", "_planned")):
        return
    writer.image("figure_lorenz", partial(figures.lorenz, findings), share=0.55)


def _before_after(findings: Findings, writer: Writer) -> None:
    rows = [
        [
            writer.say(f"row_{row}"),
            *(writer.figure(f"{name}_{state}") for state in STATES),
            whole and writer.figure(whole),
        ]
        for row, name, whole in (
            ("units_covered", "units_covered", "units_counted"),
            ("units_centre", "units_with_centre", "units"),
            ("elders_within", "elders_within", "elders"),
            *(((name, f"elders_{name}", "") for name in ("served", "beside")) if has_beds(findings) else ()),
            ("out", "elders_out", ""),
            ("share_within", "share_within", ""),
            ("minutes", "minutes", ""),
            ("reached", "share_reached", ""),
        )
    ]
    columns: tuple[Any, ...] = (
        ("column_measure", "l", 5),
        ("column_value_today", "r", 1.8),
        ("column_value_planned", "r", 1.8),
        ("column_out_of", "r", 1.8),
    )
    facts = writer.facts
    longer = (facts["minutes_planned"].value or 0.0) > (facts["minutes_today"].value or 0.0) > 0
    note = writer.say("table_before_after_note") + (writer.say("minutes_may_rise") if longer else "")
    writer.table("table_before_after", columns, rows, note=note)


def _left_units(findings: Findings, writer: Writer) -> None:
    units = findings.units.sort_index()
    without = units[~units["has_centre_planned"].fillna(value=False).astype(bool)]
    if without.empty:
        writer.paragraph("left_no_unit")
        return
    why = tables.units(findings).set_index("unit_id")["left_out"]
    rows = [
        [
            row.name,
            words.unit_name(findings.policy, row.kind, findings.language),
            fmt.number(row.elders),
            fmt.share(row.share_covered_planned, goal=findings.policy.readings.share),
            fmt.sentences(why[unit_id])
            if fmt.known(why[unit_id])
            else writer.say(
                "no_reason" if row.kind in findings.policy.counted_unit_kinds else "outside_rates"
            ),
        ]
        for unit_id, row in zip(without.index, without.itertuples(index=False), strict=True)
    ]
    columns: tuple[Any, ...] = (
        ("column_unit", "l", 2.2),
        ("column_unit_kind", "l", 1.1),
        ("column_elders", "r", 1.5),
        ("column_share_covered_planned", "r", 1.7),
        ("column_left_out", "l", 6),
    )
    writer.table("table_left_units", columns, rows)


def _left_villages(findings: Findings, writer: Writer) -> None:
    demand = findings.demand
    beyond = demand[~demand["covered_planned"].fillna(value=False).astype(bool) & (demand["elders"] > 0)]
    if beyond.empty:
        writer.paragraph(f"left_no_{findings.homes}")
        return
    writer.paragraph(
        f"left_{findings.homes}", places=fmt.number(len(beyond)), elders=fmt.number(beyond["elders"].sum())
    )
    beyond = beyond.sort_index().sort_values("elders", ascending=False, kind="stable")
    names = findings.units["name"]
    rows = [
        [
            row["name"] if fmt.known(row["name"]) else demand_id,
            names.get(row["unit_id"], ""),
            fmt.number(row["elders"]),
            fmt.minutes(row["nearest_planned_min"]) or writer.say("no_road"),
        ]
        for demand_id, row in beyond.head(MOST_VILLAGES).to_dict("index").items()
    ]
    more = len(beyond) - len(rows)
    note = writer.say("villages_more", count=fmt.number(more)) if more > 0 else ""
    columns: tuple[Any, ...] = (
        (f"column_home_{findings.homes}", "l", 4),
        ("column_unit", "l", 3),
        ("column_elders", "r", 2),
        ("column_nearest_planned_min", "r", 3),
    )
    writer.table(f"table_left_{findings.homes}", columns, rows, note=note)


def _any_cell(column: str, value: Any) -> str:
    if not fmt.known(value) or isinstance(value, str):
        return fmt.plain(value)
    if "share" in column:
        return fmt.share(value)
    if column.endswith("_min"):
        return fmt.minutes(value)
    if pd.api.types.is_number(value):
        return fmt.number(value, 0 if float(value).is_integer() else 1)
    return fmt.plain(value)


def proved(findings: Findings, writer: Writer) -> None:
    """Add the section on the proof."""
    writer.heading(1, "section_proof")
    proof.add(findings, writer)


def grounds(findings: Findings, writer: Writer) -> None:
    """Add the last section: parameters, data and their quality, what is to verify."""
    writer.heading(1, "section_grounds")
    writer.heading(2, "section_parameters")
    writer.table(
        "table_parameters",
        (
            ("column_parameter", "l", 4),
            ("column_value", "l", 4),
            ("column_unit_of", "l", 1.4),
            ("column_source", "l", 3),
        ),
        [
            [_any_cell(c, row[c]) for c in ("name", "value", "unit", "source")]
            for row in findings.parameters.to_dict("records")
        ],
    )
    reasons = findings.policy.readings.reasons.values()
    if reasons:
        writer.paragraph("readings")
        writer.items(
            (writer.say("point_number", number=n), labels.pick(reason, findings.language))
            for n, reason in enumerate(reasons, start=1)
        )
    writer.heading(2, "section_data")
    writer.table(
        "table_sources",
        (
            ("column_source", "l", 2.4),
            ("column_file", "l", 3.9),
            ("column_note", "l", 3.4),
            ("column_digest", "l", 2.9),
        ),
        [
            [
                row["name"],
                row["file"],
                row["note"],
                str(row["digest"])[:12] + "…" if fmt.known(row["digest"]) else "",
            ]
            for row in findings.sources.to_dict("records")
        ],
        note=writer.say("table_sources_note"),
    )
    _quality(findings, writer)
    writer.heading(2, "section_doubts")
    doubts = tables.doubts(findings)
    if doubts.empty:
        writer.paragraph("no_doubts")
        return
    writer.paragraph("doubts", count=fmt.number(len(doubts)))
    writer.table(
        "table_doubts",
        (
            ("column_frame", "l", 1.3),
            ("column_row_id", "l", 2),
            ("column_name", "l", 3.4),
            ("column_sentence", "l", 5.4),
        ),
        [
            [words.frame(row["frame"], findings.language), row["row_id"], row["name"], row["sentence"]]
            for row in doubts.to_dict("records")
        ],
    )


def _quality(findings: Findings, writer: Writer) -> None:
    units, frame = findings.units, findings.facilities
    estimated = int((units["boundary_quality"] == "estimated").sum())
    if estimated:
        writer.paragraph("quality_boundaries", estimated=estimated, units=len(units))
    unlocated = frame[frame.geometry.isna()] if len(frame) else frame
    if len(unlocated):
        names = [fmt.plain(n) for n in unlocated.sort_index()["name"]]
        writer.paragraph(
            "quality_unlocated", count=len(names), names=labels.joined(names[:12], findings.language)
        )
    missing = figures.missing_glyphs(findings)
    if missing:
        writer.paragraph("quality_glyphs", characters=labels.joined(missing, findings.language))
