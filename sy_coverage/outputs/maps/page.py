"""Gather everything a map's page says into one plain structure: title, figures, layers, statements, and the words of its controls."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sy_coverage import labels
from sy_coverage.outputs.facts import STATES, Facts
from sy_coverage.outputs.maps.basis import pinyin
from sy_coverage.outputs.maps.basis.frame import Frame, Reach
from sy_coverage.outputs.maps.basis.words import is_missing
from sy_coverage.outputs.maps.layers import areas, points
from sy_coverage.outputs.maps.layers.areas import SHARE_COLOURS, STATUS_COLOURS
from sy_coverage.outputs.text import format as fmt
from sy_coverage.outputs.text import words as outputs_words
from sy_coverage.policy.targets import CITY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sy_coverage.outputs.findings import Findings
    from sy_coverage.outputs.maps.basis.geometry import Shift

CONTROLS = (
    "layers", "search", "search_none", "zoom_in", "zoom_out", "home", "full_screen", "measure", "measure_hint",
    "measure_distance", "measure_area", "print", "minimap", "close", "about", "states", "not_on_map", "all", "north", "search_now", "compare", "scale_km", "scale_m",
    "key_ask", "key_show", "key_wrong", "map", "figures", "divider", "table", "site", "unit", "sites_table", "units_table",
    "site_name", "site_number", "sites_here", "search_count", "within", "beyond_limit", "beyond", "minutes", "measure_minutes",
    "scale_number", "try", "try_note", "try_base", "try_choice", "try_cost", "try_elders", "try_minutes", "try_units", "try_met", "try_unmet",
    "try_failing", "try_candidates", "try_standing", "try_open", "try_shut", "try_require", "try_forbid", "try_auto", "try_undo", "try_reset",
    "try_save", "try_hand", "try_load", "try_file", "try_wrong",
    "try_county", "try_plan", "try_solving", "try_solved", "try_optimal", "try_feasible", "try_no_answer", "try_infeasible", "try_clash", "try_failed", "try_moved", "try_unable",
)  # fmt: skip
"""Words of the page's controls; ``{what}`` and ``{value}`` are filled in by the page."""

GROUPS = ("units", "proposals", "villages", "facilities", "catchments", "checks", "extra", "ground")

NOTES = {
    "proposals": ("proposal",),
    "facilities": ("planned", "closed"),
    "villages": ("village",),
    "catchments": ("catchment",),
}
"""What the legend says of a group beside its symbols."""


def page(findings: Findings, *, shift: Shift | None, base_map: str | None) -> tuple[dict[str, Any], Frame]:
    """Return all that the page of `findings` shows, as plain lists, numbers and text, and the frame it was drawn in.

    Parameters
    ----------
    shift
        Moves longitudes and latitudes to those of the base map; None keeps WGS 84.
    base_map
        The online base map beneath, if any: statements and defaults depend on it.
    """
    frame = Frame.of(findings, shift)
    villages, village_notes = points.village_layers(frame)
    roads, road_notes = areas.road_layers(frame)
    doubts, checks = points.doubt_layers(frame)
    borders = areas.border_layers(frame)
    catchments = areas.catchment_layers(frame)
    layers = [
        *areas.unit_layers(frame),
        *catchments,
        *({**ground, "on": base_map is None} for ground in (*areas.water_layers(frame), *roads)),
        *areas.change_layers(frame),
        *borders,
        *villages,
        *points.facility_layers(frame),
        *doubts,
        *points.proposal_layers(frame),
        areas.county_features(frame),
    ]
    statements = [
        *_statements(frame, borders, catchments, base_map),
        *road_notes,
        *village_notes,
    ]
    usual = pinyin.of_characters(_names(frame))
    content = {
        "language": findings.language,
        **_heading(frame),
        "notices": list(findings.notices),
        "states": frame.states(),
        "stateIds": frame.state_ids(),
        "centres": points.centres(frame),
        "pinyin": usual,
        "status": _legend(frame),
        "share": _share_legend(frame),
        "groups": [{"id": g, "name": frame.words.say(f"group_{g}")} for g in GROUPS],
        "layers": _spelled(layers, usual),
        "checks": checks,
        "statements": statements,
        "approval": outputs_words.approval(findings),
        "words": {key: labels.text(f"maps.{key}", findings.language) for key in CONTROLS}
        | {key: frame.words.say(key) for key in ("try_cost", "try_units")},
        "notes": {
            group: [frame.words.say(f"legend_{name}") for name in names] for group, names in NOTES.items()
        },
        "bounds": _bounds(frame),
        **_what_ifs(findings),
    }
    return content, frame


