"""Ask a map service where an address is: Tianditu, Amap, Baidu or Nominatim, each with its own coordinate system."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

import numpy as np
import pandas as pd

from sy_coverage._fetch import Cache, Client
from sy_coverage.errors import (
    ConfigError,
    OfflineError,
    QuotaSpentError,
    ServiceFaultError,
    ServiceStoppedError,
    some,
)
from sy_coverage.places.ground.coordinates import to_wgs84
from sy_coverage.places.locating.answers import (
    APART_M,
    Hit,
    RefusedError,
    degrees,
    in_county,
    possible,
    precision,
    radius_of,
    spread_m,
    told,
)
from sy_coverage.places.locating.queries import queries_of, question_of, text_of
from sy_coverage.places.sheets import words

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from pandas import DataFrame
    from pydantic import SecretStr

UNDOCUMENTED = "its answer is not as documented"
FAULTS_IN_A_ROW = 3
"""A service that fails on so many questions one after the other is down, and no row's own fault."""
KEY_NAMES = {"tianditu": "TIANDITU_KEY", "amap": "AMAP_KEY", "baidu": "BAIDU_KEY"}
"""The environment variables that hold keys; Nominatim needs none."""


@dataclass(frozen=True)
class _Reply:
    """What came back to a question: places, or why there are none, and when."""

    hits: list[Hit]
    reason: str
    received: str | None = None
    detail: str = ""
    """What the service says of its refusal."""


