"""Find here the classic siting problems, each under its name: what to open so that something is best, and proved."""

from __future__ import annotations

from sy_coverage.siting.center import p_center, p_dispersion
from sy_coverage.siting.covering import lscp, lscp_backup
from sy_coverage.siting.maximal import mclp, partial_cover
from sy_coverage.siting.median import p_median

__all__ = ["lscp", "lscp_backup", "mclp", "p_center", "p_dispersion", "p_median", "partial_cover"]
