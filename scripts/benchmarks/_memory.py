"""Ask the system how much memory this process has held."""

from __future__ import annotations

import resource
import sys
from pathlib import Path


def peak_mb() -> int:
    """Return the most memory this process has held, in MiB; what it was started from does not count where the system says so."""
    status = Path("/proc/self/status")
    if not status.exists():
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS, KiB elsewhere
        return most // (2**20 if sys.platform == "darwin" else 2**10)
    return int(status.read_text(encoding="ascii").split("VmHWM:")[1].split()[0]) // 1024
