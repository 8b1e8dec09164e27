"""Nothing leaves the machine where that is forbidden: databases are not even connected to, and no password is sent in clear."""

import socket
import struct
import threading
from contextlib import closing

import pytest
from typer.testing import CliRunner

from sy_coverage import _files, places, read_study
from sy_coverage._files.gate import connection_rules, is_this_machine
from sy_coverage.cli import app
from sy_coverage.errors import InputError, OfflineError, UnreadableFileError
from sy_coverage.study.check import check
from tests import toy

pytestmark = pytest.mark.enable_socket

PASSWORD = "canary-51d0"  # noqa: S105  (planted: no test may find it on the wire)
CLEARTEXT = b"R" + struct.pack("!II", 8, 3)
MD5 = b"R" + struct.pack("!II", 12, 5) + b"salt"


class Asking:
    """A server that answers every greeting by asking for a password, and keeps what it is told."""

    def __init__(self, question: bytes) -> None:
        self.question, self.heard, self.calls = question, b"", 0
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            self.calls += 1
            with closing(connection):
                connection.settimeout(5)
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        try:
            while said := connection.recv(4096):
                self.heard += said
                # no TLS and no GSS here; then the greeting is answered with the question
                wants_more = said[4:8] in (struct.pack("!I", 80877103), struct.pack("!I", 80877104))
                connection.sendall(b"N" if wants_more else self.question)
        except OSError:
            return

    def address(self, table: str = "") -> str:
        return f"postgresql://planner:{PASSWORD}@127.0.0.1:{self.port}/places{table}"


@pytest.fixture
def server(request):
    asking = Asking(getattr(request, "param", CLEARTEXT))
    yield asking
    asking.listening.close()


NAMED = {
    "units": ("units.gpkg", "#a.units"),
    "facilities": ("facilities.csv", "#a.facilities"),
    "candidates": ("candidates.csv", "#a.candidates"),
    "villages": ("villages.csv", "#a.villages"),
}


def with_database(folder, server, part):
    """Return the toy study with one of its files, or its results, in the database."""
    study_file = toy.write_study(folder)
    text = study_file.read_text(encoding="utf-8")
    if part == "results":
        text = text.replace("[study]", f'[study]\ndatabase = "{server.address("#out")}"', 1)
    elif part == "census":
        text = text.replace("[demand]", f'[demand]\ncensus = "{server.address("#a.census")}"', 1)
    elif part == "cohorts":
        text = text.replace(
            "[demand]", f'[demand]\nyear = 2020\ncohorts = "{server.address("#a.cohorts")}"', 1
        )
    else:
        file, table = NAMED[part]
        assert file in text
        text = text.replace(file, server.address(table), 1)
    study_file.write_text(text, encoding="utf-8")
    return study_file


PARTS = [*NAMED, "results", "census", "cohorts"]


@pytest.mark.parametrize("part", PARTS)
def test_row_114_check_connects_to_no_database_and_says_so(tmp_path, server, part):
    report = check(with_database(tmp_path, server, part))
    assert (server.calls, server.heard) == (0, b"")
    said = "\n".join(report.remarks)
    assert f"127.0.0.1:{server.port}/places" in said
    assert "--databases" in said
    assert PASSWORD not in said + report.verdict
    assert report.errors == []


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("command", ["coverage", "geocode", "roads"])
def test_row_114_offline_connects_to_no_database(tmp_path, server, part, command):
    words = [command, with_database(tmp_path, server, part), "--offline", "--out", tmp_path / "out"]
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert (server.calls, server.heard) == (0, b"")
    assert PASSWORD not in done.output
    if done.exit_code:
        assert isinstance(done.exception, OfflineError)
        assert "is a database" in str(done.exception)


def test_row_114_offline_in_python_neither_reads_nor_writes_a_database(tmp_path, server):
    study = read_study(with_database(tmp_path, server, "results"), offline=True)
    with pytest.raises(OfflineError, match="is a database"):
        study.save(tmp_path / "out")
    (tmp_path / "b").mkdir()
    other = read_study(with_database(tmp_path / "b", server, "units"), offline=True)
    for again in (other, other.but(siting={"rule": "access"}), other.without_network()):
        with pytest.raises(OfflineError, match="is a database"):
            again.units  # noqa: B018
    assert (server.calls, server.heard) == (0, b"")


