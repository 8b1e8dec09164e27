"""Count a run's figures again from its `coverage.gpkg`, its lists and its policy alone, with pandas and nothing of the package.

    python scripts/recount.py out [policy.toml]

Counted again are the units (from the villages), the counties and the city, every line of the scorecard that can be computed, and
the table of sites. Prints how many figures agree and names those that do not; exits with 1 if there are any.
"""

from __future__ import annotations

import json
import math
import sqlite3
import struct
import sys
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd

STATES = {"today": "", "planned": "_planned"}
CITY = "city"
TOLERANCE = 1e-6
POINT_BYTES = 29
SELECT = "select * from "
YES = {"是", "有", "√", "yes", "y", "true", "1", "1.0"}


class Recount:
    """What was counted again, and what disagrees."""

    def __init__(self) -> None:
        self.agreed = 0
        self.skipped: dict[str, int] = {}
        self.wrong: list[str] = []

    def hold(self, what: str, ours: float | None, theirs: Any) -> None:
        """Hold a figure of the run against the one that was counted here; None: not known."""
        other = None if theirs is None or pd.isna(theirs) else float(theirs)
        if ours is None or other is None:
            same = ours is None and other is None
        else:
            same = math.isclose(float(ours), other, rel_tol=1e-9, abs_tol=TOLERANCE)
        if same:
            self.agreed += 1
        else:
            self.wrong.append(f"{what}: counted {ours}, the run says {other}")


def read_layers(folder: Path) -> dict[str, pd.DataFrame]:
    """Return the tables of `coverage.gpkg` without their geometry, each by its id."""
    ids = {
        "units": "unit_id",
        "facilities": "facility_id",
        "demand": "demand_id",
        "proposals": "candidate_id",
    }
    with sqlite3.connect(f"file:{folder / 'coverage.gpkg'}?mode=ro", uri=True) as db:
        layers = {name: pd.read_sql(SELECT + name, db).set_index(key) for name, key in ids.items()}
    for name in ("facilities", "proposals"):
        layers[name]["spot"] = column(layers[name], "geom").map(spot_of)
    return layers


def spot_of(blob: bytes | None) -> str:
    """Return where a point lies, to a metre: its two numbers end the bytes of a GeoPackage; empty where there is none."""
    if not isinstance(blob, bytes) or len(blob) < POINT_BYTES:
        return ""
    x, y = struct.unpack("<dd", blob[-16:])
    return "" if math.isnan(x) else f"{x:.5f},{y:.5f}"


def read_policy(folder: Path, manifest: dict[str, Any], given: str | None) -> dict[str, Any]:
    """Return the policy as data, with the readings and reaches that the study chose instead of its own."""
    options = manifest["options"]
    named = options["study"]["policy"]
    path = Path(given) if given else Path(__file__).parents[1] / "sy_coverage" / "policy" / f"{named}.toml"
    if not path.is_file():
        sys.exit(
            f"{path}: there is no such policy; give its path as the second argument ({folder} names '{named}')"
        )
    policy: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    chosen = options["siting"]
    for reading in ("scope", "rule", "share", "elders", "nursing_bed_base", "rebuilt"):
        if chosen.get(reading) is not None:
            policy.setdefault("readings", {})[reading] = chosen[reading]
    centre = centre_kind(policy)
    policy["kinds"][centre]["cutoff_min"] |= options["access"]["cutoff_min"]
    return policy


def centre_kind(policy: dict[str, Any]) -> str:
    """Return the kind that the first coverage rate counts."""
    rates = [t["measure"] for t in policy["targets"] if t["measure"]["of"] == "unit_coverage"]
    return str(rates[0]["facility_kind"] if rates else next(iter(policy["kinds"])))


def is_yes(values: pd.Series) -> pd.Series:
    """Return which cells say yes."""
    return values.map(lambda value: str(value).strip().lower() in YES)


