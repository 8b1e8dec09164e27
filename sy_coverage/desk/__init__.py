"""Open a page on this machine that walks through a study, for those who never type a command."""

from __future__ import annotations

from sy_coverage.desk.launchers import write_launchers
from sy_coverage.desk.server import serve

__all__ = ["serve", "write_launchers"]


def __dir__() -> list[str]:
    return list(__all__)
