"""Let nobody in but the browser of this machine that was given the link: token, Host and Origin are checked before anything else."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping

    Message = MutableMapping[str, Any]
    Scope = Mapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

MAP_PATH = "/results/view/"
"""Pages that a run wrote are served below this: they get a policy of their own and no access to the desk."""
FORM_BYTES = 1_000_000
"""What a form's own lines may add to the file that is uploaded in it."""
_SOCKET = "/_nicegui_ws/"


@dataclass(frozen=True)
class Guard:
    """Who may talk to `app`: whoever holds the token, speaks to this machine by its own name, and was sent by no other page."""

    app: Any
    port: int
    upload_bytes: int
    """No request may bring more."""
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def cookie(self) -> str:
        """The name of the cookie that holds the token; browsers do not tell ports apart, so it carries ours."""
        return f"sy_desk_{self.port}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """By which names this machine may be spoken to."""
        return (f"127.0.0.1:{self.port}", f"localhost:{self.port}")

    @property
    def link(self) -> str:
        """The address that opens the desk."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, or refuse it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = _headers(scope)
        refused = self._refused(scope, headers)
        if refused is None and self._brings_token(scope):
            await _answer(send, 303, self._entering())
            return
        if refused is None and not self._is_known(headers):
            refused = 401
        if refused is None:
            await self.app(
                scope, _limited(receive, self.upload_bytes + FORM_BYTES), self._with_policy(scope, send)
            )
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await _answer(send, refused, [])

    def _refused(self, scope: Scope, headers: Mapping[str, str]) -> int | None:
        """Return with which status a request is refused, whoever sent it, or None."""
        origins = {f"http://{host}" for host in self.hosts}
        origin = headers.get("origin")
        talks = scope["type"] == "websocket" or scope.get("method") not in {"GET", "HEAD"}
        is_foreign = origin is not None and origin not in origins
        # a form of another page may send without saying whence; a browser says it to a socket and with every such request
        is_foreign |= talks and origin is None
        is_foreign |= not talks and headers.get("sec-fetch-site") in {"cross-site", "same-site"}
        climbs = leads_out(scope["path"]) or leads_out(scope.get("raw_path", b"").decode("latin-1"))
        length = headers.get("content-length", "0")
        is_large = not length.isdigit() or int(length) > self.upload_bytes + FORM_BYTES
        found = (
            (421, headers.get("host") not in self.hosts),
            (403, is_foreign),
            (400, climbs),
            (413, is_large),
        )
        return next((status for status, holds in found if holds), None)

    def _brings_token(self, scope: Scope) -> bool:
        given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token")
        is_link = scope["type"] == "http" and scope["path"] == "/" and scope["method"] == "GET"
        return bool(is_link and given and secrets.compare_digest(given[0].encode(), self.token.encode()))

    def _is_known(self, headers: Mapping[str, str]) -> bool:
        try:
            held = SimpleCookie(headers.get("cookie", "")).get(self.cookie)
        except CookieError:
            return False
        return held is not None and secrets.compare_digest(held.value.encode(), self.token.encode())

    def _entering(self) -> list[tuple[bytes, bytes]]:
        """Return the headers that leave the token in a cookie and take it out of the address."""
        kept = f"{self.cookie}={self.token}; Path=/; HttpOnly; SameSite=Strict"
        return [(b"location", b"/"), (b"set-cookie", kept.encode()), (b"referrer-policy", b"no-referrer")]

    def _with_policy(self, scope: Scope, send: Send) -> Send:
        """Return `send` with the headers that every answer carries."""
        policy = page_policy(self.hosts) if not scope["path"].startswith(MAP_PATH) else map_policy()
        more = [
            (b"content-security-policy", policy.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"cross-origin-resource-policy", b"same-origin"),
            (b"cross-origin-opener-policy", b"same-origin"),
        ]

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name for name, _ in more}
                kept = [(n, v) for n, v in message.get("headers", []) if n.lower() not in own]
                kept = [(n, v) for n, v in kept if not n.lower().startswith(b"access-control-")]
                message = {**message, "headers": [*kept, *more]}
            await send(message)

        return sending


def page_policy(hosts: tuple[str, ...]) -> str:
    """Return the content policy of the desk's own pages: the framework compiles its templates, so it may evaluate."""
    sockets = " ".join(f"ws://{host}" for host in hosts)
    return (
        "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' {sockets}; frame-src 'self'; "
        "form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
    )


def map_policy() -> str:
    """Return the content policy of a page that a run wrote: it asks nobody for anything, and is a stranger to the desk."""
    return (
        "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval' blob:; style-src 'unsafe-inline'; "
        "img-src data: blob:; font-src data:; worker-src blob:; connect-src data: blob:; form-action 'none'; "
        "base-uri 'none'; frame-ancestors 'self'; sandbox allow-scripts allow-downloads allow-modals"
    )


def leads_out(path: str) -> bool:
    """Whether a path, written plainly or encoded however often, climbs out of its folder or is no path of this page."""
    for _ in range(4):
        parts = path.replace("\\", "/").split("/")
        if ".." in parts or "\x00" in path:
            return True
        decoded = unquote(path)
        if decoded == path:
            return False
        path = decoded
    return True


def _headers(scope: Scope) -> dict[str, str]:
    """Return the headers by name; one that is given twice is given wrongly."""
    found: dict[str, str] = {}
    for raw_name, raw_value in scope.get("headers", ()):
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found and name != "cookie" else value
    return found


def _limited(receive: Receive, most: int) -> Receive:
    """Return `receive` that gives up on a body which is longer than it may be, whatever its length was said to be."""
    taken = [0]

    async def receiving() -> Message:
        message = await receive()
        if message["type"] == "http.request":
            taken[0] += len(message.get("body", b""))
            if taken[0] > most:
                return {"type": "http.disconnect"}
        return message

    return receiving


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]]) -> None:
    said = {
        401: b"401: open the link that the desk printed",
        403: b"403",
        413: b"413: too large",
        421: b"421",
        400: b"400",
    }
    body = said.get(status, b"")
    kept = [
        *headers,
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": kept})
    await send({"type": "http.response.body", "body": body})
