"""Find here the classic siting problems, each under its name: what to open so that something is best, and proved."""

from __future__ import annotations

from sy_coverage.siting import center, covering, maximal, median
from sy_coverage.siting._memory import within_memory

lscp, lscp_backup = within_memory(covering.lscp), within_memory(covering.lscp_backup)
mclp, partial_cover = within_memory(maximal.mclp), within_memory(maximal.partial_cover)
p_median = within_memory(median.p_median)
p_center, p_dispersion = within_memory(center.p_center), within_memory(center.p_dispersion)

__all__ = ["lscp", "lscp_backup", "mclp", "p_center", "p_dispersion", "p_median", "partial_cover"]
