"""Ask OpenStreetMap for the roads of an area, once: the answer is kept, and says of which day it is."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import numpy as np

from sy_coverage import _files, _osm
from sy_coverage._fetch import Cache, Client, Limits, asked_as
from sy_coverage.errors import IncompleteNetworkError, InputError
from sy_coverage.roads.read.graphs import from_networkx
from sy_coverage.roads.read.osm import BUFFER_M, box_around, network_from
from sy_coverage.roads.travel_modes import TravelMode, travel_mode

if TYPE_CHECKING:
    import datetime as dt
    import os
    from collections.abc import Iterable

    from sy_coverage.roads.network import RoadNetwork

OVERPASS = "https://overpass-api.de/api/interpreter"
LIMITS = Limits(most_bytes=1_000_000_000, total_s=900.0, connect_s=300.0)
"""The service thinks for minutes before the first byte, and a county's roads are tens of megabytes."""
SERVER_S, SERVER_BYTES = 600, 1_000_000_000
"""What the query allows the service to spend; beyond it the answer ends in a remark."""
PART_DEGREES = 3.0
"""A wider or higher area is asked in parts."""
PAUSE_S = 2.0
"""Between the parts."""
ROAD = b"<way"
PRECISION = 4
"""Digits of the degrees asked for (11 m), so that areas that differ by less are one question."""


def fetch_osm(
    area: Any,
    *,
    modes: Iterable[str | TravelMode] = ("drive", "walk"),
    buffer_m: float = BUFFER_M,
    date: dt.date | None = None,
    cache: str | os.PathLike[str] | None = None,
    offline: bool = False,
    crs: Any = None,
    elevation: str | os.PathLike[str] | None = None,
    server: str = OVERPASS,
    through: Literal["osmium", "osmnx"] = "osmium",
    client: Client | None = None,
) -> RoadNetwork:
    """Return the road network of an area as OpenStreetMap has it, asked of an Overpass server.

    The answer is read as an extract is: the same tags, ferries, barriers and turn restrictions. Through OSMnx it becomes an
    OSMnx graph first, without these three, and is then taken as `from_networkx` takes any.

    Parameters
    ----------
    area
        GeoDataFrame, or shapely geometry in degrees.
    modes
        Names of travel modes, or `TravelMode` objects with numbers of your own.
    buffer_m
        Metres around the area whose roads count too: at least the cutoff times the top speed.
    date
        Roads as they were at the end of that day (UTC), so that a later run gets the same; None asks for today's.
    cache
        SQLite file that keeps answers; a question in it is not asked again.
    offline
        Ask nobody: only what the cache knows.
    crs
        The metric CRS of the network; None chooses it from the area.
    elevation
        GeoTIFF of metres above sea level, as for `read_osm`.
    server
        Address of an Overpass interpreter, https.
    through
        What makes a graph of the answer.
    client
        Through which to ask; None makes one for `server`.

    Returns
    -------
    network
        `source` names the server, the day of the data and the digest of the answer; `notes` as of `read_osm`.

    Raises
    ------
    IncompleteNetworkError
        If the server ran out of time or memory and its answer is partial, or no road is in it.
    OfflineError, ServiceStoppedError
        If the network cannot be reached or is forbidden, or the server refuses or fails.
    InputError
        If a mode, the buffer, the date or the address cannot be used.
    """
    chosen = tuple(m if isinstance(m, TravelMode) else travel_mode(m) for m in modes)
    if not chosen or len({m.name for m in chosen}) < len(chosen):
        raise InputError("modes: give at least one travel mode, each once")
    box = box_around(area, buffer_m)
    host = urlsplit(server).hostname or ""
    if client is None:
        kept = None if cache is None else Cache(cache)
        client = Client(frozenset({host}), cache=kept, offline=offline, limits=LIMITS)
    boxes = parts_of(box)
    questions = [{"data": question(part, date)} for part in boxes]
    replies = [
        client.get(
            server,
            params=asked,
            accept=_wrong(host, date),
            still=lambda content: not _is_older(content, date) and (len(boxes) > 1 or ROAD in content),
            pause_s=PAUSE_S if len(boxes) > 1 else 0.0,
        )
        for asked in questions
    ]
    stamp = min(_stamp(reply.content) or reply.received for reply in replies)
    digest = hashlib.sha256(b"".join(reply.content for reply in replies)).hexdigest()
    answers = [_osm.Answer(reply.content, f"OpenStreetMap-{host}") for reply in replies]
    answer = answers[0] if len(answers) == 1 else replace(_osm.merged(answers), name=str(answers[0]))
    try:
        if through == "osmnx":
            source = f"OSMnx-{host} {stamp} sha256:{digest}"
            return _through_osmnx(_osm.as_xml(answer), chosen, crs=crs, source=source)
        source = f"{answer} {stamp} sha256:{digest}"
        return network_from(answer, chosen, box=box, area=area, crs=crs, source=source, elevation=elevation)
    except IncompleteNetworkError:
        # an answer of which nothing can be made must not stand in the way of the next run
        if client.cache is not None:
            for asked in questions:
                client.cache.forget(asked_as(server, asked))
        raise


