"""Decide what may leave this machine, and under which rules a database is asked."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sy_coverage._files.addresses import is_database, without_password
from sy_coverage.errors import InputError, OfflineError, some

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Gate:
    """The one gate in front of the network: who may be asked."""

    services: bool = True
    """Map services and OpenStreetMap."""
    databases: bool = True
    """Databases, on this machine too: they get a password and the study's questions."""

    def require(self, address: str) -> str:
        """Return `address`, if it may be asked; paths of files always may.

        Raises
        ------
        OfflineError
            If it is a database and none may be asked.
        """
        if not self.databases and is_database(address):
            raise OfflineError(
                f"{without_password(address)}: is a database, and none may be asked; run without --offline (check: with --databases)"
            )
        return address


OPEN = Gate()
CLOSED = Gate(services=False, databases=False)

_KNOWN = frozenset(
    {"host", "port", "dbname", "user", "password", "sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "passfile",
     "application_name", "connect_timeout", "options"}
)  # fmt: skip
_REDIRECTING = ("PGHOSTADDR", "PGSERVICE")
_ENCRYPTED = frozenset({"require", "verify-ca", "verify-full"})


def is_this_machine(host: str) -> bool:
    """Return whether `host` names this machine: a socket (a path, or nothing), ``localhost`` or a loopback address."""
    if not host or host.startswith(("/", "@")) or host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def connection_rules(given: Mapping[str, object], environment: Mapping[str, str]) -> dict[str, str]:
    """Return what libpq is told besides `given`, so that no password leaves in clear.

    Another machine is asked over TLS, unless the address says ``sslmode=disable`` itself; without TLS a remote server gets
    nothing but SCRAM, which hands over no password. A password itself goes only to a server whose certificate was checked
    against its name (``sslmode=verify-full``).

    Raises
    ------
    InputError
        If the address asks several hosts, or says with what is not known here (or the environment says) who is asked.
    """
    strange = sorted(set(given) - _KNOWN)
    if strange:
        raise InputError(
            f"database: {some(strange)} cannot be given in an address; allowed: {', '.join(sorted(_KNOWN))}"
        )
    turned = [name for name in _REDIRECTING if environment.get(name)]
    if turned:
        raise InputError(
            f"database: {some(turned)} in the environment would ask another server than the address names; unset it"
        )
    host = str(given.get("host") or environment.get("PGHOST") or "")
    if "," in host:
        raise InputError(f"database: several hosts ({host}); name one")
    is_local = is_this_machine(host)
    mode = str(given.get("sslmode") or environment.get("PGSSLMODE") or ("prefer" if is_local else "require"))
    if not is_local and mode not in _ENCRYPTED | {"disable"}:
        raise InputError(
            f"database: sslmode={mode} may send the password to {host} in clear; write sslmode=require or verify-full "
            "(or disable, where the network is your own: then only SCRAM is spoken)"
        )
    if mode == "verify-full":
        return {"sslmode": mode}
    return {
        "sslmode": mode,
        "require_auth": "!password" if is_local or mode in _ENCRYPTED else "scram-sha-256",
    }
