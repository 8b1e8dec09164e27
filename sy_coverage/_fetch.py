"""The door to the network: named services only, within limits, and every answer kept so that nothing is asked twice."""

from __future__ import annotations

import datetime as dt
import email.utils
import hashlib
import html
import ipaddress
import json
import logging
import re
import socket
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, quote_plus, urlsplit

from sy_coverage import _files
from sy_coverage.errors import InputError, OfflineError, ServiceFaultError, ServiceStoppedError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pydantic import SecretStr

_log = logging.getLogger(__name__)
AGENT = "sy-coverage/0.1 (elder-care coverage planning)"


@dataclass(frozen=True)
class Limits:
    """What one request may cost."""

    most_bytes: int = 20_000_000
    total_s: float = 60.0
    """From connecting to the last byte; a slow drip ends here."""
    connect_s: float = 10.0
    tries: int = 5
    """After so many refusals or faults the service has stopped us."""
    longest_wait_s: float = 300.0
    """A service that asks for a longer pause has stopped us."""


@dataclass(frozen=True)
class Clock:
    """Where time comes from: a monotonic clock for waits and limits, so that a clock set back changes nothing."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class Reply:
    """An answer's bytes, when it was received (UTC, ISO 8601), and whether it came from the cache."""

    content: bytes
    received: str
    cached: bool


_TABLES = ("answers", "finished")


class Cache:
    """Answers by question in one SQLite file; a row that does not match its checksum is dropped and asked again."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open or make the cache at `path`."""
        self._path = path
        with _files.sqlite(path, tables=_TABLES) as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS answers (question TEXT PRIMARY KEY, content BLOB NOT NULL, "
                "checksum TEXT NOT NULL, received TEXT NOT NULL)"
            )

    def get(self, question: str) -> Reply | None:
        """Return the answer to `question` if it is there and whole."""
        with _files.sqlite(self._path, tables=_TABLES) as connection:
            row = connection.execute(
                "SELECT content, checksum, received FROM answers WHERE question = ?", (question,)
            ).fetchone()
            if row is None:
                return None
            content, checksum, received = row
            if not isinstance(content, bytes) or _checksum(content, str(received)) != checksum:
                _log.warning("a damaged answer in the cache is asked for again")
                connection.execute("DELETE FROM answers WHERE question = ?", (question,))
                return None
        return Reply(content, str(received), cached=True)

    def put(self, question: str, reply: Reply) -> None:
        """Keep an answer."""
        row = (question, reply.content, _checksum(reply.content, reply.received), reply.received)
        with _files.sqlite(self._path, tables=_TABLES) as connection:
            connection.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", row)

    def forget(self, question: str) -> None:
        """Drop an answer, so that the next run asks again."""
        with _files.sqlite(self._path, tables=_TABLES) as connection:
            connection.execute("DELETE FROM answers WHERE question = ?", (question,))

    def finish(self) -> None:
        """Mark that everything that was to be asked has been."""
        with _files.sqlite(self._path, tables=_TABLES) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS finished (at TEXT)")
            connection.execute("INSERT INTO finished VALUES ('')")

    @property
    def is_finished(self) -> bool:
        """Whether everything that was to be asked has been."""
        with _files.sqlite(self._path, tables=_TABLES) as connection:
            found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'finished'").fetchone()
        return found is not None

    def digest(self) -> str:
        """Return the SHA-256 of all that is kept, in hex: it pins the answers a result came from."""
        with _files.sqlite(self._path, tables=_TABLES) as connection:
            rows = connection.execute("SELECT question, checksum FROM answers ORDER BY question").fetchall()
        return hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode()).hexdigest()

    def take_over(self, other: str | os.PathLike[str]) -> None:
        """Put every answer of the cache at `other` in the place of the one that is kept here, all of them or none."""
        with _files.sqlite(self._path, tables=_TABLES) as connection:
            connection.execute("ATTACH DATABASE ? AS other", (str(other),))
            connection.execute("INSERT OR REPLACE INTO answers SELECT * FROM other.answers")


