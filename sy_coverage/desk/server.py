"""Serve the desk of one folder to the browser of this machine."""

from __future__ import annotations

import asyncio
import socket
import webbrowser
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sy_coverage import _files
from sy_coverage.desk.guard import MAP_PATH, Guard
from sy_coverage.errors import CannotWriteError, ConfigError

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Callable

    from sy_coverage.desk.session import Desk

UPLOAD_BYTES = _files.USUAL.megabytes * 1_000_000
"""One file may be as large as the door to disk reads."""


def serve(
    folder: str | os.PathLike[str],
    *,
    port: int = 0,
    browser: bool = True,
    say: Callable[[str], None] = print,
) -> None:
    """Serve the desk of `folder` until it is interrupted; `say` is told the link that opens it, once it can be opened.

    Parameters
    ----------
    port
        Where to listen on 127.0.0.1; 0: any port that is free.
    browser
        Whether to open the link.

    Raises
    ------
    ConfigError
        If the extra "desk" is not installed.
    CannotWriteError
        If the folder cannot be made or written, or the port is taken.
    """
    try:
        import uvicorn  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError('the desk needs the extra "desk": pip install "sy-coverage[desk]"') from error
    target = Path(folder).resolve()
    _files.make_folder(target)
    listening = _listen(port)
    app = guarded(
        target, port=listening.getsockname()[1], ready=lambda link: _opened(link, say, browser=browser)
    )
    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="on", server_header=False)
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])


def guarded(folder: Path, *, port: int, ready: Callable[[str], None] = lambda _: None) -> Guard:
    """Return the desk of a folder as an application that lets nobody in without its token."""
    from sy_coverage.desk.session import Desk  # noqa: PLC0415  (the framework is heavy, and not everybody has it)

    desk = Desk(folder)
    guard = Guard(_application(desk, lambda: ready(guard.link)), port=port, upload_bytes=UPLOAD_BYTES)
    return guard


def _application(desk: Desk, ready: Callable[[], None]) -> Any:
    from fastapi import FastAPI  # noqa: PLC0415
    from nicegui import ui  # noqa: PLC0415

    from sy_coverage.desk import downloads, pages  # noqa: PLC0415

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        watching = asyncio.create_task(desk.watch())
        ready()
        yield
        watching.cancel()
        desk.close()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.mount(MAP_PATH.rstrip("/"), downloads.views(desk))
    app.mount("/results/file", downloads.files(desk))
    pages.register(desk)
    ui.run_with(
        app,
        title="sy_coverage",
        favicon=pages.ICON,
        language="zh-CN",
        tailwind=False,
        reconnect_timeout=30.0,
        show_welcome_message=False,
        storage_secret=None,
    )
    return app


def _listen(port: int) -> socket.socket:
    """Return a socket that listens on this machine alone."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
        listening.listen()  # whoever follows the link at once waits, and is not turned away
    except OSError as error:
        listening.close()
        raise CannotWriteError(
            f"port {port}: is taken ({error.strerror}); give another one, or none"
        ) from error
    return listening


def _opened(link: str, say: Callable[[str], None], *, browser: bool) -> None:
    say(link)
    if browser:
        webbrowser.open(link)
