"""Read what must be met: the policy with the readings a study chose, and what `[siting]` asks besides."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sy_coverage import policy as policies
from sy_coverage import siting
from sy_coverage.errors import ConfigError, some

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from geopandas import GeoDataFrame

    from sy_coverage.policy import Policy
    from sy_coverage.study.config.file import StudyConfig
    from sy_coverage.study.config.questions.siting import Siting
    from sy_coverage.study.steps.files import StudyFiles

READINGS = ("scope", "rule", "share", "elders", "nursing_bed_base")
"""What a policy leaves open and `[siting]` may choose."""


def read_policy(config: StudyConfig, files: StudyFiles) -> Policy:
    """Return what must be reached, with the readings and reaches that the study chose in place of the policy's own.

    Raises
    ------
    ConfigError
        If a choice names a target or kind that the policy does not have.
    """
    policy = _policy(config, files, config.policy)
    asked, candidates = config.siting, config.candidates
    shown = [target.id for target in policy.marked_targets]
    _require_among(shown, asked.demonstration, "[siting.demonstration]: no such target")
    _require_among(policy.kinds, candidates.costs, "[candidates] costs: no such kind")
    stations = policy.station_kinds
    _require_among(stations, candidates.floor_area_m2, "[candidates] floor_area_m2: no such kind of station")
    chosen = {name: getattr(asked, name) for name in READINGS}
    return policy.with_readings(**{name: value for name, value in chosen.items() if value is not None})


def read_kinds(config: StudyConfig, files: StudyFiles) -> Policy:
    """Return the policy as lists and roads are read by it: its kinds and their reaches; no number or reading that a study chose."""
    return _policy(config, files, config.kinds_otherwise)


def read_counts(config: StudyConfig, files: StudyFiles) -> Policy:
    """Return the policy as sites are suggested by it: whom it counts and how many of what; not how a rate is counted."""
    elders = config.siting.elders
    policy = _policy(config, files, config.counts_otherwise)
    return policy if elders is None else policy.with_readings(elders=elders)


def _policy(config: StudyConfig, files: StudyFiles, otherwise: Mapping[str, Any]) -> Policy:
    named, access = config.study.policy, config.access
    here = Path(files.path(named))
    policy = _changed(policies.load_policy(here if here.suffix in {".toml", ".xlsx"} else named), otherwise)
    for kind, reach in {policy.coverage_kind: access, **access.kinds}.items():
        policy = policy.with_access(mode=reach.mode, cutoff_min=dict(reach.cutoff_min.items()), kind=kind)
    return policy


def _changed(policy: Policy, given: Mapping[str, Any]) -> Policy:
    """Return `policy` with what a study reads otherwise: targets by id, or keys of its sections."""
    if not given:
        return policy
    data = policy.model_dump()
    targets = {target["id"]: target for target in data["targets"]}
    sections = {"targets", "kinds", "readings"}
    wanted = {**given.get("targets", {}), **{k: v for k, v in given.items() if k not in sections}}
    unknown = sorted(set(wanted) - set(targets))
    if unknown:
        raise ConfigError(f"[policy]: no such target: {some(unknown)}; there are: {', '.join(targets)}")
    for target_id, change in wanted.items():
        targets[target_id] |= change if isinstance(change, dict) else {"value": change}
    for kind_id, change in given.get("kinds", {}).items():
        policy.kind(kind_id)
        data["kinds"][kind_id] |= change
    data["readings"] |= given.get("readings", {})
    return policies.policy_from(data, source="[policy]")


def _require_among(allowed: Iterable[str], given: Iterable[str], wrong: str) -> None:
    every = list(allowed)
    unknown = sorted(set(given) - set(every))
    if unknown:
        may_be = ", ".join(every) or "none, for this policy asks for no such sites"
        raise ConfigError(f"{wrong}: {some(unknown)}; allowed: {may_be}")


def in_one_model(policy: Policy) -> bool:
    """Return whether one plan decides all of the city, so that what is counted over it belongs to that plan."""
    return policy.readings.scope == "city"


def criteria(asked: Siting, policy: Policy) -> dict[str, siting.Criteria]:
    """Return what a demonstration site must have, by target: as `[siting.demonstration]` says, else nothing but a place."""
    if not asked.demonstrate:
        return {}
    given = asked.demonstration
    return {
        t.id: siting.Criteria(**given[t.id].model_dump()) if t.id in given else siting.Criteria()
        for t in policy.marked_targets
    }


def kinds_needed(asked: Siting, policy: Policy) -> set[str]:
    """Return the kinds whose minutes the rules of `[siting]` need besides those of the candidates."""
    needed: set[str] = set()
    if asked.station_walk_min is not None:
        needed |= set(policy.station_kinds)
    if asked.demonstrate and in_one_model(policy):
        needed |= marked_kinds(policy)
    if asked.beds_per_elder is not None:
        needed |= set(policy.home_kinds if policy.bed_share is None else policy.bed_share.measure.kinds)
    return needed


def marked_kinds(policy: Policy) -> set[str]:
    """Return the kinds of facilities that demonstration sites may be."""
    return {kind for t in policy.marked_targets for kind in t.measure.kinds}


def clustered(asked: Siting, demand: GeoDataFrame, units: GeoDataFrame) -> GeoDataFrame:
    """Return the demand with the cluster of every village, where centres must have stations."""
    if asked.station_walk_min is None:
        return demand
    return demand.assign(cluster_id=siting.village_clusters(demand, units, within_m=asked.cluster_m))