@dataclass(frozen=True)
class _Got:
    status: int
    headers: Mapping[str, str]
    content: bytes
    fault: str = ""


@dataclass(frozen=True)
class _Trouble:
    words: str
    wait_s: float = 0.0
    is_offline: bool = False
    is_fault: bool = False
    """It fails, and does not only ask to slow down."""
    is_answer: bool = False


@dataclass
class _Shared:
    """What all copies of a client share: when the service was last asked, and the one TLS context."""

    last: float | None = None
    tls: Any = None


MOST_WORDS = 200
"""Letters of a service's own words that are passed on."""
ROWS_OWN = (400, 414, 422)
"""Statuses with which a service refuses one question; what it says is an answer, or else the status is."""


def _bodies(got: _Got) -> list[bytes]:
    """Return what may be an answer: a body of status 200, or that with which the service refuses this one question."""
    if got.fault:
        return []
    if got.status in ROWS_OWN:
        return [got.content, json.dumps({"http_status": got.status}).encode()]
    return [got.content] if got.status == 200 else []


def asked_as(url: str, params: Mapping[str, str]) -> str:
    """Return under which question the cache keeps the answer to `params` of the service at `url`."""
    return json.dumps([url, sorted(params.items())], ensure_ascii=False)


def _words(content: bytes) -> str:
    """Return what a service says of its refusal, in one line behind a colon; nothing if it says nothing in words."""
    text = content[:20_000].decode("utf-8", "replace")
    body = re.sub(r"(?is)<(head|style|script)\b.*?</\1>|<[^>]*>", " ", text)
    words = html.unescape(" ".join(body.split()))
    # of a page, what follows the word; of a plain sentence, all
    found = re.search(r"(?i)\berror\b\W*(.+)", words)
    said = (found[1] if found and "<" in text else words)[:MOST_WORDS].strip()
    return f": {said}" if said else ""


def _without(secrets: Iterable[str], content: bytes) -> bytes:
    """Return an answer without the keys it repeats."""
    for secret in secrets:
        for written in {secret, quote(secret, safe=""), quote_plus(secret)}:
            content = content.replace(written.encode(), b"***") if written else content
    return content


def _checksum(content: bytes, received: str) -> str:
    return hashlib.sha256(content + b"\0" + received.encode()).hexdigest()


def _resolved(host: str, port: int) -> list[str]:
    return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@dataclass