@dataclass(frozen=True)
class Provider:
    """A map service as a source for `geocode`; subclasses say how it is asked and how its answers are read."""

    client: Client
    key: SecretStr | None = None
    url: str = ""
    lenient: bool = False
    """Offline, what the cache does not know is an answer (``not_asked``) and no error."""
    goes_on: bool = False
    """Another service is asked after this one: a spent quota leaves rows to it, and stops nothing."""
    name: ClassVar[str] = ""
    system: ClassVar[str] = ""
    """The coordinate system of the service's answers."""
    pause_s: ClassVar[float] = 0.0
    key_parameter: ClassVar[str] = ""
    address_url: ClassVar[str] = ""

    def with_cache(self, path: str | os.PathLike[str]) -> Provider:
        """Return the same service with its answers kept at `path`."""
        return replace(self, client=replace(self.client, cache=Cache(path)))

    def told_contact(self, contact: str) -> Provider:
        """Return the same service, told whom to write to if our requests trouble it."""
        return replace(self, client=replace(self.client, contact=contact))

    def parameters(self, address: str, region: str = "") -> dict[str, str]:
        """Return the query for an address in a county (its code or name, where it is known), without the key."""
        raise NotImplementedError  # every service below has its own

    def hits(self, answer: Any) -> list[Hit]:
        """Return the places in a parsed answer, or raise what it says is wrong."""
        raise NotImplementedError  # every service below has its own

    def queries(self, rows: DataFrame) -> list[str]:
        """Return what would be asked for `rows`, each question once: the requests of a dry run."""
        return sorted({question: query for question, query, _ in self._asked_of(rows) if query}.values())

    def waiting(self, rows: DataFrame) -> list[str]:
        """Return those of `queries` that no cache answers: each is one request."""
        cache = self.client.cache
        open_ = {
            question: query
            for question, query, _ in self._asked_of(rows)
            if query and (cache is None or cache.get(self._key_of(question)) is None)
        }
        return sorted(open_.values())

    def _key_of(self, question: str) -> str:
        return f"{self.name} {question}"

    def _asked_of(self, rows: DataFrame) -> list[tuple[str, str, str]]:
        """Return for each row its question as the cache knows it, the text asked, and the code or name of its county."""
        found = []
        for (_, row), query in zip(rows.iterrows(), queries_of(rows), strict=True):
            region = text_of(row, "county_id") or text_of(row, "county_named")
            more = sorted(set(self.parameters("", region).items()) - set(self.parameters("").items()))
            behind = "".join(f" {name}={value}" for name, value in more)
            found.append((question_of(query) + behind, query, region))
        return found

    def locate(self, rows: DataFrame) -> DataFrame:
        """Return an answer for each of `rows`; see `addresses.ANSWER_COLUMNS`.

        A question that the service cannot deal with, or fails on again and again, is its rows' reason; the rest goes on.

        Raises
        ------
        OfflineError
            Naming the addresses the cache does not know, once all others are answered.
        QuotaSpentError
            If the day's requests are spent, and no other service is asked after this one.
        ServiceStoppedError
            If the service stops us, or fails on every question; what was answered so far stays in the cache.
        """
        asked = self._asked_of(rows)
        chosen = [text_of(row, "chosen") for _, row in rows.iterrows()]
        county = [text_of(row, "county_named") for _, row in rows.iterrows()]
        known = self._replies(asked)
        found = [
            self._answer(query, known[question], *more)
            for (question, query, region), *more in zip(
                asked, chosen, [region for _, _, region in asked], county, strict=True
            )
        ]
        return pd.DataFrame(found, index=rows.index)

    def _replies(self, asked: list[tuple[str, str, str]]) -> dict[str, _Reply]:
        """Return what came back to each question, every one asked once."""
        known: dict[str, _Reply] = {}
        missing: list[tuple[str, OfflineError]] = []
        faults: list[ServiceFaultError] = []
        in_a_row, spent = 0, False
        for question, query, region in asked:
            if question in known:
                continue
            try:
                known[question] = _Reply([], "quota_spent") if spent else self._ask(question, query, region)
                in_a_row = 0
            except QuotaSpentError:
                if not self.goes_on:
                    raise
                known[question], spent = _Reply([], "quota_spent"), True
            except ServiceFaultError as error:
                faults, in_a_row = [*faults, error], in_a_row + 1
                known[question] = _Reply([], "service_failed", detail=error.what)
                if in_a_row >= FAULTS_IN_A_ROW:
                    raise
            except OfflineError as error:
                if not self.client.offline:
                    raise
                known[question] = _Reply([], "not_asked")
                missing.append((query, error))
        self._stop_if_down(faults, len(known))
        if missing and not self.lenient:
            raise OfflineError(
                f"{self.name}: the network is forbidden and the cache does not know: {some([q for q, _ in missing])}"
            ) from missing[0][1]
        return known

    @staticmethod
    def _stop_if_down(faults: list[ServiceFaultError], questions: int) -> None:
        """Raise the first of `faults` if nothing was answered as the service documents it."""
        if (
            faults
            and len(faults) == questions
            and not all(e.is_answer and e.what != UNDOCUMENTED for e in faults)
        ):
            raise faults[0]

    def _ask(self, question: str, query: str, region: str) -> _Reply:
        """Return what the service, or the cache, says to a question."""
        if not query:
            return _Reply([], "no_name_known")
        secrets = {self.key_parameter: self.key} if self.key is not None else {}
        reply = self.client.get(
            self.url or self.address_url,
            params=self.parameters(query, region),
            question=self._key_of(question),
            secrets=secrets,
            pause_s=self.pause_s,
            accept=self._wrong,
        )
        try:
            hits = self._read(reply.content)
        except RefusedError as refused:
            return _Reply([], "service_refused", reply.received, refused.what)
        if hits and not possible(hits):
            return _Reply([], "impossible_answer", reply.received, f"{hits[0].lon:g}, {hits[0].lat:g}")
        return _Reply(possible(hits), "not_found", reply.received)

    def _answer(self, query: str, reply: _Reply, chosen: str, region: str, county: str) -> dict[str, Any]:
        nothing = self._nothing(query, reply.reason, reply.received) | {"detail": reply.detail or None}
        if not reply.hits:
            return nothing
        # of several places the one that the study names, or else those in the row's county
        hits = [h for h in reply.hits if chosen and words.tidy(h.label) == words.tidy(chosen)]
        hits = hits or in_county(reply.hits, region, county)
        lon, lat = to_wgs84([h.lon for h in hits], [h.lat for h in hits], self.system)
        if spread_m(lon, lat) > APART_M:
            return nothing | {
                "status": "ambiguous",
                "reason": "several_answers",
                "detail": "、".join(h.label for h in hits[:5]),
            }
        found = precision(self.name, hits[0])
        off = f"±{hits[0].radius_m:,.0f} m" if found != "point" and hits[0].radius_m else ""
        placed = {
            "lon": float(lon[0]),
            "lat": float(lat[0]),
            "precision": found,
            "detail": " ".join(filter(None, (hits[0].label or (query if off else ""), off))) or None,
        }
        if found in ("point", "village"):
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
        except RefusedError as refused:
            if refused.fault == "key":
                raise ServiceStoppedError(f"{self.name}: {refused.what}") from None
            if refused.fault == "quota":
                raise QuotaSpentError(f"{self.name}: {refused.what}") from None
            return {"row": None, "wait": "wait"}.get(refused.fault, refused.what)
        return None

    def _read(self, content: bytes) -> list[Hit]:
        try:
            answer = json.loads(content)
            if isinstance(answer, dict) and "http_status" in answer:
                raise RefusedError(f"status {answer['http_status']}", "row")
            return self.hits(answer)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
            raise RefusedError(UNDOCUMENTED) from None


