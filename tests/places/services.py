"""Scripted map services on this machine: they answer by what they are asked, as documented and seen in public."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from sy_coverage._fetch import Cache, Client, Clock, Limits
from sy_coverage.places import from_wgs84
from sy_coverage.places.locating.providers import PROVIDERS, Provider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KEY = "canary-0a1b2c3d+/="
"""A key with characters that an address writes in another way."""


@dataclass
class Service:
    """A server that is running: what it was asked, in order, and the headers of each request."""

    answer: Callable[[str], Any]
    url: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def questions(self) -> list[str]:
        """The addresses that were asked for."""
        return [_question(query) for query in self.asked]


def _question(query: dict[str, str]) -> str:
    if "ds" in query:
        return str(json.loads(query["ds"])["keyWord"])
    return query.get("address") or query["q"]


@contextmanager
def serving(answer: Callable[[str], Any]) -> Iterator[Service]:
    """Run a service; `answer` says what it says to an address: JSON, or (status, body)."""
    service = Service(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = {k: v[0] for k, v in parse_qs(urlsplit(self.path).query, keep_blank_values=True).items()}
            service.asked.append(query)
            service.headers.append(dict(self.headers))
            said = service.answer(_question(query))
            status, body = said if isinstance(said, tuple) else (200, said)
            content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    service.url = f"http://localhost:{server.server_port}/"
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Waits:
    """A clock that only sleeping moves."""

    at: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.at += seconds


def source(name: str, service: Service, *, cache: Path | None = None, waits: Waits | None = None) -> Provider:
    """Return the provider `name`, asking a running service instead; it tries twice."""
    waits = waits or Waits()
    client = Client(
        frozenset({"localhost"}),
        cache=Cache(cache) if cache else None,
        limits=Limits(tries=2),
        clock=Clock(lambda: waits.at, waits.sleep),
        loopback=True,
        resolve=lambda *_: ["127.0.0.1"],
    )
    return PROVIDERS[name](client, SecretStr(KEY), service.url)


def amap_place(
    lon: float, lat: float, *, level: str = "兴趣点", adcode: str = "990100", **more: Any
) -> dict[str, Any]:
    """Return one place of an answer of Amap; empty fields are empty lists, as it writes them."""
    x, y = from_wgs84(lon, lat, "gcj02")
    return {
        "formatted_address": "某省某市试验县某地",
        "province": "某省",
        "city": [],
        "township": [],
        "neighborhood": {"name": [], "type": []},
        "adcode": adcode,
        "location": f"{float(x):.6f},{float(y):.6f}",
        "level": level,
    } | more


def amap(*places: dict[str, Any]) -> dict[str, Any]:
    """Return an answer of Amap with these places."""
    return {
        "status": "1",
        "info": "OK",
        "infocode": "10000",
        "count": str(len(places)),
        "geocodes": list(places),
    }


def baidu(lon: float, lat: float, **said: Any) -> dict[str, Any]:
    """Return an answer of Baidu."""
    x, y = from_wgs84(lon, lat, "bd09")
    place = {"precise": 1, "confidence": 80, "comprehension": 100, "level": "门址"} | said
    return {"status": 0, "result": {"location": {"lng": float(x), "lat": float(y)}} | place}


def tianditu(lon: float, lat: float, **said: Any) -> dict[str, Any]:
    """Return an answer of Tianditu."""
    place = {"score": 100, "level": "兴趣点", "lon": f"{lon}", "lat": f"{lat}", "keyWord": "某地"} | said
    return {"msg": "ok", "location": place, "searchVersion": "6.0.0", "status": "0"}


def nominatim(lon: float, lat: float, **said: Any) -> list[dict[str, Any]]:
    """Return an answer of Nominatim with one place."""
    place = {"lat": f"{lat}", "lon": f"{lon}", "category": "amenity", "type": "nursing_home"}
    return [place | {"addresstype": "amenity", "display_name": "某地, 试验县"} | said]


GOOD = {
    "amap": lambda x, y: amap(amap_place(x, y)),
    "baidu": baidu,
    "tianditu": tianditu,
    "nominatim": nominatim,
}
"""An exact answer of each service for a place in WGS84."""
