"""Ask a map service where an address is: Tianditu, Amap, Baidu or Nominatim, each with its own coordinate system."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

import numpy as np
import pandas as pd

from sy_coverage._fetch import Cache, Client
from sy_coverage.errors import ConfigError, OfflineError, ServiceStoppedError, some
from sy_coverage.places.ground.coordinates import to_wgs84
from sy_coverage.places.ground.names import short_unit
from sy_coverage.places.sheets import words

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from pandas import DataFrame
    from pydantic import SecretStr

APART_M = 100.0
"""Answers farther apart than this are different places: ambiguous. Nearer ones are gates and buildings of one place."""
KEY_NAMES = {"tianditu": "TIANDITU_KEY", "amap": "AMAP_KEY", "baidu": "BAIDU_KEY"}
"""The environment variables that hold keys; Nominatim needs none."""


@dataclass(frozen=True)
class Hit:
    """One place a service found: degrees in the service's own system, its word for how precise it is, its name."""

    lon: float
    lat: float
    level: str
    label: str = ""


@dataclass(frozen=True)
class _Reply:
    """What came back to a question: places, or why there are none, and when."""

    hits: list[Hit]
    reason: str
    received: str | None = None


class _RefusedError(Exception):
    """A documented error answer: what it says, and whether waiting helps."""

    def __init__(self, what: str, *, wait: bool = False, stop: bool = False) -> None:
        super().__init__(what)
        self.what, self.wait, self.stop = what, wait, stop


@dataclass(frozen=True)
class Provider:
    """A map service as a source for `geocode`; subclasses say how it is asked and how its answers are read."""

    client: Client
    key: SecretStr | None = None
    url: str = ""
    lenient: bool = False
    """Offline, what the cache does not know is an answer (``not_asked``) and no error."""
    name: ClassVar[str] = ""
    system: ClassVar[str] = ""
    """The coordinate system of the service's answers."""
    pause_s: ClassVar[float] = 0.0
    key_parameter: ClassVar[str] = ""
    address_url: ClassVar[str] = ""

    def with_cache(self, path: str | os.PathLike[str]) -> Provider:
        """Return the same service with its answers kept at `path`."""
        return replace(self, client=replace(self.client, cache=Cache(path)))

    def parameters(self, address: str) -> dict[str, str]:
        """Return the query for an address, without the key."""
        raise NotImplementedError  # every service below has its own

    def hits(self, answer: Any) -> list[Hit]:
        """Return the places in a parsed answer."""
        raise NotImplementedError  # every service below has its own

    def queries(self, rows: DataFrame) -> list[str]:
        """Return what would be asked for `rows`, each question once: the requests of a dry run."""
        return sorted({question_of(q): q for q in self._query_of(rows) if q}.values())

    def waiting(self, rows: DataFrame) -> list[str]:
        """Return those of `queries` that no cache answers: each is one request."""
        cache = self.client.cache
        return [q for q in self.queries(rows) if cache is None or cache.get(self._key_of(q)) is None]

    def _key_of(self, query: str) -> str:
        return f"{self.name} {question_of(query)}"

    def _query_of(self, rows: DataFrame) -> list[str]:
        """Return the text asked for each row: its address with county and unit in front where it lacks them, or its name."""
        texts = []
        for _, row in rows.iterrows():
            address, name = _text(row, "address"), _text(row, "name")
            county, unit = (_text(row, c) for c in ("county_named", "unit_named"))
            asked = address or name
            if asked and unit and not unit.isdigit() and short_unit(unit) not in asked:
                before, there, behind = asked.partition(county) if county else ("", "", asked)
                asked = before + there + unit + behind if there else unit + asked
            county = "" if county.isdigit() or county in asked else county
            texts.append(words.tidy(county + asked))
        return texts

    def locate(self, rows: DataFrame) -> DataFrame:
        """Return an answer for each of `rows`; see `addresses.ANSWER_COLUMNS`.

        Raises
        ------
        OfflineError
            Naming the addresses the cache does not know, once all others are answered.
        ServiceStoppedError
            If the service stops us; what was answered so far stays in the cache.
        """
        queries = self._query_of(rows)
        chosen = [_text(row, "chosen") for _, row in rows.iterrows()]
        known: dict[str, _Reply] = {}
        missing = []
        for query in queries:
            if question_of(query) in known:
                continue
            try:
                known[question_of(query)] = self._ask(query)
            except OfflineError as error:
                if not self.client.offline:
                    raise
                if self.lenient:
                    known[question_of(query)] = _Reply([], "not_asked")
                    continue
                missing.append((query, error))
        if missing:
            raise OfflineError(
                f"{self.name}: the network is forbidden and the cache does not know: {some([q for q, _ in missing])}"
            ) from missing[0][1]
        found = [self._answer(q, known[question_of(q)], c) for q, c in zip(queries, chosen, strict=True)]
        return pd.DataFrame(found, index=rows.index)

    def _ask(self, query: str) -> _Reply:
        """Return what the service, or the cache, says to a question."""
        if not query:
            return _Reply([], "no_name_known")
        secrets = {self.key_parameter: self.key} if self.key is not None else {}
        reply = self.client.get(
            self.url or self.address_url,
            params=self.parameters(query),
            question=self._key_of(query),
            secrets=secrets,
            pause_s=self.pause_s,
            accept=self._wrong,
        )
        return _Reply(self._read(reply.content), "not_found", reply.received)

    def _answer(self, query: str, reply: _Reply, chosen: str) -> dict[str, Any]:
        nothing = self._nothing(query, reply.reason, reply.received)
        if not reply.hits:
            return nothing
        # of several places the one that the study names
        hits = [h for h in reply.hits if chosen and words.tidy(h.label) == words.tidy(chosen)] or reply.hits
        lon, lat = to_wgs84([h.lon for h in hits], [h.lat for h in hits], self.system)
        if _spread_m(lon, lat) > APART_M:
            return nothing | {
                "status": "ambiguous",
                "reason": "several_answers",
                "detail": "、".join(h.label for h in hits[:5]),
            }
        precision = _precision(self.name, hits[0].level)
        placed = {
            "lon": float(lon[0]),
            "lat": float(lat[0]),
            "precision": precision,
            "detail": hits[0].label or None,
        }
        if precision in ("point", "village"):
            return nothing | placed | {"status": "located", "reason": None}
        return nothing | placed | {"status": "approximate", "reason": "town_only"}

    def _nothing(self, query: str, reason: str, received: str | None = None) -> dict[str, Any]:
        """Return the answer that says no more than why there is no place."""
        place = {"lon": np.nan, "lat": np.nan, "precision": None, "detail": None}
        said = {"query": query, "system": self.system, "received": received}
        return place | said | {"status": "not_located", "reason": reason}

    def _wrong(self, content: bytes) -> str | None:
        """Return what is wrong with an answer, so that it is never kept, or None; a refused key stops at once."""
        try:
            self._read(content)
        except _RefusedError as refused:
            if refused.stop:
                raise ServiceStoppedError(f"{self.name}: {refused.what}") from None
            return "wait" if refused.wait else refused.what
        return None

    def _read(self, content: bytes) -> list[Hit]:
        try:
            return self.hits(json.loads(content))
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
            raise _RefusedError("its answer is not as documented") from None