def _what_ifs(findings: Findings) -> dict[str, Any]:
    """Return what the page counts choices of sites from: those of its county, or of each county of a city, one at a time."""
    held = {county: json.loads(packed) for county, packed in findings.recounts.items()}
    if findings.scope_id in held:
        return {"what_if": held[findings.scope_id]}
    if findings.scope_id != CITY or not held:
        return {"what_if": None}
    # a city's page counts; each county's own solves as well
    named = {
        c: {**one, "program": None, "name": str(findings.counties.loc[c, "county"])}
        for c, one in sorted(held.items())
        if c in findings.counties.index
    }
    return {"what_if": None, "what_ifs": named}


def _spelled(layers: list[dict[str, Any]], usual: dict[str, str]) -> list[dict[str, Any]]:
    """Return layers whose features say how their name is read where that is not as its characters are read one by one."""
    exceptions: dict[str, str | None] = {}
    for one in layers:
        for feature in one.get("features", ()):
            name = str(feature.get("t", ""))
            if name not in exceptions:
                exceptions[name] = pinyin.of_exception(name, usual)
            if exceptions[name]:
                feature["y"] = exceptions[name]
    return layers


def title(findings: Findings) -> str:
    """Return the title of the map of `findings`."""
    scope = findings.scope_name
    if not scope or findings.scope_id == "city":
        return labels.text("maps.title", findings.language, study=findings.study_name)
    return labels.text("maps.title_scope", findings.language, study=findings.study_name, scope=scope)


def _bounds(frame: Frame) -> list[list[float]]:
    west, south, east, north = (round(float(v), 5) for v in frame.units.total_bounds)
    return [[south, west], [north, east]]


def _heading(frame: Frame) -> dict[str, Any]:
    found, words = frame.findings, frame.words
    return {
        "title": title(found),
        "date": words.say("date", date=found.date.isoformat()),
        "office": found.office,
        "edition": words.say("edition_internal") if found.edition == "internal" else "",
        "facts": _facts(frame),
        "proof": _proof(frame),
    }


def _facts(frame: Frame) -> list[dict[str, Any]]:
    """Return the figures of the title block: what they count, today, with the plan, at every point in time, and whether that falls short.

    What is known of today and of the whole plan only has no value for the years between.
    """
    findings, words = frame.findings, frame.words
    facts = Facts(findings)
    head, unknown = facts.headline(), words.say("unknown")
    common = outputs_words.common(findings)
    between = range(1, frame.last)

    def of(part: str, whole: str) -> str:
        return words.say("of", part=part, whole=whole)

    def share(state: str) -> str:
        return facts[f"share_within_{state}"].text.replace(fmt.NBSP, "") or unknown

    def money(cost: float) -> str:
        return outputs_words.amount(fmt.money([cost])[0], common["money"], findings.language)

    rows: list[tuple[str, bool, list[str | None], bool]] = []
    if head.whole.value:
        today, plan = (of(fact.text, head.whole.text) for fact in (head.today, head.planned))
        rows.append((f"fact_{head.counts}", True, [today, *[None] * len(between), plan], not head.is_met))
    if findings.policy.covered_kinds:
        today, plan = (
            of(facts[f"units_covered_{state}"].text, facts["units_counted"].text) for state in STATES
        )
        middle = [of(fmt.number(_covered(frame, n)), facts["units_counted"].text) for n in between]
        rows.append(("fact_units", True, [today, *middle, plan], False))
    within = [None if frame.reach is None else _share_within(frame, frame.reach, n) for n in between]
    opened = [findings.proposals["phase"].map(frame.opens, na_action=None) <= n for n in range(frame.last)]
    sites = [words.say("sites", value=fmt.number(int(own.sum()))) for own in opened]
    costs = [
        money(float(findings.proposals["cost"][own.astype(bool)].sum(min_count=int(own.sum()))))
        or facts["cost"].text
        for own in opened
    ]
    rows += [
        ("fact_elders", True, [share("today"), *within, share("planned")], False),
        ("fact_sites", False, [*sites, words.say("sites", value=facts["sites"].text)], False),
        ("fact_cost", False, [*costs, outputs_words.amount(facts["cost"].text, common["money"], findings.language)], False),
    ]  # fmt: skip
    lost = facts["elders_no_road"]
    if lost.value:
        rows.append(("fact_no_road", False, [lost.text] * (frame.last + 1), True))
    if facts["villages_roadless"].value:
        said = words.say(
            "roadless_value", elders=facts["elders_roadless"].text, villages=facts["villages_roadless"].text
        )
        rows.append(("fact_roadless", False, [said] * (frame.last + 1), True))
    return [
        {
            "label": words.say(key, units=common["counted_units"]),
            "today": values[0] if changes else None,
            "plan": values[-1] or unknown,
            "values": values,
            "short": short,
        }
        for key, changes, values, short in rows
    ]