def column(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return a column, blank where the frame has none."""
    return frame[name] if name in frame.columns else pd.Series(None, index=frame.index, dtype=object)


# --- who is there -------------------------------------------------------------------------------------------------------


def open_today(facilities: pd.DataFrame, date: str) -> pd.DataFrame:
    """Return the facilities that are open on the study's date."""
    opens, day = pd.to_datetime(column(facilities, "opens_on")), pd.Timestamp(date)
    status = facilities["status"]
    return facilities[
        ((status == "open") & (opens.isna() | (opens <= day))) | ((status == "planned") & (opens <= day))
    ]


def open_planned(policy: dict[str, Any], facilities: pd.DataFrame, proposals: pd.DataFrame) -> pd.DataFrame:
    """Return what is open once the plan is carried out: sites opened, beds converted, demonstration sites marked."""
    medical = {
        kind
        for target in policy["targets"]
        for measure in [target["measure"]]
        if measure["of"] == "upgrade_count"
        or (measure["of"] == "flag_share" and measure["flag"] == "has_medical")
        for kind in (measure.get("facility_kinds") or [measure["facility_kind"]])
    }
    new = proposals.copy()
    said = column(new, "has_medical")
    new["has_medical"] = said.astype(object).mask(new["kind"].isin(medical) & said.isna(), 1)
    whole = pd.concat([facilities, new])
    turned = pd.to_numeric(column(whole, "convert")).fillna(0.0)
    whole["nursing_beds"] = pd.to_numeric(whole["nursing_beds"]) + turned
    shows = column(whole, "demonstrates").fillna("").astype(str)
    for target in policy["targets"]:
        mark = target["measure"].get("mark")
        if mark:
            chosen = shows.map(lambda ids, own=target["id"]: own in ids.split(","))
            whole[mark] = column(whole, mark).astype(object).mask(chosen, 1)
    return whole


def without_rebuilt(policy: dict[str, Any], there: pd.DataFrame) -> pd.DataFrame:
    """Return `there` without homes that others of it were rebuilt from, where the policy reads that these leave."""
    if policy.get("readings", {}).get("rebuilt", "leaves") != "leaves":
        return there
    originals = there.loc[there.index.isin(column(there, "upgrade_of").dropna())]
    there = there.copy()
    for measure in (t["measure"] for t in policy["targets"]):
        flag = measure.get("also_flag")
        if flag is None:
            continue
        # a home rebuilt keeps what its original said, where its own row says nothing
        inherited = column(there, "upgrade_of").map(column(originals, flag))
        own = column(there, flag)
        there[flag] = own.astype(object).where(own.notna(), inherited)
    return there.drop(index=originals.index)


def claims(there: pd.DataFrame, measure: dict[str, Any]) -> int:
    """Return how many facilities count: of the kinds, and those of others that are flagged, but not twice at one place."""
    own = there["kind"].isin(measure["facility_kinds"])
    if measure.get("mark"):
        own &= is_yes(column(there, measure["mark"]))
    if not measure.get("also_flag"):
        return int(own.sum())
    flagged = ~there["kind"].isin(measure["facility_kinds"]) & is_yes(column(there, measure["also_flag"]))
    hosts = set(column(there[own], "host_id").dropna())
    address = column(there, "address").fillna("").str.strip() + "|" + column(there, "county_id").fillna("")
    spot = column(there, "spot").fillna("")
    taken = set(address[own][address[own].str.split("|").str[0] != ""])
    spots = set(spot[own]) - {""}
    same = there.index.isin(hosts) | address.isin(taken) | spot.isin(spots)
    return int((own | (flagged & ~same)).sum())


# --- what is counted ----------------------------------------------------------------------------------------------------


def count_units(policy: dict[str, Any], layers: dict[str, pd.DataFrame], out: Recount) -> pd.DataFrame:
    """Count the units again from the villages, and return them as counted."""
    units, demand = layers["units"], layers["demand"]
    kind = policy["kinds"][centre_kind(policy)]
    elders = demand[policy.get("readings", {}).get("elders", "elders")].astype(float)
    limit = demand["unit_id"].map(units["kind"]).fillna("other").map(kind["cutoff_min"]).astype(float)
    counted = (
        pd.DataFrame({"elders": elders.groupby(demand["unit_id"]).sum()}).reindex(units.index).fillna(0.0)
    )
    for state, suffix in STATES.items():
        minutes = demand["nearest_min" if not suffix else "nearest_planned_min"].astype(float)
        known = minutes.notna()
        within = minutes <= limit + 1e-9
        by_unit = demand["unit_id"]
        total = {
            "elders_covered": (elders * within).groupby(by_unit).sum(),
            "elders_unreached": (elders * ~known).groupby(by_unit).sum(),
            "_minutes": (elders * minutes.fillna(0.0)).groupby(by_unit).sum(),
            "_known": (elders * known).groupby(by_unit).sum(),
        }
        for name, values in total.items():
            counted[f"{name}{suffix}"] = values.reindex(units.index).fillna(0.0)
        reached = counted[f"_known{suffix}"]
        counted[f"nearest_mean_min{suffix}"] = counted[f"_minutes{suffix}"] / reached.where(reached > 0)
        for unit_id, row in counted.iterrows():
            for name in ("elders_covered", "elders_unreached", "nearest_mean_min"):
                ours = row[f"{name}{suffix}"]
                out.hold(
                    f"units {unit_id} {name} {state}",
                    None if pd.isna(ours) else ours,
                    units.loc[unit_id, f"{name}{suffix}"],
                )
    for unit_id, value in counted["elders"].items():
        out.hold(f"units {unit_id} elders", value, units.loc[unit_id, "elders"])
    return counted


def covered_units(
    policy: dict[str, Any], units: pd.DataFrame, there: pd.DataFrame, counted: pd.DataFrame, suffix: str
) -> pd.Series:
    """Return which units count as covered, by the rule of the policy."""
    readings = policy.get("readings", {})
    presence = pd.Series(
        units.index.isin(there.loc[there["kind"] == centre_kind(policy), "unit_id"].dropna()), units.index
    )
    share = Fraction(str(readings.get("share", 0.8))) - Fraction(1, 10**9)
    access = pd.Series(
        [
            Fraction(float(part)) >= share * Fraction(float(whole))
            for part, whole in zip(counted[f"elders_covered{suffix}"], counted["elders"], strict=True)
        ],
        units.index,
    )
    return {"presence": presence, "access": access, "both": presence & access}[
        readings.get("rule", "presence")
    ]


def value_of(
    target: dict[str, Any],
    policy: dict[str, Any],
    units: pd.DataFrame,
    there: pd.DataFrame,
    covered: pd.Series,
) -> float | None:
    """Return the value of a target within one scope; None where this script cannot count it."""
    measure = target["measure"]
    match measure["of"]:
        case "unit_coverage" if measure["facility_kind"] == centre_kind(policy):
            mine = units.index[units["kind"] == measure["unit_kind"]]
            return float(covered[mine].mean()) if len(mine) else None
        case "facility_count":
            return float(claims(there, measure))
        case "bed_share":
            kinds = measure["bases"][policy["readings"]["nursing_bed_base"]]
            homes = there[there["kind"].isin(kinds)]
            beds = pd.to_numeric(homes["beds"]).sum()
            return float(pd.to_numeric(homes["nursing_beds"]).sum() / beds) if beds else None
        case "flag_share":
            homes = there[there["kind"].isin(measure["facility_kinds"])]
            return float(is_yes(column(homes, measure["flag"])).mean()) if len(homes) else None
        case "upgrade_count":
            own = there[there["kind"] == measure["facility_kind"]]
            rebuilt = (column(own, "premises") == measure.get("premises", "upgrade")) | column(
                own, "upgrade_of"
            ).notna()
            return float(rebuilt.sum())
    return None


def count_scorecard(
    policy: dict[str, Any], folder: Path, layers: dict[str, pd.DataFrame], there: dict[str, pd.DataFrame],
    covered: dict[str, pd.Series], out: Recount,
) -> None:  # fmt: skip
    """Count every computed line of the scorecard again: its value, and whether that meets the target."""
    units = layers["units"]
    card = pd.read_csv(folder / "scorecard.csv", dtype={"scope_id": str}, encoding="utf-8-sig")
    targets = {target["id"]: target for target in policy["targets"]}
    for row in card.to_dict("records"):
        target = targets[row["target_id"]]
        if row["basis"] != "computed":
            out.skipped[row["basis"]] = out.skipped.get(row["basis"], 0) + 1
            continue
        for state in STATES:
            own_units, own = units, there[state]
            if row["scope_id"] != CITY:
                own_units = units[units["county_id"] == row["scope_id"]]
                own = own[own["county_id"] == row["scope_id"]]
            value = value_of(target, policy, own_units, own, covered[state].reindex(own_units.index))
            what = f"scorecard {row['target_id']} {row['scope_id']} {state}"
            if value is None:
                out.skipped[target["measure"]["of"]] = out.skipped.get(target["measure"]["of"], 0) + 1
                continue
            out.hold(what, value, row[f"value_{state}"])
            goal = 1.0 if target.get("value") is None else float(target["value"])
            met = abs(value - goal) < TOLERANCE if target["rule"] == "share_equals" else value >= goal - 1e-12
            out.hold(f"{what} met", float(met), float(str(row[f"met_{state}"]).lower() == "true"))


def count_sites(folder: Path, layers: dict[str, pd.DataFrame], out: Recount) -> None:
    """Hold the table of sites of every county against the layer `proposals`: numbers, costs and their sum."""
    proposals = layers["proposals"]
    for county_id, own in proposals.groupby("county_id"):
        path = folder / "proposals" / f"{county_id}.geojson"
        listed = json.loads(path.read_text(encoding="utf-8"))["features"]
        out.hold(f"sites {county_id}", len(own), len(listed))
        out.hold(f"sites {county_id} cost", own["cost"].sum(), sum(f["properties"]["cost"] for f in listed))
        for feature in listed:
            out.hold(
                f"sites {feature['id']} cost", own["cost"].get(feature["id"]), feature["properties"]["cost"]
            )
        out.hold(
            f"sites {county_id} numbers", 0.0, float(sorted(own["number"]) != list(range(1, len(own) + 1)))
        )


def recount(folder: Path, policy_file: str | None = None) -> Recount:
    """Count everything of the run in `folder` again."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    layers, policy, out = read_layers(folder), read_policy(folder, manifest, policy_file), Recount()
    counted = count_units(policy, layers, out)
    units = layers["units"]
    today = open_today(layers["facilities"], manifest["options"]["study"]["date"])
    planned = open_planned(policy, today, layers["proposals"])
    there = {"today": without_rebuilt(policy, today), "planned": without_rebuilt(policy, planned)}
    covered = {}
    for state, suffix in STATES.items():
        covered[state] = covered_units(policy, units, there[state], counted, suffix)
        for unit_id, value in covered[state].items():
            out.hold(f"units {unit_id} covered {state}", float(value), units.loc[unit_id, f"covered{suffix}"])
    count_scorecard(policy, folder, layers, there, covered, out)
    count_sites(folder, layers, out)
    return out


def main() -> int:
    """Count the run named on the command line again, and say what disagrees."""
    if len(sys.argv) < 2:
        sys.exit(str(__doc__))
    found = recount(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
    skipped = ", ".join(f"{name} {count}" for name, count in sorted(found.skipped.items()))
    sys.stdout.write(
        f"{found.agreed} figures agree, {len(found.wrong)} do not; not counted here: {skipped or 'none'}\n"
    )
    sys.stdout.writelines(f"  {line}\n" for line in found.wrong)
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
