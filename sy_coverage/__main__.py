"""Run the command line with ``python -m sy_coverage``."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


def main() -> None:
    """Run the command line; Ctrl-C while it is still being opened ends it with 130, as at any other moment."""
    signal.signal(signal.SIGINT, _stop)
    from sy_coverage import cli  # noqa: PLC0415

    cli.main()


def _stop(number: int, frame: FrameType | None) -> None:
    del number, frame
    sys.exit(130)


if __name__ == "__main__":
    main()
