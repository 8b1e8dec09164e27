"""Read a study's roads: from a file or live from OpenStreetMap, with the study's own travel tables, and say what they are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from sy_coverage import _files, labels, roads
from sy_coverage._fetch import Cache
from sy_coverage.errors import ConfigError, OfflineError
from sy_coverage.roads.graph.describe import travel_tables
from sy_coverage.roads.read.overpass import OVERPASS
from sy_coverage.roads.travel_modes import at_walking_speed, elder_walk_m_per_s, travel_mode
from sy_coverage.study.results import lists

if TYPE_CHECKING:
    from pandas import DataFrame

    from sy_coverage.roads import RoadNetwork, TravelMode
    from sy_coverage.study.steps.inputs import Inputs
    from sy_coverage.study.study import Study

LIVE = "osm"
"""The `[roads] source` that asks OpenStreetMap."""
SAVED = ".network"
"""How the name of a file ends that `RoadNetwork.save` wrote and `[roads] source` may name."""
WALK = "walk"
METRES_A_MINUTE = 1000 / 60
"""Of one kilometre an hour."""


def modes(study: Inputs) -> tuple[TravelMode, ...]:
    """Return the travel modes that the policy's kinds use, and walking, with what the study changes in their tables."""
    given = study.config.roads
    changes: dict[str, Any] = {str(name): table for name, table in given.modes.items()}
    names = sorted({kind.mode for kind in study.policy.kinds.values()} | {WALK, *changes})
    chosen = []
    for name in names:
        mode = travel_mode(name)
        if name == WALK and given.walk_m_per_s is not None:
            mode = at_walking_speed(mode, given.walk_m_per_s)
        chosen.append(mode.changed(changes.get(name, {})))
    return tuple(chosen)


def walk_m_per_s(study: Inputs) -> float:
    """Return how fast elders walk to the road, in metres a second."""
    given = study.config.roads.walk_m_per_s
    return elder_walk_m_per_s() if given is None else given


def buffer_m(study: Inputs) -> float:
    """Return how many metres around the units roads are read."""
    given = study.config.roads.buffer_m
    return needed_m(study) if given is None else given


def needed_m(study: Inputs) -> float:
    """Return how many metres around the units roads can matter: the longest cutoff at the top speed.

    A way between two places in the area that takes twice as long leaves it by no more either.
    """
    siting = study.config.siting
    top = {mode.name: mode.most_kph * METRES_A_MINUTE for mode in modes(study)}
    apart = max(siting.spread_min or 0.0, siting.medical_min or 0.0) / 2
    reaches = [kind.longest_min * top[kind.mode] for kind in study.policy.kinds.values()]
    return float(max([*reaches, apart * top.get("drive", 0.0)]))


def read(study: Inputs, *, fresh: Path | None = None) -> RoadNetwork:
    """Return the roads that `[roads]` names; `fresh` is a cache to use in place of the study's own.

    Raises
    ------
    ConfigError
        If a saved network was worked out with other travel tables than the study asks for.
    OfflineError, ServiceStoppedError, IncompleteNetworkError
        If OpenStreetMap is asked and does not answer, or not in full.
    """
    given, chosen = study.config.roads, modes(study)
    if given.source.endswith(SAVED):
        network = roads.load(study.path(given.source))
        _require_tables(network, chosen, given.source)
        return network
    ground = None if given.elevation is None else study.path(given.elevation)
    if given.source != LIVE:
        return roads.read_osm(
            study.path(given.source),
            modes=chosen,
            area=study.units,
            buffer_m=buffer_m(study),
            elevation=ground,
            limits=study.limits,
        )
    return roads.fetch_osm(
        study.units,
        modes=chosen,
        buffer_m=buffer_m(study),
        elevation=ground,
        server=given.server or OVERPASS,
        date=given.date,
        cache=fresh or cache_path(study),
        offline=study.offline,
    )