class Tianditu(Provider):
    """天地图, the national platform: CGCS2000 degrees."""

    name, system, key_parameter = "tianditu", "cgcs2000", "tk"
    address_url = "https://api.tianditu.gov.cn/geocoder"

    def parameters(self, address: str) -> dict[str, str]:
        """Return the query for an address."""
        return {"ds": json.dumps({"keyWord": address}, ensure_ascii=False)}

    def hits(self, answer: Any) -> list[Hit]:
        """Return the one place of an answer: status 0 found, 101 nothing found."""
        if "code" in answer and "location" not in answer:
            raise _RefusedError(
                f"refused ({answer['code']} {answer.get('msg', '')}); check the key", stop=True
            )
        status = str(answer["status"])
        if status == "101":
            return []
        if status != "0":
            raise _RefusedError(f"error {status} {answer.get('msg', '')}")
        place = answer["location"]
        return [
            Hit(
                float(place["lon"]),
                float(place["lat"]),
                str(place.get("level", "")),
                str(place.get("keyWord", "")),
            )
        ]


class Amap(Provider):
    """高德: GCJ-02."""

    name, system, key_parameter = "amap", "gcj02", "key"
    address_url = "https://restapi.amap.com/v3/geocode/geo"
    _WAIT = frozenset({"10004", "10014", "10015", "10019", "10020", "10021", "10029"})
    _NOTHING = frozenset({"30001", "20003"})

    def parameters(self, address: str) -> dict[str, str]:
        """Return the query for an address."""
        return {"address": address, "output": "JSON"}

    def hits(self, answer: Any) -> list[Hit]:
        """Return all places of an answer: status 1, or an infocode that says what is wrong."""
        if str(answer["status"]) != "1":
            code = str(answer["infocode"])
            if code in self._NOTHING:
                return []
            what = f"refused ({code} {answer.get('info', '')}); check the key and its quota"
            raise _RefusedError(what, wait=code in self._WAIT, stop=code not in self._WAIT)
        found = []
        for place in answer["geocodes"]:
            lon, lat = map(float, place["location"].split(","))
            found.append(Hit(lon, lat, str(place["level"]), str(place["formatted_address"])))
        return found