class Client:
    """Asks the services on `hosts` and nobody else.

    Requests go over https to public addresses only; `loopback` allows plain http to this machine, for tests. Redirects
    are refused. Keys are given apart from the other parameters: they enter the request, and nothing that is written.
    """

    hosts: frozenset[str]
    cache: Cache | None = None
    offline: bool = False
    limits: Limits = field(default_factory=Limits)
    clock: Clock = field(default_factory=Clock)
    loopback: bool = False
    resolve: Callable[[str, int], list[str]] = _resolved
    contact: str = ""
    """An address of mail or a page, told with every request: whom to write to if they trouble the service."""
    _shared: _Shared = field(default_factory=_Shared, repr=False)

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str],
        question: str | None = None,
        secrets: Mapping[str, SecretStr] | None = None,
        pause_s: float = 0.0,
        accept: Callable[[bytes], str | None] = lambda _: None,
        still: Callable[[bytes], bool] = lambda _: True,
    ) -> Reply:
        """Return the answer to a GET request, from the cache if it was asked before.

        Parameters
        ----------
        url
            Without a query.
        params, secrets
            The query; keys are secrets.
        question
            Under which the cache keeps the answer; by default the address and `params`, never the secrets.
        pause_s
            Least time since the request before this one.
        accept
            Returns what is wrong with a body of status 200, or None; ``"wait"`` means the service asks to slow down. An
            answer that is refused is never kept.
        still
            Whether a kept answer will still do; one that does not is asked for again.

        Raises
        ------
        OfflineError
            If the network cannot be reached or is forbidden, and the cache does not know the answer.
        ServiceStoppedError
            If the key is refused, a quota is used up, or the service does not answer as documented after all tries.
        InputError
            If the address is not one of `hosts`, not https, or not public.
        """
        question = question or asked_as(url, params)
        known = self.cache.get(question) if self.cache else None
        if known is not None and still(known.content):
            return known
        if self.offline:
            raise OfflineError(
                f"{urlsplit(url).hostname}: the network is forbidden and the cache has no answer; run once without --offline"
            )
        keys = {name: secret.get_secret_value() for name, secret in (secrets or {}).items()}
        # services echo what they were asked, keys too
        reply = self._asked(
            url, {**params, **keys}, pause_s, lambda body: accept(_without(keys.values(), body))
        )
        reply = replace(reply, content=_without(keys.values(), reply.content))
        if self.cache:
            self.cache.put(question, reply)
        return reply

    def _asked(
        self, url: str, query: Mapping[str, str], pause_s: float, accept: Callable[[bytes], str | None]
    ) -> Reply:
        host = str(urlsplit(url).hostname)
        address = self._address(url)
        trouble = _Trouble("")
        for attempt in range(self.limits.tries):
            # before a try again the service's own pause has been kept
            self._pause(0.0 if attempt else pause_s)
            got = self._once(url, query, address)
            wrong: str | None = ""
            for body in _bodies(got):
                wrong = accept(body)
                if wrong is None:
                    return Reply(body, self.clock.now().isoformat(timespec="seconds"), cached=False)
            said = _words(_without(query.values(), got.content)) if got.status != 200 else ""
            trouble = self._trouble(host, got, wrong, float(2**attempt), said)
            if trouble.wait_s > self.limits.longest_wait_s:
                break
            if attempt + 1 < self.limits.tries:
                self.clock.sleep(trouble.wait_s)
        if trouble.is_offline:
            raise OfflineError(
                f"{host}: cannot be reached ({trouble.words}); check the network, or run offline from the cache"
            )
        words = f"{host}: {trouble.words}; run again later to go on from here"
        if trouble.is_fault:
            raise ServiceFaultError(words, trouble.words, is_answer=trouble.is_answer)
        raise ServiceStoppedError(words)

    def _trouble(self, host: str, got: _Got, wrong: str | None, wait_s: float, said: str) -> _Trouble:
        """Return what is wrong with an answer and how long to wait before the next try, or stop at once."""
        if got.fault:
            return _Trouble(got.fault, wait_s, is_offline=True)
        if got.status in (401, 403):
            raise ServiceStoppedError(
                f"{host}: the key is refused (status {got.status}); check the key and its permissions"
            )
        if got.status == 429:
            return _Trouble(
                f"it asks to slow down (status 429{said})", self._retry_after(got.headers, wait_s)
            )
        if got.status >= 500:
            pause_s = self._retry_after(got.headers, wait_s)
            return _Trouble(f"it fails (status {got.status}{said})", pause_s, is_fault=True)
        if got.status != 200:
            raise ServiceStoppedError(f"{host}: unexpected status {got.status}; redirects are not followed")
        if wrong == "wait":
            return _Trouble("it asks to slow down", wait_s)
        return _Trouble(wrong or "", wait_s, is_fault=True, is_answer=True)

    def _pause(self, pause_s: float) -> None:
        if self._shared.last is not None and pause_s > 0:
            left = self._shared.last + pause_s - self.clock.monotonic()
            if left > 0:
                self.clock.sleep(left)
        self._shared.last = self.clock.monotonic()

    def _retry_after(self, headers: Mapping[str, str], default: float) -> float:
        """Return the seconds a service asks us to wait: a number, or until a date."""
        asked = headers.get("retry-after", "").strip()
        if asked.isdigit():
            return float(asked)
        try:
            until = email.utils.parsedate_to_datetime(asked)
        except (TypeError, ValueError):
            return default
        return max((until - self.clock.now()).total_seconds(), 0.0)

    def _address(self, url: str) -> str:
        """Return the numeric address to connect to, once it is known to be one that may be asked."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        if host not in self.hosts:
            raise InputError(f"{host or url}: not a service this study names; requests go to no other")
        if parts.scheme != "https" and not self.loopback:
            raise InputError(f"{host}: only https is used")
        try:
            found = self.resolve(host, parts.port or 443)
        except OSError as error:
            raise OfflineError(f"{host}: cannot be found ({error}); check the network") from None
        # checked and then connected to by number, so that a second look-up cannot name another machine
        for address in found:
            number = ipaddress.ip_address(address.split("%")[0])
            is_public = number.is_global and not number.is_multicast
            if not (is_public or (self.loopback and number.is_loopback)):
                raise InputError(f"{host}: resolves to {number}, which is no public address")
        return found[0]

    def _once(self, url: str, query: Mapping[str, str], address: str) -> _Got:
        """Return what came back and what went wrong on the way; below the client of httpx nothing logs an address."""
        import httpcore  # noqa: PLC0415  (heavy)
        import httpx  # noqa: PLC0415

        parts = urlsplit(url)
        pinned = httpx.URL(url, params=dict(query)).copy_with(host=address)
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), self.limits.connect_s)
        request = httpcore.Request(
            "GET",
            httpcore.URL(
                scheme=pinned.raw_scheme, host=pinned.raw_host, port=pinned.port, target=pinned.raw_path
            ),
            headers=self._names_itself() | {"Host": parts.netloc, "Accept-Encoding": "identity"},
            extensions={"timeout": timeouts, "sni_hostname": parts.hostname},
        )
        bounded: Any = _Within(self.limits.total_s, self.clock)
        try:
            with httpcore.ConnectionPool(ssl_context=self._tls(), network_backend=bounded) as pool:
                response = pool.handle_request(request)
                try:
                    content = b"".join(self._limited(response.iter_stream()))
                finally:
                    response.close()
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            return _Got(0, {}, b"", str(error) or type(error).__name__)
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers
        }
        return _Got(response.status, headers, content)

    def _names_itself(self) -> dict[bytes | str, bytes | str]:
        """Return the headers that say who asks, as usage policies of free services want it."""
        told: dict[bytes | str, bytes | str] = {
            "User-Agent": f"{AGENT[:-1]}; {self.contact})" if self.contact else AGENT
        }
        if "://" in self.contact:
            told["Referer"] = self.contact
        return told

    def _tls(self) -> Any:
        """Return the one TLS context of this client: making it reads every root certificate."""
        import httpx  # noqa: PLC0415  (heavy)

        if self._shared.tls is None:
            self._shared.tls = httpx.create_ssl_context(trust_env=False)
        return self._shared.tls

    def _limited(self, stream: Iterable[bytes]) -> Iterator[bytes]:
        """Yield a body piece by piece until it is too long."""
        import httpcore  # noqa: PLC0415

        size = 0
        for piece in stream:
            size += len(piece)
            if size > self.limits.most_bytes:
                raise httpcore.ReadError(f"more than {self.limits.most_bytes:,} bytes")
            yield piece


class _Within:
    """Connections that end when their time is over, however slowly their headers and body drip."""

    def __init__(self, total_s: float, clock: Clock, stream: Any = None) -> None:
        self._total_s, self._clock, self._stream = total_s, clock, stream
        self._end = clock.monotonic() + total_s

    def _left(self, timeout: float | None) -> float:
        import httpcore  # noqa: PLC0415

        left = self._end - self._clock.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout(f"more than {self._total_s:g} s")
        return left if timeout is None else min(left, timeout)

    def _around(self, stream: Any) -> Self:
        self._stream = stream
        return self

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **options: Any) -> Self:
        import httpcore  # noqa: PLC0415

        return self._around(
            httpcore.SyncBackend().connect_tcp(host, port, timeout=self._left(timeout), **options)
        )

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> Self:
        return self._around(self._stream.start_tls(ssl_context, server_hostname, self._left(timeout)))

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return bytes(self._stream.read(max_bytes, self._left(timeout)))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._left(timeout))

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
