"""Write what a board may still choose: sites that bring nobody within reach and why, what more money buys, what is negotiable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sy_coverage import labels
from sy_coverage.outputs.text import format as fmt
from sy_coverage.outputs.text import words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pandas import DataFrame

    from sy_coverage.outputs.findings import Findings
    from sy_coverage.outputs.reports.document import Writer

INSTEAD = ("alternative_same_cost", "alternative_cheaper", "alternative_dearer", "alternative_fewer_elders")
"""What `why()` says of the nearest other site that would do."""
NEEDED = ("site_id", "reason_id", "target_id")
MOST = 12
"""So many sites are listed; the table of sites has all."""


def write(findings: Findings, writer: Writer) -> None:
    """Add the section; nothing where no site is proposed."""
    if findings.proposals.empty:
        return
    writer.heading(1, "section_choices")
    _adds_nobody(findings, writer)
    _more_money(findings, writer)
    _negotiable(findings, writer)


def _adds_nobody(findings: Findings, writer: Writer) -> None:
    """Say which centres bring no elder within reach, and what would be missed without them."""
    sites = findings.proposals.sort_values(["county_id", "number"], kind="stable")
    own = sites[sites["kind"].isin(findings.policy.covered_kinds) & (sites["elders_gained"] == 0)]
    counted = int(sites["kind"].isin(findings.policy.covered_kinds).sum())
    if own.empty:
        writer.paragraph("adds_somebody", count=counted)
        return
    said = findings.reasons.reindex(columns=[*NEEDED])
    failing = said[(said["reason_id"] == "target_fails_without") & said["site_id"].isin(own.index)]
    needed = sorted(set(failing["site_id"]))
    targets = [t.id for t in findings.policy.targets if t.id in set(failing["target_id"])]
    names = [words.target_name(t, findings.language) for t in findings.policy.targets if t.id in set(targets)]
    values: dict[str, Any] = {
        "count": len(own),
        "counted": counted,
        "sites": _sites(findings, own, writer),
        "targets": labels.joined([writer.say("quoted", name=n) for n in names], findings.language),
        "needed": len(needed),
    }
    key = "adds_nobody_needed" if len(needed) == len(own) else "adds_nobody_some_needed"
    writer.paragraph(key if needed else "adds_nobody", **values)


def _sites(findings: Findings, sites: DataFrame, writer: Writer) -> str:
    """Return sites by number, of several counties only how many in each."""
    if findings.scope_id == words.CITY and len(findings.counties) > 1:
        counts = sites.groupby("county", sort=False).size()
        said = [
            writer.say("count_of_units", name=fmt.plain(county), count=count)
            for county, count in counts.items()
        ]
        return labels.joined(said, findings.language)
    return labels.joined([_named(row, writer) for row in sites.to_dict("records")], findings.language)


def _named(row: dict[Any, Any], writer: Writer) -> str:
    return writer.say("site_by_number", number=int(row["number"]), name=fmt.plain(row["name"]))


def _more_money(findings: Findings, writer: Writer) -> None:
    """Say how many elders more so much money more would bring within reach, all targets kept."""
    table = findings.beside("more_money")
    every = findings.extras.get("more_money")
    if table is None and every is not None and set(every["county_id"]) == set(findings.counties.index):
        # of the city, what each county would buy
        table = (
            every.drop(columns=["county_id", "slack"]).sum().to_frame().T.assign(slack=every["slack"].max())
        )
    if table is None:
        return
    row = table.iloc[0]
    more, gained = row["cost"] - row["cost_before"], row["elders_covered"] - row["elders_before"]
    values: dict[str, Any] = {
        "share": f"{row['slack']:.0%}",
        "limit": writer.amount(fmt.money([round(row["limit"], 1)])[0]),
        "more": writer.amount(fmt.money([more])[0]),
        "gained": fmt.number(gained),
        "sites": fmt.number(row["new_sites"]),
        "each": fmt.number(10_000 * more / gained if gained > 0 else None),
    }
    writer.paragraph("more_money_buys" if gained > 0 else "more_money_buys_nothing", **values)


def _negotiable(findings: Findings, writer: Writer) -> None:
    """Say which sites may be exchanged freely, which for a little more, and which must be found first."""
    sites = findings.proposals.sort_values(["county_id", "number"], kind="stable")
    said = findings.reasons[findings.reasons["site_id"].isin(sites.index)]
    free = set(said.loc[said["reason_id"].isin(["exchangeable", "alternative_same_cost"]), "site_id"])
    if free:
        writer.paragraph(
            "negotiable_free",
            count=len(free),
            sites=_sites(findings, sites[sites.index.isin(free)], writer),
        )
    if "origin" in sites.columns:
        suggested = sites[sites["origin"].notna() & (sites["origin"] != "listed")]
        if len(suggested):
            writer.paragraph(
                "negotiable_suggested", count=len(suggested), sites=_sites(findings, suggested, writer)
            )
    # what another site costs is not for the public
    if findings.scope_id != words.CITY and findings.edition != "public":
        _instead(findings, sites, said, writer)


def _instead(findings: Findings, sites: DataFrame, said: DataFrame, writer: Writer) -> None:
    names = _places(findings)
    rows = []
    for site_id, site in sites.to_dict("index").items():
        own = said[(said["site_id"] == site_id) & said["reason_id"].isin(INSTEAD)]
        if own.empty:
            continue
        row = own.iloc[0]
        amount = fmt.number(row["value"]) if fmt.known(row["value"]) else ""
        if row["reason_id"] in {"alternative_dearer", "alternative_cheaper"}:
            amount = writer.amount(fmt.money([row["value"]])[0])
        rows.append(
            [
                str(int(site["number"])),
                fmt.plain(site["name"]),
                names.get(row["subject"], fmt.plain(row["subject"])),
                fmt.number(row["other"], 1) if "other" in row.index else "",
                writer.say(f"instead_{row['reason_id']}", value=amount),
            ]
        )
    if not rows:
        writer.paragraph("negotiable_nothing")
        return
    columns: tuple[Any, ...] = (
        ("column_number", "r", 0.8),
        ("column_name", "l", 3.6),
        ("column_instead", "l", 3.6),
        ("column_instead_km", "r", 1.4),
        ("column_instead_change", "l", 2.6),
    )
    more = len(rows) - MOST
    note = writer.say("closures_more", count=more) if more > 0 else ""
    writer.table("table_negotiable", columns, rows[:MOST], note=note)


def _places(findings: Findings) -> dict[Any, str]:
    """Return the names of candidates by id, as far as they are known here."""
    every = findings.extras.get("candidates")
    found: dict[Any, str] = {}
    for frame in (every, findings.proposals.reset_index()):
        if frame is not None and "candidate_id" in frame.columns:
            found |= _pairs(zip(frame["candidate_id"], frame["name"], strict=True))
    return found


def _pairs(rows: Iterable[tuple[Any, Any]]) -> dict[Any, str]:
    return {key: fmt.plain(name) for key, name in rows}
