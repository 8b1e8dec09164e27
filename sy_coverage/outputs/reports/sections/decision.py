"""Write the one page before the body: what is to be decided, what it meets, costs and changes, and who is still out of reach."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sy_coverage import labels
from sy_coverage.outputs import figures, tables
from sy_coverage.outputs.reports.sections import proof, standing
from sy_coverage.outputs.text import format as fmt
from sy_coverage.outputs.text import words

if TYPE_CHECKING:
    from pandas import DataFrame

    from sy_coverage.outputs.findings import Findings
    from sy_coverage.outputs.reports.document import Writer

MOST_NAMED = 3
"""So many places still out of reach are named on the page, those with the most elders first."""


def write(findings: Findings, writer: Writer) -> None:
    """Add the page: the headline, the decision, target by target, money by year, elders, who is out of reach, the map."""
    standing.headline(writer)
    figure = writer.figure
    sites = tables.sites(findings)
    policy = labels.pick(findings.policy.name, findings.language)
    asked: dict[str, Any] = {
        "scope": findings.scope_name,
        "policy": policy,
        "document": findings.policy.document,
    }
    if sites.empty:
        writer.paragraph("decide_nothing", small=True, **asked)
    else:
        what = labels.joined(_by_kind(findings, sites, writer), findings.language)
        writer.paragraph("decide", small=True, sites=figure("sites"), cost=figure("cost"), what=what, **asked)
        years = _by_year(sites, writer)
        if years:
            writer.paragraph(
                "decide_years", small=True, years=("；" if writer.language == "zh" else "; ").join(years)
            )
    if findings.scope_id != words.CITY:
        writer.text(proof.verdict(findings, writer), small=True)
        plan = proof.plan_of(findings)
        for sentence in [] if plan is None else proof.impossible(findings, plan):
            writer.text(sentence, small=True)
    _rates(writer)
    _elders(findings, writer)
    key = "figure_city_map" if findings.scope_id == words.CITY else "figure_county_map"
    draw = figures.city_map if findings.scope_id == words.CITY else figures.county_map
    writer.image(key, partial(draw, findings), scope=findings.scope_name, share=0.8, tallest_mm=46)


def _by_kind(findings: Findings, sites: DataFrame, writer: Writer) -> list[str]:
    counts = sites["kind"].value_counts()
    return [
        writer.say(
            "count_of_kind",
            kind=words.kind(findings.policy, kind, findings.language),
            count=int(counts[kind]),
        )
        for kind in findings.policy.kinds
        if kind in counts
    ]


def _by_year(sites: DataFrame, writer: Writer) -> list[str]:
    dated = sites[sites["phase"].notna()]
    return [
        writer.say(
            "decide_year",
            year=int(year),
            sites=len(own),
            cost=writer.amount(fmt.money([fmt.total(own["cost"])])[0]),
        )
        for year, own in dated.groupby("phase")
    ]


def _rates(writer: Writer) -> None:
    """Add target by target how it stands today and with the plan, the missed ones first; then what no site can change."""
    head = writer.facts.headline()
    key = "rate_of_counties" if head.counts == "counties" else "rate_of_scope"
    for name, rates in (
        ("headline_rates_missed", [rate for rate in head.rates if not rate.met_planned]),
        ("headline_rates", [rate for rate in head.rates if rate.met_planned]),
    ):
        said = [
            writer.say(
                key,
                name=r.name,
                today=writer.mark(r.today) or "—",
                planned=writer.mark(r.planned) or "—",
                goal=writer.mark(r.goal),
            )
            for r in rates
        ]
        if said:
            joined = ("；" if writer.language == "zh" else "; ").join(said)
            writer.paragraph(name, rates=joined, strong=name.endswith("missed"), small=True)
    apart = {kind: len(getattr(head, kind)) for kind in ("others", "reported", "unknown")}
    said = [writer.say(f"apart_{kind}", count=count) for kind, count in apart.items() if count]
    if said:
        writer.paragraph("apart", said=labels.joined(said, writer.language), small=True)


def _elders(findings: Findings, writer: Writer) -> None:
    """Add what changes for how many elders, and who is still out of reach, and why."""
    figure, facts = writer.figure, writer.facts
    if facts["elders_gained"].value is not None:
        same = facts["elders_gained"].value == 0 and not len(findings.proposals)
        key = "elders_gained_no_site" if same else "elders_gained_nobody"
        if facts["elders_gained"].value > 0:
            key = "elders_gained_some"
        writer.paragraph(
            key,
            small=True,
            gained=figure("elders_gained"),
            before=figure("elders_within_today"),
            after=figure("elders_within_planned"),
            elders=figure("elders"),
        )
    before, after = facts["minutes_today"], facts["minutes_planned"]
    if before.text and after.text:
        everybody = facts["share_reached_today"].value == facts["share_reached_planned"].value == 1
        same = facts["elders_reached_today"].value == facts["elders_reached_planned"].value
        key = "minutes_of_more" if not same else "minutes_of_all" if everybody else "minutes_of_some"
        writer.paragraph(key, small=True, before=writer.mark(before), after=writer.mark(after),
                         reached_before=figure("share_reached_today"), reached=figure("share_reached_planned"))  # fmt: skip
    out = findings.demand[~findings.demand["covered_planned"].fillna(value=False).astype(bool)]
    out = out[out["elders"] > 0].sort_index().sort_values("elders", ascending=False, kind="stable")
    if len(out):
        writer.paragraph(
            "still_out",
            small=True,
            elders=fmt.number(out["elders"].sum()),
            places=fmt.number(len(out)),
            named=labels.joined(
                [_place(findings, row, writer) for row in out.head(MOST_NAMED).to_dict("records")],
                findings.language,
            ),
        )
    lost = facts["elders_no_road"]
    if lost.value:
        writer.paragraph("headline_no_road", elders=writer.mark(lost), strong=True, small=True)


def _place(findings: Findings, row: dict[Any, Any], writer: Writer) -> str:
    unit = fmt.plain(findings.units["name"].get(row["unit_id"], ""))
    minutes = fmt.minutes(row["nearest_planned_min"])
    key = "out_by_minutes" if minutes else "out_by_road"
    return writer.say(key, name=f"{unit}{fmt.plain(row['name'])}" if writer.language == "zh" else f"{fmt.plain(row['name'])} ({unit})",
                      elders=fmt.number(row["elders"]), minutes=minutes)  # fmt: skip
