"""Give every test the shared data folder, and skip by name what cannot run without it."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests import postgis_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgis_server import Server

settings.register_profile(
    "ci", max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "nightly", max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "mutants",
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real extracts and oracles; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("SY_COVERAGE_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no test data at {folder}: set SY_COVERAGE_TEST_DATA")
    return folder


@pytest.fixture(scope="session")
def postgis() -> Iterator[Server]:
    """Return a real PostGIS of the tests' own; where none can be had these tests are skipped and say why."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(postgis_server.running())
        except postgis_server.NoPostgisError as error:
            pytest.skip(f"no PostGIS: {error}")
        yield server
