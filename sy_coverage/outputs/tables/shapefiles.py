"""Write units, facilities, sites and villages as shapefiles for offices that work in CGCS2000."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from sy_coverage import _files
from sy_coverage.outputs.tables.geodata import layers
from sy_coverage.outputs.text.zipped import normalised

if TYPE_CHECKING:
    from sy_coverage.outputs.findings import Findings

SHORT_NAMES = {
    "boundary_quality": "bound_q",
    "elders_covered": "eld_in",
    "elders_covered_planned": "eld_in_p",
    "share_covered": "shr_in",
    "share_covered_planned": "shr_in_p",
    "nearest_mean_min": "mean_min",
    "nearest_mean_min_planned": "mean_min_p",
    "nearest_worst_min": "max_min",
    "nearest_worst_min_planned": "max_min_p",
    "elders_unreached": "no_road",
    "elders_unreached_planned": "no_road_p",
    "has_centre_planned": "has_cent_p",
    "covered_planned": "covered_p",
    "backup_share": "backup",
    "backup_share_planned": "backup_p",
    "elders_gained": "eld_gained",
    "medical_min": "med_min",
    "floor_area_m2": "area_m2",
    "nursing_beds": "nurs_beds",
    "candidate_id": "cand_id",
    "facility_id": "fac_id",
    "coordinate_system": "coord_sys",
    "location_precision": "loc_prec",
    "location_status": "loc_status",
    "location_reason": "loc_reason",
    "nearest_min": "near_min",
    "nearest_planned_min": "near_min_p",
    "position_quality": "pos_q",
    "dementia_ward": "dementia",
    "demonstration": "demo",
    "demonstrates": "shows",
    "community_id": "commun_id",
}
"""Names of columns in a shapefile, which holds ten letters of one."""
CGCS2000 = "EPSG:4490"
MOST_LETTERS = 80
"""A cell of a shapefile holds 254 bytes, of a Chinese character three."""


def cgcs2000(findings: Findings) -> bytes:
    """Return units, facilities, proposals and villages as shapefiles in CGCS2000 (degrees, EPSG:4490), in one zip archive.

    Degrees of WGS 84 are taken as equal. Texts are UTF-8, names of columns have ten letters at most, `SHORT_NAMES`.
    """
    every = layers(findings)
    written = {}
    for name in ("units", "facilities", "proposals", "demand"):
        frame = every[name].reset_index()
        frame = frame[frame.geometry.notna() & ~frame.geometry.is_empty]
        frame = frame.rename(
            columns={c: SHORT_NAMES.get(c, c)[:10] for c in frame.columns if c != "geometry"}
        )
        flags = [c for c in frame.columns if c != "geometry" and pd.api.types.is_bool_dtype(frame[c].dtype)]
        frame = frame.astype(dict.fromkeys(flags, "Int64")).drop(columns="why", errors="ignore")
        days = [c for c in frame.columns if str(frame[c].dtype).startswith("datetime")]
        frame = frame.assign(**{c: frame[c].dt.strftime("%Y-%m-%d") for c in days})
        texts = [c for c in frame.columns if str(frame[c].dtype) in {"str", "object", "string"}]
        frame = frame.assign(**{c: frame[c].str.slice(0, MOST_LETTERS) for c in texts})
        written[name] = frame.set_crs(CGCS2000, allow_override=True)
    return normalised(_files.shapefiles(written, day=findings.date), findings.date)
