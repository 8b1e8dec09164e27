"""Locate addresses offline by the names of villages, communities, towns and streets: longest match, inside the county."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sy_coverage._frames import GEOGRAPHIC, metric_crs
from sy_coverage.places.ground.addresses import NO_NAMES, Addresses, Names
from sy_coverage.places.ground.names import same, short_unit, short_village

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pandas import DataFrame

ANSWER_COLUMNS = ("lon", "lat", "precision", "status", "reason", "detail", "query", "system")
"""What a source says of each row: WGS84 degrees, then text; a row it knows nothing of has status not_located."""
_VILLAGE_FORMS = ("村", "社区", "居委会", "村委会", "居民委员会", "村民委员会", "社区居委会", "村村委会")


@dataclass(frozen=True)
class _Answer:
    point: str | None
    """Key of a point: a village or a unit id."""
    precision: str | None
    status: str
    reason: str | None = None
    detail: str | None = None
    asked: str | None = None
    """The text in which a village was found, where that is not the address."""


@dataclass(frozen=True)
class Gazetteer:
    """An offline source for `geocode`: it knows the units and villages of the study by name."""

    name: str
    addresses: Addresses
    villages: dict[str, Names]
    """By unit id and by county id."""
    points: dict[str, tuple[float, float]]
    """WGS84 degrees by village id (``v:…``) and unit id (``u:…``)."""
    labels: dict[str, str]
    """How each village or unit is called in full, with its unit and county."""
    short_of: dict[str, str] = field(default_factory=dict)
    """How each unit is called without its ending."""

    def locate(self, rows: DataFrame) -> DataFrame:
        """Return an answer for each of `rows` (columns `name`, `address`, `village`, `unit_id`, `county_id`).

        Returns
        -------
        answers
            Indexed like `rows`, columns ANSWER_COLUMNS. Of several places the one that a column `chosen` names is taken. A village or community is ``located``, a town is ``approximate``,
            several of one name are ``ambiguous`` and listed, so is an address that names another unit or county than its
            row; a county alone is no place: ``not_located``. `query` is the text in which the place was found.
        """
        columns = [_texts(rows, c) for c in ("address", "village", "name", "unit_id", "county_id", "chosen")]
        answers = [self._answer(*row) for row in zip(*columns, strict=True)]
        spots = [self.points[a.point] if a.point else (np.nan, np.nan) for a in answers]
        return pd.DataFrame(
            {
                "lon": [lon for lon, _ in spots],
                "lat": [lat for _, lat in spots],
                "precision": [a.precision for a in answers],
                "status": [a.status for a in answers],
                "reason": [a.reason for a in answers],
                "detail": [a.detail for a in answers],
                "query": [
                    a.asked or address or name
                    for a, address, name in zip(answers, columns[0], columns[2], strict=True)
                ],
                "system": "wgs84",
            },
            index=rows.index,
        )

    def _answer(
        self, address: str, village: str, name: str, unit_id: str, county_id: str, chosen: str
    ) -> _Answer:
        text = same(address)
        named = self.addresses.county_in(text)
        county = (
            county_id
            or self.addresses.names.county_of.get(unit_id, "")
            or named
            or self.addresses.county_in(same(name))
            or ""
        )
        if named and county != named:
            return _Answer(None, None, "ambiguous", "county_conflict", self.labels.get(named, named))
        if unit_id:
            town: tuple[str, ...] = (unit_id,)
            found = self.addresses.units.get(county, NO_NAMES).find(text)
            if found and unit_id not in found[2] and self.short_of.get(unit_id, text) not in text:
                town = self._chosen((unit_id, *found[2]), chosen)
                if len(town) > 1:
                    return self._several(found[2], "unit_conflict")
            rest = text[found[1] :] if found else text
        else:
            town, rest = self._town(text, same(name), county)
        town = self._chosen(town, chosen)
        if len(town) > 1:
            return self._several(town, "several_units")
        texts = ((same(village), village), (rest, address), (same(name), name))
        return self._village(town[0] if town else "", county, texts, chosen)

    def _town(self, text: str, name: str, county: str) -> tuple[tuple[str, ...], str]:
        """Return the ids of the unit that an address (or else a facility's name) names, and the text behind it."""
        scope = self.addresses.units.get(county, NO_NAMES)
        found = scope.find(text)
        if found:
            return found[2], text[found[1] :]
        found = scope.find(name)
        return (found[2] if found else ()), text

    def _village(self, unit: str, county: str, texts: tuple[tuple[str, str], ...], chosen: str) -> _Answer:
        """Return the village found in the first of `texts` (to be searched, as written) that names one."""
        scope = self.villages.get(unit or county, NO_NAMES)
        for text, written in texts:
            found = scope.find(text) if text else None
            villages = self._chosen(found[2], chosen) if found else ()
            if len(villages) > 1:
                return self._several(villages, "several_villages")
            if villages:
                return _Answer(villages[0], "village", "located", asked=written)
        if f"u:{unit}" in self.points:
            return _Answer(f"u:{unit}", "town", "approximate", "town_only", self.labels[f"u:{unit}"])
        if county:
            return _Answer(None, "county", "not_located", "county_only", self.labels.get(county, county))
        return _Answer(None, None, "not_located", "no_name_known")

    def _called(self, thing: str) -> str:
        return self.labels.get(thing) or self.labels.get(f"u:{thing}", thing)

    def _chosen(self, ids: tuple[str, ...], chosen: str) -> tuple[str, ...]:
        """Return of several things the one that is called as the study chose, or all of them if none or several are."""
        meant = tuple(i for i in ids if chosen and same(self._called(i)) == same(chosen))
        return meant if len(ids) > 1 and len(meant) == 1 else ids

    def _several(self, ids: tuple[str, ...], reason: str) -> _Answer:
        return _Answer(None, None, "ambiguous", reason, "、".join(map(self._called, ids)))


def _texts(rows: DataFrame, column: str) -> list[str]:
    if column not in rows.columns:
        return [""] * len(rows)
    return ["" if pd.isna(value) else str(value) for value in rows[column]]


def gazetteer(units: GeoDataFrame, villages: GeoDataFrame) -> Gazetteer:
    """Return an offline source that knows the names of `units` and of `villages`.

    Parameters
    ----------
    units
        Units frame.
    villages
        Demand frame with `name` and `unit_id`: villages and communities as points.

    Returns
    -------
    source
        For `geocode`. Names count inside their county only; a town's point is its village nearest to the middle of its
        elders, or a point inside it if it has no village.
    """
    units = units.to_crs(GEOGRAPHIC).sort_index()
    villages = villages.to_crs(GEOGRAPHIC).sort_index()
    villages = villages[villages["name"].notna() & villages["unit_id"].isin(units.index)]
    addresses = Addresses.of(units)
    full = units["county"].astype(str) + units["name"].astype(str)
    labels = {f"u:{i}": text for i, text in full.items()}
    labels |= dict(zip(units["county_id"].astype(str), units["county"].astype(str), strict=True))
    in_places: dict[str, list[tuple[str, str]]] = {}
    for village_id, name, unit_id in zip(villages.index, villages["name"], villages["unit_id"], strict=True):
        labels[f"v:{village_id}"] = f"{full[unit_id]}{name}"
        for scope in (str(unit_id), addresses.names.county_of[str(unit_id)]):
            in_places.setdefault(scope, []).append((same(name), f"v:{village_id}"))
    points = {f"v:{i}": (p.x, p.y) for i, p in villages.geometry.items()}
    points |= _unit_points(units, villages)
    return Gazetteer(
        name="gazetteer",
        addresses=addresses,
        villages={scope: _village_names(known) for scope, known in in_places.items()},
        points=points,
        labels=labels,
        short_of={str(i): short_unit(same(str(name))) for i, name in units["name"].items()},
    )


def _village_names(known: list[tuple[str, str]]) -> Names:
    weaker = []
    for name, village_id in known:
        stem = short_village(name)
        if len(stem) > 1:
            weaker += [(stem + form, village_id) for form in _VILLAGE_FORMS]
    return Names.of(known, weaker)


def _unit_points(units: GeoDataFrame, villages: GeoDataFrame) -> dict[str, tuple[float, float]]:
    """Return for every unit the point that stands for it, by ``u:<unit_id>``."""
    inside = units.geometry.representative_point()
    found = {f"u:{i}": (p.x, p.y) for i, p in inside.items()}
    if villages.empty:
        return found
    metric = villages.geometry.to_crs(metric_crs(units))
    table = pd.DataFrame(
        {
            "unit_id": villages["unit_id"].to_numpy(),
            "x": metric.x.to_numpy(),
            "y": metric.y.to_numpy(),
            "weight": villages["elders"].fillna(0).to_numpy(dtype="float64") + 1e-9,
            "lon": villages.geometry.x.to_numpy(),
            "lat": villages.geometry.y.to_numpy(),
        }
    )
    for unit_id, group in table.groupby("unit_id", sort=True):
        middle_x = np.average(group["x"], weights=group["weight"])
        middle_y = np.average(group["y"], weights=group["weight"])
        nearest = np.hypot(group["x"] - middle_x, group["y"] - middle_y).idxmin()
        found[f"u:{unit_id}"] = (float(group.loc[nearest, "lon"]), float(group.loc[nearest, "lat"]))
    return found
