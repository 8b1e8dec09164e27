"""Say what a study's roads are, list the tables they were worked out with, and save them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sy_coverage import _files, labels
from sy_coverage._fetch import Cache
from sy_coverage.errors import ConfigError, OfflineError
from sy_coverage.roads import catchment_agreement, junctions
from sy_coverage.roads.graph.describe import travel_tables
from sy_coverage.roads.travel_modes import travel_mode
from sy_coverage.study.results.lists import rows as lists
from sy_coverage.study.steps.roads import network as roads

if TYPE_CHECKING:
    from pathlib import Path

    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.roads import RoadNetwork
    from sy_coverage.study.answers import Answers


def source_row(study: Answers) -> dict[str, str]:
    """Return file, digest and note of the roads, as the list of sources has them."""
    given, network = study.config.roads, study.network
    language = study.config.study.language
    note = labels.text(
        "roads.note",
        language,
        nodes=f"{len(network.node_ids):,}",
        links=f"{len(network.links):,}",
        day=day(network),
    ).strip()
    if given.source is not None and given.source != roads.LIVE:
        return {"file": given.source, "digest": study.digest("roads", given.source), "note": note}
    pinned = re.search(r"sha256:([0-9a-f]{64})", network.source)
    return {"file": network.source.split()[0], "digest": pinned[1] if pinned else "", "note": note}


def day(network: RoadNetwork) -> str:
    """Return the moment live data are of, as the server said it; empty for a file."""
    stamp = re.search(r"\d{4}-\d\d-\d\dT[0-9:]+\S*", network.source)
    return stamp[0] if stamp else ""


def tables(study: Answers) -> DataFrame:
    """Return the travel tables in use: `travel_tables`, and `from_study` where the study changed a value."""
    used = travel_tables(study.network.tables.values())
    usual = travel_tables(travel_mode(name) for name in study.network.tables)
    keys = ["mode", "what", "subject"]
    known = usual.set_index(keys)["value"].to_dict()
    key = [tuple(row) for row in used[keys].itertuples(index=False)]
    return used.assign(
        from_study=[known.get(k) != value for k, value in zip(key, used["value"], strict=True)]
    )


SHOWN = (
    "speed_kph", "service_kph", "junction_s", "main_junction_share", "signal_s", "surface_factor", "smoothness_factor",
    "tracktype_factor", "condition_factor", "ferry_kph", "maxspeed_factor", "most_kph", "least_junctions", "slope_factor",
)  # fmt: skip
"""What of a travel table a proposal prints: all that changes a minute and is a number."""


def parameters(study: Answers) -> list[dict[str, object]]:
    """Return the numbers that travel times rest on as rows of a proposal: `name`, `value`, `unit`, `source`."""
    language, given = study.config.study.language, study.config.roads
    if given.source is None:
        return []

    def row(name: str, value: object, unit: str, *, own: bool) -> dict[str, object]:
        named = labels.text(f"roads.unit_{unit}", language)
        source = labels.text(f"study.from_{'study' if own else 'package'}", language)
        return {"name": name, "value": value, "unit": named, "source": source}

    walked = labels.text("roads.parameter_walk_m_per_s", language)
    around = labels.text("roads.parameter_buffer_m", language)
    rows = [
        row(walked, roads.walk_m_per_s(given), "m/s", own=given.walk_m_per_s is not None),
        row(
            around,
            round(roads.buffer_m(given, study.config.siting, study.policy)),
            "m",
            own=given.buffer_m is not None,
        ),
    ]
    used = tables(study)
    used = used[used["what"].isin(SHOWN if given.elevation is not None else SHOWN[:-1])]
    for (mode, what), part in used.groupby(["mode", "what"], sort=False):
        if what == "maxspeed_factor" and not study.network.tables[mode].uses_maxspeed:
            continue
        name = labels.text(
            "roads.parameter_table",
            language,
            mode=labels.text(f"study.mode_{mode}", language),
            table=labels.text(f"roads.table_{what}", language),
        )
        own = bool(part["from_study"].any())
        rows.append(row(name, _values(part, language), str(part["unit"].iloc[0]), own=own))
    return rows


MOST_PLACES = 20_000
"""Junctions at which drawings are held against minutes; of more, every so many are taken."""


def agreement(study: Answers, catchments: GeoDataFrame) -> list[dict[str, object]]:
    """Return how far the drawings differ from the minutes as rows of a proposal, measured at junctions within the units."""
    if catchments.empty:
        return []
    language, kind, network = study.config.study.language, study.centre_kind, study.network
    sites = study.planned_facilities.loc[catchments.index.get_level_values(0).unique()]
    places = junctions(network, mode=kind.mode).to_crs(study.units.crs)
    inside = places.sindex.query(study.units.geometry, predicate="contains")[1]
    places = places.iloc[np.unique(inside)]
    places = places.iloc[:: max(-(-len(places) // MOST_PLACES), 1)]
    if places.empty:
        return []
    longest = float(max(catchments.index.get_level_values(1)))
    times = network.travel_times(sites, places, mode=kind.mode, cutoff_min=longest, **study.to_road)
    found = catchment_agreement(catchments, places, times)
    return [
        {
            "name": labels.text(f"roads.drawing_{what}", language, minutes=f"{cutoff:g}"),
            "value": f"{row[f'{what}_share']:.1%}",
            "unit": "",
            "source": labels.text("study.from_package", language),
        }
        for cutoff, row in found.iterrows()
        for what in ("late", "outside")
        if not np.isnan(row[f"{what}_share"])
    ]


def _values(part: DataFrame, language: labels.Language) -> str:
    """Return the numbers of one table in one line; the one that most classes share is said once, at the end."""
    usual = part["value"].value_counts()
    shared = usual.index[0] if usual.iloc[0] > max(len(part) / 2, 1) else None
    said = [
        f"{_subject(str(one.subject), language)} {one.value:g}".strip()
        for one in part.itertuples(index=False)
        if one.value != shared
    ]
    if shared is not None:
        said.append(labels.text("roads.all_others" if said else "roads.all", language, value=f"{shared:g}"))
    return labels.joined(said, language)


def _subject(subject: str, language: labels.Language) -> str:
    """Return a class of road in words, as far as they are known; a slope stands for itself."""
    key = f"roads.class_{subject}"
    return labels.text(key, language) if key in labels.catalogue() else subject


def sentences(study: Answers) -> list[str]:
    """Return what the roads are and what was assumed of them, in the study's language, one line each.

    Raises
    ------
    ConfigError
        If the study has no roads.
    """
    language, network = study.config.study.language, study.network
    if study.config.roads.source is None:
        raise ConfigError("the study has no roads, only a table of minutes; give [roads] source")
    said = [
        labels.text("roads.source", language, source=network.source),
        labels.text(
            "roads.size",
            language,
            nodes=f"{len(network.node_ids):,}",
            links=f"{len(network.links):,}",
            crs=network.crs,
        ),
    ]
    facts = network.summary().set_index(["subject", "what"])["value"]
    for mode in network.modes:
        most, others = facts[mode, "nodes_in_largest_part"], facts[mode, "nodes_in_other_parts"]
        said.append(
            labels.text(
                "roads.mode_size",
                language,
                mode=labels.text(f"study.mode_{mode}", language),
                km=f"{facts[mode, 'road_km']:,.0f}",
                share=f"{most / max(most + others, 1):.1%}",
                others=f"{others:,}",
            )
        )
    said += [note_sentence(key, value, language) for key, value in sorted(network.notes.items()) if value]
    return said


def note_sentence(key: str, value: object, language: labels.Language) -> str:
    """Return in words what was counted while the network was built."""
    for mode in ("drive", "walk", "bike", "ebike"):
        if key == f"turns_closed_to_{mode}":
            named = labels.text(f"study.mode_{mode}", language)
            return labels.text("roads.note_turns_closed", language, count=f"{value:,}", mode=named)
    return labels.text(f"roads.note_{key}", language, count=value if isinstance(value, str) else f"{value:,}")


def write(study: Answers, folder: Path) -> list[Path]:
    """Save the network and its travel tables into `folder` and return the paths."""
    language = study.config.study.language
    used = tables(study)
    words = pd.DataFrame(
        {
            labels.text("roads.column_mode", language): [
                labels.text(f"study.mode_{mode}", language) for mode in used["mode"]
            ],
            labels.text("roads.column_what", language): [
                labels.text(f"roads.table_{what}", language) for what in used["what"]
            ],
            labels.text("roads.column_subject", language): [_subject(s, language) for s in used["subject"]],
            labels.text("roads.column_value", language): used["value"],
            labels.text("roads.column_unit", language): [
                labels.text(f"roads.unit_{unit}", language) if unit else "" for unit in used["unit"]
            ],
            labels.text("roads.column_from", language): [
                labels.text(f"study.from_{'study' if own else 'package'}", language)
                for own in used["from_study"]
            ],
        }
    )
    paths = lists.write(folder, {"travel_modes.csv": lists.plain_csv(words)})
    saved = folder / f"roads{roads.SAVED}"
    study.network.save(saved)
    return [saved, *paths]


def refresh(study: Answers) -> tuple[Answers, str]:
    """Return the study with the roads as OpenStreetMap has them now, kept from here on, and what has changed in a sentence."""
    kept = roads.cache_path(study.config.roads, study.files)
    new = kept.with_suffix(".fresh.sqlite")
    after = study.heir(roads=object())
    fresh = after.memory.get(("network",), lambda: _read(after, fresh=new))
    language = study.config.study.language
    cache = Cache(kept)
    before = _before(study)
    if before is not None and day(fresh) < day(before):
        # another server may lag behind: what is newer stays
        _files.remove_database(new)
        return study, labels.text("roads.refreshed_older", language, before=day(before), now=day(fresh))
    cache.take_over(new)
    _files.remove_database(new)
    if before is None:
        return after, labels.text("roads.refreshed_first", language, now=day(fresh))
    same = before.digest == fresh.digest
    key = "roads.refreshed_same" if same else "roads.refreshed_changed"
    counts = {
        "links": f"{len(fresh.links) - len(before.links):+,}",
        "nodes": f"{len(fresh.node_ids) - len(before.node_ids):+,}",
    }
    return after, labels.text(key, language, before=day(before), now=day(fresh), **counts)


def _read(study: Answers, *, fresh: Path | None = None) -> RoadNetwork:
    given, asked = study.config.roads, study.config.siting
    study.memory.around("roads")
    return roads.read_network(
        *(given, asked, study.files),
        units=study.units,
        policy=study.policy,
        beside=study.config.access.beside,
        fresh=fresh,
    )


def _before(study: Answers) -> RoadNetwork | None:
    """Return the roads as they were answered before, if they were."""
    try:
        return _read(study.without_services())
    except OfflineError:
        return None