def _require_tables(network: RoadNetwork, chosen: tuple[TravelMode, ...], source: str) -> None:
    """Refuse a saved network whose minutes are not those the study asks for; one without tables says its own."""
    for mode in chosen:
        saved = network.tables.get(mode.name)
        if saved is not None and saved != mode:
            before, now = saved.table(), mode.table()
            keys = ", ".join(key for key in now if before[key] != now[key])
            raise ConfigError(
                f"{source}: was saved with other tables for '{mode.name}' ({keys}) than the study asks for; "
                "name the extract it was made from, and save it again with `sy-coverage roads`"
            )


def cache_path(study: Inputs) -> Path:
    """Return where OpenStreetMap's answers are kept."""
    return Path(study.path(study.config.roads.cache))


def source_row(study: Inputs) -> dict[str, str]:
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
    if given.source != LIVE:
        return {"file": given.source, "digest": study.digest("roads", given.source), "note": note}
    pinned = re.search(r"sha256:([0-9a-f]{64})", network.source)
    return {"file": network.source.split()[0], "digest": pinned[1] if pinned else "", "note": note}


def day(network: RoadNetwork) -> str:
    """Return the moment live data are of, as the server said it; empty for a file."""
    stamp = re.search(r"\d{4}-\d\d-\d\dT[0-9:]+\S*", network.source)
    return stamp[0] if stamp else ""


def tables(study: Inputs) -> DataFrame:
    """Return the travel tables in use: `travel_tables`, and `from_study` where the study changed a value."""
    used = travel_tables(study.network.tables.values())
    usual = travel_tables(travel_mode(name) for name in study.network.tables)
    keys = ["mode", "what", "subject"]
    known = usual.set_index(keys)["value"].to_dict()
    key = [tuple(row) for row in used[keys].itertuples(index=False)]
    return used.assign(
        from_study=[known.get(k) != value for k, value in zip(key, used["value"], strict=True)]
    )


SHOWN = ("speed_kph", "service_kph", "junction_s", "maxspeed_factor", "most_kph", "slope_factor")
"""What of a travel table a proposal prints: all that changes a minute and is a number."""


def parameters(study: Inputs) -> list[dict[str, object]]:
    """Return the numbers that travel times rest on as rows of a proposal: `name`, `value`, `unit`, `source`."""
    language, given = study.config.study.language, study.config.roads

    def row(name: str, value: object, unit: str, *, own: bool) -> dict[str, object]:
        named = labels.text(f"roads.unit_{unit}", language)
        source = labels.text(f"study.from_{'study' if own else 'package'}", language)
        return {"name": name, "value": value, "unit": named, "source": source}

    walked = labels.text("roads.parameter_walk_m_per_s", language)
    around = labels.text("roads.parameter_buffer_m", language)
    rows = [
        row(walked, walk_m_per_s(study), "m/s", own=given.walk_m_per_s is not None),
        row(around, round(buffer_m(study)), "m", own=given.buffer_m is not None),
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


def sentences(study: Study) -> list[str]:
    """Return what the roads are and what was assumed of them, in the study's language, one line each."""
    language, network = study.config.study.language, study.network
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
    return labels.text(f"roads.note_{key}", language, count=f"{value:,}")


def write(study: Study, folder: Path) -> list[Path]:
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
    saved = folder / f"roads{SAVED}"
    study.network.save(saved)
    return [saved, *paths]


def refresh(study: Study) -> tuple[Study, str]:
    """Return the study with the roads as OpenStreetMap has them now, kept from here on, and what has changed in a sentence."""
    new = cache_path(study).with_suffix(".fresh.sqlite")
    network = read(study, fresh=new)
    language = study.config.study.language
    before = Cache(cache_path(study))
    old = _kept(study)
    before.take_over(new)
    _files.remove_database(new)
    after = study.but()
    vars(after)["network"] = network
    if old is None:
        return after, labels.text("roads.refreshed_first", language, now=day(network))
    same = old.digest == network.digest
    key = "roads.refreshed_same" if same else "roads.refreshed_changed"
    counts = {
        "links": f"{len(network.links) - len(old.links):+,}",
        "nodes": f"{len(network.node_ids) - len(old.node_ids):+,}",
    }
    return after, labels.text(key, language, before=day(old), now=day(network), **counts)


def _kept(study: Study) -> RoadNetwork | None:
    """Return the roads as they were answered before, if they were."""
    try:
        return read(study.without_network())
    except OfflineError:
        return None
