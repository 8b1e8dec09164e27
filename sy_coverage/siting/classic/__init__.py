"""Find here the classic siting problems, each under its name: what to open so that something is best, and proved."""

from __future__ import annotations

from sy_coverage.siting.classic.center import p_center, p_dispersion
from sy_coverage.siting.classic.covering import lscp, lscp_backup
from sy_coverage.siting.classic.maximal import mclp, partial_cover
from sy_coverage.siting.classic.median import p_median

__all__ = ["lscp", "lscp_backup", "mclp", "p_center", "p_dispersion", "p_median", "partial_cover"]
