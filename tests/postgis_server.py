"""Run a real PostGIS for the tests: a cluster of their own on a Unix socket, gone when they end."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "canary-7c1f"  # noqa: S105  (planted: no test may find it in what is written or said)
INSTALL = "Debian: apt-get install postgresql-postgis"


class NoPostgisError(Exception):
    """Why no PostGIS can be started here."""


@dataclass(frozen=True)
class Server:
    """A running server with one database; every schema in it is a test's own."""

    socket: Path

    def address(self, *, user: str = "planner", password: str = PASSWORD) -> str:
        return f"postgresql://{user}:{password}@/places?host={self.socket}"

    def sql(self, *statements: str) -> list[tuple[object, ...]]:
        """Run statements as the owner, each on its own, and return the rows of the last."""
        import psycopg

        with psycopg.connect(self.address(), autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


def _programs() -> Path:
    """Return the folder of the newest PostgreSQL that has PostGIS."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(p.parts[-3]))
    on_path = shutil.which("postgres")
    for program in [*reversed(found), *([Path(on_path)] if on_path else [])]:
        config = program.parent / "pg_config"
        done = subprocess.run([config, "--sharedir"], capture_output=True, text=True, check=False)
        if done.returncode == 0 and (Path(done.stdout.strip()) / "extension" / "postgis.control").exists():
            return program.parent
        # Debian keeps pg_config in another package than the server
        if (Path("/usr/share/postgresql") / program.parts[-3] / "extension" / "postgis.control").exists():
            return program.parent
    raise NoPostgisError(f"no PostgreSQL with PostGIS is installed ({INSTALL})")


@contextmanager
def running() -> Iterator[Server]:
    """Start a cluster as an unprivileged user, give it, and take it away again."""
    programs = _programs()
    user = None
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        try:
            user = pwd.getpwnam("postgres").pw_name
        except KeyError:
            raise NoPostgisError("no user postgres that could run it, and root may not") from None
    # short, because the path of a socket may have 107 characters
    folder = Path(tempfile.mkdtemp(prefix="sy-pg-", dir="/tmp"))
    try:
        (folder / "password").write_text(PASSWORD)
        if user is not None:
            shutil.chown(folder, user)
            shutil.chown(folder / "password", user)
        data = folder / "data"
        made = subprocess.run(
            [programs / "initdb", "-D", data, "-U", "planner", f"--pwfile={folder / 'password'}", "--no-sync",
             "-A", "scram-sha-256", "-E", "UTF8", "--locale=C"],
            user=user, capture_output=True, text=True, check=False, cwd="/",
        )  # fmt: skip
        if made.returncode:
            raise NoPostgisError(f"initdb failed: {made.stderr.strip()[-300:]}")
        quick = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB",
                 "listen_addresses=", f"unix_socket_directories={folder}", "timezone=Asia/Shanghai")  # fmt: skip
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, *(part for one in quick for part in ("-c", one))],
                user=user, stdout=subprocess.DEVNULL, stderr=log, cwd="/",
            )  # fmt: skip
        try:
            _wait(folder, server)
            yield Server(folder)
        finally:
            server.send_signal(2)  # "fast": ends sessions and stops
            server.wait(timeout=30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(folder: Path, server: subprocess.Popen[bytes]) -> None:
    import psycopg

    ends = time.monotonic() + 60
    while True:
        try:
            address = f"postgresql://planner:{PASSWORD}@/postgres?host={folder}"
            with psycopg.connect(address, autocommit=True) as connection:
                connection.execute("CREATE DATABASE places")
            with psycopg.connect(Server(folder).address(), autocommit=True) as connection:
                connection.execute("CREATE EXTENSION postgis")
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > ends:
                raise NoPostgisError(f"it did not start: {(folder / 'log').read_text()[-300:]}") from error
            time.sleep(0.1)
        else:
            return
