"""Show two plans of the same places on one map, coloured by what they have in common."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from sy_coverage.outputs.facts import Facts
from sy_coverage.outputs.maps.basis.words import is_yes
from sy_coverage.outputs.text.format import NBSP

if TYPE_CHECKING:
    from sy_coverage.outputs.findings import Findings
    from sy_coverage.outputs.maps.basis.frame import Frame

BOTH, FIRST, SECOND = 0, 1, 2
RINGS = ("#ffc145", "#e8590c", "#1b9e9e")
"""Around a site of both plans, of the first only, of the second only."""
UNITS = ("#c0dcea", "#f4b183", "#9fd8cb")
"""Of a unit that both plans cover, the first only, the second only."""


def together(first: Findings, second: Findings) -> Findings:
    """Return the findings of `first` with the sites that only `second` opens behind its own, numbered on; without years."""
    own = first.proposals
    more = second.proposals[~second.proposals.index.isin(own.index)].copy()
    highest = own.groupby("county_id")["number"].max()
    place = more.groupby("county_id").cumcount() + 1
    more["number"] = place + more["county_id"].map(highest).fillna(0).astype(int)
    proposals = pd.concat([own, more]) if len(more) else own.copy()
    proposals["phase"] = pd.array([pd.NA] * len(proposals), dtype="Int64")
    units = first.units.copy()
    either = [
        is_yes(a) or is_yes(b)
        for a, b in zip(
            units["covered_planned"], second.units["covered_planned"].reindex(units.index), strict=True
        )
    ]
    units["covered_planned"] = either
    reasons = pd.concat(
        [first.reasons, second.reasons[second.reasons["site_id"].isin(more.index)]], ignore_index=True
    )
    return replace(first, proposals=proposals, units=units, reasons=reasons, recounts={})


def coloured(
    content: dict[str, Any], frame: Frame, first: Findings, second: Findings, names: tuple[str, str] | None
) -> None:
    """Colour the `content` of a map of both plans (see `together`) by what they have in common, and give the figures of each."""
    words = frame.words
    called = names or (words.say("difference_first"), words.say("difference_second"))
    sites = [set(found.proposals.index) for found in (first, second)]
    covered = [
        {str(i) for i, value in found.units["covered_planned"].items() if is_yes(value)}
        for found in (first, second)
    ]
    for one in content["layers"]:
        for feature in one.get("features", ()):
            if one["type"] == "pin":
                feature["d"] = _whose(feature["i"], *sites)
            elif one["type"] == "unit" and feature["c"] > 0:
                feature["d"] = _whose(feature["i"], *covered)
    parts = [words.say("difference_both"), *(words.say("difference_only", plan=name) for name in called)]
    counts = [
        sum(f.get("d") == n for one in content["layers"] if one["type"] == "pin" for f in one["features"])
        for n in range(3)
    ]
    content["difference"] = {
        "rings": list(RINGS),
        "units": list(UNITS),
        "legend": [
            {"name": f"{name}：{words.say('sites', value=count)}", "ring": ring, "colour": colour}
            for name, count, ring, colour in zip(parts, counts, RINGS, UNITS, strict=True)
        ],
    }
    content["title"] = f"{content['title']}：{called[0]} | {called[1]}"
    content["facts"] = _facts(frame, first, second)
    content["proof"] = ""


def _whose(which: str, first: set[str], second: set[str]) -> int:
    return BOTH if which in first and which in second else FIRST if which in first else SECOND


def _facts(frame: Frame, first: Findings, second: Findings) -> list[dict[str, Any]]:
    """Return the figures of both plans, one beside the other."""
    words = frame.words
    told: list[tuple[str, str | None, list[str]]] = []
    for key, name in (("units", "units_covered"), ("elders", "share_within")):
        today = Facts(first)[f"{name}_today"].text.replace(NBSP, "")
        planned = [Facts(found)[f"{name}_planned"].text.replace(NBSP, "") for found in (first, second)]
        told.append((words.say(f"fact_{key}", units=words.common["counted_units"]), today, planned))
    for key, name in (("sites", "sites"), ("cost", "cost")):
        told.append((words.say(f"fact_{key}"), None, [Facts(found)[name].text for found in (first, second)]))
    return [
        {
            "label": label,
            "today": today,
            "plan": (both := " | ".join(planned)),
            "values": [today if today is not None else "", both],
            "short": False,
        }
        for label, today, planned in told
    ]