def parts_of(box: tuple[float, float, float, float]) -> list[tuple[float, float, float, float]]:
    """Return a box of degrees cut into equal parts that are no wider and no higher than a service answers well."""
    west, south, east, north = box
    columns = max(int(np.ceil((east - west) / PART_DEGREES)), 1)
    rows = max(int(np.ceil((north - south) / PART_DEGREES)), 1)
    x, y = np.linspace(west, east, columns + 1).tolist(), np.linspace(south, north, rows + 1).tolist()
    return [(x[i], y[j], x[i + 1], y[j + 1]) for j in range(rows) for i in range(columns)]


def _through_osmnx(content: bytes, modes: tuple[TravelMode, ...], *, crs: Any, source: str) -> RoadNetwork:
    """Return the network of the graph that OSMnx makes of an answer."""
    import osmnx  # noqa: PLC0415 - heavy

    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise IncompleteNetworkError(f"{source}: defines XML entities, which no OpenStreetMap answer does")
    with _files.passing_file(content, name="answer.osm") as path:
        try:
            graph = osmnx.graph_from_xml(path, retain_all=True)
        except (ValueError, KeyError) as error:
            raise IncompleteNetworkError(f"{source}: OSMnx makes no graph of it ({error})") from error
    return from_networkx(graph, modes=modes, crs=crs, source=source)


def question(box: tuple[float, float, float, float], date: dt.date | None) -> str:
    """Return the Overpass query for all roads, ferries, their nodes and turn restrictions in a box of degrees."""
    west, south, east, north = (round(float(b), PRECISION) for b in box)
    bounds = f"{south},{west},{north},{east}"
    as_of = "" if date is None else f'[date:"{date.isoformat()}T23:59:59Z"]'
    return (
        f"[out:xml][timeout:{SERVER_S}][maxsize:{SERVER_BYTES}]{as_of};"
        f'(way["highway"]({bounds});way["route"="ferry"]({bounds}););'
        '(._;node(w);rel(bw)["type"~"^restriction"];);out body;'
    )


def _is_older(content: bytes, date: dt.date | None) -> bool:
    """Return whether data are of a day before the one that was asked for."""
    stamp = _stamp(content)
    return date is not None and stamp is not None and stamp[:10] < date.isoformat()


def _wrong(host: str, date: dt.date | None) -> Any:
    def accept(content: bytes) -> str | None:
        remark = re.search(rb"<remark>(.*?)</remark>", content[-10_000:], re.DOTALL)
        if remark:
            said = remark.group(1).decode("utf-8", "replace").strip()
            raise IncompleteNetworkError(
                f"{host}: the answer is partial ({said}); ask for a smaller area or a smaller buffer_m, or take a local extract"
            )
        if not (b"<osm" in content[:1000] and content.rstrip().endswith((b"</osm>", b"/>"))):
            return "its answer is no OpenStreetMap data"
        if _is_older(content, date):
            raise IncompleteNetworkError(
                f"{host}: its data are of {_stamp(content)}, older than the {date} that was asked for; ask another server or an earlier day"
            )
        return None

    return accept


def _stamp(content: bytes) -> str | None:
    """Return the moment the data are of, as the server says it."""
    found = re.search(rb'osm_base="([0-9TZ:.+-]+)"', content[:5000])
    return None if found is None else found.group(1).decode()