def _covered(frame: Frame, state: int) -> int:
    """Return how many of the units that the coverage rates count are covered at a point in time."""
    counted = frame.units["kind"].isin(frame.findings.policy.counted_unit_kinds)
    since = areas.covered_from(frame)
    return sum(0 <= since[str(unit_id)] <= state for unit_id in frame.units.index[counted])


def _share_within(frame: Frame, reach: Reach, state: int) -> str | None:
    """Return the share of the elders of all units who are within the cutoff at a point in time."""
    elders = float(frame.findings.units["elders"].sum())
    return frame.words.share(reach.elders_within(state) / elders) if elders > 0 else None


def _names(frame: Frame) -> Iterator[str]:
    """Yield every name that the search of the page knows."""
    found = frame.findings
    for table in (found.units, found.demand, found.facilities, found.proposals):
        yield from (str(name) for name in table["name"] if not is_missing(name))
    yield from (str(name) for name in found.counties["county"])
    for former in areas.former_names(frame.units).values():
        yield from former


def _proof(frame: Frame) -> str:
    """Return whether the plans shown are proved; one sentence for one county, a count for several."""
    counties = frame.findings.counties
    if len(counties) == 1:
        return frame.words.say(areas.proof_key(frame.findings, str(counties.index[0])))
    proved = sum(areas.proof_key(frame.findings, str(c)) == "proved" for c in counties.index)
    return frame.words.say("proved_some", part=proved, whole=len(counties))


def _legend(frame: Frame) -> list[dict[str, str]]:
    return [
        {"id": name, "name": frame.words.say(frame.status_key(name)), "colour": colour}
        for name, colour in STATUS_COLOURS.items()
    ]


def _share_legend(frame: Frame) -> dict[str, Any]:
    """Return the second way to colour units: the share of their elders within reach, in fifths."""
    words, fifth = frame.words, 100 // len(SHARE_COLOURS)
    classes = [
        {"name": words.say("share_class", low=n * fifth, high=(n + 1) * fifth), "colour": colour}
        for n, colour in enumerate(SHARE_COLOURS)
    ]
    return {
        "title": words.say("colour_by"),
        "choices": [words.say("colour_status"), words.say("colour_share")],
        "classes": classes,
        "missing": words.say("share_missing"),
        "note": words.say("share_note"),
    }


def _statements(frame: Frame, borders: list[Any], catchments: list[Any], base_map: str | None) -> list[str]:
    """Return what a reader must know of the data, in full sentences."""
    words = frame.words
    said = []
    if any(layer["id"] == "border-estimated" for layer in borders):
        said.append(words.say("statement_estimated"))
    if catchments:
        said.append(words.say("statement_catchments"))
    if frame.findings.alone:
        said.append(words.say("statement_alone"))
    if frame.years:
        said.append(words.say("statement_phases"))
    degrees = "statement_coordinates" if frame.findings.in_china else "statement_coordinates_elsewhere"
    said.append(words.say("statement_gcj02" if base_map == "gaode" else degrees))
    if frame.findings.edition == "public":
        said.append(words.say("statement_public"))
    sources = frame.findings.sources
    if len(sources):
        names = [str(n) for n in sources["name"] if not is_missing(n)]
        said.append(
            words.say("statement_sources", sources=labels.joined(dict.fromkeys(names), words.language))
        )
    return said
