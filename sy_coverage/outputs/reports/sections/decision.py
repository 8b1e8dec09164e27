"""Write the one page before the body: what is to be decided, what it changes for whom, what it meets, and who is still out of reach."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sy_coverage import labels
from sy_coverage.outputs import figures, tables
from sy_coverage.outputs.facts import STATES, served_by_unit
from sy_coverage.outputs.reports.sections import people, proof, standing
from sy_coverage.outputs.text import format as fmt
from sy_coverage.outputs.text import roman, words

if TYPE_CHECKING:
    from pandas import DataFrame

    from sy_coverage.outputs.findings import Findings
    from sy_coverage.outputs.reports.document import Writer

MOST_NAMED = 3
"""So many units with elders still out of reach are named on the page, those with the most first."""
MOST_RATES = 4
"""Of so many targets that are met each is written out; of more only how many."""


def write(findings: Findings, writer: Writer) -> None:
    """Add the page: the headline, the decision, elders, who is out of reach and why, targets, whom it serves, the map."""
    standing.headline(writer)
    _asked(findings, writer)
    _elders(findings, writer)
    _still_out(findings, writer)
    many = findings.scope_id == words.CITY and len(findings.counties) > 1
    if findings.scope_id != words.CITY:
        writer.text(proof.verdict(findings, writer), small=True)
        plan = proof.plan_of(findings)
        for sentence in [] if plan is None else proof.impossible(findings, plan):
            writer.text(sentence, small=True)
    _rates(writer, spelled=not many)
    if many:
        map_of = writer.drawn("figure_city_map", partial(figures.city_map, findings), share=0.32)
        people.by_county(findings, writer, beside=map_of)
        return
    people.today_and_planned(findings, writer)
    whole = findings.scope_id == words.CITY
    draw = figures.city_map if whole else figures.county_map
    writer.image(
        "figure_city_map" if whole else "figure_county_map",
        partial(draw, findings),
        scope=findings.scope_name,
        share=0.8,
        tallest_mm=44,
    )


def _asked(findings: Findings, writer: Writer) -> None:
    figure, sites = writer.figure, tables.sites(findings)
    place = words.place(findings)
    if sites.empty:
        writer.paragraph("decide_nothing", small=True, scope=place)
        return
    what = labels.joined(_by_kind(findings, sites, writer), findings.language)
    writer.paragraph("decide", small=True, sites=figure("sites"), cost=figure("cost"), what=what, scope=place)
    years = _by_year(sites, writer)
    if years:
        writer.paragraph("decide_years", small=True, years=writer.listed(years))


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


def _rates(writer: Writer, *, spelled: bool) -> None:
    """Add target by target how it stands today and with the plan, the missed ones first; then what no site can change.

    What is met is only counted where there is much of it, unless `spelled`.
    """
    head = writer.facts.headline()
    missed = [rate for rate in head.rates if not rate.met_planned]
    met = [rate for rate in head.rates if rate.met_planned]
    if missed:
        writer.paragraph(
            "headline_rates_missed", rates=writer.listed(_said(missed, writer)), strong=True, small=True
        )
    if met and (spelled or len(met) <= MOST_RATES):
        writer.paragraph("headline_rates", rates=writer.listed(_said(met, writer)), small=True)
    elif met:
        writer.paragraph(
            "headline_rates_met",
            count=len(met),
            before=sum(rate.met_today for rate in met),
            small=True,
        )
    apart = {kind: len(getattr(head, kind)) for kind in ("others", "reported", "unknown")}
    said = [writer.say(f"apart_{kind}", count=count) for kind, count in apart.items() if count]
    if said:
        writer.paragraph("apart", said=labels.joined(said, writer.language), small=True)


def _said(rates: list[Any], writer: Writer) -> list[str]:
    return [
        writer.say(
            "rate_of_counties" if rate.of_counties else "rate_of_scope",
            name=rate.name,
            today=writer.mark(rate.today) or writer.say("not_known"),
            planned=writer.mark(rate.planned) or writer.say("not_known"),
            goal=writer.mark(rate.goal),
        )
        for rate in rates
    ]


def _elders(findings: Findings, writer: Writer) -> None:
    """Add what changes for how many elders, and by how many minutes."""
    figure, facts, said = writer.figure, writer.facts, []
    if facts["elders_gained"].value is not None:
        same = facts["elders_gained"].value == 0 and not len(findings.proposals)
        key = "elders_gained_no_site" if same else "elders_gained_nobody"
        if facts["elders_gained"].value > 0:
            key = "elders_gained_some"
        said.append(
            writer.say(
                key,
                gained=figure("elders_gained"),
                before=figure("elders_within_today"),
                after=figure("elders_within_planned"),
                elders=figure("elders"),
            )
        )
    before, after = facts["minutes_today"], facts["minutes_planned"]
    if before.text and after.text:
        said.append(
            writer.say(
                _minutes_key(writer),
                before=writer.mark(before),
                after=writer.mark(after),
                less=fmt.minutes(round(before.value or 0.0, 1) - round(after.value or 0.0, 1)),
                reached_before=figure("share_reached_today"),
                reached=figure("share_reached_planned"),
            )
        )
    if said:
        writer.text(("" if writer.language == "zh" else " ").join(said), small=True)


def _minutes_key(writer: Writer) -> str:
    """Return which sentence says how mean minutes change: over whom they are means decides what may be said."""
    facts = writer.facts
    if facts["elders_reached_today"].value != facts["elders_reached_planned"].value:
        return "minutes_of_more"
    if facts["share_reached_today"].value != 1:
        return "minutes_of_some"
    return (
        "minutes_less" if facts["minutes_planned"].text != facts["minutes_today"].text else "minutes_of_all"
    )


def _still_out(findings: Findings, writer: Writer) -> None:
    """Add who is still beyond the cutoff, in which units, and why."""
    out = served_by_unit(findings, STATES["planned"])["out"]
    out = out[out > 0].sort_index().sort_values(ascending=False, kind="stable")
    places = findings.demand
    places = places[~places["covered_planned"].fillna(value=False).astype(bool) & (places["elders"] > 0)]
    if len(out):
        writer.paragraph(
            f"still_out_{findings.homes}",
            small=True,
            elders=writer.figure("elders_out_planned"),
            places=fmt.number(len(places)),
            named=writer.listed(
                writer.say(
                    "out_in_unit",
                    name=roman.beside(findings.units.loc[unit_id, "name"], findings.language),
                    elders=fmt.number(elders),
                    why=_why_out(findings, places[places["unit_id"] == unit_id], unit_id, writer),
                )
                for unit_id, elders in out.head(MOST_NAMED).items()
            ),
        )
    lost = writer.facts["elders_no_road"]
    if lost.value:
        writer.paragraph("headline_no_road", elders=writer.mark(lost), strong=True, small=True)


def _why_out(findings: Findings, places: DataFrame, unit_id: Any, writer: Writer) -> str:
    """Return in a few words why elders of a unit stay out of reach: no road, no centre and why none, or a long way to it."""
    minutes = places["nearest_planned_min"]
    if minutes.isna().all():
        return writer.say("out_no_road")
    if findings.units["has_centre_planned"].fillna(value=False).astype(bool)[unit_id]:
        return writer.say("out_far", minutes=fmt.minutes(minutes.max()))
    said = findings.left_out
    for reason in said.loc[said["unit_id"] == unit_id, "reason_id"]:
        short = words.named(f"outputs.out_{reason}", findings.language)
        if short:
            return short
    return writer.say("out_no_centre", minutes=fmt.minutes(minutes.max()))
