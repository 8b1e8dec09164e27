"""Nobody gets in but the browser of this machine that was given the link."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from sy_coverage.desk.guard import Guard, leads_out, map_policy, page_policy

HOME = "127.0.0.1:8500"


async def inside(scope, receive, send):
    """Say that somebody came in; read what they brought."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    size = 0
    while scope["method"] == "POST":
        message = await receive()
        if message["type"] == "http.disconnect":
            await send({"type": "http.response.start", "status": 499, "headers": []})
            return
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    headers = [(b"access-control-allow-origin", b"*"), (b"x-size", str(size).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


@pytest.fixture
def guard():
    return Guard(inside, port=8500, upload_bytes=1000)


def ask(guard, path="/", *, method="GET", kind="http", query="", body=(b"",), raw=None, **headers):
    """Return the first message that comes back: status or websocket answer, and its headers."""
    given = {"host": HOME, **headers}
    scope = {
        "type": kind,
        "method": method,
        "path": path,
        "raw_path": (raw or path).encode(),
        "query_string": query.encode(),
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in given.items() if v is not None],
    }
    parts = list(body)
    said = []

    async def receive():
        if kind == "websocket":
            return {"type": "websocket.connect"}
        return {"type": "http.request", "body": parts.pop(0) if parts else b"", "more_body": bool(parts)}

    async def send(message):
        said.append(message)

    # in a thread of its own: a browser that other tests keep open leaves a loop running in this one
    with ThreadPoolExecutor(1) as apart:
        apart.submit(lambda: asyncio.run(guard(scope, receive, send))).result()
    return said[0]


def known(guard, **more):
    return {"cookie": f"{guard.cookie}={guard.token}", **more}


def status(guard, *args, **more):
    return ask(guard, *args, **more).get("status")


def test_without_the_token_nothing_is_answered(guard):
    for path in ("/", "/plan", "/results/file/all.zip", "/_nicegui/3.0/static/nicegui.js", "/?token="):
        assert status(guard, path) == 401
    assert status(guard, "/", cookie=f"{guard.cookie}=wrong") == 401
    assert status(guard, "/", cookie=f"other={guard.token}") == 401
    assert status(guard, "/", query="token=wrong") == 401
    # the token opens the first page alone, and nothing by POST
    assert status(guard, "/plan", query=f"token={guard.token}") == 401


def test_the_link_leaves_the_token_in_a_cookie_that_no_script_reads(guard):
    answer = ask(guard, "/", query=f"token={guard.token}")
    headers = dict(answer["headers"])
    assert answer["status"] == 303
    assert headers[b"location"] == b"/"
    assert b"HttpOnly" in headers[b"set-cookie"]
    assert b"SameSite=Strict" in headers[b"set-cookie"]
    assert guard.link == f"http://127.0.0.1:8500/?token={guard.token}"
    assert guard.token not in repr(guard)


@pytest.mark.parametrize(
    "host", ["example.org", "example.org:8500", "127.0.0.1", "127.0.0.1:8501", "", None, "127.0.0.1:8500, a"]
)
def test_a_foreign_host_is_refused_even_with_the_token(guard, host):
    assert status(guard, "/", **known(guard, host=host)) == 421
    assert status(guard, "/", query=f"token={guard.token}", host=host) == 421


@pytest.mark.parametrize(
    "origin",
    ["http://example.org", "null", "https://127.0.0.1:8500", "http://127.0.0.1:8501", "http://127.0.0.1"],
)
def test_a_foreign_origin_is_refused_even_with_the_token(guard, origin):
    assert status(guard, "/", **known(guard, origin=origin)) == 403
    assert status(guard, "/up", method="POST", **known(guard, origin=origin)) == 403
    socket = ask(guard, "/_nicegui_ws/socket.io/", kind="websocket", **known(guard, origin=origin))
    assert socket == {"type": "websocket.close", "code": 1008}


def test_a_socket_and_whatever_changes_something_must_say_whence_it_comes(guard):
    own = f"http://{HOME}"
    assert status(guard, "/up", method="POST", **known(guard)) == 403
    assert status(guard, "/up", method="POST", **known(guard, origin=own)) == 200
    assert ask(guard, "/_nicegui_ws/", kind="websocket", **known(guard))["type"] == "websocket.close"
    assert ask(guard, "/_nicegui_ws/", kind="websocket", origin=own)["type"] == "websocket.close"
    assert (
        ask(guard, "/_nicegui_ws/", kind="websocket", **known(guard, origin=own))["type"]
        == "websocket.accept"
    )
    assert status(guard, "/", **known(guard, sec_fetch_site="cross-site")) == 403


@pytest.mark.parametrize(
    "path",
    [
        "/results/file/../study.toml",
        "/results/file/..",
        "/results/file/%2e%2e/study.toml",
        "/results/file/%252e%252e%252fx",
        "/a/..\\b",
        "/a%00b",
        "/results/file/.%2E/x",
        "/%25252525252e",
    ],
)
def test_a_path_that_climbs_is_refused_however_it_is_written(guard, path):
    assert leads_out(path)
    assert status(guard, path, **known(guard)) == 400
    # the server hands the decoded path over, and the raw one beside it
    assert status(guard, "/results/file/x", raw=path, **known(guard)) == 400


def test_ordinary_paths_do_not_climb():
    assert not any(
        map(
            leads_out,
            ["/", "/results/file/proposals/430524.docx", "/a..b/c", "/%E6%96%87%E4%BB%B6.html", "/50%25"],
        )
    )


def test_more_than_a_file_may_hold_is_refused_whatever_length_was_said(guard):
    own = known(guard, origin=f"http://{HOME}")
    assert status(guard, "/up", method="POST", content_length="1001001", **own) == 413
    assert status(guard, "/up", method="POST", content_length="x", **own) == 413
    assert status(guard, "/up", method="POST", body=[b"x" * 600_000, b"x" * 401_001], **own) == 499
    assert status(guard, "/up", method="POST", body=[b"x" * 600_000, b"x" * 401_000], **own) == 200


def test_every_answer_carries_a_policy_and_none_lets_other_pages_read_it(guard):
    page = dict(ask(guard, "/plan", **known(guard))["headers"])
    drawn = dict(ask(guard, "/results/view/map.html", **known(guard))["headers"])
    assert page[b"content-security-policy"].decode() == page_policy(guard.hosts)
    assert drawn[b"content-security-policy"].decode() == map_policy()
    assert b"access-control-allow-origin" not in page
    assert page[b"x-content-type-options"] == b"nosniff"
    assert "default-src 'none'" in page_policy(guard.hosts)
    # a page that a run wrote asks nobody, and is a stranger to the desk
    assert "allow-same-origin" not in map_policy()
    assert "http" not in map_policy()