class Baidu(Provider):
    """百度: BD-09, asked for by name."""

    name, system, key_parameter = "baidu", "bd09", "ak"
    address_url = "https://api.map.baidu.com/geocoding/v3/"
    _WAIT = frozenset({"401", "402"})

    def parameters(self, address: str) -> dict[str, str]:
        """Return the query for an address."""
        return {"address": address, "ret_coordtype": "bd09ll", "output": "json"}

    def hits(self, answer: Any) -> list[Hit]:
        """Return the one place of an answer: status 0 found, 1 nothing found."""
        status = str(answer["status"])
        if status == "1":
            return []
        if status != "0":
            what = f"refused ({status} {answer.get('message', answer.get('msg', ''))}); check the key and its quota"
            raise _RefusedError(what, wait=status in self._WAIT, stop=status not in self._WAIT)
        place = answer["result"]["location"]
        return [Hit(float(place["lng"]), float(place["lat"]), str(answer["result"]["level"]))]


class Nominatim(Provider):
    """OpenStreetMap's Nominatim: WGS84, one request a second, identified, as its usage policy asks."""

    name, system, pause_s = "nominatim", "wgs84", 1.0
    address_url = "https://nominatim.openstreetmap.org/search"

    def parameters(self, address: str) -> dict[str, str]:
        """Return the query for an address."""
        return {"q": address, "format": "jsonv2", "limit": "5"}

    def hits(self, answer: Any) -> list[Hit]:
        """Return all places of an answer, a list that is empty where nothing was found."""
        if not isinstance(answer, list):
            raise _RefusedError("its answer is not as documented")
        return [
            Hit(
                float(p["lon"]),
                float(p["lat"]),
                str(p.get("addresstype") or p["type"]),
                str(p["display_name"]),
            )
            for p in answer
        ]


PROVIDERS: Mapping[str, type[Provider]] = {p.name: p for p in (Tianditu, Amap, Baidu, Nominatim)}


def provider(
    name: str, *, key: SecretStr | None = None, offline: bool = False, lenient: bool = False
) -> Provider:
    """Return the map service called `name` as a source for `geocode`.

    Parameters
    ----------
    name
        ``"tianditu"``, ``"amap"``, ``"baidu"`` or ``"nominatim"``.
    key
        The service's key, from the environment variable that KEY_NAMES gives; Nominatim needs none.
    offline
        Answer from the cache only.
    lenient
        Offline, rows the cache does not know stay without a point, for the reason ``not_asked``, instead of an error.

    Raises
    ------
    ConfigError
        If there is no such service, or it needs a key and none is given.
    """
    if name not in PROVIDERS:
        raise ConfigError(
            f"map service '{name}' is unknown; there are: gazetteer, {', '.join(sorted(PROVIDERS))}"
        )
    kind = PROVIDERS[name]
    if kind.key_parameter and key is None and not offline:
        raise ConfigError(f"{name} needs a key: put it into the environment variable {KEY_NAMES[name]}")
    host = str(urlsplit(kind.address_url).hostname)
    return kind(Client(frozenset({host}), offline=offline), key, lenient=lenient)


def question_of(query: str) -> str:
    """Return what makes two queries the same question: NFKC, case and spaces do not matter."""
    return "".join(unicodedata.normalize("NFKC", query).casefold().split())


def _text(row: Any, column: str) -> str:
    value = row.get(column)
    return "" if value is None or pd.isna(value) else str(value)


def _precision(service: str, level: str) -> str:
    levels = words.table("providers", room="locating")[service]
    return next(
        (p for p in ("point", "village", "town", "county") if level in levels[p]), str(levels["else"])
    )


def _spread_m(lon: np.ndarray, lat: np.ndarray) -> float:
    """Return the farthest of the points from the first, in metres, to first order."""
    aside = (lon - lon[0]) * np.cos(np.radians(lat[0]))
    return float(np.hypot(aside, lat - lat[0]).max() * 111_320.0)