def test_row_114_check_asks_the_databases_where_it_is_told_to(tmp_path, server):
    report = check(with_database(tmp_path, server, "units"), databases=True)
    assert server.calls > 0
    assert report.errors


@pytest.mark.parametrize("server", [CLEARTEXT], indirect=True)
def test_row_114_a_server_that_asks_for_the_password_in_clear_does_not_get_it(server, tmp_path):
    with pytest.raises(UnreadableFileError, match="in clear"):
        places.read_units(server.address("#a.units"))
    with pytest.raises(UnreadableFileError, match="in clear"):
        _files.require_database(server.address("#out"))
    assert server.calls == 2
    assert PASSWORD.encode() not in server.heard


REMOTE = {"host": "db.example.org", "user": "u"}
LOCAL = [
    {"host": ""},
    {"host": "/run/postgresql"},
    {"host": "127.0.0.1"},
    {"host": "localhost"},
    {"host": "::1"},
    {},
]


@pytest.mark.parametrize("given", LOCAL)
def test_a_database_of_this_machine_needs_no_tls_and_gets_no_password_in_clear(given):
    assert connection_rules(given, {}) == {"sslmode": "prefer", "require_auth": "!password"}


@pytest.mark.parametrize(
    ("given", "environment", "expected"),
    [
        (REMOTE, {}, {"sslmode": "require", "require_auth": "!password"}),
        ({"host": "10.0.0.5"}, {}, {"sslmode": "require", "require_auth": "!password"}),
        ({}, {"PGHOST": "db.example.org"}, {"sslmode": "require", "require_auth": "!password"}),
        (REMOTE | {"sslmode": "disable"}, {}, {"sslmode": "disable", "require_auth": "scram-sha-256"}),
        (REMOTE, {"PGSSLMODE": "disable"}, {"sslmode": "disable", "require_auth": "scram-sha-256"}),
        (REMOTE | {"sslmode": "verify-ca"}, {}, {"sslmode": "verify-ca", "require_auth": "!password"}),
        (REMOTE | {"sslmode": "verify-full"}, {}, {"sslmode": "verify-full"}),
        ({"sslmode": "disable"}, {}, {"sslmode": "disable", "require_auth": "!password"}),
    ],
)
def test_a_database_of_another_machine_is_asked_over_tls_or_with_scram(given, environment, expected):
    assert connection_rules(given, environment) == expected


@pytest.mark.parametrize(
    ("given", "environment", "reason"),
    [
        (REMOTE | {"sslmode": "prefer"}, {}, "in clear"),
        (REMOTE | {"sslmode": "allow"}, {}, "in clear"),
        (REMOTE, {"PGSSLMODE": "prefer"}, "in clear"),
        ({"host": "localhost,db.example.org"}, {}, "several hosts"),
        (REMOTE | {"hostaddr": "10.0.0.1"}, {}, "cannot be given"),
        ({"service": "other"}, {}, "cannot be given"),
        ({"require_auth": "password"}, {}, "cannot be given"),
        ({"sslkeylogfile": "/x"}, {}, "cannot be given"),
        ({}, {"PGHOSTADDR": "10.0.0.1"}, "another server"),
        ({}, {"PGSERVICE": "other"}, "another server"),
    ],
)
def test_an_address_that_could_ask_somebody_else_is_refused(given, environment, reason):
    with pytest.raises(InputError, match=reason):
        connection_rules(given, environment)


@pytest.mark.parametrize(
    "host", ["127.0.0.1.example.org", "localhost.example.org", "10.0.0.1", "::", "8.8.8.8"]
)
def test_hosts_that_only_look_like_this_machine_are_others(host):
    assert not is_this_machine(host)


def test_the_host_in_the_parameters_of_an_address_is_the_one_that_counts():
    with pytest.raises(InputError, match=r"in clear") as caught:
        places.read_units(f"postgresql://u:{PASSWORD}@127.0.0.1/d?host=db.example.org&sslmode=prefer#s.t")
    assert PASSWORD not in str(caught.value)