class Tianditu(Provider):
    """天地图, the national platform: CGCS2000 degrees."""

    name, system, key_parameter, pause_s = "tianditu", "cgcs2000", "tk", 0.2
    address_url = "https://api.tianditu.gov.cn/geocoder"

    def parameters(self, address: str, region: str = "") -> dict[str, str]:  # noqa: ARG002  it knows no regions
        """Return the query for an address."""
        return {"ds": json.dumps({"keyWord": address}, ensure_ascii=False)}

    def hits(self, answer: Any) -> list[Hit]:
        """Return the one place of an answer: status 0 found, 101 nothing found, 404 an error of this question."""
        if "code" in answer and "location" not in answer:
            said = f"{answer['code']} {told(answer.get('msg'))}"
            if any(word in said for word in ("超限", "配额", "次数", "限额", "quota")):
                raise RefusedError(f"the day's requests are spent ({said})", "quota")
            raise RefusedError(f"refused ({said}); check the key", "key")
        status = str(answer["status"])
        if status == "101":
            return []
        if status != "0":
            what = f"error {status} {told(answer.get('msg'))}".strip()
            raise RefusedError(what, "row" if status == "404" else "service")
        place = answer["location"]
        if not place:
            return []
        radius = radius_of(self.name, place.get("score"), "score")
        spot = degrees(place["lon"]), degrees(place["lat"])
        return [Hit(*spot, told(place.get("level")), told(place.get("keyWord")), radius_m=radius)]


