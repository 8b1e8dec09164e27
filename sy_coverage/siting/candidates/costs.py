"""Say what a site costs where nobody does."""

from __future__ import annotations

COSTS: dict[str, dict[str, float]] = {
    "service_centre": {"village_office": 80.0, "idle_school": 100.0, "public_building": 100.0, "new": 160.0},
    "dementia_unit": {"village_office": 200.0, "idle_school": 220.0, "public_building": 220.0, "new": 300.0},
    "regional_home": {
        "village_office": 500.0,
        "idle_school": 550.0,
        "public_building": 550.0,
        "new": 800.0,
        "upgrade": 300.0,
    },
}
"""10⁴ yuan by kind and premises where a study gives none: round planning figures, to be replaced by local ones."""
OTHER_COST = {
    "village_office": 30.0,
    "idle_school": 40.0,
    "public_building": 40.0,
    "new": 60.0,
    "upgrade": 30.0,
}
"""The same for kinds that `COSTS` does not name."""