class Amap(Provider):
    """高德: GCJ-02."""

    name, system, key_parameter, pause_s = "amap", "gcj02", "key", 0.35
    address_url = "https://restapi.amap.com/v3/geocode/geo"
    _WAIT = frozenset({"10004", "10014", "10015", "10016", "10019", "10020", "10021", "10029"})
    _SPENT = frozenset({"10003", "10010", "10044", "40000", "40003"})
    _FAILS = frozenset({"10017", "20003"})

    def parameters(self, address: str, region: str = "") -> dict[str, str]:
        """Return the query for an address; its city is the county's, by the code of the statistical divisions."""
        city = {"city": f"{region[:4]}00"} if region.isdigit() and len(region) == 6 else {}
        return {"address": address, "output": "JSON"} | city

    def hits(self, answer: Any) -> list[Hit]:
        """Return all places of an answer: status 1, or an infocode that says what is wrong."""
        if str(answer["status"]) != "1":
            code = str(answer["infocode"])
            said = f"{code} {told(answer.get('info'))}".strip()
            if code in self._SPENT:
                raise RefusedError(f"the day's requests are spent ({said})", "quota")
            if code in self._WAIT:
                raise RefusedError(f"refused ({said})", "wait")
            if code in self._FAILS or code.startswith("3"):
                raise RefusedError(f"error {said}")
            if code.startswith("2"):
                raise RefusedError(f"error {said}", "row")
            raise RefusedError(f"refused ({said}); check the key and its quota", "key")
        found = []
        for place in answer["geocodes"]:
            lon, _, lat = told(place.get("location")).partition(",")
            if lat:
                level, label, adcode = (told(place.get(k)) for k in ("level", "formatted_address", "adcode"))
                found.append(Hit(degrees(lon), degrees(lat), level, label, adcode))
        return found


class Baidu(Provider):
    """百度: BD-09, asked for by name."""

    name, system, key_parameter, pause_s = "baidu", "bd09", "ak", 0.35
    address_url = "https://api.map.baidu.com/geocoding/v3/"
    _WAIT = frozenset({"401", "402"})
    _SPENT = frozenset({"4", "301", "302"})

    def parameters(self, address: str, region: str = "") -> dict[str, str]:
        """Return the query for an address, and the county by name where the row gives one."""
        city = {"city": region} if region and not region.isdigit() else {}
        return {"address": address, "ret_coordtype": "bd09ll", "output": "json"} | city

    def hits(self, answer: Any) -> list[Hit]:
        """Return the one place of an answer: status 0 found, 1 nothing found or an error inside, 2 a question it cannot read."""
        status = str(answer["status"])
        said = f"{status} {told(answer.get('message')) or told(answer.get('msg'))}".strip()
        if status == "1":
            if "无相关结果" in said:
                return []
            raise RefusedError(f"error {said}")
        if status in self._SPENT:
            raise RefusedError(f"the day's requests are spent ({said})", "quota")
        if status in self._WAIT:
            raise RefusedError(f"refused ({said})", "wait")
        if status == "2":
            raise RefusedError(f"error {said}", "row")
        if status != "0":
            raise RefusedError(f"refused ({said}); check the key and its quota", "key")
        result = answer["result"]
        if not result or not result.get("location"):
            return []
        radius = max(
            radius_of(self.name, result.get("confidence"), "confidence"),
            radius_of(self.name, result.get("comprehension"), "comprehension"),
            # a vague one is never finer than a village
            1000.0 if told(result.get("precise")) == "0" else 0.0,
        )
        spot = degrees(result["location"]["lng"]), degrees(result["location"]["lat"])
        return [Hit(*spot, told(result.get("level")), radius_m=radius)]


class Nominatim(Provider):
    """OpenStreetMap's Nominatim: WGS84, one request a second, identified, as its usage policy asks."""

    name, system, pause_s = "nominatim", "wgs84", 1.0
    address_url = "https://nominatim.openstreetmap.org/search"

    def parameters(self, address: str, region: str = "") -> dict[str, str]:  # noqa: ARG002  a county stands in the address
        """Return the query for an address."""
        return {"q": address, "format": "jsonv2", "limit": "5"}

    def hits(self, answer: Any) -> list[Hit]:
        """Return all places of an answer, a list that is empty where nothing was found."""
        if isinstance(answer, dict) and "error" in answer:
            error = answer["error"]
            said = told(error.get("message")) if isinstance(error, dict) else told(error)
            raise RefusedError(f"error {said}", "row")
        if not isinstance(answer, list):
            raise RefusedError(UNDOCUMENTED)
        return [
            Hit(
                degrees(p["lon"]),
                degrees(p["lat"]),
                told(p.get("addresstype")) or told(p["type"]),
                told(p.get("display_name")),
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
